"""RMS: how strongly something shakes."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from detectors.baseline import flows
from lifeline.model import Floats, Ints


class RmsState(NamedTuple):
    seen: Ints  # [n] [1] finite samples so far, up to the warm-up
    mean: Floats  # [n] [SI] what stays: gravity, an offset
    power: Floats  # [n] [SI²] mean square about it


@dataclass(frozen=True)
class Rms:
    """Root mean square about the running mean over `window` seconds (running r.m.s. of ISO 2631-1:1997, 6.3.1, eq. 3).

    Departures: exponential memory with half of `window` as time constant, which averages white noise as well as a block of
    `window` does, answers at once to a strong motion and needs no ring of 30,000 samples; the mean is taken away. No
    statistics are assumed: the false-alarm rate is that of the structure's own motion. For white noise the estimate has a
    relative spread of sqrt(every / (2 window)): 0.4 % at 50 Hz and ten minutes.
    """

    window: float = 600.0  # [s]
    every: float = 0.02  # [s] between samples
    origin: float = 0.0  # [SI] where the score begins
    scale: float = 1.0  # [SI] from `origin` to the bound

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """A whole window. [1]"""
        return max(2, round(self.window / self.every))

    def init(self, n: int) -> RmsState:
        """State of n series that have seen nothing."""
        return RmsState(np.zeros(n, np.int64), *np.zeros((2, n)))

    def step(self, s: RmsState, x: Floats) -> tuple[RmsState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        power = np.empty(x.shape[::-1])
        if flows(s.seen, self.warmup, x):
            s = self._flow(s, x.T, power)
        else:
            for j in range(x.shape[1]):
                s, power[j] = self._tick(s, x[:, j])
        score = np.maximum((np.sqrt(power) - self.origin) / self.scale, 0.0)
        return s, score.T

    def _flow(self, s: RmsState, x: Floats, power: Floats) -> RmsState:
        """All ticks of series that are warm and complete: x, power [k, m]. What `_tick` does, without its masks."""
        mean, last, gain = s.mean.copy(), s.power.copy(), 2 / self.warmup
        off, step = np.empty_like(mean), np.empty_like(mean)
        for now, said in zip(x, power, strict=True):
            np.subtract(now, mean, out=off)
            np.multiply(off, gain, out=step)
            mean += step
            np.subtract(now, mean, out=step)
            off *= step
            off -= last
            off *= gain
            last += off
            said[...] = last
        return RmsState(s.seen.copy(), mean, last)

    def _tick(self, s: RmsState, x: Floats) -> tuple[RmsState, Floats]:
        judge = np.isfinite(x)
        gain = np.maximum(2 / self.warmup, 1 / (s.seen + 1))  # equal weights until there are enough
        mean = s.mean + gain * (x - s.mean)
        power = s.power + gain * ((x - s.mean) * (x - mean) - s.power)
        now = RmsState(np.minimum(s.seen + 1, self.warmup), mean, power)
        now = RmsState(*(np.where(judge, new, old) for new, old in zip(now, s, strict=True)))
        return now, np.where(judge & (s.seen >= self.warmup), power, np.nan)


default = Rms()
