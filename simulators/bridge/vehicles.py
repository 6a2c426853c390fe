"""Vehicles on spans: when each comes, how heavy it is, in which lane; and where each is at given instants."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints
from simulators import rhythm
from simulators.bridge.spans import LANE, Spans
from simulators.dice import dice
from simulators.rhythm import DAY
from simulators.traffic import masses

STREAM: Final = 3020
BLOCK: Final = 30  # [s] of arrivals that are drawn together
DESIGN: Final = 55e3  # [kg] design vehicle (JTG D60-2015)
SPEED: Final = (10.0, 25.0)  # [m/s]
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
    """Those that come in the 30 s that begin at 30·block."""
    draw = dice(seed, STREAM, block)
    rate = spans.daily / DAY * rhythm.traffic(BLOCK * (block + 0.5))
    bridge = np.repeat(np.arange(spans.n), draw.poisson(BLOCK * rate))
    enter, speed = BLOCK * (block + draw.random(bridge.size)), draw.uniform(*SPEED, bridge.size)
    mass = masses(spans.heavy[bridge], draw, spans.overload)
    mass = mass if spans.overload else np.minimum(mass, DESIGN)
    lane = np.floor(draw.random(bridge.size) * spans.lanes[bridge])
    side = LANE * (lane - (spans.lanes[bridge] - 1) / 2)
    leave = enter + spans.length[bridge] / speed
    return Crossings(bridge, enter, leave, np.zeros(bridge.size), speed, mass, side, mass * draw.uniform(*AXLES, bridge.size))


def traffic(spans: Spans, seed: int, blocks: Iterable[int]) -> Crossings:
    """All that may be on the spans in some blocks, those who came in the block before among them."""
    if not spans.daily.any():
        return nobody()
    found = sorted({b for block in blocks for b in (block - 1, block)})
    return joined(flow(spans, seed, b) for b in found)


def blocks(t: Floats) -> list[int]:
    """Those that hold some instants. t [k] [s of the epoch]"""
    return [int(b) for b in np.unique(t // BLOCK)]


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
