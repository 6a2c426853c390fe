"""What people have entered: overrides, changes of persons, notes at hand-over. Rows are added, never changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from alerts.duty.people import People, Person
from alerts.duty.tables import duty_cancellations, duty_overrides, duty_persons

EVERYBODY: Final = "*"
_JSON: Final = ("roles", "contacts")
_FIELDS: Final = ("zh", "en", "unit", "roles", "language", "contacts", "active")

_STANDING: Final = (
    select(duty_overrides)
    .join(duty_cancellations, duty_cancellations.c.override == duty_overrides.c.id, isouter=True)
    .where(duty_cancellations.c.override.is_(None))
)
_OF: Final = (duty_overrides.c.unit == bindparam("unit"), duty_overrides.c.role == bindparam("role"))
_DURING: Final = _STANDING.where(
    *_OF, duty_overrides.c.until > bindparam("start"), duty_overrides.c.start < bindparam("end")
).order_by(duty_overrides.c.id)
_EDITS: Final = select(duty_persons).order_by(duty_persons.c.id)


class Override(msgspec.Struct, frozen=True):
    """A change of who is on duty, from an instant to another. A later one goes before the earlier ones."""

    id: int
    unit: str
    role: str
    person: str  # who comes; "": nobody
    instead: str  # whom they replace; EVERYBODY; "": nobody, they come in addition
    start: int  # [ns] UTC
    until: int  # [ns] UTC
    at: int  # [ns] desk clock, when it was entered
    by: str
    reason: str
    origin: str = ""  # name of the calendar it was imported from

    def applied(self, on: tuple[str, ...]) -> tuple[str, ...]:
        """Who is on duty after it; who replaces another takes their place in the order."""
        come = (self.person,) if self.person else ()
        if self.instead == EVERYBODY:
            return come
        if not self.instead:
            return tuple(dict.fromkeys((*on, *come)))
        return tuple(dict.fromkeys(i for was in on for i in (come if was == self.instead else (was,))))


def during(db: Connection, unit: str, role: str, start: int, end: int) -> list[Override]:
    """Overrides that stand and touch start..end [ns], in the order in which they were entered."""
    rows = db.execute(_DURING, {"unit": unit, "role": role, "start": start, "end": end}).mappings()
    return [Override(**r) for r in rows]


def edited(db: Connection, people: People) -> People:
    """People as they are now: the file, and what has been changed since."""
    rows = db.execute(_EDITS).mappings().all()
    if not rows:
        return people
    there = dict(people.persons)
    for r in rows:
        known = there.get(r["person"])
        if known or r["unit"]:  # not who was changed once and has left the file since
            there[r["person"]] = _changed(dict(r), known)
    return People(people.units.values(), there.values())


def _changed(row: Mapping[str, Any], known: Person | None) -> Person:
    said = {k: msgspec.json.decode(row[k]) if k in _JSON else row[k] for k in _FIELDS if row[k] is not None}
    if "roles" in said:
        said["roles"] = tuple(said["roles"])
    who = row["person"]
    return replace(known or Person(who, who, who, row["unit"]), **said)
