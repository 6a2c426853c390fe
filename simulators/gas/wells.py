"""Underground spaces beside gas mains, and what moves their air."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import Bools, Floats
from simulators.dice import dice
from simulators.gas.box import mixed
from simulators.gas.laser import GAIN, VOL
from simulators.weather import ZERO, Weather

STREAM: Final = 1000
HOUR: Final = 3600.0  # [s]
WARM: Final = 1.08  # [1] growth of biogas for each kelvin
REFERENCE: Final = ZERO + 20  # [K]
BREATH: Final = 50.0  # [1] volume of ducts and ground that breathes through a well, in volumes of the well
LEAST: Final = 0.08 / HOUR  # [1/s] air changes of the tightest cover


@dataclass(frozen=True)
class Wells:
    """Boxes of air with a sensor each."""

    asset: tuple[str, ...]  # [n]
    volume: Floats  # [n] [m³]
    air: Floats  # [n] [1/s] air changes when the air is still
    draught: Floats  # [n] [1/(s·√K)] more for each root of a kelvin that the well is warmer than the air outside
    biogas: Floats  # [n] [m³/s] methane from sediment at 20 °C
    along: Floats  # [n] [m] place along the street
    away: Floats  # [n] [m] distance from the main; inf: not known, gas comes only from leaks that name the well
    sump: Floats  # [n] [m] water that drowns the sensor; inf: none does
    gain: Floats  # [n] [1] of the sensor
    place: Floats  # [n] [rad] phase of the wind

    @property
    def n(self) -> int:
        return len(self.asset)

    def take(self, which: Bools) -> "Wells":
        """Some of them. which [n]"""
        asset = tuple(a for a, mine in zip(self.asset, which.tolist(), strict=True) if mine)
        rest = (getattr(self, f)[which] for f in list(self.__dataclass_fields__)[1:])
        return Wells(asset, *rest)

    def changes(self, t: Floats, weather: Weather) -> Floats:
        """Air changes: wind over the cover, the warmth of the well, the breath of the ground. t [k] [s]; [n, k] [1/s]"""
        windy = self.air[:, None] * (1 + 0.5 * weather.wind(t, self.place) / 3)
        warmer = np.sqrt(np.maximum(weather.ground(t) - weather.air(t), 0.0))
        breath = BREATH * np.abs(weather.falling(t)) / weather.pressure(t)
        return np.asarray(windy + self.draught[:, None] * warmer + breath)

    def sediment(self, t: Floats, weather: Weather) -> Floats:
        """Biogas. t [k] [s]; [n, k] [m³/s]"""
        return np.asarray(self.biogas[:, None] * WARM ** (weather.ground(t) - REFERENCE))


def settled(supply: Floats, loss: Floats, dt: float) -> Floats:
    """What a box holds after its recent past, from rest at its beginning. supply, loss [n, k] [1/s], dt [s]; [n] [1]"""
    inside = supply[:, 0] / loss[:, 0]
    for j in range(supply.shape[1]):
        inside = mixed(inside, supply[:, j], loss[:, j], dt)
    return inside


def drawn(asset: tuple[str, ...], seed: int, weather: Weather, second: float) -> Wells:
    """Wells of a city: most are dry; one in twenty holds biogas that its laser sees, below any warning.

    second: the levels are those of that season. [s of the epoch]
    """
    draw, n = dice(seed, STREAM), len(asset)
    volume = draw.uniform(1.5, 10.0, n)
    air = np.maximum(np.exp(np.log(0.4) + 0.6 * draw.standard_normal(n)) / HOUR, LEAST)
    level = np.where(np.arange(n) % 20 == 7, draw.uniform(0.30, 0.34, n), draw.uniform(0.0, 0.06, n)) * VOL
    gain = 1 + GAIN * draw.uniform(-1, 1, n)
    flat, never, place = np.zeros(n), np.full(n, np.inf), draw.uniform(0, 2 * np.pi, n)
    bare = Wells(asset, volume, air, flat, np.ones(n), flat, never, never, gain, place)
    day = second + HOUR * np.arange(-12.0, 12.0)
    source = (level * volume) * (bare.changes(day, weather) / bare.sediment(day, weather)).mean(axis=1)
    return Wells(asset, volume, air, flat, source, flat, never, never, gain, place)
