"""The import rule: lifeline knows nobody, the parts know only lifeline, pipeline wires them, nobody knows pipeline."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("alerts", "boards", "detectors", "ingest", "simulators", "store")
OURS = {"lifeline", *PARTS, "pipeline", "bench"}
ALLOWED = {
    "lifeline": {"lifeline"},
    **{part: {part, "lifeline"} for part in PARTS},
    "pipeline": {"pipeline", "lifeline", *PARTS, "bench"},
    "bench": OURS,
}
PAHO = ("ingest/mqtt.py", "alerts/channels/mqtt.py")  # the only files that may import it (docs/decisions/009)
LATE = ("import_module", "__import__")


def imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import in a file of `package`, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}".lstrip(".")) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and called(node.func) in LATE:
            yield node.lineno, beginning(node.args[0])


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def beginning(name: ast.expr) -> str:
    """What is known of a name that is put together: `detectors.` of f"detectors.{name}"."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    return str(first.value) if isinstance(first, ast.Constant) else ""


def breaches(root: Path) -> list[str]:
    """`file:line: what` for every import that the rule forbids."""
    found = []
    for path in sorted(p for package in OURS for p in (root / package).rglob("*.py")):
        file = path.relative_to(root)
        for line, name in imported(ast.parse(path.read_text("utf-8")), file.parts[:-1]):
            top = name.split(".")[0]
            if top in OURS and top not in ALLOWED[file.parts[0]]:
                found.append(f"{file}:{line}: {file.parts[0]} may not import {top}")
            if top == "paho" and file.as_posix() not in PAHO:
                found.append(f"{file}:{line}: only {PAHO[0]} and {PAHO[1]} import paho")
    return found


def test_imports_point_down() -> None:
    assert breaches(ROOT) == []


def test_the_rule_knows_every_package() -> None:
    """A package that is new must be given its place here."""
    packages = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert packages <= OURS
    assert packages >= OURS


@pytest.mark.parametrize(
    ("file", "line", "breach"),
    [
        ("detectors/limit.py", "import alerts.grade", "detectors may not import alerts"),
        ("detectors/limit.py", "from store import lake", "detectors may not import store"),
        ("ingest/codecs/flat.py", "from ...alerts import judge", "ingest may not import alerts"),
        ("ingest/codecs/flat.py", "from ... import detectors", "ingest may not import detectors"),
        ("lifeline/model.py", "def f():\n    from ingest import journal", "lifeline may not import ingest"),
        ("alerts/api.py", "importlib.import_module('pipeline.cli')", "alerts may not import pipeline"),
        ("alerts/api.py", "import_module(f'simulators.{name}')", "alerts may not import simulators"),
        ("simulators/world.py", "if TYPE_CHECKING:\n    import pipeline", "simulators may not import pipeline"),
        ("store/lake.py", "import numpy, bench", "store may not import bench"),
        ("pipeline/receive.py", "import paho.mqtt.client", "only ingest/mqtt.py and alerts/channels/mqtt.py import paho"),
        ("ingest/journal.py", "from paho.mqtt import client", "only ingest/mqtt.py and alerts/channels/mqtt.py import paho"),
    ],
)
def test_a_breach_of_the_rule_is_found(tmp_path: Path, file: str, line: str, breach: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"import json\n{line}\n", "utf-8")
    (found,) = breaches(tmp_path)
    assert found == f"{file}:{2 + line.count(chr(10))}: {breach}"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("detectors/__init__.py", "from lifeline.model import Level"),
        ("ingest/codecs/flat.py", "from . import senml"),
        ("ingest/codecs/flat.py", "from .. import topic"),
        ("ingest/mqtt.py", "import paho.mqtt.client"),
        ("alerts/channels/mqtt.py", "import paho.mqtt.client"),
        ("pipeline/watch.py", "from store import lake"),
        ("bench/chain.py", "from pipeline import watch"),
        ("alerts/channels/__init__.py", "import_module(f'alerts.channels.{name}')"),
        ("alerts/api.py", "import_module(name)"),
        ("store/lake.py", "import lifelines, storefront"),
    ],
)
def test_what_the_rule_allows_is_let_pass(tmp_path: Path, file: str, line: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n", "utf-8")
    assert breaches(tmp_path) == []


def test_no_folder_of_tests_is_a_package() -> None:
    """tests/detectors/__init__.py would stand in the way of the real package."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
