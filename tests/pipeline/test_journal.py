"""Raw messages on the disk: what was committed is there, whatever happens to the process that wrote it."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import DAMAGED, Bounds, JournalBroken, JournalFull, Reader, Writer, connect
from ingest.ledger import Ledger
from lifeline.model import NS
from pipeline.letters import books
from tests import town

PLENTY = Bounds(retention=100.0, max_size=10_000_000, min_free=0)
ROOT = Path(__file__).parents[2]


def batch(i: int, n: int = 3, size: int = 5) -> list[bytes]:
    return [part for j in range(n) for part in (f"t/{i}/{j}".encode(), bytes([i % 256]) * size)]


def flat(path: Path) -> list[bytes]:
    """All that the journal holds, as it was given."""
    reader = Reader(path)
    out, at = list[bytes](), 0
    while entries := reader.read(at, 7):
        out += [part for e in entries for pair in zip(e.topics, e.payloads, strict=True) for part in pair]
        at = entries[-1].end
    reader.close()
    return out


@settings(deadline=None, max_examples=30)  # each one syncs the disk
@given(st.lists(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=40)), min_size=1, max_size=5), max_size=6))
def test_what_is_read_is_what_was_appended_and_numbers_count_messages(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[bytes, bytes]]]
) -> None:
    path = tmp_path_factory.mktemp("j") / "journal.db"
    writer = Writer(path, PLENTY)
    given_, firsts = list[bytes](), list[int]()
    for i, b in enumerate(batches):
        firsts.append(writer.append([part for pair in b for part in pair], i))
        given_ += [part for pair in b for part in pair]
    assert flat(path) == given_
    assert firsts == [sum(map(len, batches[:i])) for i in range(len(batches))]
    assert writer.head == Reader(path).head() == len(given_) // 2
    writer.close()


CHILD = """
import sys
from pathlib import Path
from ingest.journal import DAMAGED, Bounds, Writer
writer = Writer(Path(sys.argv[1]), Bounds(100.0, 10**9, 0))
i = 0
while True:
    first = writer.append([b"t", str(i).encode() * 50], i)
    print(first, flush=True)
    i += 1
