"""Which channels hear of which warning."""

from collections.abc import Iterable
from dataclasses import dataclass

from lifeline.model import Kind, Level


@dataclass(frozen=True)
class Route:
    """One channel's share: from which level on, and of which kinds."""

    channel: str
    min_level: Level = Level.BLUE
    kinds: frozenset[Kind] = frozenset(Kind)

    def fits(self, level: Level, kind: Kind) -> bool:
        return level >= self.min_level and kind in self.kinds


def hear(routes: Iterable[Route], level: Level, kind: Kind) -> list[str]:
    """Names of the channels that are told of this level anew."""
    return [r.channel for r in routes if r.fits(level, kind)]
