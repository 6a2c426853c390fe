"""Who calls a car when: Poisson calls through the day, and the trips that a fault needs at its own time."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Floats, Ints
from simulators import rhythm
from simulators.elevator.cars import FLOOR, VISIT, Cars
from simulators.elevator.trips import HERE, Trips, ended, resting
from simulators.rhythm import DAY


class Ahead(NamedTuple):
    """What each car does."""

    last: Trips  # [n] its present trip, or the last one
    next: Ints  # [n] [ns] when the next begins


def first(cars: Cars, second: int, forced: Sequence[Trips], draw: np.random.Generator) -> Ahead:
    """All at rest, the first calls ahead."""
    start = called(np.full(cars.n, second * NS), draw.exponential(1 / np.maximum(cars.daily, 1e-3)))
    return yielding(Ahead(resting(cars.n, second), start), cars, forced)


def _calls() -> Floats:
    """Share of a day's calls before each sixth part of an hour, from midnight in Greenwich. [145] [1]"""
    rate = [rhythm.lift_calls(600.0 * (i + 0.5)) for i in range(144)]
    return np.asarray(np.concatenate([[0.0], np.cumsum(rate)]) / np.sum(rate))


CALLS: Final = _calls()
EDGES: Final = np.linspace(0.0, 1.0, CALLS.size)  # [1] of a day


def called(since: Ints, calls: Floats) -> Ints:
    """When so much of a day's calls has been made since an instant. since [n] [ns], calls [n] [days' calls]; [n] [ns]"""
    day = since // (DAY * NS)
    made = np.interp((since - day * DAY * NS) / (DAY * NS), EDGES, CALLS) + calls
    whole = np.floor(made)
    return np.asarray(
        (day + whole.astype(np.int64)) * DAY * NS + (np.interp(made - whole, CALLS, EDGES) * DAY * NS).astype(np.int64)
    )


def begun(s: Ahead, cars: Cars, until: int, forced: Sequence[Trips], draw: np.random.Generator) -> tuple[Ahead, Trips]:
    """Those after every trip that begins by then, and these trips. until [ns]"""
    parts = [s.last.take(np.empty(0, np.int64))]
    mean = 1 / np.maximum(cars.daily, 1e-3)  # [n] days' calls from one to the next
    while (due := s.next <= until).any():
        trips = _drawn(s, cars, draw)
        for one in forced:
            _replace(trips, one, due)
        last = Trips(*(np.where(due, new, old) for new, old in zip(trips, s.last, strict=True)))
        after = np.maximum(ended(trips, cars) + NS, called(trips.start, draw.exponential(mean)))  # who calls a busy car waits
        s = yielding(Ahead(last, np.where(due, after, s.next)), cars, forced)
        parts.append(trips.take(due))
    return s, Trips.joined(parts)


def _drawn(s: Ahead, cars: Cars, draw: np.random.Generator) -> Trips:
    """The next trip of every car. [n]"""
    n, here = cars.n, s.last.target
    drawn, passengers = draw.integers(0, cars.floors), draw.poisson(1.2, n)
    target = np.where(drawn == here, (drawn + 1) % cars.floors, drawn)
    return Trips(np.arange(n), s.next.copy(), here.copy(), target, passengers, np.zeros(n), np.zeros(n))


def _replace(trips: Trips, forced: Trips, due: np.ndarray) -> None:
    """Put a forced trip in the place of the one that begins with it."""
    i = int(forced.car[0])
    if due[i] and trips.start[i] == forced.start[0]:
        for column, value in zip(trips[2:], forced[2:], strict=True):
            if value[0] != HERE:
                column[i] = value[0]
        if forced.target[0] == HERE:
            trips.target[i] = trips.origin[i]


def yielding(s: Ahead, cars: Cars, forced: Sequence[Trips]) -> Ahead:
    """Calls that would overlap a forced trip wait until afterwards."""
    start = s.next.copy()
    for one in forced:
        i, at = int(one.car[0]), int(one.start[0])
        if s.last.start[i] < at and start[i] + longest(cars, i) * NS > at:
            start[i] = at
    return s._replace(next=start)


def homing(trip: Trips, cars: Cars) -> Trips:
    """The trip before a forced one: it brings the car to where that begins, in good time, empty."""
    i, none = int(trip.car[0]), np.zeros(1)
    nobody, here = np.zeros(1, np.int64), np.full(1, HERE)
    return Trips(trip.car, trip.start - round((longest(cars, i) + 1) * NS), here, trip.origin, nobody, none, none)


def longest(cars: Cars, i: int) -> float:
    """More than any trip of a car lasts. [s]"""
    return float(cars.floors[i] * FLOOR / cars.rated[i]) + 2 * VISIT + 20
