"""An outbox that works, and what has become of its notices."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select

from alerts.meters import Meters
from alerts.notice import Channel
from alerts.outbox import Outbox, Patience
from alerts.tables import Database, outbox
from lifeline.clock import WallClock

QUICK = Patience(timeout=5.0, base=0.02, cap=0.2, deadline=30.0, lease=20.0, poll=0.05, grace=1.0)


@asynccontextmanager
async def sending(
    database: Database, channels: dict[str, Channel], patience: Patience = QUICK, **more: Any
) -> AsyncIterator[Outbox]:
    worker = Outbox(database, channels, WallClock(), Meters(database), patience, **more)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool], patience: float = 15.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110  what is waited for is in a database or another thread
            await asyncio.sleep(0.005)


def states(database: Database, channel: str = "phone") -> list[tuple[str, int]]:
    with database.read() as db:
        query = select(outbox.c.state, outbox.c.attempts).where(outbox.c.channel == channel)
        return [tuple(r) for r in db.execute(query.order_by(outbox.c.warning, outbox.c.version, outbox.c.id))]


def done(database: Database, channel: str = "phone") -> Callable[[], bool]:
    return lambda: all(state != "waiting" for state, _ in states(database, channel))


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)
