"""Who is on duty: by plan, by what people have entered since, and by the fallback when nobody is."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection

from alerts.database import Database
from alerts.duty import ledger
from alerts.duty.layers import Ids, Roster
from alerts.duty.ledger import Override
from alerts.duty.people import People, Person


class Found(NamedTuple):
    """Who answers at an instant."""

    persons: list[Person]
    gap: bool  # fewer are on duty than must be; if nobody is, `persons` are the fallback


class Shift(NamedTuple):
    """The same persons on duty from an instant to another."""

    start: int  # [ns] UTC
    end: int  # [ns] UTC
    persons: Ids  # without the fallback


@dataclass(frozen=True)
class Rosters:
    """The rosters of a city. A role without one is filled by all who have it, always."""

    people: People
    rosters: dict[tuple[str, str], Roster]
    database: Database | None = None  # where overrides and changes of persons are; None: there are none

    @property
    def roles(self) -> list[tuple[str, str]]:
        """All (unit, role), in the order of the file."""
        return [(unit.id, role) for unit in self.people.units.values() for role in unit.roles]

    def on_duty(self, unit: str, role: str, at: int, db: Connection | None = None) -> list[Person]:
        """Who answers at an instant; empty only if even the fallback is. LookupError for no such role. at [ns] UTC"""
        return self.found(unit, role, at, db).persons

    def found(self, unit: str, role: str, at: int, db: Connection | None = None) -> Found:
        """The same, and whether the roster has a gap there. at [ns] UTC"""
        with self.reading(db) as here:
            people = ledger.edited(here, self.people) if here else self.people
            entered = ledger.during(here, unit, role, at, at + 1) if here else []
        least = people.role(unit, role).least
        chosen = self._chosen(people, unit, role, at, entered)
        persons = [people.person(i) for i in chosen]
        return Found(persons or people.fallback(unit, role), len(persons) < least)

    def shifts(self, unit: str, role: str, start: int, end: int, db: Connection | None = None) -> list[Shift]:
        """Who is on duty from start to end [ns] without the fallback, each change of persons a new shift."""
        with self.reading(db) as here:
            people = ledger.edited(here, self.people) if here else self.people
            entered = ledger.during(here, unit, role, start, end) if here else []
        people.role(unit, role)
        roster = self.rosters.get((unit, role))
        cuts = {start, *(roster.cuts(start, end) if roster else ())}
        cuts |= {t for o in entered for t in (o.start, o.until) if start < t < end}
        edges = [*sorted(cuts), end]
        pieces = (Shift(a, b, self._chosen(people, unit, role, a, entered)) for a, b in pairwise(edges) if a < b)
        return list(_joined(pieces))

    def now(self, db: Connection | None = None) -> People:
        """People as they are now."""
        with self.reading(db) as here:
            return ledger.edited(here, self.people) if here else self.people

    def over(self, database: Database) -> "Rosters":
        """The same with what people have entered into a database."""
        return replace(self, database=database)

    @contextmanager
    def reading(self, db: Connection | None) -> Iterator[Connection | None]:
        """The given transaction, or one of our own; None where there is no database."""
        if db is not None or self.database is None:
            yield db
            return
        with self.database.read() as own:
            yield own

    def _chosen(self, people: People, unit: str, role: str, at: int, entered: Sequence[Override]) -> Ids:
        """Ids of those on duty who are there. at [ns]"""
        roster = self.rosters.get((unit, role))
        on = roster.at(at) if roster else tuple(p.id for p in people.holders(unit, role))
        for o in entered:
            if o.start <= at < o.until:
                on = o.applied(on)
        return tuple(i for i in on if i in people.persons and people.persons[i].active)


def _joined(shifts: Iterable[Shift]) -> Iterator[Shift]:
    """Neighbours with the same persons as one."""
    held: Shift | None = None
    for s in shifts:
        if held and set(held.persons) == set(s.persons):
            held = held._replace(end=s.end)
            continue
        if held:
            yield held
        held = s
    if held:
        yield held
