"""`lifeline store`: the mirror's InfluxDB."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.users import DEFAULT, Settings

if TYPE_CHECKING:
    from lifeline.config import Config

store = typer.Typer(help="The mirror in InfluxDB: docs/influx.md.", no_args_is_help=True, rich_markup_mode=None)


def _configured(path: Path) -> "Config":
    import os

    from lifeline.config import load
    from lifeline.words import Unusable

    config = load(path, os.environ)
    if not config.influx.url:
        raise Unusable(f"{path}: [influx] url is not set (nor INFLUX_URL in the environment): there is no mirror")
    return config


@store.command()
def init(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made.")] = False,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """Make the databases with their retention, the mappings, and the queries that make means; what is there stays."""
    from pipeline.mirror.prepare import prepared

    for said in prepared(_configured(config).influx, dry_run=dry_run):
        typer.echo(said)


@store.command()
def stat(
    config: Settings = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """How far the mirror is, what became of the readings, and what waits."""
    from pipeline.mirror.tell import stat as told

    typer.echo(told(_configured(config), as_json=json))


@store.command()
def dead(
    most: Annotated[int, typer.Option(help="How many to show.")] = 20,
    config: Settings = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Lines that InfluxDB refused, and its own words; the newest first."""
    from pipeline.mirror.tell import dead as told

    typer.echo(told(_configured(config), most, as_json=json))


@store.command()
def check(
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with offset, or e.g. -1h.")] = "-1h",
    end: Annotated[str, typer.Option("--to", help="RFC 3339 time with offset, or e.g. -1m.")] = "-1m",
    config: Settings = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Compare what the lake holds with what InfluxDB holds, reading by reading; exit code 1 where one is missing."""
    from lifeline.clock import since
    from lifeline.words import Unusable
    from pipeline.mirror.compare import check as compared

    try:
        t0, t1 = since(start), since(end)
    except ValueError as why:
        raise Unusable(str(why)) from why
    said, code = compared(_configured(config), t0, t1, as_json=json)
    typer.echo(said)
    raise typer.Exit(code)


@store.command()
def refill(config: Settings = DEFAULT) -> None:
    """Write all that the lake holds once more, from the oldest on: for an InfluxDB that was lost. The mirror may be running."""
    from pipeline.mirror.tell import refill as begun

    typer.echo(begun(_configured(config)))
