"""Which notices a channel may send now: of each warning only the oldest, RED first, and no more than its pace allows."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, and_, bindparam, func, select, update

from alerts.notice import Earlier, Notice
from alerts.pace import MOST, Paced, groups
from alerts.tables import insert_new, outbox
from alerts.ways import pauses, sends
from lifeline.model import NS, Level

WAITING: Final = "waiting"
MANY: Final = 500  # [1] notices looked at for RED among them
TEXTS: Final = 4  # [1] this part of a window is kept for texts, beside the reserve for RED, before pictures use it
SLACK: Final = 1.1  # a window is taken to be so much longer: messages do not all travel equally long

_EARLIER: Final = outbox.alias()
_AHEAD: Final = (
    select(_EARLIER.c.id)
    .where(_EARLIER.c.warning == outbox.c.warning, _EARLIER.c.channel == outbox.c.channel)
    .where(_EARLIER.c.person == outbox.c.person)
    .where(_EARLIER.c.version < outbox.c.version, _EARLIER.c.state == WAITING)
    .exists()
)
_DUE: Final = (
    select(outbox.c.id, outbox.c.body, outbox.c.attempts, outbox.c.made)
    .where(outbox.c.due <= bindparam("at"), outbox.c.lease <= bindparam("at"), ~_AHEAD)
    .order_by(outbox.c.due, outbox.c.id)
    .limit(bindparam("free"))
    .with_for_update(skip_locked=True)
)
_READY: Final = _DUE.where(outbox.c.state == WAITING, outbox.c.channel == bindparam("channel"))
_RED: Final = outbox.alias()
_BEFORE_RED: Final = outbox.alias()
_SAME: Final = and_(*(_RED.c[name] == _BEFORE_RED.c[name] for name in ("warning", "channel", "person")))
_WITH_RED: Final = (  # RED itself, and what stands before it in its own warning
    select(_BEFORE_RED.c.id)
    .join(_RED, and_(_SAME, _RED.c.version >= _BEFORE_RED.c.version))
    .where(_RED.c.state == WAITING, _RED.c.channel == bindparam("channel"), _RED.c.level == Level.RED.name)
    .where(_BEFORE_RED.c.state == WAITING)
    .distinct()
    .limit(MANY)
)
_URGENT: Final = _DUE.where(outbox.c.id.in_(bindparam("ids", expanding=True)))  # by id alone: else it looks at all that waits
_HOLD: Final = (
    update(outbox)
    .where(outbox.c.id == bindparam("notice"))
    .values(
        lease=bindparam("until"),
        holder=bindparam("by"),
        attempts=outbox.c.attempts + 1,
        first=func.coalesce(outbox.c.first, bindparam("now")),
        last=bindparam("now"),
    )
)
_COUNT: Final = select(func.coalesce(func.sum(sends.c.n), 0)).where(
    sends.c.channel == bindparam("channel"), sends.c.at > bindparam("after")
)
_FORGET: Final = sends.delete().where(sends.c.channel == bindparam("of"), sends.c.at <= bindparam("before"))
_PAUSE: Final = select(pauses.c.until).where(pauses.c.channel == bindparam("channel")).with_for_update()
_BEFORE: Final = (
    select(outbox.c.body)
    .where(outbox.c.warning == bindparam("warning"), outbox.c.channel == bindparam("channel"))
    .where(outbox.c.person == bindparam("person"), outbox.c.version < bindparam("version"), outbox.c.state == "sent")
    .order_by(outbox.c.version, outbox.c.id)
)


class Claim(NamedTuple):
    """A notice that this desk alone may send, until the lease runs out."""

    notice: Notice
    attempts: int  # [1] this one included
    made: int  # [ns] desk clock


class Wish(NamedTuple):
    """What a lane could send. [1] messages"""

    channel: str
    free: int
    urgent: int  # free for RED, which may use more
    paced: Paced | None = None
    dress: Callable[[Notice], Notice] = lambda notice: notice  # as a notice will look when it is sent
    alone: Collection[str] = ()  # ids that go by themselves
    recalls: bool = False  # what was told before goes with each notice


class Room(NamedTuple):
    """How many messages a pace allows now."""

    all: int
    others: int  # of them for what is not RED
    pictures: int = 0  # of them for pictures beside texts: no text of this minute is to wait for one


def claim(db: Connection, wish: Wish, *, holder: str, at: int, lease: float) -> list[list[Claim]]:
    """Hold what may be sent now -> the notices of each message. at [ns], lease [s]"""
    batches = _all_alone(db, wish, at) if wish.paced is None else _by_pace(db, wish, wish.paced, at)
    held = {"until": at + round(lease * NS), "by": holder, "now": at}
    if batches:
        db.execute(_HOLD, [{"notice": c.notice.id, **held} for batch in batches for c in batch])
    if wish.recalls:
        return [[c._replace(notice=recalled(db, c.notice)) for c in batch] for batch in batches]
    return batches


def _all_alone(db: Connection, wish: Wish, at: int) -> list[list[Claim]]:
    """Each by itself."""
    found = _urgent(db, wish.channel, wish.urgent, at)
    known = {c.notice.id for c in found}
    left = wish.free - len(found)
    more = _ready(db, wish.channel, left + len(found), at) if left > 0 else []
    return [[c] for c in (*found, *[c for c in more if c.notice.id not in known][: max(0, left)])]


def _by_pace(db: Connection, wish: Wish, paced: Paced, at: int) -> list[list[Claim]]:
    """As many messages as the provider allows, several notices in one where more wait."""
    room = _room(db, wish.channel, paced, at)
    most = min(room.all, wish.urgent)
    red = _grouped(_urgent(db, wish.channel, most * MOST, at), most, wish, paced)
    known = {c.notice.id for batch in red for c in batch}
    most = min(room.others, room.all - len(red), wish.free - len(red))
    waiting = _ready(db, wish.channel, most * MOST + len(known), at) if most > 0 else []
    others = _grouped([c for c in waiting if c.notice.id not in known], most, wish, paced)
    made, costs = _illustrated([*red, *others], paced.pace.weight, room.pictures)
    if made:
        db.execute(sends.insert(), [{"channel": wish.channel, "at": at, "n": n} for n in costs])
    return made


def _illustrated(made: list[list[Claim]], weight: int, room: int) -> tuple[list[list[Claim]], list[int]]:
    """The same, those bare for whose pictures there is no room; and how many messages each makes. [1]"""
    left, found, costs = room - len(made), [], []
    for batch in made:
        seen = len(batch) == 1 and weight - 1 <= left
        left -= weight - 1 if seen else 0
        bare = weight > 1 and not seen
        found.append([c._replace(notice=msgspec.structs.replace(c.notice, bare=True)) for c in batch] if bare else batch)
        costs.append(weight if seen else 1)
    return found, costs


def _grouped(claims: Sequence[Claim], messages: int, wish: Wish, paced: Paced) -> list[list[Claim]]:
    dressed = [wish.dress(c.notice) for c in claims]
    return [[claims[i] for i in group] for group in groups(dressed, messages, paced, wish.alone)]


def _room(db: Connection, channel: str, paced: Paced, at: int) -> Room:
    """What is left of the windows. The counts are in the database: a restart, or another desk, starts none anew.

    The channel's row among the pauses is held until what is claimed is counted, lest two desks count the same room.
    """
    insert_new(db, pauses, channel=channel, until=0)
    muted = db.execute(_PAUSE, {"channel": channel}).scalar_one() > at
    db.execute(_FORGET, {"of": channel, "before": at - round(paced.pace.memory * SLACK * NS)})
    every, others, pictures = [], [], []
    for w in paced.pace.windows:
        used: int = db.execute(_COUNT, {"channel": channel, "after": at - round(w.seconds * SLACK * NS)}).scalar_one()
        every.append(w.limit - used)
        others.append(w.limit - w.reserve - used)
        pictures.append(w.limit - w.reserve - w.limit // TEXTS - used)
    return Room(max(0, min(every)), 0 if muted else max(0, min(others)), 0 if muted else max(0, min(pictures)))


def _urgent(db: Connection, channel: str, free: int, at: int) -> list[Claim]:
    """What is RED, and what stands in its way."""
    ids = db.execute(_WITH_RED, {"channel": channel}).scalars().all() if free > 0 else []
    return _found(db, _URGENT, at, free, ids=ids) if ids else []


def _ready(db: Connection, channel: str, free: int, at: int) -> list[Claim]:
    return _found(db, _READY, at, free, channel=channel) if free > 0 else []


def _found(db: Connection, query: Any, at: int, free: int, **more: Any) -> list[Claim]:
    return [claimed(r) for r in db.execute(query, {"at": at, "free": free, **more}).mappings()]


def claimed(row: RowMapping) -> Claim:
    return Claim(msgspec.json.decode(row["body"], type=Notice), row["attempts"] + 1, row["made"])


def recalled(db: Connection, notice: Notice) -> Notice:
    """The notice with what its receiver was told of the warning before."""
    whom = {"warning": notice.story.warning, "channel": notice.channel, "person": notice.person}
    rows = db.execute(_BEFORE, {**whom, "version": notice.story.version}).scalars()
    before = [msgspec.json.decode(body, type=Notice).story for body in rows]
    return msgspec.structs.replace(notice, earlier=tuple({s.version: Earlier(s.version, s.made) for s in before}.values()))
