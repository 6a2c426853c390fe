"""One channel's way out: claim what is due, send it, write down how it went, all that has ended in one transaction."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from sqlalchemy.exc import OperationalError

from alerts import spool
from alerts.claim import Claim, Wish
from alerts.notice import Channel, Drop, Notice, Outcome, Retry, Sent
from alerts.pace import bundled, paced
from alerts.spool import Ended
from alerts.tables import Database
from lifeline.clock import Clock
from lifeline.model import NS

log: Final = logging.getLogger("lifeline.desk")
SPARE: Final = 4  # [1] attempts at a time beyond the others, for RED


@dataclass(frozen=True)
class Patience:
    """How long to try, and how often."""

    timeout: float = 10.0  # [s] for one attempt
    base: float = 1.0  # [s] before the second attempt; doubles with each
    cap: float = 300.0  # [s] longest wait, the provider's wish included
    deadline: float = 86_400.0  # [s] after which a notice is given up
    lease: float = 12.0  # [s] after which another desk may send; longer than `timeout`
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
        """Latency [s] of the first delivery of a rise; None for all others."""

    def failed(self, channel: str, reason: str, *, final: bool) -> None: ...


@dataclass
class Lane:
    """The worker of one channel."""

    name: str
    channel: Channel
    database: Database
    clock: Clock
    tally: Tally
    patience: Patience
    holder: str  # this desk's name on its leases
    rescue: str | None  # the channel that is told when this one gives up
    wake: Callable[[], None]  # calls every lane
    dress: Callable[[Notice], Notice] = lambda notice: notice  # as a notice is to look when it is sent

    def __post_init__(self) -> None:
        self.call = asyncio.Event()  # set when there may be something new
        self._flying: set[asyncio.Task[list[Ended]]] = set()
        self._ended: list[Ended] = []  # not written down yet
        self._alone: set[str] = set()  # notices of a bundle that was refused
        self._paced = self.channel if paced(self.channel) else None
        self._recalls: bool = getattr(self.channel, "recalls", False)

    async def run(self) -> None:
        """Send until cancelled; attempts in flight are given a moment to end."""
        try:
            while True:
                self.call.clear()
                try:
                    wait = await self._turn(self.patience.in_flight - len(self._flying))
                except OperationalError as why:  # a full or locked disk: nothing is lost, look again
                    log.warning("the outbox's database refuses", extra={"channel": self.name, "why": why})
                    wait = self.patience.poll
                await _called(self.call, wait)
                self._reap()
        finally:
            await self._land()

    async def _turn(self, free: int) -> float:
        """Write down what has ended, start what is due; how long there is nothing else to do. [s]"""
        at, ended = self.clock.now(), self._ended
        lease, rescue = self.patience.lease, self.rescue
        wish = Wish(self.name, free, free + SPARE, self._paced, self.dress, frozenset(self._alone), self._recalls)
        writing = asyncio.ensure_future(
            asyncio.to_thread(spool.turn, self.database, ended, wish, holder=self.holder, at=at, lease=lease, rescue=rescue)
        )
        try:
            batches, latencies = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing  # the thread goes on all the same; what it wrote down must not be written down again
            self._ended = []
            raise
        self._ended = []
        for one, latency in zip(ended, latencies, strict=True):
            self._count(one, latency)
        if any(isinstance(one.outcome, Drop) or (isinstance(one.outcome, Retry) and one.outcome.person) for one in ended):
            self.wake()  # another lane may have to tell of it
        for batch in batches:
            task = asyncio.create_task(self._deliver(batch))
            self._flying.add(task)
            task.add_done_callback(lambda _: self.call.set())
        due = await asyncio.to_thread(spool.next_due, self.database, self.name, at)
        return self.patience.poll if due is None else min(self.patience.poll, max(0.0, (due - self.clock.now()) / NS))

    def _reap(self) -> None:
        """Move the attempts that are over to those to be written down; a bug in one comes up here."""
        done = {task for task in self._flying if task.done()}
        self._flying -= done
        self._ended += [ended for task in done for ended in task.result()]

    async def _land(self) -> None:
        """Let those in flight come down, and write down how they went. What is not written down is sent again, under its id."""
        if self._flying:
            _, late = await asyncio.wait(self._flying, timeout=self.patience.grace)
            for task in late:
                task.cancel()
            self._flying -= late
            self._reap()
        with suppress(OperationalError):
            await self._turn(-SPARE)
        await self.channel.close()

    async def _deliver(self, batch: list[Claim]) -> list[Ended]:
        """One attempt, and what came of it for each notice."""
        outcome = await self._attempt(bundled([self.dress(c.notice) for c in batch]))
        at = self.clock.now()
        if len(batch) > 1 and isinstance(outcome, Drop):  # one may have spoilt it for all: next time each by itself
            self._alone |= {c.notice.id for c in batch}
            outcome = Retry(outcome.words, outcome.reason, after=0.0)
        return [self._judged(claim, outcome, at) for claim in batch]

    def _judged(self, claim: Claim, outcome: Outcome, at: int) -> Ended:
        """How one notice's attempt ended, and when the next is due. at [ns]"""
        if isinstance(outcome, Sent | Drop):
            return Ended(claim, outcome, at, at)
        if at - claim.made > self.patience.deadline * NS:
            return Ended(claim, Drop(f"gave up after {claim.attempts} attempts: {outcome.words}", "expired"), at, at)
        wait = self.patience.wait(claim.notice.id, claim.attempts, outcome.after)
        return Ended(claim, outcome, at, at + round(wait * NS))

    async def _attempt(self, notice: Notice) -> Outcome:
        latency = (self.clock.now() - notice.story.t) / NS
        try:
            async with asyncio.timeout(self.patience.timeout):
                return await self.channel.send(msgspec.structs.replace(notice, latency=latency))
        except TimeoutError:
            return Retry(f"no answer in {self.patience.timeout:g} s", "timeout")
        except Exception as why:  # a bug in one channel must not stop the others; it shows in the words and the log
            log.exception("a channel broke", extra={"notice": notice.id})
            return Retry(f"{type(why).__name__}: {why}", "bug")

    def _count(self, ended: Ended, latency: float | None) -> None:
        outcome = ended.outcome
        if not isinstance(outcome, Retry):
            self._alone.discard(ended.claim.notice.id)
        if isinstance(outcome, Sent):
            self.tally.sent(self.name, latency)
            return
        final = isinstance(outcome, Drop)
        self.tally.failed(self.name, outcome.reason, final=final)
        said = {
            "notice": ended.claim.notice.id,
            "attempt": ended.claim.attempts,
            "reason": outcome.reason,
            "words": outcome.words,
        }
        log.warning("a notice is given up" if final else "a notice will be tried again", extra=said)


async def _called(call: asyncio.Event, wait: float) -> None:
    """Return when called, or after `wait` [s]."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait):
            await call.wait()
