"""Which warnings belong together, in the database: each warning is a member of one incident, led by its oldest member."""

from collections.abc import Sequence
from math import cos, pi, radians
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from alerts import rows
from alerts.case import Case
from alerts.joins import EARTH, Join, Rule, Spot, concerning, furthest, joins
from alerts.lifecycle import LIVE
from alerts.notice import EXERCISE
from alerts.tables import insert_new, members, warnings
from lifeline.model import Kind

LOOKED: Final = 50  # [1] of the nearest warnings
DEGREE: Final = EARTH * pi / 180.0  # [m] of latitude

_SPOT: Final = [warnings.c[name] for name in Spot._fields]
_NEAR: Final = (
    select(*_SPOT, members.c.incident)
    .join(members, members.c.warning == warnings.c.id)
    .where(warnings.c.state.in_(sorted(LIVE)), warnings.c.kind == Kind.HAZARD, ~warnings.c.hazard.startswith(EXERCISE))
    .where(warnings.c.lat.between(bindparam("south"), bindparam("north")), warnings.c.id != bindparam("me"))
    .where(warnings.c.lon.between(bindparam("west"), bindparam("east")))
    .order_by(
        (warnings.c.lat - bindparam("lat")) * (warnings.c.lat - bindparam("lat"))
        + (warnings.c.lon - bindparam("lon")) * (warnings.c.lon - bindparam("lon")) * bindparam("narrow"),
        warnings.c.id,
    )
    .limit(LOOKED)
)
_INCIDENT: Final = select(members.c.incident).where(members.c.warning == bindparam("of"))
_MERGE: Final = update(members).where(members.c.incident == bindparam("old")).values(incident=bindparam("new"))


def place(db: Connection, case: Case, rules: Sequence[Rule], at: int) -> Join | None:
    """Put a new hazard into the incident it belongs to, or into one of its own, once -> why. at [ns] desk clock"""
    if case.version > 1 and db.execute(_INCIDENT, {"of": case.id}).first():
        return None
    me = Spot(*(getattr(case, name) for name in Spot._fields))
    rules = concerning(rules, me)
    near = db.execute(_NEAR, {"me": me.id, "lat": me.lat, "lon": me.lon, **_box(me, furthest(rules))}).all()
    found: dict[str, Join] = {}  # incident -> the nearest of its members that the new one belongs to
    for r in near:
        if r.incident not in found and (join := joins(rules, me, [Spot(*r[:-1])])):
            found[r.incident] = join[0]
    known = list(found)
    incident = known[0] if known else case.id
    for other in known[1:]:  # the new one ties together what stood apart
        db.execute(_MERGE, {"old": other, "new": incident})
        rows.record(db, at, "merged", by="desk", warning=other, into=incident, because=case.id)
    best = found[incident] if found else None
    why = {"joined": best.to, "distance": best.distance, "zh": best.zh, "en": best.en} if best else {}
    insert_new(db, members, warning=case.id, incident=incident, at=at, **why)
    if best:
        rows.record(db, at, "joined", by="desk", warning=case.id, incident=incident, **why)
    return best


def _box(me: Spot, reach: float) -> dict[str, float]:
    """The degrees around a place that hold all within reach [m], and the square of how much shorter longitude is."""
    north, narrow = reach / DEGREE, max(cos(radians(me.lat)), 0.01)
    east = north / narrow
    edges = {"south": me.lat - north, "north": me.lat + north, "west": me.lon - east, "east": me.lon + east}
    return {**edges, "narrow": narrow**2}


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
