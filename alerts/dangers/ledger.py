"""The ledger in the desk's database. Every act is one transaction: its row, what it comes to, and the audit trail."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from alerts import rows
from alerts.dangers.danger import (
    NOBODY,
    Danger,
    Deed,
    Facts,
    allowed,
    check,
    from_row,
    late,
    moved,
    opened,
    retold,
    said,
    to_row,
    told,
)
from alerts.dangers.life import DUE, LAPSE, NEEDS, REGISTER, RUNNING, STRUCK, Act, State
from alerts.dangers.pictures import there
from alerts.dangers.tables import danger_acts, dangers, reports
from alerts.lifecycle import Refused
from alerts.roles import Role, must
from alerts.tables import Database, put, steps, warnings
from lifeline.model import NS, Level

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is read as something else
UNSEEN: Final = 86_400 * NS  # [ns] after which a danger that nobody has assessed is listed
BATCH: Final = 200  # [1] deadlines written down in one transaction
FILTERS: Final = ("state", "grade", "colour", "source", "district", "domain", "unit", "asset", "warning")

_ONE: Final = select(dangers).where(dangers.c.id == bindparam("id"))
_LOCKED: Final = _ONE.with_for_update()
_ACTS: Final = select(danger_acts).where(danger_acts.c.danger == bindparam("id")).order_by(danger_acts.c.version)
_WARNING: Final = select(warnings).where(warnings.c.id == bindparam("id")).with_for_update()
_CHANGES: Final = select(steps.c.change).where(steps.c.warning == bindparam("id")).order_by(steps.c.version)
_TAKEN: Final = select(dangers.c.id).where(dangers.c.warning == bindparam("id"), dangers.c.state != STRUCK.value)
_RUNS: Final = and_(
    dangers.c.state.in_([s.value for s in sorted(RUNNING)]),
    dangers.c.deadline < bindparam("now"),
    or_(dangers.c.state != State.SUPERVISED.value, dangers.c.lapsed.is_(None), dangers.c.lapsed != dangers.c.deadline),
)
_LATE: Final = select(dangers.c.id).where(_RUNS).order_by(dangers.c.deadline).limit(BATCH)


class UnknownDanger(LookupError):
    """No danger has this id."""


class Changed(Exception):
    """The danger is not as it was when somebody looked at it."""


class Page(NamedTuple):
    """Some of those that fit, and how many there are."""

    total: int
    dangers: list[Danger]


def code(n: int) -> str:
    """Random letters and figures, 5 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(n))


def register(database: Database, deed: Deed, role: Role) -> Danger:
    """A new danger from a patrol."""
    must(role, NEEDS[REGISTER], "registering a danger")
    check(deed)
    with database.write() as db:
        return enter(db, deed)


def enter(db: Connection, deed: Deed, warning: str | None = None, receipt: str | None = None) -> Danger:
    """A new danger, within a transaction."""
    there(db, deed.facts.photos)
    danger = opened(f"HD-{code(10)}", deed, warning, receipt)
    _write(db, danger, deed)
    return danger


def from_warning(database: Database, warning: str, deed: Deed, role: Role) -> Danger:
    """A warning as a danger: place, evidence and colour are taken over. Refused where it stands in the ledger already."""
    must(role, NEEDS[REGISTER], "registering a danger")
    with database.write() as db:
        case = db.execute(_WARNING, {"id": warning}).mappings().one_or_none()
        if case is None:
            raise UnknownDanger(f"no warning has the id {warning}")
        if there_is := db.execute(_TAKEN, {"id": warning}).scalar():
            raise Refused(f"the warning {warning} stands in the ledger as {there_is}")
        changes = db.execute(_CHANGES, {"id": warning}).scalars().all()
        facts = {**_taken_over(dict(case), list(changes)), **said(deed.facts)}
        whole = deed._replace(facts=Facts(**facts))
        check(whole)
        return enter(db, whole, warning)


def _taken_over(case: Mapping[str, Any], changes: list[str]) -> dict[str, Any]:
    colour = {} if case["peak"] == Level.NORMAL.name else {"colour": case["peak"]}
    return {
        "source": "warning", "found": case["onset"], "finder": NOBODY, "place": f"{case['district']} {case['asset']}",
        "asset": case["asset"], "district": case["district"], "domain": case["domain"], "hazard": case["hazard"],
        "lat": case["lat"], "lon": case["lon"], "description": f"{case['zh']}\n{case['en']}",
        "evidence": tuple(changes[:50]), **colour,
    }  # fmt: skip


def do(database: Database, danger: str, deed: Deed, role: Role, person: str = "", seen: Collection[str] = ()) -> Danger:
    """An act of somebody. UnknownDanger, Refused, Forbidden or Incomplete where it cannot be.

    seen: versions of which the danger must have one, else Changed; none: it may have any
    """
    with database.write() as db:
        before = _locked(db, danger)
        if seen and str(before.version) not in seen:
            raise Changed(f"the danger {danger} is {before.state} now; look at it again")
        allowed(before, deed, role, person)
        there(db, (*deed.facts.photos, *deed.facts.before, *deed.facts.after))
        after = moved(before, deed)
        _write(db, after, deed)
        return after


def lapse(database: Database, at: int) -> bool:
    """Write down what has become overdue; False, for nobody is sent a notice. at [ns] desk clock"""
    with database.read() as db:
        overdue = db.execute(_LATE, {"now": at}).scalars().all()
    if overdue:
        with database.write() as db:
            for danger in (_locked(db, name) for name in overdue):
                if late(danger, at):
                    deed = Deed(LAPSE, at, NOBODY)
                    _write(db, moved(danger, deed), deed)
    return False


