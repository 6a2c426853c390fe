"""What the taps draw: Fourier series of the week and of the year, each of its terms a little off, and noise at every node."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import Floats
from simulators.dice import dice
from simulators.rhythm import EAST, WEEK, YEAR, water_demand

STREAM: Final = 1200
TERMS: Final = 20  # of the week
OFF: Final = 0.1  # [1] by which coefficients are off, at most
SPREAD: Final = 0.33  # [1] of a small node's demand about its mean
SMALL: Final = 0.5 / 3600  # [m³/s] mean demand of such; a larger node is a sum of many
HELD: Final = 300  # [s] from one draw of that to the next
SEASON: Final = (0.08, 0.02, 0.01)  # [1] amplitudes of one, two and three waves a year
SUMMER: Final = 0.55  # [1] of the year: the highest demand
LOWEST: Final = 0.1  # [1]


@dataclass(frozen=True)
class Demand:
    """Share of the mean as a function of the instant. E. Vrachimis et al., LeakDB, WDSA/CCWI 2018: (1 + week)·(1 + year)."""

    turn: Floats  # [TERMS] [rad/s]
    cosine: Floats  # [TERMS] [1]
    sine: Floats  # [TERMS] [1]
    season: Floats  # [3] [1]

    def level(self, t: Floats) -> Floats:
        """t [k] [s of the epoch]; [k] [1]"""
        angle = np.multiply.outer(t + EAST, self.turn)
        week = np.cos(angle) @ self.cosine + np.sin(angle) @ self.sine
        year = np.cos(np.multiply.outer(t / YEAR - SUMMER, 2 * np.pi * np.arange(1, 4))) @ self.season
        return np.asarray(np.maximum((1 + week) * (1 + year), LOWEST))


def drawn(seed: int) -> Demand:
    """Coefficients of the strongest waves of the usual week, each off by up to OFF."""
    draw, n = dice(seed, STREAM), 2016
    usual = np.array([water_demand(s - EAST) for s in np.arange(n) * (WEEK / n)])
    wave = np.fft.rfft(usual / usual.mean() - 1) / n * 2
    strongest = np.sort(np.argsort(np.abs(wave), kind="stable")[-TERMS:])
    off = 1 + OFF * draw.uniform(-1, 1, (2, TERMS))
    season = np.array(SEASON) * (1 + OFF * draw.uniform(-1, 1, 3))
    return Demand(2 * np.pi * strongest / WEEK, wave.real[strongest] * off[0], -wave.imag[strongest] * off[1], season)


def spread(mean: Floats) -> Floats:
    """Of nodes of a mean demand [n] [m³/s]: independent households add up by their squares. [n] [1]"""
    return np.asarray(SPREAD / np.sqrt(np.maximum(mean / SMALL, 1.0)))


def noise(t: Floats, n: int, seed: int) -> Floats:
    """Standard normal: drawn every HELD seconds, and between two draws between them. t [k] [s of the epoch]; [n, k] [1]"""
    slot = np.floor(t / HELD).astype(np.int64)
    known, place = np.unique(np.concatenate([slot, slot + 1]), return_inverse=True)
    told = np.stack([dice(seed, STREAM + 1, int(s)).standard_normal(n) for s in known], axis=1)
    later = t / HELD - slot
    between = told[:, place[: t.size]] * (1 - later) + told[:, place[t.size :]] * later
    return np.asarray(between / np.hypot(later, 1 - later))
