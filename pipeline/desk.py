"""desk: makes warnings of changes, and pushes them to people."""

import logging
import socket
from pathlib import Path
from typing import Any, Final

import uvicorn

from alerts import channels, responsible, terms
from alerts.api import app
from alerts.calling import Calling
from alerts.desk import Desk, Settings
from alerts.duty import Duty
from alerts.plans import stores
from alerts.tables import Database
from lifeline import canary
from lifeline.catalog import load
from lifeline.clock import WallClock
from lifeline.config import Config, ConfigRefused
from lifeline.vitals import register
from lifeline.words import suggestion
from pipeline.people import duty
from pipeline.reports import press
from pipeline.routed import planned, topology
from pipeline.song import Song
from pipeline.token import token

log = logging.getLogger("lifeline.desk")

STOP: Final = 3  # [s] given to requests when it stops; the stream of events would never end by itself


def made(config: Config) -> Desk:
    """The desk of a configuration, with its database open."""
    config.city.data.mkdir(parents=True, exist_ok=True)
    if (heard := config.canary.channel) and heard not in config.channels:
        raise ConfigRefused([f"canary.channel: there is no channel {heard!r}; {suggestion(heard, config.channels)}"])
    routes, ways = channels.configured(config.channels, config.folder, config.desk.public_url)
    catalog, roster, database = load(config.city.catalog), duty(config), Database(str(config.desk.database))
    types = dict(zip(catalog.asset.tolist(), catalog.asset_type.tolist(), strict=True))
    table = responsible.load(config.desk.responsibilities or responsible.SHIPPED)
    calling = Calling(routes, table, roster.over(database) if roster else None, _owners(roster), types)
    desk, secret = config.desk, str(config.desk.link_secret)
    name = desk.name or socket.gethostname()
    plan, more = planned(config)
    settings = Settings(
        config.city.name, desk.public_url, name=name, token=token(config), link_secret=secret, ping=desk.ping, plan=plan,
        topology=topology(config), mirrored=bool(config.influx.url), canary=patience(config),
        canary_channel=config.canary.channel, oidc=config.oidc,
    )  # fmt: skip
    deadlines, ways = terms.configured(config.terms), {**ways, **more}
    near = stores.load(desk.stores) if desk.stores else ()
    return Desk.of(
        settings,
        database,
        catalog,
        calling,
        ways,
        WallClock(),
        deadlines=deadlines,
        duty=roster,
        stores=near,
        press=press(config, database, ways),
    )


def _owners(roster: Duty | None) -> dict[str, str]:
    """Every name of a unit -> the unit: the catalog names owners as people do."""
    return {name: u.id for u in roster.people.units.values() for name in (u.en, u.zh, u.id)} if roster else {}


def patience(config: Config) -> float:
    """How long the canary may be silent; 0: none is sent, or none would be received. [s]"""
    if not config.canary.every:
        return 0.0
    name = canary.topic(config.city.name)
    if canary.taken(config.broker.topics, name):
        return max(config.canary.silence, 2 * config.canary.every)
    log.warning("no canary is sent: [broker] topics do not take it in", extra={"topic": name, "topics": config.broker.topics})
    return 0.0


def run(config: Config, path: Path | None = None) -> None:
    """Until SIGINT or SIGTERM. path: of its configuration"""
    desk = made(config)
    register(desk.meters.registry, "desk", path)
    if bird := desk.canary:
        Song(config, desk.settings.name, lambda _: bird.figures.sent.inc()).start()
    pages = app(desk)
    if config.desk.console:
        from alerts import console

        console.mount(pages, desk)
    where: dict[str, Any] = {"host": config.desk.host, "port": config.desk.port}
    uvicorn.run(pages, **where, log_config=None, access_log=False, timeout_graceful_shutdown=STOP)
