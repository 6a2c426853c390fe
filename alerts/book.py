"""The desk's memory: what the sensors said, the warnings that follow, and what is to be told to whom, in one transaction.

Nothing of this is held in memory between two calls, so that a restart at any instant changes nothing.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from alerts import flapping, incidents, planned, rows, stages, texts, theirs, verdicts
from alerts.again import APART, returns
from alerts.beat import Heartbeat
from alerts.calling import Calling, Hearing, Plain
from alerts.case import Case, answered, closed, mark, moved, opened, story, to_row, weight
from alerts.flapping import Flapping
from alerts.joins import Rule, load
from alerts.judge import Verdict, judge
from alerts.lifecycle import ASKING, Act, Refused
from alerts.notice import EXERCISE, Grounds, Pair, Story, Texts
from alerts.roles import CLOSES, Role, must
from alerts.route import Receiver, Route, addressed
from alerts.stages import Done, Stage
from alerts.tables import Database, changes, failing, heartbeats, insert_new, put
from alerts.terms import SHIPPED, Deadlines
from alerts.verdicts import Followed
from lifeline.model import Change, Domain, Kind, Level, warning_id

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


class Changed(Exception):
    """The warning is not as it was when somebody looked at it."""


class Book:
    """Changes in, warnings and outbox rows out. Times are local to `zone` in texts only."""

    def __init__(
        self,
        database: Database,
        calling: Calling | Sequence[Route],
        zone: tzinfo | None = None,
        deadlines: Deadlines = SHIPPED,
        joins: Sequence[Rule] | None = None,
        flapping: Flapping | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self.flapping = flapping
        self.joins = load() if joins is None else joins
        self.database, self.deadlines, self.zone = database, deadlines, zone or ZoneInfo("Asia/Shanghai")
        self.calling = calling if isinstance(calling, Calling) else Calling(calling)
        self.hearing = hearing or Plain(self.calling)

    def take(self, said: Iterable[Change], at: int) -> Taken:
        """Record, judge, fill the outbox: all of it is on disk when this returns, or none of it. at [ns] desk clock

        A change that cannot be judged leaves nothing behind but a line in the audit trail, and costs no other.
        """
        ordered = sorted(enumerate(said), key=lambda item: item[1].t)
        with self.database.write() as db:
            entry, fates = _together(self, db, ordered, at) or _apart(self, db, ordered, at)
        return Taken(fates[Fate.ACCEPTED], fates[Fate.DUPLICATE], fates[Fate.LATE], entry.notices, tuple(sorted(entry.refused)))

    def close(self, warning: str, by: str, role: Role, comment: str, at: int, seen: Collection[str] = ()) -> Case:
        """Somebody says that what was RED is over. Forbidden to the wrong role; lifecycle.Refused while it stands. at [ns]

        seen: marks (case.mark) of which the warning must have one, else Changed; none: it may have any
        """
        with self.database.write() as db:
            case = self._held(db, warning, seen)
            must(role, CLOSES[case.peak], f"closing what has been {case.peak.name}")
            after = closed(case, by, at)
            rows.write(db, after)
            planned.stop(db, warning, "over", at)
            rows.record(db, at, "closed", by=by, warning=warning, comment=comment, role=role.name, level=case.peak.name)
        return after

    def done(self, warning: str, stage: Stage, what: Done, role: Role, at: int, seen: Collection[str] = ()) -> Followed:
        """Somebody says that a step is done -> what follows from it. at [ns] desk clock

        Forbidden to the wrong role; Refused where a verdict lacks.
        """
        if stage not in stages.NEEDS:
            raise Refused(f"{stage} is done by the desk itself")
        must(role, stages.NEEDS[stage], f"the step {stage}")
        if stage is Stage.ASSESS and what.verdict not in set(stages.Verdict):
            raise Refused(f"an assessment ends in a verdict: {', '.join(stages.Verdict)}")
        with self.database.write() as db:
            case = self._held(db, warning, seen)
            before, entry = verdicts.verdict(db, warning), _Entry(self, db, at)
            stages.done(db, warning, stage, what, at)
            offers = verdicts.follow(db, case, stage, before, what, at, entry.take)
        return Followed(entry.notices, offers)

    def _held(self, db: Connection, warning: str, seen: Collection[str] = ()) -> Case:
        """A warning as it is now that nobody else can move it."""
        known = rows.find(db, warning)
        if known is None:
            raise UnknownWarning(warning)
        rows.lock(db, known.asset, known.hazard)
        now = rows.find(db, warning) or known
        if seen and mark(to_row(now)) not in seen:
            raise Changed(f"the warning {warning} is {now.level.name} and {now.state} now; look at it again")
        return now

    def settle(self, at: int) -> int:
        """Let fall what was held and has been quiet since -> notices. at [ns] desk clock"""
        with self.database.write() as db:
            entry = _Entry(self, db, at)
            for change in flapping.due(db, at):
                entry.settle(change)
        return entry.notices

    def acknowledge(self, warning: str, by: str, comment: str, at: int, seen: Collection[str] = ()) -> Case:
        """Somebody answers. lifecycle.Refused when there is nothing to answer; seen as for `close`. at [ns] desk clock"""
        with self.database.write() as db:
            case = self._held(db, warning, seen)
            after = answered(case, by, comment, at)
            rows.write(db, after)
            planned.stop(db, warning, "answered", at)
            stages.first_done(db, warning, Stage.WARN, Done(by, comment), at)
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


Work = tuple["_Entry", Counter[Fate | None]]


def _together(book: Book, db: Connection, ordered: Sequence[tuple[int, Change]], at: int) -> Work | None:
    """Take changes that are all well, with one savepoint; None, and nothing of them, where one of them is not."""
    entry, point = _Entry(book, db, at), db.begin_nested()
    try:
        fates = Counter[Fate | None](entry.take(change) for _, change in ordered)
    except Exception as why:
        if _of_database(why):
            raise
        point.rollback()
        return None
    point.commit()
    return entry, fates


def _apart(book: Book, db: Connection, ordered: Sequence[tuple[int, Change]], at: int) -> Work:
    """Take changes one by one, each with a savepoint: one that cannot be judged costs no other."""
    entry = _Entry(book, db, at)
    return entry, Counter[Fate | None](entry.try_take(i, change) for i, change in ordered)


def _of_database(why: Exception) -> bool:
    """Whether the database itself ails, and not what it was given."""
    return isinstance(why, DBAPIError) and not isinstance(why, IntegrityError | DataError)


class _Entry:
    """The work of one transaction."""

    def __init__(self, book: Book, db: Connection, at: int) -> None:
        self.book, self.db, self.at, self.notices = book, db, at, 0
        self.refused: list[tuple[int, str]] = []
        self.settling = False  # a held case may fall now

    def try_take(self, place: int, change: Change) -> Fate | None:
        """Take one change; None and nothing of it if it cannot be judged. What ails the database itself is raised."""
        before, point = self.notices, self.db.begin_nested()
        try:
            fate = self.take(change)
        except Exception as why:
            if _of_database(why):
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
        if verdict.level is case.level and (not verdict.level or verdict.kind is case.kind):
            self._let_go(case)
        elif not self._held(case, verdict, change):
            self._let_go(case)
            if weight(verdict.level, verdict.kind) < weight(case.level, case.kind):
                self._calmed(case, change)
            self._move(case, verdict, rows.grounds(voices) or [rows.ground(change)], change)

    def _held(self, case: Case, verdict: Verdict, change: Change) -> bool:
        """Whether a fall is not taken yet, because the case comes and goes."""
        how = self.book.flapping
        if how is None or case.kind is not Kind.HAZARD or weight(verdict.level, verdict.kind) >= weight(case.level, case.kind):
            return False
        if self.settling or case.domain not in set(Domain) or case.hazard.startswith(EXERCISE):
            return False  # what the monitoring says of itself is told each time, and an exercise ends when it is ended
        if not how.flaps(self.db, case, change.t):
            return False
        if flapping.hold(self.db, case, change, how.quiet, self.at):
            rows.record(self.db, self.at, "held", by=change.rule, warning=case.id, change=change.id)
            self.take(flapping.ticket(change, Level.YELLOW))
        return True

    def _let_go(self, case: Case) -> None:
        """A case that is back where it was held, or moves, is held no more; its ticket stays until it has been quiet."""
        if case.version > 0 and self.book.flapping is not None:
            flapping.free(self.db, case.asset, case.hazard)

    def _calmed(self, case: Case, change: Change) -> None:
        """A fall that is taken ends the ticket for coming and going, if there is one."""
        if self.book.flapping is not None and flapping.stands(self.db, case.asset, case.hazard):
            self.take(flapping.ticket(change, Level.NORMAL))

    def settle(self, change: Change) -> None:
        """What was held has been lower for long enough: it falls to where its sensors stand."""
        self.settling = True
        live = rows.lock(self.db, change.asset, change.hazard)
        self._judge(change.asset, change.hazard, live, change)
        flapping.free(self.db, change.asset, change.hazard)  # whatever became of it, it is looked at once
        self.settling = False

    def _known(self, asset: str, hazard: str, live: str | None, t: int) -> Case | None:
        """The warning that goes on: the live one, one that began at this very instant, or one that comes back."""
        same = rows.find(self.db, live or warning_id(asset, hazard, t))
        if same or hazard not in APART:
            return same
        last = rows.last(self.db, asset, hazard)
        return last if last and returns(hazard, last.cleared, t) else None

    def _move(self, case: Case, verdict: Verdict, grounds: list[Grounds], change: Change) -> None:
        after, act = moved(case, verdict, change.t, self.at)
        told = theirs.told(self.db, story(after, case.level, case.kind, self.at, grounds, self._belongs(after)))
        said = texts.write(told, self.book.zone)
        after = msgspec.structs.replace(after, zh=said.zh_title, en=said.en_title)
        rows.write(self.db, after)
        rows.write_step(self.db, after, act, change.id, self.at)
        rows.record(self.db, self.at, told.what, by=change.rule, warning=after.id, level=after.level.name, change=change.id)
        self._chase(after, act, change)
        self._tell(told, said, after)

    def _belongs(self, case: Case) -> Pair | None:
        """A new hazard is put into its incident -> the line that says so, where it is not alone."""
        if not case.level or case.kind is not Kind.HAZARD or case.hazard.startswith(EXERCISE):
            return None
        joined = incidents.place(self.db, case, self.book.joins, self.at)
        return texts.belongs(joined) if joined else None

    def _chase(self, case: Case, act: Act, change: Change) -> None:
        """A rise asks for an answer and sets deadlines, as its level says; what asks for no answer is chased no more."""
        if act in {Act.RAISE, Act.REDDEN}:
            terms = self.book.deadlines.of(case.level, case.kind)
            planned.begin(self.db, case, terms, self.at)
            stages.begin(self.db, case, terms, change.id, self.at)
        elif case.state not in ASKING:
            planned.stop(self.db, case.id, "over", self.at)

    def _tell(self, told: Story, said: Texts, case: Case) -> None:
        """One outbox row for each that hears of it."""
        before = rows.told(self.db, case.id) if case.version > 1 else []
        if before and case.version == case.risen:  # those that wait for another try get it now: this one is behind them
            rows.hurry(self.db, case.id, self.at)
        for to in {r.suffix: r for r in self.book.hearing.tell(self.db, case, before, self.at)}.values():
            self._post(to, told, said)

    def _post(self, to: Receiver, told: Story, said: Texts) -> None:
        self.notices += rows.post(self.db, addressed(to, told, said), self.at, to.due)
