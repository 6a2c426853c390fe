"""Vehicles on spans: when each comes, how heavy it is, in which lane; and where each is at given instants."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints
from simulators import rhythm
from simulators.bridge.masses import masses
from simulators.bridge.spans import LANE, Spans
from simulators.dice import dice
from simulators.rhythm import DAY

STREAM: Final = 3020
BLOCK: Final = 30  # [s] of arrivals that are drawn together
DESIGN: Final = 55e3  # [kg] design vehicle (JTG D60-2015)
FREE: Final = (12.0, 25.0)  # [m/s] speeds of cars
LADEN: Final = (10.0, 18.0)  # [m/s] of lorries
LORRY: Final = 4e3  # [kg] what is heavier is one
HEADWAY: Final = 2.0  # [s] between two in a lane
AXLES: Final = (0.30, 0.45)  # [1] share of its mass that a vehicle's heaviest group of axles carries


class Crossings(NamedTuple):
    """Vehicles that pass, or stand, on spans. All [v]."""

    bridge: Ints
    enter: Floats  # [s of the epoch]
    leave: Floats  # [s of the epoch]
    place: Floats  # [m] where it is when it enters
    speed: Floats  # [m/s]
    mass: Floats  # [kg]
    side: Floats  # [m] to the right of the axis
    axle: Floats  # [kg] heaviest group of axles

    def take(self, which: Bools) -> "Crossings":
        return Crossings(self.bridge[which], *(x[which] for x in self[1:]))


def joined(some: Iterable[Crossings]) -> Crossings:
    """All of them, one after another."""
    return Crossings(*(np.concatenate(x) for x in zip(nobody(), *some, strict=True)))


def nobody() -> Crossings:
    return Crossings(np.empty(0, np.int64), *np.empty((7, 0)))


def flow(spans: Spans, seed: int, block: int) -> Crossings:
    """Those that come in the 30 s that begin at 30·block, or queue behind them. Lorries keep to the outer lanes."""
    draw = dice(seed, STREAM, block)
    rate = spans.daily / DAY * rhythm.traffic(BLOCK * (block + 0.5))
    bridge = np.repeat(np.arange(spans.n), draw.poisson(BLOCK * rate))
    mass = masses(spans.heavy[bridge], draw, spans.overload)
    mass = mass if spans.overload else np.minimum(mass, DESIGN)
    at, pace, chance, axle = draw.random((4, bridge.size))
    lorry, lanes = mass > LORRY, spans.lanes[bridge]
    lane = np.where(lorry, np.where(chance < 0.5, 0.0, lanes - 1), np.floor(chance * lanes))
    low, high = (np.where(lorry, a, b) for a, b in zip(LADEN, FREE, strict=True))
    enter = BLOCK * block + spaced(BLOCK * at, bridge * 100 + lane.astype(np.int64))
    speed = low + (high - low) * pace
    side = LANE * (lane - (lanes - 1) / 2)
    share = AXLES[0] + (AXLES[1] - AXLES[0]) * axle
    return Crossings(
        bridge, enter, enter + spans.length[bridge] / speed, np.zeros(bridge.size), speed, mass, side, mass * share
    )


def spaced(at: Floats, lane: Ints) -> Floats:
    """Nobody enters a lane within the headway of another, as far as there is time for all. at, lane [v]; [v] [s]"""
    order = np.lexsort((at, lane))
    _, group, count = np.unique(lane[order], return_inverse=True, return_counts=True)
    rank = np.arange(at.size) - np.repeat(np.cumsum(count) - count, count)
    wait, far = rank * np.repeat(np.minimum(HEADWAY, BLOCK / 2 / count), count), 10.0 * BLOCK * group
    out = np.empty_like(at)
    out[order] = np.maximum.accumulate(at[order] - wait + far) - far + wait
    return out


def traffic(spans: Spans, seed: int, blocks: Iterable[int]) -> Crossings:
    """All that may be on the spans in some blocks: those who came before and have not left are among them."""
    if not spans.daily.any():
        return nobody()
    back = int(np.ceil((BLOCK / 2 + spans.length.max() / LADEN[0]) / BLOCK))  # a queue, and then the span
    found = sorted({b for block in blocks for b in range(block - back, block + 1)})
    return joined(flow(spans, seed, b) for b in found)


def blocks(t: Floats) -> list[int]:
    """Those whose vehicles may be met at some instants; the last instant of a block is its own. t [k] [s of the epoch]"""
    return [int(b) - 1 for b in np.unique(np.ceil(t / BLOCK))]


class Met(NamedTuple):
    """Vehicles at instants, one row for each of each. All [p]."""

    who: Ints  # of the crossings
    when: Ints  # of the instants
    x: Floats  # [1] share of the span


def met(on: Crossings, t: Floats, length: Floats) -> Met:
    """Who is where at which of the instants. t [k] [s of the epoch], rising; length [b] [m]"""
    first, last = np.searchsorted(t, on.enter, side="left"), np.searchsorted(t, on.leave, side="right")
    count = np.maximum(last - first, 0)
    who = np.repeat(np.arange(count.size), count)
    when = np.arange(who.size) - np.repeat(np.cumsum(count) - count - first, count)
    x = on.place[who] + on.speed[who] * (t[when] - on.enter[who])
    return Met(who, when, np.clip(x / length[on.bridge[who]], 0.0, 1.0))
