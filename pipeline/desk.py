"""desk: makes warnings of changes, and pushes them to people."""

import socket
from collections.abc import Mapping

import uvicorn

from alerts import channels, responsible, terms
from alerts.api import app
from alerts.calling import Calling
from alerts.desk import Desk, Settings
from alerts.notice import Channel
from alerts.routing import plan as routing
from alerts.routing import topology as upstream
from alerts.routing.plan import Plan
from alerts.routing.topology import Topology
from alerts.tables import Database
from lifeline.catalog import load
from lifeline.clock import WallClock
from lifeline.config import Config, ConfigRefused
from pipeline.token import token


def made(config: Config) -> Desk:
    """The desk of a configuration, with its database open."""
    config.city.data.mkdir(parents=True, exist_ok=True)
    routes, ways = channels.configured(config.channels, config.folder, config.desk.public_url)
    catalog, table = load(config.city.catalog), responsible.load(config.desk.responsibilities or responsible.SHIPPED)
    calling = Calling(routes, table, types=dict(zip(catalog.asset.tolist(), catalog.asset_type.tolist(), strict=True)))
    plan, more = planned(config)
    settings = Settings(
        config.city.name, config.desk.public_url, name=config.desk.name or socket.gethostname(), token=token(config),
        ping=config.desk.ping, plan=plan, topology=topology(config),
    )  # fmt: skip
    database, deadlines = Database(str(config.desk.database)), terms.configured(config.terms)
    return Desk.of(settings, database, catalog, calling, {**ways, **more}, WallClock(), deadlines=deadlines)


def planned(config: Config) -> tuple[Plan | None, dict[str, Channel]]:
    """The routing file, and the channels that it describes itself; ConfigRefused with all that is wrong with it."""
    if config.desk.routing is None:
        return None, {}
    plan = routing.load(config.desk.routing, config.channels)
    personal = [name for name in plan.ways if config.channels.get(name, {}).get("audience") == "persons"]
    if personal:
        why = "is a channel to persons only (audience), so it can be no receiver"
        raise ConfigRefused([f"{config.desk.routing}: receivers: {name} {why}" for name in personal])
    tables = {name: {k: v for k, v in table.items() if k != "at"} for name, table in plan.tables.items()}
    try:
        return plan, channels.configured(tables, config.desk.routing.parent, config.desk.public_url)[1]
    except ConfigRefused as why:
        places = {f"channels.{name}": f"{config.desk.routing}: {table['at']}" for name, table in plan.tables.items()}
        raise ConfigRefused([_placed(problem, places) for problem in why.problems]) from why


def _placed(problem: str, places: Mapping[str, str]) -> str:
    """A problem of a channel, said of the place in the file that describes it."""
    found = next((c for c in places if problem.startswith((f"{c}.", f"{c}:"))), "")
    return places[found] + problem[len(found) :] if found else problem


def topology(config: Config) -> Topology:
    """What lies upstream of what."""
    return upstream.load(config.desk.topology) if config.desk.topology else Topology()


def run(config: Config) -> None:
    """Until SIGINT or SIGTERM."""
    desk = made(config)
    uvicorn.run(app(desk), host=config.desk.host, port=config.desk.port, log_config=None, access_log=False)
