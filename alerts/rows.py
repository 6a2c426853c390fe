"""What the book reads and writes, statement by statement. Each is built once: to build one costs more than to run it."""

from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from alerts.case import Case, from_row, to_row
from alerts.judge import Standing
from alerts.lifecycle import LIVE
from alerts.notice import Grounds, Notice, Pair
from alerts.route import Receiver
from alerts.tables import audit, cases, changes, insert_new, outbox, put, standings, steps, warnings
from lifeline.model import Change, Evidence, Kind, Level, Mode

NAMED: Final = 3  # [1] series named in a notice

_HERE: Final = (cases.c.asset == bindparam("asset"), cases.c.hazard == bindparam("hazard"))
_LATE: Final = update(changes).where(changes.c.id == bindparam("known")).values(fate=bindparam("fate"))
_CASE: Final = select(cases.c.warning).where(*_HERE).with_for_update()
_POINT: Final = (
    update(cases)
    .where(cases.c.asset == bindparam("at_asset"), cases.c.hazard == bindparam("of_hazard"))
    .values(warning=bindparam("warning"))
)
_LAST: Final = (
    select(warnings)
    .where(warnings.c.asset == bindparam("asset"), warnings.c.hazard == bindparam("hazard"))
    .order_by(warnings.c.onset.desc())
    .limit(1)
)
_STANDING: Final = select(standings.c.t, standings.c.asset, standings.c.hazard).where(
    standings.c.key == bindparam("key"), standings.c.rule == bindparam("rule")
)
_STAND: Final = (
    select(standings, changes.c.body)
    .join(changes, changes.c.id == standings.c.change)
    .where(standings.c.asset == bindparam("asset"), standings.c.hazard == bindparam("hazard"))
    .where(standings.c.level != Level.NORMAL.name)
)
_WARNING: Final = select(warnings).where(warnings.c.id == bindparam("id"))
_STEP: Final = steps.insert()
_AUDIT: Final = audit.insert()
_TOLD: Final = select(outbox.c.body).where(outbox.c.warning == bindparam("warning")).order_by(outbox.c.made, outbox.c.id)
_HURRY: Final = (
    update(outbox)
    .where(outbox.c.warning == bindparam("of_warning"), outbox.c.state == "waiting", outbox.c.due > bindparam("now"))
    .values(due=bindparam("now"))
)


class Stood(NamedTuple):
    """What a rule said of a series before."""

    t: int  # [ns] sensor clock
    asset: str
    hazard: str


class _Told(msgspec.Struct):
    """The part of a recorded change that is told on."""

    key: str
    device: str
    quantity: str
    rule: str
    new: str
    score: float | None
    t: int
    evidence: Evidence


class _To(msgspec.Struct):
    """The part of a notice that says who is told."""

    channel: str
    person: str = ""
    address: str = ""
    part: Pair | None = None


class Voice(NamedTuple):
    """What stands in a case, and the change that said so, as JSON."""

    standing: Standing
    body: str


def lock(db: Connection, asset: str, hazard: str) -> str | None:
    """Hold a case against other desks on the same database -> its live warning."""
    insert_new(db, cases, asset=asset, hazard=hazard, warning=None)
    warning: str | None = db.execute(_CASE, {"asset": asset, "hazard": hazard}).scalar_one()
    return warning


def mark(db: Connection, change: str, fate: str) -> None:
    """Write down what became of a change."""
    db.execute(_LATE, {"known": change, "fate": fate})


def stood(db: Connection, change: Change) -> Stood | None:
    """What the change's rule said of its series before."""
    row = db.execute(_STANDING, {"key": change.key, "rule": change.rule}).one_or_none()
    return Stood(*row) if row else None


