"""A YAML file as parts that know where they stand, so that all that is wrong with it can be said at once.

Every scalar is read as the text that stands there; what it means is for whoever asks: `17:00` is no number, `no` no truth.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lifeline.words import suggestion

T = TypeVar("T")
S = TypeVar("S")

DURATION: Final = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
UNITS: Final = (365 * 86400.0, 7 * 86400.0, 86400.0, 3600.0, 60.0, 1.0, 1e-3)  # [s]
EMPTY: Final = ("", "~", "null")


class BadDuration(Exception):
    """Not of the form 1d12h, 30s, 0."""


def duration(text: str) -> float:
    """Seconds from Prometheus' durations: "1h30m", "5m", "0". [s]"""
    found = DURATION.fullmatch(text)
    if text == "0" or (text and found):
        return sum(int(n) * unit for n, unit in zip(found.groups() if found else (), UNITS, strict=False) if n)
    raise BadDuration(f"must be a duration such as 30s, 5m or 1h30m, not {text!r}")


@dataclass
class Problems:
    """What is wrong, in the order it was found: `file:line: path: reason`. Notes: what is taken otherwise than it is meant."""

    file: Path
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """A value of the file, and where it stands."""

    node: Node
    path: str
    problems: Problems

    @property
    def where(self) -> str:
        line = self.node.start_mark.line + 1
        return f"{self.problems.file}:{line}: {self.path}" if self.path else f"{self.problems.file}:{line}"

    def refuse(self, reason: str) -> None:
        self.problems.found.append(f"{self.where}: {reason}")

    def note(self, text: str) -> None:
        self.problems.notes.append(f"{self.where}: {text}")

    @property
    def empty(self) -> bool:
        return isinstance(self.node, ScalarNode) and self.node.style is None and self.node.value in EMPTY

    def entries(self, known: Sequence[str] | None = None) -> "dict[str, Part]":
        """The values of a table by their keys; a key that is not known is a problem. known None: all are."""
        if self.empty:
            return {}
        if not isinstance(self.node, MappingNode):
            self.refuse(f"must be a table of keys and values, not {self.said}")
            return {}
        got: dict[str, Part] = {}
        for key, part in self._pairs(self.node):
            if key in got:
                part.refuse("stands there twice")
            elif known is not None and key not in known:
                part.refuse(f"no such key; {suggestion(key, known)}")
            else:
                got[key] = part
        return {key: part for key, part in got.items() if not part.empty}

    def _pairs(self, node: MappingNode) -> "Iterator[tuple[str, Part]]":
        """Keys and values; what is merged in (<<) where the table has no such key itself."""
        own = {k.value for k, _ in node.value if isinstance(k, ScalarNode)}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.refuse("a key must be a text")
            elif key.value == "<<" and key.style is None:
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    if isinstance(source, MappingNode):
                        yield from ((k, p) for k, p in self._pairs(source) if k not in own)
            else:
                yield key.value, Part(value, f"{self.path}.{key.value}".lstrip("."), self.problems)

    def items(self) -> "list[Part]":
        """The values of a list."""
        if self.empty:
            return []
        if not isinstance(self.node, SequenceNode):
            self.refuse(f"must be a list, not {self.said}")
            return []
        return [Part(node, f"{self.path}[{i}]", self.problems) for i, node in enumerate(self.node.value)]

    def text(self) -> str:
        if not isinstance(self.node, ScalarNode):
            self.refuse(f"must be a text, not {self.said}")
            return ""
        return "" if self.empty else str(self.node.value)

    def texts(self) -> list[str]:
        return [part.text() for part in self.items()]

    def read(self, how: Callable[[str], T], refused: type[Exception], default: S) -> T | S:
        """A text as `how` understands it; the default where that refuses."""
        if not isinstance(self.node, ScalarNode):
            self.refuse(f"must be a text, not {self.said}")
            return default
        try:
            return how(self.text())
        except refused as why:
            self.refuse(str(why))
            return default

    def flag(self) -> bool:
        said = self.text().lower()
        if said in {"true", "yes", "on"}:
            return True
        if said not in {"false", "no", "off"}:
            self.refuse(f"must be true or false, not {said!r}")
        return False

    @property
    def said(self) -> str:
        if isinstance(self.node, ScalarNode):
            return repr(self.node.value)
        return "a list" if isinstance(self.node, SequenceNode) else "a table"


def opened(path: Path, text: str) -> Part | Problems:
    """The whole of a document; where it is no YAML, what is wrong with it."""
    problems = Problems(path)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as why:
        line = f":{why.problem_mark.line + 1}" if why.problem_mark else ""
        problems.found.append(f"{path}{line}: is no YAML: {why.problem or why.context}")
        return problems
    except (yaml.YAMLError, RecursionError) as why:
        problems.found.append(f"{path}: is no YAML: {why}")
        return problems
    if node is None:
        problems.found.append(f"{path}: is empty")
        return problems
    return Part(node, "", problems)


def scalars(node: Node, key: str = "", seen: frozenset[int] = frozenset()) -> Iterator[tuple[str, ScalarNode]]:
    """(nearest key, scalar) of everything in a document."""
    if id(node) in seen:
        return
    if isinstance(node, ScalarNode):
        yield key, node
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from scalars(item, key, seen | {id(node)})
    elif isinstance(node, MappingNode):
        for name, value in node.value:
            yield from scalars(value, str(name.value), seen | {id(node)})
