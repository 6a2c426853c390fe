"""All that the console shows of one case, read in one go."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select

from alerts import queries, rows
from alerts.alike import Alike, alike
from alerts.case import Case
from alerts.desk import Desk
from alerts.lifecycle import ASKING, BEEN_RED
from alerts.notice import Grounds
from alerts.planned import WAITING
from alerts.plans.plan import Plan, plan
from alerts.plans.stores import nearest
from alerts.responsible import Tier
from alerts.route import Receiver
from alerts.tables import chains
from lifeline.model import Change, Level


class Call(NamedTuple):
    """What happens if nobody answers."""

    due: int  # [ns] desk clock
    tier: Tier
    told: list[Receiver]


class Dossier(NamedTuple):
    """One case."""

    case: Case
    grounds: list[Grounds]
    plan: Plan
    near: list[dict[str, Any]]
    alike: list[Alike]
    call: Call | None
    stages: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    trail: list[dict[str, Any]]  # audit, the youngest first
    incident: dict[str, Any] | None


def read(desk: Desk, warning: str) -> Dossier | None:
    """None where there is no such case. Blocks."""
    at = desk.clock.now()
    known = queries.history(desk.database, warning, at)
    if known is None:
        return None
    with desk.database.read() as db:
        case = rows.find(db, warning)
        assert case is not None
        grounds = rows.grounds(rows.voices(db, case.asset, case.hazard)) or _last(known["steps"])
        past = alike(db, case)
        call = _call(desk, db, case, at)
    trail = [{**r, "detail": msgspec.json.decode(r["detail"])} for r in reversed(known["audit"])]
    near = nearest(desk.stores, case.lat, case.lon)
    return Dossier(
        case, grounds, plan(case.hazard), near, past, call, known["stages"], known["notices"], trail, known["incident"]
    )


def _last(steps: list[dict[str, Any]]) -> list[Grounds]:
    """The change that made the gravest level: what stands of a case whose series are quiet again."""
    if not steps:
        return []
    gravest = max(steps, key=lambda s: (Level[s["level"]], s["version"]))
    return [rows.ground(msgspec.json.decode(gravest["body"], type=Change))]


def _call(desk: Desk, db: Any, case: Case, at: int) -> Call | None:
    """The next step of the chase, as alerts.chain would take it."""
    waits = select(chains.c.due, chains.c.step).where(chains.c.warning == case.id, chains.c.fate == WAITING)
    row = db.execute(waits.order_by(chains.c.due).limit(1)).one_or_none()
    if row is None or case.state not in ASKING:
        return None
    level = Level.RED if case.state in BEEN_RED else case.level
    tier = Tier(min(level + min(row.step, desk.book.deadlines.of(level, case.kind).climb), Tier.BEYOND))
    return Call(row.due, tier, desk.book.calling.receivers(case, tier, at, db))
