"""`lifeline notify`: try a channel, without a server and without a warning."""

from pathlib import Path
from typing import Annotated, Any

import typer

notify = typer.Typer(help="The channels to people.", no_args_is_help=True, rich_markup_mode=None)

Settings = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]


@notify.callback()
def common() -> None:
    """The channels to people."""


@notify.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="Its name in the configuration.")],
    config: Settings = Path("lifeline.toml"),
    level: Annotated[
        str, typer.Option(help="BLUE, YELLOW, ORANGE or RED: what it looks like. It is a test all the same.")
    ] = "BLUE",
    to: Annotated[
        str, typer.Option(help="An address: a number, a mailbox, a name to mention. Left out: the channel's own.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002  a flag
) -> None:
    """Send one notice, marked as an exercise, and say what the provider answered. Ends with 1 if it did not go well."""
    import asyncio
    import os

    import msgspec

    from alerts import channels
    from alerts.trial import trial
    from lifeline.clock import now
    from lifeline.config import load
    from lifeline.model import Level
    from lifeline.words import Unusable, suggestion

    settings = load(config, os.environ)
    ways = channels.configured(settings.channels, settings.folder, settings.desk.public_url)[1]
    if channel not in ways:
        raise Unusable(f"there is no channel {channel!r} in {config}; {suggestion(channel, ways)}")
    levels = {x.name: x for x in Level if x}
    if level.upper() not in levels:
        raise Unusable(f"--level: there is no level {level!r}; {suggestion(level, levels)}")
    said = asyncio.run(_sent(ways[channel], trial(channel, levels[level.upper()], settings.city.name, now(), to)))
    typer.echo(msgspec.json.encode(said).decode() if json else _told(said))
    if said["outcome"] != "sent":
        raise typer.Exit(1)


async def _sent(way: Any, notice: Any) -> dict[str, Any]:
    """One attempt, as the desk would make it, and what came of it."""
    import asyncio
    import time

    import msgspec

    from alerts.notice import Retry
    from alerts.outbox import Patience

    begun, patience = time.perf_counter(), Patience().timeout
    try:
        async with asyncio.timeout(patience):
            outcome = await way.send(msgspec.structs.replace(notice, latency=0.0))
    except TimeoutError:
        outcome = Retry(f"no answer in {patience:g} s", "timeout")
    finally:
        await way.close()
    more = {name: getattr(outcome, name) for name in ("reason", "after", "person") if hasattr(outcome, name)}
    kind = type(outcome).__name__.lower()
    return {"outcome": kind, "words": outcome.words, "took_s": time.perf_counter() - begun, "notice": notice.id, **more}


def _told(said: dict[str, Any]) -> str:
    """For people."""
    meaning = {
        "sent": "sent: it counts as delivered",
        "retry": "retry: the desk would try again until the deadline",
        "drop": "drop: the desk would give it up and tell another channel",
    }
    lines = [f"{meaning[said['outcome']]} ({said['took_s']:.2f} s)", f"the provider's words: {said['words'] or '(none)'}"]
    if said.get("reason"):
        lines.append(f"reason: {said['reason']}{', a person has to mend it' if said.get('person') else ''}")
    return "\n".join(lines)
