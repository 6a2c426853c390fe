"""desk: makes warnings of changes, and pushes them to people."""

import socket

import uvicorn

from alerts import channels, responsible, terms
from alerts.api import app
from alerts.calling import Calling
from alerts.desk import Desk, Settings
from alerts.tables import Database
from lifeline.catalog import load
from lifeline.clock import WallClock
from lifeline.config import Config
from pipeline.token import token


def made(config: Config) -> Desk:
    """The desk of a configuration, with its database open."""
    config.city.data.mkdir(parents=True, exist_ok=True)
    routes, ways = channels.configured(config.channels, config.folder, config.desk.public_url)
    catalog, table = load(config.city.catalog), responsible.load(config.desk.responsibilities or responsible.SHIPPED)
    calling = Calling(routes, table, types=dict(zip(catalog.asset.tolist(), catalog.asset_type.tolist(), strict=True)))
    desk, secret = config.desk, str(config.desk.link_secret)
    name = desk.name or socket.gethostname()
    settings = Settings(config.city.name, desk.public_url, name=name, token=token(config), link_secret=secret, ping=desk.ping)
    deadlines = terms.configured(config.terms)
    return Desk.of(settings, Database(str(config.desk.database)), catalog, calling, ways, WallClock(), deadlines=deadlines)


def run(config: Config) -> None:
    """Until SIGINT or SIGTERM."""
    desk = made(config)
    uvicorn.run(app(desk), host=config.desk.host, port=config.desk.port, log_config=None, access_log=False)
