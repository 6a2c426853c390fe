"""The outbox as a table: claim what is due, write down how each attempt ended. Every function is one transaction."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, func, select, update

from alerts import texts
from alerts.book import post, record
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from alerts.tables import Database, outbox, steps, warnings
from lifeline.model import NS

WAITING: Final = "waiting"
WORDS: Final = 500  # [1] characters kept of what a provider says
RESCUE: Final = "~"  # marks the id of a notice that tells of another channel's failure


class Claim(NamedTuple):
    """A notice that this desk alone may send, until the lease runs out."""

    notice: Notice
    attempts: int  # [1] this one included
    made: int  # [ns] desk clock


class Backlog(NamedTuple):
    """What waits. [1], [ns] desk clock"""

    waiting: int
    oldest: int | None


def claim(database: Database, channel: str, free: int, *, holder: str, at: int, lease: float) -> list[Claim]:
    """Up to `free` due notices of a channel, of each warning only the oldest, to keep their order. lease [s]; at [ns]"""
    with database.write() as db:
        rows = db.execute(_ready(channel, at).limit(free).with_for_update(skip_locked=True)).mappings().all()
        ids = [r["id"] for r in rows]
        new = {"lease": at + round(lease * NS), "holder": holder, "attempts": outbox.c.attempts + 1, "last": at}
        db.execute(update(outbox).where(outbox.c.id.in_(ids)).values(first=func.coalesce(outbox.c.first, at), **new))
    return [_claimed(r) for r in rows]


def _claimed(row: RowMapping) -> Claim:
    return Claim(msgspec.json.decode(row["body"], type=Notice), row["attempts"] + 1, row["made"])


def _ready(channel: str, at: int) -> Any:
    earlier = outbox.alias()
    ahead = (earlier.c.warning == outbox.c.warning, earlier.c.channel == outbox.c.channel, earlier.c.version < outbox.c.version)
    first = ~select(earlier.c.id).where(*ahead, earlier.c.state == WAITING).exists()
    free = (outbox.c.state == WAITING, outbox.c.channel == channel, outbox.c.due <= at, outbox.c.lease <= at)
    return select(outbox).where(*free, first).order_by(outbox.c.due, outbox.c.id)


def next_due(database: Database, channel: str, after: int) -> int | None:
    """The first instant later than `after` at which a notice of this channel is due; None: none. [ns]"""
    later = (outbox.c.state == WAITING, outbox.c.channel == channel, outbox.c.due > after)
    with database.read() as db:
        soonest: int | None = db.execute(select(func.min(outbox.c.due)).where(*later)).scalar_one()
    return soonest


def orphans(database: Database, known: Collection[str]) -> list[Claim]:
    """Notices to channels that are configured no more."""
    with database.read() as db:
        rows = db.execute(select(outbox).where(outbox.c.state == WAITING, outbox.c.channel.not_in(known))).mappings().all()
    return [_claimed(r) for r in rows]


def release(database: Database, holder: str) -> None:
    """Give up the leases of an earlier life under the same name."""
    with database.write() as db:
        db.execute(update(outbox).where(outbox.c.holder == holder, outbox.c.state == WAITING).values(lease=0, holder=None))


def settle(database: Database, claim: Claim, outcome: Outcome, *, at: int, due: int, rescue: str | None) -> float | None:
    """Write down how an attempt ended. due [ns]: when to try again. rescue: the channel that is told if this one gives up.

    Returns the latency when this was the first delivery of a rise of level. [s]
    """
    notice = claim.notice
    with database.write() as db:
        match outcome:
            case Sent(words):
                _mark(db, notice.id, state="sent", words=words)
                record(
                    db,
                    at,
                    "notified",
                    by=notice.channel,
                    warning=notice.story.warning,
                    notice=notice.id,
                    attempts=claim.attempts,
                )
                return _pushed(db, notice, at)
            case Retry(words):
                _mark(db, notice.id, state=WAITING, words=words, due=due)
            case Drop(words, reason):
                _mark(db, notice.id, state="dropped", words=words)
                _gave_up(db, claim, words=words, reason=reason, at=at, rescue=rescue)
    return None


def backlog(database: Database) -> Backlog:
    """How much waits, and since when."""
    with database.read() as db:
        row = db.execute(select(func.count(), func.min(outbox.c.made)).where(outbox.c.state == WAITING)).one()
    return Backlog(row[0], row[1])


def _mark(db: Connection, notice: str, *, state: str, words: str, **more: int) -> None:
    db.execute(
        update(outbox).where(outbox.c.id == notice).values(state=state, words=words[:WORDS], lease=0, holder=None, **more)
    )


def _pushed(db: Connection, notice: Notice, at: int) -> float | None:
    """Note the first delivery of a level, whichever channel made it."""
    s, latency = notice.story, (at - notice.story.t) / NS
    new = {"pushed": at, "latency": latency}
    here = (steps.c.warning == s.warning, steps.c.version == s.version, steps.c.pushed.is_(None))
    if db.execute(update(steps).where(*here).values(**new)).rowcount == 0:
        return None
    rise = (warnings.c.id == s.warning, warnings.c.risen == s.version)
    return latency if db.execute(update(warnings).where(*rise).values(**new)).rowcount else None


def _gave_up(db: Connection, claim: Claim, *, words: str, reason: str, at: int, rescue: str | None) -> None:
    """Giving up is itself news: for the audit trail, and once for another channel."""
    n = claim.notice
    record(
        db,
        at,
        "gave_up",
        by=n.channel,
        warning=n.story.warning,
        notice=n.id,
        attempts=claim.attempts,
        reason=reason,
        words=words[:WORDS],
    )
    if rescue is not None and RESCUE not in n.id:
        told = texts.undelivered(n.texts, n.channel, words[:WORDS])
        post(db, Notice(id=f"{n.id}{RESCUE}{rescue}", channel=rescue, story=n.story, texts=told), at)
