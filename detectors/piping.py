"""What a hole in each pipe of a network does to its gauges, from a file in EPANET's format, solved by EPANET.

Which node a device stands at is said by the file's [TAGS]: `NODE name device`, several devices joined by commas; a node that
has a device's name needs none.
"""

import gzip
import tempfile
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints, Place
from lifeline.words import Unusable

LEVELS: Final = np.array([0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.45, 1.75, 2.1])  # [1] of the mean demand
SIZES: Final = np.array([0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 1.5])  # [1] flow out of a hole, of the mean demand
BETWEEN: Final = 4  # [1] sizes tried from one of these to the next
HOUR: Final = 3600
WIDE: Final = 1e5  # [m] diameter of a tank whose level stands still
WEIGHT: Final = 9806.65  # [Pa/m]
OFF: Final = 0.1  # [1] of the fall, by which a model is off at each gauge
PLACES: Final = 10
LEAST: Final = 3  # gauges
MOST: Final = 2000  # junctions of a network that is solved with a hole at each


class Network(NamedTuple):
    """What the gauges of a network read at levels of demand, and what lies between its junctions."""

    known: Ints  # [g] which of the devices asked for
    node: tuple[str, ...]  # [g] where they are
    pipe: tuple[str, ...]  # [c]
    ends: Ints  # [c, 2] junctions; -1: a reservoir or a tank
    pressure: Floats  # [k, g] [Pa] at LEVELS


@cache
def network(file: Path, devices: tuple[str, ...]) -> Network | None:
    """None where it knows fewer than three of the devices, or is too large; Unusable where it cannot be read."""
    wn = prepared(file)
    told = {d: n for n, x in wn.nodes() for d in (n, *str(x.tag or "").split(","))}
    known = [i for i, d in enumerate(devices) if d and d in told]
    junction = {n: i for i, n in enumerate(wn.junction_name_list)}
    if len(known) < LEAST or len(junction) > MOST:
        return None
    node = [told[devices[i]] for i in known]
    pipes = [(n, p) for n, p in wn.pipes() if p.initial_status.name != "Closed"]
    ends = [[junction.get(x, -1) for x in (p.start_node_name, p.end_node_name)] for _, p in pipes]
    wn.get_pattern("level").multipliers = LEVELS
    pressure = solved(wn, LEVELS.size, node) - np.array([elevation(wn.get_node(n)) for n in node])
    pipe, number = tuple(n for n, _ in pipes), np.array(known, np.int64)
    return Network(number, tuple(node), pipe, np.array(ends, np.int64), pressure * WEIGHT)


@cache
def falls(file: Path, node: tuple[str, ...], level: int) -> Floats:
    """What holes of all sizes at each junction take from some nodes, at one of the levels. [j, s, g] [Pa]"""
    wn = prepared(file)
    junction = wn.junction_name_list
    steps, sizes = len(junction) * SIZES.size, SIZES * total(wn)
    wn.get_pattern("level").multipliers = np.full(steps + 1, LEVELS[level])
    for j, name in enumerate(junction):
        taken = np.zeros(steps + 1)
        taken[1 + j * SIZES.size : 1 + (j + 1) * SIZES.size] = sizes
        wn.add_pattern(f"hole-{j}", taken)
        wn.get_node(name).add_demand(1.0, f"hole-{j}")
    head = solved(wn, steps + 1, node)
    return np.asarray((head[0] - head[1:]).reshape(len(junction), SIZES.size, -1) * WEIGHT)


def middle(fall: Floats, ends: Ints) -> Floats:
    """The same for holes in the middle of pipes. fall [j, s, g], ends [c, 2] -> [c, s, g]"""
    whole = np.concatenate([fall, np.zeros_like(fall[:1])])  # -1: nothing is felt of what a reservoir gives
    return np.asarray(0.5 * (whole[ends[:, 0]] + whole[ends[:, 1]]))


def prepared(file: Path) -> Any:
    """The model with each junction at its mean demand times a pattern "level", no controls, and tanks that stand still."""
    wn = read(file)
    mean = {n: averaged(j) * float(wn.options.hydraulic.demand_multiplier) for n, j in wn.junctions()}
    for control in list(wn.control_name_list):
        wn.remove_control(control)
    wn.add_pattern("level", [1.0])
    for n, j in wn.junctions():
        j.demand_timeseries_list.clear()
        j.add_demand(mean[n], "level")
    for _, tank in wn.tanks():
        tank.diameter, tank.vol_curve_name = WIDE, None
    wn.options.hydraulic.demand_multiplier, wn.options.hydraulic.demand_model = 1.0, "DD"
    time = wn.options.time
    time.hydraulic_timestep = time.pattern_timestep = time.report_timestep = HOUR
    time.pattern_start = time.start_clocktime = 0
    return wn


