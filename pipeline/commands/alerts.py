"""The commands `lifeline route …` and `lifeline alerts …`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.forms import Form

if TYPE_CHECKING:
    from lifeline.config import Config
    from pipeline.hotline import Line

route = typer.Typer(help="Who hears of what.", no_args_is_help=True, rich_markup_mode=None)
alerts = typer.Typer(help="Warnings and silences of a running desk.", no_args_is_help=True, rich_markup_mode=None)

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]
DEFAULT = Path("lifeline.toml")
Url = Annotated[str, typer.Option(help="Of the desk; left out: from the configuration.")]
By = Annotated[str, typer.Option(help="Who says so.")]


def configured(path: Path) -> "Config":
    """The configuration; a refusal names every problem."""
    import os

    from lifeline.config import load

    return load(path, os.environ)


Output = Annotated[Form, typer.Option("--output", "-o", help="How it is written.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as -o json.")]


def form(output: Form, *, json: bool) -> Form:
    """What was asked for."""
    return Form.JSON if json else output


class Grade(StrEnum):
    """A level by its name."""

    BLUE = "BLUE"
    YELLOW = "YELLOW"
    ORANGE = "ORANGE"
    RED = "RED"


@route.command("show")
def route_show(config: ConfigPath = DEFAULT) -> None:
    """The tree of routes, with their receivers and channels. Needs no server."""
    from pipeline.routes import tree

    typer.echo(tree(configured(config)))


@route.command("test")
def route_test(
    labels: Annotated[list[str] | None, typer.Argument(help="Labels of a warning: name=value …")] = None,
    level: Annotated[Grade, typer.Option(help="How grave it is.")] = Grade.YELLOW,
    domain: Annotated[str, typer.Option(help="gas, water, bridge, elevator, other.")] = "",
    district: Annotated[str, typer.Option(help="Where it stands.")] = "",
    asset: Annotated[str, typer.Option(help="What it stands at.")] = "",
    at: Annotated[str, typer.Option(help="When: RFC 3339 time with offset, or e.g. -12h.")] = "now",
    config: ConfigPath = DEFAULT,
) -> None:
    """Who would hear of a warning, through which route, and why. Needs no server. Exit code 1: nobody would."""
    from lifeline.clock import since
    from pipeline.routes import labelled, tried

    given = {"domain": domain, "district": district, "asset": asset}
    said = {"severity": level.value, **{k: v for k, v in given.items() if v}, **labelled(labels or [])}
    text, code = tried(configured(config), said, since(at))
    typer.echo(text)
    raise typer.Exit(code)


def hotline(config: Path, url: str) -> "Line":
    """The desk that is meant."""
    from pipeline.hotline import Line
    from pipeline.token import bearer

    settings = configured(config)
    return Line(url or settings.watch.desk, bearer(settings))


@alerts.command("list")
def alerts_list(
    filters: Annotated[list[str] | None, typer.Argument(help='Only those whose labels fit: district="Fenglu" …')] = None,
    level: Annotated[Grade, typer.Option(help="From this level on.")] = Grade.BLUE,
    url: Url = "",
    config: ConfigPath = DEFAULT,
    output: Output = Form.TABLE,
    json: AsJson = False,  # noqa: FBT002  a flag
) -> None:
    """Warnings that are not closed, the gravest first."""
    from lifeline.model import Level
    from pipeline.hotline import listed

    typer.echo(listed(hotline(config, url), filters or [], Level[level.value], form(output, json=json)))


@alerts.command("ack")
def alerts_ack(
    warning: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    by: By,
    comment: Annotated[str, typer.Option(help="What was found or done.")] = "",
    url: Url = "",
    config: ConfigPath = DEFAULT,
    output: Output = Form.TABLE,
) -> None:
    """Take a warning: it is not repeated any more."""
    from pipeline.hotline import acknowledged

    typer.echo(acknowledged(hotline(config, url), warning, by, comment, form(output, json=False)))


@alerts.command("close")
def alerts_close(
    warning: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    by: By,
    comment: Annotated[str, typer.Option(help="How it ended.")] = "",
    url: Url = "",
    config: ConfigPath = DEFAULT,
    output: Output = Form.TABLE,
) -> None:
    """Say that what was RED is over."""
    from pipeline.hotline import closed

    typer.echo(closed(hotline(config, url), warning, by, comment, form(output, json=False)))


@alerts.command("silence")
def alerts_silence(
    matchers: Annotated[list[str], typer.Argument(help='What is not to be told: asset="W-1" hazard=~"gas.*" …')],
    by: By,
    comment: Annotated[str, typer.Option(help="Why.")],
    last: Annotated[str, typer.Option("--for", help="How long, such as 2h.")] = "1h",
    red: Annotated[bool, typer.Option("--red", help="RED hazards too; for leaders only.")] = False,  # noqa: FBT002  a flag
    during: Annotated[
        list[str] | None, typer.Option(help="Recurring: only within these times, a time interval as JSON; may be repeated.")
    ] = None,
    url: Url = "",
    config: ConfigPath = DEFAULT,
) -> None:
    """Tell nobody of some warnings for a while. Prints the silence's id."""
    from pipeline.hotline import silenced

    typer.echo(silenced(hotline(config, url), matchers, last, by, comment, red=red, during=during or []))


@alerts.command("silences")
def alerts_silences(
    url: Url = "",
    config: ConfigPath = DEFAULT,
    output: Output = Form.TABLE,
    json: AsJson = False,  # noqa: FBT002  a flag
) -> None:
    """Silences that hold, or will."""
    from pipeline.hotline import silences

    typer.echo(silences(hotline(config, url), form(output, json=json)))


@alerts.command("expire")
def alerts_expire(silence: Annotated[str, typer.Argument(help="Its id.")], url: Url = "", config: ConfigPath = DEFAULT) -> None:
    """End a silence now: what still stands is told at once."""
    from pipeline.hotline import expired

    typer.echo(expired(hotline(config, url), silence))


@alerts.command("export")
def alerts_export(
    most: Annotated[int, typer.Option(help="How many, the youngest first.", min=1)] = 100_000,
    start: Annotated[str, typer.Option("--from", help="Began then or later: RFC 3339 time with offset, or e.g. -30d.")] = "",
    end: Annotated[str, typer.Option("--to", help="Began before.")] = "",
    url: Url = "",
    config: ConfigPath = DEFAULT,
    output: Output = Form.CSV,
    json: AsJson = False,  # noqa: FBT002  a flag
) -> None:
    """Warnings, closed ones too."""
    from pipeline.hotline import exported

    typer.echo(exported(hotline(config, url), most, start, end, form(output, json=json)))
