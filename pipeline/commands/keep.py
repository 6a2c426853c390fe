"""`lifeline certs`, `backup` and `restore`: what keeps an installation going."""

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]


def certs(
    out: Annotated[Path, typer.Option("--out", help="Folder of the authority and all that it signs.")],
    host: Annotated[list[str] | None, typer.Option(help="Name or address of the broker; may be repeated.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="Id of a device that gets a certificate; may be repeated.")] = None,
    user: Annotated[list[str] | None, typer.Option(help="Name of a device that gets a password instead.")] = None,
    revoke: Annotated[list[str] | None, typer.Option(help="Client whose certificate shall hold no longer.")] = None,
    days: Annotated[int, typer.Option(help="That certificates hold.", min=1, max=3650)] = 825,
    renew: Annotated[str, typer.Option(help="What expires sooner than this is made anew.")] = "30d",
    group: Annotated[int | None, typer.Option(help="Number of a group that may read the keys too.", min=0)] = None,
    stack: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--stack", help="All that docker-compose.yml wants to find in docker/secrets.")
    ] = False,
) -> None:
    """Make, add to and renew the certificates and passwords of a trial or a closed network: docs/operations.md."""
    from lifeline.kinds import Unfit, duration
    from pipeline.certs import run

    try:
        soon = duration(renew)
    except Unfit as why:
        raise typer.BadParameter(f"--renew {why}") from why
    said = run(
        out, host or [], device or [], user or [], revoke or [], days=days, renew=soon, group=group, whole=stack
    )  # fmt: skip
    typer.echo(said)


def backup(
    folder: Annotated[Path, typer.Argument(help="Under which a new folder is made, better on another disk.")],
    config: Settings = Path("lifeline.toml"),
    keep: Annotated[int, typer.Option(help="Let go of all but so many of the newest there; 0: of none.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Copy journal, lake, memory and the desk's database, while all runs: docs/operations.md."""
    from pipeline.backup import run
    from pipeline.cli import account, configured

    account(run(configured(config), folder, keep=keep), as_json=json)


def restore(
    folder: Annotated[Path, typer.Argument(help="One that `lifeline backup` made.")],
    config: Settings = Path("lifeline.toml"),
    desk: Annotated[  # noqa: FBT002  a flag
        bool, typer.Option("--desk/--no-desk", help="Also the desk's database, if that was lost too.")
    ] = True,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Put a backup into an empty data directory; nothing may run meanwhile: docs/operations.md."""
    from pipeline.cli import account, configured
    from pipeline.restore import run

    account(run(configured(config), folder, desk=desk), as_json=json)


def add(app: typer.Typer) -> None:
    """Put the commands where the others are."""
    for command in (certs, backup, restore):
        app.command(command.__name__)(command)
