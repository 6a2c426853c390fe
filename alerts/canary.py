"""The canary at the desk: what came back of it, pushed like a notice and marked as a test, and how long since the last.

It is no warning: it enters no book, no list and no report. The last one of each name is kept in a row of its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import BigInteger, Column, Table, Text, func, select

from alerts.database import META, Database, put
from alerts.notice import Channel, Notice, Outcome, Sent
from alerts.trial import trial
from lifeline import canary
from lifeline.clock import Clock
from lifeline.model import NS, Change, Level
from lifeline.vitals import BUCKETS

log: Final = logging.getLogger("lifeline.canary")
TIMEOUT: Final = 10.0  # [s] for one push
WAITING: Final = 10  # [1] that may wait to be pushed; of more, only the newest are of interest

canaries = Table(
    "canaries", META,
    Column("name", Text, primary_key=True),
    Column("t", BigInteger, nullable=False),  # when it was sent
    Column("at", BigInteger, nullable=False),  # desk clock, when it came back
    Column("pushed", BigInteger, nullable=False, server_default="-1"),  # desk clock, when the last was pushed
)  # fmt: skip


class Mute:
    """A way to nobody."""

    async def send(self, notice: Notice) -> Outcome:  # noqa: ARG002  a channel's signature
        return Sent("nobody is told")

    async def close(self) -> None:
        """Nothing to close."""


class Figures:
    """What is told of it to Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        r = registry
        self.trip = Histogram("lifeline_canary_seconds", "From its publication to its push", registry=r, buckets=BUCKETS)
        self.sent = Counter("lifeline_canary_sent", "Canary readings the broker took", registry=r)
        self.failed = Counter("lifeline_canary_failed", "Canary pushes that failed", registry=r)
        text = "Since the last canary was pushed, or the desk began to wait for one; 0: none is sent"
        self.age = Gauge("lifeline_canary_age_seconds", text, registry=r)


class Canary:
    """Takes those that come back. silence [s]: without one, before it is a warning; channel: that hears each"""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        city: str,
        figures: Figures,
        silence: float,
        channel: str = "",
        way: Channel | None = None,
    ) -> None:
        self.silence, self.since = silence, clock.now()
        self.excused = 0  # [ns] desk clock, when something else was last known to be wrong that explains its absence
        self.figures = figures
        self._database, self._clock, self._city = database, clock, city
        self._channel, self._way = channel or canary.NAME, way or Mute()
        self._back: deque[Change] = deque(maxlen=WAITING)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._call = asyncio.Event()

    def take(self, said: Sequence[Change], at: int) -> None:
        """Canary changes arrived, from any thread; on disk when this returns. at [ns] desk clock"""
        rises = [c for c in said if c.new != Level.NORMAL.name]
        if not rises:
            return
        with self._database.write() as db:
            known = db.execute(select(canaries.c.t)).scalar_one_or_none() or 0
            known = known if known <= at else -1  # a clock was wrong, and is right again
            fresh = [c for c in rises if c.t > known]
            if fresh:
                put(db, canaries, name=canary.NAME, t=fresh[-1].t, at=at)
        self._back.extend(fresh)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._call.set)

    async def run(self) -> None:
        """Push until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            while self._back:
                await self._push(self._back.popleft())
            await self._call.wait()
            self._call.clear()

    async def _push(self, change: Change) -> None:
        notice = trial(self._channel, Level.BLUE, self._city, change.t)
        outcome = await self._attempt(msgspec.structs.replace(notice, id=f"{canary.NAME}.{change.id}.{self._channel}"))
        if not isinstance(outcome, Sent):
            self.figures.failed.inc()
            log.warning("the canary could not be pushed", extra={"channel": self._channel, "words": outcome and outcome.words})
            return
        at = self._clock.now()
        self.figures.trip.observe(max(0.0, (at - change.t) / NS))
        await asyncio.to_thread(self._pushed, change.t, at)

    async def _attempt(self, notice: Notice) -> Outcome | None:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._way.send(notice)
        except Exception as why:  # noqa: BLE001  a bug in a channel, or no answer: the next one tells
            log.warning("the canary's channel broke", extra={"why": f"{type(why).__name__}: {why}"})
            return None

    def _pushed(self, t: int, at: int) -> None:
        with self._database.write() as db:
            put(db, canaries, name=canary.NAME, t=t, at=at, pushed=at)

    def look(self, at: int) -> None:
        """Set the gauge. at [ns] desk clock"""
        before = [t for t in (self.since, heard(self._database)) if t <= at]
        self.figures.age.set((at - max(before, default=at)) / NS)


def heard(database: Database) -> int:
    """When the last was pushed; before all times if none was. [ns] desk clock"""
    with database.read() as db:
        return int(db.execute(select(func.coalesce(func.max(canaries.c.pushed), -1))).scalar_one())


def parted(said: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Canary changes, and all others."""
    mine = [c for c in said if c.rule == canary.RULE]
    return mine, [c for c in said if c.rule != canary.RULE] if mine else list(said)
