"""The six steps: who, when, by when, with what proof."""

from collections.abc import Callable

import pytest

from alerts import stages
from alerts.book import Book, UnknownWarning
from alerts.lifecycle import Refused
from alerts.queries import history, listed
from alerts.roles import Forbidden, Role
from alerts.stages import Done, Stage
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
MINUTE = 60 * NS
AT = 1_767_000_100 * NS
Say = Callable[..., Change]


def of(book: Book, at: int = AT) -> dict[str, dict[str, object]]:
    known = history(book.database, listed(book.database, live=False)[0].id, at)
    assert known is not None
    return {s["stage"]: s for s in known["stages"]}


def test_a_warning_has_six_steps_with_deadlines_by_its_level(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    found = of(book)
    assert list(found) == ["find", "assess", "warn", "prevent", "dispose", "account"]
    assert [(int(str(s["due"])) - AT) // MINUTE for s in found.values()] == [0, 5, 5, 60, 120, 72 * 60]
    assert (found["find"]["by"], found["find"]["proof"]) == ("desk", [say(O).id])
    assert not any(s["late"] for s in found.values())
    assert of(book, AT + 6 * MINUTE)["assess"]["late"]


def test_a_rise_brings_deadlines_nearer_and_a_fall_moves_none(book: Book, say: Say) -> None:
    book.take([say(Y)], AT)
    book.take([say(R, 1)], AT + MINUTE)
    assert of(book)["prevent"]["due"] == AT + 31 * MINUTE
    book.take([say(B, 2), say(Y, 3)], AT + 2 * MINUTE)
    assert of(book)["prevent"]["due"] == AT + 31 * MINUTE


def test_who_answers_has_warned_and_an_analyst_gives_the_verdict(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    warning = listed(book.database, live=True)[0].id
    book.acknowledge(warning, "Li Na", "on my way", AT + MINUTE)
    with pytest.raises(Forbidden, match="needs the role analyst"):
        book.done(warning, Stage.ASSESS, Done("Li Na", verdict="hazard"), Role.OPERATOR, AT)
    with pytest.raises(Refused, match="ends in a verdict"):
        book.done(warning, Stage.ASSESS, Done("Wang", verdict="perhaps"), Role.ANALYST, AT)
    with pytest.raises(Refused, match="by the desk itself"):
        book.done(warning, Stage.FIND, Done("Wang"), Role.ADMIN, AT)
    with pytest.raises(UnknownWarning):
        book.done("none", Stage.PREVENT, Done("Wang"), Role.ADMIN, AT)
    book.done(warning, Stage.ASSESS, Done("Wang", "smell of gas", ("photo-1",), "hazard"), Role.ANALYST, AT + 2 * MINUTE)
    found = of(book)
    assert (found["warn"]["by"], found["warn"]["note"]) == ("Li Na", "on my way")
    assert (found["assess"]["verdict"], found["assess"]["proof"], found["assess"]["late"]) == ("hazard", ["photo-1"], False)


def test_what_is_overdue_is_listed_the_longest_first_until_it_is_done(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    warning = listed(book.database, live=True)[0].id
    with book.database.read() as db:
        assert [s["stage"] for s in stages.overdue(db, AT + 61 * MINUTE)] == ["assess", "warn", "prevent"]
    book.done(warning, Stage.PREVENT, Done("Li Na", "cordon"), Role.OPERATOR, AT + 62 * MINUTE)
    with book.database.read() as db:
        assert [s["stage"] for s in stages.overdue(db, AT + 63 * MINUTE)] == ["assess", "warn"]
    assert of(book, AT + 63 * MINUTE)["prevent"]["late"]  # done, but late: that stays


def test_a_step_done_again_is_done_by_the_last_and_the_trail_keeps_both(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    warning = listed(book.database, live=True)[0].id
    for name, at in (("Li Na", 1), ("Wang", 2)):
        book.done(warning, Stage.DISPOSE, Done(name, "valve closed"), Role.OPERATOR, AT + at)
    known = history(book.database, warning, AT)
    assert known is not None
    assert of(book)["dispose"]["by"] == "Wang"
    assert [a["by"] for a in known["audit"] if a["act"] == "dispose"] == ["Li Na", "Wang"]
