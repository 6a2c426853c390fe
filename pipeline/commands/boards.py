"""The commands `lifeline boards …`: dashboards of Grafana, from files or through its HTTP interface."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

boards = typer.Typer(help="Dashboards of Grafana. docs/boards.md", no_args_is_help=True, rich_markup_mode=None)


class Which(StrEnum):
    """In which language boards speak."""

    zh = "zh"
    en = "en"
    both = "both"


Speaks = Annotated[Which, typer.Option(help="zh, en or both.")]
Out = Annotated[Path | None, typer.Option(help="Another folder than boards/json and docker/grafana/provisioning.")]
Rules = Annotated[Path | None, typer.Option(help="Folder of other rules whose limits are drawn; left out: the program's.")]
Tiles = Annotated[str, typer.Option(help="URL of map tiles with {x}, {y}, {z}; left out: a blank map, which needs no network.")]
Url = Annotated[str, typer.Option(envvar="GRAFANA_URL", help="Of Grafana.")]
Token = Annotated[str, typer.Option(envvar="GRAFANA_TOKEN", help="Of a service account. On a command line others can read it.")]
InfluxUrl = Annotated[
    str, typer.Option(envvar="INFLUX_URL", help="Of InfluxDB as Grafana reaches it; left out: no data source.")
]
InfluxToken = Annotated[str, typer.Option(envvar="INFLUX_TOKEN", help="To read with; 1.8 without users wants none.")]
Database = Annotated[str, typer.Option(envvar="INFLUX_DATABASE", help="Of InfluxDB (DBRP mapping on 2.x).")]


@boards.command("build")
def build(
    out: Out = None,
    language: Speaks = Which.both,
    rules: Rules = None,
    basemap: Tiles = "",
    database: Database = "lifeline",
    check: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--check", help="Write nothing; exit code 1 where files are not what is built.")
    ] = False,
) -> None:
    """Write the boards and Grafana's provisioning files."""
    from pipeline.boarding import Place, made

    place, built = Place.of(out), made(language.value, rules, basemap, database)
    stale = place.drift(built) if check else place.write(built)
    for path in stale:
        typer.echo(f"{path}: {'is not what is built' if check else 'written'}")
    typer.echo(f"{len(built)} boards, {len(stale)} files {'differ' if check else 'written'}")
    raise typer.Exit(int(check and bool(stale)))


@boards.command("diff")
def diff(
    out: Out = None,
    language: Speaks = Which.both,
    rules: Rules = None,
    basemap: Tiles = "",
    database: Database = "lifeline",
    url: Url = "",
    token: Token = "",
) -> None:
    """What differs between what is built and a Grafana, or the files where none is named. Exit code 1: something does."""
    from boards.push import Wanted
    from pipeline.boarding import Options, Place, block, compared, made, planned, reached

    built = made(language.value, rules, basemap, database)
    if url:
        steps = planned(reached(url, token), Wanted(built), Options(prune=True))
        said = [line for s in steps for line in block(s.what, list(s.details))]
    else:
        said = compared(built, Place.of(out))
    typer.echo("\n".join(said) or "no difference")
    raise typer.Exit(int(bool(said)))


@boards.command("push")
def push(
    url: Url = "",
    token: Token = "",
    language: Speaks = Which.both,
    rules: Rules = None,
    basemap: Tiles = "",
    influx_url: InfluxUrl = "",
    influx_token: InfluxToken = "",
    database: Database = "lifeline",
    warnings: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--warnings", help="Also note the desk's warnings, with links to their cases.")
    ] = False,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration of the desk, for --warnings.")] = Path(
        "lifeline.toml"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,  # noqa: FBT002  a flag
    prune: Annotated[bool, typer.Option("--prune", help="Also remove other dashboards from our two folders.")] = False,  # noqa: FBT002  a flag
    force: Annotated[bool, typer.Option("--force", help="Write over what others changed meanwhile.")] = False,  # noqa: FBT002  a flag
    message: Annotated[str, typer.Option(help="For the history of versions.")] = "lifeline boards push",
) -> None:
    """Make a Grafana show the boards: data source, folders, dashboards, notes of warnings. What is so already is left alone."""
    from boards.push import Wanted
    from pipeline.boarding import Options, block, done, made, planned, reached, source
    from pipeline.boarding import warnings as noted

    grafana = reached(url, token)
    told = []
    if warnings:
        from pipeline.commands.alerts import configured, hotline

        told = noted(hotline(config, ""), configured(config).desk.public_url)
    wanted = Wanted(made(language.value, rules, basemap, database), source(influx_url, database, influx_token), told)
    steps = planned(grafana, wanted, Options(prune, force, message))
    if dry_run:
        for step in steps:
            typer.echo("\n".join(block(f"would {step.what}", list(step.details))))
    else:
        for what in done(steps):
            typer.echo(what)
    typer.echo(f"{len(steps)} {'steps to do' if dry_run else 'steps done'}" if steps else "nothing to do")
