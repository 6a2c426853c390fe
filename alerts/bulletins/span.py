"""The days and months of a city: from midnight to midnight in its own time zone."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from lifeline.model import NS

HOUR: Final = 3600 * NS  # [ns]


class Every(StrEnum):
    """How often."""

    DAILY = "daily"
    MONTHLY = "monthly"


class Span(NamedTuple):
    """One day or month."""

    every: Every
    day: date  # the first of its days
    borders: tuple[int, ...]  # [ns] of its hours, or of its days; the first and the last are its own

    @property
    def begin(self) -> int:
        return self.borders[0]

    @property
    def end(self) -> int:
        """The first instant that is no longer in it. [ns]"""
        return self.borders[-1]

    @property
    def days(self) -> float:
        """[d] of 24 h"""
        return (self.end - self.begin) / (24 * HOUR)


def span(every: Every, day: date, zone: tzinfo) -> Span:
    """The day, or the month that it lies in. A day on which clocks are changed has 23 or 25 hours."""
    if every is Every.DAILY:
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        return Span(every, day, (*range(begin, end, HOUR), end))
    first, following = day.replace(day=1), _following(day)
    days = (following - first).days
    return Span(every, first, tuple(midnight(first + timedelta(days=i), zone) for i in range(days + 1)))


def before(one: Span, zone: tzinfo) -> Span:
    """The day or month that went before."""
    return span(one.every, one.day - timedelta(days=1), zone)


def after(one: Span, zone: tzinfo) -> Span:
    """The day or month that comes next."""
    return span(one.every, one.day + timedelta(days=len(one.borders) - 1 if one.every is Every.MONTHLY else 1), zone)


def latest(every: Every, at: int, zone: tzinfo) -> Span:
    """The last that was over at an instant [ns]."""
    return before(span(every, date_of(at, zone), zone), zone)


def date_of(at: int, zone: tzinfo) -> date:
    """The date in a zone. at [ns]"""
    return datetime.fromtimestamp(at // NS, UTC).astimezone(zone).date()


def midnight(day: date, zone: tzinfo) -> int:
    """The first instant of a date. [ns]"""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS


def _following(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
