"""What all pages show, asked of the database once for all of them: when something was booked, and every few seconds anyway."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from nicegui import Client
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers

from alerts import queries
from alerts.case import Case, weight
from alerts.desk import Desk
from alerts.lifecycle import ASKING
from alerts.roles import Role
from alerts.tables import audit
from alerts.users.guard import recognised
from lifeline.model import NS, Kind, Level

log: Final = logging.getLogger("lifeline.console")
HANGS: Final = "does its database take anything?"
TICK: Final = 0.05  # [s] between looks whether this desk has booked something; asks nothing of the database
OTHERS: Final = 1.0  # [s] between looks whether another desk on the same database has
OLDEST: Final = 5.0  # [s] after which the picture is made anew whatever has happened, and after which it is asked who may look
SHARE: Final = 6.0  # [1] times as long as a picture took, the next one waits: a storm of warnings does not starve the desk
PATIENCE: Final = 20.0  # [s] for which a page that cannot be drawn stays as it is
SLOW: Final = 8.0  # [s] that the desk may take to say whether it is ready
BEAT: Final = 2.0  # [s] between signs of life to the browsers


class Snapshot(NamedTuple):
    """The city at one instant."""

    at: int  # [ns] desk clock
    trail: int  # last line of the audit trail
    cases: tuple[Case, ...]  # not closed: those that ask for an answer first, then the gravest, then the youngest
    colour: str  # one digit an asset, in the order of the map: position in colours.NAMES
    districts: tuple[dict[str, Any], ...]
    wrong: tuple[str, ...]  # why the desk is not ready
    blind: bool  # nobody watches: no quiet asset is green

    def worst(self) -> Level:
        """The gravest hazard that stands."""
        return max((c.level for c in self.cases if c.kind is Kind.HAZARD), default=Level.NORMAL)

    def tally(self) -> dict[Level, int]:
        """Hazards not closed, by their level; what is over and waits to be closed counts as what it was. [1]"""
        found = dict.fromkeys((Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE), 0)
        for c in self.cases:
            if c.kind is Kind.HAZARD:
                found[c.level or c.peak] += 1
        return found


class Guest(NamedTuple):
    """A browser that looks on."""

    headers: Headers  # with its credential
    role: Role  # for which its page was made
    # the picture, and what has risen to ORANGE or RED since the one before; what it gives back has to be done too
    told: Callable[[Snapshot, Sequence[Case]], Awaitable[None] | None]


@dataclass
class Looker:
    """One that has come, and how far it is."""

    client: Client
    guest: Guest
    shown: Snapshot  # the last picture that it has been told
    drawn: int  # [ns] of the last picture that its page has drawn whole: a page that fails grows old, and says so
    drawing: int = 0  # [1] pictures that it still draws
    failed: bool = False  # and has drawn none since

    def told(self, at: int) -> None:
        """A picture is drawn."""
        self.drawn, self.failed = max(self.drawn, at), False


class Pulse:
    """Makes the pictures and hands them to whoever looks on. While nobody does, it does nothing."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.last: Snapshot | None = None
        self._told: Snapshot | None = None  # what those who look on have been told; None: nobody has looked on
        self._guests: dict[str, Looker] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # that draw: the loop holds none
        self._poked, self._one = True, asyncio.Lock()
        self._commits, self._took = -1, 0.0
        self._wrong: tuple[str, ...] = ()
        self._said = -1  # [ns] desk clock, when it last said what is wrong, or did not
        self._asking: asyncio.Task[list[str]] | None = None
        self._changed = False  # what is wrong is other than in the last picture

    def join(self, client: Client, guest: Guest, shown: Snapshot) -> None:
        """From now on until it goes, a browser is told. shown: the picture that its page was made of"""
        looker = self._guests[client.id] = Looker(client, guest, shown, shown.at)
        client.on_connect(lambda: self._back(looker))
        client.on_delete(lambda: self._guests.pop(client.id, None))

    def poke(self) -> None:
        """Somebody has done something here: look at once."""
        self._poked = True

    async def now(self) -> Snapshot:
        """A picture that is not older than OLDEST."""
        async with self._one:
            if self.last is None or self.desk.clock.now() - self.last.at > OLDEST * NS:
                if self.desk.clock.now() - self._said > 2 * (OLDEST + SLOW) * NS:  # nobody has looked on for a while
                    self._wrong = await self._reasons()
                self.last = await asyncio.to_thread(snapshot, self.desk, self._wrong)
            return self.last

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._watch(), self._mind())

    async def _watch(self) -> None:
        """Look and tell. What goes wrong shows in the browsers: their picture grows old, and they say so."""
        loop = asyncio.get_running_loop()
        looked = beat = loop.time()
        while True:
            await asyncio.sleep(TICK)
            t = loop.time()
            if not self._guests:
                self._told = None
                continue
            try:
                if t - looked > max(TICK, SHARE * self._took) and (self._stirred() or t - looked > OTHERS):
                    looked = t
                    await self._look()
                if t - beat > BEAT:
                    beat = t
                    self._beat()
            except SQLAlchemyError as why:
                log.warning("the console cannot look", extra={"why": why})
                await asyncio.sleep(OTHERS)
            except Exception:
                log.exception("the console cannot look")
                await asyncio.sleep(OTHERS)

    def _stirred(self) -> bool:
        """Whether this desk has booked something since the last look."""
        commits, self._commits = self._commits, self.desk.database.commits
        poked, self._poked = self._poked, False
        return poked or commits != self._commits

    async def _mind(self) -> None:
        """What is wrong with the desk, and who may still look: questions that take their time, asked beside the pictures."""
        while True:
            await asyncio.sleep(OLDEST)
            try:
                await self._check()
                self._mend()
                wrong = await self._reasons() if self._guests else self._wrong
            except Exception as why:
                log.exception("the console cannot ask the desk")
                wrong = (f"{type(why).__name__}: {why}",)
            if wrong != self._wrong:
                self._wrong, self._changed = wrong, True

    async def _look(self) -> None:
        before = self._told
        trail = await asyncio.to_thread(_trail, self.desk)
        changed, self._changed = self._changed, False
        if before is not None and not changed and trail == before.trail and self.desk.clock.now() - before.at < OLDEST * NS:
            return
        begun = asyncio.get_running_loop().time()
        async with self._one:
            self.last = self._told = made = await asyncio.to_thread(snapshot, self.desk, self._wrong)
        self.show(made)
        self._took = asyncio.get_running_loop().time() - begun

    def show(self, made: Snapshot) -> None:
        """Hand a picture to all whose browser is there."""
        up: dict[int, list[Case]] = {}  # by the picture before, which nearly all have in common
        for looker in list(self._guests.values()):
            if looker.client.has_socket_connection:
                if looker.shown.at not in up:
                    up[looker.shown.at] = risen(looker.shown, made)
                self._tell(looker, made, up[looker.shown.at])

    def _tell(self, looker: Looker, made: Snapshot, up: Sequence[Case]) -> None:
        """One that cannot draw it keeps it from nobody else."""
        looker.shown = made
        try:
            with looker.client:
                more = looker.guest.told(made, up)
        except Exception as why:  # noqa: BLE001  a defect of one page may cost that page, never the others
            self._fail(looker, why)
            return
        if more is not None:
            looker.drawing += 1
            task = asyncio.create_task(self._finish(looker, more, made.at), name="refresh")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif not looker.drawing and not looker.failed:
            looker.told(made.at)

    async def _finish(self, looker: Looker, more: Awaitable[None], at: int) -> None:
        try:
            with looker.client:
                await more
        except Exception as why:  # noqa: BLE001  as above
            self._fail(looker, why)
        else:
            looker.told(at)
        finally:
            looker.drawing -= 1

    def _fail(self, looker: Looker, why: Exception) -> None:
        looker.failed = True
        log.error("a page of the console cannot be drawn", extra={"page": looker.client.page.path}, exc_info=why)

    def _back(self, looker: Looker) -> None:
        """A browser is there, or again: what it has missed, it is told."""
        if self.last is not None and self.last.at > looker.shown.at:
            self._tell(looker, self.last, risen(looker.shown, self.last))
        self._sign(looker)

    def _beat(self) -> None:
        for looker in list(self._guests.values()):
            if looker.client.has_socket_connection:
                self._sign(looker)

    def _sign(self, looker: Looker) -> None:
        """A sign of life: how old the picture is that the page shows, and how much is wrong."""
        now = self.desk.clock.now()
        age = 1e9 if self.last is None else (now - min(self.last.at, looker.drawn)) / NS
        wrong = len(self.last.wrong) if self.last else 0
        looker.client.run_javascript(f"lifeline.beat({age:.1f},{wrong},{now // 1_000_000})")

    async def _reasons(self) -> tuple[str, ...]:
        """Why the desk is not ready. Where it does not say, as with a database that takes nothing and refuses nothing, that is
        the reason; it is not asked a second time meanwhile.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self.desk.reasons), name="reasons")
        asking = self._asking
        await asyncio.wait({asking}, timeout=SLOW)
        self._said = self.desk.clock.now()
        return tuple(asking.result()) if asking.done() else (f"desk: not said for {SLOW:g} s whether it is ready; {HANGS}",)

    def _mend(self) -> None:
        """A page that cannot be drawn, of a desk that can be asked, is made anew, unless somebody is writing there."""
        for looker in self._guests.values():
            if looker.failed and self.last is not None and self.last.at - looker.drawn > PATIENCE * NS:
                looker.client.run_javascript("document.querySelector('.q-dialog--modal') || location.reload()")

    async def _check(self) -> None:
        """Whoever has been locked out meanwhile sees nothing more; another role is another page."""
        at = self.desk.clock.now()
        for client, guest in [(x.client, x.guest) for x in self._guests.values()]:
            who, _ = await asyncio.to_thread(recognised, self.desk.access, guest.headers, at)
            if who is None or who.role != guest.role:
                self._guests.pop(client.id, None)
                client.run_javascript("location.reload()")  # and is asked to sign in
                asyncio.get_running_loop().call_later(BEAT, client.delete)  # also one that does not listen


def snapshot(desk: Desk, wrong: tuple[str, ...]) -> Snapshot:
    """The city as it stands. wrong: with the desk itself. Blocks."""
    at, trail = desk.clock.now(), _trail(desk)
    cases = queries.everything_live(desk.database)
    blind = bool(desk.deadman.wrong(at))
    painted = desk.map.painted(cases, queries.unheard(desk.database, desk.settings.blind), blind=blind)
    told = desk.map.told(painted)["districts"]
    cases.sort(key=_gravest_first)
    return Snapshot(at, trail, tuple(cases), "".join(map(str, painted.tolist())), tuple(told), wrong, blind)


def risen(before: Snapshot | None, now: Snapshot) -> list[Case]:
    """Hazards that have risen to ORANGE or RED since the picture before."""
    known = {c.id: c.risen for c in before.cases} if before else {c.id: c.risen for c in now.cases}
    return [
        c for c in now.cases if c.kind is Kind.HAZARD and c.level >= Level.ORANGE and c.risen > known.get(c.id, -1)
    ]  # fmt: skip


def _gravest_first(c: Case) -> tuple[bool, bool, int, int]:
    return c.state not in ASKING, not weight(c.level or c.peak, c.kind)[0], -(c.level or c.peak), -c.onset


def _trail(desk: Desk) -> int:
    with desk.database.read() as db:
        return db.execute(select(func.max(audit.c.id))).scalar_one() or 0
