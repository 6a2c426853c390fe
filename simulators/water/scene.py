"""Water networks of scenarios: one area after a real model in all detail, or those of a city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import measure, time
from lifeline.model import NS
from lifeline.units import WATER_HEAD
from lifeline.words import suggestion
from simulators.columns import columns
from simulators.plan import Plan, Site
from simulators.water.demand import drawn
from simulators.water.faults import KINDS, Acting, Hydraulic, Reducer, acting
from simulators.water.full import Full
from simulators.water.hammer import Line, Slam
from simulators.water.hydraulics import Hydraulics
from simulators.water.layout import HOURLY, Area
from simulators.water.loggers import RATE, Loggers
from simulators.water.model import Sensors, WaterModel
from simulators.water.network import LEVELS, part, tagged
from simulators.water.quality import Flush, Intrusion, Mixing
from simulators.water.stations import Stations
from simulators.water.tables import Base, Network, far_apart, loaded, response
from simulators.water.town import town
from simulators.world import Scene

SLOT: Final = {"fast": 4 * 3600, "full": 3600}  # [s] longest
MOST: Final = 144  # ticks in a slot
SERVED: Final = 24.0  # [m] pressure at the greatest demand of a day, where gauges are
BUSY: Final = int(np.flatnonzero(LEVELS >= 1.7)[0])  # of LEVELS: the greatest of a day
IDLE: Final = 1e-9  # [m³/s] of a source that gives nothing
HERE: Final = Site("1", "A", 31.82, 117.23)

Cadences = Annotated[float, time("1s", "24h")]
Head = Annotated[float, measure("mH2O", 0.0, 300.0)]  # [Pa]


@dataclass(frozen=True)
class WaterWorld:
    """An area, dma-1: gauge-1-1, …/pressure, meter-1-1, …/flow at reservoirs and tanks, level-1, …, amr-1-1, …/flow."""

    network: str = "Net3"  # one of WNTR's own, such as "Net3", or a file .inp or .inp.gz in EPANET's format
    mode: Literal["fast", "full"] = "fast"  # tables of steady states, or WNTR's simulator at every instant
    demand: Annotated[float, measure("m³/h", 0.0, 1e6)] = (
        0.0  # mean; 0: the file's. Pipes are as much narrower as keeps all pressures
    )
    gauges: Annotated[int, Between(0, 1000)] = 8  # of pressure, far from one another
    nodes: tuple[str, ...] = ()  # where gauges are, by names of the file; none: chosen
    customers: Annotated[int, Between(0, 1000)] = 0  # whose meters are read from afar
    every: Cadences = 300.0  # between reports of gauges and meters
    read: Cadences = HOURLY  # between reports of customers' meters
    tanks: bool = False  # fill and empty, as level-1, … tell; false: they are inlets whose head stands still
    reducer: str = ""  # a pipe of the file that gets a pressure-reducing valve
    outlet: Head = 30 * WATER_HEAD  # pressure behind that
    lift: Head = 0.0  # by which reservoirs and tanks stand higher than in the file
    required: Head = 15 * WATER_HEAD  # pressure at which all that is asked is given
    least: Head = 0.0  # at which nothing is
    stations: tuple[str, ...] = ()  # nodes where quality is watched: station-1, … with probe-1/chlorine, /turbidity, /ph, …
    dose: Annotated[float, measure("mg/L", 0.0, 5.0)] = 0.8e-3  # chlorine where water comes in
    decay: Annotated[float, Between(0.0, 24.0)] = 0.5  # of chlorine, a day
    line: tuple[Line, ...] = ()  # long mains with loggers of pressure waves
    noise: Annotated[float, measure("mH2O", 0.0, 5.0)] = 0.1 * WATER_HEAD  # of a gauge, standard deviation
    flow_noise: Annotated[float, Between(0.0, 0.1)] = 0.01  # of a meter, of what flows

    def __post_init__(self) -> None:
        if self.least >= self.required:
            raise ValueError("least: must be below required")

    @property
    def base(self) -> Base:
        return Base(self.network, self.reducer, *(x / WATER_HEAD for x in (self.outlet, self.lift, self.required, self.least)))


@dataclass(frozen=True)
class WaterMaker:
    """What the water world offers to scenarios."""

    world: type = WaterWorld
    faults: Mapping[str, type] = None  # type: ignore[assignment]

    def scene(self, world: WaterWorld, faults: Sequence[Any], start: int, seed: int) -> Scene:
        net = loaded(world.base)
        acts = acting([_named(f, world) for f in faults], start / NS)
        h = hydraulics(world, net, acts, seed)
        _known(h, acts, len(world.line))
        sensors, rows = _sensors(world, h)
        stations, loggers = _stations(world, h, rows), _loggers(world, acts, rows, seed)
        tick = round(world.every)
        ticks = max(1, min(MOST, SLOT[world.mode] // tick))
        engine = Full(h) if world.mode == "full" else h
        model = WaterModel(h, engine, sensors, stations, loggers, tick, ticks, seed)
        tags = {net.node[i]: rows[k]["device"] for k, i in enumerate(h.gauge.tolist())}
        return Scene(columns(rows), model, {"water": tagged(world.network, tags)})

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        return town(plan, acting(faults, start / NS), seed)


def hydraulics(world: WaterWorld, net: Network, acts: tuple[Acting, ...], seed: int) -> Hydraulics:
    """Where a network is looked at."""
    size = world.demand / float(net.demand.sum()) if world.demand else 1.0
    junctions = [i for i, n in enumerate(net.node) if n not in net.fixed]
    busy = net.solved.head[BUSY] - net.elevation
    served = [i for i in junctions if busy[i] >= SERVED] or junctions
    using = [i for i in served if net.demand[i] > 0]
    gauge = [_at(net, x) for x in world.nodes] or far_apart(net.place, served, world.gauges)
    customer = far_apart(net.place, using, world.customers) if world.customers else []
    none = np.zeros(0, np.int64)
    return Hydraulics(
        net, drawn(seed), size, np.array(gauge, np.int64), np.array(customer, np.int64), none, world.tanks, float(world.every),
        acts, seed,
    )  # fmt: skip


def _sensors(world: WaterWorld, h: Hydraulics) -> tuple[Sensors, list[Any]]:
    net, area = h.net, Area("1", HERE, world.every)
    usual, top = net.usual[h.gauge], float(np.ceil(net.usual.max() / 50) * 50 + 50)
    rows = [area.gauge(k + 1, float(round(usual[k], 1)), top) for k in range(h.gauge.size)]
    gauge = np.arange(len(rows), dtype=np.int32)
    most = 2 * h.size * max(float(np.abs(net.solved.out).max()), float(net.demand.sum())) * 3600
    running = np.flatnonzero(np.abs(net.solved.out).max(axis=0) > IDLE)
    meter = len(rows) + np.arange(running.size, dtype=np.int32)
    rows += [area.meter(f"meter-1-{k + 1}", -most, most) for k in range(running.size)]
    moving = h.tanks if world.tanks else 0
    level = len(rows) + np.arange(moving, dtype=np.int32)
    rows += [area.tank(k + 1, float(net.tank[2, k])) for k in range(moving)]
    customer = len(rows) + np.arange(h.customer.size, dtype=np.int32)
    rows += [area.customer(k + 1, 10 * h.size * float(net.demand[i]) * 3600, world.read) for k, i in enumerate(h.customer)]
    told = Sensors(gauge, meter, running, level, customer, world.noise / WATER_HEAD, world.flow_noise, round(world.read))
    return told, rows


def _stations(world: WaterWorld, h: Hydraulics, rows: list[Any]) -> Stations:
    """Adds their rows."""
    area = Area("1", HERE, world.every)
    node = np.array([_at(h.net, x, "stations") for x in world.stations], np.int64)
    row = len(rows) + np.arange(4 * node.size, dtype=np.int32).reshape(-1, 4)
    rows += [r for k in range(node.size) for r in area.probe(k + 1)]
    return Stations(Mixing(h.net, h.size, node, world.decay / 86_400, world.dose), row, h.acts, h.seed)


def _loggers(world: WaterWorld, acts: tuple[Acting, ...], rows: list[Any], seed: int) -> Loggers:
    """Adds their rows."""
    area, row = Area("1", HERE, world.every), list[Any]()
    for i, line in enumerate(world.line):
        row.append(len(rows) + np.arange(line.loggers, dtype=np.int32))
        top = 2 * line.rating / WATER_HEAD
        rows += [area.logger(i + 1, k + 1, top, 1 / RATE) for k in range(line.loggers)]
    return Loggers(world.line, tuple(row), acts, seed)


def _named(fault: Any, world: WaterWorld) -> Any:
    """A valve that is not named is the world's own."""
    if isinstance(fault, Reducer) and not fault.valve and world.reducer:
        return replace(fault, valve=part(world.reducer, "valve"))
    return fault


