"""The water world: a linearised network, demand through the day, bursts that lower pressures and raise the inflow."""

from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np

from lifeline.model import NS, Floats, Ints, Level, Rows
from lifeline.units import WATER_HEAD
from simulators import rhythm
from simulators.dice import dice
from simulators.faults import Truth
from simulators.orifice import yielding_flow
from simulators.world import Part, batch, turn

STREAM: Final = 2
LOW: Final = (20.0, 17.0, 14.0)  # [m] pressure of a main that is worth a word, a visit, and that it should never fall below
FALL: Final = 2.5  # [m] sudden loss of pressure that may be called a burst
NOISE: Final = 0.1  # [m] of a pressure gauge
QUANTUM: Final = 0.01  # [m]


@dataclass(frozen=True)
class Network:
    """Heads answer linearly to what is taken out: drop = sensitivity · outflow, supply = share · outflow."""

    sensitivity: Floats  # [n, n] [m/(m³/s)] drop of head at the first per flow taken at the second
    share: Floats  # [i, n] [1] of a flow taken at a node that each inlet supplies
    static: Floats  # [n] [m] pressure head at no flow
    demand: Floats  # [n] [m³/s] mean


@dataclass(frozen=True)
class Burst:
    """A main that breaks open beside a pressure gauge."""

    gauge: int  # node of the network
    onset: int  # [ns]
    end: int  # [ns]
    hole: float  # [m] diameter of a round hole of the same area
    rise: float = 5.0  # [s] until it is wholly open

    def opening(self, at: int) -> float:
        """Diameter at an instant [ns]. [m]"""
        grown = min(max((at - self.onset) / NS / self.rise, 0.0), 1.0)
        return self.hole * np.sqrt(grown) if at < self.end else 0.0


class WaterState(NamedTuple):
    """Nothing: heads follow at once."""


@dataclass(frozen=True)
class Water:
    """Gauges of pressure and flow of a city."""

    span: ClassVar[int] = 1  # [s]
    network: Network
    asset: tuple[str, ...]  # [n] district metered area of each node
    pressure: Rows  # [n]
    flow: Rows  # [i]
    seed: int
    step_s: int  # [s] between reports of a device
    faults: tuple[Burst, ...] = ()

    def init(self, second: int) -> WaterState:  # noqa: ARG002  the same at any second
        return WaterState()

    def step(self, s: WaterState, second: int) -> tuple[WaterState, list[Part]]:
        draw = dice(self.seed, STREAM, second)
        head, supply = self.heads(second)
        n, i = head.size, supply.size
        told = np.round((head + NOISE * draw.standard_normal(n)) / QUANTUM) * QUANTUM * WATER_HEAD
        metered = supply * (1 + 0.01 * draw.standard_normal(i))
        due, flows = turn(second, n, self.step_s), turn(second, i, self.step_s)
        row = np.concatenate([self.pressure[due], self.flow[flows]])
        return s, [batch(row, second * NS, np.concatenate([told[due], metered[flows]]))]

    def heads(self, second: int) -> tuple[Floats, Floats]:
        """Pressure heads [n] [m] and inflows [i] [m³/s] at a second of the epoch."""
        taken = self.network.demand * rhythm.water_demand(second)
        for burst in self.faults:
            taken = self._broken(burst, burst.opening(second * NS), taken)
        return self.network.static - self.network.sensitivity @ taken, self.network.share @ taken

    def _broken(self, burst: Burst, opening: float, taken: Floats) -> Floats:
        """Outflows with the burst's own. taken [n] [m³/s]"""
        s, j = self.network.sensitivity, burst.gauge
        lost = np.zeros_like(taken)
        lost[j] = yielding_flow(opening, float(self.network.static[j] - s[j] @ taken), float(s[j, j]))
        return taken + lost

    def truth(self) -> list[Truth]:
        return [true for burst in self.faults for true in self._truth(burst)]

    def _truth(self, burst: Burst) -> list[Truth]:
        """From the heads before, and with the main wholly open."""
        wide = burst.onset + round(burst.rise * NS)
        (before, _), (head, _) = self.heads(burst.onset // NS), self.heads(wide // NS + 1)
        out = []
        for a in dict.fromkeys(self.asset):
            mine = self._area(a)
            if head[mine].min() < LOW[0] or (before - head)[mine].max() > FALL:
                out.append(Truth(a, "water_burst", None, burst.onset, wide, burst.end, _least(head[mine]), Level.RED))
        return out

    def _area(self, asset: str) -> Ints:
        """Nodes of a metered area. [k]"""
        return np.flatnonzero(np.asarray(self.asset) == asset)


def _least(head: Floats) -> Level:
    """What must be said of an area: two gauges may call it RED, one by itself no more than YELLOW. head [k] [m]"""
    level = Level.BLUE if head.min() < LOW[0] else Level.NORMAL
    level = Level.YELLOW if head.min() < LOW[1] else level
    return Level.RED if (head < LOW[2]).sum() >= 2 else level


def grid(areas: int, gauges: int, seed: int) -> Network:
    """A town of metered areas, each fed by its own inlet: gauges in a loop behind it, narrow links between neighbours.

    Heads of the linearised network solve (Laplacian of the pipes' conductances) h = -outflow with the inlets held: the
    sensitivity is that matrix's inverse, symmetric and positive (L. A. Rossman et al., EPANET 2.2 User Manual, 2020, ch. 12).
    """
    draw = dice(seed, STREAM)
    n = areas * gauges
    pipe = np.zeros((n, n))  # [m³/s per m]
    feed = np.zeros(n)
    for a in range(areas):
        i = a * gauges + np.arange(gauges)
        pipe[i, np.roll(i, -1)] = draw.uniform(0.010, 0.020, gauges)
        feed[i[0]] = draw.uniform(0.005, 0.007)
        if a:
            pipe[i[-1], i[0] - 1] = 0.0005
    pipe = pipe + pipe.T
    sensitivity = np.asarray(np.linalg.inv(np.diag(pipe.sum(axis=1) + feed) - pipe), np.float64)
    share = (np.eye(n)[feed > 0] * feed) @ sensitivity
    return Network(sensitivity, share, draw.uniform(34.0, 42.0, n), np.full(n, 0.008 / gauges) * draw.uniform(0.75, 1.25, n))
