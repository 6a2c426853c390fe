"""A calendar as a layer of a roster: its events, recurring ones too, laid out when they are asked for.

An occurrence ends at the wall time at which the first one does, so that daily shifts meet over a change of the clocks too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from dateutil.rrule import rruleset

from alerts.duty.days import DAY
from alerts.duty.layers import Ids
from alerts.duty.wall import instant, wall
from lifeline.model import NS

CHUNK: Final = 32 * 86_400 * NS  # [ns] laid out at a time
KEPT: Final = 512  # [1] chunks


class Event(NamedTuple):
    """One occurrence."""

    start: int  # [ns] UTC
    end: int  # [ns] UTC
    persons: Ids


@dataclass(frozen=True)
class Series:
    """An event, and how it recurs."""

    zone: tzinfo
    begin: datetime  # wall time
    length: timedelta  # by the wall clock
    persons: Ids
    rule: rruleset | None = None  # of wall times; None: once

    def events(self, start: int, end: int) -> Iterator[Event]:
        """Occurrences that touch start..end. [ns] UTC"""
        for begin in self._begins(start, end):
            event = Event(instant(begin, self.zone), instant(begin + self.length, self.zone), self.persons)
            if event.start < end and event.end > start and event.start < event.end:
                yield event

    def _begins(self, start: int, end: int) -> list[datetime]:
        if self.rule is None:
            return [self.begin]
        first, last = wall(start, self.zone) - self.length - DAY, wall(end, self.zone) + DAY
        found: list[datetime] = self.rule.between(first, last, inc=True)
        return found


@dataclass(frozen=True)
class Feed:
    """The layer."""

    series: tuple[Series, ...]
    beside: bool = False
    _laid: dict[int, list[Event]] = field(default_factory=dict, compare=False, repr=False)

    def at(self, t: int) -> Ids:
        here = (e.persons for e in self._chunk(t // CHUNK) if e.start <= t < e.end)
        return tuple(dict.fromkeys(i for persons in here for i in persons))

    def cuts(self, start: int, end: int) -> Iterator[int]:
        for n in range(start // CHUNK, end // CHUNK + 1):
            yield from (edge for e in self._chunk(n) for edge in e[:2])

    def _chunk(self, n: int) -> list[Event]:
        """Events that touch a stretch of time, in order."""
        if n not in self._laid:
            if len(self._laid) >= KEPT:
                self._laid.clear()
            self._laid[n] = sorted(e for s in self.series for e in s.events(n * CHUNK, (n + 1) * CHUNK))
        return self._laid[n]
