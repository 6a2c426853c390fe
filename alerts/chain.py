"""The chase: where nobody answers, the next tier is told, and again, until somebody does.

Every step is a row with a due time, written in the transaction of the rise that it follows; nothing is kept in memory. The
auditor looks at the warnings themselves and finds what the rows forget.
"""

from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update

from alerts import rows, texts, theirs
from alerts.book import Book
from alerts.case import Case, from_row, story
from alerts.lifecycle import ASKING, BEEN_RED
from alerts.notice import What
from alerts.planned import WAITING, plan
from alerts.responsible import Tier
from alerts.route import Receiver, addressed
from alerts.routing.tables import repeats
from alerts.tables import Database, chains, outbox, warnings
from lifeline.model import NS, Level

LATE: Final = 10.0  # [s] after its due time a step is missed
BATCH: Final = 100  # [1] steps in one transaction

_DUE: Final = (
    select(chains)
    .where(chains.c.fate == WAITING, chains.c.due <= bindparam("at"))
    .order_by(chains.c.due, chains.c.warning)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_END: Final = (
    update(chains)
    .where(chains.c.warning == bindparam("of"), chains.c.version == bindparam("rise"), chains.c.step == bindparam("number"))
    .values(fate=bindparam("is"), done=bindparam("when"))
)
_OUTDATED: Final = (
    update(outbox)
    .where(outbox.c.warning == bindparam("of"), outbox.c.what == What.OVERDUE, outbox.c.state == WAITING)
    .where(outbox.c.lease <= bindparam("now"))
    .values(state="superseded", words="superseded by a later reminder")
)


_SAID: Final = (  # a routing file's repetition counts from what was said last
    update(repeats)
    .where(repeats.c.warning == bindparam("of"), repeats.c.suffix.in_(bindparam("told", expanding=True)))
    .values(due=bindparam("now") + repeats.c.every)
)


class Missed(NamedTuple):
    """What the auditor found."""

    overdue: int  # [1] steps that should have been taken
    forgotten: list[Case]  # warnings that ask for an answer, with no step to follow


class Chain:
    """Takes the steps that are due."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def turn(self, at: int) -> int:
        """Take what is due, all of it in one transaction -> notices written. at [ns] desk clock"""
        with self.book.database.write() as db:
            due = db.execute(_DUE, {"at": at}).mappings().all()
            return sum(self._take(db, r["warning"], r["version"], r["step"], at) for r in due)

    def next_due(self) -> int | None:
        """When the next step is to be taken. [ns] desk clock"""
        with self.book.database.read() as db:
            soonest: int | None = db.execute(select(func.min(chains.c.due)).where(chains.c.fate == WAITING)).scalar_one()
        return soonest

    def _take(self, db: Connection, warning: str, version: int, step: int, at: int) -> int:
        known = rows.find(db, warning)
        if known is not None:
            rows.lock(db, known.asset, known.hazard)
        case = rows.find(db, warning)  # as it is now that nobody else can move it
        asks = case is not None and case.state in ASKING and case.risen == version
        end = {"of": warning, "rise": version, "number": step, "when": at}
        db.execute(_END, {**end, "is": "told" if asks else "over"})
        return self._remind(db, case, step, at) if asks and case else 0

    def _remind(self, db: Connection, case: Case, step: int, at: int) -> int:
        """Tell everybody up to the tier of this step, and plan the next one."""
        level = Level.RED if case.state in BEEN_RED else case.level
        terms = self.book.deadlines.of(level, case.kind)
        tier = min(level + min(step, terms.climb), Tier.BEYOND)
        receivers = self.book.hearing.remind(db, case, tier, at)
        db.execute(_OUTDATED, {"of": case.id, "now": at})
        n = sum(self._post(db, to, case, step, at) for to in receivers)
        db.execute(_SAID, {"of": case.id, "now": at, "told": sorted({r.channel for r in receivers if not r.person}) or [""]})
        names = [r.suffix for r in receivers]
        rows.record(db, at, "escalated", by="desk", warning=case.id, step=step, tier=Tier(tier).name, told=names)
        if terms.again:
            plan(db, case, step=step + 1, due=at + round(terms.again * NS))
        return n

    def _post(self, db: Connection, to: Receiver, case: Case, step: int, at: int) -> bool:
        grounds = rows.grounds(rows.voices(db, case.asset, case.hazard))
        told = theirs.told(db, story(case, case.level or case.peak, case.kind, at, grounds))
        told = msgspec.structs.replace(
            told, what=What.OVERDUE, level=(case.level or case.peak).name, reminder=step, asked=case.asked
        )
        notice = addressed(to, told, texts.write(told, self.book.zone))
        return rows.post(db, msgspec.structs.replace(notice, id=f"{notice.id}+{step}"), at)


def audit(database: Database, at: int) -> Missed:
    """What should have been done by now and was not. at [ns] desk clock"""
    late = select(func.count()).where(chains.c.fate == WAITING, chains.c.due < at - round(LATE * NS))
    planned = select(chains.c.warning).where(chains.c.warning == warnings.c.id, chains.c.version == warnings.c.risen).exists()
    asking = select(warnings).where(warnings.c.state.in_(sorted(ASKING)), ~planned)
    with database.read() as db:
        overdue: int = db.execute(late).scalar_one()
        return Missed(overdue, [from_row(dict(r)) for r in db.execute(asking).mappings()])


def mend(database: Database, missed: Missed, at: int) -> None:
    """Plan a step, due now, for what was forgotten."""
    for case in missed.forgotten:
        with database.write() as db:
            plan(db, case, step=1, due=at)
            rows.record(db, at, "forgotten", by="auditor", warning=case.id, level=Level(case.level).name)
