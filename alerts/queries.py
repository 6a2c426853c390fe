"""Questions to the desk's database; none of them writes, but the probe."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, func, select

from alerts import incidents, stages
from alerts.beat import Heartbeat
from alerts.case import Case, from_row
from alerts.lifecycle import LIVE, State
from alerts.tables import Database, audit, changes, failing, heartbeats, outbox, put, standings, steps, warnings
from lifeline.model import Kind, Level, Mode

SHOWN: Final = ("id", "channel", "version", "what", "state", "attempts", "made", "first", "last", "due", "words", "delivered")
PROBE: Final = "desk"  # its row among the heartbeats shows that the database takes writes


class Beat(NamedTuple):
    """The last that was heard of a process."""

    at: int  # [ns] desk clock
    lag: float | None  # [s] how far behind it said to be
    failing: int | None  # [ns] desk clock: every heartbeat since says that it does not do its work
    reasons: list[str]  # why it does not
    said: int | None = None  # [ns] by the clock of the process itself


def listed(database: Database, *, live: bool, limit: int = 1000, states: Collection[State] = ()) -> list[Case]:
    """Warnings, the youngest first. live: only those that somebody still has to answer."""
    query = select(warnings).order_by(warnings.c.onset.desc(), warnings.c.id).limit(limit)
    wanted = set(states) or (set(LIVE) if live else set(State))
    return _cases(database, query.where(warnings.c.state.in_(sorted(wanted))))


def everything_live(database: Database) -> list[Case]:
    """All warnings that are not closed."""
    return _cases(
        database, select(warnings).where(warnings.c.state.in_(sorted(LIVE))).order_by(warnings.c.onset, warnings.c.id)
    )


def _cases(database: Database, query: Select[Any]) -> list[Case]:
    with database.read() as db:
        return [from_row(dict(r)) for r in db.execute(query).mappings()]


def history(database: Database, warning: str, at: int) -> dict[str, Any] | None:
    """All that is known of a warning: itself, its levels with their evidence, the six steps, who was told, the audit trail."""
    with database.read() as db:
        row = db.execute(select(warnings).where(warnings.c.id == warning)).mappings().one_or_none()
        if row is None:
            return None
        taken = select(steps, changes.c.body).join(changes, changes.c.id == steps.c.change).where(steps.c.warning == warning)
        told = select(*(outbox.c[name] for name in SHOWN))
        trail = select(audit.c.at, audit.c.act, audit.c.by, audit.c.detail).where(audit.c.warning == warning)
        return {
            **row,
            "incident": incidents.of(db, warning),
            "stages": stages.of(db, warning, at),
            "steps": [_opened(r, "body") for r in db.execute(taken.order_by(steps.c.version)).mappings()],
            "notices": [
                dict(r) for r in db.execute(told.where(outbox.c.warning == warning).order_by(outbox.c.made)).mappings()
            ],
            "audit": [_opened(r, "detail") for r in db.execute(trail.order_by(audit.c.id)).mappings()],
        }


def _opened(row: Any, name: str) -> dict[str, Any]:
    """A row whose JSON column travels as JSON, not as text in it."""
    return {**row, name: msgspec.Raw(row[name].encode())}


def told(database: Database) -> dict[str, list[str]]:
    """Live warning -> channels that were told of it."""
    query = select(outbox.c.warning, outbox.c.channel).join(warnings, warnings.c.id == outbox.c.warning)
    heard: dict[str, list[str]] = {}
    with database.read() as db:
        for warning, channel in db.execute(
            query.where(warnings.c.state.in_(sorted(LIVE))).distinct().order_by(outbox.c.channel)
        ):
            heard.setdefault(warning, []).append(channel)
    return heard


def unheard(database: Database, hazards: Collection[str]) -> set[str]:
    """Assets of which a series is not heard: a ticket of one of these hazards stands."""
    stands = (standings.c.level != Level.NORMAL.name, standings.c.kind == Kind.TICKET, standings.c.mode == Mode.ACTIVE)
    with database.read() as db:
        query = select(standings.c.asset).where(*stands, standings.c.hazard.in_(sorted(hazards))).distinct()
        return set(db.execute(query).scalars())


def stands(database: Database, key: str, rule: str) -> tuple[Level, int]:
    """The level that a rule gives a series, and since when. [ns] sensor clock"""
    query = select(standings.c.level, standings.c.t).where(standings.c.key == key, standings.c.rule == rule)
    with database.read() as db:
        row = db.execute(query).one_or_none()
    return (Level[row[0]], row[1]) if row else (Level.NORMAL, 0)


def standing(db: Connection, rules: Collection[str]) -> list[tuple[str, str]]:
    """(asset, rule) of all that these rules hold above NORMAL."""
    query = select(standings.c.asset, standings.c.rule).where(standings.c.level != Level.NORMAL.name)
    return [(asset, rule) for asset, rule in db.execute(query.where(standings.c.rule.in_(sorted(rules))))]


def beats(database: Database) -> dict[str, Beat]:
    """Source -> its last heartbeat."""
    with database.read() as db:
        query = select(heartbeats, failing.c.since).join(failing, failing.c.source == heartbeats.c.source, isouter=True)
        rows = db.execute(query.where(heartbeats.c.source != PROBE)).all()
    said = {r.source: msgspec.json.decode(r.body, type=Heartbeat) for r in rows}
    return {r.source: Beat(r.at, said[r.source].lag_s, r.since, said[r.source].reasons, said[r.source].at) for r in rows}


def counts(database: Database) -> dict[tuple[str, str, str], int]:
    """(domain, level, state) -> live warnings. [1]"""
    by = (warnings.c.domain, warnings.c.level, warnings.c.state)
    query = select(*by, func.count()).where(warnings.c.state.in_(sorted(LIVE))).group_by(*by)
    with database.read() as db:
        return {(domain, level, state): n for domain, level, state, n in db.execute(query)}


def probe(database: Database, at: int) -> None:
    """Write something; raises what the database raises. at [ns]"""
    with database.write() as db:
        put(db, heartbeats, source=PROBE, at=at, body="{}")
