"""Quality: range, spike, stuck, saturation -> a code per sample. The value itself is never changed.

A spike is a change faster than the sensor's physics allows. It is BAD_SPIKE for one sample and never for two in a row: the next
sample, whatever it says, is taken as the truth, so that no hazard is hidden for longer than one sample. What lies outside the
range is BAD_RANGE and is no reference for later samples. A sensor at the end of its range is SATURATED, however long it stays
there. NaN is missing: SUSPECT, and the memory stands still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import NS, Bools, Codes, Floats, Ints, Quality, Rows
from lifeline.units import UNITS

SHIPPED: Final = Path(__file__).with_suffix(".toml")
PEG: Final = 0.98  # [1] of the range, from which on a sensor counts as pegged
OVERSHOOT: Final = 0.1  # [1] of the range, that a pegged sensor may say beyond it; more is an error code, no value
ROUNDING: Final = 1e-6  # [1] of the range, by which single precision may overshoot its ends
FEWEST: Final = 20  # equal samples that can ever make a sensor stuck


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one quantity can and cannot do, as its sensors show it."""

    unit: str
    max_step: float  # [unit/s] fastest change that a sensor can show; inf: any
    noise: float  # [unit] change that is always possible, however short the time
    stuck: float  # [s] of equal samples that make it stuck, and FEWEST of them at least; inf: never
    repeats: list[float]  # [unit] values between these two may repeat for ever; none if empty
    pegged: bool  # the upper end of the range means: at least so much
    source: str
    confidence: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r} is not in the table of units")
        if len(self.repeats) not in {0, 2} or sorted(self.repeats) != self.repeats:
            raise ValueError("repeats must be [] or [lower, upper]")
        if not (self.max_step > 0 and self.noise >= 0 and self.stuck > 0):
            raise ValueError("max_step and stuck must be above 0, noise at least 0; inf switches a check off")


class QualityState(NamedTuple):
    """Memory of n series."""

    value: Floats  # [n] [SI] last sample within range that was taken as true; NaN: none yet
    t: Ints  # [n] [ns] its time
    spiked: Bools  # [n] the sample after it was called a spike
    last: Floats  # [n] [SI] last sample of any kind
    run: Ints  # [n] equal samples up to and with it


@dataclass(frozen=True)
class Gate:
    """Bounds by catalog row."""

    low: Floats  # [n] [SI]
    high: Floats  # [n] [SI]
    peg: Floats  # [n] [SI] saturated from here on; inf: never
    max_step: Floats  # [n] [SI/s]
    noise: Floats  # [n] [SI]; inf: no change is too fast
    stuck: Floats  # [n] equal samples; inf: never
    rest: Floats  # [n] [SI] lowest of the values that may repeat; NaN: none may
    rise: Floats  # [n] [SI] highest of them

    def init(self, n: int) -> QualityState:
        """Memory of n series that have seen nothing."""
        return QualityState(
            np.full(n, np.nan), np.zeros(n, np.int64), np.zeros(n, np.bool_), np.full(n, np.nan), np.zeros(n, np.int64)
        )

    def step(self, s: QualityState, rows: Rows, t: Ints, x: Floats) -> tuple[QualityState, Codes]:
        """Grade x [m, k] [SI] at t [m, k] [ns]. s: memory of the m series `rows`, not of the whole catalog."""
        if not x.shape[1]:
            return s, np.empty(x.shape, np.uint8)
        g = self.of(rows)
        finite = np.isfinite(x)
        inside = finite & (x >= g.low) & (x <= g.high)
        spike, value, time, spiked = _spikes(g, s, t, x, inside)
        run = _runs(s, x, finite)
        stuck = (run >= g.stuck) & ~((x >= g.rest) & (x <= g.rise))
        code = np.full(x.shape, Quality.GOOD, np.uint8)
        code[stuck] = Quality.BAD_STUCK
        code[x >= g.peg] = Quality.SATURATED
        code[spike] = Quality.BAD_SPIKE
        code[~inside] = Quality.BAD_RANGE
        code[~finite] = Quality.SUSPECT
        return QualityState(value, time, spiked, _latest(finite, x, s.last), run[:, -1]), code

    def of(self, rows: Rows | Ints) -> "Gate":
        """Bounds of some rows, as columns. [m, 1]"""
        return Gate(*(getattr(self, f.name)[rows].reshape(len(rows), 1) for f in fields(self)))

    def allowed(self, apart: Ints) -> Floats:
        """Change that is possible within so many [ns], whichever sample came first. [SI]"""
        return np.asarray(self.noise + self.max_step * (np.abs(apart) / NS))


