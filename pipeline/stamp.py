"""What a kept state belongs to: a scenario, rules and a program, by what their files hold."""

import ast
import hashlib
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from simulators.scenario import FOLDER, Scenario

HERE: Final = Path(__file__).parent.parent
RULES: Final = HERE / "detectors" / "rules"
FOUND: Final = ("lifeline", "ingest", "detectors", "simulators")  # packages of which every file counts


class Stamp(NamedTuple):
    """What a kept state belongs to, as hashes."""

    scenario: str  # its file and its seed
    rules: str
    program: str


def stamp(s: Scenario, seed: int | None, rules: Path | None) -> Stamp:
    """Hashes of all that a result depends on."""
    versions = f"{platform.python_version()} {np.__version__} {platform.machine()}"
    return Stamp(
        _hashed([s.path], str(s.seed if seed is None else seed)),
        _hashed((rules or RULES).rglob("*.toml"), ""),
        _hashed(sources(), versions),
    )


@cache
def sources() -> frozenset[Path]:
    """The files of the program that take part: what `pipeline.pieces` imports, and what is found by its folder."""
    found = {p for name in FOUND for p in (HERE / name).rglob("*") if p.suffix in {".py", ".csv", ".toml"}}
    found -= {p for p in found if {RULES, FOLDER} & set(p.parents)}
    begin = HERE / "pipeline" / "pieces.py"
    todo = [begin, *(p for p in found if p.suffix == ".py")]
    found |= {begin, HERE / "alerts" / "responsibilities.csv"}
    while todo:
        fresh = {p for name in _imported(todo.pop()) if (p := _file(name)).is_file()} - found
        found |= fresh
        todo += fresh
    return frozenset(found)


def _imported(path: Path) -> Iterator[str]:
    """Names of the modules that a file may import, wherever in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, *(f"{node.module}.{a.name}" for a in node.names))


def _file(module: str) -> Path:
    path = HERE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _hashed(some: Iterable[Path], more: str) -> str:
    said = hashlib.sha256(more.encode())
    for path in sorted(some):
        said.update(hashlib.sha256(path.read_bytes()).digest())
    return said.hexdigest()
