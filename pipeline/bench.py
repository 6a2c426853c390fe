"""The command `lifeline bench`: every module of bench/ with a `run` is a benchmark."""

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import bench
from lifeline.clock import iso, now
from lifeline.words import Unusable
from pipeline import digest


def known() -> dict[str, Any]:
    """Benchmarks by name."""
    modules = (import_module(f"bench.{m.name}") for m in pkgutil.iter_modules(bench.__path__))
    return {m.__name__.rpartition(".")[2]: m for m in modules if hasattr(m, "run")}


def run(name: str, *, only_json: bool, document: Path | None = None) -> int:
    """Measure and print; exit code 2 when there is no such benchmark. "all" leaves out those that replay a week.

    document: where the benchmark's table goes, after its mark
    """
    found = known()
    chosen = [n for n, module in found.items() if not getattr(module, "LONG", False)] if name == "all" else [name]
    if unknown := [c for c in chosen if c not in found]:
        sys.stderr.write(f"no benchmark {unknown[0]!r}; there are: {', '.join(found)}, all\n")
        return 2
    if document is not None:
        placed(document, name, found)
    measured = {}
    for each in chosen:
        if sys.stderr.isatty():
            sys.stderr.write(f"measuring {each} ...\n")
        measured[each] = found[each].run()
    if document is not None:
        table = [f"Made on {iso(now())[:10]} by `lifeline bench {name}`, {machine()}.", "", *found[name].lines(measured[name])]
        document.write_text(digest.filled(document, document.read_text("utf-8"), f"<!-- {name} -->", table), "utf-8")
    figures = measured if name == "all" else measured[name]
    told = figures if only_json else {**figures, "machine": machine()}
    sys.stdout.write(json.dumps(told, indent=None if only_json else 1) + "\n")
    return 0


def placed(document: Path, name: str, found: dict[str, Any]) -> None:
    """Unusable where there is no table, or the document has no place for it."""
    if not hasattr(found.get(name), "lines"):
        raise Unusable(
            f"--markdown: {name} has no table; those that have: {[n for n, m in found.items() if hasattr(m, 'lines')]}"
        )
    if not document.is_file():
        raise Unusable(f"--markdown {document}: there is no such file")
    digest.filled(document, document.read_text("utf-8"), f"<!-- {name} -->", ())


def machine() -> str:
    """What it ran on."""
    import os
    import platform

    cpu = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")), "?"
    )
    return f"{os.cpu_count()} cores of {cpu}, Python {platform.python_version()}"
