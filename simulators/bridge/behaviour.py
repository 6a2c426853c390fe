"""What a span does over hours and months, without noise: with the weather, with what is wrong with it, under what stands on it.

Instants are seconds of the epoch, t [k].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import numpy as np

from lifeline.model import Floats, Ints
from lifeline.units import G
from simulators.bridge.climate import Climate
from simulators.bridge.faults import Blocked, CableLoss, Creep, Impact, Scour, Settlement, Stiffness, Storm, Unloading, Vortices
from simulators.bridge.happening import Acting, grown
from simulators.bridge.passing import Crowd
from simulators.bridge.spans import FIBRE, ICE, MILD, Spans, bent, borne, sagged
from simulators.bridge.vehicles import Crossings, met
from simulators.weather import ZERO, Weather, hours

F = TypeVar("F")

PERSON: Final = 70.0  # [kg]
BEARING: Final = 2e9  # [N/m] stiffness of one bearing, for the roll of the deck
OPEN: Final = 0.080  # [m] of a joint at MILD
BASK: Final = 5e-5  # [rad] by which the sun leans a pier
SLACKENS: Final = -4e-4  # [1/K] of a cable's force, for each kelvin warmer


@dataclass(frozen=True)
class Cables:
    """Stays or hangers: strings of so much mass, under so much force as built."""

    bridge: Ints  # [c]
    number: Ints  # [c] from 1 on each bridge
    length: Floats  # [c] [m]
    mass: Floats  # [c] [kg/m]
    force: Floats  # [c] [N]

    @property
    def n(self) -> int:
        return self.bridge.size

    def pitch(self, force: Floats) -> Floats:
        """First frequency of a string, √(T/m)/2L. force [c, k] [N]; [c, k] [Hz]"""
        return np.asarray(np.sqrt(force / self.mass[:, None]) / (2 * self.length[:, None]))

    def weighed(self, pitch: Floats) -> Floats:
        """Force from the first frequency, 4·m·L²·f². [c, k] [Hz] -> [c, k] [N]"""
        return np.asarray(4 * (self.mass * self.length**2)[:, None] * pitch**2)


class Carried(NamedTuple):
    """What the traffic does at mid-span and below the ends."""

    sag: Floats  # [b, k] [m]
    strain: Floats  # [b, k] [1]
    bearing: Floats  # [b, 4, k] [N] in the order of SIDES
    roll: Floats  # [b, k] [rad]


def of(acts: Sequence[Acting], kind: type[F]) -> list[tuple[Acting, F]]:
    """The faults of a kind."""
    return [(a, a.fault) for a in acts if isinstance(a.fault, kind)]


def left(spans: Spans, t: Floats, acts: Sequence[Acting]) -> Floats:
    """Of the bending stiffness. [b, k] [1]"""
    out = np.ones((spans.n, t.size))
    for a, f in of(acts, Stiffness):
        out[a.bridge] *= f.left(a.since(t))
    return out


def warmed(spans: Spans, temperature: Floats) -> Floats:
    """Frequencies of the deck with its temperature [k] [K], bilinear about 0 °C. [b, k] [1]"""
    frost = np.clip(ZERO - temperature, 0.0, ICE)
    return 1 + np.outer(spans.matter("softens"), temperature - MILD) + np.outer(spans.matter("freezes"), frost)


def pitched(spans: Spans, t: Floats, acts: Sequence[Acting], climate: Climate) -> Floats:
    """Frequencies, of those where it is mild and nothing is wrong: of the deck's modes and the pier's. [b, modes + 1, k] [1]"""
    deck = warmed(spans, climate.structure(t)) * np.sqrt(left(spans, t, acts))
    pier = np.ones((spans.n, 1, t.size))
    for a, f in of(acts, Scour):
        pier[a.bridge, 0] *= f.softer(a.since(t))
    return np.concatenate([np.repeat(deck[:, None], spans.modes, axis=1), pier], axis=1)


def carried(spans: Spans, t: Floats, on: Crossings, acts: Sequence[Acting]) -> Carried:
    """Of everything on the spans, without inertia."""
    m = met(on, t, spans.length)
    b, weight = on.bridge[m.who], G * on.mass[m.who]
    stiff, at = left(spans, t, acts), b * t.size + m.when

    def summed(x: Floats) -> Floats:
        return np.asarray(np.bincount(at, weight * x, spans.n * t.size).reshape(spans.n, t.size), float)

    ei, z = spans.stiffness[b], FIBRE * spans.depth
    sag, moment = summed(sagged(m.x, spans.length[b], ei)), summed(bent(m.x, spans.length[b]))
    shares = borne(m.x, on.side[m.who], spans.base[b])
    roll = summed(on.side[m.who] / (BEARING * spans.base[b] ** 2))
    for a, f in of(acts, Crowd):
        q, i = f.people * PERSON * G * f.present(a.since(t)) / spans.length[a.bridge], a.bridge
        sag[i] += 5 * q * spans.length[i] ** 4 / (384 * spans.stiffness[i])
        moment[i] += q * spans.length[i] ** 2 / 8
    strain = moment * (z / spans.stiffness)[:, None]
    return Carried(sag / stiff, strain / stiff, np.stack([summed(s) for s in shares], axis=1), roll)


def reactions(spans: Spans, t: Floats, live: Floats, acts: Sequence[Acting]) -> Floats:
    """Of the bearings, which only push. live [b, 4, k] [N]; [b, 4, k] [N]"""
    dead = np.ones((spans.n, 4, t.size))
    for a, f in of(acts, Unloading):
        dead[a.bridge] += f.unloaded(a.since(t))
    return np.maximum(dead * spans.dead[:, None, None] + live, 0.0)


def hogged(spans: Spans, t: Floats, climate: Climate) -> Floats:
    """Upward at mid-span in the sun, αΔT·L²/8h. [b, k] [m]"""
    bow = spans.matter("expands") * spans.heat * spans.length**2 / (8 * spans.depth)
    return np.outer(bow, climate.sun(t))


def sunk(spans: Spans, t: Floats, acts: Sequence[Acting]) -> Floats:
    """Downward at mid-span, for good. [b, k] [m]"""
    out = np.zeros((spans.n, t.size))
    for a in acts:
        if isinstance(a.fault, Settlement | Creep):
            out[a.bridge] += a.fault.sagging(a.since(t))
    return out


def leaning(spans: Spans, t: Floats, acts: Sequence[Acting]) -> Floats:
    """Tilt of the piers: a little with the sun, and what has happened to them. [b, k] [rad]"""
    out = np.tile(BASK * np.sin(2 * np.pi * (hours(t) - 9) / 24), (spans.n, 1))
    for a in acts:
        if isinstance(a.fault, Impact | Settlement | Scour):
            out[a.bridge] += a.fault.leaning(a.since(t))
    return out


def opened(spans: Spans, t: Floats, acts: Sequence[Acting], climate: Climate) -> Floats:
    """Joints: they close as the deck warms, α·L·ΔT. [b, k] [m]"""
    warm = climate.structure(t)
    out = OPEN - np.outer(spans.matter("expands") * spans.joint, warm - MILD)
    for a, f in of(acts, Blocked):
        stuck = climate.structure(np.array([a.onset]))[0]
        share = (1 - f.slips) * grown(a.since(t), 0.0, f.lasts)
        out[a.bridge] += share * (spans.matter("expands") * spans.joint)[a.bridge] * (warm - stuck)
    return out


def strung(cables: Cables, t: Floats, acts: Sequence[Acting], climate: Climate) -> Floats:
    """Forces of the cables. [c, k] [N]"""
    out = np.outer(cables.force, 1 + SLACKENS * (climate.structure(t) - MILD))
    for a, f in of(acts, CableLoss):
        out[(cables.bridge == a.bridge) & (cables.number == f.cable)] *= f.slack(a.since(t))
    return out


def blown(spans: Spans, t: Floats, acts: Sequence[Acting], weather: Weather) -> Floats:
    """Mean wind. [b, k] [m/s]"""
    out = weather.wind(t, spans.place)
    gust = 1 + 0.05 * np.sin(t / 53 + spans.place[:, None])
    for a, f in of(acts, Storm):
        rest = 1 - grown(a.since(t), 0.0, f.lasts)
        out = np.maximum(out, f.wind * gust * (rest == 0))
    for a, v in of(acts, Vortices):
        out[a.bridge] = np.where(grown(a.since(t), 0.0, v.lasts) > 0, v.wind * gust[a.bridge], out[a.bridge])
    return out