"""


@pytest.mark.crash
@pytest.mark.parametrize("lines", [1, 7, 60])
def test_what_was_committed_survives_the_kill_of_its_writer(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "journal.db"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    told += [int(x) for x in child.stdout.read().splitlines(keepends=True) if x.endswith("\n")]
    child.wait()
    child.stdout.close()
    assert told == list(range(len(told)))
    kept = flat(path)[1::2]
    assert len(kept) in {len(told), len(told) + 1}  # one may be on the disk and not yet told
    assert kept == [str(i).encode() * 50 for i in range(len(kept))]
    writer = Writer(path, PLENTY)
    assert writer.append([b"t", b"after"], 0) == len(kept)
    writer.close()


def test_only_what_every_consumer_has_used_is_let_go(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(10):
        writer.append(batch(i), i * NS)
    assert writer.purge(consumed=0, now=10**6 * NS) == 0
    assert writer.purge(consumed=3 * 4 + 2, now=10**6 * NS) == 4  # the fifth is used in part
    reader = Reader(tmp_path / "journal.db")
    assert [e.first for e in reader.read(12)] == [12, 15, 18, 21, 24, 27]
    assert writer.size == reader.stat()["bytes"]
    assert reader.stat()["head"] == 30


def test_what_is_used_is_kept_as_long_as_the_retention_says(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(10):
        writer.append(batch(i), i * NS)
    assert writer.purge(consumed=30, now=105 * NS) == 5  # received at 0 to 4 s, more than 100 s ago
    assert writer.purge(consumed=30, now=105 * NS) == 0


def test_the_newest_batch_stays_for_it_carries_the_count(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(4):
        writer.append(batch(i), 0)
    writer.purge(consumed=12, now=10**6 * NS)
    writer.close()
    again = Writer(tmp_path / "journal.db", PLENTY)
    assert again.append(batch(9), 0) == 12


def test_a_full_journal_refuses_with_its_reason_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", Bounds(retention=100.0, max_size=2000, min_free=0))
    writer.append(batch(0, size=100), 0)
    taken = 2000 // writer.size
    for i in range(1, taken):
        writer.append(batch(i, size=100), 0)
    with pytest.raises(JournalFull, match=r"max_size is 2000; is watch running"):
        writer.append(batch(taken, size=100), 0)
    assert 1 < taken < 10
    assert len(flat(tmp_path / "journal.db")) == taken * 6
    writer.purge(consumed=taken * 3, now=0)  # not old, but the place is wanted
    assert writer.append(batch(0, size=100), 0) == taken * 3


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024  as shutil gives it
    writer = Writer(tmp_path / "journal.db", Bounds(retention=100.0, max_size=10_000, min_free=1000))
    monkeypatch.setattr("ingest.journal.shutil.disk_usage", lambda _: usage(10_000, 9_500, 500))
    with pytest.raises(JournalFull, match="500 bytes left on the disk"):
        writer.append(batch(1), 0)
    monkeypatch.setattr("ingest.journal.shutil.disk_usage", lambda _: usage(10_000, 5_000, 5_000))
    assert writer.append(batch(1), 0) == 0


def limited(writer: Writer, pages: int) -> None:
    """The database may not grow any more, as on a full disk."""
    writer._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_disk_that_fills_between_the_question_and_the_write_leaves_no_half_batch(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    writer.append(batch(0), 0)
    limited(writer, 1)
    with pytest.raises(JournalFull, match="nothing is acknowledged"):
        writer.append(batch(1, size=100_000), 0)
    limited(writer, 1_000_000)
    assert not writer._db.in_transaction
    assert writer.append(batch(2), 0) == 3
    assert flat(tmp_path / "journal.db") == batch(0) + batch(2)


def test_a_purge_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", Bounds(retention=0.0, max_size=10_000, min_free=0))
    for i in range(3):
        writer.append(batch(i), 0)
    other = connect(tmp_path / "journal.db")
    other.execute("CREATE TRIGGER no BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(JournalFull, match="no room"):
        writer.purge(consumed=9, now=10**6 * NS)
    writer.append(batch(7), 0)
    assert flat(tmp_path / "journal.db")[-6:] == batch(7)  # committed: others see it


def test_a_hole_in_the_journal_is_noticed(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(4):
        writer.append(batch(i), 0)
    connect(tmp_path / "journal.db").execute("DELETE FROM batch WHERE first = 3")
    reader = Reader(tmp_path / "journal.db")
    with pytest.raises(JournalBroken, match="messages 3 to 5 are missing"):
        reader.read(0)


def test_a_batch_that_was_altered_comes_as_so_many_damaged_messages(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(3):
        writer.append(batch(i), i)
    body = altered(tmp_path / "journal.db", 3)
    one, two, three = Reader(tmp_path / "journal.db").read(0)
    assert (two.first, two.t, two.end) == (3, 1, 6)
    assert two.topics == [DAMAGED] * 3
    assert two.payloads == [body, b"", b""]
    assert [x for e in (one, three) for pair in zip(e.topics, e.payloads, strict=True) for x in pair] == batch(0) + batch(2)


def altered(path: Path, first: int) -> bytes:
    """Flip a bit of the batch at message `first`; -> its body now."""
    db = connect(path)
    body = bytearray(db.execute("SELECT body FROM batch WHERE first = ?", (first,)).fetchone()[0])
    body[-1] ^= 1
    db.execute("UPDATE batch SET body = ? WHERE first = ?", (bytes(body), first))
    db.close()
    return bytes(body)


def test_watch_makes_dead_letters_of_what_the_journal_has_lost_and_goes_on(tmp_path: Path) -> None:
    watch, path = town.watched(tmp_path), tmp_path / "data" / "journal.db"
    writer = Writer(path, PLENTY)
    for s in range(3):
        writer.append([x for i in range(4) for x in town.methane(i, town.START + s * NS, 0.1)], town.START + s * NS)
    body = altered(path, 4)
    while watch.turn():
        pass
    watch.flush(wait=True)
    dead = Ledger(tmp_path / "data" / "ledger.db").dead()
    assert [(x.number, x.reason, x.payload) for x in dead] == [
        (4 + i, "damaged in the journal", b"" if i else body) for i in range(4)
    ]
    assert {k: v for k, v in books(tmp_path / "data")["ledger"].items() if v} == {
        "acknowledged": 12, "stored": 8, "dead_lettered": 4,
    }  # fmt: skip


def test_two_who_append_never_take_the_same_number(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    receive, retry = Writer(path, PLENTY), Writer(path, PLENTY)
    firsts = [(receive, retry)[i % 3 == 0].append(batch(i), i) for i in range(12)]
    assert firsts == [3 * i for i in range(12)]
    assert flat(path) == [part for i in range(12) for part in batch(i)]


def test_a_reader_may_ask_for_a_stretch_of_time(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal.db", PLENTY)
    for i in range(100):
        writer.append(batch(i), i * NS)
    got = [e.t // NS for e in Reader(tmp_path / "journal.db").between(10 * NS, 90 * NS)]
    assert got == list(range(11, 91))


def test_a_journal_on_the_disk_is_only_done_when_the_disk_says_so(tmp_path: Path) -> None:
    db = connect(tmp_path / "journal.db")
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: every commit is synced
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "none.db", readonly=True).execute("SELECT 1 FROM batch")
    assert not os.path.exists(tmp_path / "none.db")  # noqa: PTH110  the path as SQLite got it
