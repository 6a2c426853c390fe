"""Who comes upon the deck: tables [[fault]] of lorries too heavy or too many, and of crowds.

since [k] [s] is the time after the onset of a fault.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure
from lifeline.model import Floats
from simulators.bridge.happening import Acting, Lasts
from simulators.bridge.vehicles import AXLES, Crossings, joined

Mass = Annotated[float, measure("t", 0.5, 1000)]  # [kg]
Metres = Annotated[float, measure("m", -100, 1000)]  # [m]


@dataclass(frozen=True)
class Overload:
    """Lorries far too heavy pass one after another on one side of the deck."""

    at: Seconds = 600.0  # when the first comes
    bridge: str = "bridge-1"
    mass: Mass = 120e3  # of each
    count: Annotated[int, Between(1, 50)] = 1
    gap: Annotated[float, measure("m", 5, 500)] = 20.0  # from one to the next
    speed: Annotated[float, measure("m/s", 1, 40)] = 10.0
    side: Metres = 1.875  # to the right of the axis of the deck

    @property
    def lasts(self) -> float:
        """Until the last has come. [s]"""
        return 1.0 + (self.count - 1) * self.gap / self.speed

    def vehicles(self, a: Acting, length: float) -> Crossings:
        enter = a.onset + np.arange(self.count) * self.gap / self.speed
        return _alike(a.bridge, enter, enter + length / self.speed, np.zeros(self.count), self.speed, self.mass, self.side)


@dataclass(frozen=True)
class Convoy:
    """Lorries that stand on the span: mixers before a building site, a jam."""

    at: Seconds = 600.0  # when the first comes upon the span
    lasts: Lasts = 1200.0  # until they go on
    bridge: str = "bridge-1"
    mass: Mass = 40e3  # of each
    count: Annotated[int, Between(1, 50)] = 3
    gap: Annotated[float, measure("m", 5, 500)] = 10.0  # from one to the next, about mid-span
    side: Metres = 1.875  # to the right of the axis of the deck
    speed: Annotated[float, measure("m/s", 1, 40)] = 5.0  # at which they come and go

    def vehicles(self, a: Acting, length: float) -> Crossings:
        """They drive to their places, stand, and drive on."""
        stop = length / 2 + self.gap * (np.arange(self.count) - (self.count - 1) / 2)
        halt, end, n = np.full(self.count, a.onset + stop[-1] / self.speed), np.full(self.count, a.end), np.zeros(self.count)
        some = [
            (halt - stop / self.speed, np.nextafter(halt, 0), n, self.speed),
            (halt, np.nextafter(end, 0), stop, 0.0),
            (end, end + (length - stop) / self.speed, stop, self.speed),
        ]
        return joined(_alike(a.bridge, *where, self.mass, self.side) for where in some)


def _alike(bridge: int, enter: Any, leave: Any, place: Any, speed: float, mass: float, side: float) -> Crossings:
    """enter, leave [v] [s of the epoch], place [v] [m]"""
    flat = np.ones_like(enter)
    return Crossings(
        np.full(enter.size, bridge), enter, leave, place, speed * flat, mass * flat, side * flat, AXLES[0] * mass * flat
    )


@dataclass(frozen=True)
class Crowd:
    """People walk or run in step with themselves, not with each other: a marathon, and harmless."""

    at: Seconds = 600.0  # when the first come
    lasts: Lasts = 1800.0  # until the last have gone
    bridge: str = "bridge-1"
    people: Annotated[int, Between(1, 100_000)] = 300  # on the span at once
    pace: Annotated[float, measure("Hz", 0.5, 5)] = 2.0  # steps
    spread: Annotated[float, measure("Hz", 0, 1)] = 0.12  # of paces, standard deviation

    def present(self, since: Floats) -> Floats:
        """They come and go within a minute. [k] [1]"""
        return np.clip(np.minimum(since, self.lasts - since) / 60.0, 0.0, 1.0)
