"""Warnings as the scoring sees them: what was said of an asset, how gravely, and when people could know."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from alerts.responsible import Matter, Responsible, load
from lifeline.model import Kind, Level


class Stood(NamedTuple):
    """A warning's level from an instant on."""

    t: int  # [ns] of the reading that made it
    told: int  # [ns] when that reading arrived: nobody could know before
    level: Level
    kind: Kind
    voices: int  # independent sensors or quantities


@dataclass(frozen=True)
class Said:
    """One warning as it went."""

    asset: str
    hazard: str
    domain: str
    steps: tuple[Stood, ...]
    places: tuple[str, ...] = ()  # where the trouble may be, likeliest first, in the words of its world

    @property
    def first(self) -> Stood:
        """What raised it: as a hazard, if it ever was one."""
        return next((s for s in self.steps if grave(s, Level.BLUE)), self.steps[0])

    @property
    def raised(self) -> int:
        """[ns] of the reading that raised it."""
        return self.first.t

    @property
    def peak(self) -> Level:
        """The gravest it has been, as a hazard if it ever was one."""
        hazard = [s.level for s in self.steps if s.kind is Kind.HAZARD]
        return max(hazard or [s.level for s in self.steps], default=Level.NORMAL)


def route(w: Said) -> set[str]:
    """Whom a warning goes to, by the table of responsibilities that comes with the program; the owner by its domain."""
    kind = Kind.HAZARD if any(grave(s, Level.BLUE) for s in w.steps) else Kind.TICKET
    return _table().departments(Matter(w.domain, "", "", w.hazard, kind), w.peak)


@cache
def _table() -> Responsible:
    return load()


def grave(x: Stood, level: Level) -> bool:
    return x.kind is Kind.HAZARD and x.level >= level


def standing(w: Said, end: int, level: Level = Level.BLUE) -> list[tuple[int, int]]:
    """When a hazard stood at a level or above. [ns]"""
    after = [*(x.told for x in w.steps), end]
    return [(a, b) for x, (a, b) in zip(w.steps, pairwise(after), strict=True) if grave(x, level)]


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of a union of spans. [ns]"""
    total, upto = 0, 0
    for a, b in sorted(spans):
        total += max(0, b - max(a, upto))
        upto = max(upto, b)
    return total
