"""The audit trail cannot be changed without a trace."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, select, update

from alerts.book import Book
from alerts.seals import seal, verify
from alerts.tables import Database, audit, seals
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
AT = 1_767_000_100 * NS
Say = Callable[..., Change]


@pytest.fixture
def trail(book: Book, say: Say) -> Database:
    book.take([say(Y), say(O, 1), say(R, 2)], AT)
    book.acknowledge(_one(book), "Li Na", "on my way", AT)
    assert seal(book.database, AT) == 4
    return book.database


def _one(book: Book) -> str:
    with book.database.read() as db:
        found: str = db.execute(select(audit.c.warning).limit(1)).scalar_one()
    return found


def test_what_is_sealed_fits_and_is_sealed_once(trail: Database) -> None:
    checked = verify(trail, AT)
    assert (checked.sealed, checked.unsealed, checked.wrong) == (4, 0, "")
    assert seal(trail, AT) == 0
    assert verify(trail, AT, checked.head).wrong == ""


def test_more_is_sealed_onto_what_was(trail: Database, book: Book, say: Say) -> None:
    before = verify(trail, AT).head
    book.take([say(N, 9)], AT)
    assert verify(trail, AT).unsealed == 1
    assert seal(trail, AT) == 1
    after = verify(trail, AT, before)
    assert (after.sealed, after.wrong) == (5, "")
    assert after.head != before


@pytest.mark.parametrize("column", ["at", "act", "by", "warning", "detail"])
def test_a_row_that_is_changed_no_longer_fits(trail: Database, column: str) -> None:
    other = 1 if column == "at" else "x"
    with trail.write() as db:
        db.execute(update(audit).where(audit.c.id == 2).values({column: other}))
    checked = verify(trail, AT)
    assert checked.sealed == 1
    assert "row 2" in checked.wrong


def test_a_row_that_is_taken_out_is_missed(trail: Database) -> None:
    with trail.write() as db:
        db.execute(delete(seals).where(seals.c.audit == 3))
        db.execute(delete(audit).where(audit.c.id == 3))
    assert verify(trail, AT).wrong == "the seal 3 is missing: 4 comes next"


def test_what_is_cut_off_at_the_end_shows_by_a_seal_noted_before(trail: Database) -> None:
    head = verify(trail, AT).head
    with trail.write() as db:
        db.execute(delete(seals).where(seals.c.audit == 4))
        db.execute(delete(audit).where(audit.c.id == 4))
    assert verify(trail, AT).wrong == ""
    assert "cut off" in verify(trail, AT, head).wrong


def test_a_row_that_nobody_sealed_shows_after_a_while(trail: Database) -> None:
    with trail.write() as db:
        db.execute(insert(audit).values(at=AT, act="closed", by="nobody", warning=None, detail="{}"))
    assert verify(trail, AT + NS).wrong == ""
    assert "1 rows wait for their seal" in verify(trail, AT + 120 * NS).wrong
