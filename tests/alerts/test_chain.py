"""Nobody's silence ends the chase."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from alerts.book import Book
from alerts.calling import Calling
from alerts.chain import Chain, audit, mend
from alerts.lifecycle import ASKING, Refused
from alerts.notice import Notice
from alerts.queries import listed
from alerts.responsible import load
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database, chains, outbox
from alerts.terms import DEFAULTS, configured
from lifeline.config import ConfigRefused
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
Say = Callable[..., Change]
MINUTE = 60 * NS
AT = 1_767_000_100 * NS  # [ns] desk clock


@dataclass(frozen=True)
class Somebody:
    id: str
    contacts: Mapping[str, str] = field(default_factory=dict)


class Rota:
    """One person for each role, by name; nobody else."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def on_duty(self, unit: str, role: str, at: int, db: Connection | None = None) -> Sequence[Somebody]:  # noqa: ARG002  as the desk asks
        name = f"{unit}-{role}"
        return [Somebody(name, {"sms": f"+86 {name}", "app": name})] if name in self.names else []


PEOPLE = ("gas-duty", "gas-leader", "housing-duty", "city-leader", "fire-duty", "emergency-duty", "province-duty")


@pytest.fixture
def book(database: Database) -> Book:
    """A robot hears of everything; the app and the SMS gateway reach persons, the latter from YELLOW on."""
    routes = [Route("robot"), Route("app", audience="persons"), Route("sms", Y, audience="persons")]
    return Book(database, Calling(routes, load(), Rota(*PEOPLE), {"gas company": "gas"}))


def notices(book: Book) -> list[Notice]:
    with book.database.read() as db:
        bodies = db.execute(select(outbox.c.body).order_by(outbox.c.made, outbox.c.id)).scalars()
        return [msgspec.json.decode(body, type=Notice) for body in bodies]


def told(book: Book) -> list[str]:
    return [" ".join(filter(None, (n.channel, n.person, n.story.what, str(n.story.reminder)))) for n in notices(book)]


def new(book: Book, before: list[str]) -> set[str]:
    return set(told(book)) - set(before)


def case(book: Book) -> Any:
    return listed(book.database, live=False)[0]


def test_those_on_duty_are_told_by_level_each_through_the_ways_open_to_it(book: Book, say: Say) -> None:
    book.take([say(B)], AT)
    assert told(book) == ["app gas-duty raised 0", "robot raised 0"]
    before = told(book)
    book.take([say(Y, 1)], AT)
    assert new(book, before) == {
        "robot worse 0", "app gas-duty worse 0", "sms gas-duty worse 0", "app housing-duty worse 0",
        "sms housing-duty worse 0",
    }  # fmt: skip
    (notice,) = [n for n in notices(book) if (n.channel, n.person) == ("sms", "housing-duty")]
    assert notice.address == "+86 housing-duty"
    assert notice.part is not None
    assert notice.part.zh == "住建部门值班员"


def test_nobody_answers_and_the_next_tier_is_told_and_again(book: Book, say: Say) -> None:
    chain = Chain(book)
    book.take([say(R)], AT)
    before = told(book)
    assert {"app city-leader raised 0", "sms fire-duty raised 0"} <= set(before)
    assert not any("province" in t for t in before)
    assert chain.turn(AT + 3 * MINUTE - 1) == 0
    assert chain.turn(AT + 3 * MINUTE) > 0
    assert {"app province-duty overdue 1", "sms gas-duty overdue 1", "robot overdue 1"} <= new(book, before)
    before = told(book)
    assert chain.turn(AT + 6 * MINUTE) > 0
    assert "sms province-duty overdue 2" in new(book, before)
    book.acknowledge(case(book).id, "Li Na", "on my way", AT + 7 * MINUTE)
    assert chain.turn(AT + 60 * MINUTE) == 0
    assert chain.next_due() is None


