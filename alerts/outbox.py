"""Sends what the book wrote, at least once, in order for each warning and channel.

One task a channel, so that a slow one holds up nobody else.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from alerts import spool
from alerts.notice import Channel, Drop, Outcome, Retry, Sent
from alerts.spool import Claim
from alerts.tables import Database
from lifeline.clock import Clock
from lifeline.model import NS

log: Final = logging.getLogger("lifeline.desk")


@dataclass(frozen=True)
class Patience:
    """How long to try, and how often."""

    timeout: float = 10.0  # [s] for one attempt
    base: float = 1.0  # [s] before the second attempt; doubles with each
    cap: float = 300.0  # [s] longest wait, the provider's wish included
    deadline: float = 86_400.0  # [s] after which a notice is given up
    lease: float = 30.0  # [s] after which another desk may send; longer than `timeout`
    poll: float = 1.0  # [s] between looks when nobody calls
    in_flight: int = 8  # [1] attempts at a time, each channel
    grace: float = 3.0  # [s] given to attempts in flight when the desk stops

    def wait(self, notice: str, attempts: int, hint: float | None) -> float:
        """Until the next attempt; spread by the notice's own id, so that a thousand do not come back together. [s]"""
        spread = int.from_bytes(sha256(f"{notice}\0{attempts}".encode()).digest()[:4]) / 2**32
        wait = min(self.cap, self.base * 2 ** min(attempts - 1, 30)) * (0.5 + 0.5 * spread)
        return wait if hint is None else min(self.cap, hint) + self.base * 0.1 * spread


class Tally(Protocol):
    """Counts what the outbox does."""

    def sent(self, channel: str, latency: float | None) -> None:
        """latency [s] of the first delivery of a rise; None for all others."""

    def failed(self, channel: str, reason: str, *, final: bool) -> None: ...


class Outbox:
    """The worker. `run` for as long as the desk lives; `wake` when there is something new."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        clock: Clock,
        tally: Tally,
        patience: Patience | None = None,
        *,
        holder: str = "desk",
    ) -> None:
        self.channels, self.patience = dict(channels), patience or Patience()
        self._database, self._clock, self._tally, self._holder = database, clock, tally, holder
        self._call = {name: asyncio.Event() for name in channels}

    def wake(self) -> None:
        """Look at once."""
        for call in self._call.values():
            call.set()

    async def run(self) -> None:
        """Send until cancelled; attempts in flight are given a moment to end."""
        await asyncio.to_thread(spool.release, self._database, self._holder)
        for claim in await asyncio.to_thread(spool.orphans, self._database, list(self.channels)):
            await self._settle(claim, Drop("no channel of this name is configured", "misconfigured"))
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in self.channels:
                    tasks.create_task(self._serve(name))
        finally:
            for channel in self.channels.values():
                await channel.close()

    async def _serve(self, name: str) -> None:
        """One channel: fill the free places, then wait for a call or for the next due notice."""
        flying: set[asyncio.Task[None]] = set()
        call = self._call[name]
        try:
            while True:
                call.clear()
                try:
                    wait = await self._fill(name, flying)
                except SQLAlchemyError as why:  # a full or locked disk: nothing is lost, look again
                    log.warning("the outbox cannot be read", extra={"channel": name, "why": why})
                    wait = self.patience.poll
                await _called(call, wait)
        finally:
            if flying:
                _, left = await asyncio.wait(flying, timeout=self.patience.grace)
                for task in left:
                    task.cancel()

    async def _fill(self, name: str, flying: set[asyncio.Task[None]]) -> float:
        """Start what is due; how long there is nothing else to do. [s]"""
        at, free = self._clock.now(), self.patience.in_flight - len(flying)
        if free > 0:
            for claim in await asyncio.to_thread(
                spool.claim, self._database, name, free, holder=self._holder, at=at, lease=self.patience.lease
            ):
                task = asyncio.create_task(self._deliver(claim))
                flying.add(task)
                task.add_done_callback(flying.discard)
                task.add_done_callback(lambda _: self._call[name].set())
        due = await asyncio.to_thread(spool.next_due, self._database, name, at)
        return self.patience.poll if due is None else min(self.patience.poll, max(0.0, (due - self._clock.now()) / NS))

    async def _deliver(self, claim: Claim) -> None:
        """One attempt, and what came of it."""
        outcome = self._in_time(claim, await self._attempt(claim))
        try:
            await self._settle(claim, outcome)
        except (
            SQLAlchemyError
        ) as why:  # sent or not, it is not written down: when the lease ends it is sent again, under the same id
            log.warning("an attempt cannot be written down", extra={"notice": claim.notice.id, "why": why})

    async def _settle(self, claim: Claim, outcome: Outcome) -> None:
        notice, at = claim.notice, self._clock.now()
        hint = outcome.after if isinstance(outcome, Retry) else None
        due = at + round(self.patience.wait(notice.id, claim.attempts, hint) * NS)
        rescue = self._rescue(notice.channel)
        latency = await asyncio.to_thread(spool.settle, self._database, claim, outcome, at=at, due=due, rescue=rescue)
        self._count(claim, outcome, latency)

    async def _attempt(self, claim: Claim) -> Outcome:
        notice = claim.notice
        latency = (self._clock.now() - notice.story.t) / NS
        try:
            async with asyncio.timeout(self.patience.timeout):
                return await self.channels[notice.channel].send(msgspec.structs.replace(notice, latency=latency))
        except TimeoutError:
            return Retry(f"no answer in {self.patience.timeout:g} s", "timeout")
        except Exception as why:  # a bug in one channel must not stop the others; it shows in the words and the log
            log.exception("a channel broke", extra={"notice": notice.id})
            return Retry(f"{type(why).__name__}: {why}", "bug")

    def _in_time(self, claim: Claim, outcome: Outcome) -> Outcome:
        """After the deadline there is no next attempt."""
        late = self._clock.now() - claim.made > self.patience.deadline * NS
        if late and isinstance(outcome, Retry):
            return Drop(f"gave up after {claim.attempts} attempts: {outcome.words}", "expired")
        return outcome

    def _rescue(self, channel: str) -> str | None:
        """The first other channel."""
        return next((name for name in self.channels if name != channel), None)

    def _count(self, claim: Claim, outcome: Outcome, latency: float | None) -> None:
        notice = claim.notice
        if isinstance(outcome, Sent):
            self._tally.sent(notice.channel, latency)
            return
        final = isinstance(outcome, Drop)
        self._tally.failed(notice.channel, outcome.reason, final=final)
        said = {"notice": notice.id, "attempt": claim.attempts, "reason": outcome.reason, "words": outcome.words}
        log.warning("a notice is given up" if final else "a notice will be tried again", extra=said)
        if final:
            self.wake()  # the rescue


async def _called(call: asyncio.Event, wait: float) -> None:
    """Return when called, or after `wait` [s]."""
    try:
        async with asyncio.timeout(wait):
            await call.wait()
    except TimeoutError:
        pass
