"""What is so with a car at an instant, and so what perfect sensors see: trips, and what goes wrong on them. Without noise."""

from collections.abc import Container, Sequence
from typing import Final

import numpy as np

from lifeline.model import NS, Floats, Ints
from simulators.elevator.acting import Acting, Channels, Showing
from simulators.elevator.cars import FLOOR, Cars
from simulators.elevator.trips import Trips, seen, zone
from simulators.weather import Weather

PER_METRE: Final = 12.0  # [Pa/m] of air
CREEP: Final = 0.001  # [1] by which ropes always lag behind the sheave
USUAL: Final = {
    "mode": 0.0, "alarm_button": 0.0, "power": 1.0, "safety_circuit": 1.0, "lock_circuit": 1.0, "limit_switch": 0.0,
    "buffer_switch": 0.0, "landing_button": 0.0, "slip": 0.0,
}  # fmt: skip


def sight(of: Trips, cars: Cars, acts: Sequence[Acting], t: Ints, wanted: Container[str], weather: Weather) -> Channels:
    """One instant of each trip. of [k], t [k] [ns]; channel -> [k] [SI]

    Beside channels: height [m] above the lowest landing, slip [m/s] of the ropes on the sheave.
    """
    on, pace = clocked(of, acts, t)
    x = seen(of, cars, on)
    usual = {name: np.full(t.size, value) for name, value in USUAL.items() if acts or name in wanted}
    known = {"door": x.door, "passengers": x.inside, "speed": x.speed * np.abs(pace), "height": x.height, **usual}
    known["direction"] = np.sign(of.target - of.origin) * np.sign(pace) * (known["speed"] > 0)
    if "air_pressure" in wanted:
        known["weather"] = weather.pressure(t / NS)
    for a in acts:
        if isinstance(a.fault, Showing):
            changed(a, known, of.car, t)
    known["door_zone"] = zone(known["height"], cars, of.car)
    return derived(known, wanted)


def clocked(of: Trips, acts: Sequence[Acting], t: Ints) -> tuple[Floats, Floats | float]:
    """Time into each trip by its own clock [k] [s], and how fast that runs [1]."""
    on: Floats = (t - of.start) / NS
    if not any(a.pace for a in acts):
        return on, 1.0
    rate = np.ones(t.size)
    for a in acts:
        if a.pace is not None and a.trip is not None:
            mine = np.flatnonzero((of.car == a.car) & (of.start == a.trip.start[0]) & (t >= a.onset))
            on[mine] -= a.pace.lost(a.since(t[mine]))
            rate[mine] = a.pace.now(a.since(t[mine]))
    return on, rate


def changed(a: Acting, known: Channels, car: Ints, t: Ints) -> None:
    """What a fault makes of it, in place."""
    mine = np.flatnonzero(((car == a.car) | (a.car < 0)) & (t >= a.onset) & (t < a.end))
    if mine.size:
        part = {name: v[mine] for name, v in known.items()}
        a.fault.see(a.since(t[mine]), part)
        for name, v in part.items():
            known[name][mine] = v


def derived(known: Channels, wanted: Container[str]) -> Channels:
    """With the channels that follow from others."""
    if "floor" in wanted:
        known["floor"] = np.round(known["height"] / FLOOR) + 1
    if "air_pressure" in wanted:
        known["air_pressure"] = known["weather"] - PER_METRE * known["height"]
    if "rope_speed" in wanted:
        known["rope_speed"] = known["speed"].copy()
    if "sheave_speed" in wanted:
        known["sheave_speed"] = known["speed"] * (1 + CREEP) + known.get("slip", 0.0)
    return known
