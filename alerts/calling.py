"""Who is told of a warning: channels that hear of everything, and persons on duty whom the table of responsibilities names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from alerts.case import Case
from alerts.notice import EXERCISE, Pair
from alerts.responsible import OWNER, Matter, Part, Responsible
from alerts.route import Receiver, Route, hear
from lifeline.model import Level


class Person(Protocol):
    """Somebody who can be reached."""

    @property
    def id(self) -> str: ...

    @property
    def contacts(self) -> Mapping[str, str]:
        """Channel -> address."""


class Hearing(Protocol):
    """Who hears of a warning now. Asked in the transaction that moves it."""

    def tell(self, db: Connection, case: Case, before: Sequence[Receiver], at: int) -> list[Receiver]:
        """Of the level that stands. before: those who were told of this warning earlier. at [ns] desk clock"""

    def remind(self, db: Connection, case: Case, tier: int, at: int) -> list[Receiver]:
        """That nobody has answered: everybody up to a tier. at [ns] desk clock"""


class Duty(Protocol):
    """Who is on duty."""

    def on_duty(self, unit: str, role: str, at: int, db: Connection | None = None) -> Sequence[Person]:
        """Those in a role of a unit. at [ns]"""


@dataclass(frozen=True)
class Calling:
    """Routes, table and rosters together. Without rosters only the channels hear."""

    routes: Sequence[Route]
    table: Responsible = field(default_factory=lambda: Responsible(()))
    duty: Duty | None = None
    owners: Mapping[str, str] = field(default_factory=dict)  # an owner's name in the catalog -> unit
    types: Mapping[str, str] = field(default_factory=dict)  # asset -> what kind of thing it is

    def receivers(self, case: Case, tier: int, at: int, db: Connection | None = None) -> list[Receiver]:
        """Everybody up to a tier, each once. at [ns]"""
        level = Level(min(tier, Level.RED))
        told = [*hear(self.routes, level, case.kind), *self._persons(case, tier, level, at, db)]
        return list({r.suffix: r for r in reversed(told)}.values())[::-1]

    def parts(self, case: Case, tier: int) -> list[Part]:
        """What the table says, whoever is on duty."""
        matter = Matter(
            case.domain, case.district, self.types.get(case.asset, ""), case.hazard.removeprefix(EXERCISE), case.kind
        )
        return self.table.parts(matter, tier)

    def _persons(self, case: Case, tier: int, level: Level, at: int, db: Connection | None) -> list[Receiver]:
        if self.duty is None:
            return []
        ways = {r.channel for r in self.routes if r.reaches(level, case.kind)}
        return [
            receiver
            for part in self.parts(case, tier)
            for person in self._on_duty(part, case, at, db)
            for receiver in _ways(person, part, ways)
        ]

    def _on_duty(self, part: Part, case: Case, at: int, db: Connection | None) -> Sequence[Person]:
        """Nobody where the city has no such unit or role: a table may name more than there is."""
        assert self.duty is not None
        try:
            return self.duty.on_duty(self._unit(part, case), part.role, at, db)
        except LookupError:
            return []

    def _unit(self, part: Part, case: Case) -> str:
        return self.owners.get(case.owner, case.owner) if part.unit == OWNER else part.unit


@dataclass(frozen=True)
class Plain:
    """Everybody whose level it is, and whoever was told before."""

    calling: Calling

    def tell(self, db: Connection, case: Case, before: Sequence[Receiver], at: int) -> list[Receiver]:
        """See Hearing."""
        return [*before, *(self.calling.receivers(case, case.level, at, db) if case.level else [])]

    def remind(self, db: Connection, case: Case, tier: int, at: int) -> list[Receiver]:
        """See Hearing."""
        return self.calling.receivers(case, tier, at, db)


def _ways(person: Person, part: Part, ways: Collection[str]) -> list[Receiver]:
    """One receiver for each of a person's channels that is open at this level."""
    why = Pair(part.zh, part.en)
    return [Receiver(channel, person.id, address, why) for channel, address in person.contacts.items() if channel in ways]
