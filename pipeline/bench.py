"""The command `lifeline bench`: every module of bench/ with a `run` is a benchmark."""

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import bench


def known() -> dict[str, Any]:
    """Benchmarks by name."""
    modules = (import_module(f"bench.{m.name}") for m in pkgutil.iter_modules(bench.__path__))
    return {m.__name__.rpartition(".")[2]: m for m in modules if hasattr(m, "run")}


def run(name: str, *, only_json: bool) -> int:
    """Measure and print; exit code 2 when there is no such benchmark. "all" leaves out those that replay a week."""
    found = known()
    chosen = [n for n, module in found.items() if not getattr(module, "LONG", False)] if name == "all" else [name]
    if unknown := [c for c in chosen if c not in found]:
        sys.stderr.write(f"no benchmark {unknown[0]!r}; there are: {', '.join(found)}, all\n")
        return 2
    measured = {}
    for each in chosen:
        if sys.stderr.isatty():
            sys.stderr.write(f"measuring {each} ...\n")
        measured[each] = found[each].run()
    figures = measured if name == "all" else measured[name]
    told = figures if only_json else {**figures, "machine": machine()}
    sys.stdout.write(json.dumps(told, indent=None if only_json else 1) + "\n")
    return 0


def machine() -> str:
    """What it ran on."""
    import os
    import platform

    cpu = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")), "?"
    )
    return f"{os.cpu_count()} cores of {cpu}, Python {platform.python_version()}"
