"""What is true of a world, and faults of sensors: they change the readings, never the world, and must never become a hazard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from lifeline.model import NS, Batch, Block, Floats, Ints, Level


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


class Seen(NamedTuple):
    """The readings of one series."""

    t: Ints  # [k] [ns]
    x: Floats  # [k] [SI]


class Effect(Protocol):
    """What a fault does to the readings of one series while it lasts."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:
        """What is told instead. since [k] [s] after onset; held [SI] the first reading after onset."""


@dataclass(frozen=True)
class Drift:
    """Zero point that wanders off."""

    rate: float  # [SI/s]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002  the same call for every effect
        return Seen(seen.t, seen.x + self.rate * since)


@dataclass(frozen=True)
class Stuck:
    """The first value, for ever."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        return Seen(seen.t, np.full_like(seen.x, held))


@dataclass(frozen=True)
class Dropout:
    """Nothing arrives."""

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        return Seen(seen.t[:0], seen.x[:0])


@dataclass(frozen=True)
class Spike:
    """Every reading off by `size`; let it last for one step of the series, or a few."""

    size: float  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        return Seen(seen.t, seen.x + self.size)


@dataclass(frozen=True)
class Noise:
    """A loose contact: noise drawn anew for every reading from its own instant."""

    sigma: float  # [SI]
    seed: int = 0

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        slot = int(seen.t[0]) if seen.t.size else 0
        draw = np.random.Generator(np.random.Philox(key=np.array([self.seed, slot], np.uint64)))
        return Seen(seen.t, seen.x + self.sigma * draw.standard_normal(seen.x.shape))


@dataclass(frozen=True)
class Saturation:
    """Pegged at the end of the range."""

    at: float  # [SI]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        return Seen(seen.t, np.full_like(seen.x, self.at))


@dataclass(frozen=True)
class Skew:
    """A clock that is off; +28,800 s is Chinese local time sent as UTC."""

    offset: float  # [s]

    def __call__(self, seen: Seen, since: Floats, held: float) -> Seen:  # noqa: ARG002
        return Seen(seen.t + round(self.offset * NS), seen.x)


@dataclass(frozen=True)
class SensorFault:
    """One series at fault for a time."""

    row: int
    asset: str
    onset: int  # [ns] first instant at fault
    end: int  # [ns] first instant well again
    effect: Effect

    def truth(self) -> Truth:
        name = type(self.effect).__name__.lower()
        return Truth(self.asset, None, name, self.onset, self.onset, self.end, Level.NORMAL, Level.NORMAL)


def spoil(fault: SensorFault, held: float, parts: Sequence[Batch | Block]) -> tuple[float, list[Batch | Block]]:
    """The parts as the faulty sensor tells them; held: its first reading after onset, NaN before. [SI]"""
    out: list[Batch | Block] = []
    for part in parts:
        told, mine = part, (part.row == fault.row) & (_last(part) >= fault.onset) & (part.t < fault.end)
        if mine.any():
            spoilt = _spoil_block if isinstance(part, Block) else _spoil_batch
            held, told = spoilt(fault, held, part, mine)  # type: ignore[arg-type]  # chosen by the part's kind
        out.append(told)
    return held, out


def _last(part: Batch | Block) -> Ints:
    """Instant of the last sample of each row. [n] [ns]"""
    return part.t + part.step * (part.value.shape[1] - 1) if isinstance(part, Block) else part.t


def _spoil_batch(fault: SensorFault, held: float, b: Batch, mine: np.ndarray) -> tuple[float, Batch]:
    held = b.value[mine][0] if np.isnan(held) else held
    told = fault.effect(Seen(b.t[mine], b.value[mine]), (b.t[mine] - fault.onset) / NS, held)
    if told.x.size < mine.sum():
        return held, b.take(~mine)
    t, x = b.t.copy(), b.value.copy()
    t[mine], x[mine] = told
    return held, Batch(b.row, t, x, b.quality)


def _spoil_block(fault: SensorFault, held: float, b: Block, mine: np.ndarray) -> tuple[float, Block]:
    """A waveform is one message: it is lost whole; otherwise only its samples at fault change."""
    i = int(np.flatnonzero(mine)[0])
    t = b.t[i] + b.step * np.arange(b.value.shape[1])
    bad = (t >= fault.onset) & (t < fault.end)
    held = b.value[i, bad][0] if np.isnan(held) else held
    told = fault.effect(Seen(t[bad], b.value[i, bad]), (t[bad] - fault.onset) / NS, held)
    if told.x.size < bad.sum():
        return held, Block(b.row[~mine], b.t[~mine], b.step, b.value[~mine], b.quality[~mine])
    start, x = b.t.copy(), b.value.copy()
    start[i] += told.t[0] - t[bad][0]
    x[i, bad] = told.x
    return held, Block(b.row, start, b.step, x, b.quality)


KINDS: Mapping[str, type] = {}
