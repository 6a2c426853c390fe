"""Scenarios as data: what world, what goes wrong in it, and what must and must not be said of it. One TOML file each."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from lifeline.build import ConfigRefused, build
from lifeline.clock import parse
from lifeline.kinds import Between, Unfit, Written
from lifeline.lines import line, lines
from lifeline.measures import time
from lifeline.model import Level
from lifeline.words import Unusable, nearest, suggestion
from simulators import sensors, transport
from simulators.kinds import makers
from simulators.plan import Plan

FOLDER: Final = Path(__file__).parent / "scenarios"


FIRST, LAST = (parse(f"{year}-01-01T00:00:00Z") for year in (1971, 2200))  # [ns] instants are counted from 1970, in 63 bits


def _instant(text: str) -> int:
    try:
        t = parse(text)
    except (ValueError, OverflowError) as why:
        raise Unfit(f'must be a time such as "2026-07-15T08:00:00+08:00": {why}') from why
    if not FIRST <= t < LAST:
        raise Unfit(f"must be a time from 1971 to 2199, not {text!r}")
    return t


Instant = Annotated[int, Written(_instant)]  # [ns] UTC
Within = Annotated[float, time("1s", "3660d")]  # [s]


@dataclass(frozen=True)
class Expect:
    """A warning that may be given; with `level`, one that must be."""

    asset: str  # pattern such as "well-*"
    hazard: tuple[str, ...]  # any of these
    level: Level | None = None  # reached, at least; left out: nothing need be said
    within: Within | None = None  # [s] after the fault's onset; left out: before the end
    stays: Within | None = None  # [s] in which it is not lowered once it is reached; left out: not looked at
    fault: Annotated[int, Between(1, 99)] = 1  # which of the [[fault]] tables, from 1: its onset counts
    most: Level = Level.RED  # a graver warning is wrong
    route: str = ""  # domain or department that must get it; left out: not looked at
    voices: Annotated[int, Between(1, 99)] = 1  # independent sensors that must agree
    top: Annotated[int, Between(0, 99)] = 0  # the true place is among the first so many that the warning names; 0: not asked

    def __post_init__(self) -> None:
        if not self.hazard:
            raise ValueError("hazard: names none")
        if self.level is Level.NORMAL:
            raise ValueError("level: NORMAL is no warning; leave it out where nothing need be said")
        for name in ("within", "stays"):
            if getattr(self, name) is not None and self.level is None:
                raise ValueError(f"{name}: has no meaning without a level that must be reached")
        if self.level is not None and self.level > self.most:
            raise ValueError(f"level: {self.level.name} is above most, which is {self.most.name}")


@dataclass(frozen=True)
class Ticket:
    """A device ticket that must be raised."""

    asset: str  # pattern
    hazard: tuple[str, ...]  # any of these; "*": any ticket
    within: Within | None = None  # [s] after the onset of the [[sensor]] fault of that number; left out: before the end
    sensor: Annotated[int, Between(1, 99)] = 1

    def __post_init__(self) -> None:
        if not self.hazard:
            raise ValueError('hazard: names none; "*" is any ticket')


@dataclass(frozen=True)
class Scenario:
    """One file. Times are relative to `start`."""

    id: str
    zh: str
    en: str
    start: Instant  # [ns] UTC
    duration: Annotated[float, time("1s", "3660d")]  # [s]
    seed: Annotated[int, Between(0, 2**31)] = 1
    about: str = ""  # whatever else a reader should know
    expect: tuple[Expect, ...] = ()
    ticket: tuple[Ticket, ...] = ()
    city: Plan | None = None
    worlds: Mapping[str, Any] = field(default_factory=dict)  # name -> what its table says
    fault: tuple[tuple[str, Any], ...] = ()  # (world, what happens), in the file's order
    sensor: tuple[Any, ...] = ()  # sensors at fault
    transport: tuple[Any, ...] = ()  # what the network does
    path: Path = Path()

    @property
    def end(self) -> int:
        """[ns] UTC"""
        return self.start + round(self.duration * 1e9)


class ScenarioRefused(Unusable):
    """A file is no scenario. `problems`: `file:line: place: reason`, all of them."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join([f"{path} is refused; problems: {len(problems)}", *problems]))


def files(folder: Path = FOLDER) -> list[Path]:
    """Every scenario file below a folder, in the order of their names."""
    return sorted(folder.rglob("*.toml"), key=lambda p: (p.parent, len(p.stem), p.stem))


def find(name: str) -> Path:
    """The file of a scenario, by its path or by the name of one of ours."""
    if (path := Path(name)).suffix == ".toml" or path.exists():
        return path
    ours = {p.stem: p for p in files()}
    if right := {k.casefold(): k for k in ours}.get(name.casefold()):
        return ours[right]
    near = nearest(name, ours)
    raise Unusable(f"{name}: no such scenario" + (f"; did you mean {near}?" if near else "; see: lifeline scenario list"))


