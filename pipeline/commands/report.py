"""`lifeline report daily|monthly`: a page and a workbook of a day or a month, from the desk's database itself."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.users import DEFAULT, Settings

report = typer.Typer(help="Reports by day and month.", no_args_is_help=True, rich_markup_mode=None)


class Tongue(StrEnum):
    """In which language."""

    zh = "zh"
    en = "en"
    both = "both"


Out = Annotated[Path | None, typer.Option(help="Folder; left out: reports in the data directory.")]
In = Annotated[Tongue | None, typer.Option(help="zh, en, both; left out: as configured.")]
Anew = Annotated[bool, typer.Option("--anew", help="From what is known now, not as it was when it was due.")]


@report.command()
def daily(
    date: Annotated[str, typer.Option(help="As 2026-01-31; left out: yesterday.")] = "",
    out: Out = None,
    language: In = None,
    anew: Anew = False,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """Of one day, from midnight to midnight in the city's time zone."""
    _write("daily", date, out, language, config, anew=anew)


@report.command()
def monthly(
    date: Annotated[str, typer.Option(help="As 2026-01; left out: last month.")] = "",
    out: Out = None,
    language: In = None,
    anew: Anew = False,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """Of one month."""
    _write("monthly", date, out, language, config, anew=anew)


def _write(every: str, date: str, out: Path | None, language: Tongue | None, config: Path, *, anew: bool) -> None:
    import os

    from lifeline.config import load
    from pipeline.reports import run

    for path in run(load(config, os.environ), every, date, out, language.value if language else "", anew=anew):
        typer.echo(path)
