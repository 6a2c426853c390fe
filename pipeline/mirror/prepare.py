"""The command `lifeline store init`."""

from collections.abc import Iterator

from lifeline.config import Influx
from lifeline.words import Failed, Unusable
from pipeline.mirror.means import TIERS
from pipeline.mirror.patient import target
from store.influx_read import Unanswered
from store.kinds import kind, obstacle
from store.prepare import Refused, Tier, steps


def tiers(influx: Influx) -> list[Tier]:
    """The databases of the settings: that of the readings first."""
    name = influx.database
    minute, hour = TIERS
    return [
        Tier(name, influx.retention),
        Tier(name + minute.suffix, influx.minutes, "1m", "10m", "1m"),
        Tier(name + hour.suffix, influx.hours, "1h", "3h", "10m"),
    ]


def prepared(influx: Influx, *, dry_run: bool) -> Iterator[str]:
    """What was done, or would be; a line each."""
    where = target(influx)
    found = kind(where)
    if found is None:
        raise Failed(f"{influx.url}: nobody answers; is InfluxDB running, and is [influx] url right?")
    yield f"{influx.url}: {found.name} {found.version}".rstrip()
    if why_not := obstacle(where):
        raise Unusable(f"{influx.url}: {why_not}")
    if influx.tiers == "server" and not found.tasks:
        raise Unusable(f'[influx] tiers = "server": {found.name} {found.version} makes no means by itself; write "mirror"')
    means = influx.tiers == "server" or (influx.tiers == "auto" and found.trusted)
    kept = tiers(influx) if influx.tiers != "none" else tiers(influx)[:1]
    try:
        for step in steps(where, found, kept, means=means):
            if step.act is not None and not dry_run:
                step.act()
            yield f"{step.what}: {'there' if step.act is None else 'to be made' if dry_run else 'made'}"
    except (Refused, Unanswered) as why:
        raise Failed(f"{influx.url}: {why}") from why
    by = {"none": "nobody"}.get(influx.tiers, "the server" if means else "the mirror")
    yield f"means of minutes and hours are made by {by}"