def total(wn: Any) -> float:
    """Mean demand. [m³/s]"""
    return float(sum(d.base_value for _, j in wn.junctions() for d in j.demand_timeseries_list))


def solved(wn: Any, steps: int, node: list[str] | tuple[str, ...]) -> Floats:
    """Heads at some nodes over the steps of the patterns. [k, g] [m]"""
    wn.options.time.duration = HOUR * (steps - 1)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        results = import_module("wntr").sim.EpanetSimulator(wn).run_sim(file_prefix=str(Path(folder) / "hole"))
    return np.asarray(results.node["head"][list(node)].to_numpy(np.float64)[:steps])


def elevation(node: Any) -> float:
    """[m]"""
    return float(getattr(node, "elevation", getattr(node, "base_head", 0.0)))


def read(file: Path) -> Any:
    """WNTR's model of a file .inp or .inp.gz."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        plain = file
        if file.suffix == ".gz":
            plain = Path(folder) / "network.inp"
            plain.write_bytes(gzip.decompress(file.read_bytes()))
        try:
            return import_module("wntr").network.WaterNetworkModel(str(plain))
        except Exception as why:
            raise Unusable(f"{file}: is no network in EPANET's format: {why}") from why


def averaged(junction: Any) -> float:
    """Demand of a junction in the mean of its patterns. [m³/s]"""
    return float(
        sum(d.base_value * (np.mean(d.pattern.multipliers) if d.pattern else 1.0) for d in junction.demand_timeseries_list)
    )


def likely(file: Path, devices: tuple[str, ...], before: Floats, fall: Floats, spread: Floats) -> tuple[Place, ...]:
    """Pipes by how well a hole in each explains a fall of pressures, likeliest first; empty where the file cannot tell.

    before, fall [n] [Pa] of the devices, NaN: not known; spread [n, n] [Pa²] of the fall. Distances are those of the nearest of
    all sizes of holes, at the level of demand whose pressures are nearest to those before (matching by sensitivities: R. Perez
    et al., Control Eng. Pract. 19, 2011, 1157-1167; here by finite holes, since a burst is no small disturbance).
    """
    net = network(file, devices)
    if net is None:
        return ()
    there = np.isfinite(before[net.known]) & np.isfinite(fall[net.known])
    if there.sum() < LEAST:
        return ()
    mine = net.known[there]
    level = int(np.argmin(np.abs(net.pressure[:, there] - before[mine]).sum(axis=1)))
    holes = middle(falls(file, net.node, level), net.ends)[:, :, there]
    tried = np.concatenate([between(holes[:, i], holes[:, i + 1]) for i in range(SIZES.size - 1)], axis=1)
    model = OFF**2 * (fall[mine] ** 2 + fall[mine] @ fall[mine] / mine.size)
    left, k = tried - fall[mine], np.linalg.inv(spread[np.ix_(mine, mine)] + np.diag(model))
    distance = np.einsum("csg,gh,csh->cs", left, k, left).min(axis=1)
    order = np.argsort(distance, kind="stable")
    weight = np.exp(-0.5 * (distance - distance.min()))
    return tuple(Place(net.pipe[c], float(weight[c] / weight.sum())) for c in order[:PLACES].tolist())


def demand(file: Path, devices: tuple[str, ...], before: Floats) -> Floats:
    """By how much pressures fall as demand grows by all of its mean, about where they stand. [n] [Pa]; 0: not known"""
    net, out = network(file, devices), np.zeros(len(devices))
    if net is not None:
        mine = net.known[np.isfinite(before[net.known])]
        there = np.isin(net.known, mine)
        level = int(np.argmin(np.abs(net.pressure[:, there] - before[mine]).sum(axis=1)))
        low, high = max(level - 1, 0), min(level + 1, LEVELS.size - 1)
        out[net.known] = (net.pressure[low] - net.pressure[high]) / (LEVELS[high] - LEVELS[low])
    return out


def between(a: Floats, b: Floats) -> Floats:
    """Steps from one size to the next. [c, g], [c, g] -> [c, BETWEEN, g]"""
    w = np.arange(BETWEEN)[None, :, None] / BETWEEN
    return (1 - w) * a[:, None] + w * b[:, None]
