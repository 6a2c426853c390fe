"""What a terminal makes of each stop: where the car came to rest, how it rode, how door, brake and ropes did."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints
from simulators.elevator.acting import Acting, Wearing
from simulators.elevator.cars import FALLS, SWING, Cars
from simulators.elevator.ride import rides
from simulators.elevator.trips import Trips, timeline
from simulators.scurve import Curve

FEATURES: Final = (
    "levelling", "vibration", "jerk", "door_time", "reopenings", "brake_distance", "rope_slip", "motor_current"
)  # fmt: skip
DOOR: Final = ("door_time", "reopenings")  # also told where the car did not move
QUANTUM: Final = {"levelling": 1e-3, "brake_distance": 1e-3, "rope_slip": 1e-3, "door_time": 0.01, "motor_current": 0.1}  # [SI]
SPREAD: Final = 0.003  # [m] of the stops of one car about its landings
MS: Final = 1_000_000  # [ns] a terminal's clock counts
BITES: Final = 0.2  # [s] in which a brake that stops a car under way takes hold
FULL: Final = 13  # persons in a car for a tonne
BALANCE: Final = 0.45  # [1] of a full load, that the counterweight balances


class Stops(NamedTuple):
    """Arrivals of a slot, one a row."""

    trips: Trips  # [m]
    at: Ints  # [m] [ns] the door is wide open


def stops(trips: Trips, cars: Cars, after: int, until: int) -> Stops:
    """Those of trips whose door opens in (after, until] [ns]."""
    open_ = timeline(trips, cars).there + SWING + trips.stalled
    at = (trips.start + (open_ * NS).astype(np.int64)) // MS * MS
    mine = np.flatnonzero((at > after) & (at <= until))
    mine = mine[np.lexsort((trips.car[mine], at[mine]))]
    return Stops(trips.take(mine), at[mine])


def features(
    s: Stops, cars: Cars, acts: Sequence[Acting], wanted: Sequence[str], draw: np.random.Generator
) -> dict[str, Floats]:
    """Feature -> one value a stop, NaN where it makes none. [m] [SI]"""
    way = timeline(s.trips, cars).way
    out = {name: MADE[name](s, cars, way, draw) for name in FEATURES if name in wanted}
    for a in acts:
        if isinstance(a.fault, Wearing) and a.fault.feature in out:
            mine, x = touched(s, a), out[a.fault.feature]
            x[mine] = a.fault.grown(a.since(s.at[mine]), x[mine])
        if a.pace is not None and "jerk" in out:
            out["jerk"][touched(s, a)] = FALLS / BITES
    still = s.trips.target == s.trips.origin
    for name, x in out.items():
        if name not in DOOR:
            x[still] = np.nan
    return {k: np.round(v / QUANTUM[k]) * QUANTUM[k] if k in QUANTUM else v for k, v in out.items()}


def touched(s: Stops, a: Acting) -> Bools:
    """Stops that a fault changes: that of its own trip, or all while it lasts. [m]"""
    mine = s.trips.car == a.car
    return np.asarray(mine & ((s.at >= a.onset) & (s.at < a.end) if a.trip is None else s.trips.start == a.trip.start[0]))


def _levelling(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001  the same call for all
    return SPREAD * draw.standard_normal(s.at.size)


def _vibration(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:
    peak = way.jerk * way.ramp * (way.ramp + way.hold)  # [m/s] top speed of the trip
    return rides(cars.rough[s.trips.car], np.maximum(peak, 0.3), draw)


def _jerk(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return way.jerk * (1 + 0.04 * np.abs(draw.standard_normal(s.at.size)))


def _door_time(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return SWING + 0.05 * draw.standard_normal(s.at.size)


def _reopenings(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return draw.poisson(0.01, s.at.size).astype(float)


def _brake(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return cars.brake[s.trips.car] * (1 + 0.02 * draw.standard_normal(s.at.size))


def _slip(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    return np.abs(0.002 + 0.001 * draw.standard_normal(s.at.size))


def _current(s: Stops, cars: Cars, way: Curve, draw: np.random.Generator) -> Floats:  # noqa: ARG001
    load = s.trips.passengers / FULL
    return 6.0 + 14.0 * np.abs(load - BALANCE) + 0.2 * draw.standard_normal(s.at.size)


MADE: Final[dict[str, Callable[[Stops, Cars, Curve, np.random.Generator], Floats]]] = {
    "levelling": _levelling,
    "vibration": _vibration,
    "jerk": _jerk,
    "door_time": _door_time,
    "reopenings": _reopenings,
    "brake_distance": _brake,
    "rope_slip": _slip,
    "motor_current": _current,
}