def stand(db: Connection, change: Change) -> None:
    """From now on the series stands where this change says."""
    c = change
    put(
        db, standings, key=c.key, rule=c.rule, asset=c.asset, hazard=c.hazard, device=c.device, quantity=c.quantity,
        level=c.new, hard=c.hard, kind=c.kind, mode=c.mode, t=c.t, change=c.id,
    )  # fmt: skip


def voices(db: Connection, asset: str, hazard: str) -> list[Voice]:
    """All that stands above NORMAL in a case."""
    return [
        Voice(
            Standing(r.key, r.rule, r.device, r.quantity, Level[r.level], r.hard, Kind(r.kind), Mode(r.mode)),
            r.body,
        )
        for r in db.execute(_STAND, {"asset": asset, "hazard": hazard})
    ]


def last(db: Connection, asset: str, hazard: str) -> Case | None:
    """The youngest warning of a case."""
    row = db.execute(_LAST, {"asset": asset, "hazard": hazard}).mappings().one_or_none()
    return from_row(dict(row)) if row else None


def find(db: Connection, warning: str) -> Case | None:
    """A warning by its id."""
    row = db.execute(_WARNING, {"id": warning}).mappings().one_or_none()
    return from_row(dict(row)) if row else None


def write(db: Connection, case: Case) -> None:
    """The warning, and whether its case still has one to answer."""
    put(db, warnings, **to_row(case))
    live = case.id if case.state in LIVE else None
    db.execute(_POINT, {"at_asset": case.asset, "of_hazard": case.hazard, "warning": live})


def write_step(db: Connection, case: Case, act: str, change: str, at: int) -> None:
    """One change of a warning's level. at [ns] desk clock"""
    moment = {"version": case.version, "level": case.level.name, "act": act, "why": case.why, "t": case.t, "at": at}
    db.execute(_STEP, {"warning": case.id, "change": change, **moment})


def record(db: Connection, at: int, act: str, *, by: str, warning: str | None, **detail: Any) -> None:
    """Append to the audit trail. Nothing there is ever changed. at [ns] desk clock"""
    db.execute(_AUDIT, {"at": at, "act": act, "by": by, "warning": warning, "detail": msgspec.json.encode(detail).decode()})


def told(db: Connection, warning: str) -> list[Receiver]:
    """Who was told of a warning, or is about to be; each once, at the address used last."""
    heard: dict[tuple[str, str], Receiver] = {}
    for body in db.execute(_TOLD, {"warning": warning}).scalars():
        r = msgspec.json.decode(body, type=_To)
        heard[r.channel, r.person] = Receiver(r.channel, r.person, r.address, r.part)
    return list(heard.values())


def hurry(db: Connection, warning: str, at: int) -> None:
    """Notices that wait for another try get it now. at [ns]"""
    db.execute(_HURRY, {"of_warning": warning, "now": at})


def post(db: Connection, notice: Notice, at: int, due: int = 0) -> bool:
    """Put a notice into the outbox; the same notice twice is one; whether it was new. at [ns]; due [ns]: not before"""
    s = notice.story
    return insert_new(
        db, outbox, id=notice.id, warning=s.warning, version=s.version, channel=notice.channel, person=notice.person,
        what=s.what, level=s.level, body=msgspec.json.encode(notice).decode(), t=s.t, made=at, due=max(at, due), attempts=0,
        state="waiting", lease=0,
    )  # fmt: skip


def grounds(stands: list[Voice]) -> list[Grounds]:
    """The gravest active series, at most a few; hazards before tickets."""
    active = [v for v in stands if v.standing.mode is Mode.ACTIVE]
    active.sort(key=lambda v: (v.standing.kind is not Kind.HAZARD, -v.standing.level, v.standing.key, v.standing.rule))
    return [ground(msgspec.json.decode(v.body, type=_Told)) for v in active[:NAMED]]


def ground(c: Change | _Told) -> Grounds:
    """The part of a change that a notice shows."""
    return Grounds(c.key, c.device, c.quantity, c.rule, c.new, c.score, c.t, c.evidence)
