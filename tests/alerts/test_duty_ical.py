"""Rosters as calendars: what is written is read again, and calendars of others are read as the standard says."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from alerts.duty.days import Hours, Times
from alerts.duty.feed import Feed
from alerts.duty.gaps import stints
from alerts.duty.ical import LARGEST, BadCalendar, read, write
from alerts.duty.layers import Roster, Rotation
from alerts.duty.people import People, Person, Role, Unit
from alerts.duty.rosters import Rosters
from alerts.duty.wall import instant
from lifeline.clock import parse
from lifeline.model import NS

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
HOUR, DAY = 3600 * NS, 86_400 * NS
START: Final = parse("2026-03-01T00:00:00Z")
NAMES: Final = {
    "wang": ("王伟", "Wang Wei"),
    "wang2": ("王伟明", "Wang Weiming"),
    "li": ("李娜", "Li Na"),
    "chen": ("陈浩", "Chen Hao"),
}
PEOPLE: Final = People(
    [Unit("gas", "燃气公司", "Gas", "operator", {"duty": Role("值班员", "officer on duty")})],
    [Person(i, zh, en, "gas", ("duty",), contacts={"mail": f"{i}@example.org"}) for i, (zh, en) in NAMES.items()],
)


def rosters(*layers: Rotation | Feed) -> Rosters:
    return Rosters(PEOPLE, {("gas", "duty"): Roster("gas", "duty", layers)})


def calendar(*events: str) -> bytes:
    inside = "".join(f"BEGIN:VEVENT\n{e.strip()}\nEND:VEVENT\n" for e in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{inside}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def told(feed: Feed, start: str, end: str) -> list[tuple[str, str, str]]:
    """(from, until, persons) in Berlin time."""
    shifts = rosters(feed).shifts("gas", "duty", parse(start), parse(end))
    return [(said(s.start), said(s.end), "+".join(s.persons)) for s in shifts if s.persons]


def said(t: int) -> str:
    return datetime.fromtimestamp(t // NS, UTC).astimezone(BERLIN).strftime("%m-%d %H:%M")


def refused(*events: str) -> list[str]:
    with pytest.raises(BadCalendar) as why:
        read(calendar(*events), BERLIN, PEOPLE)
    return why.value.problems


@st.composite
def plans(draw: st.DrawFn) -> tuple[Rotation, ...]:
    zone = draw(st.sampled_from([BERLIN, SHANGHAI]))
    night = (Hours(datetime.fromisoformat("2026-01-01 20:00").time(), datetime.fromisoformat("2026-01-01 08:00").time()),)
    parties = draw(
        st.lists(st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=3, unique=True).map(tuple), min_size=1)
    )
    begin = datetime.fromisoformat("2026-02-20 08:00") + timedelta(hours=draw(st.integers(0, 400)))
    step = timedelta(hours=draw(st.sampled_from([8, 12, 24, 24 * 7])))
    first = Rotation(tuple(parties), Times(zone), begin, step)
    second = Rotation((("li",),), Times(zone, draw(st.sampled_from([(), ("SAT", "SUN")])), night), beside=draw(st.booleans()))
    return (first, second)


@settings(deadline=None, max_examples=50)  # two rosters of weeks, hour by hour
@given(plan=plans(), days=st.integers(1, 40), ask=st.lists(st.integers(0, 40 * 86_400 - 1), min_size=1, max_size=20))
def test_what_is_written_and_read_again_gives_the_same_duty(plan: tuple[Rotation, ...], days: int, ask: list[int]) -> None:
    made, end = rosters(*plan), START + days * DAY
    again = rosters(read(write(stints(made, "gas", "duty", START, end), PEOPLE, START, "x"), BERLIN, PEOPLE))
    for t in (START + s * NS for s in ask):
        if t < end:
            here, there = (r.shifts("gas", "duty", t, t + 1)[0].persons for r in (made, again))
            assert set(here) == set(there)
    before, after = (
        {(s.start, s.end, frozenset(s.persons)) for s in r.shifts("gas", "duty", START, end)} for r in (made, again)
    )
    assert before == after


def test_a_calendar_is_as_the_standard_wants_it() -> None:
    made = rosters(Rotation((("wang",), ("li",)), Times(BERLIN), datetime.fromisoformat("2026-01-05 08:00"), timedelta(days=7)))
    content = write(stints(made, "gas", "duty", START, START + 60 * DAY), PEOPLE, START, "燃气公司值班员")
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 75
    events: list[Any] = list(Calendar.from_ical(content).walk("VEVENT"))
    assert len(events) == 10
    assert len({e["UID"] for e in events}) == 10
    first = events[1]
    assert first["SUMMARY"] in {"值班员 李娜 / officer on duty Li Na", "值班员 王伟 / officer on duty Wang Wei"}
    assert first["DTSTAMP"].dt == datetime.fromtimestamp(START // NS, UTC)
    assert {"DTSTART", "DTEND", "LOCATION", "CATEGORIES", "X-LIFELINE-PERSON"} <= set(first)
    later = write(stints(made, "gas", "duty", START + 10 * DAY, START + 60 * DAY), PEOPLE, START, "x")
    same = {e["UID"] for e in Calendar.from_ical(later).walk("VEVENT")} & {e["UID"] for e in events}
    assert len(same) == 7  # all but the one that is cut off: a calendar asked for again moves nothing


def test_a_weekly_event_goes_over_the_change_of_the_clocks_at_its_wall_time() -> None:
    feed = read(
        calendar(
            "UID:1\nSUMMARY:Wang Wei\nDTSTART;TZID=Europe/Berlin:20260323T080000\nDTEND;TZID=Europe/Berlin:20260324T080000\n"
            "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=SA,SU"
        ),
        BERLIN,
        PEOPLE,
    )
    assert told(feed, "2026-03-20T00:00:00Z", "2026-04-20T00:00:00Z") == [
        ("03-23 08:00", "03-24 08:00", "wang"),
        ("03-28 08:00", "03-30 08:00", "wang"),  # an hour shorter, without a gap
    ]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("RRULE:FREQ=DAILY;COUNT=3", ["03-02", "03-03", "03-04"]),
        ("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260306T070000Z", ["03-02", "03-04", "03-06"]),
        ("RRULE:FREQ=DAILY;UNTIL=20260303", ["03-02", "03-03"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", ["03-02", "03-04", "03-09"]),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["03-02", "03-27", "04-24"]),
        ("RRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260303T080000,20260304T080000", ["03-02", "03-05"]),
        ("RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260303T070000Z", ["03-02", "03-04"]),
        ("RDATE;TZID=Europe/Berlin:20260310T080000\nRDATE;TZID=Europe/Berlin:20260312T080000", ["03-02", "03-10", "03-12"]),
        ("RRULE:FREQ=HOURLY;INTERVAL=48;COUNT=2", ["03-02", "03-04"]),
        ("DESCRIPTION:once", ["03-02"]),
    ],
)
def test_a_rule_gives_the_days_that_the_standard_says(rule: str, days: list[str]) -> None:
    event = (
        f"UID:1\nSUMMARY:Li Na\nDTSTART;TZID=Europe/Berlin:20260302T080000\nDTEND;TZID=Europe/Berlin:20260302T090000\n{rule}"
    )
    found = told(read(calendar(event), SHANGHAI, PEOPLE), "2026-02-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert found == [(f"{day} 08:00", f"{day} 09:00", "li") for day in days]


def test_an_occurrence_may_be_moved_given_to_another_or_cancelled() -> None:
    series = "UID:1\nSUMMARY:Li Na\nDTSTART;TZID=Europe/Berlin:20260302T080000\nDURATION:PT2H\nRRULE:FREQ=DAILY;COUNT=4"
    moved = "UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260303T080000\nSUMMARY:Chen Hao\nDTSTART:20260303T100000Z\nDURATION:PT1H"
    gone = "UID:1\nRECURRENCE-ID:20260304T070000Z\nSTATUS:CANCELLED\nSUMMARY:Li Na\nDTSTART:20260304T070000Z\nDURATION:PT2H"
    other = "UID:2\nSTATUS:CANCELLED\nSUMMARY:nobody\nDTSTART:20260305T100000Z\nDURATION:PT2H"
    assert told(read(calendar(moved, series, gone, other), BERLIN, PEOPLE), "2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z") == [
        ("03-02 08:00", "03-02 10:00", "li"),
        ("03-03 11:00", "03-03 12:00", "chen"),
        ("03-05 08:00", "03-05 10:00", "li"),
    ]


def test_whole_days_and_times_without_a_zone_are_of_the_rosters() -> None:
    day = "UID:1\nSUMMARY:Li Na\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330"
    alone = "UID:2\nSUMMARY:陈浩\nDTSTART;VALUE=DATE:20260401"
    floating = "UID:3\nSUMMARY:chen\nDTSTART:20260402T080000\nDTEND:20260402T090000"
    assert told(read(calendar(day, alone, floating), BERLIN, PEOPLE), "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z") == [
        ("03-28 00:00", "03-30 00:00", "li"),
        ("04-01 00:00", "04-02 00:00", "chen"),
        ("04-02 08:00", "04-02 09:00", "chen"),
    ]


def test_a_zone_that_the_calendar_itself_describes_is_known() -> None:
    zone = """BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
    event = "UID:1\nSUMMARY:li\nDTSTART;TZID=Ours:20260327T080000\nDTEND;TZID=Ours:20260327T090000\nRRULE:FREQ=DAILY;COUNT=3"
    content = calendar(event).replace(b"BEGIN:VEVENT", zone.replace("\n", "\r\n").encode() + b"BEGIN:VEVENT")
    found = told(read(content, SHANGHAI, PEOPLE), "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z")
    assert [a for a, _, _ in found] == ["03-27 08:00", "03-28 08:00", "03-29 08:00"]


