"""The desk's memory: what the sensors said, the warnings that follow, and what is to be told to whom, in one transaction.

Nothing of this is held in memory between two calls, so that a restart at any instant changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, select, update

from alerts import texts
from alerts.case import Case, answered, from_row, moved, opened, story, to_row
from alerts.judge import Standing, judge
from alerts.lifecycle import LIVE
from alerts.notice import Grounds, Notice, Story, Texts
from alerts.route import Route, hear
from alerts.tables import Database, audit, cases, changes, heartbeats, insert_new, outbox, put, standings, steps, warnings
from lifeline.model import Change, Evidence, Kind, Level, Mode, warning_id

NAMED = 3  # [1] series named in a notice


class Fate(StrEnum):
    """What became of a change that was handed in."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # known already: nothing happens again
    LATE = "late"  # older than what its series said last: recorded, moves nothing


class Taken(NamedTuple):
    """What became of a list of changes. [1]"""

    accepted: int
    duplicates: int
    out_of_order: int
    notices: int  # put into the outbox


class UnknownWarning(Exception):
    """No warning has this id."""


class Book:
    """Changes in, warnings and outbox rows out. Times are local to `zone` in texts only."""

    def __init__(self, database: Database, routes: Sequence[Route], zone: tzinfo | None = None) -> None:
        self.database, self.routes, self.zone = database, tuple(routes), zone or ZoneInfo("Asia/Shanghai")

    def take(self, said: Iterable[Change], at: int) -> Taken:
        """Record, judge, fill the outbox: all of it is on disk when this returns, or none of it. at [ns] desk clock"""
        with self.database.write() as db:
            entry = _Entry(self, db, at)
            fates = Counter(entry.take(change) for change in sorted(said, key=lambda c: c.t))
        return Taken(fates[Fate.ACCEPTED], fates[Fate.DUPLICATE], fates[Fate.LATE], entry.notices)

    def acknowledge(self, warning: str, by: str, comment: str, at: int) -> Case:
        """Somebody answers. lifecycle.Refused when there is nothing to answer. at [ns] desk clock"""
        with self.database.write() as db:
            case = find(db, warning, lock=True)
            if case is None:
                raise UnknownWarning(warning)
            after = answered(case, by, comment, at)
            _write(db, after)
            record(db, at, "acknowledged", by=by, warning=warning, comment=comment, level=case.level.name, state=after.state)
        return after

    def heard(self, source: str, body: str, at: int) -> None:
        """A heartbeat arrived. at [ns] desk clock"""
        with self.database.write() as db:
            put(db, heartbeats, source=source, at=at, body=body)

    def refuse(self, problems: Iterable[dict[str, str]], at: int) -> None:
        """Items that could not be read are kept for people to see. at [ns] desk clock"""
        with self.database.write() as db:
            for problem in problems:
                record(db, at, "refused", by="api", warning=None, **problem)


class _Entry:
    """The work of one transaction."""

    def __init__(self, book: Book, db: Connection, at: int) -> None:
        self.book, self.db, self.at, self.notices = book, db, at, 0

    def take(self, change: Change) -> Fate:
        """Record one change and judge its case."""
        body = msgspec.json.encode(change).decode()
        if not insert_new(self.db, changes, id=change.id, t=change.t, at=self.at, fate=Fate.ACCEPTED, body=body):
            return Fate.DUPLICATE
        self._lock(change.asset, change.hazard)
        stood = _standing(self.db, change)
        if stood and stood["t"] > change.t:
            self.db.execute(update(changes).where(changes.c.id == change.id).values(fate=Fate.LATE))
            return Fate.LATE
        put(self.db, standings, **_said(change))
        if stood and (stood["asset"], stood["hazard"]) != (change.asset, change.hazard):
            self._lock(
                stood["asset"], stood["hazard"]
            )  # the series now belongs to another asset, or its rule speaks of another hazard
            self._judge(stood["asset"], stood["hazard"], change)
        self._judge(change.asset, change.hazard, change)
        return Fate.ACCEPTED

    def _lock(self, asset: str, hazard: str) -> None:
        """Hold the case against other desks on the same database."""
        insert_new(self.db, cases, asset=asset, hazard=hazard, warning=None)
        self.db.execute(select(cases.c.asset).where(cases.c.asset == asset, cases.c.hazard == hazard).with_for_update())

    def _judge(self, asset: str, hazard: str, change: Change) -> None:
        rows = _stand(self.db, asset, hazard)
        verdict = judge(_as_standing(r) for r in rows)
        case = self._present(asset, hazard, change)
        if verdict.level is case.level:
            return
        after, act = moved(case, verdict, change.t, self.at)
        told = story(after, case.level, self.at, _grounds(rows) or [_ground(change)])
        said = texts.write(told, self.book.zone)
        after = msgspec.structs.replace(after, zh=said.zh_title, en=said.en_title)
        _write(self.db, after)
        moment = {
            "version": after.version,
            "level": after.level.name,
            "act": act,
            "why": after.why,
            "t": after.t,
            "at": self.at,
        }
        self.db.execute(steps.insert().values(warning=after.id, change=change.id, **moment))
        record(self.db, self.at, told.what, by=change.rule, warning=after.id, level=after.level.name, change=change.id)
        self._tell(told, said, after)

    def _present(self, asset: str, hazard: str, change: Change) -> Case:
        """The live warning of a case; or the one that this very instant opened before; or a new one."""
        live = self.db.execute(select(cases.c.warning).where(cases.c.asset == asset, cases.c.hazard == hazard)).scalar_one()
        return find(self.db, live or warning_id(asset, hazard, change.t)) or opened(change, self.at)

    def _tell(self, told: Story, said: Texts, case: Case) -> None:
        """One outbox row for each channel that fits, and for each that was told of this warning before."""
        before = self.db.execute(select(outbox.c.channel).where(outbox.c.warning == case.id).distinct()).scalars().all()
        fresh = hear(self.book.routes, case.level, case.kind) if case.level else []
        if case.version == case.risen:  # those that wait for another try get it now: this one is behind them
            waits = (outbox.c.warning == case.id, outbox.c.state == "waiting", outbox.c.due > self.at)
            self.db.execute(update(outbox).where(*waits).values(due=self.at))
        for channel in dict.fromkeys([*before, *fresh]):
            post(self.db, Notice(id=f"{case.id}.{case.version}.{channel}", channel=channel, story=told, texts=said), self.at)
            self.notices += 1


