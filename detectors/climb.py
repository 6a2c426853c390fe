"""Climb: how fast a gas gathers, at the true times of its readings, borne out by several of them."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints

SLOTS: Final = 8  # [1] that a window is kept in
FILLED: Final = 2 / 3  # [1] of the window, from the first reading kept to the last
POINTS: Final = 3  # [1] slots that a line needs


class ClimbState(NamedTuple):
    last: Floats  # [n, proof - 1] [SI] readings that count, newest first; NaN: none yet
    slot: Ints  # [n] [slot] the newest
    number: Floats  # [n, SLOTS + 1] [1] readings in each slot, oldest first
    mean: Floats  # [n, SLOTS + 1] [SI]
    when: Floats  # [n, SLOTS + 1] [slot] mean time of them from the beginning of their slot


@dataclass(frozen=True)
class Climb:
    """Slope of the least-squares line (K. F. Gauss, Theoria motus, 1809, 186) through the last `window` seconds of what
    `proof` readings in a row bear out: the least of the last `proof`.

    Time is that of the readings, not a count of them: a device that reports each half hour, and each minute once it sees gas,
    is judged by one slope. What vapour does to a sensor for less than `proof` readings is no rise; nor is a value that is
    said again and again, for beyond `least` a reading like the one before it counts for nothing. Readings below `least` stand
    for it: that many sensors report nothing below their limit of detection makes no step. Two thirds of the window must be
    behind it. For white noise of spread σ the slope of w readings `every` seconds apart has spread at most
    1.2 σ / every * sqrt(12 / (w (w² - 1))).
    """

    window: float = 7200.0  # [s]
    proof: int = 3  # [1] readings in a row
    least: float = 0.002  # [SI] what a sensor can tell from nothing; the default of methane [1]
    origin: float = 0.0  # [SI/s] where the score begins
    scale: float = 1.0  # [SI/s] from `origin` to the bound

    dimension: ClassVar[str] = "rate"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True
    warmup: ClassVar[int] = 2  # [1] no line goes through fewer than three readings

    def __post_init__(self) -> None:
        if self.proof < 1 or self.window <= 0:
            raise ValueError("proof and window must be above 0")

    @property
    def length(self) -> int:
        """Of a slot. [ns]"""
        return max(round(self.window / SLOTS * NS), 1)

    def init(self, n: int) -> ClimbState:
        """State of n series that have seen nothing."""
        slots = np.zeros((3, n, SLOTS + 1))
        return ClimbState(np.full((n, self.proof - 1), np.nan), np.zeros(n, np.int64), *slots)

    def step(self, s: ClimbState, x: Floats, t: Ints) -> tuple[ClimbState, Floats]:
        """x [m, k] [SI], t [m, k] [ns] -> new state, score [m, k] [1]."""
        s = ClimbState._make(a.copy() for a in s)
        score = np.full(x.shape[::-1], np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j])
            now = np.maximum(x[:, j], self.least)
            if self.proof > 1:
                there &= (now != s.last[:, 0]) | (now <= self.least)
            self._open(s, t[:, j], there)
            borne = self._borne(s, now, there)
            self._fill(s, borne, t[:, j], there & np.isfinite(borne))
            score[j] = np.where(there, self._score(s), np.nan)
        return s, score.T

    def _borne(self, s: ClimbState, now: Floats, there: Bools) -> Floats:
        """What the last readings bear out [m] [SI]; NaN where there are too few. Those that are `there` are remembered."""
        if self.proof == 1:
            return now
        borne: Floats = np.minimum(now, s.last.min(axis=1))  # NaN where one of them is
        s.last[there, 1:] = s.last[there, :-1]
        s.last[there, 0] = now[there]
        return borne

    def _open(self, s: ClimbState, t: Ints, there: Bools) -> None:
        """Move the slots of the series `there` on to time t [m]."""
        slot = t // self.length
        on = np.where(there, slot - s.slot, 0)
        rows = np.flatnonzero(on > 0)
        if not rows.size:
            return
        from_ = np.arange(SLOTS + 1) + np.minimum(on[rows], SLOTS + 1)[:, None]
        kept = from_ <= SLOTS
        for a in (s.number, s.mean, s.when):
            a[rows] = np.where(kept, a[rows[:, None], np.minimum(from_, SLOTS)], 0.0)
        s.slot[rows] = slot[rows]

    def _fill(self, s: ClimbState, y: Floats, t: Ints, new: Bools) -> None:
        """One reading y [m] [SI] into the newest slot of the series `new`."""
        s.number[:, -1] += new
        share = new / np.maximum(s.number[:, -1], 1.0)
        s.mean[:, -1] += np.where(new, y - s.mean[:, -1], 0.0) * share
        s.when[:, -1] += ((t - s.slot * self.length) / self.length - s.when[:, -1]) * share

    def _score(self, s: ClimbState) -> Floats:
        """[m] [1]; NaN where the window is not filled"""
        t = s.when + np.arange(-SLOTS, 1.0)
        n = s.number
        some = n > 0
        total = np.maximum(n.sum(axis=1), 1.0)
        tm, ym = (n * t).sum(axis=1) / total, (n * s.mean).sum(axis=1) / total
        dt = (t - tm[:, None]) * some
        tt, ty = (n * dt * dt).sum(axis=1), (n * dt * (s.mean - ym[:, None])).sum(axis=1)
        oldest = t[np.arange(len(t)), some.argmax(axis=1)]
        filled = (t[:, -1] - oldest >= FILLED * SLOTS) & some[:, -1] & (some.sum(axis=1) >= POINTS)
        slope = ty / np.where(filled, tt, np.nan) / (self.length / NS)
        return np.asarray(np.maximum((slope - self.origin) / self.scale, 0.0))


default = Climb()
