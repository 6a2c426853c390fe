"""What providers report of messages they have taken: whether they arrived. It may come before we know of whom it speaks."""

import hashlib
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from alerts.notice import Drop, Outcome, Retry
from alerts.tables import insert_new
from alerts.ways import posted, receipts
from lifeline.model import NS, Level

DELIVERED: Final = "delivered"
FAILED: Final = "failed"  # may go well the next time
NEVER: Final = "never"  # no such number
ATTEMPTS: Final = 3  # [1] after which "failed" is "never"
WAIT: Final = 10.0  # [s] before a message that did not arrive is sent again; doubles with each
KEPT: Final = 7 * 86_400  # [s] for which a report of nobody is kept

_FORGET: Final = receipts.delete().where(receipts.c.notice.is_(None), receipts.c.at < bindparam("before"))
_NAMED: Final = select(posted.c.notice).where(posted.c.channel == bindparam("channel"), posted.c.reference == bindparam("name"))
_EARLY: Final = (
    select(receipts)
    .where(receipts.c.channel == bindparam("channel"), receipts.c.notice.is_(None))
    .where(receipts.c.name.in_(bindparam("names", expanding=True)))
    .order_by(receipts.c.at)
)
_FOUND: Final = update(receipts).where(receipts.c.id == bindparam("of")).values(notice=bindparam("to"))


class Report(NamedTuple):
    """One message, and what became of it."""

    name: str  # ours or the provider's
    fate: str
    words: str
    raw: str  # as it came

    def key(self, channel: str) -> str:
        """The same report has the same."""
        return hashlib.sha256(f"{channel}\0{self.name}\0{self.raw}".encode()).hexdigest()[:32]


def keep(db: Connection, channel: str, report: Report, at: int) -> bool:
    """Write it down; whether it was new. at [ns]"""
    db.execute(_FORGET, {"before": at - KEPT * NS})
    facts = {"channel": channel, "name": report.name, "at": at, "fate": report.fate, "words": report.words[:500]}
    return insert_new(db, receipts, id=report.key(channel), notice=None, **facts)


def notice_of(db: Connection, channel: str, name: str) -> str:
    """The notice that the provider calls so; a name of ours stands for itself."""
    found: str | None = db.execute(_NAMED, {"channel": channel, "name": name}).scalar_one_or_none()
    return found or name


def early(db: Connection, channel: str, notice: str, references: tuple[str, ...]) -> Report | None:
    """A report that came before the answer to its message; it now speaks of this notice. Later ones find it by its names."""
    if not references:
        return None
    for name in references:
        insert_new(db, posted, channel=channel, reference=name, notice=notice)
    names = [notice, *references]
    rows = db.execute(_EARLY, {"channel": channel, "names": names}).mappings().all()
    if rows:
        db.execute(_FOUND, [{"of": r["id"], "to": notice} for r in rows])
    return Report(rows[-1]["name"], rows[-1]["fate"], rows[-1]["words"], "") if rows else None


def found(db: Connection, channel: str, report: Report, notice: str) -> None:
    """The report speaks of this notice."""
    db.execute(_FOUND, {"of": report.key(channel), "to": notice})


def short(notice: str) -> str:
    """A notice's id for gateways that take few characters. [16 hex digits]"""
    return hashlib.sha256(notice.encode()).hexdigest()[:16]


def outcome(report: Report, attempts: int, level: str) -> Outcome:
    """What a message that did not arrive is to the outbox: an attempt that failed. RED is told elsewhere at once."""
    words = f"not delivered: {report.words}"
    if report.fate == NEVER or attempts >= ATTEMPTS:
        return Drop(words, "undelivered")
    return Retry(words, "undelivered", person=level == Level.RED.name)


def wait(attempts: int) -> int:
    """Until the next attempt. [ns]"""
    return round(WAIT * float(2 ** (attempts - 1)) * NS)
