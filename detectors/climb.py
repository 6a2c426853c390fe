"""Climb: how fast a gas gathers, at the true times of its readings, borne out by several of them."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.sums import added
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


class Window(NamedTuple):
    """A working copy of the slots, written to in place; those of a series one below the other."""

    slot: Ints  # [m] [slot] the newest
    number: Floats  # [SLOTS + 1, m] [1]
    mean: Floats  # [SLOTS + 1, m] [SI]
    when: Floats  # [SLOTS + 1, m] [slot]


class Line(NamedTuple):
    """Moments of the slots but the newest. Time is in slots from the beginning of the newest."""

    n: Floats  # [m] [1] readings
    t: Floats  # [m] [slot] mean time
    y: Floats  # [m] [SI] mean
    tt: Floats  # [m] [slot²] sum of squares about the means
    ty: Floats  # [m] [slot SI] sum of products about the means
    points: Ints  # [m] [1] slots that hold readings
    oldest: Floats  # [m] [slot] mean time of the first of them; NaN: there is none


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
        last = s.last.T.copy(order="C")
        w = Window(s.slot.copy(), *(a.T.copy(order="C") for a in (s.number, s.mean, s.when)))
        score, line = np.empty(x.shape[::-1]), None
        for j, said in enumerate(score):
            now = np.maximum(x[:, j], self.least)
            there = np.isfinite(now)
            if self.proof > 1:
                there &= (now != last[0]) | (now <= self.least)
            slot = t[:, j] // self.length
            if self._open(w, slot, there):
                line = None
            line = self._line(w) if line is None else line  # the slots before the newest change only when another one opens
            borne = self._borne(last, now, there)
            self._fill(w, borne, t[:, j], there & np.isfinite(borne))
            self._score(w, line, said)
            said[~there] = np.nan
        return ClimbState(last.T.copy(order="C"), w.slot, *(a.T.copy(order="C") for a in w[1:])), score.T

    def _borne(self, last: Floats, now: Floats, there: Bools) -> Floats:
        """What the last readings bear out [m] [SI]; NaN where there are too few. Those that are `there` are remembered."""
        if self.proof == 1:
            return now
        borne = now
        for before in last:
            borne = np.minimum(borne, before)  # NaN where one of them is
        for a, newer in zip(last[::-1], [*last[-2::-1], now], strict=True):
            np.copyto(a, newer, where=there)
        return borne

    def _open(self, w: Window, slot: Ints, there: Bools) -> bool:
        """Move the slots of the series `there` on to `slot` [m]. Whether any has moved."""
        rows = np.flatnonzero(there & (slot > w.slot))
        if not rows.size:
            return False
        on = np.minimum(slot[rows] - w.slot[rows], SLOTS + 1)
        if rows.size == len(slot) and (on == on[0]).all():
            by = int(on[0])
            for a in w[1:]:
                a[: SLOTS + 1 - by] = a[by:]
                a[SLOTS + 1 - by :] = 0.0
        else:
            from_ = np.arange(SLOTS + 1)[:, None] + on
            kept = from_ <= SLOTS
            for a in w[1:]:
                a[:, rows] = np.where(kept, a[np.minimum(from_, SLOTS), rows], 0.0)
        w.slot[rows] = slot[rows]
        return True

    def _fill(self, w: Window, y: Floats, t: Ints, new: Bools) -> None:
        """One reading y [m] [SI] into the newest slot of the series `new`."""
        number, mean, when = (a[-1] for a in w[1:])
        number += new
        away = y - mean
        if not new.all():
            away[~new] = 0.0
        share = new / np.maximum(number, 1.0)
        away *= share
        mean += away
        when += ((t - w.slot * self.length) / self.length - when) * share

    def _line(self, w: Window) -> Line:
        """Moments of the slots before the newest; about their means, so that a large offset costs no digits."""
        n, y = w.number[:-1], w.mean[:-1]
        t, some = w.when[:-1] + np.arange(-SLOTS, 0.0)[:, None], n > 0
        total = added(n)
        all_ = np.maximum(total, 1.0)
        tm, ym = added(n * t) / all_, added(n * y) / all_
        nt = n * (t - tm)
        points = some.sum(axis=0)
        oldest = np.where(points > 0, t[some.argmax(axis=0), np.arange(t.shape[1])], np.nan)
        return Line(total, tm, ym, added(nt * (t - tm)), added(nt * (y - ym)), points, oldest)

    def _score(self, w: Window, a: Line, out: Floats) -> None:
        """The slots before and the newest, joined by their moments. out [m] [1]; NaN where the window is not filled"""
        n, mean, when = (b[-1] for b in w[1:])
        filled = (when - a.oldest >= FILLED * SLOTS) & (n > 0) & (a.points + 1 >= POINTS)
        dt = when - a.t
        g = a.n * n
        g /= np.maximum(a.n + n, 1.0)
        g *= dt
        dt *= g
        dt += a.tt  # sum of squares of all
        dt[~filled] = np.nan
        np.subtract(mean, a.y, out=out)
        out *= g
        out += a.ty
        out /= dt
        out /= self.length / NS
        out -= self.origin
        out /= self.scale
        np.maximum(out, 0.0, out=out)


default = Climb()
