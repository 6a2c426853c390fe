"""Loggers that follow pressure waves in long mains, ten times a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from lifeline.model import NS, Block, Floats, Level, Quality, Rows
from lifeline.units import WATER_HEAD
from simulators.dice import dice
from simulators.faults import Truth
from simulators.water.faults import Acting
from simulators.water.hammer import LASTING, Line, Slam, Wave
from simulators.world import Part

STREAM: Final = 1205
RATE: Final = 10  # [1/s] samples
NOISE: Final = 0.2  # [m]
QUANTUM: Final = 0.01  # [m]
SWING: Final = (10.0, 20.0, 40.0)  # [m] away from the steady pressure, BLUE, YELLOW, ORANGE
COLUMN: Final = -5.0  # [m] gauge, at which the water column parts
READS: Final = 0.95  # [1]
HAZARD: Final = "water_transient"


@dataclass(frozen=True)
class Loggers:
    """Lines, the rows of their loggers, and what befalls them."""

    lines: tuple[Line, ...]
    row: tuple[Rows, ...]  # of each line [g]
    acts: tuple[Acting, ...]
    seed: int

    @cached_property
    def waves(self) -> tuple[tuple[Acting, int, Wave], ...]:
        """Each with its line."""
        slams = [(a, a.fault) for a in self.acts if isinstance(a.fault, Slam) and a.end > a.onset]
        return tuple((a, f.line - 1, Wave(self.lines[f.line - 1], f)) for a, f in slams)

    def told(self, end: int, tick: int) -> list[Part]:
        """Samples of (end - tick, end] [s of the epoch]."""
        t = end - tick + np.arange(1, tick * RATE + 1) / RATE
        return [self._block(k, t, end) for k in range(len(self.lines))]

    def heads(self, k: int, t: Floats) -> Floats:
        """Away from the steady ones. t [k] [s of the epoch]; [g, k] [m]"""
        out = np.zeros((self.row[k].size, t.size))
        for a, line, wave in self.waves:
            if line == k and t[-1] >= a.onset and t[0] < a.onset + LASTING:
                out += wave.heads(a.since(t)) * a.lives(t)
        return out

    def _block(self, k: int, t: Floats, end: int) -> Block:
        noise = NOISE * dice(self.seed, STREAM + k, end).standard_normal((self.row[k].size, t.size))
        value = np.round((self.heads(k, t) + noise) / QUANTUM) * QUANTUM * WATER_HEAD
        first = np.full(self.row[k].size, end * NS - (t.size - 1) * NS // RATE, np.int64)
        return Block(self.row[k], first, NS // RATE, value, np.full(value.shape, Quality.GOOD, np.uint8))

    def truth(self) -> list[Truth]:
        return [x for a, k, wave in self.waves for x in self._truth(a, k, wave)]

    def _truth(self, a: Acting, k: int, wave: Wave) -> Iterator[Truth]:
        since = np.arange(0.0, min(a.end - a.onset, LASTING), 1 / RATE)
        heads = wave.heads(since)
        away = np.abs(heads).max(axis=0)
        least, most = (swung(heads, scale, self.lines[k]) for scale in (READS, 1 / READS))
        known = np.flatnonzero(away >= 3 * NOISE)
        if not most or not known.size:
            return
        agreed = Level(min(most + 1, Level.RED)) if self.row[k].size > 1 else most
        calm = since[known[-1]] + 1 / RATE
        begin, seen, end = (round((a.onset + x) * NS) for x in (0.0, since[known[0]], calm))
        yield Truth(f"line-{k + 1}", HAZARD, None, begin, seen, end, least, agreed, place=f"line-{k + 1}")


def swung(heads: Floats, scale: float, line: Line) -> Level:
    """heads [g, k] [m] away from the steady ones"""
    steady = line.head / WATER_HEAD
    high, low = scale * float(heads.max()), scale * float(heads.min())
    if steady + high >= line.rating / WATER_HEAD or steady + low < COLUMN:
        return Level.RED
    return Level(sum(max(high, -low) >= b for b in SWING))
