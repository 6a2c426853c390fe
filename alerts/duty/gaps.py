"""What is wrong with the rosters of the time to come: found before it is night."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from sqlalchemy import Connection

from alerts.duty.ical import Stint
from alerts.duty.layers import Roster
from alerts.duty.people import People, Person
from alerts.duty.rosters import Rosters, Shift
from lifeline.model import NS


class Flaw(StrEnum):
    """What can be wrong."""

    GAP = "gap"  # fewer on duty than must be
    UNREACHABLE = "unreachable"  # on duty, and no address for a channel that the role needs
    DOUBLE = "double"  # on duty in two roles at once
    LONG = "long"  # on duty without a break for longer than the roster allows


GRAVE: Final = (Flaw.GAP, Flaw.UNREACHABLE)  # a warning would be told to nobody


class Trouble(NamedTuple):
    """One thing that is wrong, from when to when."""

    flaw: Flaw
    unit: str
    role: str
    start: int  # [ns] UTC
    end: int  # [ns] UTC
    person: str = ""
    detail: str = ""  # channels without an address, "*" if there is none at all, "fallback" if it is they; the other role


def gaps(rosters: Rosters, unit: str, role: str, start: int, end: int, db: Connection | None = None) -> list[Shift]:
    """Stretches of start..end [ns] in which fewer are on duty than must be."""
    least = rosters.people.role(unit, role).least
    short = [s for s in rosters.shifts(unit, role, start, end, db) if len(s.persons) < least]
    return list(_merged(short))


def _merged(shifts: Sequence[Shift]) -> Iterator[Shift]:
    """Shifts that meet as one; its persons are those of the first."""
    held: Shift | None = None
    for s in shifts:
        if held and held.end == s.start:
            held = held._replace(end=s.end)
            continue
        if held:
            yield held
        held = s
    if held:
        yield held


def stints(rosters: Rosters, unit: str, role: str, start: int, end: int, db: Connection | None = None) -> list[Stint]:
    """Each person's times on duty in a role, in order of their beginning."""
    made: list[Stint] = []
    open_: dict[str, Stint] = {}
    for s in rosters.shifts(unit, role, start, end, db):
        made += [open_.pop(i) for i in list(open_) if i not in s.persons]
        for i in s.persons:
            open_[i] = open_[i]._replace(end=s.end) if i in open_ else Stint(unit, role, i, s.start, s.end)
    return sorted([*made, *open_.values()], key=attrgetter("start", "person"))


def troubles(rosters: Rosters, start: int, end: int, db: Connection | None = None) -> list[Trouble]:
    """All that is wrong from start to end [ns], gaps first."""
    with rosters.reading(db) as here:
        people = rosters.now(here)
        every = {at: stints(rosters, *at, start, end, here) for at in rosters.roles}
        found = [Trouble(Flaw.GAP, *at, s.start, s.end) for at in rosters.roles for s in gaps(rosters, *at, start, end, here)]
        found += [t for roster in rosters.rosters.values() for t in _long(rosters, roster, start, end, here)]
    for at, served in every.items():
        found += _unreachable(people, *at, served)
        if rosters.people.role(*at).least and not any(not lacking(people, *at, p) for p in people.fallback(*at)):
            found.append(Trouble(Flaw.UNREACHABLE, *at, start, end, "", "fallback"))
    found += _double([s for at, served in every.items() if at in rosters.rosters for s in served])
    order = list(Flaw)
    return sorted(found, key=lambda t: (order.index(t.flaw), t.start, t.unit, t.role, t.person))


def lacking(people: People, unit: str, role: str, person: Person) -> list[str]:
    """Channels that the role needs and the person has no address for; "*" if they have none at all."""
    needed = people.role(unit, role).channels
    return [c for c in needed if not person.contacts.get(c)] if needed else ([] if any(person.contacts.values()) else ["*"])


def _unreachable(people: People, unit: str, role: str, served: Sequence[Stint]) -> Iterator[Trouble]:
    """Each person once, from their first time on duty to their last."""
    for i in dict.fromkeys(s.person for s in served):
        own = [s for s in served if s.person == i]
        if lacks := lacking(people, unit, role, people.person(i)):
            yield Trouble(Flaw.UNREACHABLE, unit, role, own[0].start, own[-1].end, i, ", ".join(lacks))


def _long(rosters: Rosters, roster: Roster, start: int, end: int, db: Connection | None) -> Iterator[Trouble]:
    """Looked at from before the start to after the end, so that a shift is measured whole."""
    if roster.longest is None:
        return
    limit = round(roster.longest * NS)
    for s in stints(rosters, roster.unit, roster.role, start - limit, end + limit, db):
        if s.end - s.start > limit and s.start < end and s.end > start:
            yield Trouble(Flaw.LONG, *s[:2], s.start, s.end, s.person)


def _double(served: Sequence[Stint]) -> Iterator[Trouble]:
    """Where one person's stints in different roles overlap. Roles without a roster, which are always filled, are not meant."""
    by_person = attrgetter("person")
    for person, own in groupby(sorted(served, key=attrgetter("person", "start")), by_person):
        ahead: list[Stint] = []
        for s in own:
            ahead = [a for a in ahead if a.end > s.start]
            for a in ahead:
                end, detail = min(a.end, s.end), f"{a.unit}/{a.role}"
                yield Trouble(Flaw.DOUBLE, s.unit, s.role, s.start, end, person, detail)
            ahead.append(s)
