"""Steady states as functions of demand, computed once: of a network as it is, and with each thing that may befall it.

The fast mode rests on them: what a fault changes is tabulated over demand and over its own size, and changes are added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from lifeline.model import Bools, Floats, Ints
from lifeline.words import suggestion
from simulators.water import network
from simulators.water.network import LEVELS, Solved

SHARES: Final = np.array([0.0, 0.1, 0.3, 0.6, 1.0])  # [1] of its full size at which a fault is solved
EXPONENT: Final = 1.852  # [1] of Hazen and Williams
LEAST: Final = 1e-9  # [m³/s], [m³/s per m] next to nothing
HOLDS: Final = 0.05  # [m] that a valve takes away at least where it reduces
STIFFEST: Final = 10.0  # [m³/s per m] of a pipe that loses nothing
MEAN: Final = int(np.flatnonzero(LEVELS == 1.0)[0])


class Base(NamedTuple):
    """Which network: its file and how it is prepared."""

    name: str
    reducer: str = ""  # pipe with a pressure-reducing valve
    outlet: float = 30.0  # [m] pressure behind that
    lift: float = 0.0  # [m] by which reservoirs and tanks stand higher than in the file
    required: float = network.REQUIRED  # [m]
    least: float = network.LEAST  # [m]


class Change(NamedTuple):
    """What befalls it."""

    kind: str  # hole, flow, setting, pump or level
    target: str  # pipe, node, valve, pump or tank
    size: float = 1.0  # [m²], [m³/s], [m], [1] or [m] at its fullest


class Response(NamedTuple):
    """By how much things differ, over sizes and levels of demand; all in the file's own scale."""

    head: Floats  # [s, k, n] [m]
    flow: Floats  # [s, k, l] [m³/s]
    out: Floats  # [s, k, z] [m³/s] of reservoirs and tanks
    lost: Floats  # [s, k] [m³/s]


@dataclass(frozen=True)
class Network:
    """A network at rest in all its levels of demand."""

    base: Base
    node: tuple[str, ...]
    link: tuple[str, ...]
    fixed: tuple[str, ...]  # reservoirs, then tanks
    ends: Any  # [l, 2] nodes of each link
    elevation: Floats  # [n] [m]; of a reservoir its head
    demand: Floats  # [n] [m³/s] mean
    place: Floats  # [n, 2] on the map
    length: Floats  # [l] [m]; 0 but of pipes
    bore: Floats  # [l] [m]
    tank: Floats  # [3, q] [m², m, m] area, least and greatest level of each tank
    level: Floats  # [q] [m] at which tanks stand in the tables
    slope: Floats  # [l] [m³/s per m] of pumps and valves that lose head otherwise than pipes; nan: a pipe
    reducing: Bools  # [l] pressure-reducing valves
    solved: Solved

    @property
    def tanks(self) -> tuple[str, ...]:
        return self.fixed[len(self.fixed) - self.level.size :]

    @property
    def usual(self) -> Floats:
        """Pressure at the mean demand. [n] [m]"""
        return np.asarray(self.solved.head[MEAN] - self.elevation)

    def sensitivity(self, level: int = MEAN) -> tuple[Floats, Floats]:
        """Drop of head at nodes for a flow taken at others, and the share of it that each fixed node gives, near a level.

        [n, n] [m/(m³/s)], [z, n] [1]. The linearised network: dq/dh = q/(1.852 h) for each pipe.
        """
        return _sensitivity(self.base, level)

    def conductance(self, level: int) -> Floats:
        """dq/dh of each link near a level of demand. [l] [m³/s per m]"""
        i, j = self.ends.T
        h, q = self.solved.head[level], np.abs(self.solved.flow[level])
        loss = np.abs(h[i] - h[j])
        pipe = np.where(q < LEAST, LEAST, np.minimum(q / (EXPONENT * np.maximum(loss, 1e-6)), STIFFEST))
        return np.where(np.isnan(self.slope), pipe, self.slope)

    def holding(self, level: int) -> Ints:
        """Reducing valves that hold the head behind them at a level of demand. [v]"""
        i, j = self.ends.T
        h, q = self.solved.head[level], self.solved.flow[level]
        return np.flatnonzero(self.reducing & (q > LEAST) & (h[i] - h[j] > HOLDS))


