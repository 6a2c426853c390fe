"""The desk's memory: what the sensors said, the warnings that follow, and what is to be told to whom, in one transaction.

Nothing of this is held in memory between two calls, so that a restart at any instant changes nothing.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from alerts import rows, texts
from alerts.again import APART, returns
from alerts.beat import Heartbeat
from alerts.case import Case, answered, moved, opened, story
from alerts.judge import Verdict, judge
from alerts.notice import Grounds, Notice, Story, Texts
from alerts.route import Route, hear
from alerts.tables import Database, changes, failing, heartbeats, insert_new, put
from lifeline.model import Change, Level, warning_id

log: Final = logging.getLogger("lifeline.desk")
WORDS: Final = 1000  # [1] characters kept of what could not be judged, and why


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
    refused: tuple[tuple[int, str], ...] = ()  # place in the list and reason of each that could not be judged


class UnknownWarning(Exception):
    """No warning has this id."""


class Book:
    """Changes in, warnings and outbox rows out. Times are local to `zone` in texts only."""

    def __init__(self, database: Database, routes: Sequence[Route], zone: tzinfo | None = None) -> None:
        self.database, self.routes, self.zone = database, tuple(routes), zone or ZoneInfo("Asia/Shanghai")

    def take(self, said: Iterable[Change], at: int) -> Taken:
        """Record, judge, fill the outbox: all of it is on disk when this returns, or none of it. at [ns] desk clock

        A change that cannot be judged leaves nothing behind but a line in the audit trail, and costs no other.
        """
        with self.database.write() as db:
            entry = _Entry(self, db, at)
            fates = Counter(entry.try_take(i, change) for i, change in sorted(enumerate(said), key=lambda item: item[1].t))
        return Taken(fates[Fate.ACCEPTED], fates[Fate.DUPLICATE], fates[Fate.LATE], entry.notices, tuple(sorted(entry.refused)))

    def acknowledge(self, warning: str, by: str, comment: str, at: int) -> Case:
        """Somebody answers. lifecycle.Refused when there is nothing to answer. at [ns] desk clock"""
        with self.database.write() as db:
            known = rows.find(db, warning)
            if known is None:
                raise UnknownWarning(warning)
            rows.lock(db, known.asset, known.hazard)
            case = rows.find(db, warning) or known  # as it is now that nobody else can move it
            after = answered(case, by, comment, at)
            rows.write(db, after)
            rows.record(
                db, at, "acknowledged", by=by, warning=warning, comment=comment, level=case.level.name, state=after.state
            )
        return after

    def heard(self, source: str, body: str, at: int) -> None:
        """A heartbeat arrived. at [ns] desk clock"""
        with self.database.write() as db:
            put(db, heartbeats, source=source, at=at, body=body)
            if msgspec.json.decode(body, type=Heartbeat).reasons:
                insert_new(db, failing, source=source, since=at)
            else:
                db.execute(failing.delete().where(failing.c.source == source))

    def refuse(self, problems: Iterable[dict[str, str]], at: int) -> None:
        """Items that could not be read are kept for people to see. at [ns] desk clock"""
        with self.database.write() as db:
            for problem in problems:
                rows.record(db, at, "refused", by="api", warning=None, **problem)


def writable(text: str) -> str:
    """The beginning of a text, with what cannot be encoded spelled out."""
    return text[:WORDS].encode("utf-8", "backslashreplace").decode()


class _Entry:
    """The work of one transaction."""

    def __init__(self, book: Book, db: Connection, at: int) -> None:
        self.book, self.db, self.at, self.notices = book, db, at, 0
        self.refused: list[tuple[int, str]] = []

    def try_take(self, place: int, change: Change) -> Fate | None:
        """Take one change; None and nothing of it if it cannot be judged. What ails the database itself is raised."""
        before, point = self.notices, self.db.begin_nested()
        try:
            fate = self.take(change)
        except Exception as why:
            if isinstance(why, DBAPIError) and not isinstance(why, IntegrityError | DataError):
                raise
            point.rollback()
            self.notices = before
            self._refuse(place, change, why)
            return None
        point.commit()
        return fate

    def _refuse(self, place: int, change: Change, why: Exception) -> None:
        log.error("a change cannot be judged", exc_info=why, extra={"change": change.id})
        reason = writable(f"{type(why).__name__}: {why}")
        self.refused.append((place, reason))
        said = {"place": f"$[{place}]", "reason": reason, "item": writable(str(change))}
        rows.record(self.db, self.at, "refused", by="desk", warning=None, **said)

    def take(self, change: Change) -> Fate:
        """Record one change and judge its case."""
        body = msgspec.json.encode(change).decode()
        if not insert_new(self.db, changes, id=change.id, t=change.t, at=self.at, fate=Fate.ACCEPTED, body=body):
            return Fate.DUPLICATE
        live = rows.lock(self.db, change.asset, change.hazard)
        stood = rows.stood(self.db, change)
        if stood and stood.t > change.t:
            rows.mark(self.db, change.id, Fate.LATE)
            return Fate.LATE
        rows.stand(self.db, change)
        if stood and (stood.asset, stood.hazard) != (change.asset, change.hazard):
            self._moved_away(stood, change)
        self._judge(change.asset, change.hazard, live, change)
        return Fate.ACCEPTED

    def _moved_away(self, stood: rows.Stood, change: Change) -> None:
        """The series now belongs to another asset, or its rule speaks of another hazard: what it stood for there is over."""
        live = rows.lock(self.db, stood.asset, stood.hazard)
        self._judge(stood.asset, stood.hazard, live, change)

    def _judge(self, asset: str, hazard: str, live: str | None, change: Change) -> None:
        """Move a case to where its sensors stand. live: its warning, if it has one."""
        voices = rows.voices(self.db, asset, hazard)
        verdict = judge(v.standing for v in voices)
        if live is None and verdict.level is Level.NORMAL:
            return
        case = self._known(asset, hazard, live, change.t) or opened(change, self.at)
        if verdict.level is not case.level or (verdict.level and verdict.kind is not case.kind):
            self._move(case, verdict, rows.grounds(voices) or [rows.ground(change)], change)

    def _known(self, asset: str, hazard: str, live: str | None, t: int) -> Case | None:
        """The warning that goes on: the live one, one that began at this very instant, or one that comes back."""
        same = rows.find(self.db, live or warning_id(asset, hazard, t))
        if same or hazard not in APART:
            return same
        last = rows.last(self.db, asset, hazard)
        return last if last and returns(hazard, last.cleared, t) else None

    def _move(self, case: Case, verdict: Verdict, grounds: list[Grounds], change: Change) -> None:
        after, act = moved(case, verdict, change.t, self.at)
        told = story(after, case.level, case.kind, self.at, grounds)
        said = texts.write(told, self.book.zone)
        after = msgspec.structs.replace(after, zh=said.zh_title, en=said.en_title)
        rows.write(self.db, after)
        rows.write_step(self.db, after, act, change.id, self.at)
        rows.record(self.db, self.at, told.what, by=change.rule, warning=after.id, level=after.level.name, change=change.id)
        self._tell(told, said, after)

    def _tell(self, told: Story, said: Texts, case: Case) -> None:
        """One outbox row for each channel that fits, and for each that was told of this warning before."""
        before = rows.told(self.db, case.id) if case.version > 1 else []
        fresh = hear(self.book.routes, case.level, case.kind) if case.level else []
        if before and case.version == case.risen:  # those that wait for another try get it now: this one is behind them
            rows.hurry(self.db, case.id, self.at)
        for channel in dict.fromkeys([*before, *fresh]):
            rows.post(
                self.db, Notice(id=f"{case.id}.{case.version}.{channel}", channel=channel, story=told, texts=said), self.at
            )
            self.notices += 1
