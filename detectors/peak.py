"""Peak: how hard something was hit."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from detectors.baseline import flows
from lifeline.model import Floats, Ints


class PeakState(NamedTuple):
    seen: Ints  # [n] [1] finite samples so far, up to the warm-up
    mean: Floats  # [n] [SI] what stays: gravity, an offset
    peak: Floats  # [n] [SI] envelope of the distance from it


@dataclass(frozen=True)
class Peak:
    """Envelope of the distance from the running mean: a peak counts at once and fades with the time constant `fade`.

    The peak-hold of sound level meters (IEC 61672-1:2013, 5.13, with a decay instead of a reset), so that one blow is one
    crossing of the bounds and not one a half-wave. No statistics are assumed: the false-alarm rate is that of shocks as
    strong as the bound, from whatever cause.
    """

    fade: float = 10.0  # [s] in which a peak loses 63 %
    settle: float = 10.0  # [s] time constant of the running mean, and the warm-up
    every: float = 0.02  # [s] between samples
    origin: float = 0.0  # [SI] where the score begins
    scale: float = 1.0  # [SI] from `origin` to the bound

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Samples until the mean stands. [1]"""
        return max(2, round(self.settle / self.every))

    def init(self, n: int) -> PeakState:
        """State of n series that have seen nothing."""
        return PeakState(np.zeros(n, np.int64), *np.zeros((2, n)))

    def step(self, s: PeakState, x: Floats) -> tuple[PeakState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        peak = np.empty(x.shape[::-1])
        keep = np.exp(-self.every / self.fade)
        if flows(s.seen, self.warmup, x):
            s = self._flow(s, x.T, peak, keep)
        else:
            for j in range(x.shape[1]):
                s, peak[j] = self._tick(s, x[:, j], keep)
        score = np.maximum((peak - self.origin) / self.scale, 0.0)
        return s, score.T

    def _flow(self, s: PeakState, x: Floats, peak: Floats, keep: float) -> PeakState:
        """All ticks of series that are warm and complete: x, peak [k, m]. What `_tick` does, without its masks."""
        mean, last, gain = s.mean.copy(), s.peak.copy(), 1 / self.warmup
        off = np.empty_like(mean)
        for now, high in zip(x, peak, strict=True):
            np.subtract(now, mean, out=off)
            np.abs(off, out=high)
            off *= gain
            mean += off
            last *= keep
            np.maximum(high, last, out=last)
            high[...] = last
        return PeakState(s.seen.copy(), mean, last)

    def _tick(self, s: PeakState, x: Floats, keep: float) -> tuple[PeakState, Floats]:
        judge, ripe = np.isfinite(x), s.seen >= self.warmup
        off = np.abs(x - s.mean)
        mean = s.mean + np.maximum(1 / self.warmup, 1 / (s.seen + 1)) * (x - s.mean)  # equal weights until there are enough
        peak = np.where(ripe, np.maximum(off, s.peak * keep), 0.0)
        now = PeakState(np.minimum(s.seen + 1, self.warmup), mean, peak)
        now = PeakState(*(np.where(judge, new, old) for new, old in zip(now, s, strict=True)))
        return now, np.where(judge & ripe, peak, np.nan)


default = Peak()
