"""The report of public sets as tables: in Markdown, and as text for a terminal. Everything is taken from the report in JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from pipeline.public import ELEVATORS
from pipeline.scenarios import spoken

SHOWN: Final = 10  # published lines; the rest is in JSON
NONE: Final = "–"

Told = Mapping[str, Any]


def figure(value: Any, column: Told) -> str:
    """As people read it."""
    if value is None or (isinstance(value, list) and all(x is None for x in value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"{', '.join(figure(x, {**column, 'unit': ''}) for x in value)} {column['unit']}".rstrip()
    text = f"{value:.{column['digits']}f}" if isinstance(value, float) else str(value)
    return f"{text} {column['unit']}".rstrip()


def bound(found: Mapping[str, float], column: Told) -> str:
    """What a metric is to reach."""
    said = [
        f"{sign} {found[name]:g} {column['unit']}".rstrip() for name, sign in (("least", "≥"), ("most", "≤")) if name in found
    ]
    return ", ".join(said)


def rows(told: Told) -> Iterator[tuple[str, list[str], str]]:
    """Name, cells, source: ours, its parts, what is aimed at, and others beside it."""
    columns, published = told["columns"], told["published"]
    yield "this system", _cells(told["metrics"], columns), ""
    for name, figures in told["parts"].items():
        yield f"· {name}", _cells(figures, columns), ""
    yield "aim", [_aim(told, c) for c in columns], ""
    if told["baseline"]:
        yield f"baseline: {told['baseline']['name']}", _cells(told["baseline"], columns), told["baseline"]["source"]
    for line in published[:SHOWN]:
        yield f"published: {line['name']}", _cells(line, columns), line["source"]


def _aim(told: Told, column: Told) -> str:
    """A metric that is true or false is to be true."""
    wanted, key = told["aim"].get(column["key"], {}), column["key"]
    return figure(True, column) if wanted and isinstance(told["metrics"].get(key), bool) else bound(wanted, column)


def _cells(figures: Told, columns: Sequence[Told]) -> list[str]:
    return [figure(figures[c["key"]], c) if c["key"] in figures else "" for c in columns]


def verdict(told: Told) -> str:
    """Whether the aim is met, and what is short of it."""
    names = {c["key"]: c["en"] + (f" [{c['unit']}]" if c["unit"] else "") for c in told["columns"]}
    return "The aim is met." if told["met"] else f"The aim is not met: {', '.join(names.get(k, k) for k in told['unmet'])}."


def sources(told: Told) -> list[str]:
    """Who says so, each source once."""
    found = [(name.partition(": ")[2], source) for name, _, source in rows(told) if source]
    by_source: dict[str, list[str]] = {}
    for name, source in found:
        by_source.setdefault(source, []).append(name)
    more = len(told["published"]) - SHOWN
    said = [f"{', '.join(names)}: {source}" for source, names in by_source.items()]
    return [*said, *([f"{more} more published lines are in the report in JSON"] if more > 0 else [])]


def facts(told: Told) -> str:
    """How it was judged."""
    said = {k: ", ".join(v) if isinstance(v, list) else v for k, v in told["settings"].items()}
    what = "; ".join(f"{k.replace('_', ' ')}: {v}" for k, v in said.items())
    return f"{told['readings']:,} readings, {spoken(told['seconds'])}; {what}"


def markdown(whole: Told) -> Iterator[str]:
    """The section of a document."""
    public = whole["public"]
    took = sum(told.get("seconds", 0.0) for told in public.values())
    yield f"Made on {whole['made'][:10]} by `{whole['command']}`; public data in {spoken(took)}, in one process."
    yield ""
    for name, told in public.items():
        yield f"### {name}: {told['en']}"
        yield ""
        yield from _missing(told) if "missing" in told else _section(told)
    yield ELEVATORS["en"]


def _missing(told: Told) -> Iterator[str]:
    yield f"Not scored: {told['missing']}. To be had: {told['obtain']}."
    yield ""


def _section(told: Told) -> Iterator[str]:
    heads = ["", *(c["en"] for c in told["columns"])]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for name, cells, _ in rows(told):
        said = f"**{name}**" if name == "this system" else name
        yield "| " + " | ".join(c.replace("|", "\\|") for c in (said, *cells)) + " |"
    yield ""
    yield f"- {verdict(told)}"
    yield from (f"- {n['en']}" for n in told["notes"])
    yield from (f"- {x}." for x in sources(told))
    yield f"- {facts(told)}."
    yield ""


def terminal(public: Told) -> Iterator[str]:
    """For people at a terminal."""
    for name, told in public.items():
        yield f"{name}: {told['en']}"
        if "missing" in told:
            yield from (f"  not scored: {told['missing']}", f"  to be had: {told['obtain']}")
        else:
            yield _grid(told)
            yield f"{verdict(told)} {facts(told)}"
            yield from (n["en"] for n in told["notes"])
        yield ""
    yield ELEVATORS["en"]


def _grid(told: Told) -> str:
    table = Table(box=None, pad_edge=False)
    for head in ("", *(c["en"] for c in told["columns"])):
        table.add_column(head, overflow="fold")
    for name, cells, _ in rows(told):
        table.add_row(name, *cells)
    console = Console(width=None if Console().is_terminal else 200)
    with console.capture() as got:
        console.print(table)
    return "\n".join(line.rstrip() for line in got.get().rstrip().splitlines())
