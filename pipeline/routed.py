"""The routing file of a configuration, with the channels that it describes, and what lies upstream of what."""

from collections.abc import Mapping

from alerts import channels
from alerts.notice import Channel
from alerts.routing import plan as routing
from alerts.routing import topology as upstream
from alerts.routing.plan import Plan
from alerts.routing.topology import Topology
from lifeline.config import Config, ConfigRefused


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
