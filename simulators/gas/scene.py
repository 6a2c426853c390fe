"""Gas mains of scenarios: a street in all detail, or those of a city."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Annotated, Any, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import measure, time
from lifeline.model import NS, Domain, Floats, Ints
from lifeline.words import suggestion
from simulators.columns import Row, columns, series
from simulators.dice import dice
from simulators.gas.faults import KINDS, Acting, Holed, Leak, Regulating, Strike, acting
from simulators.gas.laser import GAIN, Cadence
from simulators.gas.mains import laid, peaks
from simulators.gas.model import GasModel, Lasers
from simulators.gas.stations import Stations
from simulators.gas.wells import HOUR, STREAM, Wells, drawn
from simulators.plan import Plan, Site, sites
from simulators.weather import Weather
from simulators.world import Scene

RATED: Final = 0.3  # [MPa] gauge, medium-pressure main
SLOT: Final = 3600  # [s] longest slot, but for ticks that are longer
OWNER: Final = {"power": "Power Company", "telecom": "Telecom Company", "rain": "Drainage Office", "sewage": "Drainage Office"}

Cadences = Annotated[float, time("1s", "24h")]


@dataclass(frozen=True)
class Well:
    """One underground space, and the laser in it."""

    count: Annotated[int, Between(1, 1000)] = 1  # so many alike, each `apart` farther along the street
    apart: Annotated[float, measure("m", 0.0, 10_000)] = 20.0
    kind: Literal["power", "telecom", "rain", "sewage"] = "power"  # decides who owns it
    volume: Annotated[float, Between(0.1, 1000)] = 3.0  # [m³]
    air: Annotated[float, Between(0.01, 100)] = 0.4  # air changes an hour when the air is still
    draught: Annotated[float, Between(0, 100)] = 0.0  # more an hour for each root of a kelvin that it is warmer than the air
    biogas: Annotated[float, measure("m³/h", 0.0, 1.0)] = 0.0  # methane from its sediment at 20 °C
    along: Annotated[float, measure("m", 0.0, 10_000)] = 0.0  # place along the street
    away: Annotated[float, measure("m", 0.0, 1000)] = 2.0  # distance from the main
    sump: Annotated[float, measure("m", 0.01, 100)] = 100.0  # depth of water that drowns the laser


@dataclass(frozen=True)
class GasWorld:
    """A street with a gas main: well-1, … with laser-1/ch4; regulator-1, … with rtu-1 and logger-1."""

    well: tuple[Well, ...] = (Well(count=3),)
    regulators: Annotated[int, Between(0, 400)] = 1  # on the mains, four on each
    pressure: Annotated[float, measure("kPa", 10, 4000)] = 0.3e6  # of the mains at the gate
    slow: Cadences = 300.0  # between reports of a laser
    fast: Cadences = 60.0  # while its last reading was at least `above`
    above: Annotated[float, measure("%VOL", 0.0, 20.0)] = 0.005
    every: Cadences = 60.0  # between reports of a regulator
    companions: bool = False  # lasers also tell temperature, humidity and whether they are under water
    mean: Annotated[float, Between(-10, 35)] = 15.0  # temperature of the air in the year's mean [°C]

    def __post_init__(self) -> None:
        if self.fast > self.slow:
            raise ValueError("fast: must not be longer than slow")


@dataclass(frozen=True)
class GasMaker:
    """What the gas world offers to scenarios."""

    world: type = GasWorld
    faults: Mapping[str, type] = None  # type: ignore[assignment]

    def scene(self, world: GasWorld, faults: Sequence[Any], start: int, seed: int) -> Scene:
        wells, kinds = _street(world, seed)
        names = tuple(f"regulator-{i + 1}" for i in range(world.regulators))
        places = [
            Site(a.removeprefix("well-"), "A", 31.82, 117.23 + x / 95_000)
            for a, x in zip(wells.asset, wells.along, strict=True)
        ]
        others = [Site(a.removeprefix("regulator-"), "A", 31.8205, 117.23) for a in names]
        cadence = Cadence(round(world.slow), round(world.fast), world.above)
        weather = Weather(seed, mean=world.mean)
        late = np.zeros(wells.n, np.int64), np.zeros(len(names), np.int64)
        own = [OWNER[k] for k in kinds]
        return _made(
            wells,
            own,
            places,
            others,
            world.pressure,
            cadence,
            round(world.every),
            late,
            world.companions,
            faults,
            start,
            seed,
            weather,
        )

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        here, there = sites(plan, plan.wells, seed, 1), sites(plan, plan.regulators, seed, 11)
        weather, step = Weather(seed), round(plan.gas_step)
        wells = drawn(tuple(f"well-{p.id}" for p in here), seed, weather, start / NS)
        late = np.arange(wells.n) % step, np.arange(len(there)) % step
        return _made(
            wells,
            [""] * wells.n,
            here,
            there,
            RATED * 1e6,
            Cadence(step, step),
            step,
            late,
            False,
            faults,
            start,
            seed,
            weather,
        )


def _street(world: GasWorld, seed: int) -> tuple[Wells, list[str]]:
    """The wells of a scenario, and whose kind each is."""
    each = [(w, j) for w in world.well for j in range(w.count)]
    n, draw = len(each), dice(seed, STREAM)

    def of(name: str, scale: float = 1.0) -> Floats:
        return np.array([getattr(w, name) * scale for w, _ in each], float)

    along = np.array([w.along + w.apart * j for w, j in each], float)
    gain, place = 1 + GAIN * draw.uniform(-1, 1, n), draw.uniform(0, 2 * np.pi, n)
    asset = tuple(f"well-{i + 1}" for i in range(n))
    wells = Wells(
        asset,
        of("volume"),
        of("air", 1 / HOUR),
        of("draught", 1 / HOUR),
        of("biogas"),
        along,
        of("away"),
        of("sump"),
        gain,
        place,
    )
    return wells, [w.kind for w, _ in each]


def _made(
    wells: Wells,
    owner: Sequence[str],
    places: Sequence[Site],
    others: Sequence[Site],
    gate: float,
    cadence: Cadence,
    every: int,
    late: tuple[Ints, Ints],
    companions: bool,  # noqa: FBT001  passed on
    faults: Sequence[Any],
    start: int,
    seed: int,
    weather: Weather,
) -> Scene:
    """Wells and regulators at their places. gate [Pa], every [s], late [n] [s] of each, start [ns]"""
    names = tuple(f"regulator-{p.id}" for p in others)
    rows = [r for a, p, o in zip(wells.asset, places, owner, strict=True) for r in _well(a, p, cadence.slow, companions, o)]
    each = 4 if companions else 1
    at = np.arange(len(rows), dtype=np.int32).reshape(wells.n, each)
    methane, *others_told = (at[:, i] if i < each else np.empty(0, np.int32) for i in range(4))
    lasers = Lasers(methane, others_told[0], others_told[1], others_told[2], late[0], cadence)
    piped = len(rows) + np.arange(4 * len(names), dtype=np.int32).reshape(len(names), 4)
    rows += [r for a, p in zip(names, others, strict=True) for r in _regulator(a, p, every, gate)]
    droop = dice(seed, STREAM + 2).uniform(0.03, 0.05, len(names))
    mains = laid(names, peaks(len(names), seed), gate)
    stations = Stations(mains, piped[:, 0], piped[:, 1:3], piped[:, 3], droop, late[1])
    tick = gcd(cadence.slow, cadence.fast, every)
    ticks = max(1, min(12, SLOT // tick))
    acts = acting(faults, start / NS)
    _known(acts, wells.asset, names)
    return Scene(columns(rows), GasModel(wells, lasers, stations, every, tick, ticks, acts, weather, seed))


def _well(asset: str, place: Site, step: float, companions: bool, owner: str) -> list[Row]:  # noqa: FBT001  passed on
    device = f"laser-{asset.removeprefix('well-')}"
    told = [("ch4", "methane", "%VOL", (0.0, 20.0))]
    if companions:
        told += [("temperature", "temperature", "°C", (-40.0, 85.0)), ("humidity", "humidity", "%RH", (0.0, 100.0))]
        told += [("immersion", "immersion", "state", (0.0, 1.0))]
    return [series(Domain.GAS, asset, device, c, q, u, span, float(step), place, owner=owner) for c, q, u, span in told]


def _regulator(asset: str, place: Site, step: float, gate: float) -> list[Row]:
    rtu, log = (f"{d}-{asset.removeprefix('regulator-')}" for d in ("rtu", "logger"))
    high, s = max(0.6, 2 * gate / 1e6), float(step)
    make: Callable[..., Row] = series
    return [
        make(Domain.GAS, asset, rtu, "inlet", "gas_pressure", "MPa", (0.0, high), s, place, rated=gate / 1e6),
        make(Domain.GAS, asset, rtu, "outlet", "gas_pressure", "kPa", (0.0, 10.0), s, place, rated=2.0),
        make(Domain.GAS, asset, log, "outlet", "gas_pressure", "kPa", (0.0, 10.0), s, place, rated=2.0),
        make(Domain.GAS, asset, rtu, "flow", "gas_flow", "m³/h", (0.0, 600.0), s, place),
    ]


def _known(acts: Sequence[Acting], wells: Sequence[str], regulators: Sequence[str]) -> None:
    """ValueError where a fault speaks of what is not there."""
    for a in acts:
        fault = a.fault
        needed = fault.regulator if isinstance(fault, Regulating | Holed) else ""
        if needed and needed not in regulators:
            raise ValueError(f"gas: regulator: there is no {needed}; {suggestion(needed, regulators)}")
        for well in fault.well if isinstance(fault, Leak | Strike) else ():
            if well not in wells:
                raise ValueError(f"gas: well: there is no {well}; {suggestion(well, wells)}")


maker: Final = GasMaker(faults=KINDS)
