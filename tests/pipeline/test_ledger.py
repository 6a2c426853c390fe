"""The books: offsets, counts and dead letters move together or not at all."""

import sqlite3
from pathlib import Path

import pytest

from ingest.journal import Bounds, Reader, Writer
from ingest.ledger import DeadLetter, Ledger, Mark, balance
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.letters import books, dead, opened, purge, retry, stat
from tests import town


def letter(number: int, reason: str = "unknown series: not in the catalog") -> DeadLetter:
    return DeadLetter(number, number * NS, 1, reason, "a/b", b"lifeline/v1/x", b"\xff{%d}" % number)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def test_a_consumer_goes_on_where_it_stopped(tmp_path: Path, ledger: Ledger) -> None:
    assert ledger.mark("watch") == Mark(counts={})
    ledger.commit("watch", Mark(7, 3, {"stored": 5, "duplicate": 2}, b"more"))
    ledger.close()
    assert Ledger(tmp_path / "ledger.db").mark("watch") == Mark(7, 3, {"stored": 5, "duplicate": 2}, b"more")


def test_what_the_slowest_consumer_has_not_used_is_not_used(ledger: Ledger) -> None:
    assert ledger.consumed() == 0
    ledger.commit("watch", Mark(90, 1, {}))
    ledger.commit("influx", Mark(40, 1, {}))
    assert ledger.consumed() == 40


def test_a_commit_that_fails_changes_nothing_and_the_next_one_works(tmp_path: Path, ledger: Ledger) -> None:
    ledger.commit("watch", Mark(5, 1, {"stored": 5}))
    with pytest.raises(sqlite3.ProgrammingError):
        ledger.commit("watch", Mark(9, 2, {"stored": 9}), [letter(6), (7, 1)])  # type: ignore[list-item]  # no whole letter
    assert ledger.mark("watch").next == 5
    assert ledger.dead() == []
    ledger.commit("watch", Mark(9, 2, {"stored": 7, "dead_lettered": 2}), [letter(6), letter(7)])
    other = Ledger(tmp_path / "ledger.db", readonly=True)
    assert [x.number for x in other.dead()] == [6, 7]


def test_a_commit_that_cannot_be_finished_is_undone(ledger: Ledger) -> None:
    ledger.commit("watch", Mark(5, 1, {}))
    ledger._db.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE a (i INTEGER PRIMARY KEY);"
        "CREATE TABLE b (i REFERENCES a (i) DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TRIGGER late AFTER INSERT ON dead BEGIN INSERT INTO b VALUES (1); END"
    )  # the COMMIT itself fails, as it does on a full disk
    with pytest.raises(sqlite3.Error):
        ledger.commit("watch", Mark(9, 2, {}), [letter(6)])
    assert not ledger._db.in_transaction
    ledger.commit("watch", Mark(8, 3, {}))
    assert (ledger.mark("watch").next, ledger.dead()) == (8, [])


def test_a_dead_letter_said_twice_is_one(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.commit("watch", Mark(9, 2, {"dead_lettered": 1}), [letter(6)])
    assert ledger.dead() == [letter(6)]
    assert ledger.reasons() == [("unknown series: not in the catalog", 1, 1)]


def test_a_letter_refused_for_two_reasons_bears_both(ledger: Ledger) -> None:
    for _ in range(2):  # the second time after a crash
        ledger.commit("watch", Mark(9, 2, {"dead_lettered": 1}), [letter(6, "unknown; odd"), letter(6, "contradicts")])
    ledger.commit("watch", Mark(10, 2, {"dead_lettered": 1}), [letter(6, "odd")._replace(places="")])
    (one,) = ledger.dead()
    assert one == letter(6, "unknown; odd; contradicts")._replace(items=2, places="a/b; a/b")


def test_dead_letters_are_found_by_reason_and_forgotten_by_age(ledger: Ledger) -> None:
    ledger.commit("watch", Mark(9, 2, {}), [letter(1, "empty"), letter(2), letter(3, "empty at payload")])
    assert [x.number for x in ledger.dead(like="empty")] == [1, 3]
    assert [x.number for x in ledger.dead(most=1)] == [1]
    assert ledger.forget(before=3 * NS) == 2
    assert [x.number for x in ledger.dead()] == [3]


def city(tmp_path: Path, head: int) -> Ledger:
    """A journal of so many messages, all consumed; the last is dead."""
    writer = Writer(tmp_path / "journal.db", Bounds(100.0, 10**7, 0))
    writer.append([x for i in range(head) for x in (b"t", b"%d" % i)], NS)
    writer.close()
    made = Ledger(tmp_path / "ledger.db")
    made.commit("watch", Mark(head, 1, {"stored": head - 1, "dead_lettered": 1}), [letter(head - 1)])
    return made


def test_a_dead_letter_sent_again_is_a_new_message_once(tmp_path: Path) -> None:
    city(tmp_path, 4)
    assert retry(tmp_path, "nothing like it") == 0
    assert retry(tmp_path, "unknown series") == 1
    assert retry(tmp_path, "") == 0
    reader, ledger = opened(tmp_path)
    (again,) = reader.read(4)
    assert (again.topics, again.payloads) == ([letter(3).topic], [letter(3).payload])
    assert ledger.dead() == []
    assert ledger.dead(waiting=False) == [letter(3)]
    assert Reader(tmp_path / "journal.db").head() == 5


def test_dead_letters_sent_again_keep_the_time_of_their_receipt_and_go_in_bounded_parts(tmp_path: Path) -> None:
    ledger = city(tmp_path, 1)
    many = [letter(i)._replace(t=i // 1500 * NS, payload=b"x" * (5_000_000 if i > 3996 else 9)) for i in range(4001)]
    ledger.commit("watch", Mark(1, 2, {}), many[1:])
    assert retry(tmp_path, "") == 4001
    reader, at = Reader(tmp_path / "journal.db"), 1
    entries = []
    while some := reader.read(at):
        entries += some
        at = some[-1].end
    assert all(len(e.payloads) <= 1000 and sum(map(len, e.payloads)) <= 16_000_000 for e in entries)
    assert [(e.t, p) for e in entries for p in e.payloads] == [(x.t, x.payload) for x in [letter(0), *many[1:]]]
    assert ledger.dead() == []


def test_words_that_are_no_time_are_said_to_be_none(tmp_path: Path) -> None:
    for words in ("xx", "-3 fortnights", "2026-11-23T15:00:00"):
        with pytest.raises(Unusable, match="is no time"):
            purge(town.configured(tmp_path), words)


def test_the_books_balance_and_say_so(tmp_path: Path) -> None:
    ledger = city(tmp_path, 4)
    assert books(tmp_path)["ledger"] == {"acknowledged": 4, "stored": 3, "duplicate": 0, "dead_lettered": 1, "in_flight": 0}
    assert "(balanced)" in stat(tmp_path, as_json=False)
    ledger.commit("watch", Mark(4, 1, {"stored": 2, "dead_lettered": 1}))
    assert "(DOES NOT BALANCE)" in stat(tmp_path, as_json=False)
    assert balance(10, {"stored": 4}, 4)["in_flight"] == 6


def test_a_dead_letter_is_shown_with_its_place_and_its_bytes(tmp_path: Path) -> None:
    city(tmp_path, 4)
    told = dead(tmp_path, "", 10, as_json=False)
    assert "1 refused: unknown series: not in the catalog at a/b" in told
    assert "\\xff{3}" in told
    assert dead(tmp_path, "nothing like it", 10, as_json=False) == "no dead letters"
