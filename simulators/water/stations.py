"""Stations that watch the water's quality: what they read, and what is true there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from lifeline.model import NS, Floats, Ints, Level, Rows
from simulators.dice import dice
from simulators.faults import Truth
from simulators.water.faults import Acting
from simulators.water.quality import Flush, Intrusion, Mixing, Water
from simulators.world import Part, batch, graded

STREAM: Final = 1204
NOISE: Final = Water(np.array(0.01e-3), np.array(0.02), np.array(0.03), np.array(0.2e-3))  # besides that below
SHARE: Final = Water(np.array(0.02), np.array(0.02), np.array(0.0), np.array(0.005))  # [1] of the reading
QUANTUM: Final = Water(np.array(0.01e-3), np.array(0.01), np.array(0.01), np.array(1e-4))
TURBID: Final = (0.5, 1.0, 3.0, 5.0)  # [1] NTU, BLUE to RED
BARE: Final = (0.10e-3, 0.05e-3, 0.02e-3)  # [kg/m³] chlorine below it, BLUE to ORANGE
CLOUDY: Final = 1.0  # [1] NTU, which with chlorine lost is RED
READS: Final = 0.95  # [1] what is surely read; its inverse is the most that may be
SURE: Final = 3.0  # [1] spreads of noise
TAIL: Final = 86_400.0  # [s] for a network to clear
DAY: Final = 86_400.0  # [s]
HAZARD: Final = "water_quality"


@dataclass(frozen=True)
class Stations:
    """Rows of chlorine, turbidity, pH and conductivity at each station."""

    mixing: Mixing
    row: Rows  # [s, 4]
    acts: tuple[Acting, ...]
    seed: int

    @cached_property
    def active(self) -> list[tuple[Intrusion | Flush, float]]:
        return [(a.fault, a.onset) for a in self.acts if isinstance(a.fault, Intrusion | Flush) and a.end > a.onset]

    def told(self, t: Ints) -> list[Part]:
        """t [k] [s of the epoch]"""
        if not self.row.size:
            return []
        true, draw = self.mixing.water(t.astype(float), self.active), dice(self.seed, STREAM, int(t[-1]))
        read = [_read(x, draw, *of) for x, *of in zip(true, NOISE, SHARE, QUANTUM, strict=True)]
        value = np.stack(read, axis=1).reshape(self.row.size, t.size)
        return [batch(np.tile(self.row.ravel(), t.size), np.repeat(t, self.row.size) * NS, value.T.ravel())]

    def truth(self, step: float) -> list[Truth]:
        """step: between reports [s]"""
        return [x for k, (fault, onset) in enumerate(self.active) for x in self._truth(k, fault, onset, step)]

    def _truth(self, k: int, fault: Intrusion | Flush, onset: float, step: float) -> Iterator[Truth]:
        t = onset + np.arange(0.0, min(fault.lasts, 30 * DAY) + TAIL, 60.0)
        x, usual = (self.mixing.water(t, some) for some in (self.active, self.active[:k] + self.active[k + 1 :]))
        place = fault.node if isinstance(fault, Intrusion) else fault.pipe
        for s in range(self.mixing.station.size):
            more = np.abs(x.turbidity[s] - usual.turbidity[s]) >= SURE * (
                NOISE.turbidity + SHARE.turbidity * usual.turbidity[s]
            )
            least, most = (_level(x, s, scale) for scale in (READS, 1 / READS))
            bad = np.flatnonzero(more & ((x.turbidity[s] >= READS * TURBID[0]) | (x.chlorine[s] <= BARE[0] / READS)))
            if not most or not bad.size:
                continue
            known = -(-t[np.argmax(more)] // step) * step
            came, over = t[np.argmax(more)], t[bad[-1]] + 60.0
            agreed = Level(min(most + 1, Level.RED))  # two quantities agree: that may be called one graver
            begin, seen, end = (round(y * NS) for y in (came, known, max(over, known)))
            yield Truth(f"station-{s + 1}", HAZARD, None, begin, seen, end, least, max(least, agreed), place=place)


def _read(true: Floats, draw: np.random.Generator, noise: Floats, share: Floats, quantum: Floats) -> Floats:
    spread = noise + share * np.abs(true)
    return np.asarray(np.maximum(np.round((true + spread * draw.standard_normal(true.shape)) / quantum) * quantum, 0.0))


def _level(x: Water, s: int, scale: float) -> Level:
    turbid, bare = scale * x.turbidity[s], x.chlorine[s] / scale
    if ((turbid >= CLOUDY) & (bare < BARE[1])).any():
        return Level.RED
    return max(graded(float(turbid.max()), TURBID), Level(sum(bool((bare < b).any()) for b in BARE)))
