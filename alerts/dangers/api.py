"""The ledger over HTTP, under /api/v1/dangers and /api/v1/pictures. Instants go in as RFC 3339 text or [ns] and out as [ns]."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from alerts.dangers import export, ledger, pictures
from alerts.dangers.danger import Danger, Deed, Facts, Incomplete, told
from alerts.dangers.ledger import Changed, UnknownDanger
from alerts.dangers.life import LAPSE, REGISTER, Act
from alerts.dangers.pictures import NoPicture
from alerts.etags import Seen, quoted
from alerts.lifecycle import Refused
from alerts.paging import After, cursor, link, place, split
from alerts.roles import Forbidden, Role
from alerts.users.guard import Asker, named
from alerts.web import OurDesk, Problem, decoded, json_answer, whole
from lifeline.clock import parse

router: Final = APIRouter()


class Entry(Facts, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An act as it is asked for."""

    by: Annotated[str, msgspec.Meta(max_length=200)] = ""  # where the system's own token is used
    note: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    warning: Annotated[str, msgspec.Meta(max_length=200)] = ""  # that a new danger is taken over from


async def filters(
    state: str | None = None,
    grade: str | None = None,
    colour: str | None = None,
    source: str | None = None,
    district: str | None = None,
    domain: str | None = None,
    unit: str | None = None,
    asset: str | None = None,
    warning: str | None = None,
    open: bool = False,  # noqa: A002, FBT001, FBT002  a query parameter
) -> dict[str, str]:
    """Fields and what they must be."""
    given = (state, grade, colour, source, district, domain, unit, asset, warning)
    found = {name: value for name, value in zip(ledger.FILTERS, given, strict=True) if value is not None}
    return found | ({"open": "yes"} if open else {})


Filters = Annotated[dict[str, str], Depends(filters)]


@router.get("/api/v1/dangers")
def listed(
    request: Request,
    desk: OurDesk,
    where: Filters,
    late: bool = False,  # noqa: FBT001, FBT002  a query parameter
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    after: After = "",
) -> Response:
    """Dangers, the youngest first, in pages, and how many fit."""
    at, begin = desk.clock.now(), place(after, int, str)
    page = ledger.listed(desk.database, where, at, limit=limit + 1, offset=offset, late=late, after=begin)
    found, more = split(page.dangers, limit)
    then = cursor(found[-1].made, found[-1].id) if more else None
    return json_answer({"total": page.total, "dangers": [told(d, at) for d in found]}, headers=link(request, then))


@router.post("/api/v1/dangers")
async def register(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """A new danger: {"warning": id} takes a warning over; else place, description, finder and what is known."""
    entry = await _entry(request)
    deed = _deed(entry, Act.REGISTER, named(asker, entry.by), desk.clock.now())
    if entry.warning:
        made = await _do(ledger.from_warning, desk.database, entry.warning, deed, asker.role)
    else:
        made = await _do(ledger.register, desk.database, deed, asker.role)
    return json_answer(told(made, deed.at), HTTPStatus.CREATED)


@router.get("/api/v1/dangers/overdue")
def overdue(desk: OurDesk) -> Response:
    """What is past its deadline, counted and listed, the longest first; and what nobody has assessed for a day."""
    return json_answer(ledger.overdue(desk.database, desk.clock.now()))


@router.get("/api/v1/dangers/export.xlsx")
def xlsx(desk: OurDesk, where: Filters) -> Response:
    """The ledger for Excel."""
    return _sheet(export.as_xlsx(_all(desk, where), desk.book.zone), export.XLSX, "dangers.xlsx")


@router.get("/api/v1/dangers/export.csv")
def as_csv(desk: OurDesk, where: Filters) -> Response:
    """The ledger as CSV."""
    return _sheet(export.as_csv(_all(desk, where), desk.book.zone), export.CSV, "dangers.csv")


@router.get("/api/v1/dangers/{danger}")
async def one(desk: OurDesk, asker: Asker, danger: str) -> Response:
    """One danger with its log. How to reach the citizen who reported it is told to operators and above."""
    known = await _do(ledger.one, desk.database, danger, desk.clock.now())
    if asker.role < Role.OPERATOR:
        del known["contact"]
    return json_answer(known, headers=quoted(str(known["version"])))


@router.post("/api/v1/dangers/{danger}/{act}")
async def do(request: Request, desk: OurDesk, asker: Asker, danger: str, act: Act, seen: Seen) -> Response:
    """An act. 403 to the wrong role, 409 where the state knows no such act, 422 where it lacks what it must say."""
    if act in {REGISTER, LAPSE}:
        raise Problem(HTTPStatus.CONFLICT, f"{act} is not done to a danger by anybody")
    entry = await _entry(request)
    deed = _deed(entry, act, named(asker, entry.by), desk.clock.now())
    after = await _do(ledger.do, desk.database, danger, deed, asker.role, asker.person, seen)
    return json_answer(told(after, deed.at), headers=quoted(str(after.version)))


@router.post("/api/v1/pictures")
async def picture(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """A JPEG, PNG or WebP as the body; its name goes into photos, before or after of an act."""
    body, at = await whole(request), desk.clock.now()

    def keep() -> str:
        with desk.database.write() as db:
            return pictures.keep(db, body, asker.name, at)

    return json_answer({"id": await _do(keep)}, HTTPStatus.CREATED)


@router.get("/api/v1/pictures/{picture}")
def shown(desk: OurDesk, picture: str) -> Response:
    """One picture, as the type that its bytes say."""
    found = pictures.find(desk.database, picture)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no picture has the name {picture}")
    return Response(found.body, headers=pictures.HEADERS, media_type=found.type)


async def _entry(request: Request) -> Entry:
    raw = decoded(await whole(request), dict[str, Any])
    for name in ("found", "deadline"):
        if isinstance(text := raw.get(name), str):
            try:
                raw[name] = parse(text)
            except (ValueError, OverflowError) as why:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{why} - at `$.{name}`") from why
    try:
        return msgspec.convert(raw, Entry)
    except msgspec.ValidationError as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(why)) from why


def _deed(entry: Entry, act: Act, by: str, at: int) -> Deed:
    return Deed(act, at, by, entry.note, Facts(**{k: getattr(entry, k) for k in Facts.__struct_fields__}))


def _all(desk: OurDesk, where: dict[str, str]) -> list[Danger]:
    return ledger.listed(desk.database, where, desk.clock.now(), limit=None).dangers


def _sheet(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers, media_type=kind)


async def _do(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return await asyncio.to_thread(work, *args)
    except UnknownDanger as why:
        raise Problem(HTTPStatus.NOT_FOUND, str(why)) from why
    except Changed as why:
        raise Problem(HTTPStatus.PRECONDITION_FAILED, str(why)) from why
    except Refused as why:
        raise Problem(HTTPStatus.CONFLICT, str(why)) from why
    except Forbidden as why:
        raise Problem(HTTPStatus.FORBIDDEN, str(why)) from why
    except (Incomplete, NoPicture) as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(why)) from why
