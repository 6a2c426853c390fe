"""`lifeline payload`: for those who build devices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

payload = typer.Typer(help="Payloads of devices: docs/payloads.md.", no_args_is_help=True, rich_markup_mode=None)


class Output(StrEnum):
    """How it is said."""

    text = "text"
    json = "json"


class Lang(StrEnum):
    """In which language."""

    en = "en"
    zh = "zh"


@payload.command("check")
def check(
    files: Annotated[list[str], typer.Argument(help="Files, or - for standard input; NAME.hex holds hex digits.")],
    topic: Annotated[str, typer.Option(help="Under which it is published; left out: one is guessed from the content.")] = "",
    catalog: Annotated[Path | None, typer.Option(help="The city's catalog (CSV): names, units, ranges.")] = None,
    city: Annotated[str, typer.Option(help="The city whose topics are taken; left out: any.")] = "",
    lang: Annotated[Lang, typer.Option(help="en or zh.")] = Lang.en,
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or json for programs.")] = Output.text,
) -> None:
    """Say what becomes of payloads: format, readings with units, time, quality; what would be refused, where, how to mend it.

    Ends with 0 when all of it would be taken, 1 when something is refused or in doubt, 2 when a file cannot be read.
    """
    from pipeline.payload import against, run

    said, code = run(files, against(catalog, topic, city), lang.value, as_json=output is Output.json)
    typer.echo(said)
    raise typer.Exit(code)


@payload.command("schema")
def schema(
    out: Annotated[Path | None, typer.Option(help="Write it here; left out: to standard output.")] = None,
) -> None:
    """The contract of topics and payloads as AsyncAPI 3, made from the decoders."""
    from pipeline.contract import text

    if out is None:
        typer.echo(text(), nl=False)
    else:
        out.write_text(text(), "utf-8")
