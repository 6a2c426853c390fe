"""Noise: a sensor that has become louder than it ever was, while those around it have not."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Members

CALM: Final = 0.7  # [1] a window of a higher score teaches nothing
SCALE: Final = 0.6745 * 6**0.5  # [1] median of |second differences| over the spread of white noise
STEADY: Final = (
    "strain",
    "deflection",
    "displacement",
    "tilt",
    "joint",
    "crack",
    "bearing_force",
    "cable_force",
    "temperature",
    "humidity",
    "gas_pressure",
    "water_pressure",
    "water_level",
    "conductivity",
    "ph",
)  # fmt: skip  quantities that do not leap with use


class NoiseState(NamedTuple):
    at: Ints  # [1] number of the window being filled; -1: none yet
    held: Floats  # [m, window] [SI] its slots, of the m series that are judged; NaN: nothing was said
    usual: Floats  # [m] [SI] spread in the loudest window, slowly forgotten
    last: Floats  # [m] [SI] spread in the window before, which teaches unless the next one is strange; NaN: none
    seen: Ints  # [m] [1] windows that taught
    now: Floats  # [m] [1] score of the last window
    due: Bools  # [m] series that have not been told it


@dataclass(frozen=True)
class Noise:
    """Spread of a window's noise over `factor` times that of the loudest window so far, as far as no neighbour grew louder.

    The spread is 1.652⁻¹ median |x₋₁ - 2 x₀ + x₊₁|, from second differences (T. Gasser, L. Sroka and C. Jennen-Steinmetz,
    Biometrika 73, 1986, 625-633, with the median in place of the mean square): it does not see what moves slowly, nor the few
    slots in which a lorry passes. Ambient vibration, traffic and wind make all sensors of an asset louder: growth is reckoned
    over the greatest growth of any other device there. The loudest of few windows is not yet the loudest of a week: `factor` is
    twice as much after `learn` windows, and comes down to itself as 1 + learn/windows. What is nearly strange teaches
    nothing, nor does the window before it, in which it may have begun. Noise of constant spread, normal or heavy-tailed, gave
    no score of 1 in 128,000 windows; what else may, docs/detectors/noise.md counts. All assets of a domain are one panel, since
    a city has tens of thousands of them.
    """

    over: tuple[str, ...] = STEADY
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = 60.0  # [s]
    window: int = 30  # [slot]
    learn: int = 8  # [1] windows that only teach
    factor: float = 3.0  # [1]
    least: float = 1e-4  # [1] of the sensor's range: what is quieter is taken to be as loud as this
    memory: float = 1000.0  # [1] windows in which the loudest is forgotten
    above: float = 0.0  # [s] series of this step or a shorter one are left to a rule of shorter slots
    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [m] of those judged; set by `settled`, as all below
    floor: Floats = field(default_factory=lambda: np.empty(0))  # [m] [SI]
    device: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [m] number of each one's device
    asset: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [devices] number of each device's asset

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn * self.window

    def settled(self, m: Members) -> Self | None:
        """None where no series has such a step."""
        rows = np.flatnonzero(m.judged & (m.step > self.above) & (m.step <= self.slot))
        if not rows.size:
            return None
        span = self.least * (m.high - m.low)[rows]
        asset = np.unique(m.asset[rows].astype(str), return_inverse=True)[1].ravel()
        name = np.unique(m.device[rows].astype(str), return_inverse=True)[1].ravel()
        pairs, device = np.unique(np.c_[asset, name], axis=0, return_inverse=True)
        return replace(self, rows=rows, floor=np.where(np.isfinite(span), span, 0.0), device=device.ravel(), asset=pairs[:, 0])

    def init(self, n: int) -> NoiseState:  # noqa: ARG002  those that are judged are known
        """State of series that have said nothing."""
        m = self.rows.size
        return NoiseState(
            np.full(1, -1, np.int64), np.full((m, self.window), np.nan), np.zeros(m), np.full(m, np.nan), np.zeros(m, np.int64),
            np.full(m, np.nan), np.zeros(m, np.bool_),
        )  # fmt: skip

    def step(self, s: NoiseState, x: Floats, t: Ints) -> tuple[NoiseState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1], told with the first slot after each window."""
        s = NoiseState._make(a.copy() for a in s)
        score, mine = np.full(x.shape, np.nan), x[self.rows]
        slot = (t - 1) // round(self.slot * NS)
        number = slot // self.window
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), t.size] if t.size else []
        for a, b in pairwise(edges):
            if number[a] != s.at[0]:
                s = self._closed(s)
                s.at[0] = number[a]
            s.held[:, slot[a:b] % self.window] = mine[:, a:b]
            self._tell(s, mine[:, a:b], score[:, a:b])
        return s, score

    def _tell(self, s: NoiseState, x: Floats, score: Floats) -> None:
        """Write the last score to the first slot of each series x [m, k] that has not been told it. score [n, k]"""
        there = np.isfinite(x)
        told = np.flatnonzero(s.due & there.any(axis=1))
        score[self.rows[told], there[told].argmax(axis=1)] = s.now[told]
        s.due[told] = False

    def _closed(self, s: NoiseState) -> NoiseState:
        """The window is over: judge it, and learn from it where it is as usual."""
        spread = spreads(s.held)
        there = np.isfinite(spread)
        usual = np.maximum(s.usual, self.floor)
        known = there & (s.seen >= self.learn) & (usual > 0)
        growth = np.where(known, spread / np.where(usual > 0, usual, 1.0), 0.0)
        young = 1 + self.learn / np.maximum(s.seen, 1)
        score = growth / (self.factor * young * np.maximum(around(growth, self.device, self.asset), 1.0))
        strange = known & (score >= CALM)
        teaches = there & ~strange & np.isfinite(s.last)
        kept = s.usual * (1 - 1 / self.memory)
        return s._replace(
            held=np.full_like(s.held, np.nan), usual=np.where(teaches, np.fmax(kept, s.last), s.usual), seen=s.seen + teaches,
            last=np.where(there, np.where(strange, np.nan, spread), s.last), now=np.where(known, score, np.nan), due=known,
        )  # fmt: skip


def spreads(x: Floats) -> Floats:
    """Spread of the noise in windows x [n, window], NaN where fewer than half of the slots are there. [n] [SI]"""
    bent = np.abs(x[:, :-2] - 2 * x[:, 1:-1] + x[:, 2:])
    enough = 2 * np.isfinite(bent).sum(axis=1) >= bent.shape[1]
    out = np.full(len(x), np.nan)
    if enough.any():
        out[enough] = np.nanmedian(bent[enough], axis=1) / SCALE
    return out


def around(growth: Floats, device: Ints, asset: Ints) -> Floats:
    """Greatest growth among the other devices of an asset, series by series. growth, device [m], asset [devices]; [m] [1]"""
    loudest = np.zeros(asset.size)
    np.maximum.at(loudest, device, growth)
    order = np.lexsort((loudest, asset))
    ends = np.flatnonzero(np.diff(asset[order], append=-1))  # the loudest device of each asset stands there
    first = np.r_[0, ends[:-1] + 1]
    second = np.where(ends > first, loudest[order[np.maximum(ends - 1, 0)]], 0.0)
    others = np.repeat(loudest[order[ends]], ends - first + 1)
    others[ends] = second
    by_device = np.empty(asset.size)
    by_device[order] = others
    return by_device[device]


default = Noise()