def _spikes(g: Gate, s: QualityState, t: Ints, x: Floats, inside: Bools) -> tuple[Bools, Floats, Ints, Bools]:
    """Which are spikes [m, k]; the last true value, its time, whether a spike came after it [m]."""
    spike, spiked = np.zeros(x.shape, np.bool_), s.spiked & ~inside.any(axis=1)
    value, time = _latest(inside, x, s.value), _latest(inside, t, s.t)
    if np.isinf(g.noise).all():
        return spike, value, time, spiked
    apart, change = t - _previous(inside, t, s.t), np.abs(x - _previous(inside, x, s.value))
    hard = np.flatnonzero((inside & (change > g.allowed(apart))).any(axis=1))  # here it matters which samples before were taken
    if hard.size:
        part = QualityState(s.value[hard], s.t[hard], s.spiked[hard], s.last[hard], s.run[hard])
        spike[hard], value[hard], time[hard], spiked[hard] = _one_by_one(g.of(hard), part, t[hard], x[hard], inside[hard])
    return spike, value, time, spiked


def _one_by_one(g: Gate, s: QualityState, t: Ints, x: Floats, inside: Bools) -> tuple[Bools, Floats, Ints, Bools]:
    value, time, spiked = s.value, s.t, s.spiked
    spike = np.zeros(x.shape, np.bool_)
    for j in range(x.shape[1]):
        fast = np.abs(x[:, j] - value) > g.allowed((t[:, j] - time)[:, None])[:, 0]
        spike[:, j] = inside[:, j] & fast & ~spiked
        taken = inside[:, j] & ~spike[:, j]
        value, time = np.where(taken, x[:, j], value), np.where(taken, t[:, j], time)
        spiked = np.where(inside[:, j], spike[:, j], spiked)
    return spike, value, time, spiked


def _previous(which: Bools, x: Any, before: Any) -> Any:
    """For each sample the one before it that is among `which`; `before` [m] where there is none. [m, k]"""
    shifted = np.concatenate([before[:, None], x[:, :-1]], axis=1)
    if which.all():
        return shifted
    usable = np.concatenate([np.ones((len(x), 1), np.bool_), which[:, :-1]], axis=1)
    at = np.maximum.accumulate(np.where(usable, np.arange(x.shape[1]), 0), axis=1)
    return np.take_along_axis(shifted, at, axis=1)


def _latest(which: Bools, x: Any, before: Any) -> Any:
    """The last sample among `which`; `before` where there is none. [m]"""
    if which[:, -1].all():
        return x[:, -1].copy()
    at = np.where(which, np.arange(x.shape[1]), -1).max(axis=1)
    return np.where(at >= 0, x[np.arange(len(x)), at], before)


def _runs(s: QualityState, x: Floats, finite: Bools) -> Ints:
    """Equal samples in a row up to and with each; missing ones neither count nor break. [m, k]"""
    breaks = finite & (x != _previous(finite, x, s.last))
    if breaks.all():
        return np.ones(x.shape, np.int64)
    count = np.cumsum(finite, axis=1)
    start = np.maximum.accumulate(np.where(breaks, np.arange(x.shape[1]), -1), axis=1)
    since = np.take_along_axis(count, np.maximum(start, 0), axis=1)
    return np.where(start >= 0, count - since + 1, s.run[:, None] + count)


def settings(path: Path = SHIPPED) -> dict[str, Setting]:
    """Read the settings by quantity; ValueError names the file and the key that is wrong."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Setting])
    except msgspec.MsgspecError as why:
        raise ValueError(f"{path}: {why}") from why


def gate(catalog: Catalog, known: Mapping[str, Setting]) -> Gate:
    """Bounds of every row. A quantity without a setting is judged by its range alone."""
    n = catalog.n
    span = catalog.high - catalog.low
    peg, noise, stuck = np.full(n, np.inf), np.full(n, np.inf), np.full(n, np.inf)
    max_step, rest, rise = np.zeros(n), np.full(n, np.nan), np.full(n, np.nan)
    for quantity in set(catalog.quantity.tolist()) & known.keys():
        of, unit = catalog.quantity == quantity, UNITS[known[quantity].unit]
        setting = known[quantity]
        if np.isfinite(setting.max_step):
            max_step[of], noise[of] = setting.max_step * unit.scale, setting.noise * unit.scale
        stuck[of] = np.maximum(np.ceil(setting.stuck / catalog.step[of]), FEWEST)
        if setting.repeats:
            rest[of], rise[of] = map(unit.to_si, setting.repeats)
        if setting.pegged:
            peg[of] = (catalog.low + PEG * span)[of]
    stuck[np.isfinite(catalog.hold)] = np.inf  # the state of an event stands until the next
    over = np.where(np.isfinite(peg), OVERSHOOT, ROUNDING) * span  # a little more than all is still at least all
    return Gate(catalog.low - ROUNDING * span, catalog.high + over, peg, max_step, noise, stuck, rest, rise)


def combined(received: Codes, graded: Codes) -> Codes:
    """What was said of a reading before stands; else what the gate says."""
    return np.where(received == Quality.GOOD, graded, received).astype(np.uint8)
