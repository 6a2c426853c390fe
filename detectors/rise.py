"""Rise: how fast a reading climbs."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.sums import added
from lifeline.model import Bools, Floats

SLOTS: Final = 24  # [1] most slots kept beside the one being filled

Counts = NDArray[np.unsignedinteger[Any]]


class RiseState(NamedTuple):
    past: Floats  # [n, slots + 1] [SI] mean of each slot, oldest first, the one being filled last; 0 where `seen` counts none
    seen: Counts  # [n, 2 slots + 3] [1] ticks so far; then the samples in each slot; then the sum of their places in it


class Window(NamedTuple):
    """A working copy of the state, written to in place. Places count from 0, the first tick of a slot. What series that began
    together and are complete share is there once: m of `number`, `place` and `ticks` is then 1.
    """

    mean: Floats  # [slots + 1, m] [SI] the slot being filled is the last
    number: Floats  # [slots + 1, m] [1] samples
    place: Floats  # [slots + 1, m] [1]
    ticks: Floats  # [m] [1] so far; once the window is full, those in it

    @property
    def kept(self) -> tuple[Floats, Floats, Floats]:
        return self.mean, self.number, self.place


class Line(NamedTuple):
    """Moments of the slots kept. Time is in ticks from the beginning of the slot being filled."""

    n: Floats  # [m] [1] samples
    t: Floats  # [m] [tick] mean time
    y: Floats  # [m] [SI] mean
    tt: Floats  # [m] [tick²] sum of squares about the means
    ty: Floats  # [m] [tick SI] sum of products about the means


@dataclass(frozen=True)
class Rise:
    """Slope of the least-squares line through the last `window` seconds (K. F. Gauss, Theoria motus, 1809, 186).

    A missing reading keeps its place, since time went on, and two thirds of the window must be filled. Departure: the window
    is kept as at most 24 slots of equal length, and the line goes through their means, each at the mean time of its samples
    and weighing as many as they are: a straight line keeps its exact slope, and the memory is the same for any window and
    step. For white noise of spread σ the slope of w samples `every` seconds apart has spread σ / every * sqrt(12 / (w (w² -
    1))), and at most 0.2 % more where a slot is longer than one sample; a bound of q such spreads is crossed once in some
    2 / erfc(q / sqrt 2) windows.
    """

    window: float = 3600.0  # [s]
    every: float = 60.0  # [s] between samples
    origin: float = 0.0  # [SI/s] where the score begins
    scale: float = 1.0  # [SI/s] from `origin` to the bound; negative for a fall

    dimension: ClassVar[str] = "rate"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def intervals(self) -> int:
        """From the first to the last sample of the window, at least two. [1]"""
        return max(2, round(self.window / self.every))

    @property
    def length(self) -> int:
        """Ticks in a slot. [1]"""
        return -(-self.intervals // SLOTS)

    @property
    def slots(self) -> int:
        """Slots kept beside the one being filled. [1]"""
        return -(-self.intervals // self.length)

    @property
    def warmup(self) -> int:
        """As many ticks as the slots kept hold. [1]"""
        return self.slots * self.length

    def init(self, n: int) -> RiseState:
        """State of n series that have seen nothing."""
        most = max(self.warmup + self.length, self.length * (self.length - 1) // 2)  # ticks, sum of places
        return RiseState(np.zeros((n, self.slots + 1)), np.zeros((n, 2 * self.slots + 3), np.min_scalar_type(most)))

    def step(self, s: RiseState, x: Floats) -> tuple[RiseState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        whole = np.isfinite(x)
        alike = len(x) > 1 and bool(whole.all() and (s.seen == s.seen[0]).all())
        seen = s.seen[: 1 if alike else None].T.astype(np.float64, order="C")
        ticks, number, place = np.split(seen, [1, self.slots + 2])  # views
        w = Window(s.past.T.copy(order="C"), number, place, ticks[0])
        score, line = np.empty(x.shape[::-1]), None
        for j in range(x.shape[1]):
            opens = w.ticks % self.length == 0
            if opens.any():
                self._open(w, opens)
                line = None
            line = self._line(w) if line is None else line  # the slots kept change only when another one opens
            there = whole[:1, j] if alike else whole[:, j]
            self._fill(w, x[:, j], there)
            self._score(w, line, there, score[j])
        now = np.empty_like(s.seen)
        now[:] = seen.T
        return RiseState(w.mean.T.copy(order="C"), now), score.T

    def _open(self, w: Window, opens: Bools) -> None:
        """Keep the slot that is full, forget the oldest, and begin an empty one, in the series `opens` [m]."""
        rows = slice(None) if opens.all() else np.flatnonzero(opens)  # a slice costs no gather
        for a in w.kept:
            a[:-1, rows] = a[1:, rows]
            a[-1, rows] = 0.0
        np.copyto(w.ticks, self.warmup, where=w.ticks == self.warmup + self.length)

    def _fill(self, w: Window, x: Floats, there: Bools) -> None:
        """One tick of the slot being filled. x [m] [SI], there [m]"""
        mean, number, place = (a[-1] for a in w.kept)
        place += there * (w.ticks % self.length)
        number += there
        away = x - mean
        away /= np.maximum(number, 1.0)
        if there.all():
            mean += away
        else:
            mean[there] += away[there]
        w.ticks[:] += 1.0

    def _line(self, w: Window) -> Line:
        """Moments of the slots kept; about their means, so that a large offset costs no digits."""
        n, y, place = w.number[:-1], w.mean[:-1], w.place[:-1]
        if n.shape[1] > 1 and (n == n[:, :1]).all() and (place == place[:, :1]).all():
            n, place = n[:, :1], place[:, :1]  # complete series share their times
        t = place / np.maximum(n, 1.0) + self.length * np.arange(-self.slots, 0.0)[:, None]
        total = added(n)
        some = np.maximum(total, 1.0)
        tm, ym = added(n * t) / some, added(n * y) / some
        t -= tm
        nt = n * t
        away = y - ym
        away *= nt
        return Line(total, tm, ym, added(nt * t), added(away))

    def _score(self, w: Window, a: Line, there: Bools, out: Floats) -> None:
        """The slots kept and the one being filled, joined by their moments. there [m], out [m] [1]"""
        mean, n, place = (a[-1] for a in w.kept)
        filled = a.n + n
        dt = place / np.maximum(n, 1.0) - a.t
        g = a.n * n / np.maximum(filled, 1.0) * dt
        tt = a.tt + g * dt
        np.subtract(mean, a.y, out=out)
        out *= g
        out += a.ty
        out /= np.where(tt > 0, tt, np.nan)
        out /= self.every
        out -= self.origin
        out /= self.scale
        np.maximum(out, 0.0, out=out)
        judge = there & (w.ticks > self.warmup) & (3 * filled >= 2 * w.ticks)
        if not judge.all():
            out[~np.broadcast_to(judge, out.shape)] = np.nan


default = Rise()
