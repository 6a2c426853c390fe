"""Gas mains of scenarios: a street in all detail, or those of a city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import gcd
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import measure, time
from lifeline.model import NS, Domain, Floats
from lifeline.words import suggestion
from simulators.columns import columns
from simulators.dice import dice
from simulators.gas.faults import KINDS, Acting, Biogas, Holed, Leak, Regulating, Seep, Strike, Vent, acting
from simulators.gas.laser import GAIN, Cadence
from simulators.gas.layout import Fitted, numbered, of_gate, of_regulator, of_well
from simulators.gas.mains import STRING, laid, peaks
from simulators.gas.model import GasModel, Lasers
from simulators.gas.stations import Stations
from simulators.gas.wells import STREAM, Wells, drawn
from simulators.plan import Plan, Site, sites
from simulators.weather import Weather
from simulators.world import Scene

RATED: Final = 0.3e6  # [Pa] gauge, medium-pressure mains of a city
HOUR: Final = 3600  # [s] longest slot, but for ticks that are longer
TICKS: Final = 12  # in a slot
FINE: Final = 600  # [s] longest tick: weather and leaks change within it
DEGREE: Final = 95_000.0  # [m] of longitude there
STREET: Final = Path(__file__).with_name("street.csv")  # its main, piece by piece

Cadences = Annotated[float, time("1s", "24h")]


@dataclass(frozen=True)
class Well:
    """One underground space, and the laser in it."""

    count: Annotated[int, Between(1, 1000)] = 1  # so many alike, each `apart` farther along the street
    apart: Annotated[float, measure("m", 0.0, 10_000)] = 20.0
    kind: Literal["power", "telecom", "rain", "sewage"] = "power"  # decides who owns it, and whether biogas may be in it
    volume: Annotated[float, Between(0.1, 1000)] = 3.0  # of its air [m³]
    air: Annotated[float, Between(0.01, 100)] = 0.4  # air changes an hour when the air is still
    draught: Annotated[float, Between(0, 100)] = 0.0  # more an hour for each root of a kelvin that it is warmer than the air
    biogas: Annotated[float, measure("m³/h", 0.0, 1.0)] = 0.0  # methane from its sediment at 20 °C; for a hazard: gas.biogas
    along: Annotated[float, measure("m", 0.0, 10_000)] = 0.0  # place along the street
    away: Annotated[float, measure("m", 0.0, 1000)] = 2.0  # distance from the main
    sump: Annotated[float, measure("m", 0.01, 100)] = 100.0  # depth of water that drowns the laser


@dataclass(frozen=True)
class GasWorld:
    """A street with a gas main: well-1, … with laser-1/ch4; regulator-1, … with rtu-1 and logger-1."""

    well: tuple[Well, ...] = ()  # none: three power wells, 20 m apart
    regulators: Annotated[int, Between(0, 400)] = 1  # on the mains, four on each
    pressure: Annotated[float, measure("kPa", 10, 4000)] = 0.3e6  # of the mains at the gate
    slow: Cadences = 300.0  # between reports of a laser
    fast: Cadences = 60.0  # while its last reading was at least `above`; as `slow`: never more often
    above: Annotated[float, measure("%VOL", 0.0, 20.0)] = 0.005  # from which a laser reports often
    gates: bool = False  # the mains are metered where they begin: gate-1, … with meter-gate-1/flow
    every: Cadences = 60.0  # between reports of a regulator, and of a gate
    companions: tuple[Literal["temperature", "humidity", "immersion"], ...] = ()  # what lasers also tell
    mean: Annotated[float, Between(-10, 35)] = 15.0  # temperature of the air in the year's mean [°C]

    def __post_init__(self) -> None:
        if self.fast > self.slow:
            raise ValueError("fast: must not be longer than slow")
        if len(set(self.companions)) < len(self.companions):
            raise ValueError("companions: names one twice")


@dataclass(frozen=True)
class GasMaker:
    """What the gas world offers to scenarios."""

    world: type = GasWorld
    faults: Mapping[str, type] = None  # type: ignore[assignment]

    def scene(self, world: GasWorld, faults: Sequence[Any], start: int, seed: int) -> Scene:
        wells, kinds = _street(world, seed)
        here = [
            Site(a.removeprefix("well-"), "A", 31.82, 117.23 + x / DEGREE)
            for a, x in zip(wells.asset, wells.along, strict=True)
        ]
        there = [Site(str(i + 1), "A", 31.8205, 117.23) for i in range(world.regulators)]
        cadence = Cadence(round(world.slow), round(world.fast), world.above)
        fitted = Fitted(world.pressure, cadence, round(world.every), world.companions, world.gates)
        weather = Weather(seed, mean=world.mean)
        scene = made(wells, kinds, here, there, fitted, acting(faults, start / NS), weather, seed)
        return scene._replace(maps={Domain.GAS.value: STREET})

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        here, there = sites(plan, plan.wells, seed, 1), sites(plan, plan.regulators, seed, 11)
        weather, step = Weather(seed), round(plan.gas_step)
        wells = drawn(tuple(f"well-{p.id}" for p in here), seed, weather, start / NS)
        fitted = Fitted(RATED, Cadence(step, step), step, spread=True)
        return made(wells, [""] * wells.n, here, there, fitted, acting(faults, start / NS), weather, seed)


def _street(world: GasWorld, seed: int) -> tuple[Wells, list[str]]:
    """The wells of a scenario, and whose kind each is."""
    each = [(w, j) for w in world.well or (Well(count=3),) for j in range(w.count)]
    n, draw = len(each), dice(seed, STREAM)

    def of(name: str, scale: float = 1.0) -> Floats:
        return np.array([getattr(w, name) * scale for w, _ in each], float)

    along = np.array([w.along + w.apart * j for w, j in each], float)
    gain, place = 1 + GAIN * draw.uniform(-1, 1, n), draw.uniform(0, 2 * np.pi, n)
    asset = tuple(f"well-{i + 1}" for i in range(n))
    wells = Wells(
        asset,
        of("volume"),
        of("air", 1 / 3600),
        of("draught", 1 / 3600),
        of("biogas"),
        along,
        of("away"),
        of("sump"),
        gain,
        place,
    )
    return wells, [w.kind for w, _ in each]


def made(
    wells: Wells,
    kinds: Sequence[str],
    here: Sequence[Site],
    there: Sequence[Site],
    fitted: Fitted,
    acts: tuple[Acting, ...],
    weather: Weather,
    seed: int,
) -> Scene:
    """Wells here, regulators there, their sensors, and what happens to them."""
    names = tuple(f"regulator-{p.id}" for p in there)
    _known(acts, wells, names)
    mains = laid(names, peaks(len(names), seed), fitted.pressure)
    rows = [r for a, p, k in zip(wells.asset, here, kinds, strict=True) for r in of_well(a, p, k, fitted)]
    lasers = numbered(0, wells.n, 1 + len(fitted.companions))
    piped = numbered(len(rows), len(names), 4)
    rows += [r for a, p in zip(names, there, strict=True) for r in of_regulator(a, p, fitted)]
    gates = len(rows) + np.arange(len(mains.volume) * fitted.gates, dtype=np.int32)
    rows += [of_gate(i + 1, there[STRING * i], fitted) for i in range(gates.size)]
    tick = gcd(fitted.cadence.slow, fitted.cadence.fast, fitted.every if names else FINE, FINE)
    told = Lasers(
        lasers[:, 0], dict(zip(fitted.companions, lasers.T[1:], strict=True)), fitted.late(wells.n, tick), fitted.cadence
    )
    droop = dice(seed, STREAM + 2).uniform(0.03, 0.05, len(names))
    stations = Stations(mains, piped[:, 0], piped[:, 1:3], piped[:, 3], gates, droop, fitted.late(len(names), tick))
    ticks = max(1, min(TICKS, HOUR // tick))
    return Scene(columns(rows), GasModel(wells, told, stations, fitted.every, tick, ticks, acts, weather, seed))


def _known(acts: Sequence[Acting], wells: Wells, regulators: Sequence[str]) -> None:
    """ValueError where a fault speaks of what is not there."""
    placed = bool(np.isfinite(wells.away).all())
    for i, fault in enumerate(a.fault for a in acts):
        if isinstance(fault, Regulating | Holed) and fault.regulator:
            _there(fault.regulator, regulators, f"fault[{i}].regulator")
        if isinstance(fault, Leak | Strike):
            if not fault.well and not placed:
                raise ValueError(f"fault[{i}].well: a leak in a city must name the wells that it reaches, and their distance")
            for well in fault.well:
                _there(well, wells.asset, f"fault[{i}].well")
        elif isinstance(fault, Seep | Biogas | Vent) and not any(fnmatchcase(w, fault.well) for w in wells.asset):
            _there(fault.well, wells.asset, f"fault[{i}].well")


def _there(name: str, known: Sequence[str], place: str) -> None:
    if name not in known:
        raise ValueError(f"{place}: there is no {name}; {suggestion(name, known) if known else 'there are none'}")


maker: Final = GasMaker(faults=KINDS)
