"""What has changed at the desk, for those who keep a copy: levels of cases, and warnings as they stand.

Both are given in the order of the desk's clock at which they were written. Several desks on one database, and several
transactions, may write a moment earlier than what has been read: whoever goes on from the last instant it was given begins a
little before it, and is given some things twice.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from sqlalchemy import Index, select

from alerts.alertmanager import link
from alerts.tables import Database, steps, warnings
from alerts.web import OurDesk, json_answer

router: Final = APIRouter()
After = Annotated[int, Query(ge=0, le=2**63 - 1, description="ns, desk clock")]
Limit = Annotated[int, Query(ge=1, le=100_000)]
CASE: Final = ("id", "city", "district", "domain", "asset", "hazard")
WARNING: Final = (*CASE, "level", "state", "zh", "en", "lat", "lon", "raised", "acknowledged_at", "updated")

Index("steps_at", steps.c.at)
Index("warnings_updated", warnings.c.updated)


@router.get("/api/v1/following/levels")
def levels(desk: OurDesk, after: After = 0, limit: Limit = 5000) -> Response:
    """Changes of level of cases written after an instant, oldest first."""
    return json_answer(stepped(desk.database, after, limit))


@router.get("/api/v1/following/warnings")
def changed(desk: OurDesk, after: After = 0, limit: Limit = 5000) -> Response:
    """Warnings that changed after an instant, as they are now, the one that changed first before the others."""
    base = desk.settings.public_url
    return json_answer([{**w, "url": link(base, w["id"])} for w in stood(desk.database, after, limit)])


def stepped(database: Database, after: int, limit: int) -> list[dict[str, Any]]:
    """after [ns] desk clock"""
    case = [warnings.c[name] for name in CASE]
    query = select(*case, steps.c.level, steps.c.version, steps.c.t, steps.c.at)
    query = query.join(warnings, warnings.c.id == steps.c.warning).where(steps.c.at > after)
    with database.read() as db:
        rows = db.execute(query.order_by(steps.c.at, steps.c.warning, steps.c.version).limit(limit)).mappings().all()
    return [dict(r) for r in rows]


def stood(database: Database, after: int, limit: int) -> list[dict[str, Any]]:
    """after [ns] desk clock"""
    query = select(*(warnings.c[name] for name in WARNING)).where(warnings.c.updated > after)
    with database.read() as db:
        rows = db.execute(query.order_by(warnings.c.updated, warnings.c.id).limit(limit)).mappings().all()
    return [dict(r) for r in rows]