def _locked(db: Connection, danger: str) -> Danger:
    row = db.execute(_LOCKED, {"id": danger}).mappings().one_or_none()
    if row is None:
        raise UnknownDanger(f"no danger has the id {danger}")
    return from_row(dict(row))


def _write(db: Connection, danger: Danger, deed: Deed) -> None:
    put(db, dangers, **to_row(danger))
    db.execute(
        danger_acts.insert().values(
            danger=danger.id, version=danger.version, act=deed.act.value, state=danger.state.value, at=deed.at, by=deed.by,
            note=deed.note, facts=msgspec.json.encode(deed.facts).decode(),
        )
    )  # fmt: skip
    more = {"note": deed.note} if deed.note else {}
    facts = msgspec.to_builtins(deed.facts)
    rows.record(
        db, deed.at, f"danger_{deed.act}", by=deed.by, warning=danger.warning, danger=danger.id, state=danger.state.value,
        facts=facts, **more,
    )  # fmt: skip


def one(database: Database, danger: str, at: int) -> dict[str, Any]:
    """A danger with its log; UnknownDanger where there is none. at [ns] desk clock"""
    with database.read() as db:
        row = db.execute(_ONE, {"id": danger}).mappings().one_or_none()
        if row is None:
            raise UnknownDanger(f"no danger has the id {danger}")
        log = [dict(r) for r in db.execute(_ACTS, {"id": danger}).mappings()]
        contact = db.execute(select(reports.c.contact).where(reports.c.danger == danger)).scalar()
    acts = [{**r, "facts": msgspec.json.decode(r["facts"])} for r in log]
    return {**told(from_row(dict(row)), at), "log": acts, "contact": contact or ""}


def again(database: Database, danger: str) -> Danger:
    """What the acts alone come to."""
    with database.read() as db:
        row = db.execute(_ONE, {"id": danger}).mappings().one()
        log = db.execute(_ACTS, {"id": danger}).mappings().all()
    deeds = [Deed(Act(r["act"]), r["at"], r["by"], r["note"], msgspec.json.decode(r["facts"], type=Facts)) for r in log]
    return retold(danger, deeds, row["warning"], row["receipt"])


def listed(
    database: Database,
    where: Mapping[str, str],
    at: int,
    *,
    limit: int | None,
    offset: int = 0,
    late: bool = False,
    after: tuple[int, str] | None = None,
) -> Page:
    """Those that fit, the youngest first. where: fields and what they must be; late: past their deadline. at [ns]

    after: when the last of the page before was registered [ns], and its id
    """
    query = _where(select(dangers), where, at, late=late)
    with database.read() as db:
        total: int = db.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        if after is not None:
            earlier = and_(dangers.c.made == after[0], dangers.c.id > after[1])
            query = query.where(or_(dangers.c.made < after[0], earlier))
        page = query.order_by(dangers.c.made.desc(), dangers.c.id).limit(limit).offset(offset)
        return Page(total, [from_row(dict(r)) for r in db.execute(page).mappings()])


def _where(query: Select[Any], where: Mapping[str, str], at: int, *, late: bool) -> Select[Any]:
    for name, value in where.items():
        query = query.where(dangers.c.state != STRUCK.value if name == "open" else dangers.c[name] == value)
    return query.where(dangers.c.state.in_(sorted(DUE)), dangers.c.deadline < at) if late else query


def overdue(database: Database, at: int) -> dict[str, Any]:
    """Counts of what is late, and its list, the longest first; and what nobody has assessed. at [ns] desk clock"""
    waits = select(dangers).where(dangers.c.state == State.REGISTERED.value, dangers.c.updated < at - UNSEEN)
    with database.read() as db:
        past = _where(select(dangers), {}, at, late=True).order_by(dangers.c.deadline)
        found = [from_row(dict(r)) for r in db.execute(past).mappings()]
        unseen = [from_row(dict(r)) for r in db.execute(waits.order_by(dangers.c.updated)).mappings()]
    units: dict[str, int] = {}
    for danger in found:
        units[danger.unit] = units.get(danger.unit, 0) + 1
    return {
        "count": len(found), "by_unit": units, "dangers": [told(d, at) for d in found],
        "unassessed": len(unseen), "unassessed_dangers": [told(d, at) for d in unseen],
    }  # fmt: skip


def counts(database: Database) -> dict[tuple[str, str], int]:
    """(state, source) -> dangers. [1]"""
    query = select(dangers.c.state, dangers.c.source, func.count()).group_by(dangers.c.state, dangers.c.source)
    with database.read() as db:
        return {(state, source): n for state, source, n in db.execute(query)}


def unseen(database: Database, at: int) -> float:
    """Age of the oldest danger that nobody has assessed; 0 where there is none. at [ns]; [s]"""
    with database.read() as db:
        oldest = db.execute(select(func.min(dangers.c.updated)).where(dangers.c.state == State.REGISTERED.value)).scalar()
    return 0.0 if oldest is None else (at - oldest) / NS


def reported(db: Connection, receipt: str, once: str, contact: str, deed: Deed) -> Danger:
    """A citizen's report, within a transaction; it stands in the ledger at once. IntegrityError where it is there already."""
    danger = enter(db, deed, receipt=receipt)
    row = {"receipt": receipt, "once": once, "at": deed.at, "danger": danger.id, "contact": contact}
    db.execute(reports.insert().values(**row))  # the same form at another desk: all of this is taken back
    return danger
