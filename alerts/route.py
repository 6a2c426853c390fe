"""Which channels hear of which warning."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from alerts.case import Case
from alerts.notice import Notice, Story, Texts
from lifeline.model import Kind, Level


class Receiver(NamedTuple):
    """Who is told through which channel."""

    channel: str
    person: str = ""  # "": the channel's own receivers
    address: str = ""  # of the person, on this channel
    part: Texts | None = None  # why it is they who are told, in one line
    due: int = 0  # [ns] desk clock: not before; held for company

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

    def fits(self, level: Level, kind: Kind) -> bool:
        return level >= self.min_level and kind in self.kinds


def hear(routes: Iterable[Route], level: Level, kind: Kind) -> list[Receiver]:
    """The channels that are told of this level anew."""
    return [Receiver(r.channel) for r in routes if r.fits(level, kind)]


Hearing = Callable[[Connection, Case, Sequence[Receiver], int], list[Receiver]]
"""(transaction, a warning at its new level, who was told of it before, desk clock [ns]) -> who is told of this level"""


def plain(routes: Iterable[Route]) -> Hearing:
    """Each channel from its level on, and whoever was told before."""
    known = tuple(routes)

    def hearing(_db: Connection, case: Case, before: Sequence[Receiver], _at: int) -> list[Receiver]:
        return [*before, *(hear(known, case.level, case.kind) if case.level else [])]

    return hearing


def addressed(to: Receiver, told: Story, said: Texts) -> Notice:
    """The notice of one change of level to one receiver."""
    name = f"{told.warning}.{told.version}.{to.suffix}"
    return Notice(id=name, channel=to.channel, person=to.person, address=to.address, part=to.part, story=told, texts=said)
