"""Makes reports when they are due. That one is due, made, mailed, are rows: a desk that dies, or a second one, changes nothing.

A report is claimed for a while, its figures are read, its files written, and then, in one transaction, its row. Killed before
that, it is made anew by whoever comes next, and the files are written over; afterwards it is not made again.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from alerts import rows
from alerts.bulletins import page, sheets
from alerts.bulletins.bulletin import Bulletin, make
from alerts.bulletins.letter import Letter, letter
from alerts.bulletins.span import Every, Span, after, latest, span
from alerts.bulletins.tables import bulletins
from alerts.bulletins.words import Language
from alerts.notice import Drop, Outcome, Sent
from alerts.tables import Database, insert_new
from lifeline.clock import Clock
from lifeline.model import NS

log: Final = logging.getLogger("lifeline.desk")
LOOK: Final = 10.0  # [s] between looks
SETTLED: Final = 300 * NS  # [ns] after midnight: what was under way is written down by then
LEASE: Final = 600 * NS  # [ns] after which another desk makes or mails it
FIRST, LONGEST = 60 * NS, 3600 * NS  # [ns] before a mail is tried again; doubles with each
PATIENCE: Final = 3 * 86_400 * NS  # [ns] after which a mail is given up
WAITING, SENT, DROPPED = "waiting", "sent", "dropped"

_B: Final = bulletins.c
_ROW: Final = (_B.every == bindparam("which"), _B.day == bindparam("first"))
_NEWEST: Final = select(func.max(_B.day)).where(_B.every == bindparam("which"))
_DUE: Final = select(_B.every, _B.day).where(_B.made.is_(None), _B.due <= bindparam("at"), _B.lease <= bindparam("at"))
_CLAIM: Final = (
    update(bulletins)
    .where(*_ROW, _B.made.is_(None), _B.lease <= bindparam("at"))
    .values(lease=bindparam("until"))
    .execution_options(preserve_rowcount=True)
)
_MADE: Final = (
    update(bulletins)
    .where(*_ROW, _B.made.is_(None))
    .values(made=bindparam("at"), body=bindparam("what"))
    .execution_options(preserve_rowcount=True)
)
_UNSENT: Final = select(_B.every, _B.day, _B.made, _B.attempts, _B.body).where(
    _B.made.is_not(None), _B.mail == WAITING, _B.mail_due <= bindparam("at"), _B.mail_lease <= bindparam("at")
)
_TAKE: Final = (
    update(bulletins)
    .where(*_ROW, _B.mail == WAITING, _B.mail_lease <= bindparam("at"))
    .values(mail_lease=bindparam("until"))
    .execution_options(preserve_rowcount=True)
)


class Unsent(NamedTuple):
    """A report that somebody is to get by mail."""

    every: str
    day: str
    made: int  # [ns]
    attempts: int
    body: str


class Mailer(Protocol):
    """A channel that can carry a letter."""

    async def mail(self, letter: Letter) -> Outcome: ...


@dataclass(frozen=True)
class Press:
    """What it must be told."""

    database: Database
    city: str
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    folder: Path | None = None  # where files are kept; None: only rows
    languages: tuple[Language, ...] = ("zh", "en")
    promise: float = 0.0  # [1/d] false hazards that the limits are set for
    mailer: Mailer | None = None
    to: tuple[str, ...] = ()  # who gets them by mail; empty: the channel's own receivers

    async def run(self, clock: Clock) -> None:
        """Until cancelled. Whatever ails a report, warnings go on: it is tried again when its lease is over."""
        while True:
            await asyncio.sleep(LOOK)  # a desk that starts has more urgent things to do
            try:
                await asyncio.to_thread(self.look, clock.now())
                await self.post(clock.now())
            except OperationalError as why:
                log.warning("a report cannot be made now", extra={"why": why})
            except Exception:  # a bug here must not end the desk
                log.exception("a report cannot be made")

    def look(self, at: int) -> list[str]:
        """Make what is due; the names of what was made. Blocks. at [ns] desk clock"""
        self.plan(at)
        with self.database.read() as db:
            due = db.execute(_DUE.order_by(_B.due, _B.every), {"at": at}).all()
        return [r.day for r in due if self._press(Every(r.every), date.fromisoformat(r.day), at)]

    def plan(self, at: int) -> None:
        """A row for every day and month that is over and has none; of those that went before the first row there are none."""
        with self.database.read() as db:
            missing = [one for every in Every for one in self._missing(db, every, at)]
        if not missing:
            return
        newest = {every: latest(every, at, self.zone) for every in Every}
        with self.database.write() as db:
            for one in missing:
                mail = WAITING if self.mailer and one == newest[one.every] else ""  # nobody wants a month of mails at once
                insert_new(
                    db, bulletins, every=one.every.value, day=one.day.isoformat(), due=one.end + SETTLED, lease=0, mail=mail,
                    mail_due=0, mail_lease=0, attempts=0, words="",
                )  # fmt: skip

    def _missing(self, db: Connection, every: Every, at: int) -> Iterator[Span]:
        newest: str | None = db.execute(_NEWEST, {"which": every.value}).scalar_one()
        last = latest(every, at, self.zone)
        one = after(span(every, date.fromisoformat(newest), self.zone), self.zone) if newest else last
        while one.end <= last.end:
            yield one
            one = after(one, self.zone)

    def _press(self, every: Every, day: date, at: int) -> bool:
        named = {"which": every.value, "first": day.isoformat(), "at": at}
        with self.database.write() as db:
            if not db.execute(_CLAIM, {**named, "until": at + LEASE}).rowcount:
                return False
        made = self.made(every, day, at)
        if self.folder:
            write(self.folder, made, self.zone, self.languages)
        with self.database.write() as db:
            mine = db.execute(_MADE, {**named, "what": msgspec.json.encode(made).decode()}).rowcount == 1
            if mine:
                rows.record(db, at, "report_made", by="desk", warning=None, report=made.name)
        return mine

    def made(self, every: Every, day: date, at: int) -> Bulletin:
        """The report of a day or month as things stand. at [ns] desk clock"""
        return make(self.database, span(every, day, self.zone), self.city, self.zone, at, self.promise)

    def kept(self, every: Every, day: date) -> Bulletin | None:
        """The report as it was made when it was due; None: it was not."""
        first = span(every, day, self.zone).day.isoformat()
        with self.database.read() as db:
            body = db.execute(select(_B.body).where(*_ROW), {"which": every.value, "first": first}).scalar_one_or_none()
        return msgspec.json.decode(body, type=Bulletin) if body else None

    async def post(self, at: int) -> None:
        """Mail what is to be mailed; at least once, always under the same Message-ID. at [ns] desk clock"""
        if self.mailer is None:
            return
        for row in await asyncio.to_thread(self._unsent, at):
            made = msgspec.json.decode(row.body, type=Bulletin)
            carried = await asyncio.to_thread(letter, made, self.zone, self.languages, self.to)
            outcome = await self.mailer.mail(carried)
            await asyncio.to_thread(self._posted, row.every, row.day, row.attempts + 1, row.made, outcome, at)

    def _unsent(self, at: int) -> list[Unsent]:
        with self.database.read() as db:
            found = [Unsent(*r) for r in db.execute(_UNSENT.order_by(_B.made), {"at": at})]
        if not found:
            return []
        with self.database.write() as db:
            claim = {"at": at, "until": at + LEASE}
            return [r for r in found if db.execute(_TAKE, {"which": r.every, "first": r.day, **claim}).rowcount]

    def _posted(self, every: str, day: str, attempts: int, made: int, outcome: Outcome, at: int) -> None:
        late = at - made > PATIENCE
        state = SENT if isinstance(outcome, Sent) else DROPPED if late or isinstance(outcome, Drop) else WAITING
        wait = min(LONGEST, FIRST * 2 ** min(attempts, 10))
        values = {"mail": state, "attempts": attempts, "words": outcome.words[:400], "mail_due": at + wait, "mail_lease": 0}
        with self.database.write() as db:
            db.execute(update(bulletins).where(*_ROW).values(values), {"which": every, "first": day})
            if state != WAITING:
                rows.record(
                    db, at, f"report_{state}", by="desk", warning=None, report=f"{every} {day}", words=outcome.words[:400]
                )


def write(folder: Path, made: Bulletin, zone: tzinfo, languages: Iterable[Language]) -> list[Path]:
    """Page and workbook in each language; whole or not at all, also where the machine stops. -> the files"""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for language in languages:
        bodies = {"html": page.page(made, zone, language).encode(), "xlsx": sheets.xlsx(made, zone, language)}
        for ending, body in bodies.items():
            found.append(folder / f"{made.name}.{language}.{ending}")
            _replace(found[-1], body)
    return found


def _replace(path: Path, body: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