@cache
def loaded(base: Base) -> Network:
    """ValueError where the file cannot be had or solved."""
    wn = prepared(base)
    demand = np.array([_asked(wn.get_node(n)) for n in wn.node_name_list])
    fixed = (*wn.reservoir_name_list, *wn.tank_name_list)
    tanks = [t for _, t in wn.tanks()]
    elevation = np.array(
        [wn.get_node(n).elevation if hasattr(wn.get_node(n), "elevation") else np.nan for n in wn.node_name_list]
    )
    at = {n: i for i, n in enumerate(wn.node_name_list)}
    links = [link for _, link in wn.links()]
    area = np.array([np.pi * t.diameter**2 / 4 for t in tanks])
    tank = np.array([area, [t.min_level for t in tanks], [t.max_level for t in tanks]])
    level = np.array([t.init_level for t in tanks])
    solved = _complete(network.solved(wn), base)
    elevation = np.where(np.isnan(elevation), solved.head[MEAN], elevation)
    slope = np.array([_slope(link, q) for link, q in zip(links, solved.flow[MEAN], strict=True)])
    return Network(
        base, tuple(at), tuple(wn.link_name_list), fixed,
        np.array([(at[x.start_node_name], at[x.end_node_name]) for x in links]),
        elevation, demand, np.array([wn.get_node(n).coordinates for n in at], float),
        np.array([getattr(x, "length", 0.0) for x in links]), np.array([getattr(x, "diameter", 0.0) or 0.0 for x in links]),
        tank, level, slope, np.array([getattr(x, "valve_type", "") == "PRV" for x in links]), solved,
    )  # fmt: skip


@cache
def response(base: Base, change: Change) -> Response:
    """ValueError where there is nothing of that name."""
    known = loaded(base)
    whole = SHARES if change.kind in {"hole", "flow", "setting"} else SHARES[[0, -1]]
    parts = [known.solved] + [_changed(base, known, change._replace(size=change.size * s)) for s in whole[1:]]
    head, flow, out = (np.stack([getattr(p, f) for p in parts]) for f in ("head", "flow", "out"))
    lost = np.stack([p.lost for p in parts])
    return Response(head - head[0], flow - flow[0], out - out[0], lost)


def prepared(base: Base) -> Any:
    """WNTR's model of it, undisturbed: its mean demand is that at which its tanks neither fill nor empty, taken together."""
    wn = network.prepared(base.name, base.required, base.least, _balance(base._replace(reducer="")))
    network.lifted(wn, base.lift)
    if pipe := base.reducer:
        if pipe not in wn.pipe_name_list:
            raise ValueError(f"reducer: there is no pipe {pipe!r}; {suggestion(pipe, wn.pipe_name_list)}")
        plain = loaded(base._replace(reducer=""))
        valve = network.reduced(wn, pipe, backward=bool(plain.solved.flow[MEAN, plain.link.index(pipe)] < 0))
        wn.get_link(valve).initial_setting = base.outlet
    return wn


@cache
def _balance(base: Base) -> float:
    """By what demands are multiplied for that; 1 where there are no tanks, or no such demand. [1]"""
    wn = network.prepared(base.name, base.required, base.least)
    network.lifted(wn, base.lift)
    tanks = len(wn.tank_name_list)
    if not tanks:
        return 1.0
    given = network.solved(wn).out[:, -tanks:].sum(axis=1)
    over = np.flatnonzero((given[:-1] < 0) & (given[1:] >= 0))
    if len(given) < LEVELS.size or not over.size:
        return 1.0
    k = int(over[0])
    return float(LEVELS[k] - given[k] * (LEVELS[k + 1] - LEVELS[k]) / (given[k + 1] - given[k]))


@cache
def _sensitivity(base: Base, level: int) -> tuple[Floats, Floats]:
    net = loaded(base)
    n, (i, j), g, valves = len(net.node), net.ends.T, net.conductance(level), net.holding(level)
    g[valves] = 0.0
    lap = np.zeros((n, n))
    np.add.at(lap, (i, j), -g)
    np.add.at(lap, (j, i), -g)
    np.fill_diagonal(lap, -lap.sum(axis=1) + LEAST)
    held = np.array([net.node.index(z) for z in net.fixed])
    free = np.setdiff1d(np.arange(n), held)
    drop, share = np.zeros((n, n)), np.zeros((held.size, n))
    lhs, rhs = lap.copy(), np.eye(n)
    for before, behind in net.ends[valves]:  # the head behind stands still, and what is drawn there is drawn before the valve
        for side in (lhs, rhs):
            side[before] += side[behind]
            side[behind] = 0.0
        lhs[behind, behind] = 1.0
    drop[np.ix_(free, free)] = np.linalg.solve(lhs[np.ix_(free, free)], rhs[np.ix_(free, free)])
    share[:, free] = -lap[np.ix_(held, free)] @ drop[np.ix_(free, free)]
    share[np.arange(held.size), held] = 1.0
    return drop, share


