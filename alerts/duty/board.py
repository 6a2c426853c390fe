"""Rosters as people ask for them: who is on duty now and next, until when, what was left at the hand-over. JSON-ready."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection

from alerts.duty import enter, gaps
from alerts.duty.gaps import Trouble
from alerts.duty.ical import Stint
from alerts.duty.ledger import edited
from alerts.duty.load import Duty
from alerts.duty.people import Person
from lifeline.clock import iso
from lifeline.model import NS

DAY: Final = 86_400 * NS
NEXT: Final = 35 * DAY  # [ns] looked ahead for who is next
NOTES: Final = 14 * DAY  # [ns] that a note at a hand-over is shown


def shown(person: Person, *, fully: bool = False) -> dict[str, Any]:
    """A person without their addresses: what reaches them is nobody's business but the channels'."""
    brief = {"id": person.id, "zh": person.zh, "en": person.en}
    if not fully:
        return brief
    more = {"unit": person.unit, "roles": person.roles, "language": person.language, "active": person.active}
    return {**brief, **more, "channels": sorted(person.contacts)}


def overview(duty: Duty, at: int, db: Connection | None) -> list[dict[str, Any]]:
    """Every role, who is on duty and who is next. at [ns]"""
    return [one(duty, unit, role, at, db) for unit, role in duty.rosters.roles]


def one(duty: Duty, unit: str, role: str, at: int, db: Connection | None) -> dict[str, Any]:
    """One role. LookupError if there is none. at [ns]"""
    rosters = duty.rosters
    with rosters.reading(db) as here:
        people = edited(here, duty.people) if here else duty.people
        known, found = people.role(unit, role), rosters.found(unit, role, at, here)
        present, *later = rosters.shifts(unit, role, at, at + NEXT, here)
    following = later[0] if later else None
    return {
        "unit": unit, "role": role, "zh": f"{people.units[unit].zh}{known.zh}", "en": f"{people.units[unit].en}, {known.en}",
        "roster": (unit, role) in rosters.rosters, "gap": found.gap, "now": [shown(p) for p in found.persons],
        "until": iso(present.end) if following else None,
        "next": [shown(people.person(i)) for i in following.persons] if following else [],
    }  # fmt: skip


def plan(duty: Duty, unit: str, role: str, start: int, end: int, db: Connection | None) -> dict[str, Any]:
    """Shifts of one role from start to end [ns], its gaps, and the notes left lately."""
    rosters = duty.rosters
    with rosters.reading(db) as here:
        people = edited(here, duty.people) if here else duty.people
        shifts, short = rosters.shifts(unit, role, start, end, here), gaps.gaps(rosters, unit, role, start, end, here)
        left = enter.notes(here, unit, role, start - NOTES) if here else []
    return {
        "shifts": [{**_span(s.start, s.end), "persons": [shown(people.person(i)) for i in s.persons]} for s in shifts],
        "gaps": [_span(s.start, s.end) for s in short],
        "handovers": left,
    }


def troubles(found: Iterable[Trouble]) -> list[dict[str, Any]]:
    """What is wrong, as it travels."""
    return [{**t._asdict(), **_span(t.start, t.end)} for t in found]


def stints(duty: Duty, start: int, end: int, db: Connection | None, *, person: str) -> list[Stint]:
    """All that one person is on duty for from start to end [ns]; not what they always are, without a roster."""
    with duty.rosters.reading(db) as here:
        served = [s for at in duty.rosters.roles for s in gaps.stints(duty.rosters, *at, start, end, here)]
    own = (s for s in served if s.person == person)
    limited = (s for s in own if (s.unit, s.role) in duty.rosters.rosters or s.end - s.start < end - start)
    return sorted(limited, key=lambda s: (s.start, s.unit, s.role))


def _span(start: int, end: int) -> dict[str, str]:
    return {"start": iso(start), "end": iso(end)}
