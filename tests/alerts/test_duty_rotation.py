"""Turns, layers and hand-overs against a plain loop, over changes of the clocks too."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alerts.duty.days import Holidays, Hours, Times
from alerts.duty.layers import Layer, Roster, Rotation
from alerts.duty.people import People, Person, Role, Unit
from alerts.duty.rosters import Rosters
from alerts.duty.wall import instant, wall
from lifeline.clock import parse
from lifeline.model import NS

SHANGHAI, BERLIN, LORD_HOWE = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
ZONES: Final = (SHANGHAI, BERLIN, LORD_HOWE, ZoneInfo("America/Santiago"), ZoneInfo("UTC"))
HOUR, DAY = 3600 * NS, 86_400 * NS
clock = datetime.fromisoformat  # wall time
NAMES = ("a", "b", "c", "d", "e")

zones = st.sampled_from(ZONES)
walls = st.datetimes(clock("2026-01-01"), clock("2027-12-31")).map(lambda at: at.replace(second=0, microsecond=0))
instants = st.integers(instant(clock("2026-01-01"), ZoneInfo("UTC")) // NS, instant(clock("2027-12-31"), BERLIN) // NS).map(
    lambda s: s * NS
)


def people(n: int = len(NAMES)) -> People:
    unit = Unit("u", "单位", "unit", "operator", {"duty": Role("值班", "duty", fallback=("z",))})
    persons = [Person(i, i, i, "u", ("duty",)) for i in NAMES[:n]]
    return People([unit], [*persons, Person("z", "z", "z", "u")])


def rosters(*layers: Layer) -> Rosters:
    return Rosters(people(), {("u", "duty"): Roster("u", "duty", layers)})


def on(made: Rosters, text: str) -> list[str]:
    return [p.id for p in made.on_duty("u", "duty", parse(text))]


def weekly(*names: str, start: str = "2026-01-05 08:00", zone: ZoneInfo = BERLIN, days: float = 7) -> Rotation:
    begin = datetime.fromisoformat(start)
    return Rotation(tuple((n,) for n in names), Times(zone), begin, timedelta(days=days))


# ---------------------------------------------------------------- wall time


def told(t: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(t // NS, UTC).astimezone(zone).replace(tzinfo=None)


@settings(deadline=None)
@given(walls, zones)
def test_an_instant_is_the_first_at_which_clocks_show_no_less(at: datetime, zone: ZoneInfo) -> None:
    """Oracle: minute by minute, from long before."""
    found, t = instant(at, zone), instant(at, zone) - 3 * HOUR
    while told(t, zone) < at:
        t += 60 * NS
    assert t == found


@given(walls, st.integers(0, 3000), zones)
def test_what_is_later_by_the_clock_never_comes_earlier(at: datetime, minutes: int, zone: ZoneInfo) -> None:
    assert instant(at, zone) <= instant(at + timedelta(minutes=minutes), zone)


@given(instants, zones)
def test_wall_time_is_what_clocks_show(t: int, zone: ZoneInfo) -> None:
    assert wall(t, zone) == told(t, zone)
    assert instant(wall(t, zone), zone) in {t, t - HOUR, t - HOUR // 2}  # of a time that comes twice, the first


def test_a_time_that_clocks_leap_over_is_the_leap() -> None:
    leap = parse("2026-03-29T03:00:00+02:00")
    for minute in (0, 1, 30, 59):
        assert instant(clock(f"2026-03-29 02:{minute:02}"), BERLIN) == leap
    assert instant(clock("2026-03-29 01:59"), BERLIN) == leap - 60 * NS


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert instant(clock("2026-10-25 02:30"), BERLIN) == parse("2026-10-25T02:30:00+02:00")


# ---------------------------------------------------------------- rotations


def served(begin: datetime, step: timedelta, zone: ZoneInfo, turns: Sequence[str], t: int) -> str | None:
    """Oracle: count hand-overs one by one."""
    k = -1
    while instant(begin + (k + 1) * step, zone) <= t:
        k += 1
    return turns[k % len(turns)] if k >= 0 else None


@settings(deadline=None)
@given(
    begin=walls,
    ahead=st.integers(-40 * 24, 300 * 24),
    step=st.sampled_from([1, 6, 8, 12, 24, 36, 48, 7 * 24, 14 * 24]),
    n=st.integers(1, 5),
    zone=zones,
)
def test_turns_go_on_as_counted_one_by_one(begin: datetime, ahead: int, step: int, n: int, zone: ZoneInfo) -> None:
    turns, length = NAMES[:n], timedelta(hours=step)
    made = Rotation(tuple((x,) for x in turns), Times(zone), begin, length)
    t = instant(begin, zone) + ahead * HOUR
    found = served(begin, length, zone, turns, t)
    assert made.at(t) == ((found,) if found else ())


@settings(deadline=None)
@given(begin=walls, step=st.sampled_from([8, 12, 24, 7 * 24]), zone=zones, start=instants, days=st.integers(1, 40))
def test_of_a_covered_roster_exactly_one_is_on_duty_at_every_instant(
    begin: datetime, step: int, zone: ZoneInfo, start: int, days: int
) -> None:
    assume(start > instant(begin, zone))
    made = rosters(Rotation((("a",), ("b",), ("c",)), Times(zone), begin, timedelta(hours=step)))
    shifts = made.shifts("u", "duty", start, start + days * DAY)
    assert (shifts[0].start, shifts[-1].end) == (start, start + days * DAY)
    assert all(a.end == b.start and a.persons != b.persons for a, b in pairwise(shifts))
    assert all(len(s.persons) == 1 for s in shifts)


hours = st.builds(
    Hours, st.sampled_from([time(0), time(2, 30), time(8), time(20)]), st.sampled_from([time(0), time(2), time(17)])
)
words = st.lists(st.sampled_from(["MON", "SAT", "SUN", "workdays", "restdays", "holidays"]), max_size=3).map(tuple)


@st.composite
def layers(draw: st.DrawFn, zone: ZoneInfo, near: int) -> Rotation:
    parties = draw(
        st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple), min_size=1, max_size=3)
    )
    holidays = Holidays(frozenset({date(2026, 5, 1), date(2027, 2, 6)}), frozenset({date(2026, 5, 9)}))
    times = Times(zone, draw(words), tuple(draw(st.lists(hours, max_size=2))), holidays)
    step = draw(st.sampled_from([None, timedelta(hours=8), timedelta(days=1), timedelta(days=7)]))
    begin = wall(near, zone).replace(second=0) + timedelta(hours=draw(st.integers(-100 * 24, 20 * 24))) if step else None
    until = begin + timedelta(days=90) if begin and draw(st.booleans()) else None
    return Rotation(tuple(parties) if step else (parties[0],), times, begin, step, until, draw(st.booleans()))


@settings(deadline=None)
@given(data=st.data(), zone=zones, start=instants, within=st.lists(st.integers(0, 20 * 86_400), min_size=1, max_size=20))
def test_shifts_say_of_every_instant_what_the_layers_say(
    data: st.DataObject, zone: ZoneInfo, start: int, within: list[int]
) -> None:
    """No hand-over is missed: the shifts, cut where something may change, against each instant asked alone."""
    plan = data.draw(st.lists(layers(zone, start), min_size=1, max_size=4))
    made, end = rosters(*plan), start + 20 * DAY
    shifts = made.shifts("u", "duty", start, end)
    near = [edge + d for s in shifts for edge in s[:2] for d in (-NS, 0)]
    for t in (*(start + x * NS for x in within), *near):
        if start <= t < end:
            (there,) = (s for s in shifts if s.start <= t < s.end)
            assert set(there.persons) == set(chosen(plan, t))


def chosen(plan: Sequence[Rotation], t: int) -> list[str]:
    """Oracle: the topmost layer that has somebody, and those beside it above."""
    found: list[str] = []
    for layer in plan[::-1]:
        found += layer.at(t)
        if layer.at(t) and not layer.beside:
            return found
    return found


@given(t=instants, zone=zones, day=words, hour=st.lists(hours, max_size=2))
def test_hours_on_days_are_those_that_a_search_minute_by_minute_finds(
    t: int, zone: ZoneInfo, day: tuple[str, ...], hour: list[Hours]
) -> None:
    times = Times(zone, day, tuple(hour), Holidays(frozenset({date(2026, 5, 1)})))
    assume(not times.always)
    candidates = [wall(t, zone).date() + timedelta(days=d) for d in range(-3, 4)]
    meant = [d for d in candidates if not day or any(Holidays(frozenset({date(2026, 5, 1)})).fits(d, w) for w in day)]
    spans = [h.on(d, zone) for d in meant for h in hour or [Hours(time(0), time(0))]]
    assert times.covers(t) is any(a <= t < b for a, b in spans)


# ---------------------------------------------------------------- what people mean


def test_a_night_lasts_an_hour_longer_when_clocks_go_back_and_shorter_when_they_leap() -> None:
    made = rosters(weekly("a", "b", start="2026-01-01 20:00", days=0.5))
    lengths = {}
    for night in ("2026-03-28T20:00:00+01:00", "2026-10-24T20:00:00+02:00", "2026-06-01T20:00:00+02:00"):
        (shift, *_) = made.shifts("u", "duty", parse(night), parse(night) + DAY)
        lengths[night[:10]] = (shift.end - shift.start) / HOUR
    assert lengths == {"2026-03-28": 11, "2026-10-24": 13, "2026-06-01": 12}


def test_hand_overs_stay_at_their_wall_time_all_the_year() -> None:
    made = rosters(weekly("a", "b", "c"))
    shifts = made.shifts("u", "duty", parse("2026-01-05T08:00:00+01:00"), parse("2027-01-04T08:00:00+01:00"))
    assert len(shifts) == 52
    assert {told(s.start, BERLIN).strftime("%a %H:%M") for s in shifts} == {"Mon 08:00"}
    assert {(s.end - s.start) // HOUR for s in shifts} == {167, 168, 169}


def test_a_hand_over_in_the_hour_that_is_leapt_over_is_at_the_leap() -> None:
    made = rosters(weekly("a", "b", start="2026-03-28 02:30", days=1))
    assert on(made, "2026-03-29T01:59:59+01:00") == ["a"]
    assert on(made, "2026-03-29T03:00:00+02:00") == ["b"]
    assert on(made, "2026-03-30T02:30:00+02:00") == ["a"]


def test_shanghai_knows_no_summer_time() -> None:
    made = rosters(weekly("a", "b", start="2026-01-01 00:00", zone=SHANGHAI, days=1 / 3))
    shifts = made.shifts("u", "duty", parse("2026-01-01T00:00:00+08:00"), parse("2027-01-01T00:00:00+08:00"))
    assert {s.end - s.start for s in shifts} == {8 * HOUR}
    assert len(shifts) == 3 * 365


def test_before_the_first_turn_and_after_the_last_the_fallback_is_asked() -> None:
    turns = Rotation((("a",),), Times(BERLIN), clock("2026-01-05"), timedelta(days=7), clock("2026-02-02"))
    made = rosters(turns)
    assert (on(made, "2026-01-04T23:59:59+01:00"), on(made, "2026-01-05T00:00:00+01:00")) == (["z"], ["a"])
    assert (on(made, "2026-02-01T23:59:59+01:00"), on(made, "2026-02-02T00:00:00+01:00")) == (["a"], ["z"])
    shifts = made.shifts("u", "duty", parse("2026-01-01T00:00:00Z"), parse("2026-03-01T00:00:00Z"))
    assert [s.persons for s in shifts] == [(), ("a",), ()]
    assert [s.start for s in shifts[1:]] == [parse("2026-01-05T00:00:00+01:00"), parse("2026-02-02T00:00:00+01:00")]
    assert [made.found("u", "duty", parse(t)).gap for t in ("2026-01-20T00:00:00Z", "2026-03-01T00:00:00Z")] == [False, True]


def test_nights_weekends_and_holidays_go_before_the_week() -> None:
    holidays = Holidays(frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)}))
    night = Rotation((("b",),), Times(SHANGHAI, (), (Hours(time(20), time(8)),), holidays))
    rest = Rotation((("c",),), Times(SHANGHAI, ("restdays",), (), holidays))
    feast = Rotation((("d",),), Times(SHANGHAI, ("holidays",), (Hours(time(8), time(8)),), holidays))
    made = rosters(Rotation((("a",),), Times(SHANGHAI)), night, rest, feast)
    expected = {
        "2026-09-30T12:00:00+08:00": "a",  # Wednesday
        "2026-09-30T23:00:00+08:00": "b",
        "2026-10-01T07:59:59+08:00": "c",  # the holiday has begun, its own hours have not
        "2026-10-01T08:00:00+08:00": "d",
        "2026-10-02T07:59:59+08:00": "d",
        "2026-10-02T08:00:00+08:00": "a",  # Friday
        "2026-10-10T12:00:00+08:00": "a",  # a Saturday that is worked
        "2026-10-11T12:00:00+08:00": "c",  # Sunday
    }
    assert {t: on(made, t) for t in expected} == {t: [i] for t, i in expected.items()}


def test_who_is_on_duty_beside_others_comes_after_them() -> None:
    second = Rotation((("b",),), Times(SHANGHAI, (), (Hours(time(20), time(8)),)), beside=True)
    made = rosters(Rotation((("a",),), Times(SHANGHAI)), second)
    assert (on(made, "2026-01-01T12:00:00Z"), on(made, "2026-01-01T04:00:00Z")) == (["a", "b"], ["a"])


def test_a_role_without_a_roster_is_filled_by_all_who_have_it() -> None:
    made = Rosters(people(3), {})
    assert on(made, "2026-01-01T00:00:00Z") == ["a", "b", "c"]


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(LookupError, match="there is no role u/night"):
        rosters().on_duty("u", "night", 0)
