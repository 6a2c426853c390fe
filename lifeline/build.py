"""Tables of TOML into frozen dataclasses: every key known, every value of the right type, or all that is wrong said at once."""

import math
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lifeline.kinds import Between, Secret, Spoken, Unfit, Written, duration
from lifeline.words import Unusable, suggestion

__all__ = ["ConfigRefused", "build", "duration", "keys"]

T = TypeVar("T")


class ConfigRefused(Unusable):
    """Settings that cannot be used. `problems`: `where: reason`, all of them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join([f"the configuration is refused; problems: {len(problems)}", *problems]))


def build(cls: type[T], table: Any, where: str, *, folder: Path = Path(), given: Mapping[str, Any] | None = None) -> T:
    """One frozen dataclass from one table.

    where: name of the table, for messages ("broker").
    folder: what relative paths are relative to.
    given: fields that do not come from the table, such as a client already open.

    A secret (`Secret`, or `field(metadata={"secret": True})`) may be given as NAME_file, a file that holds it.
    A ValueError of the dataclass's own `__post_init__` is a problem too, or several, one a line.
    """
    if not isinstance(table, Mapping):
        raise ConfigRefused([f"{where}: must be a table, not {_said(table)}"])
    given = given or {}
    known = keys(cls, given)
    problems = [f"{_join(where, key)}: no such key; {suggestion(key, known)}" for key in table if key not in known]
    values = dict(given)
    for f, kind in _wanted(cls, given):
        try:
            _take(f, kind, table, where, folder, values)
        except ConfigRefused as why:
            problems += why.problems
    if problems:
        raise ConfigRefused(problems)
    try:
        return cls(**values)
    except ValueError as why:
        raise ConfigRefused([f"{where}: {line}" if where else line for line in str(why).splitlines()]) from why


def keys(cls: type, given: Iterable[str] = ()) -> dict[str, Any]:
    """What the table of a dataclass may hold: key -> type."""
    known: dict[str, Any] = {}
    for f, kind in _wanted(cls, given):
        known[f.name] = kind
        if kind is Secret:
            known.setdefault(f"{f.name}_file", Path)
    return known


def _wanted(cls: Any, given: Iterable[str]) -> list[tuple[Field[Any], Any]]:
    hints = get_type_hints(cls, include_extras=True)
    asked = [f for f in fields(cls) if f.init and f.name not in given]
    return [(f, Secret if _secret(f, hints[f.name]) else hints[f.name]) for f in asked]


def _secret(f: Field[Any], kind: Any) -> bool:
    return bool(f.metadata.get("secret")) or Secret in (kind, *get_args(kind))


def _take(f: Field[Any], kind: Any, table: Mapping[str, Any], where: str, folder: Path, values: dict[str, Any]) -> None:
    """One field's value, where the table has it."""
    file = f"{f.name}_file" if kind is Secret else ""
    if f.name in table and file in table:
        raise ConfigRefused([f"{_join(where, f.name)}: {f.name} and {file} are both given; keep one"])
    if f.name in table:
        values[f.name] = _read(kind, table[f.name], _join(where, f.name), folder)
    elif file in table:
        values[f.name] = _from_file(table[file], _join(where, file), folder)
    elif f.default is MISSING and f.default_factory is MISSING:
        raise ConfigRefused([f"{_join(where, f.name)}: is missing, and has no default"])


def _from_file(name: Any, where: str, folder: Path) -> Secret:
    path = _read(Path, name, where, folder)
    try:
        content = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as why:
        reason = why.strerror if isinstance(why, OSError) else "it is not UTF-8"
        raise ConfigRefused([f"{where}: {path} cannot be read: {reason}"]) from why
    if not content:
        raise ConfigRefused([f"{where}: {path} is empty; write the secret into it"])
    return Secret(content)


