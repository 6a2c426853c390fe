"""Time intervals against a walk through the calendar, day by day."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.routing import intervals
from alerts.routing.intervals import BadInterval, Spec
from lifeline.model import NS

SHANGHAI = ZoneInfo("Asia/Shanghai")


def instant(*parts: int, zone: ZoneInfo | None = None) -> int:
    return round(datetime(*parts, tzinfo=zone or UTC).timestamp()) * NS  # type: ignore[misc, arg-type]


def days_of(year: int, month: int) -> list[date]:
    return [date(year, month, d) for d in range(1, calendar.monthrange(year, month)[1] + 1)]


def chosen(year: int, month: int, first: int, last: int) -> set[date]:
    """Days of a month by counting: from the front, or from the back."""
    every = days_of(year, month)
    place = {i + 1: d for i, d in enumerate(every)} | {i - len(every): d for i, d in enumerate(every)}
    low = place.get(first) or (every[0] if first < 0 else None)
    high = place.get(last) or (every[-1] if last > 0 else None)
    return {d for d in every if low and high and low <= d <= high}


@given(year=st.integers(2024, 2028), month=st.integers(1, 12), a=st.integers(-31, 31), b=st.integers(-31, 31))
def test_days_of_the_month_count_from_both_ends(year: int, month: int, a: int, b: int) -> None:
    try:
        spec = Spec(days=(intervals.days(f"{a}:{b}"),))
    except BadInterval:
        assert a * b == 0 or (a < 0 < b) or (a % 32 > b % 32)
        return
    got = {d for d in days_of(year, month) if spec.holds(instant(d.year, d.month, d.day, 12))}
    assert got == chosen(year, month, a, b)


@given(t=st.integers(0, 2_000_000_000), start=st.integers(0, 1438), length=st.integers(1, 1440), far=st.integers(-12, 12))
def test_hours_include_their_start_and_leave_out_their_end(t: int, start: int, length: int, far: int) -> None:
    end = min(1440, start + length)
    zone = ZoneInfo(f"Etc/GMT{far:+d}")  # signs are turned round there
    span = intervals.hours(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}")
    local = datetime.fromtimestamp(t, UTC) - timedelta(hours=far)
    assert Spec(times=(span,), zone=zone).holds(t * NS) is (start <= local.hour * 60 + local.minute < end)


@given(t=st.integers(0, 4_000_000_000), a=st.integers(0, 6), b=st.integers(0, 6))
def test_weekdays_begin_with_sunday(t: int, a: int, b: int) -> None:
    names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    if a > b:
        with pytest.raises(BadInterval):
            intervals.weekdays(f"{names[a]}:{names[b]}")
        return
    spec = Spec(weekdays=(intervals.weekdays(f"{names[a]}:{names[b]}"),))
    assert spec.holds(t * NS) is (datetime.fromtimestamp(t, UTC).strftime("%A").lower() in names[a : b + 1])


def test_all_fields_must_hold_and_one_range_of_each_suffices() -> None:
    office = Spec(
        times=(intervals.hours("09:00", "12:00"), intervals.hours("14:00", "18:00")),
        weekdays=(intervals.weekdays("Monday:friday"),),
        months=(intervals.months("march:5"), intervals.months("december")),
        years=(intervals.years("2026:2027"),),
        zone=SHANGHAI,
    )
    assert office.holds(instant(2026, 3, 2, 9, 0, zone=SHANGHAI))
    assert not office.holds(instant(2026, 3, 2, 12, 0, zone=SHANGHAI))
    assert not office.holds(instant(2026, 3, 1, 10, 0, zone=SHANGHAI))  # a Sunday
    assert not office.holds(instant(2026, 6, 1, 10, 0, zone=SHANGHAI))
    assert office.holds(instant(2027, 12, 1, 17, 59, 59, zone=SHANGHAI))
    assert not office.holds(instant(2028, 3, 1, 10, 0, zone=SHANGHAI))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (intervals.weekdays, "mon"), (intervals.weekdays, "a:b:c"), (intervals.months, "0"), (intervals.months, "may:april"),
        (intervals.months, "13"), (intervals.days, "0"), (intervals.days, "32"), (intervals.days, "-1:3"),
        (intervals.years, "x"), (intervals.days, "5:-30"), (intervals.years, "2027:2026"), (intervals.place, "Mars/Olympus"),
        (intervals.place, "../etc"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(read: object, text: str) -> None:
    with pytest.raises(BadInterval):
        read(text)  # type: ignore[operator]


@pytest.mark.parametrize(("a", "b"), [("17:00", "09:00"), ("9:00", "10:00"), ("10:00", "24:01"), ("10:00", "10:00")])
def test_hours_that_run_backwards_or_are_none_are_refused(a: str, b: str) -> None:
    with pytest.raises(BadInterval):
        intervals.hours(a, b)


def test_hours_that_leave_nothing_out_are_known() -> None:
    assert Spec().whole_day
    assert Spec(times=((0, 700), (600, 1440))).whole_day
    assert not Spec(times=((0, 700), (701, 1440))).whole_day
