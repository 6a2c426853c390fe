"""Metered areas of a city: each a loop of gauges behind one inlet, whose heads answer linearly to what is taken out.

Heads of the linearised network solve (Laplacian of the pipes' conductances) h = -outflow with the inlet held: the sensitivity
is that matrix's inverse, one for each area (L. A. Rossman et al., EPANET 2.2 User Manual, 2020, ch. 12).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Floats, Ints, Rows
from lifeline.units import WATER_HEAD
from lifeline.words import suggestion
from simulators.columns import columns
from simulators.dice import dice
from simulators.faults import Truth
from simulators.orifice import yielding_flow
from simulators.plan import Plan, sites
from simulators.water.demand import Demand, drawn
from simulators.water.faults import Acting, Burst, Leak
from simulators.water.layout import Area
from simulators.water.truth import Seen, grid, leaking
from simulators.world import Part, Scene, batch

STREAM, READ = 1210, 1211
MEAN: Final = 0.008  # [m³/s] of an area
NOISE: Final = 0.1  # [m] of a gauge
FLOW: Final = 0.01  # [1] of a meter
QUANTUM: Final = 0.01  # [m]
SLOT: Final = 60  # [s] or one report


class Areas(NamedTuple):
    """a areas of g gauges each."""

    sensitivity: Floats  # [a, g, g] [m/(m³/s)] drop of head at the first per flow taken at the second
    static: Floats  # [a, g] [m] pressure at no flow
    demand: Floats  # [a, g] [m³/s] mean

    @property
    def lost(self) -> Floats:
        """Head at the mean demand. [a, g] [m]"""
        return np.asarray(np.einsum("aij,aj->ai", self.sensitivity, self.demand))


class TownState(NamedTuple):
    """Nothing: heads follow at once."""


@dataclass(frozen=True)
class Town:
    """Gauges and meters of all areas, slot by slot."""

    areas: Areas
    asset: tuple[str, ...]  # [a]
    where: tuple[tuple[Acting, int, int], ...]  # what acts, in which area, beside which gauge
    gauge: Rows  # [a, g]
    meter: Rows  # [a]
    demand: Demand
    tick: int  # [s] between reports
    seed: int

    @property
    def span(self) -> int:
        return self.tick * max(1, SLOT // self.tick)

    def init(self, second: int) -> TownState:  # noqa: ARG002  the same at any second
        return TownState()

    def step(self, s: TownState, second: int) -> tuple[TownState, list[Part]]:
        first = second - self.span + 1
        t = np.arange(first, second + 1)  # [s]
        m, draw = self.demand.level(t.astype(float)), dice(self.seed, READ, second)
        heads, inflow = self._told(self.gauge.size), self._told(self.meter.size)
        pressure = self.areas.static.ravel() - self.areas.lost.ravel() * m[heads + self.span - 1]  # [k, n]
        flow = self.areas.demand.sum(axis=1) * m[inflow + self.span - 1]  # [k, a]
        for a, i, j in self.where:
            out = self._lost(a, i, j, t.astype(float), m)
            if out.any():
                mine = slice(i * self.areas.static.shape[1], (i + 1) * self.areas.static.shape[1])
                pressure[:, mine] -= self.areas.sensitivity[i, :, j] * out[heads[:, mine] + self.span - 1]
                flow[:, i] += out[inflow[:, i] + self.span - 1]
        pressure += NOISE * draw.standard_normal(pressure.shape)
        pressure = np.maximum(np.round(pressure / QUANTUM) * QUANTUM, 0.0) * WATER_HEAD
        flow *= 1 + FLOW * draw.standard_normal(flow.shape)
        return s, [self._part(self.gauge.ravel(), heads, second, pressure), self._part(self.meter, inflow, second, flow)]

    def truth(self) -> list[Truth]:
        return [true for a, i, j in self.where for true in self._truth(a, i, j)]

    def _told(self, n: int) -> Ints:
        """When n devices report, each in its turn, before the end of the slot. [k, n] [s] from -span + 1 to 0"""
        ends = np.arange(self.tick - self.span, 1, self.tick)
        return ends[:, None] - np.arange(n) % self.tick

    def _part(self, row: Rows, when: Ints, second: int, value: Floats) -> Part:
        return batch(np.broadcast_to(row, when.shape).ravel(), ((second + when) * NS).ravel(), value.ravel())

    def _lost(self, a: Acting, i: int, j: int, t: Floats, m: Floats) -> Floats:
        """Out of a hole beside a gauge. t, m [t]; [t] [m³/s]"""
        hole = np.where(a.lives(t) > 0, a.fault.bore(a.since(t)), 0.0)  # type: ignore[attr-defined]
        if not hole.any():
            return np.zeros_like(t)
        head = self.areas.static[i, j] - self.areas.lost[i, j] * m
        return yielding_flow(hole, head, float(self.areas.sensitivity[i, j, j]))

    def _truth(self, a: Acting, i: int, j: int) -> list[Truth]:
        if a.end <= a.onset:
            return []
        t = grid(a, self.tick)
        m = self.demand.level(t)
        lost, mean = self._lost(a, i, j, t, m), float(self.areas.demand[i].sum())
        usual = self.areas.static[i][:, None] - self.areas.lost[i][:, None] * m
        day = self.demand.level(a.onset + np.arange(0.0, 86_400.0, 900.0)).min()
        entering = (mean * m + lost)[None]
        s = Seen(t, usual, -self.areas.sensitivity[i, :, j][:, None] * lost, lost[None], entering, lost, float(mean * day))
        return leaking(a, s, self.asset[i], a.fault.gauge, NOISE, FLOW, self.tick, 0.1 * mean)  # type: ignore[attr-defined]


def laid(areas: int, gauges: int, seed: int) -> Areas:
    """Gauges in a loop behind an inlet, pipes drawn at random."""
    draw = dice(seed, STREAM)
    loop, feed = draw.uniform(0.010, 0.020, (areas, gauges)), draw.uniform(0.005, 0.007, areas)  # [m³/s per m]
    pipe, i = np.zeros((areas, gauges, gauges)), np.arange(gauges)
    if gauges > 1:
        pipe[:, i, np.roll(i, -1)] += loop
    pipe = pipe + np.swapaxes(pipe, 1, 2)
    lap = np.einsum("ai,ij->aij", pipe.sum(axis=2), np.eye(gauges)) - pipe
    lap[:, 0, 0] += feed
    sensitivity = np.linalg.inv(lap) if areas else lap
    demand = MEAN / gauges * draw.uniform(0.75, 1.25, (areas, gauges))
    return Areas(np.asarray(sensitivity), draw.uniform(34.0, 42.0, (areas, gauges)), demand)


def town(plan: Plan, acts: tuple[Acting, ...], seed: int) -> Scene:
    """The areas of a city. ValueError where a fault speaks of what is not there."""
    there = [Area(p.id, p, plan.water_step) for p in sites(plan, plan.areas, seed, 2)]
    rows = [[*(x.gauge(k + 1) for k in range(plan.gauges)), x.meter(f"meter-{x.id}")] for x in there]
    each = plan.gauges + 1
    row = np.arange(len(there) * each, dtype=np.int32).reshape(-1, each)
    known = [f"gauge-{x.id}-{k + 1}" for x in there for k in range(plan.gauges)]
    where = tuple((a, *divmod(_beside(i, a, known), plan.gauges)) for i, a in enumerate(acts))
    assets = tuple(x.asset for x in there)
    model = Town(
        laid(len(there), plan.gauges, seed), assets, where, row[:, :-1], row[:, -1], drawn(seed), round(plan.water_step), seed
    )
    return Scene(columns([r for some in rows for r in some]), model)


def _beside(i: int, a: Acting, known: list[str]) -> int:
    if not isinstance(a.fault, Burst | Leak):
        raise ValueError(  # noqa: TRY004  a table that does not fit
            f"fault[{i}].kind: a city's water has bursts and leaks only; others need a [world.water]"
        )
    gauge = a.fault.gauge
    if gauge not in known:
        raise ValueError(f"fault[{i}].gauge: there is no {gauge!r}; {suggestion(gauge, known) if known else 'there are none'}")
    return known.index(gauge)
