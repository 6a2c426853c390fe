"""Plume: how far a reading has stood above the background of its own air, more than once of late."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints


class PlumeState(NamedTuple):
    past: Floats  # [n, window - 1] [SI] the slots before, oldest first; NaN: nothing came
    seen: Ints  # [n] [1] slots so far, up to the warm-up


@dataclass(frozen=True)
class Plume:
    """The `count`-th largest reading of the last `recent` seconds, above a low quantile of the last `window` seconds.

    A gas plume in the open touches a fixed sensor in bursts, for the wind turns it away again and again; the air between the
    bursts is the background. That the count-th largest passes a bound says that `count` samples of the recent ones did: the
    coincidence procedure of M. Schwartz (IRE Trans. Inf. Theory 2, 1956, 135-139). Departure: the bound is measured from the
    `share` quantile of the window, which follows sensor drift and the slow change of the air. The score stays up for `recent`
    after the last burst, so that a plume that comes and goes is one.

    White noise of spread σ passes a bound of q σ above the mean, count times in r recent samples, about once in
    1 / (C(r - 1, count - 1) p^count) samples, p = erfc(q / sqrt 2) / 2: for 2 of 30 and q = 6, 10^16. What raises false alarms
    is the air: a background that climbs by the bound within (1 - share) of the window scores 1.
    """

    window: float = 3600.0  # [s] whose quantile is the background
    share: float = 0.1  # [1] of the window's readings that lie below the background
    recent: float = 1800.0  # [s] in which a burst counts
    count: int = 2  # [1] readings above a bound that make a plume
    every: float = 60.0  # [s] between samples
    origin: float = 0.0  # [SI] above the background where the score begins
    scale: float = 1.0  # [SI] from `origin` to the bound

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def width(self) -> int:
        """Samples in the window, at least three. [1]"""
        return max(3, round(self.window / self.every))

    @property
    def warmup(self) -> int:
        return self.width - 1

    def init(self, n: int) -> PlumeState:
        """State of n series that have seen nothing."""
        return PlumeState(np.full((n, self.width - 1), np.nan), np.zeros(n, np.int64))

    def step(self, s: PlumeState, x: Floats) -> tuple[PlumeState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        k = x.shape[1]
        past = np.concatenate([s.past, x], axis=1)
        seen = s.seen[:, None] + np.arange(1, k + 1)
        excess, filled = np.empty(x.shape), np.empty(x.shape)
        for j in range(k):
            excess[:, j], filled[:, j] = self._excess(past[:, j : j + self.width])
        judge = np.isfinite(x) & (seen > self.warmup) & (3 * filled >= 2 * self.width)
        score = np.where(judge, np.maximum((excess - self.origin) / self.scale, 0.0), np.nan)
        return PlumeState(past[:, k:].copy(), np.minimum(s.seen + k, self.warmup)), score

    def _excess(self, seen: Floats) -> tuple[Floats, Ints]:
        """Of a window [m, width]: count-th largest recent reading above the background [m] [SI]; readings there [m] [1]."""
        order = np.sort(seen, axis=1)  # missing ones last
        filled = np.isfinite(seen).sum(axis=1)
        at = np.maximum(np.ceil(self.share * filled).astype(np.int64) - 1, 0)
        low = np.take_along_axis(order, at[:, None], axis=1)[:, 0]
        newest = seen[:, -max(self.count, round(self.recent / self.every)) :]
        high = np.sort(np.where(np.isfinite(newest), newest, -np.inf), axis=1)[:, -self.count]
        return np.where(np.isfinite(high), high - low, 0.0), filled


default = Plume()
