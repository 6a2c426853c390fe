"""Water quality at stations: chlorine that decays on its way, and what an intrusion or a stirred-up pipe brings.

Steady mixing at every node of what its pipes bring, at the mean demand; what is carried takes the time that the water takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from lifeline.kinds import Between
from lifeline.measures import Seconds, Share, measure, time
from lifeline.model import Floats, Ints
from simulators.sensors import FOREVER
from simulators.water.tables import MEAN, Change, Network, response

BORE: Final = 1 / 2.63  # [1] exponent of bores over flows, by Hazen and Williams
CLEAR: Final = 0.15  # [1] NTU of clean water
PH: Final = 7.6  # [1]
SALT: Final = 0.035  # [S/m] conductivity of clean water
SMEAR: Final = 0.1  # [1] of the time on the way: time in which what comes has come wholly
STILL: Final = 1e-7  # [m³/s] of a pipe in which next to nothing moves
FRICTION: Final = 0.02  # [1] Darcy
YIELD: Final = 4.0  # [1/Pa] NTU lifted by each pascal of shear beyond the usual
EMPTIES: Final = 7200.0  # [s] in which the layer of sediment is down to 1/e
USUAL: Final = 1.6  # [1] of the mean demand, the greatest of a usual day


class Water(NamedTuple):
    """At stations. All [s, k]."""

    chlorine: Floats  # [kg/m³]
    turbidity: Floats  # [1] NTU
    ph: Floats  # [1]
    conductivity: Floats  # [S/m]


@dataclass(frozen=True)
class Intrusion:
    """Foul water enters a main at a node and moves down the network with what flows there."""

    at: Seconds = 3600.0  # when it begins
    lasts: Annotated[float, time("1s")] = 7200.0  # until it is stopped
    node: str = ""  # where, by its name in the network's file
    share: Share = 0.2  # of the water there
    turbidity: Annotated[float, measure("NTU", 0.0, 4000)] = 60.0  # of what enters
    consumes: Annotated[float, measure("mg/L", 0.0, 1000)] = 10e-3  # chlorine that a litre of it uses up
    ph: Annotated[float, Between(0, 14)] = 6.8
    conductivity: Annotated[float, measure("µS/cm", 0, 100_000)] = 0.12


@dataclass(frozen=True)
class Flush:
    """Water taken so fast that it runs backwards or faster than ever through a pipe, and lifts what has settled there."""

    at: Seconds = 3600.0  # when it is opened
    lasts: Annotated[float, time("1s")] = 1800.0  # until it is shut
    node: str = ""  # where water is taken, by its name in the network's file
    pipe: str = ""  # whose sediment is lifted
    flow: Annotated[float, measure("m³/h", 0.01, 100_000)] = 60 / 3600

    def change(self, size: float) -> Change:
        return Change("flow", self.node, self.flow / size)

    def share(self, since: Floats) -> Floats:
        return np.asarray(np.clip(np.minimum(since, self.lasts - since) / 30, 0.0, 1.0))


@dataclass(frozen=True)
class Mixing:
    """What moves where. size: of the network's flows, in those of its file [1]; decay: of chlorine [1/s]"""

    net: Network
    size: float
    station: Ints  # [s] nodes
    decay: float
    dose: float  # [kg/m³] chlorine at the sources

    @cached_property
    def flow(self) -> Floats:
        """[l] [m³/s of the file]"""
        return np.asarray(self.net.solved.flow[MEAN])

    @cached_property
    def delay(self) -> Floats:
        """On the way through each pipe. [l] [s]"""
        bore = self.net.bore * self.size**BORE
        moving = np.maximum(np.abs(self.flow) * self.size, STILL * self.size)
        return np.where(self.net.length > 0, np.pi * bore**2 / 4 * self.net.length / moving, 0.0)

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """Where the water of each link comes from, and where it goes. [l], [l]"""
        i, j = self.net.ends.T
        back = self.flow < 0
        return np.where(back, j, i), np.where(back, i, j)

    def mixed(self, source: Floats, decay: float, given: Floats) -> Floats:
        """Concentration at nodes, upwind: what pipes bring after its decay, as much of each as it carries.

        source [n]: of reservoirs and tanks, and of nodes where `given` [n] is 1; decay [1/s]; [n]
        """
        n, (start, end) = len(self.net.node), self.ends
        q = np.maximum(np.abs(self.flow), 1e-12)
        total = np.bincount(end, q, n)
        kept = np.exp(-decay * self.delay)
        lhs = np.eye(n)
        free = (given == 0) & (total > 0)
        use = free[end]
        np.add.at(lhs, (end[use], start[use]), -(q * kept)[use] / total[end[use]])
        return np.asarray(np.linalg.solve(lhs, np.where(free, 0.0, source)))

    @cached_property
    def held(self) -> Floats:
        """1 where water comes from outside. [n]"""
        out = np.zeros(len(self.net.node))
        out[[self.net.node.index(z) for z, q in zip(self.net.fixed, self.net.solved.out[MEAN], strict=True) if q > 0]] = 1.0
        return out

    @cached_property
    def chlorine(self) -> Floats:
        """At the stations while all is well. [s] [kg/m³]"""
        return self.mixed(self.dose * self.held, self.decay, self.held)[self.station]

    def passed(self, node: int) -> tuple[Floats, Floats]:
        """Which share of the stations' water has passed a node, and how long ago it did at least. [s] [1], [s] [s]"""
        n, (start, end) = len(self.net.node), self.ends
        given = self.held.copy()
        given[node] = 1.0
        source = np.zeros(n)
        source[node] = 1.0
        share = self.mixed(source, 0.0, given)[self.station]
        runs = np.abs(self.flow) > STILL
        way = csr_matrix((self.delay[runs] + 1e-6, (start[runs], end[runs])), shape=(n, n))
        late = np.asarray(dijkstra(way, indices=np.array([node])), np.float64)[0, self.station]
        return np.where(np.isfinite(late), share, 0.0), late

    def lifted(self, flush: Flush) -> float:
        """Shear in a pipe beyond the greatest of a usual day. [Pa]"""
        at = self.net.link.index(flush.pipe)
        more = response(self.net.base, flush.change(self.size)).flow[-1, MEAN, at]
        area = np.pi * (self.net.bore[at] * self.size**BORE) ** 2 / 4
        usual, now = (abs(x) * self.size / area for x in (USUAL * self.flow[at], self.flow[at] + more))
        turned = now if (self.flow[at] + more) * self.flow[at] < 0 else 0.0  # settled for the other direction only
        shear = 1000 * FRICTION / 8 * np.array([max(now**2 - usual**2, 0.0), turned**2])
        return float(shear.max())

    def water(self, t: Floats, acts: Sequence[tuple[Intrusion | Flush, float]]) -> Water:
        """acts: each with its onset [s of the epoch]; t [k] [s of the epoch]"""
        one = np.ones((self.station.size, t.size))
        x = Water(self.chlorine[:, None] * one, CLEAR * one, PH * one, SALT * one)
        for fault, onset in acts:
            x = self._fouled(x, t - onset, fault) if isinstance(fault, Intrusion) else self._stirred(x, t - onset, fault)
        return x

    def _fouled(self, x: Water, since: Floats, fault: Intrusion) -> Water:
        share, late = self.passed(self.net.node.index(fault.node))
        foul = fault.share * share[:, None] * pulse(since, late, fault.lasts)
        return Water(
            np.maximum(x.chlorine * (1 - foul) - foul * fault.consumes, 0.0),
            x.turbidity + foul * (fault.turbidity - x.turbidity),
            x.ph + foul * (fault.ph - x.ph),
            x.conductivity + foul * (fault.conductivity - x.conductivity),
        )

    def _stirred(self, x: Water, since: Floats, fault: Flush) -> Water:
        at = self.net.link.index(fault.pipe)
        share, late = self.passed(int(self.ends[1][at]))
        gone = np.exp(-np.clip(since - late[:, None], 0.0, None) / EMPTIES)
        come = pulse(since, late, FOREVER)
        return x._replace(turbidity=x.turbidity + YIELD * self.lifted(fault) * share[:, None] * np.nan_to_num(gone) * come)


def pulse(since: Floats, late: Floats, lasts: float) -> Floats:
    """How much of what was sent has come: it is smeared on its way. since [k] [s], late [s] [s]; [s, k] [1]"""
    there = np.isfinite(late)
    late = np.where(there, late, 0.0)[:, None]
    wide = np.maximum(SMEAR * late, 60.0)
    up, down = (np.clip((since - late - x) / wide, 0.0, 1.0) for x in (0.0, lasts))
    return np.asarray((up - down) * there[:, None])
