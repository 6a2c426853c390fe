"""What may be written in a scenario file, read off the dataclasses that take it: the manual cannot say anything else."""

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from lifeline.kinds import Between
from lifeline.measures import Measured
from simulators import sensors, transport
from simulators.kinds import makers
from simulators.plan import Plan
from simulators.scenario import Expect, Ticket

PLAIN: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class Key(NamedTuple):
    """One key of a table."""

    name: str
    allowed: str
    default: str  # "": it must be given
    about: str


class Table(NamedTuple):
    """One table of a file."""

    head: str  # as it is written: `[world.gas]`, `[[fault]] kind = "gas.leak"`
    about: str
    keys: list[Key]


def tables() -> Iterator[Table]:
    """All that a scenario may hold beyond its own keys."""
    yield from _nested("[city]", Plan)
    for name, maker in makers().items():
        yield from _nested(f"[world.{name}]", maker.world)
    for name, maker in makers().items():
        yield from _kinds("fault", {f"{name}.{kind}": cls for kind, cls in maker.faults.items()})
    yield from _kinds("sensor", sensors.KINDS)
    yield from _kinds("transport", transport.KINDS)
    yield from _nested("[[expect]]", Expect)
    yield from _nested("[[ticket]]", Ticket)


def _kinds(table: str, kinds: Mapping[str, type]) -> Iterator[Table]:
    for kind, cls in kinds.items():
        yield from _nested(f'[[{table}]] kind = "{kind}"', cls)


def _nested(head: str, cls: Any) -> Iterator[Table]:
    """A table, and those within it."""
    yield Table(head, about(cls), keys(cls))
    for f in fields(cls):
        inner = _item(get_type_hints(cls, include_extras=True)[f.name])
        if is_dataclass(inner):
            place = head.strip("[]")
            yield from _nested(f"[[{place}.{f.name}]]", inner)


def _item(kind: Any) -> Any:
    """What a list holds; else the kind itself, without None."""
    inner = [k for k in get_args(kind) if k not in (Ellipsis, types.NoneType)]
    return inner[0] if get_origin(kind) in (tuple, list, Union, types.UnionType) and inner else kind


def about(cls: type) -> str:
    """The first line of its docstring."""
    said = (inspect.getdoc(cls) or "").splitlines()
    return said[0] if said and not said[0].startswith(f"{cls.__name__}(") else ""


def keys(cls: Any) -> list[Key]:
    """What the table of a dataclass may hold."""
    hints, said = get_type_hints(cls, include_extras=True), comments(cls)
    return [
        Key(f.name, allowed(hints[f.name]), _default(f, hints[f.name]), said.get(f.name, "")) for f in fields(cls) if f.init
    ]


def comments(cls: type) -> dict[str, str]:
    """The comment at the end of each field's line."""
    found = re.findall(r"^    (\w+): .*?  # (.*)$", inspect.getsource(cls), flags=re.MULTILINE)
    return {name: text.strip() for name, text in found}


def allowed(kind: Any) -> str:
    """In words."""
    origin, inner = get_origin(kind), _item(kind)
    if origin in (tuple, list):
        return "tables of its own" if is_dataclass(inner) else f"a list in [ ] of: {allowed(inner)}"
    if origin in (Union, types.UnionType):
        return allowed(inner)
    if origin is Literal:
        return " or ".join(f'"{a}"' for a in get_args(kind))
    if origin is Annotated:
        return _marked(*get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f'"{m.name}"' for m in kind)
    return PLAIN.get(kind, "text")


def _marked(plain: Any, *marks: Any) -> str:
    for mark in marks:
        if isinstance(mark, Measured):
            return mark.allowed()
        if isinstance(mark, Between):
            return f"{PLAIN.get(plain, 'a number')} from {mark.low:g} to {mark.high:g}"
    return PLAIN.get(plain, "text")


def _default(f: Field[Any], kind: Any) -> str:
    if f.default is MISSING:
        return "" if f.default_factory is MISSING else "none"
    value = f.default
    mark = next((m for m in get_args(_item(kind)) or get_args(kind) if isinstance(m, Measured)), None)
    if mark is not None and isinstance(value, float):
        return mark.written(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, (), "") else str(value)


def markdown() -> str:
    """The manual's tables."""
    out: list[str] = []
    for table in tables():
        out += [f"### `{table.head}`", "", *([table.about, ""] if table.about else [])]
        if table.keys:
            out += ["| key | value | default | |", "|---|---|---|---|"]
            out += [f"| `{k.name}` | {k.allowed} | {k.default or '**must be given**'} | {k.about} |" for k in table.keys]
            out.append("")
    return "\n".join(out).rstrip() + "\n"
