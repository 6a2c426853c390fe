"""The outbox as a table: claim what is due, write down how each attempt ended. Every function is one transaction."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, select, update

from alerts import receipts, texts
from alerts.claim import WAITING, Claim, Wish, claim, claimed
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from alerts.rows import post, record
from alerts.tables import Database, outbox, put, steps, warnings
from alerts.ways import pauses
from lifeline.model import NS, Level

HASTE: Final = "rateLimited"
WORDS: Final = 500  # [1] characters kept of what a provider says
RESCUE: Final = "~"  # marks the id of a notice that tells of another channel's failure


_LATER: Final = outbox.alias()
_RISEN_TO: Final = steps.alias()


def _grade(level: ColumnElement[str]) -> ColumnElement[int]:
    """A level's name as a number that grows with its gravity."""
    return case({each.name: each.value for each in Level}, value=level)


# tried without success, not in flight, and behind it waits a graver notice of the same warning for the same channel
_OUTDONE: Final = (
    select(outbox.c.id, outbox.c.attempts, outbox.c.made, outbox.c.body, outbox.c.words, func.max(_LATER.c.version).label("by"))
    .join(steps, and_(steps.c.warning == outbox.c.warning, steps.c.version == outbox.c.version))
    .join(_LATER, and_(*(_LATER.c[name] == outbox.c[name] for name in ("warning", "channel", "person"))))
    .join(_RISEN_TO, and_(_RISEN_TO.c.warning == _LATER.c.warning, _RISEN_TO.c.version == _LATER.c.version))
    .where(outbox.c.state == WAITING, outbox.c.channel == bindparam("channel"), outbox.c.attempts > 0)
    .where(outbox.c.lease <= bindparam("at"), _LATER.c.state == WAITING, _LATER.c.version > outbox.c.version)
    .where(_grade(_RISEN_TO.c.level) > _grade(steps.c.level))
    .group_by(outbox.c.id, outbox.c.attempts, outbox.c.made, outbox.c.body, outbox.c.words)
)
_NEXT: Final = select(func.min(outbox.c.due)).where(
    outbox.c.state == WAITING, outbox.c.channel == bindparam("channel"), outbox.c.due > bindparam("after")
)
_MARK: Final = (
    update(outbox)
    .where(outbox.c.id == bindparam("notice"))
    .values(state=bindparam("is"), words=bindparam("said"), lease=0, holder=None)
)
_AGAIN: Final = _MARK.values(due=bindparam("then"))
_PUSHED: Final = (
    update(steps)
    .where(steps.c.warning == bindparam("of"), steps.c.version == bindparam("number"), steps.c.pushed.is_(None))
    .values(pushed=bindparam("instant"), latency=bindparam("took"))
)
_RISEN: Final = (
    update(warnings)
    .where(warnings.c.id == bindparam("of"), warnings.c.risen == bindparam("number"))
    .values(pushed=bindparam("instant"), latency=bindparam("took"))
)


# what was never tried is held until it is due: it waits from then on
_SINCE: Final = case((outbox.c.attempts > 0, outbox.c.made), else_=outbox.c.due)


class Backlog(NamedTuple):
    """What waits. [1], [ns] desk clock"""

    waiting: int
    oldest: int | None


class Ended(NamedTuple):
    """How an attempt went."""

    claim: Claim
    outcome: Outcome
    at: int  # [ns] desk clock
    due: int  # [ns] desk clock, of the next attempt


def turn(
    database: Database, ended: Sequence[Ended], wish: Wish, *, holder: str, at: int, lease: float, rescue: str | None
) -> tuple[list[list[Claim]], list[float | None]]:
    """Write down how attempts ended, and claim what may be sent now: of each warning only the oldest, to keep their order.

    lease [s]: how long nobody else may send them. rescue: the channel that is told when this one gives up.
    Returns the claims of each message, and for each that ended the latency [s], if it first delivered a rise of level.
    """
    with database.write() as db:
        latencies = [settle(db, one, rescue) for one in ended]
        if wish.paced is not None:
            _pause(db, wish.channel, ended)
        _supersede(db, wish.channel, at)
        return claim(db, wish, holder=holder, at=at, lease=lease), latencies


def _pause(db: Connection, channel: str, ended: Sequence[Ended]) -> None:
    """A provider that says "too fast" is left alone for as long as it wishes, save for RED."""
    haste = [
        e.at + round((e.outcome.after or 0) * NS) for e in ended if isinstance(e.outcome, Retry) and e.outcome.reason == HASTE
    ]
    if haste:
        put(db, pauses, channel=channel, until=max(haste))


def next_due(database: Database, channel: str, after: int) -> int | None:
    """The first instant later than `after` at which a notice of this channel is due; None: none. [ns]"""
    with database.read() as db:
        soonest: int | None = db.execute(_NEXT, {"channel": channel, "after": after}).scalar_one()
    return soonest