def _read(kind: Any, value: Any, where: str, folder: Path) -> Any:
    """One value as its type wants it."""
    origin = get_origin(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return build(kind, value, where, folder=folder)
    if origin in (list, tuple, set, frozenset, Sequence):
        return _items(origin, get_args(kind)[0], value, where, folder)
    if origin in (dict, Mapping):
        return _entries(get_args(kind)[1], value, where, folder)
    if origin in (Union, types.UnionType):
        return _either([k for k in get_args(kind) if k is not types.NoneType], value, where, folder)
    try:
        return _plain(kind, value, folder)
    except Unfit as why:
        raise ConfigRefused([f"{where}: {why}"]) from why


def _items(origin: Any, kind: Any, value: Any, where: str, folder: Path) -> Any:
    if not isinstance(value, list):
        raise ConfigRefused([f"{where}: must be a list in [ ], not {_said(value)}"])
    read = _all({str(i): (f"{where}[{i}]", v) for i, v in enumerate(value)}, kind, folder)
    return (list if origin is Sequence else origin)(read.values())


def _entries(kind: Any, value: Any, where: str, folder: Path) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigRefused([f"{where}: must be a table, not {_said(value)}"])
    return _all({key: (f"{where}.{key}", v) for key, v in value.items()}, kind, folder)


def _all(parts: Mapping[str, tuple[str, Any]], kind: Any, folder: Path) -> dict[str, Any]:
    """Values of one type by their keys, from (where, value); the problems of all."""
    read: dict[str, Any] = {}
    problems: list[str] = []
    for key, (where, value) in parts.items():
        try:
            read[key] = _read(kind, value, where, folder)
        except ConfigRefused as why:
            problems += why.problems
    if problems:
        raise ConfigRefused(problems)
    return read


def _either(kinds: list[Any], value: Any, where: str, folder: Path) -> Any:
    """The first type that fits; else what the last one says."""
    for kind in kinds[:-1]:
        try:
            return _read(kind, value, where, folder)
        except ConfigRefused:
            continue
    return _read(kinds[-1], value, where, folder)


def _plain(kind: Any, value: Any, folder: Path) -> Any:
    """A value without parts; Unfit says what is allowed."""
    if kind is Any:
        return value
    if get_origin(kind) is Annotated:
        return _marked(kind, value, folder)
    if get_origin(kind) is Literal:
        return _one_of({str(a): a for a in get_args(kind)}, value)
    if kind is Path:
        return folder / _name(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        by_value = issubclass(kind, StrEnum)
        return _one_of({m.value if by_value else m.name: m for m in kind}, value)
    return PLAIN[kind](value)


def _marked(kind: Any, value: Any, folder: Path) -> Any:
    """A value of an Annotated type: written with its unit, within its bounds."""
    inner, *marks = get_args(kind)
    written = next((m for m in marks if isinstance(m, Written)), None)
    read = written.read(_text(value, " with its unit")) if written else _plain(inner, value, folder)
    for m in marks:
        if isinstance(m, Between) and not m.low <= read <= m.high:
            allowed = f"at least {m.low:g}" if m.high == float("inf") else f"from {m.low:g} to {m.high:g}"
            raise Unfit(f"must be {allowed}, not {_said(value)}")
    return read


def _one_of(allowed: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, str) or value not in allowed:
        raise Unfit(f"must be one of {', '.join(map(repr, allowed))}, not {_said(value)}")
    return allowed[value]


def _text(value: Any, more: str = "") -> str:
    if not isinstance(value, str):
        raise Unfit(f"must be text in quotes{more}, not {_said(value)}")
    return str(value)


def _name(value: Any) -> str:
    name = _text(value)
    if not name:
        raise Unfit("must name a file or directory; leave the key out if there is none")
    return name


def _whole(value: Any) -> int:
    if isinstance(value, Spoken) and re.fullmatch(r"[+-]?\d+", value.strip()):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit(f"must be a whole number, not {_said(value)}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, Spoken) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value.strip()):
        return float(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (abs(value) < 10**300 if whole else isinstance(value, float) and math.isfinite(value)):
        raise Unfit(f"must be a finite number, not {_said(value)}")
    return float(value)


def _truth(value: Any) -> bool:
    if isinstance(value, Spoken) and value.strip() in {"true", "false"}:
        return value.strip() == "true"
    if not isinstance(value, bool):
        raise Unfit(f"must be true or false, not {_said(value)}")
    return value


def _hidden(value: Any) -> Secret:
    if not isinstance(value, str):
        raise Unfit("must be text in quotes")
    return Secret(value)


PLAIN: Final[dict[Any, Callable[[Any], Any]]] = {str: _text, int: _whole, float: _number, bool: _truth, Secret: _hidden}


def _said(value: Any) -> str:
    """How a message speaks of a value that was given."""
    if isinstance(value, Mapping | list):
        return "a table" if isinstance(value, Mapping) else "a list"
    spoken = f" (from {value.origin})" if isinstance(value, Spoken) else ""
    return f"{str(value).lower() if isinstance(value, bool) else repr(value)}{spoken}"


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
