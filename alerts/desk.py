"""The desk as one thing: what its routes need, and the tasks that run beside them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import OperationalError

from alerts import queries, spool
from alerts.aside import Aside
from alerts.book import Book, Taken
from alerts.bulletins.press import Press
from alerts.calling import Calling
from alerts.canary import Canary, Figures, parted
from alerts.chain import audit
from alerts.colours import Map
from alerts.dangers.crier import Crier
from alerts.dangers.gate import Gate
from alerts.dangers.ledger import lapse
from alerts.deadman import SOURCES, Deadman
from alerts.duty import Duty
from alerts.duty.guard import Guard
from alerts.flapping import Flapping
from alerts.links import Links
from alerts.meters import Meters
from alerts.notice import Channel
from alerts.outbox import Outbox, Patience
from alerts.plans.stores import Place
from alerts.route import Route
from alerts.routing.external import TIMEOUT, External, Places
from alerts.routing.inhibit import Inhibition
from alerts.routing.minder import Minder
from alerts.routing.plan import Plan
from alerts.routing.router import Router
from alerts.routing.topology import Topology
from alerts.sights import Sights
from alerts.stream import Feed
from alerts.tables import Database
from alerts.terms import SHIPPED, Deadlines
from alerts.users.access import Access
from alerts.users.provider import Provider
from alerts.warden import Warden, words
from lifeline.catalog import Catalog
from lifeline.clock import Clock
from lifeline.config import Oidc
from lifeline.model import NS, Change

log: Final = logging.getLogger("lifeline.desk")
GIVEN_UP: Final = 600.0  # [s] for which a notice that was given up makes the desk unready
LOOK: Final = 1.0  # [s] between looks at the heartbeats


@dataclass(frozen=True)
class Settings:
    """What a desk must be told."""

    city: str
    public_url: str = "http://127.0.0.1:8087"  # how people reach it
    owner: str = "monitoring centre"  # who looks after the monitoring itself
    sources: tuple[str, ...] = SOURCES  # processes that must be heard
    silence: float = 30.0  # [s] after which one of them is warned of
    mirrored: bool = False  # there is a mirror for boards, which must be heard too: else there is a ticket
    outbox_age: float = 60.0  # [s] of the oldest notice, after which the desk is not ready
    blind: frozenset[str] = frozenset({"silence", "stuck", "sensor_fault"})  # tickets that make an asset UNKNOWN on the map
    patience: Patience = field(default_factory=Patience)
    name: str = "desk"  # of this desk among those on one database
    token: str = ""  # that the system's own processes show; "": none holds
    link_secret: str = field(default="", repr=False)  # under which links are signed; "": one that the database keeps
    ping: str = ""  # URL outside that is asked every minute while nothing is missed; "": none
    plan: Plan | None = None  # the routing file; None: the channels' own levels decide
    topology: Topology = field(default_factory=Topology)
    oidc: Oidc = field(default_factory=Oidc)
    canary: float = 0.0  # [s] without a canary, after which it is warned of; 0: none is sent
    canary_channel: str = ""  # that hears each; "": none


@dataclass(frozen=True)
class Desk:
    """The parts, wired."""

    settings: Settings
    clock: Clock
    database: Database
    book: Book
    meters: Meters
    outbox: Outbox
    deadman: Deadman
    catalog: Catalog
    map: Map
    access: Access
    router: Router
    minder: Minder
    external: External
    crier: Crier
    feed: Feed
    since: int  # [ns] when it was made
    guard: Guard | None = None  # of the rosters; None: there are none
    stores: tuple[Place, ...] = ()  # and shelters and teams
    gate: Gate = field(default_factory=Gate)  # of citizens' reports
    press: Press | None = None  # of the reports by day and month; None: none are made
    provider: Provider | None = None  # of identities
    canary: Canary | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        catalog: Catalog,
        calling: Calling | Sequence[Route],
        channels: Mapping[str, Channel],
        clock: Clock,
        zone: tzinfo | None = None,
        deadlines: Deadlines = SHIPPED,
        duty: Duty | None = None,
        stores: tuple[Place, ...] = (),
        press: Press | None = None,
    ) -> Self:
        """A desk over an open database."""
        plan = settings.plan
        called = calling if isinstance(calling, Calling) else Calling(calling)
        router = Router(called, plan, Inhibition(plan.rules if plan else (), settings.topology))
        book, meters = Book(database, called, zone, deadlines, hearing=router, flapping=Flapping()), Meters(database)
        lat, lon = (float(catalog.lat.mean()), float(catalog.lon.mean())) if catalog.n else (0.0, 0.0)
        bird = _bird(settings, database, channels, clock, meters)
        deadman = Deadman(
            book,
            clock.now(),
            settings.city,
            settings.owner,
            lat,
            lon,
            sources=settings.sources,
            limit=settings.silence,
            canary=bird,
        )
        links = Links.of(database, settings.public_url, settings.link_secret)
        outbox = Outbox(database, channels, clock, meters, settings.patience, holder=settings.name, links=links)
        external = External(book, Places.of(catalog, settings.city, settings.owner), plan.resolve_timeout if plan else TIMEOUT)
        guard = Guard(book, duty.over(database), settings.city, lat, lon) if duty else None
        crier = Crier(book, settings.city, settings.owner, lat, lon)
        access = Access(database, settings.token)
        back = f"{settings.public_url.rstrip('/')}/api/v1/oidc/callback"
        made = cls(
            settings, clock, database, book, meters, outbox, deadman, catalog, Map(catalog), access, router,
            Minder(book, router), external, crier, Feed(database, clock), clock.now(), guard, stores, press=press, canary=bird,
            provider=Provider(settings.oidc, back, clock.now) if settings.oidc.issuer else None,
        )  # fmt: skip
        sights = Sights(meters.registry)
        sights.bind(database, catalog, made.painted, made.reasons)
        meters.more += [sights.look, *([bird.look] if bird else [])]
        return made

    def painted(self, at: int) -> NDArray[np.int8]:
        """Position in colours.NAMES of every asset of the map. at [ns]"""
        unheard, blind = queries.unheard(self.database, self.settings.blind), bool(self.deadman.wrong(at))
        return self.map.painted(queries.everything_live(self.database), unheard, blind=blind)

    def take(self, said: list[Change]) -> Taken:
        """Record changes; blocks until they are on disk."""
        birds, said = parted(said)
        if birds and self.canary:
            self.canary.take(birds, self.clock.now())
        taken = self.book.take(said, self.clock.now())
        self.meters.took(taken, said)
        self.meters.refused(len(taken.refused))
        return taken

    async def run(self) -> None:
        """Send notices and listen for heartbeats until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run())
            tasks.create_task(self._listen())
            tasks.create_task(self.feed.run())
            if self.canary:
                tasks.create_task(self.canary.run())
            tasks.create_task(Warden(self.book, self.clock, self.outbox.wake, self.settings.ping, self.settings.patience).run())
            if self.press:
                tasks.create_task(self.press.run(self.clock))

    async def _listen(self) -> None:
        while True:
            try:
                await self.look()
            except OperationalError as why:  # a full disk shows in readiness; the next look may find room
                log.warning("what is due cannot be done", extra={"why": why})
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Judge the heartbeats, the ledger's deadlines and the rosters now, and do what has come due."""
        checks: list[Callable[[int], bool]] = [self.deadman.check, self.external.expire, self.minder.look]
        checks += [partial(lapse, self.database), self.crier.look, *([self.guard.check] if self.guard else [])]
        checks += [self._aside().check] if self.settings.mirrored else []
        for check in checks:
            if await asyncio.to_thread(check, self.clock.now()):
                self.outbox.wake()

    def _aside(self) -> Aside:
        d = self.deadman
        return Aside(self.book, self.since, d.city, d.owner, d.lat, d.lon)

    def reasons(self) -> list[str]:
        """Why the desk is not ready; empty when it is. Blocks."""
        at = self.clock.now()
        try:
            queries.probe(self.database, at)
            overdue = spool.overdue(self.database, at - round(self.settings.outbox_age * NS))
            lost = spool.given_up(self.database, at - round(GIVEN_UP * NS))
            wrong = self.deadman.wrong(at) + words(audit(self.database, at)) + (self.guard.wrong(at) if self.guard else [])
        except OperationalError as refused:
            return [f"database: {refused}"]
        why = [f"{channel}: a notice has waited for {(at - made) / NS:.0f} s" for channel, made in overdue.items()]
        why += [f"{channel}: notices given up in the last {GIVEN_UP / 60:g} min: {n}" for channel, n in lost.items()]
        return why + wrong


def _bird(
    settings: Settings, database: Database, channels: Mapping[str, Channel], clock: Clock, meters: Meters
) -> Canary | None:
    """What waits for the canary; None: none is sent. Its figures are told either way."""
    figures = Figures(meters.registry)
    if not settings.canary:
        return None
    name = settings.canary_channel
    return Canary(database, clock, settings.city, figures, settings.canary, name, channels.get(name))