def _changed(base: Base, known: Network, change: Change) -> Solved:
    wn = prepared(base)
    apply(wn, change)
    return _complete(network.solved(wn, node=known.node, link=known.link, fixed=known.fixed), base)


def apply(wn: Any, change: Change) -> None:
    """Let it happen to a model. ValueError where there is nothing of that name."""
    kind, target, size = change
    lists = {"hole": wn.pipe_name_list, "flow": wn.junction_name_list, "setting": wn.valve_name_list, "pump": wn.pump_name_list}
    known = lists.get(kind, wn.tank_name_list)
    if target not in known:
        raise ValueError(f"there is no {target!r}; {suggestion(target, known) if known else 'there are none'}")
    if kind == "hole":
        network.holed(wn, target, size)
    elif kind == "flow":
        wn.get_node(target).add_demand(size, "steady")
    elif kind == "setting":
        wn.get_link(target).initial_setting += size
    elif kind == "pump":
        wn.get_link(target).initial_status = "Closed"
    else:
        wn.get_node(target).init_level += size


def _complete(s: Solved, base: Base) -> Solved:
    if len(s.head) < LEVELS.size or not np.isfinite(s.head).all():
        least, most = LEVELS[[0, -1]]
        raise ValueError(
            f"network: {base.name} has no steady state that can be found from {least:g} to {most:g} times its mean demand"
        )
    return s


def _asked(node: Any) -> float:
    return float(sum(d.base_value for d in node.demand_timeseries_list)) if node.node_type == "Junction" else 0.0


def _slope(link: Any, flow: float) -> float:
    """dq/dh of a pump near a flow, 0 of one that stands. [m³/s per m]"""
    if link.link_type != "Pump":
        return float("nan")
    if flow < 1e-6:
        return 0.0
    if link.pump_type == "POWER":
        return float(flow / (link.power / (9806.65 * flow)))
    _, b, c = link.get_head_curve_coefficients()
    return float(1 / (b * c * flow ** (c - 1)))


def interpolated(tables: Floats, m: Floats) -> Floats:
    """tables [k, …] over LEVELS at levels m [t]; [t, …]. Monotone cubic, F. N. Fritsch & J. Butland 1984."""
    return np.asarray(PchipInterpolator(LEVELS, tables, axis=0)(np.clip(m, LEVELS[0], LEVELS[-1])))


def sized(tables: Floats, m: Floats, share: Floats) -> Floats:
    """tables [s, k, o] over SHARES and LEVELS at levels m [t] and shares [t] of the full size; [t, o]"""
    grid = SHARES if len(tables) == SHARES.size else SHARES[[0, -1]]
    i = np.clip(np.searchsorted(grid, share, side="right") - 1, 0, grid.size - 2)
    w = (share - grid[i]) / (grid[i + 1] - grid[i])
    out = np.zeros((m.size, tables.shape[2]))
    for s in np.unique(i[share > 0]):
        mine = (i == s) & (share > 0)
        low, high = (interpolated(tables[x], m[mine]) for x in (s, s + 1))
        out[mine] = low + w[mine, None] * (high - low)
    return out


def far_apart(place: Floats, among: Sequence[int], n: int) -> list[int]:
    """Nodes that lie far from one another: the middle one first, then always the farthest from all so far."""
    some = np.asarray(among)
    xy = place[some]
    first = int(np.argmin(((xy - xy.mean(axis=0)) ** 2).sum(axis=1)))
    taken, away = [first], ((xy - xy[first]) ** 2).sum(axis=1)
    while len(taken) < min(n, some.size):
        taken.append(int(np.argmax(away)))
        away = np.minimum(away, ((xy - xy[taken[-1]]) ** 2).sum(axis=1))
    return [int(i) for i in some[taken]]
