"""People and rosters over HTTP, under /api/v1/rosters and /api/v1/people. Instants are RFC 3339 text with an offset."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import Connection

from alerts.desk import Desk
from alerts.duty import board, enter, gaps
from alerts.duty.enter import Entered, NotEntered
from alerts.duty.ical import BadCalendar, read, write
from alerts.duty.ledger import EVERYBODY
from alerts.duty.load import Duty
from alerts.users.guard import Asker, named
from alerts.web import OurDesk, Problem, decoded, json_answer, whole
from lifeline.clock import parse
from lifeline.model import NS

DAY: Final = 86_400 * NS
PAST: Final = 31 * DAY  # [ns] that a calendar shows
AHEAD: Final = 92 * DAY  # [ns] that a calendar shows
CALENDAR: Final = "text/calendar; charset=utf-8"
router: Final = APIRouter()
T = TypeVar("T")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=enter.LONGEST_TEXT)]
Days = Annotated[int, Query(ge=1, le=400)]
Number = Annotated[int, Path(ge=0, le=2**63 - 1)]  # that a database may hold


By = Annotated[str, msgspec.Meta(max_length=200)]  # who, where the system's own token is used


class Exchange(msgspec.Struct, forbid_unknown_fields=True):
    """An override as it is asked for."""

    person: Annotated[str, msgspec.Meta(max_length=200)]  # who comes; "": nobody
    start: str
    until: str
    reason: Said
    by: By = ""
    instead: Annotated[str, msgspec.Meta(max_length=200)] = EVERYBODY  # whom they replace; "": nobody


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """What is left for whoever is next."""

    text: Said
    by: By = ""


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """What has changed of a person; what is left out stays."""

    reason: Said
    by: By = ""
    zh: Name | msgspec.UnsetType = msgspec.UNSET
    en: Name | msgspec.UnsetType = msgspec.UNSET
    unit: Name | msgspec.UnsetType = msgspec.UNSET
    roles: list[str] | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    contacts: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


async def the_duty(desk: OurDesk) -> Duty:
    if desk.guard is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no file of people and rosters is configured: [desk] people")
    return desk.guard.duty


OurDuty = Annotated[Duty, Depends(the_duty)]


@router.get("/api/v1/people")
def people(desk: OurDesk, duty: OurDuty) -> Response:
    """Units and persons; of addresses only the channels that have one."""
    with desk.database.read() as db:
        now = duty.rosters.now(db)
    units = [{"id": u.id, "zh": u.zh, "en": u.en, "kind": u.kind, "roles": dict(u.roles)} for u in now.units.values()]
    return json_answer({"units": units, "persons": [board.shown(p, fully=True) for p in now.persons.values()]})


@router.put("/api/v1/people/{person}")
async def edit(request: Request, desk: OurDesk, duty: OurDuty, asker: Asker, person: str) -> Response:
    """Change what the file says of a person, or add one: {"by": "…", "reason": "…", "contacts": {…}, "active": false, …}."""
    said = msgspec.structs.asdict(decoded(await whole(request), Edit))
    by, reason = named(asker, said.pop("by")), said.pop("reason")
    changed = {k: v for k, v in said.items() if v is not msgspec.UNSET}

    def work(db: Connection) -> dict[str, Any]:
        at = desk.clock.now()
        enter.edit(db, duty.people, duty.channels, person, changed, by=by, reason=reason, at=at)
        return board.shown(duty.rosters.now(db).person(person), fully=True)

    return await _written(desk, work)


@router.get("/api/v1/people/{person}.ics")
def personal(desk: OurDesk, duty: OurDuty, person: str) -> Response:
    """All duties of one person as a calendar."""
    at = desk.clock.now()
    with desk.database.read() as db:
        now = duty.rosters.now(db)
        known = _asked(lambda: now.person(person))
        served = board.stints(duty, _since(at), at + AHEAD, db, person=person)
    return Response(write(served, now, at, f"{known.zh} {known.en}"), media_type=CALENDAR)


@router.get("/api/v1/rosters")
def rosters(desk: OurDesk, duty: OurDuty) -> Response:
    """Every role: who is on duty now, until when, and who is next."""
    with desk.database.read() as db:
        return json_answer(board.overview(duty, desk.clock.now(), db))


@router.get("/api/v1/rosters/check")
def check(desk: OurDesk, duty: OurDuty, days: Days = 30) -> Response:
    """What is wrong in the days to come: gaps, persons who cannot be reached, double duty, shifts that are too long."""
    at = desk.clock.now()
    with desk.database.read() as db:
        return json_answer(board.troubles(gaps.troubles(duty.rosters, at, at + days * DAY, db)))


@router.delete("/api/v1/rosters/overrides/{override}")
async def cancelled(desk: OurDesk, asker: Asker, override: Number, reason: str, by: str = "") -> Response:
    """Take an override back: ?by=…&reason=…. It stays in the history. 409 if it was taken back before."""
    by = named(asker, by)

    def work(db: Connection) -> dict[str, Any]:
        enter.cancel(db, override, by, reason, desk.clock.now())
        return {"cancelled": override}

    return await _written(desk, work, HTTPStatus.CONFLICT if by.strip() and reason.strip() else None)


@router.get("/api/v1/rosters/{unit}/{role}.ics")
def calendar(desk: OurDesk, duty: OurDuty, unit: str, role: str) -> Response:
    """Who is on duty in a role, as a calendar."""
    at = desk.clock.now()
    with desk.database.read() as db:
        now = duty.rosters.now(db)
        served = _asked(lambda: gaps.stints(duty.rosters, unit, role, _since(at), at + AHEAD, db))
    known = now.role(unit, role)
    return Response(write(served, now, at, f"{known.zh} {known.en}"), media_type=CALENDAR)


@router.get("/api/v1/rosters/{unit}/{role}")
def one(desk: OurDesk, duty: OurDuty, unit: str, role: str, days: Days = 14) -> Response:
    """One role: who is on duty now and next, the shifts of the days to come, its gaps, the notes left at hand-overs."""
    at = desk.clock.now()
    with desk.database.read() as db:
        now = _asked(lambda: board.one(duty, unit, role, at, db))
        return json_answer(now | board.plan(duty, unit, role, at, at + days * DAY, db))


@router.get("/api/v1/rosters/{unit}/{role}/overrides")
def overrides(desk: OurDesk, duty: OurDuty, unit: str, role: str) -> Response:
    """What has been entered for a role, the youngest first, with what was taken back."""
    _asked(lambda: duty.people.role(unit, role))
    with desk.database.read() as db:
        return json_answer(enter.history(db, unit, role))


@router.post("/api/v1/rosters/{unit}/{role}/overrides")
async def override(request: Request, desk: OurDesk, duty: OurDuty, asker: Asker, unit: str, role: str) -> Response:
    """Somebody takes over: {"person": "…", "start": "…", "until": "…", "by": "…", "reason": "…", "instead": "…"}."""
    said = decoded(await whole(request), Exchange)
    asked = Entered(
        unit=unit, role=role, person=said.person, instead=said.instead, by=named(asker, said.by), reason=said.reason,
        start=_instant(said.start, "start"), until=_instant(said.until, "until"),
    )  # fmt: skip
    return await _written(desk, lambda db: enter.override(db, duty.rosters, asked, desk.clock.now()))


@router.post("/api/v1/rosters/{unit}/{role}/import")
async def imported(
    request: Request,
    desk: OurDesk,
    duty: OurDuty,
    asker: Asker,
    unit: str,
    role: str,
    reason: str,
    name: str,
    by: str = "",
    days: Days = 92,
) -> Response:
    """A calendar (RFC 5545) as overrides of the days to come: ?by=…&reason=…&name=…. The same name again replaces it."""
    content, at = await whole(request), desk.clock.now()
    asked = Entered(
        unit=unit, role=role, person="", start=at, until=at + days * DAY, by=named(asker, by), reason=reason, origin=name
    )

    def work(db: Connection) -> dict[str, Any]:
        feed = read(content, duty.zone, duty.rosters.now(db))
        new, gone = enter.import_feed(db, duty.people, feed, asked, at)
        return {"new": new, "cancelled": gone}

    return await _written(desk, work)


@router.get("/api/v1/rosters/{unit}/{role}/handover")
def handed(desk: OurDesk, duty: OurDuty, unit: str, role: str) -> Response:
    """Notes left at hand-overs, the youngest first."""
    _asked(lambda: duty.people.role(unit, role))
    with desk.database.read() as db:
        return json_answer(enter.notes(db, unit, role))


@router.post("/api/v1/rosters/{unit}/{role}/handover")
async def hand_over(request: Request, desk: OurDesk, duty: OurDuty, asker: Asker, unit: str, role: str) -> Response:
    """Leave a note for whoever is next on duty: {"by": "…", "text": "…"}."""
    note, at = decoded(await whole(request), Note), desk.clock.now()
    by = named(asker, note.by)
    return await _written(desk, lambda db: enter.hand_over(db, duty.people, unit, role, by, note.text, at))


async def _written(desk: Desk, work: Callable[[Connection], Any], refused: HTTPStatus | None = None) -> Response:
    """The answer of one transaction; then the rosters are looked at anew. refused: of what cannot be meant; None: 422"""

    def whole() -> Any:
        with desk.database.write() as db:
            return work(db)

    try:
        answer = await asyncio.to_thread(whole)
    except (NotEntered, BadCalendar) as why:
        more = {"problems": why.problems} if isinstance(why, BadCalendar) else {}
        raise Problem(refused or HTTPStatus.UNPROCESSABLE_ENTITY, str(why), **more) from why
    except LookupError as why:
        raise Problem(HTTPStatus.NOT_FOUND, str(why)) from why
    await desk.look()
    return json_answer(answer)


def _asked(find: Callable[[], T]) -> T:
    try:
        return find()
    except LookupError as why:
        raise Problem(HTTPStatus.NOT_FOUND, str(why)) from why


def _since(at: int) -> int:
    """The beginning of a calendar: of a day, so that what it cuts off keeps its name for the day. [ns]"""
    return (at - PAST) // DAY * DAY


def _instant(text: str, name: str) -> int:
    try:
        return parse(text)
    except (ValueError, OverflowError) as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: {why}") from why
