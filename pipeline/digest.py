"""An evaluation as tables in Markdown, written into a document between two marks; and as text for a terminal."""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import cpu_count
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from lifeline.words import Unusable
from pipeline.outcome import Result
from pipeline.public.tables import markdown
from pipeline.public.tables import terminal as beside
from pipeline.scenarios import spoken

BEGIN: Final = "<!-- evaluation -->"
PUBLIC: Final = "<!-- public -->"
END: Final = "<!-- end -->"
EMPTY: Final = f"# Evaluation\n\n{BEGIN}\n{END}\n\n## Public data\n\n{PUBLIC}\n{END}\n"


def written(path: Path, whole: Mapping[str, Any]) -> None:
    """Put the tables between the marks of a document; one that is not there is begun."""
    text = _begun(path)
    if whole["scenarios"]:
        text = filled(path, text, BEGIN, lines(whole))
    if whole.get("public"):
        text = filled(path, text, PUBLIC, markdown(whole))
    path.write_text(text, "utf-8")


def placed(path: Path, *, scenarios: bool, public: bool) -> None:
    """Unusable where a document has no place for the tables that it is to have."""
    for mark, needed in ((BEGIN, scenarios), (PUBLIC, public)):
        if needed:
            filled(path, _begun(path), mark, ())


def _begun(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else EMPTY


def filled(path: Path, text: str, mark: str, some: Iterable[str]) -> str:
    """A document with new lines after a mark, up to the next end."""
    head, begin, rest = text.partition(mark)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise Unusable(f"{path}: has no place for the tables: it needs a line {mark} and one {END}")
    return head + "\n".join([mark, *some, END]) + tail


def lines(whole: Mapping[str, Any]) -> Iterator[str]:
    """The tables."""
    s, results = whole["summary"], whole["scenarios"]
    yield f"Made on {whole['made'][:10]} by `{whole['command']}` in {spoken(whole['seconds'])}, {machine(whole['jobs'])}."
    yield ""
    yield "| | passed | hazards detected | median delay | false warnings | sensor or network fault taken for a hazard |"
    yield "|---|---|---|---|---|---|"
    for name, d in [*s["domains"].items(), ("**all**", s)]:
        detected = f"{d['detected']} of {d['events']}"
        yield (
            f"| {name} | {d['passed']} of {d['total']} | {detected} | {_time(d['median_delay_s'])} | {d['false_warnings']} "
            f"| {d['fault_as_hazard']} |"
        )
    yield ""
    yield from _figures(s)
    yield from _confusion(s["levels"])
    for domain in s["domains"]:
        yield from _domain(domain, [r for r in results if r["domain"] == domain])


def machine(jobs: int) -> str:
    return f"{jobs} processes, {cpu_count()} cores, Python {platform.python_version()}"


def _figures(s: Mapping[str, Any]) -> Iterator[str]:
    rates = ", ".join(f"{d} {x:.3g} (in {s['asset_days'][d]:.4g} asset-days)" for d, x in s["false_per_asset_year"].items())
    yield f"- False warnings of an asset in a year: {rates or 'none judged'}."
    yield f"- False warnings a day of the small city at these rates: {round(s['false_per_day'], 2):g}."
    yield f"- True place among those named: {s['localisation']['found']} of {s['localisation']['asked']} where it is asked."
    if s["early_detection"] is not None:
        yield f"- Early detection of leaks (LeakDB's score, 1 at best, mean): {s['early_detection']:.3g}."
    yield ""


def _confusion(levels: Mapping[str, Any]) -> Iterator[str]:
    if not levels["table"]:
        return
    columns = list(next(iter(levels["table"].values())))
    yield (
        f"Events by the least level they deserve (rows) and the gravest they were given (columns): {levels['right']} right, "
        f"{levels['understated']} understated, {levels['overstated']} overstated."
    )
    yield ""
    yield f"| | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, row in levels["table"].items():
        yield f"| {name} | {' | '.join(str(row[c]) for c in columns)} |"
    yield ""


def _domain(domain: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"### {domain}"
    yield ""
    yield "| | scenario | expected | result | delay | level in | level | false | what failed |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for r in results:
        failed = "; ".join(r["failures"][:3]) + (f"; and {len(r['failures']) - 3} more" if len(r["failures"]) > 3 else "")
        cells = [
            r["id"], r["en"], r["wanted"], "passed" if r["passed"] else "**failed**", _time(r["delay_s"]),
            _time(r["reached_s"]), r["level"], str(r["false_warnings"]), failed,
        ]  # fmt: skip
        yield f"| {' | '.join(_cell(c) for c in cells)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*") if text != "**failed**" else text


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"−{spoken(-seconds)}" if seconds < 0 else spoken(seconds)


def terminal(whole: Mapping[str, Any]) -> str:
    """For people at a terminal."""
    public = "\n".join(beside(whole.get("public", {}))) if whole.get("public") else ""
    if not whole["scenarios"]:
        return "\n".join([public, *_against(whole)])
    return "\n".join([_scenarios(whole), *([public] if public else []), *_closing(whole, whole["summary"])])


def _scenarios(whole: Mapping[str, Any]) -> str:
    table = Table(box=None, pad_edge=False)
    for column in ("", "expected", "result", "delay", "level in", "level", "false", "what failed"):
        table.add_column(column, overflow="fold")
    for r in whole["scenarios"]:
        result = "passed" if r["passed"] else "failed"
        more = f" (+{len(r['failures']) - 1})" if len(r["failures"]) > 1 else ""
        table.add_row(
            r["id"], r["wanted"], result, _time(r["delay_s"]), _time(r["reached_s"]), r["level"],
            str(r["false_warnings"]), "".join(r["failures"][:1]) + more,
        )  # fmt: skip
    console = Console(width=None if Console().is_terminal else 200)
    with console.capture() as got:
        console.print(table)
    return got.get().rstrip()


def _closing(whole: Mapping[str, Any], s: Mapping[str, Any]) -> Iterator[str]:
    yield f"passed {s['passed']} of {s['total']}; hazards detected {s['detected']} of {s['events']}"
    yield f"false warnings {s['false_warnings']} ({round(s['false_per_day'], 2):g} a day in the small city at these rates)"
    yield f"faults of sensors or the network taken for hazards {s['fault_as_hazard']}"
    yield from _against(whole)
    if w := whole.get("what_if"):
        yield f"what if {', '.join(w['changes'])}:"
        yield f"  gained {', '.join(w['gained']) or 'none'}; lost {', '.join(w['lost']) or 'none'}"
        for name, what in (("later_min", "first warning"), ("level_later_min", "level demanded")):
            yield f"  {what} on average {f'{w[name]:+g} min' if w[name] else 'as before'}"
        for name in ("passed", "false_warnings", "false_per_day", "fault_as_hazard"):
            yield f"  {name} {w[name][0]:g} → {w[name][1]:g}"
        yield from (f"  {x['id']}: {'; '.join([*x['better'], *x['worse']]) or 'fails otherwise'}" for x in w["scenarios"])


def _against(whole: Mapping[str, Any]) -> Iterator[str]:
    if found := whole.get("against"):
        for side in ("better", "worse", "new", "gone"):
            said = [x if isinstance(x, str) else f"{x['id']} ({'; '.join(x['what'])})" for x in found[side]]
            yield (
                f"{side} than {found['file']}: {', '.join(said) or 'none'}"
                if side in {"better", "worse"}
                else (f"{side}: {', '.join(said) or 'none'}")
            )
