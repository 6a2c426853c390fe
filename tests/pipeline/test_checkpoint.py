"""What was judged becomes true on the disk all at once, and a disk that will not have it is asked again."""

import threading
from pathlib import Path

import numpy as np
import pytest

from ingest.journal import Bounds, Entry, Writer
from ingest.ledger import Ledger
from lifeline.model import NS
from pipeline import checkpoint
from pipeline.letters import books
from pipeline.watch import Watch
from tests import town
from tests.brokers import until
from tests.town import START

SECONDS = 12


@pytest.fixture(scope="module")
def journal() -> list[Entry]:
    return town.entries(town.disturbed(town.life(5, SECONDS), 6), 7)


def write(folder: Path, journal: list[Entry]) -> None:
    """The same on the disk, for the books."""
    writer = Writer(folder / "data" / "journal.db", Bounds(1e6, 10**9, 0))
    for e in journal:
        writer.append([part for pair in zip(e.topics, e.payloads, strict=True) for part in pair], e.t)
    writer.close()


def test_the_books_balance_after_each_checkpoint(tmp_path: Path, journal: list[Entry]) -> None:
    write(tmp_path, journal)
    watch = town.watched(tmp_path)
    for i in range(0, len(journal), 5):
        watch.judge(journal[i : i + 5])
        watch.flush(wait=True)
        ledger = books(tmp_path / "data")["ledger"]
        assert ledger.pop("acknowledged") == sum(ledger.values())
    assert ledger["in_flight"] == 0
    dead = Ledger(tmp_path / "data" / "ledger.db").dead(most=10_000)
    assert len(dead) >= ledger["dead_lettered"] > 0  # a letter may be of one reading in a message that was stored


def test_watch_reads_the_journal_that_receive_wrote(tmp_path: Path, journal: list[Entry]) -> None:
    write(tmp_path, journal)
    watch = town.watched(tmp_path)
    while watch.turn(3):
        pass
    watch.flush(wait=True)
    assert watch.at == watch.checkpoints.mark.next == journal[-1].end
    assert not watch.turn()
    assert watch.lag() == 0.0


@pytest.mark.parametrize("broken", ["save", "lake", "ledger"])
def test_a_disk_that_fails_is_asked_again_and_nothing_is_written_twice(
    tmp_path: Path, journal: list[Entry], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    wanted = town.watched(tmp_path / "well")
    wanted.judge(journal)
    wanted.flush(wait=True)
    watch, failed = town.watched(tmp_path / "ill"), threading.Event()
    target, name = {
        "save": (checkpoint, "save"), "lake": (watch.lake, "write"), "ledger": (Ledger, "commit"),
    }[broken]  # fmt: skip
    works = getattr(target, name)

    def fails(*args: object, **kwargs: object) -> object:
        if not failed.is_set():
            failed.set()
            raise OSError(28, "No space left on device")
        return works(*args, **kwargs)

    monkeypatch.setattr(checkpoint, "RETRY", 0.2)
    monkeypatch.setattr(target, name, fails)
    watch.judge(journal)
    watch.flush()
    until(lambda: any("No space left" in why for why in watch.reasons()), "the reason is not said")
    watch.checkpoints.wait()
    assert watch.reasons() == []
    assert town.stored(watch) == town.stored(wanted)
    assert watch.checkpoints.mark.counts == wanted.checkpoints.mark.counts


def test_what_the_desk_has_not_confirmed_is_told_after_a_restart(tmp_path: Path, journal: list[Entry]) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    watch.flush(wait=True)
    assert watch.courier.unsent()
    assert town.said(town.watched(tmp_path)) == town.said(watch)


def test_only_the_newest_memory_is_kept(tmp_path: Path, journal: list[Entry]) -> None:
    data = tmp_path / "data"
    watch = town.watched(tmp_path)
    for part in (journal[:9], journal[9:20], journal[20:]):
        watch.judge(part)
        watch.flush(wait=True)
    assert [p.name for p in data.glob("state-*")] == [f"state-{journal[-1].end:020d}.npz"]
    (data / "state-1.tmp").write_bytes(b"of a watch that was killed as it wrote")
    town.watched(tmp_path)
    assert [p.name for p in data.glob("state-*")] == [f"state-{journal[-1].end:020d}.npz"]


def test_a_waveform_with_a_missing_sample_said_twice_is_a_duplicate_and_no_dead_letter(tmp_path: Path) -> None:
    x = np.full(town.RATE, 0.01)
    x[7] = np.nan
    entries = [Entry(i, START + 2 * NS, [t], [p]) for i, (t, p) in enumerate([town._deck(0, START, x)] * 2)]
    watch: Watch = town.watched(tmp_path)
    for e in entries:
        watch.judge([e])
        watch.flush(wait=True)
    counts = watch.checkpoints.mark.counts or {}
    assert (counts["stored"], counts["duplicate"], counts["dead_lettered"]) == (1, 1, 0)
    assert Ledger(tmp_path / "data" / "ledger.db").dead() == []


def test_a_damaged_file_of_the_lake_does_not_stop_the_watch_and_is_said_until_it_is_removed(
    tmp_path: Path, journal: list[Entry]
) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    watch.flush(wait=True)
    path = watch.lake.files("gas")[0]
    path.write_bytes(bytes(path.stat().st_size))
    again = Entry(journal[-1].end, START + 60 * NS, *([x] for x in town.methane(1, START + 3 * NS + NS // 2, 0.1)))
    for number in range(2):  # the second is a watch that was started again
        watch = town.watched(tmp_path)
        if not number:
            watch.judge([again])
        watch.flush(wait=True)
        assert any("1 damaged files of the lake" in why for why in watch.reasons())
    path.with_name(path.name + ".corrupt").unlink()
    assert watch.reasons() == []


@pytest.mark.parametrize("how", ["gone", "zeros", "half"])
def test_a_memory_that_is_lost_costs_the_memory_alone(
    tmp_path: Path, journal: list[Entry], caplog: pytest.LogCaptureFixture, how: str
) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    watch.flush(wait=True)
    (path,) = (tmp_path / "data").glob("state-*.npz")
    raw = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(len(raw)) if how == "zeros" else raw[: len(raw) // 2])
    known = watch.checkpoints.restore(watch.engine)
    assert known.raised == list(watch.raised.values())
    assert any("memory is lost" in r.message for r in caplog.records if r.levelname == "ERROR")
    again = town.watched(tmp_path)
    assert again.at == journal[-1].end
    assert again.checkpoints.mark.counts == watch.checkpoints.mark.counts
    again.judge([Entry(again.at, START + 60 * NS, *([x] for x in town.methane(1, START + 60 * NS, 0.1)))])
    again.flush(wait=True)


def test_a_flood_of_what_cannot_be_read_takes_its_room_in_the_span(tmp_path: Path) -> None:
    watch, (topic, _) = town.watched(tmp_path), town.methane(0, START, 0.1)
    for i in range(3):
        watch.judge([Entry(1000 * i, START, [topic] * 1000, [b"\0" * 32_000] * 1000)])
        assert 1 <= watch._span.readings / (1_000_000 * (i + 1)) < 1.01
    watch.flush(wait=True)
    assert watch._span.readings == 0
    assert (watch.checkpoints.mark.counts or {})["dead_lettered"] == 3000
