"""Keeps the chase going: takes its steps when they are due, and looks every minute whether one was missed."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import httpx
from sqlalchemy.exc import OperationalError

from alerts.book import Book
from alerts.chain import Chain, Missed, audit, mend
from alerts.lane import Patience
from alerts.set_back import draw_near
from lifeline.clock import Clock

log: Final = logging.getLogger("lifeline.desk")
LOOK: Final = 1.0  # [s] between looks at what is due
ROUND: Final = 60.0  # [s] between audits
PATIENCE: Final = 10.0  # [s] for the outside address


class Warden:
    """Loops over the database; they survive that it refuses for a while."""

    def __init__(
        self, book: Book, clock: Clock, wake: Callable[[], None], ping: str = "", patience: Patience | None = None
    ) -> None:
        self._book, self._clock, self._wake, self._ping = book, clock, wake, ping
        self._patience = patience or Patience()
        self._chain = Chain(book)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(LOOK, self._step))
            tasks.create_task(self._every(ROUND, self._audit))
            if self._ping:
                tasks.create_task(self._every(ROUND, self._call))

    async def _every(self, period: float, work: Callable[[], object]) -> None:
        while True:
            try:
                said = work()
                if asyncio.iscoroutine(said):
                    await said
            except OperationalError as why:  # a full or locked disk: the rows are still there at the next look
                log.warning("the chase's database refuses", extra={"why": why})
            await asyncio.sleep(period)

    async def _step(self) -> None:
        at = self._clock.now()
        if await asyncio.to_thread(self._book.settle, at) + await asyncio.to_thread(self._chain.turn, at):
            self._wake()

    async def _audit(self) -> None:
        at = self._clock.now()
        if n := await asyncio.to_thread(draw_near, self._book.database, self._book.deadlines, self._patience, at):
            log.error("the clock was set back: what waited for it is drawn near", extra={"waited": n})
            self._wake()
        missed = await asyncio.to_thread(audit, self._book.database, at)
        for reason in words(missed):
            log.error("the auditor found a gap", extra={"why": reason})
        await asyncio.to_thread(mend, self._book.database, missed, at)

    async def _call(self) -> None:
        """Say outside that nothing is missed: who hears nothing there knows that something is wrong here."""
        missed = await asyncio.to_thread(audit, self._book.database, self._clock.now())
        if words(missed):
            return
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
                await http.get(self._ping)


def words(missed: Missed) -> list[str]:
    """What the auditor found, a line each."""
    said = [f"escalation: {missed.overdue} steps are overdue"] if missed.overdue else []
    return said + [f"escalation: nobody chases the answer to {case.id}" for case in missed.forgotten]
