"""Simple spans on bearings between piers: their masses, stiffnesses and modes, and what a load at rest does to them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats
from lifeline.units import G
from simulators.dice import dice

STREAM: Final = 3000
LANE: Final = 3.75  # [m] width of a lane
LANES: Final = (1.0, 1.0, 2.0, 2.34, 2.68)  # [1] lanes that count, by their number: 0.78 of three, 0.67 of four (JTG D60-2015)
LANE_LOAD: Final = 10.5e3  # [N/m] class I lane load (JTG D60-2015)
SIDES: Final = ("a-left", "a-right", "b-left", "b-right")  # bearings: the end where traffic comes in first, then the other
FIBRE: Final = 0.6  # [1] of the depth: from the neutral axis to the gauge on the underside


class Matter(NamedTuple):
    """What a span is made of."""

    expands: float  # [1/K]
    softens: float  # [1/K] frequency, for each kelvin warmer
    freezes: float  # [1/K] frequency, for each kelvin below 0 °C, down to ICE more


CONCRETE: Final = Matter(1.0e-5, -1.5e-3, 5e-3)
STEEL: Final = Matter(1.2e-5, -2e-4, 1e-3)
ICE: Final = 10.0  # [K] below 0 °C from which nothing freezes any more
MILD: Final = 288.15  # [K] at which frequencies are the nominal ones


@dataclass(frozen=True)
class Spans:
    """One span to a bridge, and the pier it stands on."""

    asset: tuple[str, ...]  # [b]
    length: Floats  # [b] [m]
    mass: Floats  # [b] [kg/m]
    stiffness: Floats  # [b] [N·m²]
    depth: Floats  # [b] [m]
    damping: Floats  # [b] [1] of the critical
    pier: Floats  # [b] [Hz] of the pier's own mode
    base: Floats  # [b] [m] between the two bearings of an end
    lanes: Floats  # [b] [1]
    joint: Floats  # [b] [m] of deck that moves into the joint
    steel: Bools  # [b]
    daily: Floats  # [b] [1] vehicles a day
    heavy: Floats  # [b] [1] share of lorries
    overload: float  # [1] share of laden heavy lorries that are overloaded; 0: none is above the design vehicle
    ambient: Floats  # [b] [m/s²] RMS at mid-span without traffic
    heat: Floats  # [b] [K] top of the deck above its underside, at most
    place: Floats  # [b] [rad] phase of the gusts
    modes: int  # bending modes of a span

    @property
    def n(self) -> int:
        return len(self.asset)

    @property
    def omega(self) -> Floats:
        """Of the bending modes and, last, the pier's, where it is mild. [b, modes + 1] [rad/s]"""
        deck = (self.order * np.pi / self.length[:, None]) ** 2 * np.sqrt(self.stiffness / self.mass)[:, None]
        return np.concatenate([deck, 2 * np.pi * self.pier[:, None]], axis=1)

    @property
    def zeta(self) -> Floats:
        """[b, modes + 1] [1]"""
        return np.outer(self.damping, [1.0] * self.modes + [2.0])

    @property
    def order(self) -> Floats:
        """[modes] [1]"""
        return np.arange(1.0, self.modes + 1)

    def matter(self, name: str) -> Floats:
        """A property of what each is made of. [b]"""
        return np.asarray(np.where(self.steel, getattr(STEEL, name), getattr(CONCRETE, name)), float)

    @property
    def dead(self) -> Floats:
        """Of one bearing under the span's own weight. [b] [N]"""
        return np.asarray(self.mass * G * self.length / 4)

    @property
    def design(self) -> tuple[Floats, Floats]:
        """Deflection [b] [m] and strain [b] [1] at mid-span under the lane load of JTG D60-2015, clause 4.3.1, class I."""
        point = 1e3 * np.clip(2 * (self.length + 130), 270, 360)
        count = np.array(LANES)[np.minimum(self.lanes, 4).astype(int)]
        sag = 5 * LANE_LOAD * self.length**4 / 384 + point * self.length**3 / 48
        moment = LANE_LOAD * self.length**2 / 8 + point * self.length / 4
        return np.asarray(count * sag / self.stiffness), count * moment * FIBRE * self.depth / self.stiffness


def sagged(x: Floats, length: Floats, stiffness: Floats) -> Floats:
    """Deflection at mid-span for each newton at x, share of the span: P·a(3L² - 4a²)/(48·EI). [m/N]"""
    a = np.clip(np.minimum(x, 1 - x), 0.0, 0.5)
    return np.asarray(length**3 * a * (3 - 4 * a**2) / (48 * stiffness))


def bent(x: Floats, length: Floats) -> Floats:
    """Bending moment at mid-span for each newton at x, share of the span. [m]"""
    return np.asarray(length * np.clip(np.minimum(x, 1 - x), 0.0, 0.5) / 2)


def borne(x: Floats, side: Floats, base: Floats) -> Floats:
    """Share of a load at x [1] and `side` [m] to the right that each bearing takes, in the order of SIDES. [4, v] [1]"""
    right = 0.5 + side / base
    return np.stack([(1 - x) * (1 - right), (1 - x) * right, x * (1 - right), x * right])


def drawn(asset: tuple[str, ...], seed: int) -> Spans:
    """Concrete girders of 50 to 70 m with the first frequency near 95.4·L^-0.933 (R. Cantieni, EMPA report 211, 1983).

    Their stations take most of the sun out of the deflection: heat is what is left of 10 to 14 K.
    """
    draw, n = dice(seed, STREAM), len(asset)
    length, mass = draw.uniform(50.0, 70.0, n), draw.uniform(17e3, 21e3, n)
    first = 95.4 * length**-0.933 * draw.uniform(0.95, 1.05, n)
    stiffness = mass * (2 * first * length**2 / np.pi) ** 2
    return Spans(
        asset, length, mass, stiffness, length / 18, draw.uniform(0.01, 0.02, n), draw.uniform(5.0, 8.0, n), np.full(n, 6.0),
        np.full(n, 4.0), 2 * length, np.zeros(n, bool), draw.uniform(5e3, 15e3, n), draw.uniform(0.08, 0.15, n), 0.0,
        draw.uniform(2e-3, 6e-3, n), draw.uniform(2.0, 4.0, n), draw.uniform(0, 2 * np.pi, n), 3,
    )  # fmt: skip
