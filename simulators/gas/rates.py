"""What comes into wells and what goes out of them, of everything that acts."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from lifeline.model import Bools, Floats
from simulators.gas.faults import Acting, Biogas, Leaking, Rain, Vent
from simulators.gas.wells import REFERENCE, WARM, Wells
from simulators.weather import Weather

UNSTEADY: Final = 0.2  # [1] standard deviation of a leak's inflow
PUFFS: Final = np.array([420.0, 1130.0, 2470.0, 5300.0])  # [s] periods of it
FLUSHED: Final = 0.2  # [m] of standing water that silences half of the sediment


def rates(wells: Wells, t: Floats, acts: Sequence[Acting], weather: Weather) -> tuple[Floats, Floats]:
    """Supply and loss of each box at instants t [k] [s of the epoch]. [n, k] [1/s], [n, k] [1/s]"""
    gas = entering(wells, t, acts)
    air = wells.changes(t, weather) + sum(a.fault.aired(a.since(t), wells) for a in acts if isinstance(a.fault, Vent))
    volume = wells.volume[:, None]
    return (gas + sediment(wells, t, acts, weather)) / volume, gas / volume + air


def entering(wells: Wells, t: Floats, acts: Sequence[Acting]) -> Floats:
    """Natural gas: it comes in puffs, as ground and ducts let it. [n, k] [m³/s]"""
    total = np.zeros((wells.n, t.size))
    for a in acts:
        if isinstance(a.fault, Leaking):
            total += a.fault.inflow(a.since(t), wells)
    return total * puffs(wells, t) if total.any() else total


def puffs(wells: Wells, t: Floats) -> Floats:
    """Unsteadiness of what a leak brings into each well: about 1. [n, k] [1]"""
    phase = np.multiply.outer(wells.place, np.arange(1.0, PUFFS.size + 1) ** 2)  # [n, p] [rad]
    waves = sum(np.sin(2 * np.pi * t / period + phase[:, [i]]) for i, period in enumerate(PUFFS))
    return np.asarray(1 + UNSTEADY * np.sqrt(2 / PUFFS.size) * waves)


def sediment(wells: Wells, t: Floats, acts: Sequence[Acting], weather: Weather) -> Floats:
    """Biogas: warmer is more, and standing water holds it down. [n, k] [m³/s]"""
    more = [a.fault.sediment(a.since(t), wells) for a in acts if isinstance(a.fault, Biogas)]
    extra = sum(more, np.zeros((wells.n, t.size))) * WARM ** (weather.ground(t) - REFERENCE)
    return np.asarray((wells.sediment(t, weather) + extra) * FLUSHED / (FLUSHED + water(t, acts)))


def water(t: Floats, acts: Sequence[Acting]) -> Floats:
    """Depth of water in the wells. [k] [m]"""
    return sum((a.fault.water(a.since(t)) for a in acts if isinstance(a.fault, Rain)), np.zeros(t.size))


def drowned(wells: Wells, t: Floats, acts: Sequence[Acting]) -> Bools:
    """Whose sensor is under water. [n, k]"""
    return np.asarray(water(t, acts) > wells.sump[:, None])
