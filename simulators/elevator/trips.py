"""Trips as columns: when each begins, from where to where, with whom; what the car does at each instant of it."""

from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints
from simulators.elevator.cars import ENTER, FLOOR, PAUSE, VISIT, ZONE, Cars
from simulators.scurve import Curve, curve, travel

REST: Final = 3600  # [s] before the beginning, the last trip of every car lies
HERE: Final = -1  # origin or target of a forced trip: where the car stands


class Trips(NamedTuple):
    """One trip a row: the doors open at the landing of departure, close, the car goes, the doors open and close again."""

    car: Ints  # [m]
    start: Ints  # [m] [ns] the doors begin to open
    origin: Ints  # [m] [1] landing, from 0
    target: Ints  # [m] [1]
    passengers: Ints  # [m] [1]
    held: Floats  # [m] [s] how much longer than usual the doors stay open at departure
    stalled: Floats  # [m] [s] how long the car stands still, or is out of service, on the way

    def take(self, which: Ints | Bools) -> "Trips":
        columns: tuple[Any, ...] = self
        return Trips(*(x[which] for x in columns))

    @staticmethod
    def joined(parts: "list[Trips]") -> "Trips":
        joined: list[Any] = [np.concatenate(x) for x in zip(*parts, strict=True)]
        return Trips(*joined)


class Timeline(NamedTuple):
    """When what happens in each trip, by its own clock."""

    move: Floats  # [m] [s] the car sets off
    way: Curve  # [m]
    there: Floats  # [m] [s] the doors begin to open at the landing of arrival
    end: Floats  # [m] [s] they are closed


def timeline(trips: Trips, cars: Cars) -> Timeline:
    """[m]"""
    way = curve(FLOOR * np.abs(trips.target - trips.origin), cars.rated[trips.car])
    move = VISIT + PAUSE + trips.held
    there = move + way.duration + PAUSE
    return Timeline(move, way, there, there + VISIT)


def ended(trips: Trips, cars: Cars) -> Ints:
    """When the doors have closed after each trip, on the clock of the wall. [m] [ns]"""
    return trips.start + ((timeline(trips, cars).end + trips.stalled) * NS).astype(np.int64)


class Seen(NamedTuple):
    """What the sensors of a car see at an instant of a trip, were all well."""

    door: Floats  # [k] [1] 1: open
    inside: Floats  # [k] [1] passengers
    speed: Floats  # [k] [m/s]
    height: Floats  # [k] [m] above the lowest landing


def seen(trips: Trips, cars: Cars, on: Floats) -> Seen:
    """One instant of each trip. on [k] [s] by the trip's clock"""
    at = timeline(trips, cars)
    gone, speed = travel(at.way, on - at.move)
    height = FLOOR * trips.origin + np.sign(trips.target - trips.origin) * gone
    inside = ((on >= ENTER) & (on < at.there + ENTER)) * trips.passengers
    door = ((on >= 0) & (on < at.move - PAUSE)) | ((on >= at.there) & (on < at.end))
    return Seen(door.astype(float), inside.astype(float), speed, height)


def zone(height: Floats, cars: Cars, car: Ints) -> Floats:
    """Whether a car is within a door zone: above its last landing there is none. height [k] [m], car [k]; [k] [1]"""
    landing = np.clip(np.round(height / FLOOR), 0, cars.floors[car] - 1)
    return np.asarray(np.abs(height - FLOOR * landing) <= ZONE, float)


def resting(n: int, second: int) -> Trips:
    """All at rest at their lowest landing since long ago."""
    none = np.zeros(n, np.int64)
    return Trips(np.arange(n), np.full(n, (second - REST) * NS), none, none, none, np.zeros(n), np.zeros(n))
