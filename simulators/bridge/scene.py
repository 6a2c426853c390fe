"""Bridges of scenarios: a few of one kind in all detail, or those of a city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Share, measure, time
from simulators.bridge.behaviour import Cables, of
from simulators.bridge.climate import Climate
from simulators.bridge.faults import KINDS, CableLoss, ColdSnap, Vortices, acting
from simulators.bridge.happening import Acting
from simulators.bridge.layout import SENSORS, Fitted, Kind, fitting
from simulators.bridge.model import FILTER, BridgeModel
from simulators.bridge.spans import STREAM, Spans, drawn
from simulators.bridge.station import Station
from simulators.bridge.vehicles import BLOCK
from simulators.columns import columns
from simulators.dice import dice
from simulators.plan import Plan, Site, sites
from simulators.weather import Weather
from simulators.world import Scene

RATE: Final = 50  # [Hz]
WIND: Final = 5  # [s] shortest interval of the weather's readings in a city
SLOT: Final = 30  # [s] of waveforms that are stepped at once, or so
INSTANTS: Final = 100  # readings in a slot that has no waveforms, or so
LONGEST: Final = 86_400  # [s] of such a slot
BUSY: Final = 600  # [s] of one in a city

Cadence = Annotated[float, time("1s", "24h")]


@dataclass(frozen=True)
class BridgeWorld:
    """Bridges all of one kind, bridge-1, …: a simple span each, the pier it stands on, and the sensors named in `fitted`."""

    count: Annotated[int, Between(1, 50)] = 1
    length: Annotated[float, measure("m", 5, 250)] = 30.0
    mass: Annotated[float, Between(500, 200_000)] = 12e3  # of a metre of deck [kg]
    stiffness: Annotated[float, Between(1e8, 1e14)] = 6.3e10  # in bending, EI [N·m²]
    depth: Annotated[float, measure("m", 0.2, 20)] = 1.8  # of the deck
    damping: Annotated[float, Between(0.001, 0.2)] = 0.015  # of the critical
    pier: Annotated[float, measure("Hz", 0.5, 15)] = 6.0  # its own frequency
    base: Annotated[float, measure("m", 0.5, 40)] = 6.0  # between the two bearings of an end; 2 m or so on a single column
    lanes: Annotated[int, Between(1, 8)] = 2
    joint: Annotated[float, measure("m", 1, 2000)] = 120.0  # of deck that moves into the joint
    material: Literal["concrete", "steel"] = "concrete"
    modes: Annotated[int, Between(3, 6)] = 4  # bending modes
    daily: Annotated[float, Between(0, 200_000)] = 10_000.0  # vehicles
    heavy: Annotated[float, Between(0.01, 1)] = 0.1  # share of lorries among them
    overload: Share = 0.0  # of laden heavy lorries, the share that are overloaded, about 70 t; 0: none is above 55 t
    ambient: Annotated[float, measure("mm/s²", 0.1, 100)] = 5e-3  # RMS at mid-span without traffic
    heat: Annotated[float, measure("K", 0, 30)] = 12.0  # top of the deck above its underside on a clear afternoon, at most
    mean: Annotated[float, Between(-10, 35)] = 15.0  # temperature of the air in the year's mean [°C]
    cables: Annotated[int, Between(0, 200)] = 0  # stays or hangers of each bridge
    cable: Annotated[float, measure("m", 2, 500)] = 60.0  # length of a cable
    fitted: tuple[Kind, ...] = ("deflection", "strain", "tilt", "joint", "temperature", "wind")  # what is measured
    waves: Annotated[int, Between(0, 60)] = 4  # accelerometers of each bridge; 0: no waveforms
    rate: Annotated[int, Between(10, 200)] = RATE  # samples of a waveform in a second
    packet: Annotated[float, time("1s", "10m")] = 1.0  # of samples in a waveform message
    every: Cadence = 1.0  # from one waveform message to the next; longer than packet: bursts
    step: Cadence = 1.0  # between readings of deflection, strain, tilt, roll, bearings, satellite receiver
    slow: Cadence = 600.0  # between readings of joint, temperature, wind
    modal: Annotated[float, time("1m", "24h")] = 600.0  # of samples in each analysis of frequencies, which follow one another


@dataclass(frozen=True)
class BridgeMaker:
    """What the bridge world offers to scenarios."""

    world: type = BridgeWorld
    faults: Mapping[str, type] = None  # type: ignore[assignment]

    def scene(self, world: BridgeWorld, faults: Sequence[Any], start: int, seed: int) -> Scene:
        asset = tuple(f"bridge-{i + 1}" for i in range(world.count))
        where = [Site(str(i + 1), "A", 31.80, 117.20 + 0.01 * i) for i in range(world.count)]
        acts = acting(faults, asset, start)
        whole = [round(x) for x in (world.packet, world.every, world.step, world.slow, world.modal)]
        fitted = Fitted(world.fitted, world.waves, world.rate, *whole)
        return made(_alike(world, asset, seed), _strung(world), where, fitted, acts, Weather(seed, mean=world.mean), seed)

    def town(self, plan: Plan, faults: Sequence[Any], start: int, seed: int) -> Scene:
        where = sites(plan, plan.bridges, seed, 3)
        asset = tuple(f"bridge-{p.id}" for p in where)
        step = round(plan.bridge_step)
        fitted = Fitted(
            ("deflection", "tilt", "wind"), plan.waves, RATE, round(plan.packet), round(plan.every), step, max(step, WIND), 3600
        )
        acts = acting(faults, asset, start)
        return made(drawn(asset, seed), NONE, where, fitted, acts, Weather(seed), seed, BUSY)


NONE: Final = Cables(*np.zeros((2, 0), np.int64), *np.zeros((3, 0)))


def _alike(world: BridgeWorld, asset: tuple[str, ...], seed: int) -> Spans:
    flat = np.ones(len(asset))
    place = dice(seed, STREAM).uniform(0, 2 * np.pi, len(asset))
    return Spans(
        asset, world.length * flat, world.mass * flat, world.stiffness * flat, world.depth * flat, world.damping * flat,
        world.pier * flat, world.base * flat, world.lanes * flat, world.joint * flat, flat * (world.material == "steel") > 0,
        world.daily * flat, world.heavy * flat, world.overload, world.ambient * flat, world.heat * flat, place, world.modes,
    )  # fmt: skip


def _strung(world: BridgeWorld) -> Cables:
    """Stays whose lengths differ by a half on either side, of 60 kg/m and 4 MN."""
    number = np.tile(np.arange(1, world.cables + 1), world.count)
    bridge = np.repeat(np.arange(world.count), world.cables)
    length = world.cable * (0.5 + number / max(world.cables, 1))
    return Cables(bridge, number, length, np.full(number.size, 60.0), np.full(number.size, 4e6))


def made(
    spans: Spans,
    cables: Cables,
    where: Sequence[Site],
    fitted: Fitted,
    acts: tuple[Acting, ...],
    weather: Weather,
    seed: int,
    longest: int = LONGEST,
) -> Scene:
    """Spans with their sensors, and what happens to them. longest: slot [s]"""
    _known(acts, spans, cables)
    snaps = [f.snap(a) for a, f in of(acts, ColdSnap)]
    climate = Climate(seed, weather.mean, weather.season, weather.daily, snaps=snaps)
    heard = int((spans.omega[:, :-1] < 2 * np.pi * FILTER * fitted.rate).all(axis=0).sum())
    rows, channels = fitting(spans, cables, where, fitted, heard)
    if not rows:
        raise ValueError("fitted: nothing is measured; name a sensor, or set waves")
    station = Station(spans, cables, channels, fitted, climate, weather, acts, seed)
    return Scene(columns(rows), BridgeModel(station, slot(fitted, longest)))


def slot(fitted: Fitted, longest: int) -> int:
    """Seconds that are stepped at once: whole packets of waveforms, or about a hundred readings."""
    if fitted.waves and fitted.whole:
        return fitted.packet * max(1, SLOT // fitted.packet)
    paces = [fitted.cadence(SENSORS[k].pace if k in SENSORS else "modal") for k in fitted.kinds if k != "wim"]
    paces += [fitted.every] * (fitted.waves > 0) + [BLOCK] * ("wim" in fitted.kinds)
    return int(np.clip(INSTANTS * min(paces), SLOT, longest))


def _known(acts: Sequence[Acting], spans: Spans, cables: Cables) -> None:
    """ValueError where a fault speaks of what is not there."""
    for i, a in enumerate(acts):
        if isinstance(a.fault, CableLoss):
            mine = cables.number[cables.bridge == a.bridge].tolist()
            if a.fault.cable not in mine:
                known = f"there are {len(mine)}" if mine else "set cables of [world.bridge]"
                raise ValueError(f"fault[{i}].cable: there is no cable {a.fault.cable}; {known}")
        if isinstance(a.fault, Vortices) and a.fault.mode > spans.modes:
            raise ValueError(f"fault[{i}].mode: there is no mode {a.fault.mode}; the span has {spans.modes}")


maker: Final = BridgeMaker(faults=KINDS)