def load(path: Path) -> Scenario:
    """Read and check a file; everything wrong with it is said at once."""
    text = ""
    try:
        text = path.read_text("utf-8-sig")  # some editors put a mark before the first line
        table = tomllib.loads(text)
    except OSError as why:
        raise ScenarioRefused(path, [f"{path}: cannot be read: {why.strerror}"]) from why
    except (ValueError, RecursionError) as why:  # no UTF-8, no TOML, a number or a nest of lists that nobody can hold
        there = re.search(r"\(at line (\d+)", str(why))
        last = text.count("\n", 0, -1) + 1 if "end of document" in str(why) else 1
        raise ScenarioRefused(path, [f"{path}:{there[1] if there else last}: is no TOML: {why}"]) from why
    problems: list[str] = []
    made = _scenario(table, path, problems)
    if made is None or problems:
        raise ScenarioRefused(path, located(path, text, problems))
    return made


def located(path: Path, text: str, problems: Iterable[str]) -> list[str]:
    """Problems `place: reason` with the file and the line of each place."""
    at = lines(text)
    return [f"{path}:{line(at, p.split(': ')[0])}: {p}" for p in problems]


def _scenario(table: dict[str, Any], path: Path, problems: list[str]) -> Scenario | None:
    """The scenario; what is wrong with it goes to `problems`, and then it is not whole."""
    named = table.pop("world", {})
    worlds = _worlds(named, problems)
    given = {
        "worlds": worlds,
        "fault": tuple(_faults(table.pop("fault", []), {w: makers()[w].faults for w in makers()}, "fault", problems)),
        "sensor": tuple(x for _, x in _faults(table.pop("sensor", []), {"": sensors.KINDS}, "sensor", problems)),
        "transport": tuple(x for _, x in _faults(table.pop("transport", []), {"": transport.KINDS}, "transport", problems)),
        "path": path,
    }
    if isinstance(table.get("start"), datetime):  # written without quotes, which TOML allows
        table["start"] = table["start"].isoformat()
    known = [f.name for f in fields(Scenario) if f.name not in {"worlds", "path"}] + ["world"]
    for key in [k for k in table if k not in known]:
        problems.append(f"{key}: no such key; {suggestion(key, known)}")
        del table[key]
    try:
        made = build(Scenario, table, "", given=given)
    except ConfigRefused as why:
        problems += why.problems
        return None
    problems += _contradictions(made, named if isinstance(named, Mapping) else makers())
    return made


def _worlds(tables: Any, problems: list[str]) -> dict[str, Any]:
    if not isinstance(tables, Mapping):
        problems.append("world: must be a table such as [world.gas]")
        return {}
    made = {}
    for name, table in tables.items():
        if name not in makers():
            problems.append(f"world.{name}: no such world; {suggestion(name, makers())}")
        elif (one := _built(makers()[name].world, table, f"world.{name}", problems)) is not None:
            made[name] = one
    return made


def _faults(tables: Any, kinds: Mapping[str, Mapping[str, type]], place: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    """(world, fault) of each table; kinds: world -> kind -> its dataclass, spoken of as world.kind."""
    known = {".".join(filter(None, (w, k))): (w, cls) for w, of in kinds.items() for k, cls in of.items()}
    if not isinstance(tables, Sequence):
        problems.append(f"{place}: must be a list of tables, each headed [[{place}]]")
        return
    for i, table in enumerate(tables):
        where = f"{place}[{i}]"
        if not isinstance(table, Mapping) or "kind" not in table:
            problems.append(f"{where}.kind: is missing; known are {', '.join(known)}")
        elif not isinstance(table["kind"], str) or table["kind"] not in known:
            problems.append(f"{where}.kind: {table['kind']!r} is unknown; {suggestion(str(table['kind']), known)}")
        else:
            world, cls = known[table["kind"]]
            made = _built(cls, {k: v for k, v in table.items() if k != "kind"}, where, problems)
            if made is not None:
                yield world, made


def _built(cls: type, table: Any, where: str, problems: list[str]) -> Any:
    try:
        return build(cls, table, where)
    except ConfigRefused as why:
        problems += why.problems
        return None


def _contradictions(s: Scenario, named: Collection[str]) -> list[str]:
    """What no single key can tell. named: the worlds that the file has, be they right or wrong."""
    out = []
    if not named and s.city is None:
        out.append(f"world: is missing: write [city], or one or more of {', '.join(f'[world.{n}]' for n in makers())}")
    if s.worlds and s.city is not None:
        out.append("world: a scenario has either [city] or tables [world.NAME], not both")
    for i, (world, _) in enumerate(s.fault):
        if s.city is None and world not in named:
            out.append(f"fault[{i}].kind: there is no [world.{world}] in this scenario")
    happening = (("fault", [f for _, f in s.fault]), ("sensor", s.sensor), ("transport", s.transport))
    out += [
        f"{name}[{i}].at: {x.at:g} s is not before the end, which is at {s.duration:g} s"
        for name, some in happening
        for i, x in enumerate(some)
        if x.at >= s.duration
    ]
    out += [
        f"expect[{i}].fault: there is no [[fault]] number {e.fault}"
        for i, e in enumerate(s.expect)
        if e.level is not None and e.fault > len(s.fault)
    ]
    return out + [
        f"ticket[{i}].sensor: there is no [[sensor]] number {t.sensor}"
        for i, t in enumerate(s.ticket)
        if t.within is not None and t.sensor > len(s.sensor)
    ]
