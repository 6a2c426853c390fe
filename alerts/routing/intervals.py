"""Recurring times as Alertmanager writes them: hours, weekdays, days of the month, months, years, at a place.

Within one field any range suffices; all fields that are given must hold. A range of hours leaves out its end, others do not.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lifeline.model import NS

WEEKDAYS: Final = tuple(d.lower() for d in ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"))
MONTHS: Final = tuple(m.lower() for m in list(calendar.month_name)[1:])
HOUR: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
DAY: Final = 24 * 60  # [min]
LONGEST_MONTH: Final = 31  # [d]

Range = tuple[int, int]  # first and last, both included; of hours [min of the day] the last left out


class BadInterval(Exception):
    """Not a range that Alertmanager would take."""


@dataclass(frozen=True)
class Spec:
    """One description; a field that is empty allows everything."""

    times: tuple[Range, ...] = ()  # [min]
    weekdays: tuple[Range, ...] = ()  # 0: Sunday
    days: tuple[Range, ...] = ()  # of the month; negative: from its end
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    zone: tzinfo = UTC

    def holds(self, t: int) -> bool:
        """Whether an instant lies within. t [ns] UTC"""
        at = datetime.fromtimestamp(t // NS, UTC).astimezone(self.zone)
        return self.on(at) and (not self.times or any(a <= at.hour * 60 + at.minute < b for a, b in self.times))

    def on(self, at: datetime) -> bool:
        """Whether the day of a local time lies within."""
        return (
            _any(self.years, at.year)
            and _any(self.months, at.month)
            and _any(self.weekdays, at.isoweekday() % 7)
            and (not self.days or any(_in_month(r, at) for r in self.days))
        )

    @property
    def whole_day(self) -> bool:
        """Whether its hours leave nothing of a day out."""
        reached = 0
        for a, b in sorted(self.times or ((0, DAY),)):
            if a > reached:
                return False
            reached = max(reached, b)
        return reached == DAY


def within(specs: Sequence[Spec], t: int) -> bool:
    """Whether an instant lies within any of them. t [ns] UTC"""
    return any(s.holds(t) for s in specs)


def _any(ranges: tuple[Range, ...], value: int) -> bool:
    return not ranges or any(a <= value <= b for a, b in ranges)


def _in_month(r: Range, at: datetime) -> bool:
    """Ranges are cut at the ends of the month; one that begins after its last day is left out."""
    last = calendar.monthrange(at.year, at.month)[1]
    first, until = (n + last + 1 if n < 0 else n for n in r)
    return first <= at.day <= until


def hours(start: str, end: str) -> Range:
    """From "09:00" to "17:00"."""
    a, b = _minute(start), _minute(end)
    if a >= b:
        raise BadInterval(f"{start} to {end}: the end must come after the start; over midnight, write two ranges")
    return a, b


def _minute(text: str) -> int:
    found = HOUR.fullmatch(text)
    if found is None:
        raise BadInterval(f"{text!r} is no time of day; write HH:MM, from 00:00 to 24:00")
    return DAY if found[1] is None else int(found[1]) * 60 + int(found[2])


def weekdays(text: str) -> Range:
    """From "monday:friday" or "sunday"."""
    return _ordered(text, lambda word: _named(word, WEEKDAYS, "weekday"))


def months(text: str) -> Range:
    """From "may:august", "1:3" or "december"."""

    def one(word: str) -> int:
        return _whole(word, 1, 12, "month") if word.isdigit() else _named(word, MONTHS, "month") + 1

    return _ordered(text, one)


def years(text: str) -> Range:
    """From "2026:2028" or "2030"."""
    return _ordered(text, lambda word: _whole(word, 1, 9999, "year"))


def days(text: str) -> Range:
    """From "1:5", "-3:-1" or "15"."""

    def one(word: str) -> int:
        day = _whole(word, -LONGEST_MONTH, LONGEST_MONTH, "day of the month")
        if day == 0:
            raise BadInterval("0 is no day of the month; the first is 1, the last -1")
        return day

    a, b = _both(text, one)
    if a < 0 < b:
        raise BadInterval(f"{text!r}: a range that begins from the end of the month must end there too, such as -3:-1")
    if (a + LONGEST_MONTH + 1 if a < 0 else a) > (b + LONGEST_MONTH + 1 if b < 0 else b):
        raise BadInterval(f"{text!r}: the end comes before the start in every month")
    return a, b


def place(name: str) -> tzinfo:
    """A time zone by its IANA name; also UTC, and Local for the machine's own."""
    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        local = datetime.fromtimestamp(0, UTC).astimezone().tzinfo
        return local or UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as why:
        raise BadInterval(f"{name!r} is no time zone of the IANA database, such as Asia/Shanghai") from why


def _ordered(text: str, one: Callable[[str], int]) -> Range:
    a, b = _both(text, one)
    if a > b:
        raise BadInterval(f"{text!r}: the end comes before the start")
    return a, b


def _both(text: str, one: Callable[[str], int]) -> Range:
    words = [w.strip().lower() for w in text.split(":")]
    if len(words) > 2:
        raise BadInterval(f"{text!r} is no range; write START:END, or one alone")
    return one(words[0]), one(words[-1])


def _named(word: str, names: Sequence[str], what: str) -> int:
    if word not in names:
        raise BadInterval(f"{word!r} is no {what}; write one of {', '.join(names)}")
    return names.index(word)


def _whole(word: str, low: int, high: int, what: str) -> int:
    if not re.fullmatch(r"-?\d{1,4}", word) or not low <= int(word) <= high:
        raise BadInterval(f"{word!r} is no {what}; write a number from {low} to {high}")
    return int(word)