def bury(database: Database, known: Collection[str], rescue: str | None, at: int) -> dict[str, int]:
    """Give up what waits for channels other than these -> how many for each. at [ns]"""
    with database.write() as db:
        waits = select(outbox.c.body, outbox.c.attempts, outbox.c.made).where(outbox.c.state == WAITING)
        lost = [claimed(r) for r in db.execute(waits.where(outbox.c.channel.not_in(known))).mappings().all()]
        for claim in lost:
            settle(db, Ended(claim, Drop("no channel of this name is configured", "misconfigured"), at, at), rescue)
    return Counter(claim.notice.channel for claim in lost)


def release(database: Database, holder: str) -> None:
    """Give up the leases of an earlier life under the same name."""
    with database.write() as db:
        db.execute(update(outbox).where(outbox.c.holder == holder, outbox.c.state == WAITING).values(lease=0, holder=None))


def settle(db: Connection, ended: Ended, rescue: str | None) -> float | None:
    """Write down how one attempt ended -> the latency, if it was the first delivery of a rise. [s]"""
    notice = ended.claim.notice
    match ended.outcome:
        case Sent(words, references):
            report = receipts.early(db, notice.channel, notice.id, references)
            if report is not None and report.fate != receipts.DELIVERED:
                return settle(db, _undelivered(ended, report), rescue)
            db.execute(_MARK, {"notice": notice.id, "is": "sent", "said": words[:WORDS]})
            _note(db, ended, "notified")
            return _pushed(db, notice, ended.at)
        case Retry(words, reason, person=person):
            if person and _tell_another(db, ended, words[:WORDS], rescue):
                _note(db, ended, "delayed", reason=reason, words=words[:WORDS])
            db.execute(_AGAIN, {"notice": notice.id, "is": WAITING, "said": words[:WORDS], "then": ended.due})
        case Drop(words, reason):
            db.execute(_MARK, {"notice": notice.id, "is": "dropped", "said": words[:WORDS]})
            _note(db, ended, "gave_up", reason=reason, words=words[:WORDS])
            _tell_another(db, ended, words[:WORDS], rescue)
    return None


def _undelivered(ended: Ended, report: receipts.Report) -> Ended:
    """An attempt that seemed to go well, when it was already reported that it had not."""
    n = ended.claim.attempts
    failed = receipts.outcome(report, n, ended.claim.notice.story.level)
    return Ended(ended.claim, failed, ended.at, ended.at + receipts.wait(n))


def _supersede(db: Connection, channel: str, at: int) -> None:
    """What could not be delivered does not hold up graver news of the same warning; it is kept, and says what came instead."""
    for row in db.execute(_OUTDONE, {"channel": channel, "at": at}).mappings().all():
        words = f"superseded by version {row['by']}; {row['words'] or 'no answer'}"[:WORDS]
        db.execute(_MARK, {"notice": row["id"], "is": "superseded", "said": words})
        n = msgspec.json.decode(row["body"], type=Notice)
        more = {"notice": n.id, "attempts": row["attempts"], "words": words}
        record(db, at, "superseded", by=n.channel, warning=n.story.warning, **more)


def _note(db: Connection, ended: Ended, act: str, **more: str) -> None:
    """Who was told, or was not, is part of the audit trail."""
    n = ended.claim.notice
    record(db, ended.at, act, by=n.channel, warning=n.story.warning, notice=n.id, attempts=ended.claim.attempts, **more)


def _tell_another(db: Connection, ended: Ended, words: str, rescue: str | None) -> bool:
    """What one channel cannot deliver is told by another, once; what was told for another is not told on."""
    n = ended.claim.notice
    if rescue is None or RESCUE in n.id:
        return False
    told = texts.undelivered(n.texts, n.channel, words)
    return post(db, Notice(id=f"{n.id}{RESCUE}{rescue}", channel=rescue, story=n.story, texts=told), ended.at)


def overdue(database: Database, before: int) -> dict[str, int]:
    """Channel -> since when its oldest waiting notice could have gone, if that was earlier than `before`. [ns] desk clock"""
    oldest = func.min(_SINCE)
    query = select(outbox.c.channel, oldest).where(outbox.c.state == WAITING).group_by(outbox.c.channel)
    with database.read() as db:
        return {row[0]: row[1] for row in db.execute(query.having(oldest < before).order_by(outbox.c.channel))}


def given_up(database: Database, after: int) -> dict[str, int]:
    """Channel -> notices given up whose last attempt was later than `after` [ns]. [1]"""
    query = select(outbox.c.channel, func.count()).where(outbox.c.state == "dropped", outbox.c.last > after)
    with database.read() as db:
        return {row[0]: row[1] for row in db.execute(query.group_by(outbox.c.channel).order_by(outbox.c.channel))}


def backlog(database: Database) -> Backlog:
    """How much waits, and since when."""
    with database.read() as db:
        row = db.execute(select(func.count(), func.min(_SINCE)).where(outbox.c.state == WAITING)).one()
    return Backlog(row[0], row[1])


def _pushed(db: Connection, notice: Notice, at: int) -> float | None:
    """Note the first delivery of a level, whichever channel made it."""
    s, latency = notice.story, (at - notice.story.t) / NS
    moment = {"of": s.warning, "number": s.version, "instant": at, "took": latency}
    if db.execute(_PUSHED, moment).rowcount == 0:
        return None
    return latency if db.execute(_RISEN, moment).rowcount else None
