"""Lists that grow, over HTTP, in pages: warnings, incidents, the audit trail."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import ColumnElement, Select, and_, exists, select

from alerts.case import from_row, to_row
from alerts.lifecycle import LIVE, State
from alerts.paging import After, cursor, link, place, split, youngest_first
from alerts.roles import Role
from alerts.stream import OF_USERS
from alerts.tables import audit, members, warnings
from alerts.users.guard import Asker
from alerts.web import Grade, OurDesk, json_answer
from lifeline.model import Domain, Kind, Level

router: Final = APIRouter()
MOST: Final = 100_000  # [1] rows of a page
END: Final = 2**63 - 1
Instant = Annotated[int | None, Query(ge=0, le=END)]
Words = Annotated[list[str] | None, Query()]
Limit = Annotated[int, Query(ge=1, le=MOST)]
_MEMBER: Final = (
    "id", "asset", "hazard", "kind", "domain", "district", "level", "peak", "state", "onset", "zh", "en",
)  # fmt: skip


async def filters(
    live: bool = False,  # noqa: FBT001, FBT002  query parameters
    state: Annotated[list[State] | None, Query()] = None,
    level: Grade | None = None,
    peak: Grade | None = None,
    kind: Kind | None = None,
    domain: Annotated[list[Domain] | None, Query()] = None,
    district: Words = None,
    asset: Words = None,
    hazard: Words = None,
    since: Instant = None,
    until: Instant = None,
) -> list[ColumnElement[bool]]:
    """What warnings must be. live: somebody still has to answer; level, peak: from this one on; since, until: of onset [ns]."""
    w, found = warnings.c, list[ColumnElement[bool]]()
    if live:
        found.append(w.state.in_(sorted(LIVE)))
    many: list[tuple[ColumnElement[str], Any]] = [
        (w.state, state), (w.domain, domain), (w.district, district), (w.asset, asset), (w.hazard, hazard),
        (w.kind, kind and [kind]), (w.level, level and _from(level)), (w.peak, peak and _from(peak)),
    ]  # fmt: skip
    found += [column.in_(sorted(values)) for column, values in many if values]
    found += [w.onset >= since] if since is not None else []
    return found + ([w.onset < until] if until is not None else [])


def _from(level: Grade) -> list[str]:
    return [each.name for each in Level if each >= Level[level]]


Filters = Annotated[list[ColumnElement[bool]], Depends(filters)]


@router.get("/api/v1/warnings")
def listed(request: Request, desk: OurDesk, where: Filters, limit: Limit = 1000, after: After = "") -> Response:
    """Warnings, the youngest first, in pages."""
    begin = place(after, int, str)
    query = youngest_first(select(warnings).where(*where), warnings.c.onset, warnings.c.id, begin).limit(limit + 1)
    with desk.database.read() as db:
        page, more = split(db.execute(query).mappings().all(), limit)
    cases = [from_row(dict(r)) for r in page]
    then = cursor(cases[-1].onset, cases[-1].id) if more else None
    return json_answer([to_row(c) for c in cases], headers=link(request, then))


@router.get("/api/v1/incidents")
def incidents(request: Request, desk: OurDesk, where: Filters, limit: Limit = 100, after: After = "") -> Response:
    """Incidents with all their members, the youngest lead first. They are chosen by any of their members."""
    begin = place(after, int, str)
    of = members.alias()
    fits = exists(
        select(of.c.warning).join(warnings, warnings.c.id == of.c.warning).where(of.c.incident == members.c.incident, *where)
    )
    leads = select(warnings.c.id, warnings.c.onset).join(
        members, and_(members.c.warning == warnings.c.id, members.c.incident == warnings.c.id)
    )
    query = youngest_first(leads.where(fits), warnings.c.onset, warnings.c.id, begin).limit(limit + 1)
    with desk.database.read() as db:
        page, more = split(db.execute(query).all(), limit)
        grouped = _members(db.execute(_belonging([r.id for r in page])).mappings().all())
    then = cursor(page[-1].onset, page[-1].id) if more else None
    return json_answer([_incident(r.id, grouped[r.id]) for r in page], headers=link(request, then))


def _belonging(leads: list[str]) -> Select[Any]:
    shown = [members.c.incident, *(warnings.c[name] for name in _MEMBER)]
    query = select(*shown).join(members, members.c.warning == warnings.c.id).where(members.c.incident.in_(leads))
    return query.order_by(warnings.c.onset, warnings.c.id)


def _members(rows: Any) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        one = dict(row)
        grouped.setdefault(one.pop("incident"), []).append(one)
    return grouped


def _incident(lead: str, belonging: list[dict[str, Any]]) -> dict[str, Any]:
    worst = {name: max((m[name] for m in belonging), key=lambda text: Level[text]) for name in ("level", "peak")}
    return {"lead": lead, **worst, "live": any(m["state"] in LIVE for m in belonging), "members": belonging}


@router.get("/api/v1/audit")
def trail(
    request: Request,
    desk: OurDesk,
    asker: Asker,
    warning: str | None = None,
    act: Words = None,
    by: str | None = None,
    since: Instant = None,
    until: Instant = None,
    limit: Limit = 1000,
    after: After = "",
) -> Response:
    """The audit trail, the youngest row first, in pages. What was done to users is shown to admins."""
    a, where = audit.c, list[ColumnElement[bool]]()
    where += [a.warning == warning] if warning is not None else []
    where += [a.act.in_(sorted(act))] if act else []
    where += [a.by == by] if by is not None else []
    where += [a.at >= since] if since is not None else []
    where += [a.at < until] if until is not None else []
    if asker.role < Role.ADMIN:
        where += [~a.act.startswith(prefix, autoescape=True) for prefix in OF_USERS]
    if (begin := place(after, int)) is not None:
        where.append(a.id < begin[0])
    with desk.database.read() as db:
        query = select(audit).where(*where).order_by(a.id.desc()).limit(limit + 1)
        page, more = split(db.execute(query).mappings().all(), limit)
    rows = [{**r, "detail": msgspec.Raw(r["detail"].encode())} for r in page]
    return json_answer(rows, headers=link(request, cursor(page[-1]["id"]) if more else None))
