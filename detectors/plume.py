"""Plume: how far a reading has stood above the background of its own air, more than once of late."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors import ordered
from lifeline.model import Floats, Ints


class PlumeState(NamedTuple):
    past: Floats  # [n, 2, depth] [SI] readings of the slots before, and their excess, oldest first; NaN: nothing came
    seen: Ints  # [n] [1] slots so far, up to the warm-up


@dataclass(frozen=True)
class Plume:
    """The `count`-th largest excess of the last `recent` seconds: a reading less the low quantile of the `window` it ends.

    A gas plume in the open touches a fixed sensor in bursts, for the wind turns it away again and again; the air between the
    bursts is the background. That the count-th largest passes a bound says that `count` samples of the recent ones did: the
    coincidence procedure of M. Schwartz (IRE Trans. Inf. Theory 2, 1956, 135-139). Departure: the bound is measured from the
    `share` quantile of the window, which follows the drift of the sensor and of the air. The score stays up for `recent` after
    the last burst, so that a plume that comes and goes is one.

    White noise of spread σ passes a bound of q σ above the background, count times in r recent samples, about once in
    1 / (C(r - 1, count - 1) p^count) samples, p = erfc(q / sqrt 2) / 2: for 2 of 30 and q = 6, 10^16. What raises false alarms
    is the air: a background that climbs by the bound within (1 - share) of the window scores 1.
    """

    window: float = 600.0  # [s] whose quantile is the background
    share: float = 0.25  # [1] of the window's readings that lie below the background
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

    @property
    def memory(self) -> int:
        """Slots whose excess counts. [1]"""
        return max(self.count, round(self.recent / self.every))

    def init(self, n: int) -> PlumeState:
        """State of n series that have seen nothing."""
        return PlumeState(np.full((n, 2, max(self.width, self.memory) - 1), np.nan), np.zeros(n, np.int64))

    def step(self, s: PlumeState, x: Floats) -> tuple[PlumeState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        k = x.shape[1]
        if not k:
            return s, np.empty(x.shape)
        readings = np.concatenate([s.past[:, 0].T, x.T])  # [t, m], as are those below
        fresh = self._excess(readings[-(self.width - 1 + k) :])
        excess = np.concatenate([s.past[:, 1].T, fresh])
        score = self._burst(excess[-(self.memory - 1 + k) :])
        score -= self.origin
        score /= self.scale
        np.maximum(score, 0.0, out=score)
        ripe = s.seen + np.arange(1, k + 1)[:, None] > self.warmup
        score[~(np.isfinite(fresh) & ripe)] = np.nan
        past = np.empty_like(s.past)
        past[:, 0], past[:, 1] = readings[k:].T, excess[k:].T
        return PlumeState(past, np.minimum(s.seen + k, self.warmup)), score.T

    def _excess(self, readings: Floats) -> Floats:
        """Each reading above its background, NaN where less than two thirds of the window are there. -> [k, m] [SI]"""
        rank = max(int(np.ceil(self.share * self.width)), 1)
        if ordered.merges(readings, self.width, rank) and np.isfinite(readings).all():
            return readings[self.width - 1 :] - ordered.smallest(readings, self.width, rank)
        window = np.sort(sliding_window_view(readings.T, self.width, axis=1), axis=2)  # missing ones last
        filled = np.isfinite(window).sum(axis=2)
        at = np.maximum(np.ceil(self.share * filled).astype(np.int64) - 1, 0)
        low = np.take_along_axis(window, at[:, :, None], axis=2)[:, :, 0]
        known = (3 * filled >= 2 * self.width).T
        return np.where(known, readings[self.width - 1 :] - low.T, np.nan)

    def _burst(self, excess: Floats) -> Floats:
        """The count-th largest of each recent time, -inf where there are fewer. -> [k, m] [SI]"""
        if ordered.merges(excess, self.memory, self.count):
            below = -excess
            below[np.isnan(below)] = np.inf
            return -ordered.smallest(below, self.memory, self.count)
        there = np.where(np.isfinite(excess), excess, -np.inf).T
        largest: Floats = np.partition(sliding_window_view(there, self.memory, axis=1), -self.count, axis=2)[:, :, -self.count]
        return np.asfortranarray(largest).T


default = Plume()