@pytest.mark.parametrize(
    ("who", "person"),
    [
        ("X-LIFELINE-PERSON:li\nSUMMARY:Wang Wei", "li"),
        ("ATTENDEE;CN=x:mailto:CHEN@example.org\nSUMMARY:night", "chen"),
        ("SUMMARY:夜班 王伟明", "wang2"),  # not 王伟
        ("SUMMARY:On call: Wang Wei (gas)", "wang"),
        ("SUMMARY:wang2", "wang2"),
    ],
)
def test_the_person_of_an_event_is_found(who: str, person: str) -> None:
    feed = read(calendar(f"UID:1\n{who}\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z"), BERLIN, PEOPLE)
    assert feed.at(parse("2026-03-02T08:30:00Z")) == (person,)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("SUMMARY:night\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z", "names nobody who is known"),
        ("SUMMARY:Li Na, Chen Hao\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z", "names chen and li"),
        ("X-LIFELINE-PERSON:x\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z", "nobody has the id 'x'"),
        ("SUMMARY:li\nDTSTART:20260302T080000Z\nDTEND:20260302T080000Z", "does not end after it begins"),
        ("SUMMARY:li\nDTSTART:20260302T080000Z", "does not end after it begins"),
        ("SUMMARY:li", "DTSTART"),
        ("SUMMARY:li\nDTSTART:20260302T080000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY", "recurs too often"),
        ("SUMMARY:li\nDTSTART:20260302T080000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;BYMONTHDAY=30;BYMONTH=2", "recurs too often"),
        (
            "SUMMARY:li\nDTSTART:20260302T080000Z\nDURATION:PT1H\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260302T080000Z",
            "RANGE is not known",
        ),
    ],
)
def test_an_event_that_cannot_be_read_is_named(event: str, why: str) -> None:
    problems = refused("UID:good\nSUMMARY:li\nDTSTART:20260302T080000Z\nDURATION:PT1H", f"UID:bad\n{event}")
    assert len(problems) == 1
    assert problems[0].startswith("event bad")
    assert why in problems[0]


