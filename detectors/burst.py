"""Burst: how fast the gauges of a network lose pressure, and in which pipe a hole would do so."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.piping import demand, likely, network
from detectors.rise import Counts, Rise, RiseState
from lifeline.model import NS, Floats, Ints, Members, Place

NOISE: Final = 0.15 * 9806.65  # [Pa] of a gauge, and what is drawn beside it
SWAY: Final = 0.05  # [1] of the mean demand, by which it may have changed meanwhile


class BurstState(NamedTuple):
    last: Ints  # [1] [ns] end of the last slot; 0: none yet
    past: Floats  # [n, ...] of the slope, as `rise` keeps it
    seen: Counts
    recent: Floats  # [n, 2 w + 1] [SI] slots of the last two windows, oldest first; NaN: nothing was said


@dataclass(frozen=True)
class Burst:
    """Slope of each gauge over `window`, as `rise` has it, where a file of the network knows where the gauges are.

    The file says which pipe it is: the last slot less the mean of the window before last, against what holes take from the
    gauges (detectors/piping.py). Its false alarms are those of the slope.
    """

    over: tuple[str, ...] = ("water_pressure",)
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.0  # [s] the usual step
    window: float = 300.0  # [s]
    origin: float = 0.0  # [SI/s] where the score begins
    scale: float = -1.0  # [SI/s] from `origin` to the bound; negative for a fall
    every: float = 300.0  # [s] slot; set by `settled`
    device: tuple[str, ...] = field(default=(), repr=False)  # [n] set by `settled`
    map: Path | None = None  # set by `settled`

    dimension: ClassVar[str] = "rate"  # what the bounds of its rules are
    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def slope(self) -> Rise:
        return Rise(self.window, self.every, self.origin, self.scale)

    @property
    def slots(self) -> int:
        """In a window. [1]"""
        return max(1, round(self.window / self.every))

    @property
    def warmup(self) -> int:
        """Of the slope. [1]"""
        return self.slope.warmup

    def settled(self, m: Members) -> Self | None:
        """None where no file knows three of the gauges: they are judged one by one."""
        device = tuple(np.where(m.judged, m.device, "").tolist())
        if m.map is None or network(m.map, device) is None:
            return None
        return replace(self, every=m.slot, device=device, map=m.map)

    def init(self, n: int) -> BurstState:
        """Gauges of which nothing is known."""
        return BurstState(np.zeros(1, np.int64), *self.slope.init(n), np.full((n, 2 * self.slots + 1), np.nan))

    def step(self, s: BurstState, x: Floats, t: Ints) -> tuple[BurstState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        score = np.empty(x.shape)
        for j in range(x.shape[1]):
            if s.last[0] and t[j] - s.last[0] > 2 * self.window * NS:
                s = self.init(x.shape[0])
            r, score[:, j : j + 1] = self.slope.step(RiseState(s.past, s.seen), x[:, j : j + 1])
            s = BurstState(t[j : j + 1].copy(), r.past, r.seen, np.hstack([s.recent[:, 1:], x[:, j : j + 1]]))
        return s, score

    def locate(self, s: BurstState, i: int) -> tuple[Place, ...]:  # noqa: ARG002  whoever speaks, the cause is one
        """Pipes in which a hole explains best what the gauges have lost, likeliest first."""
        if self.map is None:
            return ()
        first = s.recent[:, : self.slots]
        there = np.isfinite(first)
        before = np.where(there.any(axis=1), np.where(there, first, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.nan)
        sway = SWAY * demand(self.map, self.device, before)
        spread = NOISE**2 * np.eye(before.size) + np.outer(sway, sway)
        return likely(self.map, self.device, before, before - s.recent[:, -1], spread)


default = Burst()
