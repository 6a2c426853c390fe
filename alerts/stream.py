"""What happens at the desk, in one order that all desks on a database share: the sealed audit trail, read as it grows.

An event's id is the place of its seal. Rows are sealed after they are committed, one desk at a time, so that no event with
a smaller id ever comes later: who knows the last id that they have seen misses nothing, whichever desk they ask next.

The database is asked once for each desk, not for each follower. A follower is a place in the stream and holds nothing else;
who has fallen behind what is kept in memory reads on from the database.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import OperationalError

from alerts.seals import BATCH, Sealer
from alerts.tables import Database, audit, seals, warnings
from lifeline.clock import Clock
from lifeline.model import Level

log: Final = logging.getLogger("lifeline.desk")
LOOK: Final = 0.25  # [s] between looks at the trail
KEPT: Final = 5000  # [1] events in memory
PAGE: Final = 500  # [1] events read at a time
OF_USERS: Final = ("user_", "token_", "session_")  # acts that are for those who administer users

_SHOWN: Final = ("asset", "hazard", "kind", "domain", "district", "level", "peak", "state", "version", "zh", "en")
_AFTER: Final = (
    select(
        seals.c.seq.label("id"), audit.c.at, audit.c.act, audit.c.by, audit.c.warning, audit.c.detail,
        *(warnings.c[name] for name in _SHOWN),
    )
    .join(audit, audit.c.id == seals.c.audit)
    .join(warnings, warnings.c.id == audit.c.warning, isouter=True)
    .where(seals.c.seq > bindparam("after"))
    .order_by(seals.c.seq)
    .limit(bindparam("most"))
)  # fmt: skip
_LAST: Final = select(func.coalesce(func.max(seals.c.seq), 0))


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An act, and the warning that it is about as it was when this was read; without a warning those fields are null."""

    id: int  # [1] place in the stream
    at: int  # [ns] desk clock
    act: str  # as in the audit trail: raised, worse, eased, resolved, acknowledged, closed, notified ...
    by: str
    warning: str | None
    asset: str | None
    hazard: str | None
    kind: str | None
    domain: str | None
    district: str | None
    level: str | None
    peak: str | None  # the gravest it has been
    state: str | None
    version: int | None
    zh: str | None  # title
    en: str | None
    detail: dict[str, Any]


class Wanted(NamedTuple):
    """Which events somebody follows. Empty: all."""

    domain: frozenset[str] = frozenset()
    district: frozenset[str] = frozenset()
    level: Level = Level.NORMAL  # of warnings that have been at least this grave
    users: bool = False  # acts on users and their tokens too

    def fits(self, event: Event) -> bool:
        if event.act.startswith(OF_USERS) and not self.users:
            return False
        if self.domain and event.domain not in self.domain:
            return False
        if self.district and event.district not in self.district:
            return False
        return self.level is Level.NORMAL or (event.peak is not None and Level[event.peak] >= self.level)


ALL: Final = Wanted()


def read(database: Database, after: int, most: int = PAGE) -> list[Event]:
    """The events after a place, in order."""
    with database.read() as db:
        found = db.execute(_AFTER, {"after": after, "most": most}).mappings().all()
    return [Event(**{**r, "detail": msgspec.json.decode(r["detail"])}) for r in found]


class Feed:
    """The stream of one desk. `run` for as long as it lives; `follow` as often as anybody likes."""

    def __init__(self, database: Database, clock: Clock, *, look: float = LOOK, kept: int = KEPT) -> None:
        """look [s]: between looks at the trail; kept [1]: events in memory."""
        self._database, self._clock, self._look, self._sealer = database, clock, look, Sealer(database)
        self._recent: deque[Event] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._start: int | None = None  # where the stream stood when this desk began to read it

    async def run(self) -> None:
        """Seal and read until cancelled."""
        while True:
            try:
                await self.turn()
            except OperationalError as why:  # a full or locked disk: the rows are still there at the next look
                log.warning("the trail's database refuses", extra={"why": why})
            await asyncio.sleep(self._look)

    async def turn(self) -> None:
        """One look: seal what was written, and tell those who follow what is new."""
        while await asyncio.to_thread(self._sealer.seal, self._clock.now()) == BATCH:
            pass
        last = await self.last()
        while found := await asyncio.to_thread(read, self._database, last):
            self._recent.extend(found)
            last = found[-1].id
            self._news.set()
            self._news = asyncio.Event()

    async def last(self) -> int:
        """The place of the youngest event that is known here."""
        if self._recent:
            return self._recent[-1].id
        if self._start is None:
            self._start = await asyncio.to_thread(self._end)
        return self._start

    async def follow(self, after: int | None = None, wanted: Wanted = ALL, beat: float = 15.0) -> AsyncIterator[Event | int]:
        """The events after a place, for ever; None: from now on. Where none came for `beat` [s]: the place it has read to.

        Who does not ask for the next event is not waited for, and costs nothing.
        """
        place = await self.last() if after is None else after
        if place > await self.last():  # another desk is further: nothing is told again; nothing is beyond all
            place = min(place, await asyncio.to_thread(self._end))
        while True:
            news = self._news  # before the look: what comes in between is not slept through
            if found := await self._page(place):
                for event in found:
                    place = event.id
                    if wanted.fits(event):
                        yield event
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(beat):
                    await news.wait()
                continue
            yield place

    async def _page(self, place: int) -> list[Event]:
        """Some events after a place: out of memory, or out of the database for who is further behind."""
        if place >= await self.last():
            return []
        if self._recent and self._recent[0].id <= place + 1:
            behind = self._recent[-1].id - place
            return list(self._recent)[-behind:][:PAGE]
        return await asyncio.to_thread(read, self._database, place)

    def _end(self) -> int:
        with self._database.read() as db:
            end: int = db.execute(_LAST).scalar_one()
        return end