def test_a_reminder_says_for_how_long_nobody_has_answered(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    Chain(book).turn(AT + 5 * MINUTE)
    n = next(n for n in notices(book) if n.story.what == "overdue")
    assert n.texts.zh_title == "【橙色预警·催办】可燃气体聚集：W-1"
    assert "已 5 分钟无人确认，第 1 次催办" in n.texts.zh
    assert "Nobody has answered for 5 min; reminder 1" in n.texts.en


def test_a_rise_begins_the_chase_anew_and_an_end_ends_it_unless_it_was_red(book: Book, say: Say) -> None:
    chain = Chain(book)
    book.take([say(Y)], AT)
    book.take([say(O, 1)], AT + MINUTE)
    assert chain.next_due() == AT + 6 * MINUTE
    book.take([say(N, 2)], AT + 2 * MINUTE)
    assert chain.next_due() is None
    book.take([say(R, 3), say(N, 4)], AT + 3 * MINUTE)
    assert chain.next_due() == AT + 6 * MINUTE
    assert chain.turn(AT + 6 * MINUTE) > 0  # over by itself, but nobody has answered


def test_a_reminder_that_could_not_be_sent_is_replaced_by_the_next(book: Book, say: Say) -> None:
    chain = Chain(book)
    book.take([say(R)], AT)
    chain.turn(AT + 3 * MINUTE)
    chain.turn(AT + 6 * MINUTE)
    late = (outbox.c.what == "overdue", outbox.c.channel == "robot")
    with book.database.read() as db:
        states = db.execute(select(outbox.c.id, outbox.c.state).where(*late)).all()
    assert sorted((i[-2:], s) for i, s in states) == [("+1", "superseded"), ("+2", "waiting")]


def test_blue_is_told_to_the_yellow_list_once(book: Book, say: Say) -> None:
    chain = Chain(book)
    book.take([say(B)], AT)
    before = told(book)
    chain.turn(AT + 120 * MINUTE)
    assert "app housing-duty overdue 1" in new(book, before)
    assert chain.next_due() is None
    assert audit(book.database, AT + 1000 * MINUTE) == (0, [])


def test_the_auditor_finds_what_is_overdue_and_what_the_rows_forget_and_mends_it(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    assert audit(book.database, AT + 5 * MINUTE) == (0, [])
    assert audit(book.database, AT + 6 * MINUTE).overdue == 1
    with book.database.write() as db:
        db.execute(delete(chains))
    missed = audit(book.database, AT)
    assert [c.id for c in missed.forgotten] == [case(book).id]
    mend(book.database, missed, AT + MINUTE)
    assert audit(book.database, AT + MINUTE) == (0, [])
    assert Chain(book).turn(AT + MINUTE) > 0


def test_terms_are_settings_and_every_mistake_is_said() -> None:
    ours = configured({"RED": {"climb_after": "1m"}})
    assert ours.terms["RED"].climb_after == 60.0
    assert ours.terms["RED"].again == DEFAULTS["RED"].again
    with pytest.raises(ConfigRefused) as why:
        configured({"RDE": {}, "RED": {"climb": 9, "agian": 3}})
    assert len(why.value.problems) == 3


acts = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(list(Level))),
        st.tuples(st.just("wait"), st.sampled_from([1, 3, 5, 15, 130])),
        st.tuples(st.just("ack"), st.none()),
        st.tuples(st.just("close"), st.none()),
    ),
    max_size=14,
)


@given(script=acts)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_whatever_asks_for_an_answer_is_chased(script: list[tuple[str, Any]], say: Say) -> None:
    database = Database("sqlite://")
    book = Book(database, [Route("robot")])
    chain, at, moment = Chain(book), AT, 0
    try:
        for act, what in script:
            live = listed(database, live=True)
            moment += 1
            at += NS
            try:
                if act == "say":
                    book.take([say(what, moment)], at)
                elif act == "wait":
                    at += what * MINUTE
                    chain.turn(at)
                elif live and act == "ack":
                    book.acknowledge(live[0].id, "Li Na", "", at)
                elif live:
                    book.close(live[0].id, "Wang Wei", Role.LEADER, "", at)
            except Refused:
                pass
            assert audit(database, at) == (0, [])
            asking = {c.id for c in listed(database, live=True) if c.state in ASKING}
            with database.read() as db:
                waiting = set(db.execute(select(chains.c.warning).where(chains.c.fate == "waiting")).scalars())
                ended = set(db.execute(select(chains.c.warning).where(chains.c.fate == "told")).scalars())
            assert waiting <= asking
            assert asking <= waiting | ended
    finally:
        database.close()