def post(db: Connection, notice: Notice, at: int) -> None:
    """Put a notice into the outbox, due at once; the same notice twice is one."""
    s = notice.story
    insert_new(
        db, outbox, id=notice.id, warning=s.warning, version=s.version, channel=notice.channel, what=s.what,
        body=msgspec.json.encode(notice).decode(), t=s.t, made=at, due=at, attempts=0, state="waiting", lease=0,
    )  # fmt: skip


def record(db: Connection, at: int, act: str, *, by: str, warning: str | None, **detail: Any) -> None:
    """Append to the audit trail. Nothing there is ever changed. at [ns] desk clock"""
    db.execute(audit.insert().values(at=at, act=act, by=by, warning=warning, detail=msgspec.json.encode(detail).decode()))


def find(db: Connection, warning: str, *, lock: bool = False) -> Case | None:
    query = select(warnings).where(warnings.c.id == warning)
    row = db.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return from_row(dict(row)) if row else None


def _write(db: Connection, case: Case) -> None:
    """The warning, and whether its case still has one to answer."""
    put(db, warnings, **to_row(case))
    here = (cases.c.asset == case.asset, cases.c.hazard == case.hazard)
    db.execute(update(cases).where(*here).values(warning=case.id if case.state in LIVE else None))


def _standing(db: Connection, change: Change) -> dict[str, Any] | None:
    row = (
        db.execute(select(standings).where(standings.c.key == change.key, standings.c.rule == change.rule))
        .mappings()
        .one_or_none()
    )
    return dict(row) if row else None


def _stand(db: Connection, asset: str, hazard: str) -> list[dict[str, Any]]:
    """What stands in a case above NORMAL, with the change that said so."""
    query = select(standings, changes.c.body).join(changes, changes.c.id == standings.c.change)
    rows = db.execute(
        query.where(standings.c.asset == asset, standings.c.hazard == hazard, standings.c.level != Level.NORMAL.name)
    )
    return [dict(r) for r in rows.mappings()]


def _said(change: Change) -> dict[str, Any]:
    return {
        "key": change.key, "rule": change.rule, "asset": change.asset, "hazard": change.hazard, "device": change.device,
        "quantity": change.quantity, "level": change.new, "hard": change.hard, "kind": change.kind, "mode": change.mode,
        "t": change.t, "change": change.id,
    }  # fmt: skip


def _as_standing(r: dict[str, Any]) -> Standing:
    return Standing(
        r["key"], r["rule"], r["device"], r["quantity"], Level[r["level"]], r["hard"], Kind(r["kind"]), Mode(r["mode"])
    )


def _grounds(rows: list[dict[str, Any]]) -> list[Grounds]:
    """The gravest active series, at most a few; hazards before tickets."""
    active = [r for r in rows if r["mode"] == Mode.ACTIVE]
    active.sort(key=lambda r: (r["kind"] != Kind.HAZARD, -Level[r["level"]], r["key"], r["rule"]))
    return [_ground(msgspec.json.decode(r["body"], type=_Told)) for r in active[:NAMED]]


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


def _ground(c: Change | _Told) -> Grounds:
    return Grounds(c.key, c.device, c.quantity, c.rule, c.new, c.score, c.t, c.evidence)
