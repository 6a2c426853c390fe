"""The commands `lifeline roster …`. Everything heavy is imported inside them."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.roster import Office

roster_app = typer.Typer(help="People and duty rosters: docs/duty.md.", no_args_is_help=True, rich_markup_mode=None)

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]
DEFAULT = Path("lifeline.toml")
Json = Annotated[bool, typer.Option("--json")]
Unit = Annotated[str, typer.Argument(help="Id of the unit.")]
Role = Annotated[str, typer.Argument(help="Role in it.")]
By = Annotated[str, typer.Option(help="Who enters it.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Days = Annotated[int, typer.Option(help="So many days from now on.", min=1, max=400)]


@contextmanager
def office(config: Path) -> "Iterator[Office]":
    """The rosters of a configuration, with the desk's database open."""
    import os

    from lifeline.config import load
    from pipeline.roster import opened

    with opened(load(config, os.environ)) as made:
        yield made


@roster_app.command()
def show(
    unit: Annotated[str, typer.Argument(help="Id of a unit; left out: who is on duty everywhere.")] = "",
    role: Annotated[str, typer.Argument(help="Role in it.")] = "",
    days: Days = 14,
    config: ConfigPath = DEFAULT,
    json: Json = False,  # noqa: FBT002  a flag
) -> None:
    """Who is on duty now and next; of one role all shifts of the days to come, and what was left at hand-overs."""
    with office(config) as here:
        here.show(unit, role, days, as_json=json)


@roster_app.command()
def check(days: Days = 30, config: ConfigPath = DEFAULT, json: Json = False) -> None:  # noqa: FBT002  a flag
    """Gaps, persons who cannot be reached, double duty, shifts that are too long; exit code 1 for the first two."""
    with office(config) as here:
        raise typer.Exit(here.check(days, as_json=json))


@roster_app.command()
def override(
    unit: Unit,
    role: Role,
    person: Annotated[str, typer.Argument(help='Id of who comes; "" for nobody.')],
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with offset, or now.")],
    until: Annotated[str, typer.Option("--to", help="RFC 3339 time with offset.")],
    by: By,
    reason: Reason,
    instead: Annotated[str, typer.Option(help='Id of whom they replace; "*": everybody; "": nobody, they come too.')] = "*",
    config: ConfigPath = DEFAULT,
    json: Json = False,  # noqa: FBT002  a flag
) -> None:
    """Somebody takes over from a time to another. Goes before the plan and before earlier overrides."""
    with office(config) as here:
        here.override(unit, role, person, start, until, instead=instead, by=by, reason=reason, as_json=json)


@roster_app.command()
def cancel(
    number: Annotated[int, typer.Argument(help="Of the override.")], by: By, reason: Reason, config: ConfigPath = DEFAULT
) -> None:
    """Take an override back; it stays in the history."""
    with office(config) as here:
        here.cancel(number, by, reason)


@roster_app.command()
def history(unit: Unit, role: Role, config: ConfigPath = DEFAULT, json: Json = False) -> None:  # noqa: FBT002  a flag
    """All overrides of a role, with who entered and who cancelled them."""
    with office(config) as here:
        here.history(unit, role, as_json=json)


@roster_app.command()
def handover(
    unit: Unit,
    role: Role,
    text: Annotated[str, typer.Argument(help="What the next on duty must know.")],
    by: By,
    config: ConfigPath = DEFAULT,
) -> None:
    """Leave a note for whoever is next on duty."""
    with office(config) as here:
        here.hand_over(unit, role, text, by)


@roster_app.command("export")
def export(
    unit: Annotated[str, typer.Argument(help="Id of the unit; left out with --person.")] = "",
    role: Annotated[str, typer.Argument(help="Role in it.")] = "",
    person: Annotated[str, typer.Option(help="All duties of one person instead.")] = "",
    days: Days = 92,
    out: Annotated[Path | None, typer.Option(help="File to write; left out: to standard output.")] = None,
    config: ConfigPath = DEFAULT,
) -> None:
    """Who is on duty in a role, or when one person is, as an iCalendar file."""
    with office(config) as here:
        here.export(unit, role, person, days, out)


@roster_app.command("import")
def import_(
    unit: Unit,
    role: Role,
    source: Annotated[str, typer.Argument(help="An iCalendar file, or its http(s) address.")],
    by: By,
    reason: Reason,
    days: Days = 92,
    name: Annotated[str, typer.Option(help="Of the calendar: the same name again replaces it; left out: the source.")] = "",
    config: ConfigPath = DEFAULT,
) -> None:
    """Take a calendar's events as overrides of the days to come."""
    with office(config) as here:
        here.import_(unit, role, source, days, name=name or source, by=by, reason=reason)
