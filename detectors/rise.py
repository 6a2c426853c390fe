"""Rise: how fast a reading climbs."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints


class RiseState(NamedTuple):
    past: Floats  # [n, window - 1] [SI] the slots before, oldest first; NaN: nothing came
    seen: Ints  # [n] [1] slots so far, up to the warm-up


@dataclass(frozen=True)
class Rise:
    """Slope of the least-squares line through the last `window` seconds (K. F. Gauss, Theoria motus, 1809, 186).

    A missing reading keeps its slot, since time went on, and two thirds of the slots must be filled. For white noise of
    spread σ the slope of w samples `every` seconds apart has spread σ / every * sqrt(12 / (w (w² - 1))); a bound of q such
    spreads is crossed once in some 2 / erfc(q / sqrt 2) windows.
    """

    window: float = 3600.0  # [s]
    every: float = 60.0  # [s] between samples
    origin: float = 0.0  # [SI/s] where the score begins
    scale: float = 1.0  # [SI/s] from `origin` to the bound; negative for a fall

    dimension: ClassVar[str] = "rate"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def width(self) -> int:
        """Samples in the window, at least three. [1]"""
        return max(3, round(self.window / self.every) + 1)

    @property
    def warmup(self) -> int:
        return self.width - 1

    def init(self, n: int) -> RiseState:
        """State of n series that have seen nothing."""
        return RiseState(np.full((n, self.width - 1), np.nan), np.zeros(n, np.int64))

    def step(self, s: RiseState, x: Floats) -> tuple[RiseState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        k = x.shape[1]
        past = np.concatenate([s.past, x], axis=1)
        seen = s.seen[:, None] + np.arange(1, k + 1)
        slope, filled = self._slope(past, x)
        judge = np.isfinite(x) & (seen > self.warmup) & (3 * filled >= 2 * self.width)
        score = np.where(judge, np.maximum((slope - self.origin) / self.scale, 0.0), np.nan)
        return RiseState(past[:, k:].copy(), np.minimum(s.seen + k, self.warmup)), score

    def _slope(self, past: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Slope of the window ending at each x [m, k] [SI/s], and how many of its samples are there [1]."""
        n, t1, t2, y1, ty = np.zeros((5, *x.shape))
        for i in range(self.width):  # a slot of the window at a time, always in the same order
            y = past[:, i : i + x.shape[1]] - x  # about the newest sample, so that no digits are lost
            there = np.isfinite(y)
            t, y = i - self.warmup, np.where(there, y, 0.0)
            n += there
            t1 += t * there
            t2 += t * t * there
            y1 += y
            ty += t * y
        spread = n * t2 - t1 * t1
        return (n * ty - t1 * y1) / np.where(spread > 0, spread, np.nan) / self.every, n


default = Rise()
