"""The levels of channels, written as the routing file that would say the same: for those who ask a desk that has none."""

from collections.abc import Sequence

import yaml

from alerts.route import Route
from lifeline.model import Kind, Level


def configuration(routes: Sequence[Route]) -> str:
    """An Alertmanager configuration."""
    below = [_route(r) for r in routes if r.audience == "all"]
    names = ["none", *(r.channel for r in routes)]
    said = {"route": {"receiver": "none", "routes": below}, "receivers": [{"name": n} for n in names]}
    return yaml.safe_dump(said, allow_unicode=True, sort_keys=False)


def _route(r: Route) -> dict[str, object]:
    levels = "|".join(level.name for level in Level if level >= max(r.min_level, Level.BLUE))
    kinds = "|".join(sorted(k.value for k in Kind if k in r.kinds))
    return {"receiver": r.channel, "matchers": [f'severity=~"{levels}"', f'kind=~"{kinds}"'], "continue": True}
