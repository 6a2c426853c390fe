"""The layers of a roster: each says who is on duty at an instant, or nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts.duty.days import Times
from alerts.duty.wall import instant, wall

Ids = tuple[str, ...]


class Layer(Protocol):
    """One source of who is on duty."""

    @property
    def beside(self) -> bool:
        """Whether its persons come in addition to those of the layers below, not in their place."""

    def at(self, t: int) -> Ids:
        """Who is on duty at an instant [ns]; nobody: the layers below decide."""

    def cuts(self, start: int, end: int) -> Iterator[int]:
        """All instants from start to end [ns] at which that may change; perhaps more, also beyond."""


@dataclass(frozen=True)
class Rotation:
    """Persons who take turns; hand-overs are at wall times, so that a turn over a change of the clocks is longer or shorter."""

    turns: tuple[Ids, ...]  # who is on duty together, in order
    times: Times
    begin: datetime | None = None  # wall time of the first turn; None: always has been
    step: timedelta | None = None  # of a turn; None: the first turn never ends
    until: datetime | None = None  # wall time of the end
    beside: bool = False

    def at(self, t: int) -> Ids:
        if not self._first() <= t < self._last() or not self.times.covers(t):
            return ()
        return self.turns[self._turn(t) % len(self.turns)]

    def cuts(self, start: int, end: int) -> Iterator[int]:
        yield from (self._first(), self._last())
        if not self.times.always:
            yield from (edge for span in self.times.spans(start, end) for edge in span)
        if self.step is not None and end > self._first():
            k, last = self._turn(max(start, self._first())), min(end, self._last())
            while (t := self._start(k)) <= last:
                yield t
                k += 1

    def _first(self) -> int:
        return instant(self.begin, self.times.zone) if self.begin else 0

    def _last(self) -> int:
        return instant(self.until, self.times.zone) if self.until else 2**63 - 1

    def _start(self, k: int) -> int:
        assert self.begin is not None
        assert self.step is not None
        return instant(self.begin + k * self.step, self.times.zone)

    def _turn(self, t: int) -> int:
        """The how manieth turn it is at t [ns], from 0."""
        if self.step is None or self.begin is None:
            return 0
        k = (wall(t, self.times.zone) - self.begin) // self.step
        while self._start(k) > t:
            k -= 1
        while self._start(k + 1) <= t:
            k += 1
        return k


@dataclass(frozen=True)
class Roster:
    """Who is on duty in a role by plan. A later layer goes before the earlier ones wherever it has somebody."""

    unit: str
    role: str
    layers: tuple[Layer, ...]
    longest: float | None = None  # [s] that one person should be on duty without a break; None: not judged

    def at(self, t: int) -> Ids:
        """Those of the deciding layer first, then those who are on duty beside them. t [ns] UTC"""
        beside: list[Ids] = []
        for layer in reversed(self.layers):
            here = layer.at(t)
            if here and not layer.beside:
                return _distinct(here, *reversed(beside))
            beside.append(here)
        return _distinct(*reversed(beside))

    def cuts(self, start: int, end: int) -> set[int]:
        """Instants after start and before end at which that may change. [ns]"""
        return {t for layer in self.layers for t in layer.cuts(start, end) if start < t < end}


def _distinct(*parties: Ids) -> Ids:
    return tuple(dict.fromkeys(i for party in parties for i in party))
