"""Ways to people, one file each. The folder is the list: webhook.py holds Webhook, whose fields are its settings."""

import pkgutil
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_type_hints

from alerts.notice import Channel
from alerts.route import Route
from lifeline.config import ConfigRefused, build
from lifeline.words import suggestion

ROUTING: Final = ("min_level", "kinds", "audience")  # keys of every channel's table; the rest are the channel's own

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def known() -> dict[str, type]:
    """Type name, as written in the configuration, -> class of the channel."""
    names = [m.name for m in pkgutil.iter_modules(__path__)]
    return {name: getattr(import_module(f"{__name__}.{name}"), name.capitalize()) for name in names}


def configured(
    tables: Mapping[str, Mapping[str, Any]], folder: Path = Path(), public_url: str = ""
) -> tuple[list[Route], dict[str, Channel]]:
    """Routes and channels from the tables [channels.NAME]; ConfigRefused with all that is wrong.

    folder: of relative paths.
    public_url: of the desk, for links in notices, where a table says no other.
    """
    routes: list[Route] = []
    channels: dict[str, Channel] = {}
    problems: list[str] = []
    for name, table in tables.items():
        try:
            route, channels[name] = _one(name, table, folder, public_url)
            routes.append(route)
        except ConfigRefused as why:
            problems += why.problems
    if problems:
        raise ConfigRefused(problems)
    return routes, channels


def _one(name: str, table: Mapping[str, Any], folder: Path, public_url: str) -> tuple[Route, Channel]:
    where, types = f"channels.{name}", known()
    if not NAME.fullmatch(name):
        raise ConfigRefused([f"{where}: a channel's name becomes part of message ids; write it with A-Z, a-z, 0-9, _ and -"])
    kind = table.get("type")
    if kind not in types:
        raise ConfigRefused([f"{where}.type: there is no channel {kind!r}; {suggestion(str(kind), types)}"])
    own = {k: v for k, v in table.items() if k not in {"type", *ROUTING}}
    if public_url and "public_url" in get_type_hints(types[str(kind)]):
        own.setdefault("public_url", public_url)
    route = build(Route, {k: table[k] for k in ROUTING if k in table}, where, folder=folder, given={"channel": name})
    channel: Channel = build(types[str(kind)], own, where, folder=folder)
    return route, channel
