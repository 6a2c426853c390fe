"""Series side by side on slots of equal length, for detectors that judge several together.

A slot stamped T covers (T - slot, T]. What stands in it is the mean of a series' readings; of a state, and of a series slower
than the slot, the last, for as long as it holds. A slot closes when the data's clock has passed it by `wait`; a reading that
comes later is stored, and moves no slot.
"""

from dataclasses import InitVar, dataclass, field
from typing import Any, Final

import numpy as np

from lifeline.model import Batch, Floats, Ints, Rows

LONGEST: Final = 3600  # slots judged after a jump of the clock

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass
class Slots:
    """What waits for its slot, and what stands."""

    rows: Rows  # [m] catalog rows
    slot: int  # [ns]
    wait: int  # [ns]
    stands: InitVar[Ints]  # [m] [ns] how long a last value stands; 0: the slot has the mean of its own readings
    place: Rows  # [n catalog] position in `rows`; -1: not of these
    held: Ints = field(init=False)  # [h] positions in `rows` of those whose last value stands, ascending
    hold: Ints = field(init=False)  # [h] [ns] how long it does
    value: Floats = field(init=False)  # [h] [SI] what was last said
    since: Ints = field(init=False)  # [h] [ns]
    closed: int = 0  # [ns] end of the last closed slot; 0 before the first look
    waiting: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)  # (place, t, value) for slots still open

    def __post_init__(self, stands: Ints) -> None:
        self.held = np.flatnonzero(stands)
        self.hold = stands[self.held]
        self.value = np.full(self.held.size, np.nan)
        self.since = np.zeros(self.held.size, np.int64)

    def ending(self, clock: int) -> int:
        """End of the last slot that may be closed at an instant of the data's clock. [ns]"""
        return (clock - self.wait) // self.slot * self.slot

    def add(self, b: Batch) -> None:
        """Keep the readings of these series for their slots; NaN is none."""
        place = self.place[b.row]
        mine = (place >= 0) & np.isfinite(b.value) & (b.t > self.closed)
        if mine.any():
            self.waiting.append((place[mine].astype(np.int64), b.t[mine], b.value[mine]))

    def close(self, clock: int) -> tuple[Ints, Floats]:
        """Close what the data's clock [ns] allows -> ends of the slots [k] [ns], x [m, k] [SI]."""
        until = self.ending(clock)
        begin, self.closed = self.closed or until, max(self.closed, until)
        if until <= begin:
            return np.empty(0, np.int64), np.empty((self.rows.size, 0))
        first = max(begin, until - LONGEST * self.slot)
        ends = np.arange(first + self.slot, until + 1, self.slot)
        place, t, value = self._take()
        due = t <= until
        if not due.all():
            self.waiting = [(place[~due], t[~due], value[~due])]
        place, t, value = place[due], t[due], value[due]
        flat = place * ends.size + np.searchsorted(ends, t)
        now = t > first
        x = self._means(flat[now], value[now], ends.size)
        self._hold(place, t, value, ends, x)
        return ends, x

    def _means(self, flat: Ints, value: Floats, k: int) -> Floats:
        """Mean of each series in each slot. [m, k] [SI]"""
        size = self.rows.size * k
        count = np.bincount(flat, minlength=size)
        total = np.bincount(flat, value, size)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(-1, k)

    def _hold(self, place: Ints, t: Ints, value: Floats, ends: Ints, x: Floats) -> None:
        """Put what stands into the slots of the series that hold. place, t, value: in order of time"""
        if not self.held.size:
            return
        at = np.searchsorted(self.held, place)
        mine = self.held[np.minimum(at, self.held.size - 1)] == place
        at, t, value = at[mine], t[mine], value[mine]
        v, since = np.r_[self.value, value], np.r_[self.since, t]
        last = np.zeros(
            (self.held.size, ends.size), np.int64
        )  # of these, where each stands; nobody said anything: where it stood
        last[:, 0] = np.arange(self.held.size)
        last[at, np.searchsorted(ends, t)] = self.held.size + np.arange(t.size)  # the last of a slot stays
        np.maximum.accumulate(last, axis=1, out=last)
        x[self.held] = np.where(ends - since[last] <= self.hold[:, None], v[last], np.nan)
        self.value, self.since = v[last[:, -1]], since[last[:, -1]]

    def _take(self) -> tuple[Ints, Ints, Floats]:
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        place, t, value = (np.concatenate(c) for c in zip(*waiting, strict=True))
        order = np.argsort(t, kind="stable")
        return place[order], t[order], value[order]

    def memory(self) -> Arrays:
        """A copy of all that must survive a restart; series by their catalog rows."""
        place, t, value = self._take()
        if t.size:
            self.waiting = [(place, t, value)]
        return {
            "value": self.value.copy(), "since": self.since.copy(), "closed": np.array([self.closed]),
            "rows": self.rows[self.held], "row": self.rows[place], "t": t, "waiting": value,
        }  # fmt: skip

    def remember(self, kept: Arrays, now: Ints) -> None:
        """Take over a memory; now [n catalog of old]: the catalog row that each row of old has now, -1: none."""
        self.closed = int(kept["closed"][0])
        was = self._places(now[kept["rows"]])
        there = np.isin(was, self.held)
        at = np.searchsorted(self.held, was[there])
        self.value[at], self.since[at] = kept["value"][there], kept["since"][there]
        place = self._places(now[kept["row"]])
        there = place >= 0
        self.waiting = [(place[there], kept["t"][there], kept["waiting"][there])]

    def _places(self, rows: Ints) -> Ints:
        return np.where(rows >= 0, self.place[rows], -1)
