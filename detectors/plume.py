"""Plume: how far a reading has stood above the background of its own air and of its site, more than once of late."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.air import finer, first_noise, noisier, shared
from lifeline.model import NS, Floats, Ints, Members

FEWEST: Final = 3  # [slot] of a background
STEPS: Final = 2.5  # [1] of the least step of a sensor, that a burst is higher than: one step up and down is no gas
AT_ONCE: Final = 512  # [slot] whose windows are sorted together


class PlumeState(NamedTuple):
    at: Ints  # [1] [ns] end of the last slot; 0: none yet
    past: Floats  # [n, 2, depth] [SI] readings of the slots before, and their excess, oldest first; NaN: nothing came
    seen: Ints  # [n] [1] slots so far, up to the warm-up
    noise: Floats  # [n] [SI] spread of a reading from minute to minute; NaN: not known
    grain: Floats  # [n] [SI] least step that was seen; inf: none


@dataclass(frozen=True)
class Plume:
    """The `count`-th largest excess of the last `recent` seconds: a reading less the low quantile of the `window` it ends.

    A gas plume in the open touches a fixed sensor in bursts, for the wind turns it away again and again; the air between the
    bursts is the background. That the count-th largest passes a bound says that `count` samples of the recent ones did: the
    coincidence procedure of M. Schwartz (IRE Trans. Inf. Theory 2, 1956, 135-139). Departures: the bound is measured from the
    `share` quantile of the window, which follows the drift of the sensor and of the air; what three sensors of a site or more
    rise by at once, as in the still air of a night, is the air's, up to `most` (detectors/air.py); and what is not `clear`
    spreads of the sensor's own noise above, or only a step or two of its display, is no burst. The score stays up for `recent`
    after the last burst, so that a plume that comes and goes is one. Slow series have a background of three readings at least,
    and `count + 2` that count.

    White noise of spread σ passes a bound of q σ above the background, count times in r recent samples, about once in
    1 / (C(r - 1, count - 1) p^count) samples, p = erfc(q / sqrt 2) / 2: for 2 of 30 and q = 6, 10^16. What raises false alarms
    is the air: a background that climbs at one sensor alone by the bound within (1 - share) of the window scores 1.
    """

    over: tuple[str, ...] = ("methane_air",)
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.0  # [s] the usual step
    window: float = 600.0  # [s] whose quantile is the background
    share: float = 0.25  # [1] of the window's readings that lie below the background
    recent: float = 1800.0  # [s] in which a burst counts
    count: int = 2  # [1] readings above a bound that make a plume
    clear: float = 6.0  # [σ] of a sensor's noise, below which there is no burst
    most: float = 2e-6  # [SI] that the air of a whole site rises by; more is gas, wherever it is
    every: float = 60.0  # [s] slot; set by `settled`
    origin: float = 0.0  # [SI] above the background where the score begins
    scale: float = 1.0  # [SI] from `origin` to the bound

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def width(self) -> int:
        """Slots in the window. [1]"""
        return max(FEWEST, round(self.window / self.every))

    @property
    def warmup(self) -> int:
        return self.width - 1

    @property
    def memory(self) -> int:
        """Slots whose excess counts. [1]"""
        return max(self.count + 2, round(self.recent / self.every))

    def settled(self, m: Members) -> Self | None:
        """For sensors of any number; one alone has its own air only."""
        return replace(self, every=m.slot)

    def init(self, n: int) -> PlumeState:
        """A site of which nothing is known."""
        past = np.full((n, 2, max(self.width, self.memory) - 1), np.nan)
        return PlumeState(np.zeros(1, np.int64), past, np.zeros(n, np.int64), np.full(n, np.nan), np.full(n, np.inf))

    def step(self, s: PlumeState, x: Floats, t: Ints) -> tuple[PlumeState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        if not x.shape[1]:
            return s, np.empty(x.shape)
        before = np.r_[s.at if s.at[0] else t[:1], t[:-1]]
        cuts = np.flatnonzero(t - before > self.recent * NS + self.memory * self.every * NS).tolist()
        cuts = sorted({0, *cuts, *range(0, t.size, AT_ONCE)})
        score = np.empty(x.shape)
        for a, b in zip(cuts, [*cuts[1:], t.size], strict=True):
            if t[a] - before[a] > self.recent * NS + self.memory * self.every * NS:
                s = self.init(len(x))  # the air of hours ago is no background
            s, score[:, a:b] = self._run(s, x[:, a:b], t[a:b])
        return s, score

    def _run(self, s: PlumeState, x: Floats, t: Ints) -> tuple[PlumeState, Floats]:
        """Some slots in a row."""
        k = x.shape[1]
        readings = np.concatenate([s.past[:, 0], x], axis=1)
        fresh = self.excess(readings[:, -(self.width - 1 + k) :])
        least, noise, grain = self._least(s, readings[:, -(self.width - 1 + k) :], k)
        fresh = fresh - shared(fresh, self.most)
        fresh = np.where(np.isfinite(fresh) & (fresh < least), np.minimum(fresh, 0.0), fresh)
        excess = np.concatenate([s.past[:, 1], fresh], axis=1)
        seen = s.seen[:, None] + np.arange(1, k + 1)
        burst = self._burst(excess[:, -(self.memory - 1 + k) :])
        score = np.maximum((burst - self.origin) / self.scale, 0.0)
        score = np.where(np.isfinite(fresh) & (seen > self.warmup), score, np.nan)
        past = np.stack([readings[:, k:], excess[:, k:]], axis=1)
        return PlumeState(t[-1:].copy(), past, np.minimum(s.seen + k, self.warmup), noise, grain), score

    def excess(self, readings: Floats) -> Floats:
        """Each reading above its background, NaN where less than two thirds of the window are there. -> [m, k] [SI]"""
        window = np.sort(sliding_window_view(readings, self.width, axis=1), axis=2)  # missing ones last
        filled = np.isfinite(window).sum(axis=2)
        at = np.maximum(np.ceil(self.share * filled).astype(np.int64) - 1, 0)
        low = np.take_along_axis(window, at[:, :, None], axis=2)[:, :, 0]
        return np.where(3 * filled >= 2 * self.width, readings[:, self.width - 1 :] - low, np.nan)

    def _least(self, s: PlumeState, readings: Floats, k: int) -> tuple[Floats, Floats, Floats]:
        """What a burst is higher than at each slot [m, k] [SI], and what is known of noise and grain after them."""
        step = np.diff(readings, axis=1)
        noise, grain, least = s.noise, s.grain, np.zeros((len(readings), k))
        for j in range(k):
            now = step[:, j + self.width - 2]
            grain = finer(grain, now, readings[:, j + self.width - 1])
            new = np.isnan(noise)
            noise = noisier(noise, now)
            if new.any():
                noise = np.where(new & (s.seen + j + 1 >= self.width), first_noise(step[:, j : j + self.width - 1]), noise)
            least[:, j] = np.fmax(self.clear * noise, np.where(np.isfinite(grain), STEPS * grain, 0.0))
        return np.minimum(np.nan_to_num(least), STEPS * self.most), noise, grain  # a first step of many ppm is no display's

    def _burst(self, excess: Floats) -> Floats:
        """The count-th largest of each recent time, -inf where there are fewer. -> [m, k] [SI]"""
        there = np.where(np.isfinite(excess), excess, -np.inf)
        largest: Floats = np.partition(sliding_window_view(there, self.memory, axis=1), -self.count, axis=2)[:, :, -self.count]
        return largest


default = Plume()
