"""What happens in the bridge world: hazards, and what only looks like one. Each class is a table [[fault]] and what it does.

A fault may do several things, and says so by its methods: `vehicles` (loads on the deck), `push` (on the pier's mode), `left`
(share of the bending stiffness), `slack` (of a cable), `leaning` and `softer` (of the pier), `unloaded` (a bearing), `sagging`
(of the deck, for good). since [k] [s] is the time after its onset; after its end nothing acts but what stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import TIMES, Seconds, Share, measure
from lifeline.model import NS, Floats
from lifeline.units import G
from lifeline.words import suggestion
from simulators.bridge.climate import Snap
from simulators.bridge.happening import EVERYWHERE, Acting, Happening, Lasts, Over, grown
from simulators.bridge.passing import Convoy, Crowd, Overload
from simulators.bridge.spans import SIDES
from simulators.sensors import FOREVER

WEEK: Final = TIMES["week"]  # [s]


@dataclass(frozen=True)
class Impact:
    """A ship or a lorry runs into the pier: a half-sine push, and a tilt that stays."""

    at: Seconds = 600.0  # when it happens
    lasts: Seconds = FOREVER  # until the pier is straightened; the default: to the end
    bridge: str = "bridge-1"
    peak: Annotated[float, measure("g", 0.001, 10)] = 0.35 * G  # of the push, for each unit of the pier's modal mass
    width: Annotated[float, measure("s", 0.01, 5)] = 0.08  # of the push
    residual: Annotated[float, measure("°", 0, 10)] = float(np.deg2rad(0.08))  # tilt that remains

    def push(self, since: Floats) -> Floats:
        """[k] [m/s²]"""
        return np.where((since >= 0) & (since < self.width), self.peak * np.sin(np.pi * since / self.width), 0.0)

    def leaning(self, since: Floats) -> Floats:
        """[k] [rad]"""
        return self.residual * grown(since, 0.0, self.lasts)


@dataclass(frozen=True)
class Vortices:
    """Vortices lock on to one bending mode while the wind is right."""

    at: Seconds = 600.0  # when they lock on
    lasts: Lasts = 3600.0  # until the wind has passed
    bridge: str = "bridge-1"
    mode: Annotated[int, Between(1, 6)] = 2
    rms: Annotated[float, measure("m/s²", 0.01, 10)] = 0.35  # of the mode's acceleration where it swings most, once grown
    wind: Annotated[float, measure("m/s", 6, 15)] = 9.0  # meanwhile


@dataclass(frozen=True)
class Stiffness:
    """The span loses bending stiffness: cracks, lost prestress."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Seconds = FOREVER  # until it is repaired; the default: to the end
    bridge: str = "bridge-1"
    loss: Share = 0.08  # of EI, in the end
    over: Over = 86_400.0  # until then, in a straight line

    def left(self, since: Floats) -> Floats:
        """Of EI. [k] [1]"""
        return 1 - self.loss * grown(since, self.over, self.lasts)


@dataclass(frozen=True)
class CableLoss:
    """A cable or hanger loses force: broken wires, a slipping anchor."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Seconds = FOREVER  # until it is repaired; the default: to the end
    bridge: str = "bridge-1"
    cable: Annotated[int, Between(1, 200)] = 1
    loss: Share = 0.12  # of its force, in the end
    over: Over = 2_592_000.0  # until then, in a straight line

    def slack(self, since: Floats) -> Floats:
        """Of the force. [k] [1]"""
        return 1 - self.loss * grown(since, self.over, self.lasts)


@dataclass(frozen=True)
class Settlement:
    """The pier sinks: the deck follows by half at mid-span, and the pier leans."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Seconds = FOREVER  # until it is put right; the default: to the end
    bridge: str = "bridge-1"
    amount: Annotated[float, measure("mm", 0.1, 1000)] = 0.020  # in the end
    lean: Annotated[float, measure("°", 0, 5)] = float(np.deg2rad(0.03))  # of the pier, in the end
    over: Over = 604_800.0  # until then, in a straight line

    def sagging(self, since: Floats) -> Floats:
        """At mid-span. [k] [m]"""
        return 0.5 * self.amount * grown(since, self.over, self.lasts)

    def leaning(self, since: Floats) -> Floats:
        """[k] [rad]"""
        return self.lean * grown(since, self.over, self.lasts)


