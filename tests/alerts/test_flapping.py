"""Nobody is told forty times of what comes and goes."""

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import select

from alerts.book import Book
from alerts.flapping import Flapping
from alerts.lifecycle import State
from alerts.notice import Notice
from alerts.queries import listed
from alerts.route import Route
from alerts.tables import Database, holds, outbox
from lifeline.model import NS, Change, Kind, Level

N, B, Y, O, R = Level
MINUTE = 60 * NS
AT = 1_767_000_100 * NS
Say = Callable[..., Change]


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database, [Route("phone", kinds=frozenset({Kind.HAZARD}))], flapping=Flapping())


def told(book: Book) -> list[str]:
    with book.database.read() as db:
        bodies = db.execute(select(outbox.c.body).order_by(outbox.c.made, outbox.c.t, outbox.c.version)).scalars()
        return [f"{n.story.what} {n.story.level}" for n in (msgspec.json.decode(b, type=Notice) for b in bodies)]


def shake(book: Book, say: Say, times: int) -> int:
    """YELLOW and back, each minute -> the instant after it. [ns] desk clock"""
    for i in range(times):
        book.take([say(Y, 60 * i)], AT + i * MINUTE)
        book.take([say(N, 60 * i + 30)], AT + i * MINUTE + MINUTE // 2)
    return AT + times * MINUTE


def test_after_three_rises_it_stays_and_its_people_hear_no_more(book: Book, say: Say) -> None:
    shake(book, say, 40)
    assert told(book) == ["raised YELLOW", "resolved NORMAL"] * 2 + ["raised YELLOW"]
    live = [c for c in listed(book.database, live=True) if c.kind is Kind.HAZARD]
    assert [(c.level, c.state) for c in live] == [(Y, State.OPEN)]


def test_the_owner_has_one_ticket_for_it(book: Book, say: Say) -> None:
    shake(book, say, 10)
    (ticket,) = [c for c in listed(book.database, live=False) if c.kind is Kind.TICKET]
    assert (ticket.asset, ticket.hazard, ticket.level) == ("W-1", "flapping", Y)


def test_when_it_has_been_quiet_for_half_an_hour_it_falls_and_so_does_the_ticket(book: Book, say: Say) -> None:
    end = shake(book, say, 5)
    assert book.settle(end + 29 * MINUTE) == 0
    assert book.settle(end + 30 * MINUTE) > 0
    assert told(book)[-1] == "resolved NORMAL"
    assert listed(book.database, live=True) == []
    with book.database.read() as db:
        assert db.execute(select(holds)).all() == []
    assert book.settle(end + 60 * MINUTE) == 0


def test_a_rise_passes_at_once_and_what_is_still_up_does_not_fall(book: Book, say: Say) -> None:
    end = shake(book, say, 5)
    book.take([say(O, 400)], end)
    assert told(book)[-1] == "worse ORANGE"
    assert book.settle(end + 60 * MINUTE) == 0
    assert [c.level for c in listed(book.database, live=True) if c.kind is Kind.HAZARD] == [O]


def test_what_comes_and_goes_slowly_is_not_held(book: Book, say: Say) -> None:
    for i in range(6):
        book.take([say(Y, 3000 * i), say(N, 3000 * i + 60)], AT + i * 3000 * NS)
    assert told(book) == ["raised YELLOW", "resolved NORMAL"] * 6


def test_a_desk_that_died_forgets_no_hold(book: Book, say: Say) -> None:
    end = shake(book, say, 5)
    again = Book(book.database, [Route("phone", kinds=frozenset({Kind.HAZARD}))], flapping=Flapping())
    assert again.settle(end + 30 * MINUTE) > 0
    assert listed(book.database, live=True) == []


def test_what_the_monitoring_says_of_itself_is_never_held(book: Book, say: Say) -> None:
    ours = {"domain": "pipeline", "hazard": "pipeline_silent", "rule": "pipeline.heartbeat"}
    for i in range(6):
        book.take([say(O, 60 * i, **ours), say(N, 60 * i + 30, **ours)], AT + i * MINUTE)
    assert told(book) == ["raised ORANGE", "resolved NORMAL"] * 6
    assert book.settle(AT + 120 * MINUTE) == 0


def test_the_ticket_ends_with_a_fall_that_is_taken_though_a_rise_had_let_the_case_go(book: Book, say: Say) -> None:
    end = shake(book, say, 5)
    book.take([say(O, 400)], end)
    book.take([say(N, 400 + 7200)], end + 120 * MINUTE)  # long after it came and went
    assert listed(book.database, live=True) == []


def test_an_exercise_ends_when_it_is_ended(book: Book, say: Say) -> None:
    drill = {"hazard": "exercise:gas_accumulation", "rule": "desk.exercise"}
    for i in range(5):
        book.take([say(R, 60 * i, **drill), say(N, 60 * i + 30, **drill)], AT + i * MINUTE)
    assert [c.kind for c in listed(book.database, live=False) if c.kind is Kind.TICKET] == []
    with book.database.read() as db:
        assert db.execute(select(holds)).all() == []
