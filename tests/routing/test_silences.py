"""Silences: they hide, they end, and what still stands is told then."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from alerts.queries import listed
from alerts.roles import Forbidden, Role
from alerts.routing import silences
from alerts.routing.silences import BadSilence, State, UnknownSilence, Window
from alerts.tables import audit
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS  # Monday, 17:20 in Shanghai
HOUR, DAY = 3600.0, 86400.0
Say = Callable[..., Change]
Made = Callable[..., Any]


def test_a_silence_hides_while_it_holds_and_what_stands_at_its_end_is_told_at_once(scene: Made, say: Say) -> None:
    s = scene()
    s.silence('asset="W-1"', end=100)
    s.take(say(O), say(O, 1, "d2", "W-2"), at=1)
    s.take(say(Y, 5), at=5)
    assert s.told("phone") == [(1, "raised ORANGE W-2")]
    assert not s.look(99)
    assert s.look(100)
    assert s.told("phone")[-1] == (100, "raised YELLOW W-1 again")
    assert not s.look(101)
    assert [a for a in s.acts() if "suppressed" in a] == ["suppressed", "unsuppressed"]


def test_what_was_told_before_the_silence_is_told_again_after_it_unless_answered(scene: Made, say: Say) -> None:
    s = scene()
    s.take(say(O), say(O, 0, "d2", "W-2"), at=0)
    s.sent(0)
    taken = next(c for c in listed(s.database, live=True) if c.asset == "W-2")
    s.book.acknowledge(taken.id, "Li Na", "", T0)
    s.silence('domain="gas"', end=100, at=1)
    s.look(1)
    assert s.look(100)
    assert [w for _, w in s.told("phone")][2:] == ["raised ORANGE W-1 again"]


def test_what_ends_within_a_silence_is_told_to_those_who_knew(scene: Made, say: Say) -> None:
    s = scene()
    s.take(say(Y), at=0)
    s.silence('asset=~"W-.*"', end=100, at=1)
    s.take(say(Y, 2, "d2", "W-2"), say(N, 3), say(N, 3, "d2", "W-2"), at=3)
    assert [w for _, w in s.told("phone")] == ["raised YELLOW W-1", "resolved NORMAL W-1"]
    assert not s.look(100)


def test_a_red_hazard_is_told_through_a_silence(scene: Made, say: Say) -> None:
    s = scene()
    s.silence('asset="W-1"', end=1000)
    s.take(say(O), at=1)
    assert s.told("phone") == []
    s.take(say(R, 2), at=2)
    assert s.told("phone") == [(2, "worse RED W-1")]


def test_only_a_leader_may_hide_red_and_it_is_written_down(scene: Made, say: Say) -> None:
    s = scene()
    with pytest.raises(Forbidden, match="needs the role leader"):
        s.silence('asset="W-1"', end=1000, red=True, role=Role.ANALYST)
    s.silence('asset="W-1"', end=1000, red=True, createdBy="director", role=Role.LEADER)
    s.take(say(R, 2), at=2)
    assert s.told("phone") == []
    with s.database.read() as db:
        act, by = db.execute(select(audit.c.act, audit.c.by).where(audit.c.act.like("silence%"))).one()
    assert (act, by) == ("silence_red", "director")
    assert s.look(1000)
    assert s.told("phone") == [(1000, "raised RED W-1 again")]


def test_a_silence_that_recurs_holds_only_in_its_hours(scene: Made, say: Say) -> None:
    s = scene()
    window = Window(times=[{"start_time": "18:00", "end_time": "19:00"}], weekdays=["monday:tuesday"], location="Asia/Shanghai")
    id_ = s.silence('asset="W-1"', end=30 * DAY, during=[window])
    with s.database.read() as db:
        made = silences.find(db, id_)
    instants = (0, 0.7 * HOUR, 1.7 * HOUR, DAY + HOUR, 2 * DAY + HOUR, 7 * DAY + HOUR, 30 * DAY)
    states = [made.state(T0 + round(t * NS)) for t in instants]
    assert states == ["pending", "active", "pending", "active", "pending", "active", "expired"]
    s.take(say(Y, 0.7 * HOUR), at=0.7 * HOUR)
    assert s.told("phone") == []
    assert s.look(1.7 * HOUR)
    assert [w for _, w in s.told("phone")] == ["raised YELLOW W-1 again"]
    s.sent(1.7 * HOUR)
    s.look(DAY + HOUR)
    assert s.quiet(DAY + HOUR)["W-1"].silences == [id_]
    assert s.look(DAY + 1.7 * HOUR)


def test_a_silence_that_was_given_an_earlier_end_ends_then(scene: Made, say: Say) -> None:
    s = scene()
    id_ = s.silence('asset="W-1"', end=1000)
    s.take(say(Y, 1), at=1)
    s.expire(id_, at=50)
    assert s.look(50)
    assert s.told("phone") == [(50, "raised YELLOW W-1 again")]
    with pytest.raises(BadSilence, match="already expired"):
        s.expire(id_, at=51)
    with pytest.raises(UnknownSilence):
        s.expire("none", at=51)


def test_a_change_of_what_is_hidden_makes_a_new_silence_and_a_change_of_its_end_does_not(scene: Made) -> None:
    s = scene()
    first = s.silence('asset="W-1"', end=1000)
    assert s.silence('asset="W-1"', end=2000, at=10, id=first) == first
    second = s.silence('asset="W-2"', end=2000, at=20, id=first)
    assert second != first
    third = s.silence('asset="W-1"', end=2000, at=30, id=first)  # what is over is not called back
    with s.database.read() as db:
        assert silences.find(db, first).state(T0 + 30 * NS) is State.EXPIRED
        assert [x.id for x in silences.open_ones(db, T0 + 31 * NS)] == sorted([second, third], key=[second, third].index)
    with pytest.raises(UnknownSilence):
        s.silence('asset="W-1"', end=2000, id="none")


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"end": 8 * DAY}, "7 days"), ({"end": -5}, "later than"), ({"createdBy": " "}, "createdBy"),
        ({"comment": ""}, "comment"),
        ({"end": 400 * DAY, "during": [Window(times=[{"start_time": "01:00", "end_time": "02:00"}])]}, "366 days"),
        ({"end": 30 * DAY, "during": [Window()]}, "no pause"),
        ({"end": 30 * DAY, "during": [Window(times=[{"start_time": "00:00", "end_time": "24:00"}])]}, "no pause"),
        ({"end": 30 * DAY, "during": [Window(weekdays=["mon"])]}, "weekday"),
    ],
)  # fmt: skip
def test_a_silence_without_an_end_an_owner_or_a_reason_is_refused(scene: Made, odd: dict[str, Any], why: str) -> None:
    with pytest.raises(BadSilence, match=why):
        scene().silence('asset="W-1"', **{"end": 100, **odd})


@pytest.mark.parametrize("matchers", [[], ['asset=~".*"'], ['asset!="W-1"'], ['asset=""']])
def test_a_silence_that_would_hide_everything_is_refused(scene: Made, matchers: list[str]) -> None:
    with pytest.raises(BadSilence, match="matchers"):
        scene().silence(*matchers, end=100)


def test_a_weekly_silence_of_whole_weekends_is_allowed(scene: Made) -> None:
    assert scene().silence('asset="W-1"', end=30 * DAY, during=[Window(weekdays=["saturday", "sunday"])])


def test_a_silence_as_it_is_shown_can_be_asked_for_again(scene: Made) -> None:
    s = scene()
    id_ = s.silence('asset!~"W-[12]"', 'domain="gas"', end=30 * DAY, during=[Window(weekdays=["sunday"])])
    with s.database.read() as db:
        shown = silences.gettable(silences.find(db, id_), T0)
    assert shown["status"] == {"state": "pending"}
    again = msgspec.convert({k: v for k, v in shown.items() if k not in {"status", "updatedAt"}}, silences.Ask)
    made = silences.asked(again, T0, again.createdBy, Role.OPERATOR)
    with s.database.write() as db:
        assert silences.store(db, made, again.id, T0) == id_
