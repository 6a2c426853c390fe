"""What is true of a world, and faults of sensors: they change the readings, never the world, and must never become a hazard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lifeline.model import NS, Batch, Block, Bools, Codes, Floats, Ints, Level

Part = Batch | Block


@dataclass(frozen=True)
class Truth:
    """What is true of one asset over a time; hazard and sensor_fault: exactly one is named."""

    asset: str
    hazard: str | None
    sensor_fault: str | None
    onset: int  # [ns]
    detectable: int  # [ns] from when a perfect observer of the readings could know
    end: int  # [ns]
    min_level: Level  # a warning below this understates it
    max_level: Level  # a warning above this overstates it
    place: str = ""  # where exactly, in the words of its world: a pipe, a segment of duct, a floor


class Seen(NamedTuple):
    """The readings of one series."""

    t: Ints  # [k] [ns]
    x: Floats  # [k] [SI]
    quality: Codes  # [k]


class Plain(Protocol):
    """What a fault does to the readings of one series while it lasts. Its name is that of its class."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        """What is told instead, NaN what is not. since [k] [s] after onset; held [SI] the first reading after onset."""


@runtime_checkable
class Remembering(Protocol):
    """One that depends on the readings before."""

    def step(self, memory: Any, seen: Seen, since: Floats) -> tuple[Any, Seen]:
        """What must be remembered, and what is told instead. memory: None at first"""


Effect = Plain | Remembering


class Held(NamedTuple):
    """What a faulty sensor remembers."""

    first: float  # [SI] the first reading after onset
    memory: Any = None  # of its effect


class Fault(Protocol):
    """A sensor at fault, or two. row: any of its series."""

    @property
    def row(self) -> int: ...

    def tell(self, state: Any, part: Part) -> tuple[Any, Part]:
        """A part as it is told; state: whatever must be remembered from part to part, None at first."""

    def truth(self) -> list[Truth]: ...


@dataclass(frozen=True)
class SensorFault:
    """One series at fault for a time."""

    row: int
    asset: str
    onset: int  # [ns] first instant at fault
    end: int  # [ns] first instant well again
    effect: Effect

    def tell(self, state: Any, part: Part) -> tuple[Any, Part]:
        """state: Held"""
        mine = touched(part, self.row, self.onset, self.end)
        if not mine.any():
            return state, part
        return _tell_block(self, state, part, mine) if isinstance(part, Block) else _tell_batch(self, state, part, mine)

    def truth(self) -> list[Truth]:
        return [ill(self.asset, type(self.effect).__name__.lower(), self.onset, self.end)]


@dataclass(frozen=True)
class Swapped:
    """Two series told under one another's name: cables or identifiers exchanged."""

    row: int
    other: int
    assets: tuple[str, ...]
    onset: int  # [ns]
    end: int  # [ns]

    def tell(self, state: Any, part: Part) -> tuple[Any, Part]:
        one, two = (touched(part, r, self.onset, self.end) for r in (self.row, self.other))
        if not (one | two).any():
            return state, part
        row = part.row.copy()
        row[one], row[two] = self.other, self.row
        if isinstance(part, Block):
            return state, Block(row, part.t, part.step, part.value, part.quality)
        return state, Batch(row, part.t, part.value, part.quality)

    def truth(self) -> list[Truth]:
        return [ill(a, "swap", self.onset, self.end) for a in dict.fromkeys(self.assets)]


@dataclass(frozen=True)
class Crossed:
    """A series that also answers to another: x + factor·(y - y at onset). Its y are single readings, not a waveform."""

    row: int
    other: int
    asset: str
    onset: int  # [ns]
    end: int  # [ns]
    factor: float  # [SI of x per SI of y]

    def tell(self, state: Any, part: Part) -> tuple[Any, Part]:
        """state: (y at onset, y last) [SI]"""
        first, last = state or (np.nan, np.nan)
        if isinstance(part, Block):
            mine = touched(part, self.row, self.onset, self.end)
            if np.isnan(last - first) or not mine.any():
                return state, part
            value = part.value.copy()
            value[mine] += self.factor * (last - first)
            return state, Block(part.row, part.t, part.step, value, part.quality)
        yours = touched(part, self.other, self.onset, self.end)
        y, t = part.value[yours], part.t[yours]
        first = y[0] if np.isnan(first) and y.size else first
        mine = touched(part, self.row, self.onset, self.end)
        known = np.concatenate([[last], y])[np.searchsorted(t, part.t[mine], side="right")]
        value = part.value.copy()
        value[mine] += self.factor * np.nan_to_num(known - first)
        return (first, y[-1] if y.size else last), Batch(part.row, part.t, value, part.quality)

    def truth(self) -> list[Truth]:
        return [ill(self.asset, "cross", self.onset, self.end)]


def ill(asset: str, fault: str, onset: int, end: int) -> Truth:
    """That a device of an asset is at fault. onset, end [ns]"""
    return Truth(asset, None, fault, onset, onset, end, Level.NORMAL, Level.NORMAL)


def spoil(fault: Fault, state: Any, parts: Sequence[Part]) -> tuple[Any, list[Part]]:
    """The parts as the faulty sensor tells them."""
    out: list[Part] = []
    for part in parts:
        state, told = fault.tell(state, part)
        out.append(told)
    return state, out


def touched(part: Part, row: int, onset: int, end: int) -> Bools:
    """Which rows of a part are of a series and have a reading in [onset, end) [ns]. [n]"""
    return np.asarray((part.row == row) & (_last(part) >= onset) & (part.t < end))


def _last(part: Part) -> Ints:
    """Instant of the last sample of each row. [n] [ns]"""
    return part.t + part.step * (part.value.shape[1] - 1) if isinstance(part, Block) else part.t


def _affected(effect: Effect, state: Held | None, seen: Seen, since: Floats) -> tuple[Held, Seen]:
    held = Held(float(seen.x[0])) if state is None else state
    if isinstance(effect, Remembering):
        memory, told = effect.step(held.memory, seen, since)
        return held._replace(memory=memory), told
    return held, effect(seen, since, held.first)


def _tell_batch(fault: SensorFault, state: Held | None, b: Batch, mine: Bools) -> tuple[Held, Batch]:
    held, told = _affected(fault.effect, state, Seen(b.t[mine], b.value[mine], b.quality[mine]), (b.t[mine] - fault.onset) / NS)
    t, x, quality = b.t.copy(), b.value.copy(), b.quality.copy()
    t[mine], x[mine], quality[mine] = told
    out = Batch(b.row, t, x, quality)
    lost = mine & np.isnan(x)
    return held, out.take(~lost) if lost.any() else out


def _tell_block(fault: SensorFault, state: Held | None, b: Block, mine: Bools) -> tuple[Held, Block]:
    """A waveform is one message: it is lost whole, or not at all; otherwise only its samples at fault change."""
    i = int(np.flatnonzero(mine)[0])
    t = b.t[i] + b.step * np.arange(b.value.shape[1])
    bad = (t >= fault.onset) & (t < fault.end)
    seen = Seen(t[bad], b.value[i, bad], b.quality[i, bad])
    held, told = _affected(fault.effect, state, seen, (t[bad] - fault.onset) / NS)
    if np.isnan(told.x[0]):
        return held, Block(b.row[~mine], b.t[~mine], b.step, b.value[~mine], b.quality[~mine])
    start, x, quality = b.t.copy(), b.value.copy(), b.quality.copy()
    start[i] += told.t[0] - t[bad][0]
    x[i, bad], quality[i, bad] = np.where(np.isnan(told.x), seen.x, told.x), told.quality
    return held, Block(b.row, start, b.step, x, quality)
