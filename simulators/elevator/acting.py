"""Faults set into a world of lifts, what each may do, and the trips that they need.

A fault may do several things, and says so by what it has: `between` and `moment` (it happens on a trip of its own), `held`
(while the door is open), `pace` (that trip's clock stands still or races), `see` (something is otherwise than usual),
`misread` (something is told otherwise than it is), `feature` and `grown` (something wears).
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lifeline.model import NS, Floats, Ints
from simulators.elevator.cars import FALLS, Cars
from simulators.elevator.pace import Pace
from simulators.elevator.trips import HERE, Timeline, Trips, seen, timeline
from simulators.scurve import travel

Channels = dict[str, Floats]  # channel -> [k] [SI]


class Fault(Protocol):
    """A table [[fault]]."""

    @property
    def asset(self) -> str:
        """The lift; "": all."""

    @property
    def at(self) -> float: ...  # [s]

    @property
    def lasts(self) -> float: ...  # [s]


@runtime_checkable
class Riding(Fault, Protocol):
    """It happens on a trip of its own."""

    @property
    def passengers(self) -> int: ...

    def between(self, floors: int) -> tuple[int, int]:
        """From which landing to which the trip goes, from 0."""

    def moment(self, at: Timeline) -> float:
        """How long after the trip's start it happens. [s]"""


@runtime_checkable
class Visiting(Fault, Protocol):
    """It happens while the car stands at a landing with its door open."""

    @property
    def passengers(self) -> int: ...

    @property
    def held(self) -> float:
        """How much longer than usual the door is open. [s]"""


@runtime_checkable
class Pacing(Riding, Protocol):
    """The clock of its trip stands or races."""

    def pace(self, stop: float) -> Pace:
        """stop: in which the brake would stop the car. [s]"""


@runtime_checkable
class Showing(Fault, Protocol):
    """Something is otherwise than usual."""

    def see(self, since: Floats, x: Channels) -> None:
        """Change it. since [k] [s] after the onset, x [k] in place"""


@runtime_checkable
class Misreading(Fault, Protocol):
    """Something is told otherwise than it is."""

    def misread(self, since: Floats, x: Channels) -> None:
        """Change it. since [k] [s] after the onset, x [k] in place"""


@runtime_checkable
class Wearing(Fault, Protocol):
    """Something that is told at each stop wears."""

    @property
    def feature(self) -> str: ...

    def grown(self, since: Floats, usual: Floats) -> Floats:
        """What it is now, instead of the usual. since [k] [s]"""


class Acting(NamedTuple):
    """A fault set into a world."""

    fault: Any
    car: int  # -1: all
    onset: int  # [ns]
    end: int  # [ns]
    trip: Trips | None = None  # on which it happens
    pace: Pace | None = None  # of that trip's clock

    def since(self, t: Ints) -> Floats:
        """t [k] [ns]; [k] [s]"""
        return np.asarray((t - self.onset) / NS)


def acting(fault: Any, cars: Cars, start: int) -> Acting:
    """A fault that counts from `start` [ns] on."""
    car = cars.asset.index(fault.asset) if fault.asset else -1
    onset = start + round(fault.at * NS)
    a = Acting(fault, car, onset, onset + round(fault.lasts * NS))
    if isinstance(fault, Visiting):
        landing = getattr(fault, "landing", 0)
        if landing > cars.floors[car]:
            raise ValueError(f"landing: there are {cars.floors[car]}")
        where = landing - 1 if landing else HERE
        return a._replace(trip=_trip(car, onset, where, where, fault.passengers, held=fault.held))
    if not isinstance(fault, Riding):
        return a
    origin, target = fault.between(int(cars.floors[car]))
    trip = _trip(car, 0, origin, target, fault.passengers)
    moment = fault.moment(timeline(trip, cars))
    clock = None
    if isinstance(fault, Pacing):
        clock = fault.pace(float(seen(trip, cars, np.array([moment])).speed[0]) / FALLS)
        trip = trip._replace(stalled=clock.lost(np.array([1e9])))
    return a._replace(trip=trip._replace(start=np.array([onset - round(moment * NS)])), pace=clock)


def _trip(car: int, start: int, origin: int, target: int, passengers: int, held: float = 0.0) -> Trips:
    i, begin, a, b, who = (np.array([x]) for x in (car, start, origin, target, passengers))
    return Trips(i, begin, a, b, who, np.array([held]), np.zeros(1))


def upwards(floors: int) -> tuple[int, int]:
    """From the lowest landing to the highest whose half-way point lies between landings."""
    return 0, floors - 1 - floors % 2


def halfway(at: Timeline) -> float:
    """[s]"""
    return float(at.move[0] + at.way.duration[0] / 2)


def between(at: Timeline) -> float:
    """When the brake must fall in for the car to come to rest half-way. [s]"""
    peak = at.way.jerk[0] * at.way.ramp[0] * (at.way.ramp[0] + at.way.hold[0])  # [m/s]
    return halfway(at) - float(peak) / (2 * FALLS)


def reaching(at: Timeline, speed: float) -> float:
    """When the car first runs at a speed; ValueError where it never does. [s]"""
    t = np.linspace(0.0, float(at.way.duration[0]) / 2, 10_000)
    way = type(at.way)(*(np.full(t.size, float(x[0])) for x in at.way))
    fast = travel(way, t)[1] >= speed
    if not fast.any():
        raise ValueError(f"speed: the car never runs at {speed:g} m/s")
    return float(at.move[0]) + float(t[np.argmax(fast)])
