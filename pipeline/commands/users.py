"""`lifeline users` and `lifeline audit`: on the desk's database itself, where whoever may open it may do everything."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from alerts.users.access import Access

users = typer.Typer(help="Who may use the desk.", no_args_is_help=True, rich_markup_mode=None)
audit = typer.Typer(help="The audit trail of the desk.", no_args_is_help=True, rich_markup_mode=None)

Settings = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]
Role = Annotated[str, typer.Option(help="viewer, operator, analyst, leader or admin.")]
DEFAULT = Path("lifeline.toml")


def _access(config: Path) -> "Access":
    import os

    from alerts.tables import Database
    from alerts.users.access import Access
    from lifeline.config import load
    from pipeline.database import driven, opened

    settings = load(config, os.environ)
    opened(driven(str(settings.desk.database)))
    return Access(Database(str(settings.desk.database)))


def _do(work: "Callable[..., Any]", *args: Any, **more: Any) -> Any:
    from alerts.users.access import Wrong
    from lifeline.words import Failed

    try:
        return work(*args, **more)
    except Wrong as why:
        raise Failed(str(why)) from why


def _role(name: str) -> Any:
    from alerts.roles import Role as Roles
    from lifeline.words import Unusable, suggestion

    known = {r.name.lower(): r for r in Roles}
    if name.lower() not in known:
        raise Unusable(f"--role: there is no {name!r}; {suggestion(name, known)}")
    return known[name.lower()]


def _password() -> str:
    """From a pipe, or twice from a terminal that does not show it."""
    from lifeline.words import Unusable

    if not sys.stdin.isatty():
        return _given(sys.stdin.readline().rstrip("\n"))
    first = getpass.getpass("password: ")
    if getpass.getpass("again: ") != first:
        raise Unusable("the two are not the same; nothing is changed")
    return _given(first)


def _given(password: str) -> str:
    """Not empty: nobody shall be made by mistake who cannot sign in."""
    from lifeline.words import Unusable

    if not password:
        raise Unusable("no password was given; --no-password makes a user whom only tokens let in")
    return password


def _me() -> str:
    return f"{getpass.getuser()} (command line)"


@users.command("add")
def add(
    name: str,
    role: Role = "operator",
    person: Annotated[str, typer.Option(help="Who that is in the file of people.")] = "",
    password: Annotated[bool, typer.Option(help="Ask for a password; without one, only tokens let them in.")] = True,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """A new user; the password is read from standard input."""
    from lifeline.clock import now

    access, kind = _access(config), _role(role)
    _do(access.add, name, kind, _password() if password else "", _me(), now(), person)
    typer.echo(f"{name}: {kind.name.lower()}")


@users.command("set")
def change(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, operator, analyst, leader or admin.")] = "",
    person: Annotated[str | None, typer.Option(help="Who that is in the file of people.")] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,  # noqa: FBT002  a flag
    end: Annotated[bool, typer.Option("--end", help="They may do nothing from now on.")] = False,  # noqa: FBT002  a flag
    config: Settings = DEFAULT,
) -> None:
    """Another role, password or person; or the end of a user."""
    from lifeline.clock import now

    access = _access(config)
    what: dict[str, Any] = {"role": _role(role)} if role else {}
    what |= {} if person is None else {"person": person}
    what |= {"password": _password()} if password else {}
    what |= {"ended": now()} if end else {}
    _do(access.change, name, _me(), now(), **what)
    typer.echo(f"{name}: {', '.join(what) or 'nothing'} changed")


@users.command("token")
def token(
    name: str,
    days: Annotated[float | None, typer.Option(min=0.001, help="How long it holds; left out: until it is revoked.")] = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    config: Settings = DEFAULT,
) -> None:
    """A new token of a user, shown this once."""
    from lifeline.clock import now

    typer.echo(_do(_access(config).token, name, _me(), now(), days=days, note=note))


@users.command("revoke")
def revoke(token: Annotated[str, typer.Argument(help="Whole, or its id.")], config: Settings = DEFAULT) -> None:
    """A token holds no more."""
    from lifeline.clock import now

    _do(_access(config).revoke, token, _me(), now())
    typer.echo("revoked")


@users.command("list")
def listed(config: Settings = DEFAULT, json: Annotated[bool, typer.Option("--json")] = False) -> None:  # noqa: FBT002  a flag
    """All users and how many tokens of theirs hold."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from alerts.users.access import listed as users_of
    from alerts.users.access import tokens_of

    database = _access(config).database
    known = [{**u, "tokens": sum(t["ended"] is None for t in tokens_of(database, u["name"]))} for u in users_of(database)]
    if json:
        typer.echo(msgspec.json.encode(known))
        return
    table = Table("name", "role", "person", "tokens", "ended")
    for u in known:
        table.add_row(u["name"], u["role"].lower(), u["person"], str(u["tokens"]), "yes" if u["ended"] else "")
    Console().print(table)


@audit.command("verify")
def verify(
    head: Annotated[str, typer.Option(help="A seal that was noted before and must be in the chain.")] = "",
    config: Settings = DEFAULT,
) -> None:
    """Walk the chain of seals; exit code 1 where something does not fit. Note the seal it prints elsewhere."""
    from alerts.seals import verify as walked
    from lifeline.clock import now

    found = walked(_access(config).database, now(), head)
    typer.echo(f"sealed {found.sealed} rows, {found.unsealed} wait; last seal {found.head}")
    if found.wrong:
        typer.echo(found.wrong, err=True)
        raise typer.Exit(1)
