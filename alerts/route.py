"""Which channels hear of which warning."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from alerts.notice import Notice, Pair, Story, Texts
from lifeline.model import Kind, Level


class Receiver(NamedTuple):
    """Who is told through which channel."""

    channel: str
    person: str = ""  # "": the channel's own receivers
    address: str = ""  # of the person, on this channel
    part: Pair | None = None  # why it is they who are told, in one line

    @property
    def suffix(self) -> str:
        """Its part of a notice's id."""
        return f"{self.channel}.{self.person}" if self.person else self.channel


@dataclass(frozen=True)
class Route:
    """One channel's share: from which level on, and of which kinds."""

    channel: str
    min_level: Level = Level.BLUE
    kinds: frozenset[Kind] = frozenset(Kind)
    audience: Literal["all", "persons"] = "all"  # persons: it says nothing by itself, only to those on duty

    def reaches(self, level: Level, kind: Kind) -> bool:
        """Whether somebody on duty is told through this channel."""
        return level >= self.min_level and kind in self.kinds

    def fits(self, level: Level, kind: Kind) -> bool:
        """Whether the channel's own receivers are told."""
        return self.audience == "all" and self.reaches(level, kind)


def hear(routes: Iterable[Route], level: Level, kind: Kind) -> list[Receiver]:
    """The channels that are told of this level anew."""
    return [Receiver(r.channel) for r in routes if r.fits(level, kind)]


def addressed(to: Receiver, told: Story, said: Texts) -> Notice:
    """The notice of one change of level to one receiver."""
    name = f"{told.warning}.{told.version}.{to.suffix}"
    return Notice(id=name, channel=to.channel, person=to.person, address=to.address, part=to.part, story=told, texts=said)
