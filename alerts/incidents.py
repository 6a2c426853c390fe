"""Which warnings belong together, in the database: each warning is a member of one incident, led by its oldest member."""

from collections.abc import Sequence
from math import pi
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from alerts import rows
from alerts.case import Case
from alerts.joins import EARTH, Join, Rule, Spot, furthest, joins
from alerts.lifecycle import LIVE
from alerts.tables import insert_new, members, warnings
from lifeline.model import Kind

DEGREE: Final = EARTH * pi / 180.0  # [m] of latitude

_NEAR: Final = (
    select(
        warnings.c.id, warnings.c.asset, warnings.c.domain, warnings.c.hazard, warnings.c.lat, warnings.c.lon, warnings.c.onset
    )
    .where(warnings.c.state.in_(sorted(LIVE)), warnings.c.kind == Kind.HAZARD, warnings.c.id != bindparam("me"))
    .where(warnings.c.lat >= bindparam("south"), warnings.c.lat <= bindparam("north"))
)
_INCIDENT: Final = select(members.c.incident).where(members.c.warning == bindparam("of"))
_MERGE: Final = update(members).where(members.c.incident == bindparam("old")).values(incident=bindparam("new"))


def place(db: Connection, case: Case, rules: Sequence[Rule], at: int) -> Join | None:
    """Put a new hazard into the incident it belongs to, or into one of its own, once -> why. at [ns] desk clock"""
    if db.execute(_INCIDENT, {"of": case.id}).first():
        return None
    me = Spot(case.id, case.asset, case.domain, case.hazard, case.lat, case.lon, case.onset)
    slack = furthest(rules) / DEGREE
    near = db.execute(_NEAR, {"me": case.id, "south": case.lat - slack, "north": case.lat + slack})
    found = joins(rules, me, [Spot(*r) for r in near])
    known = [i for f in found for i in db.execute(_INCIDENT, {"of": f.to}).scalars()]
    incident = known[0] if known else case.id
    for other in dict.fromkeys(known):  # the new one ties together what stood apart
        if other != incident:
            db.execute(_MERGE, {"old": other, "new": incident})
            rows.record(db, at, "merged", by="desk", warning=other, into=incident, because=case.id)
    best = found[0] if found else None
    why = {"joined": best.to, "distance": best.distance, "zh": best.zh, "en": best.en} if best else {}
    insert_new(db, members, warning=case.id, incident=incident, at=at, **why)
    if best:
        rows.record(db, at, "joined", by="desk", warning=case.id, incident=incident, **why)
    return best


def of(db: Connection, warning: str) -> dict[str, Any] | None:
    """The incident of a warning: who leads, and all members with the reason of their joining."""
    incident = db.execute(_INCIDENT, {"of": warning}).scalar_one_or_none()
    if incident is None:
        return None
    shown = [warnings.c[name] for name in ("asset", "hazard", "domain", "level", "state", "onset", "zh", "en")]
    reason = [
        members.c.warning,
        members.c.joined,
        members.c.distance,
        members.c.zh.label("why_zh"),
        members.c.en.label("why_en"),
    ]
    query = select(*reason, *shown).join(warnings, warnings.c.id == members.c.warning).where(members.c.incident == incident)
    return {
        "lead": incident,
        "members": [dict(r) for r in db.execute(query.order_by(warnings.c.onset, warnings.c.id)).mappings()],
    }