def _at(net: Network, name: str, key: str = "nodes") -> int:
    if name not in net.node:
        raise ValueError(f"{key}: there is no node {name!r}; {suggestion(name, net.node)}")
    return net.node.index(name)


def _known(h: Hydraulics, acts: Sequence[Acting], lines: int) -> None:
    """ValueError where a fault speaks of what is not there, or breaks the hydraulics."""
    for i, a in enumerate(acts):
        if isinstance(a.fault, Slam) and a.fault.line > lines:
            raise ValueError(f"fault[{i}].line: there is no line {a.fault.line}; there are {lines}")
        if isinstance(a.fault, Intrusion):
            _there(a.fault.node, h.net.node, f"fault[{i}].node")
        if isinstance(a.fault, Flush):
            _there(a.fault.pipe, h.net.link, f"fault[{i}].pipe")
        if isinstance(a.fault, Hydraulic):
            change = a.fault.change(h.size)
            try:
                response(h.net.base, change)
            except ValueError as why:
                key = {"hole": "pipe", "flow": "node", "setting": "valve"}.get(change.kind, change.kind)
                raise ValueError(f"fault[{i}].{key}: {why}") from why


def _there(name: str, known: Sequence[str], place: str) -> None:
    if name not in known:
        raise ValueError(f"{place}: there is no {name!r}; {suggestion(name, known)}")


maker: Final = WaterMaker(faults=KINDS)
