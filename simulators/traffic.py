"""Vehicles over bridges: Poisson arrivals by the hour, their masses and speeds."""

from typing import NamedTuple

import numpy as np

from lifeline.model import Floats, Ints
from simulators import rhythm
from simulators.rhythm import DAY

CAR, LORRY, HEAVY, TAIL = (
    (1600.0, 400.0),
    (18e3, 5e3),
    (40e3, 8e3),
    (np.log(70e3), 0.25),
)  # [kg] mean, spread; the tail: of the logarithm


class Vehicles(NamedTuple):
    """Those on a bridge or about to be."""

    bridge: Ints  # [m]
    enter: Floats  # [m] [s] after the present second when it enters; negative: already on
    mass: Floats  # [m] [kg]
    speed: Floats  # [m] [m/s]

    def take(self, which: np.ndarray) -> "Vehicles":
        return Vehicles(*(x[which] for x in self))

    def join(self, other: "Vehicles") -> "Vehicles":
        return Vehicles(*(np.concatenate([a, b]) for a, b in zip(self, other, strict=True)))


def nobody() -> Vehicles:
    return Vehicles(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0))


def arrivals(second: int, daily: Floats, heavy: Floats, draw: np.random.Generator) -> Vehicles:
    """Vehicles that enter within a second. daily [b] vehicles a day [1], heavy [b] share of lorries [1]"""
    bridge = np.repeat(np.arange(daily.size), draw.poisson(daily / DAY * rhythm.traffic(second)))
    m = bridge.size
    return Vehicles(bridge, draw.uniform(0, 1, m), masses(heavy[bridge], draw), draw.uniform(10, 22, m))


def masses(heavy: Floats, draw: np.random.Generator, overload: float = 0.01) -> Floats:
    """Gross masses: cars, lorries, heavy lorries, a share of them overloaded [1]. heavy [m] share of lorries [1]; [m] [kg]"""
    z, kind, over = draw.standard_normal(heavy.size), draw.uniform(0, 1, heavy.size) / heavy, draw.uniform(0, 1, heavy.size)
    laden = np.where(over < overload, np.exp(TAIL[0] + TAIL[1] * z), HEAVY[0] + HEAVY[1] * z)
    lorry = np.where(kind < 0.5, laden, LORRY[0] + LORRY[1] * z)
    return np.maximum(np.where(kind < 1, lorry, CAR[0] + CAR[1] * z), 600.0)
