"""Lifts of scenarios: a few in all detail, or those of a city."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import measure, time
from lifeline.model import NS, Domain, Rows
from lifeline.words import suggestion
from simulators.columns import Row, columns, series
from simulators.elevator.acting import Acting, acting
from simulators.elevator.calls import homing
from simulators.elevator.cars import Cars, drawn
from simulators.elevator.faults import KINDS
from simulators.elevator.harmless import ButtonStuck, WeatherFront
from simulators.elevator.hazards import OPENED, Entrapment, PowerLoss, StopOutside
from simulators.elevator.lifts import Lifts
from simulators.elevator.machine import Overrun, Reversal
from simulators.elevator.ride import LIMIT, RATE
from simulators.elevator.trips import HERE, ended
from simulators.plan import Plan, Site, sites
from simulators.world import Scene

STATES: Final = ("door", "door_zone", "motion", "passengers", "speed", "mode", "alarm_button")
UNITS: Final = {
    "passengers": ("count", (0.0, 20.0)),
    "speed": ("m/s", (0.0, 10.0)),
    "sheave_speed": ("m/s", (0.0, 10.0)),
    "rope_speed": ("m/s", (0.0, 10.0)),
    "mode": ("state", (0.0, 2.0)),
    "direction": ("state", (-1.0, 1.0)),
    "floor": ("count", (0.0, 200.0)),
    "air_pressure": ("hPa", (500.0, 1100.0)),
    "levelling": ("mm", (-300.0, 300.0)),
    "vibration": ("m/s²", (0.0, 5.0)),
    "jerk": ("m/s³", (0.0, 20.0)),
    "door_time": ("s", (0.0, 60.0)),
    "reopenings": ("count", (0.0, 1000.0)),
    "brake_distance": ("mm", (0.0, 5000.0)),
    "rope_slip": ("mm", (0.0, 1000.0)),
    "motor_current": ("A", (0.0, 200.0)),
}  # unit, range; others are states, 0 or 1
BETWEEN_STOPS: Final = 6 * 3600.0  # [s] that a car may rest: the step of what is told at stops
SLOT: Final = 60  # [s] where states are told
HOUR: Final = 3600  # [s] where they are not

NEEDED: Final[dict[type, str]] = {
    PowerLoss: "power", Overrun: "limit_switch", Reversal: "direction", WeatherFront: "air_pressure",
    ButtonStuck: "landing_button",
}  # fmt: skip

Channel = Literal[
    "door", "door_zone", "motion", "passengers", "speed", "mode", "alarm_button", "direction", "floor", "power",
    "safety_circuit", "lock_circuit", "limit_switch", "buffer_switch", "landing_button", "air_pressure",
    "sheave_speed", "rope_speed",
]  # fmt: skip
Feature = Literal["levelling", "vibration", "jerk", "door_time", "reopenings", "brake_distance", "rope_slip", "motor_current"]


class Fitted(NamedTuple):
    """What terminals tell, and how often."""

    channels: Sequence[str]
    features: Sequence[str]
    beat: float  # [s]
    riding: bool
    wave: bool = False


@dataclass(frozen=True)
class ElevatorWorld:
    """Lifts of one building: elevator-001, elevator-002, … with the terminals car-001, car-002, …"""

    lifts: Annotated[int, Between(1, 100)] = 1  # how many
    floors: Annotated[int, Between(2, 120)] = 20  # landings, 3 m apart
    rated: Annotated[float, measure("m/s", 0.25, 10.0)] = 1.75  # rated speed
    trips: Annotated[int, Between(0, 2000)] = 200  # a day
    channels: tuple[Channel, ...] = STATES  # of its state, told when they change
    features: tuple[Feature, ...] = ()  # told at each stop
    beat: Annotated[float, time("1s", "1h")] = 20.0  # from heartbeat to heartbeat
    riding: bool = True  # speed is told each second while a car moves
    vibration: Annotated[float, measure("m/s²", 0.01, 3.0)] = 0.15  # A95 when all is well
    accelerometer: bool = False  # on the car's roof: car-001/z, a waveform of 64 Hz, each second

    def __post_init__(self) -> None:
        if not self.channels and not self.features and not self.accelerometer:
            raise ValueError("channels: a lift that tells nothing; name channels or features")
        for name in ("channels", "features"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: names one twice")


@dataclass(frozen=True)
class ElevatorMaker:
    """What the elevator world offers to scenarios."""

    world: type = ElevatorWorld
    faults: Mapping[str, type] = None  # type: ignore[assignment]

    def scene(self, world: ElevatorWorld, faults: Sequence[Any], start: int, seed: int) -> Scene:
        n, names = world.lifts, [f"{i + 1:03d}" for i in range(world.lifts)]
        cars = Cars(
            tuple(f"elevator-{i}" for i in names),
            np.full(n, world.floors),
            np.full(n, world.rated),
            np.full(n, float(world.trips)),
            np.full(n, world.vibration),
        )
        fitted = Fitted(world.channels, world.features, world.beat, world.riding, world.accelerometer)
        return made(cars, [Site(i, "A", 31.82, 117.23) for i in names], fitted, faults, start, seed)

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        places = sites(plan, plan.lifts, seed, 4)
        cars = drawn([f"elevator-{p.id}" for p in places], seed)
        return made(cars, places, Fitted(STATES, (), plan.beat, plan.riding), faults, start, seed)


def made(cars: Cars, places: Sequence[Site], fitted: Fitted, faults: Sequence[Any], start: int, seed: int) -> Scene:
    """Cars at their places, with what their terminals tell. start [ns]"""
    acts = tuple(_set(f, f"fault[{i}]", cars, fitted, start) for i, f in enumerate(faults))
    _apart(acts, cars)
    rows = [row for i, place in enumerate(places) for row in _car(cars, i, place, fitted)]
    names = (*fitted.channels, *fitted.features, *(["z"] if fitted.wave else []))
    number = np.arange(len(rows), dtype=np.int32).reshape(cars.n, len(names))
    where: dict[str, Rows] = dict(zip(names, number.T, strict=True))
    told, stops = {c: where[c] for c in fitted.channels}, {f: where[f] for f in fitted.features}
    span = SLOT if told or fitted.wave else HOUR
    model = Lifts(cars, told, seed, round(fitted.beat), fitted.riding, span, acts, stops, where.get("z"))
    return Scene(columns(rows), model)


def _car(cars: Cars, i: int, place: Site, fitted: Fitted) -> list[Row]:
    """Its rows in the catalog."""
    asset, rated, beat = cars.asset[i], float(cars.rated[i]), fitted.beat
    device = f"car-{asset.removeprefix('elevator-')}"
    out = []
    for name in fitted.channels:
        unit, span = UNITS.get(name, ("state", (0.0, 1.0)))
        own = rated if name == "speed" else float("nan")
        out.append(series(Domain.ELEVATOR, asset, device, name, name, unit, span, beat, place, hold=4.0 * beat, rated=own))
    out += [series(Domain.ELEVATOR, asset, device, f, f, *UNITS[f], BETWEEN_STOPS, place) for f in fitted.features]
    if fitted.wave:
        out.append(series(Domain.ELEVATOR, asset, device, "z", "acceleration", "m/s²", (-LIMIT, LIMIT), 1 / RATE, place))
    return out


def _set(fault: Any, place: str, cars: Cars, fitted: Fitted, start: int) -> Acting:
    """A fault set in; ValueError where it has no such lift, cannot happen to it, or has nothing to show it by."""
    if not isinstance(fault, WeatherFront) and fault.asset not in cars.asset:
        raise ValueError(
            f"{place}.asset: there is no {fault.asset or 'lift without a name'}; {suggestion(fault.asset, cars.asset)}"
        )
    feature, channel = getattr(fault, "feature", ""), _channel(fault)
    if feature and not _told(feature, fitted):
        raise ValueError(f"{place}: shows in {feature}, which no terminal here tells; add it to features of [world.elevator]")
    if channel and channel not in fitted.channels:
        raise ValueError(f"{place}: shows in {channel}, which no terminal here tells; add it to channels of [world.elevator]")
    try:
        return acting(fault, cars, start)
    except ValueError as why:
        raise ValueError(f"{place}.{why}") from why


def _told(feature: str, fitted: Fitted) -> bool:
    """Whether something tells of a feature: itself, or what it can be seen in."""
    seen = {"vibration": fitted.wave, "rope_slip": {"sheave_speed", "rope_speed"} <= set(fitted.channels)}
    return feature in fitted.features or seen.get(feature, False)


def _channel(fault: Any) -> str:
    """A channel, beyond the usual ones, without which a fault is not what it says."""
    if isinstance(fault, Entrapment | StopOutside) and fault.cause in OPENED:
        return OPENED[fault.cause][0]
    return NEEDED.get(type(fault), "")


def _apart(acts: Sequence[Acting], cars: Cars) -> None:
    """ValueError where one car would have to be on two trips at once."""
    busy: dict[int, list[tuple[int, int, int]]] = {}
    for i, a in enumerate(acts):
        if a.trip is not None:
            one = a.trip if a.trip.origin[0] == HERE else homing(a.trip, cars)
            busy.setdefault(a.car, []).append((int(one.start[0]), int(ended(a.trip, cars)[0]), i))
    for trips in busy.values():
        for (_, end, _), (begin, _, i) in pairwise(sorted(trips)):
            if begin <= end:
                late = math.ceil((end - begin) / NS) + 1
                raise ValueError(
                    f"fault[{i}].at: another fault keeps {acts[i].fault.asset} busy until then; {late} s later will do"
                )


maker: Final = ElevatorMaker(faults=KINDS)
"""The elevator world: cars that people call, what their terminals tell, and what goes wrong."""