@given(st.binary(max_size=300))
def test_junk_is_refused_or_holds_no_event(junk: bytes) -> None:
    try:
        assert read(junk, BERLIN, PEOPLE).series == ()
    except BadCalendar as why:
        assert why.problems  # noqa: PT017  it is allowed either way


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["DTSTART", "DTEND", "RRULE", "DURATION", "EXDATE", "RDATE", "SUMMARY", "UID"]),
            st.text(max_size=20),
        ),
        max_size=6,
    )
)
def test_odd_properties_are_refused_and_never_crash(properties: list[tuple[str, str]]) -> None:
    lines = "\n".join(f"{k}:{''.join(v.split())}" for k, v in properties)
    try:
        read(calendar(f"UID:1\nSUMMARY:li\n{lines}"), BERLIN, PEOPLE)
    except BadCalendar as why:
        assert why.problems  # noqa: PT017  it is allowed either way


def test_a_calendar_too_large_is_refused() -> None:
    with pytest.raises(BadCalendar, match="larger than"):
        read(b"x" * (LARGEST + 1), BERLIN, PEOPLE)


def test_an_endless_rule_is_laid_out_only_where_it_is_asked_for() -> None:
    feed = read(calendar("UID:1\nSUMMARY:li\nDTSTART:20200101T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY"), BERLIN, PEOPLE)
    assert feed.at(instant(datetime.fromisoformat("2260-01-01 12:00"), BERLIN)) == ("li",)
    assert len(feed._laid) == 1
