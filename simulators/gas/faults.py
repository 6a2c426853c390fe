"""What happens in the gas world: hazards, and what only looks like one. Each class is a table [[fault]] and what it does.

A fault may do several things, and says so by its methods: `inflow` (gas enters wells), `bore` (a main has a hole), `sediment`
(biogas), `aired` (a well is ventilated), `water` (rain stands in wells), `outlet` and `burnt` (at regulators).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, NamedTuple, Protocol

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, Share, measure, time
from lifeline.model import Floats
from simulators.gas.wells import Wells
from simulators.orifice import gas_flow
from simulators.sensors import FOREVER

Lasts = Annotated[float, time("1s")]
Hole = Annotated[float, measure("mm", 0.1, 500)]  # [m]
Gauge = Annotated[float, measure("kPa", 0.1, 10_000)]  # [Pa]
Metres = Annotated[float, measure("m", 0.0, 10_000)]  # [m]
Inflow = Annotated[float, measure("m³/h", 0.0, 10_000)]  # [m³/s]

SEGMENT: Final = 20.0  # [m] of main, as places are named


class Acting(NamedTuple):
    """A fault set into a world."""

    fault: "Gas"
    onset: float  # [s of the epoch]
    end: float  # [s of the epoch]

    def since(self, t: Floats) -> Floats:
        """t [k] [s]; [k] [s]"""
        return np.asarray(t - self.onset)


class Gas(Protocol):
    """A table [[fault]]."""

    @property
    def at(self) -> float: ...  # [s]

    @property
    def lasts(self) -> float: ...  # [s]


@dataclass(frozen=True)
class Leak:
    """A hole in a buried main; its gas travels through the ground or along ducts into the wells around, less the farther."""

    at: Seconds = 3600.0  # when it opens
    lasts: Seconds = FOREVER  # until it is closed; the default: to the end
    hole: Hole = 0.001  # diameter
    gauge: Gauge = 0.4e6  # pressure in the main
    grows: Seconds = 0.0  # until it is wholly open
    soil: Share = 0.1  # of what would leave it freely, the share that the ground lets through
    along: Metres = 0.0  # place along the street
    well: tuple[str, ...] = ()  # wells reached; none: all of them, by their places
    distance: tuple[Metres, ...] = ()  # of the wells named
    way: Literal["duct", "ground"] = "duct"  # time taken: distance by speed, or squared distance by diffusion
    speed: Annotated[float, measure("m/h", 0.01, 36_000)] = 2.0 / 3600  # along ducts
    diffusion: Annotated[float, Between(1e-8, 1.0)] = 1e-5  # [m²/s] of the ground
    reach: Annotated[float, measure("m", 0.1, 1000)] = 10.0  # distance over which the share that arrives falls to 1/e
    regulator: str = ""  # whose main it is; its inlet pressure falls

    def __post_init__(self) -> None:
        if len(self.well) != len(self.distance):
            raise ValueError("distance: needs one for each of well")

    def bore(self, since: Floats) -> Floats:
        opened = np.clip(since / self.grows, 0.0, 1.0) if self.grows else np.ones_like(since)
        return self.hole * np.sqrt(opened * ((since >= 0) & (since < self.lasts)))

    def paths(self, wells: Wells) -> Floats:
        """How far each well is for the gas; inf: it never comes. [n] [m]"""
        if not self.well:
            return np.asarray(np.abs(wells.along - self.along) + wells.away)
        far = np.full(wells.n, np.inf)
        for name, d in zip(self.well, self.distance, strict=True):
            far[[a == name for a in wells.asset]] = d
        return far

    def delay(self, far: Floats) -> Floats:
        """[n] [m] -> [n] [s]"""
        return far / self.speed if self.way == "duct" else far**2 / self.diffusion

    def inflow(self, since: Floats, wells: Wells) -> Floats:
        far = self.paths(wells)
        late = since - self.delay(far)[:, None]  # what arrives now left so long ago
        free = gas_flow(self.bore(late), self.gauge)
        return np.asarray(self.soil * np.exp(-far / self.reach)[:, None] * free)

    def place(self) -> str:
        return f"segment-{int(self.along // SEGMENT) + 1}"


@dataclass(frozen=True)
class Strike:
    """An excavator breaks a main: wells fill within minutes, pressure falls, flow rises."""

    at: Seconds = 600.0  # when it happens
    lasts: Seconds = FOREVER  # until the valves are shut; the default: to the end
    hole: Hole = 0.020  # diameter
    gauge: Gauge = 0.3e6  # pressure in the main
    along: Metres = 0.0  # place along the street
    well: tuple[str, ...] = ()  # wells reached; none: all of them, by their places
    distance: tuple[Metres, ...] = ()  # of the wells named
    soil: Share = 0.1  # of the gas, the share that stays below ground
    reach: Annotated[float, measure("m", 0.1, 1000)] = 10.0  # distance over which the share that arrives falls to 1/e
    speed: Annotated[float, measure("m/s", 0.001, 50)] = 2.0  # along torn ducts
    regulator: str = "regulator-1"  # whose main it is; "": none

    def __post_init__(self) -> None:
        self._leak()

    def _leak(self) -> Leak:
        return Leak(
            self.at, self.lasts, self.hole, self.gauge, soil=self.soil, along=self.along, well=self.well,
            distance=self.distance, speed=self.speed, reach=self.reach,
        )  # fmt: skip

    def bore(self, since: Floats) -> Floats:
        return self._leak().bore(since)

    def inflow(self, since: Floats, wells: Wells) -> Floats:
        return self._leak().inflow(since, wells)

    def place(self) -> str:
        return self._leak().place()


@dataclass(frozen=True)
class Seep:
    """Gas that enters one well at a rate of its own: corrosion that grows for days."""

    at: Seconds = 3600.0  # when it begins
    lasts: Seconds = FOREVER  # until it is closed; the default: to the end
    well: str = "well-1"  # pattern
    first: Inflow = 0.005 / 3600  # into the well, at first
    last: Inflow = 0.2 / 3600  # and in the end, which stays
    over: Annotated[float, time("1s")] = 864_000.0  # from the one to the other, in a straight line

    def inflow(self, since: Floats, wells: Wells) -> Floats:
        rate = self.first + (self.last - self.first) * np.clip(since / self.over, 0.0, 1.0)
        mine = np.array([fnmatchcase(a, self.well) for a in wells.asset])
        return mine[:, None] * np.where((since >= 0) & (since < self.lasts), rate, 0.0)

    def place(self) -> str:
        return self.well


@dataclass(frozen=True)
class Biogas:
    """Sediment that ferments: a hazard of the drain, not of the gas main."""

    at: Seconds = 0.0  # when it begins
    lasts: Seconds = FOREVER  # the default: to the end
    well: str = "well-*"  # pattern
    source: Inflow = 0.01 / 3600  # methane at 20 °C; 8 % more for each kelvin
    grows: Seconds = 86_400.0  # until it is that much

    def sediment(self, since: Floats, wells: Wells) -> Floats:
        """At 20 °C. [n, k] [m³/s]"""
        mine = np.array([fnmatchcase(a, self.well) for a in wells.asset])
        grown = np.clip(since / self.grows, 0.0, 1.0) if self.grows else np.ones_like(since)
        return mine[:, None] * np.where((since >= 0) & (since < self.lasts), self.source * grown, 0.0)


@dataclass(frozen=True)
class Vent:
    """A cover stands open: somebody works below, or the well is aired."""

    at: Seconds = 3600.0  # when it is opened
    lasts: Lasts = 3600.0  # until it is closed
    well: str = "well-1"  # pattern
    changes: Annotated[float, Between(0.1, 1000)] = 10.0  # air changes an hour

    def aired(self, since: Floats, wells: Wells) -> Floats:
        """[n, k] [1/s]"""
        mine = np.array([fnmatchcase(a, self.well) for a in wells.asset])
        return mine[:, None] * np.where((since >= 0) & (since < self.lasts), self.changes / 3600, 0.0)


@dataclass(frozen=True)
class Rain:
    """A shower: water stands in the wells, flushes their sediment and drowns the sensors that hang too low."""

    at: Seconds = 3600.0  # when it begins
    lasts: Lasts = 3600.0  # until it stops
    intensity: Annotated[float, measure("mm/h", 0.1, 300)] = 40e-3 / 3600
    gather: Annotated[float, Between(1, 1000)] = 50.0  # area that drains into a well, in areas of the well
    drains: Annotated[float, time("1m")] = 3 * 3600.0  # time in which standing water falls to 1/e

    def water(self, since: Floats) -> Floats:
        """Depth in the wells: a linear reservoir. since [k] [s]; [k] [m]"""
        full = self.gather * self.intensity * self.drains
        fed = np.clip(since, 0.0, self.lasts)
        return np.asarray(full * -np.expm1(-fed / self.drains) * np.exp(-np.maximum(since - self.lasts, 0.0) / self.drains))


@dataclass(frozen=True)
class LockUp:
    """A regulator whose valve no longer closes: its outlet pressure creeps up."""

    at: Seconds = 3600.0  # when it begins
    lasts: Seconds = FOREVER  # the default: to the end
    regulator: str = "regulator-1"
    to: Gauge = 3400.0  # outlet pressure in the end
    over: Annotated[float, time("1s")] = 60.0  # time in which two thirds of the way are gone

    def outlet(self, since: Floats, usual: Floats) -> Floats:
        share = -np.expm1(-np.maximum(since, 0.0) / self.over)
        return np.where(since < self.lasts, usual + (self.to - usual) * share, usual)


@dataclass(frozen=True)
class Freeze:
    """A regulator that ices up, or whose filter clogs: its outlet pressure sinks, the more the greater the demand."""

    at: Seconds = 3600.0  # when it begins
    lasts: Seconds = FOREVER  # the default: to the end
    regulator: str = "regulator-1"
    to: Gauge = 1550.0  # outlet pressure in the end
    over: Annotated[float, time("1s")] = 7200.0  # until then, in a straight line

    def outlet(self, since: Floats, usual: Floats) -> Floats:
        share = np.clip(since / self.over, 0.0, 1.0)
        return np.where(since < self.lasts, usual + (self.to - usual) * share, usual)


@dataclass(frozen=True)
class ColdSnap:
    """A cold day: everybody heats. Flows rise and pressures fall, and nothing is wrong."""

    at: Seconds = 3600.0  # when it begins
    lasts: Lasts = 43_200.0  # until it is over
    factor: Annotated[float, Between(0.1, 3.0)] = 1.4  # of the usual demand

    def burnt(self, since: Floats) -> Floats:
        """Of the usual demand; it comes and goes within an hour. [k] [1]"""
        share = np.clip(np.minimum(since, self.lasts - since) / 3600, 0.0, 1.0)
        return 1 + (self.factor - 1) * share


Leaking = Leak | Strike | Seep  # gas finds its way into wells
Holed = Leak | Strike  # a main loses gas that its regulators miss
Regulating = LockUp | Freeze  # a regulator no longer holds its outlet

KINDS: Final[Mapping[str, type]] = {
    "leak": Leak,
    "strike": Strike,
    "seep": Seep,
    "biogas": Biogas,
    "vent": Vent,
    "rain": Rain,
    "lock_up": LockUp,
    "freeze": Freeze,
    "cold_snap": ColdSnap,
}


def acting(faults: Sequence[Gas], start: float) -> tuple[Acting, ...]:
    """Faults set in from `start` [s of the epoch] on."""
    return tuple(Acting(f, start + f.at, start + f.at + f.lasts) for f in faults)
