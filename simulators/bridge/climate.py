"""Temperatures of a bridge: the air's, the structure's, which lags behind, and the warmth of its top in the sun.

The air is a sum of waves and ramps, so that what lags behind it with a time constant τ, τ·dT/dt = T_air - T, is known in closed
form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np

from lifeline.model import Floats
from simulators.dice import dice
from simulators.rhythm import DAY, EAST, YEAR
from simulators.weather import ZERO, hours

STREAM: Final = 3010
LAG: Final = 3 * 3600.0  # [s] of a structure behind the air
FRONTS: Final = np.array([2.3, 3.9, 6.1, 9.7]) * DAY  # [s] periods of passing warmth and cold
PASSING: Final = 1.2  # [K] amplitude of each of them
NOON: Final = 15.0  # [h] when the top of a deck is warmest
DAYLIGHT: Final = 14.0  # [h] that the warmth of the top lasts
NIGHT: Final = -0.15  # [1] of the greatest gradient, by night


@dataclass(frozen=True)
class Snap:
    """The air gets colder, stays so, and gets warm again. Instants [s of the epoch]."""

    begin: float
    end: float
    depth: float  # [K]
    falls: float  # [s] that the change takes, either way

    def at(self, t: Floats, lag: float) -> Floats:
        """What is felt behind a lag. [k] [K]"""
        ramps = ((self.begin, -1), (self.begin + self.falls, 1), (self.end, 1), (self.end + self.falls, -1))
        return np.asarray(sum(sign * _risen(t - at, lag) for at, sign in ramps) * self.depth / self.falls)


def _risen(x: Floats, lag: float) -> Floats:
    """A ramp of slope 1 that begins at 0, behind a lag. [s]"""
    since = np.maximum(x, 0.0)
    return since + lag * np.expm1(-since / lag) if lag else since


@dataclass(frozen=True)
class Climate:
    """The air over the bridges of one seed; as `simulators.weather.Weather`, with fronts that pass."""

    seed: int
    mean: float = 15.0  # [°C] of the year
    season: float = 13.0  # [K] amplitude of the year
    daily: float = 6.0  # [K] amplitude of the day
    fronts: float = PASSING  # [K]
    snaps: Sequence[Snap] = ()

    @cached_property
    def waves(self) -> tuple[Floats, Floats, Floats]:
        """Amplitudes [K], frequencies [rad/s] and phases [rad] of the air. [w]"""
        phase = dice(self.seed, STREAM).uniform(0, 2 * np.pi, FRONTS.size)
        amplitude = np.array([self.season, self.daily, *[self.fronts] * FRONTS.size])
        omega = 2 * np.pi / np.array([YEAR, DAY, *FRONTS])
        return amplitude, omega, np.array([-2 * np.pi * 0.31, 2 * np.pi * (EAST / DAY - 9 / 24), *phase])

    def air(self, t: Floats, lag: float = 0.0) -> Floats:
        """Behind a lag [s]. t [k] [s of the epoch]; [k] [K]"""
        amplitude, omega, phase = self.waves
        late, less = np.arctan(omega * lag), np.hypot(1.0, omega * lag)
        waves = (amplitude / less) @ np.sin(omega[:, None] * t + (phase - late)[:, None])
        return np.asarray(ZERO + self.mean + waves + sum((s.at(t, lag) for s in self.snaps), np.zeros(t.size)))

    def structure(self, t: Floats) -> Floats:
        """[k] [K]"""
        return self.air(t, LAG)

    def sun(self, t: Floats) -> Floats:
        """Gradient through the deck, of the greatest there may be: cloud by the day, less in winter. [k] [1]"""
        away = hours(t) - NOON
        shine = np.maximum(np.cos(np.pi * away / DAYLIGHT), 0.0) * (np.abs(away) < DAYLIGHT / 2)
        season = 0.8 + 0.2 * np.sin(2 * np.pi * (t / YEAR - 0.22))
        day, which = np.unique(((t + EAST) // DAY).astype(np.int64), return_inverse=True)
        clear = np.array([_clear(self.seed, d) for d in day.tolist()])[which]
        return np.asarray(season * (NIGHT + (clear - NIGHT) * shine))


@cache
def _clear(seed: int, day: int) -> float:
    """How clear the sky of a day is. [1]"""
    return float(np.sqrt(dice(seed, STREAM + 1, day).uniform(0.1, 1.0)))
