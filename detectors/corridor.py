"""Corridor: methane in neighbouring wells, and along which pipe it comes."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import log_expit, log_ndtr, logsumexp

from detectors.plane import metres, named, placed
from lifeline.model import Bools, Floats, Ints, Members, Place

DRAINS: Final = ("sewage", "rain")  # biogas may be in several of them at once
COLUMNS: Final = ("lat1", "lon1", "lat2", "lon2")  # of the file of pipes, beside the name
APART: Final = 5.0  # [m] between the points of a pipe that are looked at
REACHES: Final = (10.0, 20.0, 40.0)  # [m] along which gas may be lost to 1/e in ducts and ground
SPREAD: Final = 0.8  # [1] of the log of what is found about what a reach foretells: air changes of wells differ as much
ORDER: Final = 5.0  # [m] by which a nearer well may be later
NAMED: Final = 5  # pipes named
NEIGHBOURS: Final = 12  # of a well, the nearest


class CorridorState(NamedTuple):
    last: Floats  # [n, join] [1] of methane in the slots before, oldest first; NaN: nothing was said
    since: Ints  # [n] [ns] end of the slot in which gas came; 0: there is none


class Pipes(NamedTuple):
    """Points along the pipes of a map. [p]"""

    name: tuple[str, ...]
    pipe: Ints  # [p] which pipe
    x: Floats  # [p, 2] [m] east, north of the wells' middle
    middle: Floats  # [pipes, 2] [°] lat, lon


@dataclass(frozen=True)
class Corridor:
    """The lesser of what a well and a neighbour within `near` hold, the more of its last half hour each.

    Gas from one hole comes up in several wells, and two of them bear each other out: what one sensor alone would be doubted
    for is believed of two. Two drains do not: where sediment ferments in one it does in the next.

    Where it comes from is asked of a map. Gas that moves along ducts and through ground arrives at near wells first and is
    lost with a length, C ~ exp(-d / reach). For points along the pipes within `far` the odds of what was found are taken, each
    reach as likely as the others: levels scatter about the line of a reach by a factor of exp(0.8), wells that hold nothing
    lie below what a sensor can tell, and of two wells the later one is farther, but for 5 m (pairwise comparisons: R. A.
    Bradley, M. E. Terry, Biometrika 39, 1952, 324-345). How often it is wrong: docs/detectors/corridor.md.
    """

    over: tuple[str, ...] = ("methane",)
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = 300.0  # [s]
    near: float = 50.0  # [m] between neighbours
    far: float = 150.0  # [m] within which wells and pipes are asked for the cause
    join: int = 6  # [slot] in which neighbours count as together
    least: float = 0.003  # [1] of methane that is gas
    origin: float = 0.0  # [1] where the score begins
    scale: float = 1.0  # [1] from `origin` to the bound
    pair: Ints = field(default_factory=lambda: np.empty((0, 2), np.int64))  # [pairs, 2] neighbours; found by `settled`
    place: Floats = field(default_factory=lambda: np.empty((0, 2)))  # [n, 2] [m] of the wells; likewise
    pipes: Pipes | None = None  # likewise

    panel: ClassVar[Literal[True]] = True
    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0  # [1]

    def settled(self, m: Members) -> Self | None:
        """None where no two sensors are neighbours."""
        known = m.judged & apart(m)
        if known.sum() < 2:
            return None
        origin = np.array([m.lat[known].mean(), m.lon[known].mean()])
        place = metres(np.c_[m.lat, m.lon], origin)
        pair = neighbours(np.flatnonzero(known), place, self.near)
        drain = np.zeros(m.n, np.bool_) if m.asset_type is None else np.isin(m.asset_type, DRAINS)
        pair = pair[~drain[pair].all(axis=1)]
        if not pair.size:
            return None
        return replace(self, pair=pair, place=place, pipes=None if m.map is None else laid(m.map, origin))

    def init(self, n: int) -> CorridorState:
        """State of n wells of which nothing is known."""
        return CorridorState(np.full((n, self.join), np.nan), np.zeros(n, np.int64))

    def step(self, s: CorridorState, x: Floats, t: Ints) -> tuple[CorridorState, Floats]:
        """x [n, k] slots [1] of methane, t [k] -> new state, score [n, k] [1]."""
        s = CorridorState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            s.last[:, :-1], s.last[:, -1] = s.last[:, 1:].copy(), x[:, j]
            most = np.nanmax(s.last, axis=1, initial=-np.inf)
            s.since[:] = np.where(most < self.least, 0, np.where(s.since > 0, s.since, t[j]))
            both = np.full(len(x), -np.inf)
            lesser = most[self.pair].min(axis=1)
            for column in self.pair.T:
                np.maximum.at(both, column, lesser)
            score[:, j] = np.maximum((both - self.origin) / self.scale, 0.0)
        return s, np.where(np.isfinite(x), score, np.nan)

    def locate(self, s: CorridorState, i: int) -> list[Place]:
        """Pipes that the gas of well i may come from; empty without a map."""
        if self.pipes is None:
            return []
        p = self.pipes
        wells = np.flatnonzero(np.hypot(*(self.place - self.place[i]).T) <= self.far)
        near = np.flatnonzero(np.hypot(*(p.x - self.place[i]).T) <= self.far)
        most = np.nanmax(s.last[wells], axis=1, initial=-np.inf)
        heard, gas = np.isfinite(most), s.since[wells] > 0
        if not near.size or not gas.any():
            return []
        d = np.hypot(*(p.x[near, None] - self.place[wells[heard]]).transpose(2, 0, 1))
        odds = likelihood(d, most[heard], s.since[wells[heard]], self.least)
        share = np.bincount(p.pipe[near], np.exp(odds - logsumexp(odds)), len(p.name))
        best = np.argsort(-share, kind="stable")[:NAMED]
        return [Place(p.name[b], float(share[b]), *p.middle[b].tolist()) for b in best.tolist() if share[b] > 0]


def neighbours(rows: Ints, place: Floats, near: float) -> Ints:
    """Pairs among these rows of place [n, 2] [m] that are `near`, each with the nearest NEIGHBOURS of it. [pairs, 2]"""
    at = place[rows]
    _, other = cKDTree(at).query(at, k=NEIGHBOURS + 1, distance_upper_bound=near)
    one = np.repeat(np.arange(rows.size), NEIGHBOURS + 1)
    both = np.c_[one, other.ravel()][(other.ravel() < rows.size) & (other.ravel() != one)]
    return np.asarray(rows[np.unique(np.sort(both, axis=1), axis=0)])


def apart(m: Members) -> Bools:
    """Whose place is known: where several assets share one to the last digit, nobody has said where they are. [n]"""
    _, spot = np.unique(np.c_[m.lat, m.lon], axis=0, return_inverse=True)
    _, asset = np.unique(m.asset.astype(str), return_inverse=True)
    both = np.unique(np.c_[spot.ravel(), asset.ravel()], axis=0)
    return np.asarray(placed(m.lat, m.lon) & (np.bincount(both[:, 0])[spot.ravel()] == 1))


def likelihood(d: Floats, most: Floats, since: Ints, least: float) -> Floats:
    """Log of the odds of what wells hold, for a source at each point, but for a constant. [p]

    d [p, w] [m] from the points to the wells, most [w] [1] of methane, since [w] [ns] when it came; 0: it did not
    """
    gas = since > 0
    level = np.log(np.maximum(most, least))
    each = []
    for reach in REACHES:
        rest = level + d / reach
        source = rest[:, gas].mean(axis=1, keepdims=True)
        off = (rest - source) / SPREAD
        each.append(-0.5 * (off[:, gas] ** 2).sum(axis=1) + log_ndtr(off[:, ~gas]).sum(axis=1) - d[:, gas].min(axis=1) / reach)
    a, b = np.nonzero(np.subtract.outer(since, since) > 0)  # a later than b
    both = gas[a] & gas[b]
    later = log_expit((d[:, a[both]] - d[:, b[both]]) / ORDER).sum(axis=1)
    return np.asarray(logsumexp(each, axis=0) + later)


def laid(file: Path, origin: Floats) -> Pipes:
    """The pipes of a CSV file with these columns, as points. Unusable where it is none."""
    names, ends = named(file, COLUMNS, "pipe")
    both = ends.reshape(-1, 2, 2)
    at, pipe = [], []
    for i, (a, b) in enumerate(zip(metres(both[:, 0], origin), metres(both[:, 1], origin), strict=True)):
        n = max(1, round(float(np.hypot(*(b - a))) / APART))
        at.append(a + (b - a) * ((np.arange(n) + 0.5) / n)[:, None])
        pipe += [i] * n
    return Pipes(names, np.array(pipe), np.concatenate(at), both.mean(axis=1))


default = Corridor()
