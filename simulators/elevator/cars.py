"""Cars: how high they go, how fast, how often they are called, and how well they run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import Floats, Ints
from simulators.dice import dice

STREAM: Final = 4000
FLOOR: Final = 3.0  # [m] from landing to landing
ZONE: Final = 0.2  # [m] from a landing within which doors may open
SWING: Final = 2.5  # [s] of a door
DWELL: Final = 4.0  # [s] wide open
ENTER: Final = SWING + 2.0  # [s] into a visit to a landing, passengers pass the door
VISIT: Final = 2 * SWING + DWELL  # [s] from opening to closed
PAUSE: Final = 0.5  # [s] between doors and motion
FALLS: Final = 2.0  # [m/s²] at which a sound brake stops a car


@dataclass(frozen=True)
class Cars:
    """Lifts of a city, or one."""

    asset: tuple[str, ...]  # [n]
    floors: Ints  # [n] [1] landings
    rated: Floats  # [n] [m/s]
    daily: Floats  # [n] [1] trips a day
    rough: Floats  # [n] [m/s²] A95 of the car's vibration

    @property
    def n(self) -> int:
        return len(self.asset)

    @property
    def brake(self) -> Floats:
        """Distance in which a sound brake stops it from its rated speed. [n] [m]"""
        return np.asarray(self.rated**2 / (2 * FALLS))


def drawn(asset: Sequence[str], seed: int) -> Cars:
    """Cars drawn at random: low houses with slow ones, towers with fast ones."""
    draw, n = dice(seed, STREAM), len(asset)
    floors = draw.integers(6, 34, n)
    rated = np.where(floors <= 11, 1.0, np.where(floors <= 20, 1.75, 2.5))
    return Cars(tuple(asset), floors, rated, draw.uniform(100, 400, n), draw.uniform(0.07, 0.15, n))
