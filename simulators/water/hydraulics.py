"""Heads and flows as functions of time: tables of steady states, added up, and tanks that fill and empty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints
from simulators.water.demand import Demand, noise, spread
from simulators.water.faults import Acting, Hydraulic, Shift
from simulators.water.network import LEVELS
from simulators.water.tables import MEAN, Change, Network, Response, interpolated, response, sized

METRE: Final = 1.0  # [m] by which tanks are raised to see what follows


class State(NamedTuple):
    """What is true at instants. Flows in the scenario's own scale."""

    pressure: Floats  # [g, t] [m] at the gauges
    out: Floats  # [z, t] [m³/s] of reservoirs and tanks
    level: Floats  # [q, t] [m] of tanks
    taken: Floats  # [c, t] [m³/s] at the metered customers
    flow: Floats  # [p, t] [m³/s] in the pipes that are asked for
    lost: Floats  # [f, t] [m³/s] out of each hole


@dataclass(frozen=True)
class Hydraulics:
    """A network, where it is looked at, and what acts on it. size: of its flows, in those of its file. [1]"""

    net: Network
    demand: Demand
    size: float
    gauge: Ints  # [g] nodes
    customer: Ints  # [c] nodes
    pipe: Ints  # [p] links
    moving: bool  # tanks fill and empty
    step: float  # [s] from one instant to the next
    acts: tuple[Acting, ...]
    seed: int

    @property
    def tanks(self) -> int:
        return self.net.level.size

    @cached_property
    def active(self) -> tuple[tuple[Acting, Change], ...]:
        return tuple((a, a.fault.change(self.size)) for a in self.acts if isinstance(a.fault, Hydraulic))

    @cached_property
    def tables(self) -> tuple[Floats, ...]:
        """[s, k, o] of each: what gauges, sources, pipes and its own hole differ by."""
        return tuple(self._seen(response(self.net.base, change)) for _, change in self.active)

    @cached_property
    def still(self) -> Floats:
        """Undisturbed. [k, o]"""
        s = self.net.solved
        pressure = s.head[:, self.gauge] - self.net.elevation[self.gauge]
        return np.concatenate([pressure, s.out, s.flow[:, self.pipe], s.lost[:, None]], axis=1)

    @cached_property
    def raised(self) -> Floats:
        """What a metre more in each tank makes. [k, q, o]"""
        some = [self._seen(response(self.net.base, Change("level", z, METRE)))[-1] for z in self.net.tanks]
        return np.stack(some, axis=1) if some else np.zeros((*self.still.shape[:1], 0, self.still.shape[1]))

    def _seen(self, r: Response) -> Floats:
        return np.concatenate([r.head[:, :, self.gauge], r.out, r.flow[:, :, self.pipe], r.lost[:, :, None]], axis=2)

    def level(self, t: Floats, acts: Sequence[Acting] | None = None) -> Floats:
        """Demand, of its mean. t [t] [s of the epoch]; [t] [1]"""
        later, factor = np.zeros_like(t), np.ones_like(t)
        for a in self.acts if acts is None else acts:
            if isinstance(a.fault, Shift):
                share = a.fault.changed(a.since(t)) * a.lives(t)
                later, factor = later + share * a.fault.later, factor * (1 + (a.fault.factor - 1) * share)
        return self.demand.level(t - later) * factor

    @cached_property
    def spread(self) -> Floats:
        """Of each node's demand about its share of the level. [n] [1]"""
        return spread(self.net.demand * self.size)

    def scatter(self, t: Floats) -> Floats:
        """By how much each node draws more than its share. [n, t] [1]"""
        return self.spread[:, None] * noise(t, len(self.net.node), self.seed)

    def added(self, t: Floats, m: Floats) -> tuple[Floats, Floats]:
        """What everything that acts adds to heads and flows, and the flow from each hole. [t, o], [f, t] [m³/s of the file]"""
        total, lost = np.zeros((t.size, self.still.shape[1])), np.zeros((len(self.active), t.size))
        for f, ((a, _), table) in enumerate(zip(self.active, self.tables, strict=True)):
            share = np.where(a.lives(t) > 0, a.fault.share(a.since(t)), 0.0)  # type: ignore[attr-defined]
            if share.any():
                more = sized(table, m, share)
                total += more
                lost[f] = more[:, -1]
        return total, lost

    def undisturbed(self, m: Floats) -> Floats:
        """Of a calm network at levels of demand m [t]. [t, o]"""
        return interpolated(self.still, m)

    def states(self, t: Floats, tank: Floats, *, noisy: bool = True) -> tuple[Floats, State]:
        """Levels of tanks at the end, and what is true at instants that follow one another evenly.

        t [t] [s of the epoch], tank [q] [m] at one step before the first
        """
        m = self.level(t)
        y, lost = self.added(t, m)
        y += self.undisturbed(m)
        g, z, n = self.gauge.size, len(self.net.fixed), len(self.net.node)
        more = self.scatter(t) if noisy else np.zeros((n, t.size))
        extra = self.net.demand[:, None] * m * more  # [n, t] [m³/s]
        if noisy:
            y[:, : g + z] += self._answer(extra, m).T
        levels, felt = self._filled(y[:, g + z - self.tanks : g + z], m, tank)
        y += np.einsum("tq,tqo->to", felt.T - self.net.level, interpolated(self.raised, m)) if self.tanks else 0.0
        taken = self.net.demand[self.customer, None] * m * (1 + more[self.customer])
        out = State(
            y[:, :g].T, self.size * y[:, g : g + z].T, levels, self.size * np.maximum(taken, 0.0),
            self.size * y[:, g + z : -1].T, self.size * lost,
        )  # fmt: skip
        return levels[:, -1], out

    def _answer(self, extra: Floats, m: Floats) -> Floats:
        """Of gauges and sources to what nodes draw more than their share, linear about each level. extra [n, t]; [g + z, t]"""
        i = np.clip(np.searchsorted(LEVELS, m, side="right") - 1, 0, LEVELS.size - 2)
        w = np.clip((m - LEVELS[i]) / (LEVELS[i + 1] - LEVELS[i]), 0.0, 1.0)
        y = np.zeros((self.gauge.size + len(self.net.fixed), m.size))
        for k in np.unique(i):
            mine = i == k
            low, high = (self._slopes(x) @ extra[:, mine] for x in (int(k), int(k) + 1))
            y[:, mine] = low + w[mine] * (high - low)
        return y

    def _slopes(self, k: int) -> Floats:
        """[g + z, n]"""
        drop, share = self.net.sensitivity(k)
        return np.concatenate([-drop[self.gauge], share])

    def _filled(self, out: Floats, m: Floats, tank: Floats) -> tuple[Floats, Floats]:
        """Levels, and those that heads answer to, which are lower where a tank is empty: it then gives nothing.

        Implicit steps of area·dh/dt = -out - answer·(h - h0). out [t, q] [m³/s] at h0; [q, t] [m], [q, t] [m]
        """
        levels = np.repeat(tank[:, None], m.size, axis=1)
        if not self.moving or not self.tanks:
            return levels, levels
        felt = levels.copy()
        area, low, high = self.net.tank
        g, z = self.gauge.size, len(self.net.fixed)
        answer = np.swapaxes(interpolated(self.raised[:, :, g + z - self.tanks : g + z], m), 1, 2)  # [t, q, q]
        inverse = np.linalg.inv(np.eye(self.tanks) + self.step / area[:, None] * answer)
        h = tank
        for j in range(m.size):
            h = np.clip(self.net.level + inverse[j] @ (h - self.net.level - self.step / area * out[j]), low, high)
            levels[:, j] = h
            felt[:, j] = h if (h > low).all() else _felt(h, h <= low, self.net.level, answer[j], out[j])
        return levels, felt

    def rest(self) -> Floats:
        """Levels where tanks settle at the mean demand. [q] [m]"""
        if not self.tanks or not self.moving:
            return self.net.level
        g, z = self.gauge.size, len(self.net.fixed)
        mine = slice(g + z - self.tanks, g + z)
        answer, out = self.raised[MEAN, :, mine].T, self.still[MEAN, mine]
        settled = self.net.level - np.linalg.solve(answer, out)
        return np.clip(settled, self.net.tank[1], self.net.tank[2])

    def settled(self, t: Floats, step: float) -> Floats:
        """Levels after so much undisturbed demand, from rest. t [t] [s of the epoch], `step` [s] apart; [q] [m]"""
        calm = replace(self, acts=(), step=step)
        return calm.states(t, self.rest(), noisy=False)[0]


def _felt(h: Floats, empty: Bools, rest: Floats, answer: Floats, out: Floats) -> Floats:
    """Levels [q] [m] as if those of empty tanks were where they neither give nor take, if that is lower."""
    there = h - rest
    asked = out[empty] + answer[np.ix_(empty, ~empty)] @ there[~empty]
    felt = h.copy()
    felt[empty] = np.minimum(rest[empty] - np.linalg.solve(answer[np.ix_(empty, empty)], asked), h[empty])
    return felt


def of(net: Network, names: Sequence[str]) -> Ints:
    """Nodes by their names. [n]"""
    return np.array([net.node.index(x) for x in names], np.int64)
