"""Weather over a city: what worlds share of the air, the ground, wind and rain. Functions of the instant and of a seed only.

Instants are seconds of the epoch, t [k]; places are phases [n] [rad], so that gusts pass them in turn.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from lifeline.model import Floats
from simulators.dice import dice
from simulators.rhythm import DAY, EAST, YEAR

STREAM: Final = 900
AIR: Final = 101_325.0  # [Pa]
ZERO: Final = 273.15  # [K] of 0 °C
MM_PER_HOUR: Final = 1e-3 / 3600  # [m/s]
PERIODS: Final = np.array([1.3, 2.1, 3.7, 5.3, 8.9]) * DAY  # [s] of the passing highs and lows
SWING: Final = 220.0  # [Pa] of each of them


@dataclass(frozen=True)
class Weather:
    """The weather of one seed."""

    seed: int
    mean: float = 15.0  # [°C] of the year
    season: float = 13.0  # [K] amplitude of the year
    daily: float = 6.0  # [K] amplitude of the day
    wet: float = 0.25  # [1] share of days with rain

    def air(self, t: Floats) -> Floats:
        """Temperature of the air: warmest late in July and at three in the afternoon. [k] [K]"""
        year = np.sin(2 * np.pi * (t / YEAR - 0.31))
        return np.asarray(ZERO + self.mean + self.season * year + self.daily * np.sin(2 * np.pi * (hours(t) - 9) / 24))

    def ground(self, t: Floats) -> Floats:
        """Temperature in a shallow well: it lags the air and swings by a degree a day. [k] [K]"""
        year = np.sin(2 * np.pi * (t / YEAR - 0.33))
        return np.asarray(ZERO + 18 + 8 * year + np.sin(2 * np.pi * (hours(t) - 11) / 24))

    def wind(self, t: Floats, place: Floats) -> Floats:
        """Mean wind: stronger in the afternoon, with gusts. [n, k] [m/s]"""
        day = 2.5 + 1.5 * np.maximum(0.0, np.sin(2 * np.pi * (hours(t) - 9) / 24))
        gust = 0.2 * np.sin(t / 97 + place[:, None]) + 0.1 * np.sin(t / 31 + 2.3 * place[:, None])
        return np.asarray(day * (1 + gust))

    def pressure(self, t: Floats) -> Floats:
        """Of the air at the ground: passing highs and lows, and the tide of half a day. [k] [Pa]"""
        waves = np.sin(2 * np.pi * t[:, None] / PERIODS + _phases(self.seed)).sum(axis=1)
        return np.asarray(AIR + SWING * waves + 100.0 * np.sin(4 * np.pi * (t + EAST) / DAY - 1.0))

    def falling(self, t: Floats) -> Floats:
        """How fast the air's pressure falls; negative while it rises. [k] [Pa/s]"""
        return np.asarray((self.pressure(t - 900.0) - self.pressure(t + 900.0)) / 1800.0)

    def rain(self, t: Floats) -> Floats:
        """Intensity: at most one shower a day, whose hour, length and strength the seed decides. [k] [m/s]"""
        day = ((t + EAST) // DAY).astype(np.int64)
        begin, lasts, strength = np.array([_shower(self.seed, self.wet, d) for d in day.tolist()]).reshape(-1, 3).T
        since = (t + EAST) % DAY - begin
        falls = (since >= 0) & (since < lasts)
        return np.where(falls, strength * np.sin(np.pi * np.clip(since / lasts, 0.0, 1.0)), 0.0)


def hours(t: Floats) -> Floats:
    """Local hour of the day. [k] [h]"""
    return np.asarray((t + EAST) % DAY / 3600)


@cache
def _phases(seed: int) -> Floats:
    return dice(seed, STREAM).uniform(0, 2 * np.pi, PERIODS.size)


@cache
def _shower(seed: int, wet: float, day: int) -> tuple[float, float, float]:
    """Beginning [s of the day], length [s], peak [m/s]; it ends before midnight."""
    draw = dice(seed, STREAM + 1, day)
    rains, begin, length, peak = draw.random(), draw.uniform(0, 20), draw.uniform(0.5, 4), draw.lognormal(np.log(5.0), 0.8)
    return begin * 3600, length * 3600, (peak * MM_PER_HOUR if rains < wet else 0.0)
