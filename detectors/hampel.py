"""Hampel: a single sample that stands out from those before it and from the one after."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors import ordered
from lifeline.model import Floats, Ints

NORMAL: Final = 1.4826  # [1] spread of a normal distribution over its median absolute deviation
FEW: Final = 6  # [1] ticks in a call for which a window costs less to sort than to keep in order
ROWS: Final = 512  # [1] series whose windows are sorted at once: pieces so small are not asked of the system each time


class HampelState(NamedTuple):
    past: Floats  # [n, window] [SI] the last finite samples, in a ring
    seen: Ints  # [n] [1] finite samples so far


@dataclass(frozen=True)
class Hampel:
    """Hampel identifier (F. R. Hampel, J. Am. Stat. Assoc. 69, 1974, 383-393; as a filter R. K. Pearson et al., EURASIP J.
    Adv. Signal Process. 2016:87, eq. 3-5).

    Departures: the window looks back only, and a sample is judged when the next one is there: its score is the smaller of its
    distances from the median and from its successor. A step that stays is no spike.
    """

    window: int = 25  # [1] samples
    width: float = 12.0  # [σ] the score is the distance over this
    least: float = 0.0  # [SI] spread below which the series is taken to be as quiet as this

    ticks: ClassVar[int] = 64  # [1] samples worked on together: each call sorts
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        return self.window

    def init(self, n: int) -> HampelState:
        """State of n series that have seen nothing."""
        return HampelState(np.zeros((n, self.window)), np.zeros(n, np.int64))

    def step(self, s: HampelState, x: Floats) -> tuple[HampelState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1] of the sample before each."""
        past, seen = s.past.copy(), s.seen.copy()
        score = np.full(x.shape[::-1], np.nan)
        if x.size and seen.min() >= self.window and np.isfinite(x).all():
            if x.shape[1] > FEW:
                self._flow(past, seen, x, score)
            else:
                for part in (slice(a, a + ROWS) for a in range(0, len(x), ROWS)):
                    self._ticks(past[part], seen[part], x[part], score[:, part])
            return HampelState(past, seen), score.T
        for j in range(x.shape[1]):
            judge = np.isfinite(x[:, j])
            ready = judge & (seen >= self.window)
            score[j, ready] = self._score(past[ready], seen[ready], x[ready, j])
            past[judge, seen[judge] % self.window] = x[judge, j]
            seen += judge
        return HampelState(past, seen), score.T

    def _ticks(self, past: Floats, seen: Ints, x: Floats, score: Floats) -> None:
        """The same as `_flow` for a few ticks: windows are put in order anew, and the rings stay where they lie."""
        every = np.arange(len(x))
        for said, now in zip(score, x.T + 0.0, strict=True):
            kept = np.sort(past, axis=1)
            kept += 0.0  # no zero is another than the others
            at = seen % self.window
            self._tell(np.ascontiguousarray(kept.T), past[every, at - 1] + 0.0, now, said)
            past[every, at] = now
            seen += 1

    def _flow(self, past: Floats, seen: Ints, x: Floats, score: Floats) -> None:
        """All ticks of series that are warm and complete, written to past, seen and score [k, m]: windows are kept in order."""
        left = np.empty((self.window - 1, len(x)))
        ring, x = np.ascontiguousarray(past.T) + 0.0, x + 0.0  # no zero is another than the others
        kept = np.ascontiguousarray(np.sort(past + 0.0, axis=1).T)
        places = seen % self.window
        alike = bool((places == places[0]).all())  # then what goes and comes lies side by side
        every: tuple[Ints, ...] = () if alike else (np.arange(len(x)),)
        at = places[0] if alike else places
        newest = ring[((at - 1) % self.window, *every)]
        for said, now in zip(score, x.T, strict=True):
            self._tell(kept, newest, now, said)
            ordered.slide(kept, ring[(at, *every)], now, left)
            ring[(at, *every)] = newest = now
            at = (at + 1) % self.window
        past[:] = ring.T
        seen += x.shape[1]

    def _tell(self, kept: Floats, newest: Floats, now: Floats, said: Floats) -> None:
        """How far the newest of windows in order [window, m] stands out, now [m] being its successor, to be written to said."""
        middle = ordered.median(kept)
        wide = ordered.spread(kept, middle)
        wide *= NORMAL
        if self.least > 0:
            np.maximum(wide, self.least, out=wide)
        np.subtract(newest, middle, out=middle)
        np.abs(middle, out=middle)
        np.abs(np.subtract(newest, now, out=said), out=said)
        np.minimum(middle, said, out=said)
        if not wide.all():
            wide[wide == 0] = np.nan
        wide *= self.width
        np.divide(said, wide, out=said)

    def _score(self, past: Floats, seen: Ints, x: Floats) -> Floats:
        """How far the newest of the ring [m, window] stands out, x [m] being its successor. NaN where nothing ever varied."""
        newest = past[np.arange(x.size), (seen - 1) % self.window]
        middle = self._median(past)
        spread = np.maximum(NORMAL * self._median(np.abs(past - middle[:, None])), self.least)
        out = np.minimum(np.abs(newest - middle), np.abs(newest - x))
        return out / np.where(spread > 0, self.width * spread, np.nan)

    def _median(self, a: Floats) -> Floats:
        """Median of each row of a [m, window], free of NaN. [m]"""
        low, high = (self.window - 1) // 2, self.window // 2
        ordered = np.sort(a, axis=1)  # for rows this short quicker than np.partition
        return (ordered[:, low] + ordered[:, high]) / 2


default = Hampel()
