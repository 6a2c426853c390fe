"""Which days and hours a layer of a roster is meant for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from alerts.duty.wall import instant, wall

DAY: Final = timedelta(days=1)
WEEK: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
KINDS: Final = ("workdays", "restdays", "holidays")
Span = tuple[int, int]  # [ns] from, and up to but without


@dataclass(frozen=True)
class Holidays:
    """A calendar of public holidays, and of the weekends that are worked instead."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()

    def rest(self, day: date) -> bool:
        """Whether nobody goes to the office."""
        return day in self.off or (day.weekday() > 4 and day not in self.work)

    def fits(self, day: date, word: str) -> bool:
        """Whether a day is meant by a word of WEEK or KINDS."""
        if word in WEEK:
            return WEEK[day.weekday()] == word
        return day in self.off if word == "holidays" else self.rest(day) is (word == "restdays")


@dataclass(frozen=True)
class Hours:
    """From one wall time to another; when that is not later, of the next day."""

    start: time
    end: time  # 00:00 is the end of the day

    def on(self, day: date, zone: tzinfo) -> Span:
        """The hours that begin on a day."""
        last = day if self.end > self.start else day + DAY
        return instant(datetime.combine(day, self.start), zone), instant(datetime.combine(last, self.end), zone)


ALL_DAY: Final = Hours(time(0), time(0))


@dataclass(frozen=True)
class Times:
    """Hours on days. Without any of both: always. A word in `days` means the day on which the hours begin."""

    zone: tzinfo
    days: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    holidays: Holidays = field(default_factory=Holidays)

    @property
    def always(self) -> bool:
        return not self.days and not self.hours

    def covers(self, t: int) -> bool:
        """Whether an instant is meant. t [ns] UTC"""
        return self.always or any(start <= t < end for start, end in self.spans(t, t))

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The hours on every day about start..end, which may reach beyond. [ns] UTC"""
        day, last = wall(start, self.zone).date() - DAY, wall(end, self.zone).date() + DAY
        while day <= last:
            if not self.days or any(self.holidays.fits(day, word) for word in self.days):
                yield from (h.on(day, self.zone) for h in self.hours or (ALL_DAY,))
            day += DAY
