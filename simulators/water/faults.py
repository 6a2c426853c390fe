"""What happens in the water world: hazards, and what only looks like one. Each class is a table [[fault]] and what it does.

A fault of the hydraulics names a `change` of the network, tabulated once, and how much of it there is at each instant: `share`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure, time
from lifeline.model import Floats
from simulators.orifice import area
from simulators.sensors import FOREVER
from simulators.water.hammer import Slam
from simulators.water.quality import Flush, Intrusion
from simulators.water.tables import Change

Lasts = Annotated[float, time("1s")]
Hole = Annotated[float, measure("mm", 0.1, 1000)]  # [m]
Rise = Annotated[float, measure("mH2O", 0.1, 200)]  # [Pa]
Flow = Annotated[float, measure("m³/h", 0.01, 100_000)]  # [m³/s]


class Acting(NamedTuple):
    """A fault set into a world."""

    fault: "Water"
    onset: float  # [s of the epoch]
    end: float  # [s of the epoch]

    def since(self, t: Floats) -> Floats:
        """t [k] [s]; [k] [s]"""
        return np.asarray(t - self.onset)

    def lives(self, t: Floats) -> Floats:
        """1 while it lasts. t [k] [s]; [k] [1]"""
        return np.asarray((t >= self.onset) & (t < self.end), float)


class Water(Protocol):
    """A table [[fault]]."""

    @property
    def at(self) -> float: ...  # [s]

    @property
    def lasts(self) -> float: ...  # [s]


@runtime_checkable
class Hydraulic(Water, Protocol):
    """One that changes heads and flows."""

    def change(self, size: float) -> Change:
        """At its fullest. size: of the network, in sizes of its file [1]"""

    def share(self, since: Floats) -> Floats:
        """Of its fullest, while it lasts. since [k] [s]; [k] [1]"""


@dataclass(frozen=True)
class Burst:
    """A main breaks open within seconds."""

    at: Seconds = 3600.0  # when it happens
    lasts: Seconds = FOREVER  # until the valves are shut; the default: to the end
    pipe: str = ""  # which, by its name in the network's file; in a city none is asked
    gauge: str = ""  # in a city: beside which gauge, such as "gauge-youso-001-3"
    hole: Hole = 0.050  # diameter of a round hole of the same area
    opens: Seconds = 5.0  # until it is wholly open

    def change(self, size: float) -> Change:
        return Change("hole", self.pipe, area(self.hole) / size)

    def share(self, since: Floats) -> Floats:
        return np.clip(since / self.opens, 0.0, 1.0) if self.opens else np.asarray(since >= 0, float)

    def bore(self, since: Floats) -> Floats:
        """Diameter. [k] [m]"""
        return self.hole * np.sqrt(self.share(since))


@dataclass(frozen=True)
class Leak:
    """A leak that grows: its diameter in a straight line to its peak, where it stays."""

    at: Seconds = 3600.0  # when it begins
    lasts: Seconds = FOREVER  # until it is repaired; the default: to the end
    pipe: str = ""  # which, by its name in the network's file; in a city none is asked
    gauge: str = ""  # in a city: beside which gauge
    hole: Hole = 0.012  # diameter in the end, of a round hole of the same area
    grows: Seconds = 5_184_000.0  # until then

    def change(self, size: float) -> Change:
        return Change("hole", self.pipe, area(self.hole) / size)

    def share(self, since: Floats) -> Floats:
        return (np.clip(since / self.grows, 0.0, 1.0) if self.grows else np.asarray(since >= 0, float)) ** 2

    def bore(self, since: Floats) -> Floats:
        """Diameter. [k] [m]"""
        return self.hole * np.sqrt(self.share(since))


@dataclass(frozen=True)
class Hydrant:
    """Water taken from a hydrant by those who may: a permit is known."""

    at: Seconds = 3600.0  # when it is opened
    lasts: Lasts = 1800.0  # until it is shut
    node: str = ""  # which, by its name in the network's file
    flow: Flow = 40 / 3600

    def change(self, size: float) -> Change:
        return Change("flow", self.node, self.flow / size)

    def share(self, since: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(since, self.lasts - since) / 30, 0.0, 1.0))


@dataclass(frozen=True)
class Shift:
    """A holiday or a heat wave: more or less is drawn, and later. Nothing is wrong."""

    at: Seconds = 3600.0  # when it begins
    lasts: Lasts = 86_400.0  # until it is over
    factor: Annotated[float, Between(0.1, 3.0)] = 1.15  # of the usual demand
    later: Seconds = 0.0  # by which people rise and cook later than usual

    def changed(self, since: Floats) -> Floats:
        """How much of it there is: it comes and goes within three hours. [k] [1]"""
        return np.asarray(np.clip(np.minimum(since, self.lasts - since) / 10_800, 0.0, 1.0))


@dataclass(frozen=True)
class Reducer:
    """A pressure-reducing valve that no longer reduces: the pressure behind it rises."""

    at: Seconds = 3600.0  # when it fails
    lasts: Seconds = FOREVER  # until it is repaired; the default: to the end
    valve: str = ""  # its name in the network's file; none: the one on the pipe that the world's `reducer` names
    rise: Rise = 20 * 9806.65  # of the pressure behind it, as far as there is so much before it
    over: Seconds = 60.0  # until it is that much

    def change(self, size: float) -> Change:  # noqa: ARG002  pressures are those of the file
        return Change("setting", self.valve, self.rise / 9806.65)

    def share(self, since: Floats) -> Floats:
        return np.clip(since / self.over, 0.0, 1.0) if self.over else np.asarray(since >= 0, float)


@dataclass(frozen=True)
class Stop:
    """A pump that stands still."""

    at: Seconds = 3600.0  # when it stops
    lasts: Seconds = FOREVER  # until it runs again; the default: to the end
    pump: str = ""  # its name in the network's file
    over: Seconds = 10.0  # until the flow has died

    def change(self, size: float) -> Change:  # noqa: ARG002  a pump stands or runs
        return Change("pump", self.pump)

    def share(self, since: Floats) -> Floats:
        return np.clip(since / self.over, 0.0, 1.0) if self.over else np.asarray(since >= 0, float)


KINDS: Final[Mapping[str, type]] = {
    "burst": Burst,
    "leak": Leak,
    "hydrant": Hydrant,
    "shift": Shift,
    "reducer": Reducer,
    "stop": Stop,
    "slam": Slam,
    "intrusion": Intrusion,
    "flush": Flush,
}


def acting(faults: Sequence[Water], start: float) -> tuple[Acting, ...]:
    """Faults set in from `start` [s of the epoch] on."""
    return tuple(Acting(f, start + f.at, start + f.at + f.lasts) for f in faults)
