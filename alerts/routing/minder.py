"""What happens to warnings because time passes: silences and causes that end, repetitions that come due.

Everything that is due is a row; a look does what has come due in one transaction, so that a crash only makes it late.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from alerts import rows, texts, theirs
from alerts.book import Book
from alerts.case import Case, story
from alerts.lifecycle import ACTIVE, BEEN_RED, LIVE, State
from alerts.notice import Notice
from alerts.planned import WAITING
from alerts.route import addressed
from alerts.routing import seen, silences
from alerts.routing.inhibit import Gathered
from alerts.routing.router import Router, forget, standing, urgent, withhold
from alerts.routing.seen import Seen
from alerts.routing.tables import later, repeats, suppressed
from alerts.routing.tree import MINUTE
from alerts.tables import chains, outbox, warnings
from lifeline.model import Level

UNANSWERED: Final = frozenset({State.OPEN, State.URGENT})
AGAIN: Final = "*"  # marks the id of a notice that says the same again
_DUE: Final = select(repeats).where(repeats.c.due <= bindparam("at")).order_by(repeats.c.due)
_SAID: Final = (
    select(outbox.c.body)
    .where(outbox.c.warning == bindparam("warning"), outbox.c.channel == bindparam("channel"), outbox.c.person == "")
    .order_by(outbox.c.version.desc(), outbox.c.made, outbox.c.id)
    .limit(1)
)
_STEP: Final = select(func.min(chains.c.due)).where(chains.c.warning == bindparam("warning"), chains.c.fate == WAITING)
_STATE: Final = select(outbox.c.state).where(outbox.c.id == bindparam("notice"))
_MOVED: Final = select(func.count(), func.max(warnings.c.updated)).where(warnings.c.state.in_(sorted(LIVE)))
_LATER: Final = select(later.c.warning).where(later.c.due <= bindparam("at"))
_SOON: Final = delete(later).where(later.c.warning == bindparam("of"))
_LOUD: Final = delete(suppressed).where(suppressed.c.warning == bindparam("of"))
_ANY: Final = select(suppressed.c.warning).limit(1)


@dataclass
class Minder:
    """Looks now and then. Remembers only what it saw last, so that an idle look is cheap."""

    book: Book
    router: Router
    _last: tuple[object, ...] = field(default=(), init=False)

    def look(self, at: int) -> bool:
        """Do what has come due; whether anything is to be sent. Blocks. at [ns]"""
        with self.book.database.read() as db:
            known = silences.open_ones(db, at)
            minute = at // MINUTE if self.router.plan and self.router.plan.times else 0
            now = (*db.execute(_MOVED).one(), minute, tuple((s.id, s.state(at), s.updated) for s in known))
            idle = not known and not self.router.inhibition and db.execute(_ANY).first() is None
            due = any(db.execute(query, {"at": at}).first() is not None for query in (_DUE, _LATER))
        swept = idle or now == self._last
        posted = 0
        if due or not swept:
            with self.book.database.write() as db:
                posted = (self.sweep(db, at) if not swept else 0) + self.repeat(db, at) + self.speak(db, at)
        self._last = now
        return posted > 0

    def sweep(self, db: Connection, at: int) -> int:
        """Compare what is suppressed with what should be; notices made. at [ns]"""
        known, was = silences.open_ones(db, at), standing(db)
        posted = 0
        stands = seen.active(db)
        crowd = Gathered(stands)
        for one in stands:
            why = self.router.quiet(crowd, one, known, at)
            if why and why != was.get(one.id):
                withhold(db, one, why, at)
            elif not why and one.id in was and db.execute(_LOUD, {"of": one.id}).rowcount:  # of several desks, one
                rows.record(db, at, "unsuppressed", by="desk", warning=one.id, level=one.case.level.name)
                posted += self._tell(db, one, at, again=one.case.state in UNANSWERED)
        for gone in was.keys() - {one.id for one in stands}:
            db.execute(delete(suppressed).where(suppressed.c.warning == gone))
        return posted

    def speak(self, db: Connection, at: int) -> int:
        """Tell what routes were mute about by their hours; notices made. at [ns]"""
        due = list(db.execute(_LATER, {"at": at}).scalars())
        ids = [warning for warning in due if db.execute(_SOON, {"of": warning}).rowcount]  # of several desks, one
        quiet = standing(db)
        return sum(self._tell(db, one, at, again=False) for one in seen.some(db, ids) if one.id not in quiet)

    def _tell(self, db: Connection, one: Seen, at: int, *, again: bool) -> int:
        """Tell what still stands, at once. again: those too who heard of this very level before."""
        rows.lock(db, one.case.asset, one.case.hazard)
        case = rows.find(db, one.id) or one.case  # as it is now that nobody else can move it
        if case.state not in ACTIVE:
            return 0
        grounds = rows.grounds(rows.voices(db, case.asset, case.hazard))
        told = theirs.told(db, story(case, Level.NORMAL, case.kind, at, grounds))
        said = texts.again(texts.write(told, self.book.zone))
        posted = 0
        for to in {r.suffix: r for r in self.router.tell(db, case, rows.told(db, case.id), at)}.values():
            notice = addressed(to, told, said)
            if rows.post(db, notice, at):
                posted += 1
            elif again and db.execute(_STATE, {"notice": notice.id}).scalar_one() != "waiting":
                posted += rows.post(db, msgspec.structs.replace(notice, id=f"{notice.id}{AGAIN}{at}"), at)
        return posted

    def repeat(self, db: Connection, at: int) -> int:
        """Say again what nobody has answered, and of the rest what a route wants; notices made. at [ns]

        What the chase is about to say is left to it. Where it is a minute late, it is said here: better twice than never.
        """
        due = db.execute(_DUE, {"at": at}).mappings().all()
        cases = {one.id: one.case for one in seen.some(db, {r["warning"] for r in due})}
        quiet, posted = standing(db), 0
        for row in due:
            case = cases[row["warning"]]
            if case.state not in ACTIVE:
                forget(db, case.id)
                continue
            key = (repeats.c.warning == row["warning"]) & (repeats.c.suffix == row["suffix"])
            if case.state in UNANSWERED and self._chased(db, case, at):
                db.execute(update(repeats).where(key).values(due=at + MINUTE))
                continue
            if (case.state in UNANSWERED or row["taken"]) and case.id not in quiet:
                posted += self._again(db, row["warning"], row["suffix"], row["times"] + 1, at)
            db.execute(update(repeats).where(key).values(due=at + row["every"], times=row["times"] + 1))
        return posted

    def _chased(self, db: Connection, case: Case, at: int) -> bool:
        """Whether the chase will say it: what is grave whenever a step of it is planned, all else within a minute."""
        due: int | None = db.execute(_STEP, {"warning": case.id}).scalar_one()
        if due is None or due < at - MINUTE:
            return False
        return urgent(case) or case.state in BEEN_RED or due <= at + MINUTE

    def _again(self, db: Connection, warning: str, channel: str, times: int, at: int) -> int:
        body = db.execute(_SAID, {"warning": warning, "channel": channel}).scalar_one_or_none()
        if body is None:
            return 0
        last = msgspec.json.decode(body, type=Notice)
        again = msgspec.structs.replace(last, id=f"{last.id}{AGAIN}{times}", texts=texts.again(last.texts))
        posted = rows.post(db, again, at)
        if posted:
            rows.record(db, at, "repeated", by=channel, warning=warning, notice=again.id)
        return int(posted)
