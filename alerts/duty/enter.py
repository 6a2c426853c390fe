"""What people enter: overrides and their cancellation, changes of persons, notes at hand-over.

Each leaves a line in the audit trail.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, select

from alerts.database import insert_new
from alerts.duty.feed import Feed
from alerts.duty.ledger import EVERYBODY, Override, edited
from alerts.duty.people import People
from alerts.duty.rosters import Rosters
from alerts.duty.sheet import ID, WORD
from alerts.duty.tables import duty_cancellations, duty_handovers, duty_overrides, duty_persons
from alerts.rows import record
from lifeline.model import NS

LONGEST_TEXT: Final = 10_000  # [1] characters
LAST: Final = 2**63 - 1  # [ns]
LONGEST: Final = 400 * 86_400 * NS  # [ns] of an override
LANGUAGES: Final = ("zh", "en", "both")


class NotEntered(ValueError):
    """What was entered cannot be meant."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """An override as it is asked for."""

    unit: str
    role: str
    person: str
    start: int  # [ns] UTC
    until: int  # [ns] UTC
    by: str
    reason: str
    instead: str = EVERYBODY
    origin: str = ""


def override(db: Connection, rosters: Rosters, asked: Entered, at: int) -> Override:
    """Enter one. NotEntered, or LookupError for no such role. at [ns] desk clock"""
    here = edited(db, rosters.people)
    here.role(asked.unit, asked.role)
    _signed(asked.by, asked.reason)
    _timely(asked, at)
    for i in {asked.person, asked.instead} - {"", EVERYBODY}:
        if i not in here.persons:
            raise NotEntered(f"nobody has the id {i!r}")
    if asked.person and not here.persons[asked.person].active:
        raise NotEntered(f"{asked.person} is not active")
    if not asked.person and not asked.instead:
        raise NotEntered("nobody comes and nobody goes")
    shifts = rosters.shifts(asked.unit, asked.role, asked.start, asked.until, db)
    if asked.instead not in {"", EVERYBODY} and all(asked.instead not in s.persons for s in shifts):
        raise NotEntered(f"{asked.instead} is not on duty then, so nobody would be replaced")
    made = _added(db, asked, at)
    more = {k: v for k, v in msgspec.structs.asdict(made).items() if k not in {"at", "by", "id"}}
    record(db, at, "duty_override", by=asked.by, warning=None, override=made.id, **more)
    return made


def _timely(asked: Entered, at: int) -> None:
    if not (0 <= asked.start <= LAST and 0 <= asked.until <= LAST):
        raise NotEntered("start and until must be instants from 1970 to 2262")
    if asked.until <= asked.start:
        raise NotEntered("ends before it begins")
    if asked.until <= at:
        raise NotEntered("is over already")
    if asked.until - asked.start > LONGEST:
        raise NotEntered("is longer than 400 days; change the file instead")


def _added(db: Connection, asked: Entered, at: int) -> Override:
    row = {**msgspec.structs.asdict(asked), "at": at}
    key = db.execute(duty_overrides.insert().values(**row)).inserted_primary_key
    assert key is not None
    return Override(id=key[0], **row)


def cancel(db: Connection, override: int, by: str, reason: str, at: int) -> None:
    """Take an override back. LookupError if there is none; NotEntered if it was taken back before. at [ns]"""
    _signed(by, reason)
    if db.execute(select(duty_overrides.c.id).where(duty_overrides.c.id == override)).first() is None:
        raise LookupError(f"there is no override {override}")
    if not _cancelled(db, override, by, reason, at):
        raise NotEntered(f"override {override} was cancelled before")


def _cancelled(db: Connection, override: int, by: str, reason: str, at: int) -> bool:
    if not insert_new(db, duty_cancellations, override=override, at=at, by=by, reason=reason):
        return False
    record(db, at, "duty_cancelled", by=by, warning=None, override=override, reason=reason)
    return True


def import_feed(db: Connection, people: People, feed: Feed, asked: Entered, at: int) -> tuple[int, int]:
    """Overrides for all that a calendar says from `asked.start` to `asked.until` -> how many are new, and were taken back.

    What the same calendar (`asked.origin`) said before and does not say now is cancelled; what it says again stays.
    `asked.person` has no meaning: the calendar names the persons.
    """
    edited(db, people).role(asked.unit, asked.role)
    _signed(asked.by, asked.reason)
    wanted = {_key(e): e for e in _pieces(feed, asked)}
    stand = {_key(o): o for o in _of_origin(db, asked)}
    gone = [o for key, o in stand.items() if key not in wanted]
    for o in gone:
        _cancelled(db, o.id, asked.by, f"no longer in {asked.origin}", at)
    new = [e for key, e in wanted.items() if key not in stand]
    for e in new:
        _added(db, e, at)
    more = {"unit": asked.unit, "role": asked.role, "origin": asked.origin, "reason": asked.reason}
    record(db, at, "duty_import", by=asked.by, warning=None, **more, new=len(new), cancelled=len(gone))
    return len(new), len(gone)


def _pieces(feed: Feed, asked: Entered) -> Iterable[Entered]:
    """The first of those who are on duty together comes in place of everybody, the others beside.

    Pieces are whole also where they reach beyond the time that is asked for: another import finds them again.
    """
    for start, until in pairwise(sorted(set(feed.cuts(asked.start, asked.until)))):
        there = max(start, asked.start)
        for n, person in enumerate(feed.at(there) if there < min(until, asked.until) else ()):
            instead = "" if n else asked.instead
            yield msgspec.structs.replace(asked, person=person, start=start, until=until, instead=instead)


def _key(o: Entered | Override) -> tuple[str, str, int, int]:
    return o.person, o.instead, o.start, o.until


def _of_origin(db: Connection, asked: Entered) -> list[Override]:
    """What stands of an earlier import of the same calendar, in the time that is asked for."""
    o, c = duty_overrides.c, duty_cancellations.c
    query = (
        select(duty_overrides)
        .join(duty_cancellations, c.override == o.id, isouter=True)
        .where(c.override.is_(None), o.unit == asked.unit, o.role == asked.role, o.origin == asked.origin)
        .where(o.until > asked.start, o.start < asked.until)
    )
    return [Override(**r) for r in db.execute(query).mappings()]


def history(db: Connection, unit: str, role: str, limit: int = 1000) -> list[dict[str, Any]]:
    """Overrides of a role, the youngest first, with who cancelled them and why."""
    o, c = duty_overrides.c, duty_cancellations.c
    query = (
        select(duty_overrides, c.at.label("cancelled"), c.by.label("cancelled_by"), c.reason.label("cancelled_because"))
        .join(duty_cancellations, c.override == o.id, isouter=True)
        .where(o.unit == unit, o.role == role)
        .order_by(o.id.desc())
        .limit(limit)
    )
    return [dict(r) for r in db.execute(query).mappings()]


def hand_over(db: Connection, people: People, unit: str, role: str, by: str, text: str, at: int) -> dict[str, Any]:
    """Leave a note for whoever is next on duty. at [ns]"""
    people.role(unit, role)
    _signed(by, text)
    row = {"unit": unit, "role": role, "at": at, "by": by, "text": text}
    key = db.execute(duty_handovers.insert().values(**row)).inserted_primary_key
    assert key is not None
    record(db, at, "duty_handover", by=by, warning=None, unit=unit, role=role, note=key[0])
    return {"id": key[0], **row}


def notes(db: Connection, unit: str, role: str, since: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """Notes left since an instant [ns], the youngest first."""
    h = duty_handovers.c
    query = select(duty_handovers).where(h.unit == unit, h.role == role, h.at >= since).order_by(h.id.desc()).limit(limit)
    return [dict(r) for r in db.execute(query).mappings()]


def edit(
    db: Connection,
    people: People,
    channels: Collection[str],
    person: str,
    changed: Mapping[str, Any],
    *,
    by: str,
    reason: str,
    at: int,
) -> None:
    """Change what the file says of a person, or add one. changed: fields of `Person`; those left out stay as they are.

    channels: those that are configured. at [ns] desk clock
    """
    _signed(by, reason)
    if not ID.fullmatch(person):
        raise NotEntered(f"{person!r}: {WORD}")
    if odd := set(changed.get("contacts") or ()) - set(channels):
        raise NotEntered(f"no channel has the name {', '.join(sorted(odd))}")
    if not all(a.strip() for a in (changed.get("contacts") or {}).values()):
        raise NotEntered("contacts: an address is empty; leave it out")
    here = edited(db, people)
    known = here.persons.get(person)
    unit = changed.get("unit") or (known.unit if known else "")
    if unit not in here.units:
        raise NotEntered(f"{unit!r} is no unit")
    if odd := set(changed.get("roles") or ()) - set(here.units[unit].roles):
        raise NotEntered(f"{unit} has no role {', '.join(sorted(odd))}")
    if changed.get("language", "zh") not in LANGUAGES:
        raise NotEntered(f"language: must be one of {', '.join(LANGUAGES)}")
    said = {k: msgspec.json.encode(v).decode() if k in {"roles", "contacts"} else v for k, v in changed.items()}
    db.execute(duty_persons.insert().values(person=person, **said, at=at, by=by, reason=reason))
    shown = {k: v for k, v in changed.items() if k != "contacts"}  # addresses are nobody's business but the channels'
    contacts = sorted(changed.get("contacts") or ())
    record(db, at, "duty_person", by=by, warning=None, person=person, reason=reason, changed=shown, contacts=contacts)


def version(db: Connection) -> tuple[int, int, int]:
    """Another one whenever something has been entered that changes who is on duty."""
    counted = select(func.coalesce(func.max(duty_overrides.c.id), 0))
    cancelled = select(func.count()).select_from(duty_cancellations)
    persons = select(func.coalesce(func.max(duty_persons.c.id), 0))
    one, two, three = (db.execute(q).scalar_one() for q in (counted, cancelled, persons))
    return one, two, three


def _signed(by: str, reason: str) -> None:
    """Who and why must be said."""
    if not by.strip() or not reason.strip():
        raise NotEntered("say who enters it (by) and why (reason)")
    if len(by) > 200 or len(reason) > LONGEST_TEXT:
        raise NotEntered("too long: by 200 characters, reason 10000")
