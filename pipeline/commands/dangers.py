"""`lifeline dangers`: the ledger of hidden dangers, on the desk's database itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.users import DEFAULT, Settings

if TYPE_CHECKING:
    from alerts.tables import Database

dangers = typer.Typer(help="The ledger of hidden dangers.", no_args_is_help=True, rich_markup_mode=None)

State = Annotated[str, typer.Option(help="One of the eight states, such as overdue (docs/dangers.md).")]
Unit = Annotated[str, typer.Option(help="The responsible unit.")]
Open = Annotated[bool, typer.Option("--open", help="Without what is struck off.")]


def _database(config: Path) -> "Database":
    import os

    from alerts.tables import Database
    from lifeline.config import load
    from pipeline.database import driven, opened

    settings = load(config, os.environ)
    opened(driven(str(settings.desk.database)))
    return Database(str(settings.desk.database))


def _where(state: str, unit: str, *, only_open: bool) -> dict[str, str]:
    from alerts.dangers.life import State as States
    from lifeline.words import Unusable, suggestion

    if state and state not in list(States):
        raise Unusable(f"--state: there is no {state!r}; {suggestion(state, list(States))}")
    return {k: v for k, v in (("state", state), ("unit", unit), ("open", "yes" if only_open else "")) if v}


@dangers.command("list")
def listed(
    state: State = "",
    unit: Unit = "",
    only_open: Open = False,  # noqa: FBT002  a flag
    late: Annotated[bool, typer.Option("--late", help="Only those past their deadline.")] = False,  # noqa: FBT002  a flag
    limit: Annotated[int, typer.Option(min=1)] = 100,
    config: Settings = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """The youngest first."""
    import msgspec
    from rich.console import Console
    from rich.table import Column, Table

    from alerts.dangers import ledger
    from alerts.dangers.danger import told
    from alerts.dangers.names import STATES
    from alerts.texts import local
    from lifeline.clock import now
    from pipeline.people import ZONE

    at = now()
    page = ledger.listed(_database(config), _where(state, unit, only_open=only_open), at, limit=limit, late=late)
    if json:
        typer.echo(msgspec.json.encode({"total": page.total, "dangers": [told(d, at) for d in page.dangers]}))
        return
    table = Table(Column("id", min_width=13), "state", "grade", "colour", "place", "unit", "deadline", "overdue")
    for d in page.dangers:
        due = local(d.deadline, ZONE)[:16] if d.deadline else ""
        table.add_row(d.id, " ".join(STATES[d.state]), d.grade, d.colour, d.place, d.unit, due, str(d.overdue or ""))
    Console().print(table)
    typer.echo(f"{len(page.dangers)} of {page.total}")


@dangers.command("export")
def export(
    path: Annotated[Path, typer.Argument(help="A file that ends in .xlsx or .csv.")],
    state: State = "",
    unit: Unit = "",
    only_open: Open = False,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """The ledger as a file for Excel, with headings in Chinese and English."""
    from alerts.dangers import export as sheets
    from alerts.dangers import ledger
    from lifeline.clock import now
    from lifeline.words import Unusable
    from pipeline.people import ZONE

    write = {".xlsx": sheets.as_xlsx, ".csv": sheets.as_csv}.get(path.suffix.lower())
    if write is None:
        raise Unusable(f"{path}: ends neither in .xlsx nor in .csv")
    found = ledger.listed(_database(config), _where(state, unit, only_open=only_open), now(), limit=None).dangers
    path.write_bytes(write(found, ZONE))
    typer.echo(f"{path}: {len(found)}")
