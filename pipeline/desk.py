"""desk: makes warnings of changes, and pushes them to people."""

import socket

import uvicorn

from alerts import channels, responsible, terms
from alerts.api import app
from alerts.calling import Calling
from alerts.desk import Desk, Settings
from alerts.duty import Duty
from alerts.plans import stores
from alerts.tables import Database
from lifeline.catalog import load
from lifeline.clock import WallClock
from lifeline.config import Config
from pipeline.people import duty
from pipeline.reports import press
from pipeline.routed import planned, topology
from pipeline.token import token


def made(config: Config) -> Desk:
    """The desk of a configuration, with its database open."""
    config.city.data.mkdir(parents=True, exist_ok=True)
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
        topology=topology(config), mirrored=bool(config.influx.url),
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


def run(config: Config) -> None:
    """Until SIGINT or SIGTERM."""
    desk = made(config)
    uvicorn.run(app(desk), host=config.desk.host, port=config.desk.port, log_config=None, access_log=False)
