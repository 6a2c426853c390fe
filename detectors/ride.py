"""Ride: how roughly a car rides and how hard it sets off and stops, out of the waveform of its vertical acceleration."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.weighting import begun, filtered, low, vertical
from lifeline.model import NS, Bools, Floats, Ints

SLOWEST: Final = 1 / 32  # [s] between samples, beyond which what people feel is not in them
BODY, CALM, SMOOTH = 1.0, 0.2, 10.0  # [Hz] low passes: the car's own motion, its rest, what jerk is taken from
STRAIGHT: Final = 0.5  # [s] of the straight line whose slope is the jerk
EDGES: Final = 0.01 * 1.02 ** np.arange(341)  # [m/s²] of the classes in which peak-to-peak values are counted
MIDDLES: Final = np.sqrt(EDGES[:-1] * EDGES[1:])  # [m/s²]
PIECE: Final = 256  # [1] ticks at a time: rows that rest in a piece cost little
SHARE: Final = 0.95  # [1] of the values lie below A95


class RideState(NamedTuple):
    last: Ints  # [n] [ns] newest sample; 0: none
    shape: Floats  # [n, sections, 2] memory of the filter of what is measured
    body: Floats  # [n, 1, 2] that of the car's own motion
    calm: Floats  # [n, 1, 2] that of its rest
    past: Floats  # [n, line - 1] [m/s²] the last smooth samples, for the jerk
    zero: Floats  # [n] [m/s²] what is measured at rest; NaN: not known
    quiet: Ints  # [n] samples since the car last sped up or slowed down
    going: Bools  # [n]
    speed: Floats  # [n] [m/s] since it set off
    top: Floats  # [n] [m/s] largest of the trip
    length: Ints  # [n] samples of the trip
    up: Bools  # [n] sign of the half-wave under way
    half: Floats  # [n] [m/s²] its peak
    before: Floats  # [n] [m/s²] peak of the half-wave before; NaN: none
    many: NDArray[np.int32]  # [n, classes] peak-to-peak values of the trip
    most: Floats  # [n] [m/s³] largest jerk of the trip
    rides: Floats  # [n, window] a ring of the last trips
    seen: Ints  # [n] trips
    said: Floats  # [n] [1] the score that stands


@dataclass(frozen=True)
class Ride:
    """The `times`-th largest of the last `window` trips: of A95, the 95th percentile of peak-to-peak values of the weighted
    acceleration at constant speed (ISO 18738-1:2012; weighting Wk of ISO 2631-1:1997), or of the largest jerk.

    A trip begins when the acceleration, freed of what is measured at rest and of what is faster than 1 Hz, passes `strong`; its
    integral is the speed; it ends when that has come back to nearly nothing and nothing has passed `strong` for `still`
    seconds, with which the speed is zero again (zero-velocity update). What is measured at rest is taken anew every `settle`
    seconds of rest. A second push the same way after a rest shows that the rest was one: the trip begins there. Trips that
    never reach `fast` are a fitter's (GB/T 7588.1-2020 allows him 0.63 m/s) and not counted, nor are those of fewer than
    `least` pairs; what lasts longer than `longest`, or becomes faster than any lift, was none, and rest is learned anew.

    Peak-to-peak values are those of neighbouring half-waves, counted in classes of 2 %; jerk is the slope of the straight line
    through half a second of the acceleration below 10 Hz. Departures: constant speed is where nothing passes `strong`, not
    a stretch of the shaft. Until there are `window` trips the score is 0, until rest is known NaN; between trips it stands.
    No statistics: with 5 of 10 it is an upper median, which four wild trips do not move. For rates of 32 Hz and more.
    """

    of: Literal["a95", "jerk"] = "a95"
    window: int = 10  # [1] trips
    times: int = 5  # [1] of them
    strong: float = 0.15  # [m/s²]
    still: float = 1.0  # [s]
    settle: float = 8.0  # [s]
    fast: float = 0.7  # [m/s]
    back: float = 0.4  # [1] of the top speed, below which the speed has come back to nothing
    crawl: float = 0.3  # [m/s] the same for short trips, and above what a car of two speeds creeps in with
    longest: float = 240.0  # [s]
    never: float = 25.0  # [m/s]
    least: int = 20  # [1]
    every: float = 1 / 64  # [s] between samples
    origin: float = 0.0  # [m/s²], jerk [m/s³]: where the score begins
    scale: float = 0.2  # [m/s²], jerk [m/s³]: from `origin` to the bound

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True  # so that a lost packet sends nothing back to `init`

    def __post_init__(self) -> None:
        if not 1 <= self.times <= self.window:
            raise ValueError("times: from 1 to window")

    @property
    def dimension(self) -> str:
        """What the bounds of its rules are."""
        return "value" if self.of == "a95" else "jerk"

    @property
    def warmup(self) -> int:
        """Samples of rest before anything is judged, but for the one that ends them. [1]"""
        return self._samples(self.settle) - 1

    def _samples(self, seconds: float) -> int:
        return max(round(seconds / self.every), 1)

    @property
    def _line(self) -> int:
        """Samples of the straight line, an odd number. [1]"""
        return self._samples(STRAIGHT) // 2 * 2 + 1

    @property
    def _shown(self) -> bool:
        return self.every <= SLOWEST

    @property
    def _sos(self) -> Floats:
        """The filter of what is measured. [sections, 6]"""
        return vertical(self.every) if self.of == "a95" else low(self.every, SMOOTH)

    def init(self, n: int) -> RideState:
        """State of n accelerometers that have said nothing."""
        none, no, zero = np.zeros(n), np.zeros(n, np.bool_), np.zeros(n, np.int64)
        sections = len(self._sos) if self._shown else 1
        past, classes = (0, MIDDLES.size) if self.of == "a95" else (self._line - 1, 0)
        return RideState(
            zero, np.zeros((n, sections, 2)), np.zeros((n, 1, 2)), np.zeros((n, 1, 2)), np.zeros((n, past)),
            np.full(n, np.nan), zero.copy(), no, none, none.copy(), zero.copy(), no.copy(), none.copy(), np.full(n, np.nan),
            np.zeros((n, classes), np.int32), none.copy(), np.zeros((n, self.window)), zero.copy(), none.copy(),
        )  # fmt: skip

    def step(self, s: RideState, x: Floats, t: Ints) -> tuple[RideState, Floats]:
        """x [m, k] [m/s²], t [m, k] [ns] -> new state, score [m, k] [1]."""
        score = np.full(x.shape, np.nan)
        if not self._shown or not x.size:
            return s, score
        s = RideState._make(a.copy() for a in s)
        for rows, span in self._pieces(x, t):
            part = RideState._make(a[rows] for a in s)
            part = self._resumed(part, x[rows, span.start], t[rows, span.start])
            part, score[rows, span] = self._flow(part, np.ascontiguousarray(x[rows, span]))
            put(s, rows, part._replace(last=t[rows, span.stop - 1]))
        return s, score

    def _pieces(self, x: Floats, t: Ints) -> Iterator[tuple[slice | Ints, slice]]:
        """Stretches of ticks in which the same rows speak without a gap."""
        there = np.isfinite(x)
        apart = np.zeros(x.shape[1], np.bool_)
        apart[1:] = (there[:, 1:] != there[:, :-1]).any(axis=0) | (np.diff(t, axis=1) > self._gap).any(axis=0)
        apart[::PIECE] = True
        edges = [*np.flatnonzero(apart).tolist(), x.shape[1]]
        for a, b in pairwise(edges):
            if there[:, a].all():
                yield slice(None), slice(a, b)
            elif there[:, a].any():
                yield np.flatnonzero(there[:, a]), slice(a, b)

    @property
    def _gap(self) -> float:
        """Samples farther apart have others missing between them. [ns]"""
        return 1.5 * self.every * NS

    def _resumed(self, s: RideState, x: Floats, t: Ints) -> RideState:
        """After a gap filters begin anew, and the trip under way is lost. x [m] [m/s²], t [m] [ns]"""
        gap = t - s.last > self._gap
        if not gap.any():
            return s
        for memory, sos in ((s.shape, self._sos), (s.body, low(self.every, BODY)), (s.calm, low(self.every, CALM))):
            memory[gap] = begun(sos, x[gap])
        s.past[gap] = x[gap, None]
        s.quiet[gap] = 0
        self._ended(s, gap)
        s.zero[gap] = np.nan
        return s

    def _flow(self, s: RideState, x: Floats) -> tuple[RideState, Floats]:
        """x [m, k], without a gap. Rows at rest all the while go at once, the others tick by tick."""
        felt, shape = filtered(self._sos, x, s.shape)
        body, own = filtered(low(self.every, BODY), x, s.body)
        calm, rest = filtered(low(self.every, CALM), x, s.calm)
        jerk, past = self._slopes(s.past, felt)
        s = s._replace(shape=shape, body=own, calm=rest, past=past)
        zero, known = self._zeros(s, calm)
        stirs = s.going | (np.abs(body - zero) > self.strong).any(axis=1)
        score = np.where(np.isfinite(known), s.said[:, None], np.nan)
        s = s._replace(zero=np.where(stirs, s.zero, known[:, -1]), quiet=np.where(stirs, s.quiet, s.quiet + x.shape[1]))
        if stirs.any():
            part = RideState._make(a[stirs] for a in s)
            wanted = felt if self.of == "a95" else jerk
            part, score[stirs] = self._ticks(part, body[stirs].T, calm[stirs].T, wanted[stirs].T)
            put(s, stirs, part)
        return s, score

    def _slopes(self, past: Floats, smooth: Floats) -> tuple[Floats, Floats]:
        """Slope of the straight line through the last half second. smooth [m, k]; [m, k] [m/s³], and what the next need"""
        if self.of == "a95":
            return smooth, past
        x, k, far = np.hstack([past, smooth]), smooth.shape[1], self._line // 2
        slope = np.zeros_like(smooth)
        for i in range(1, far + 1):
            slope += i * (x[:, far + i : far + i + k] - x[:, far - i : far - i + k])
        return slope / (far * (far + 1) * (2 * far + 1) / 3 * self.every), x[:, k:]

    def _zeros(self, s: RideState, calm: Floats) -> tuple[Floats, Floats]:
        """What is measured at rest, were it rest all the while: before and after each tick. calm [m, k]; [m, k] [m/s²]"""
        ticks = np.arange(calm.shape[1])
        anew = (s.quiet[:, None] + 1 + ticks) % self._samples(self.settle) == 0
        which = np.maximum.accumulate(np.where(anew, ticks, -1), axis=1)
        after = np.where(which < 0, s.zero[:, None], np.take_along_axis(calm, np.maximum(which, 0), axis=1))
        return np.hstack([s.zero[:, None], after[:, :-1]]), after

    def _ticks(self, s: RideState, body: Floats, calm: Floats, wanted: Floats) -> tuple[RideState, Floats]:
        """Tick by tick. body, calm, wanted [k, m]; [m, k] [1]"""
        score, still, settle = np.empty_like(body), self._samples(self.still), self._samples(self.settle)
        for own, rest, now, said in zip(body, calm, wanted, score, strict=True):
            off = own - s.zero
            strong = np.abs(off) > self.strong
            begins = strong & (~s.going | ((s.quiet >= still) & (off * s.speed > 0)))
            if begins.any():
                self._ended(s, begins)
                s.going[begins] = True
            s.quiet[:] = np.where(strong, 0, s.quiet + 1)
            s.speed[:] = np.where(s.going, s.speed + off * self.every, 0.0)
            np.maximum(s.top, np.abs(s.speed), out=s.top)
            s.length[:] += s.going
            steady = s.going & (s.quiet >= still)
            if self.of == "a95":
                self._waves(s, now, steady)
            else:
                s.most[:] = np.where(s.going, np.maximum(s.most, np.abs(now)), 0.0)
            arrived = steady & (np.abs(s.speed) < np.maximum(self.crawl, self.back * s.top))
            if arrived.any():
                self._arrived(s, np.flatnonzero(arrived))
                self._ended(s, arrived)
            lost = s.going & ((s.length > self._samples(self.longest)) | (s.top > self.never))
            if lost.any():
                self._ended(s, lost)
                s.zero[lost], s.quiet[lost] = np.nan, 0
            anew = ~s.going & (s.quiet > 0) & (s.quiet % settle == 0)
            s.zero[:] = np.where(anew, rest, s.zero)
            said[:] = np.where(np.isfinite(s.zero), s.said, np.nan)
        return s, score.T

    def _waves(self, s: RideState, now: Floats, steady: Bools) -> None:
        """Count the pairs of half-waves that end with this tick. now [m] [m/s²]"""
        up, high = now >= 0, np.abs(now)
        turns = steady & (up != s.up)
        pair = s.half + s.before
        new = np.flatnonzero(turns & np.isfinite(pair))
        if new.size:
            s.many[new, np.clip(np.searchsorted(EDGES, pair[new], side="right") - 1, 0, MIDDLES.size - 1)] += 1
        s.before[:] = np.where(steady, np.where(turns, s.half, s.before), np.nan)
        s.half[:] = np.where(steady & ~turns, np.maximum(s.half, high), np.where(s.going, high, 0.0))
        s.up[:] = up & s.going

    def _arrived(self, s: RideState, i: Ints) -> None:
        """Trips that are over: kept where they count. i [a]"""
        value, counts = s.most[i], s.top[i] >= self.fast
        if self.of == "a95":
            so_far = s.many[i].cumsum(axis=1)
            value = MIDDLES[np.argmax(so_far >= SHARE * so_far[:, -1:], axis=1)]
            counts = counts & (so_far[:, -1] >= self.least)
        i, value = i[counts], value[counts]
        s.rides[i, s.seen[i] % self.window] = value
        s.seen[i] += 1
        full = i[s.seen[i] >= self.window]
        s.said[full] = np.maximum((np.sort(s.rides[full], axis=1)[:, -self.times] - self.origin) / self.scale, 0.0)

    def _ended(self, s: RideState, which: Bools) -> None:
        """Nothing is under way. which [m]"""
        for a in (s.going, s.speed, s.top, s.length, s.up, s.half, s.many, s.most):
            a[which] = 0
        s.before[which] = np.nan


def put(s: Any, rows: Any, part: Any) -> None:
    """Write the state of some rows into that of all, in place."""
    for whole, new in zip(s, part, strict=True):
        whole[rows] = new


default = Ride()