@dataclass(frozen=True)
class Blocked:
    """A bearing rusts fast: the joint no longer follows the temperature."""

    at: Seconds = 86_400.0  # when it sticks
    lasts: Seconds = FOREVER  # until it is freed; the default: to the end
    bridge: str = "bridge-1"
    slips: Share = 0.05  # of the movement, that it still makes


@dataclass(frozen=True)
class Unloading:
    """A bearing loses contact; its neighbour at the same end takes what it carried."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Seconds = FOREVER  # until it is shimmed; the default: to the end
    bridge: str = "bridge-1"
    bearing: Literal["a-left", "a-right", "b-left", "b-right"] = "a-left"
    loss: Share = 0.12  # of its dead load, in the end
    over: Over = 604_800.0  # until then, in a straight line

    def unloaded(self, since: Floats) -> Floats:
        """Share of one bearing's dead load that each gains. [4, k] [1]"""
        moved = self.loss * grown(since, self.over, self.lasts)
        one = SIDES.index(self.bearing)
        out = np.zeros((4, since.size))
        out[one], out[one ^ 1] = -moved, moved
        return out


@dataclass(frozen=True)
class Scour:
    """A flood washes the ground from around the pier: it leans, more every week, and its own frequency falls."""

    at: Seconds = 86_400.0  # when the water rises
    lasts: Lasts = 12 * WEEK  # until it falls; what was done then stays
    bridge: str = "bridge-1"
    rate: Annotated[float, measure("°/week", 0, 5)] = float(np.deg2rad(0.01)) / WEEK  # at which the pier leans over
    softens: Share = 0.01  # of the pier's frequency, lost in a week

    def leaning(self, since: Floats) -> Floats:
        """[k] [rad]"""
        return np.asarray(self.rate * np.clip(since, 0.0, self.lasts))

    def softer(self, since: Floats) -> Floats:
        """Of the pier's frequency. [k] [1]"""
        return np.maximum(1 - self.softens / WEEK * np.clip(since, 0.0, self.lasts), 0.1)


@dataclass(frozen=True)
class Creep:
    """Prestress is lost: the span sinks, year after year."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Seconds = FOREVER  # until it stops; what has sunk stays
    bridge: str = "bridge-1"
    rate: Annotated[float, measure("mm/year", 0.01, 1000)] = 4e-3 / TIMES["year"]  # at mid-span

    def sagging(self, since: Floats) -> Floats:
        """At mid-span. [k] [m]"""
        return np.asarray(self.rate * np.clip(since, 0.0, self.lasts))


@dataclass(frozen=True)
class Storm:
    """A high wind over all bridges."""

    at: Seconds = 3600.0  # when it has risen
    lasts: Lasts = 7200.0  # until it falls
    wind: Annotated[float, measure("m/s", 5, 90)] = 26.0  # its mean


@dataclass(frozen=True)
class ColdSnap:
    """The air grows cold over all bridges: frequencies rise, joints open, and nothing is wrong."""

    at: Seconds = 86_400.0  # when it begins
    lasts: Lasts = 432_000.0  # until it begins to get warm again
    depth: Annotated[float, measure("K", 0.1, 60)] = 15.0  # colder
    falls: Over = 43_200.0  # time that the change takes, either way

    def snap(self, a: Acting) -> Snap:
        return Snap(a.onset, a.end, self.depth, self.falls)


KINDS: Final[Mapping[str, type]] = {
    "overload": Overload,
    "convoy": Convoy,
    "impact": Impact,
    "vortices": Vortices,
    "crowd": Crowd,
    "stiffness": Stiffness,
    "cable": CableLoss,
    "settlement": Settlement,
    "blocked": Blocked,
    "unloading": Unloading,
    "scour": Scour,
    "creep": Creep,
    "storm": Storm,
    "cold_snap": ColdSnap,
}


def acting(faults: Sequence[Happening], asset: Sequence[str], start: int) -> tuple[Acting, ...]:
    """Faults set in from `start` [ns] on; those that name no bridge are over all. ValueError where there is none such."""
    at, known = start / NS, list(asset)
    for i, name in [(i, f.bridge) for i, f in enumerate(faults) if hasattr(f, "bridge") and f.bridge not in known]:
        raise ValueError(f"fault[{i}].bridge: there is no {name}; {suggestion(name, known)}")
    where = [known.index(f.bridge) if hasattr(f, "bridge") else EVERYWHERE for f in faults]
    return tuple(Acting(f, b, at + f.at, at + f.at + f.lasts) for f, b in zip(faults, where, strict=True))
