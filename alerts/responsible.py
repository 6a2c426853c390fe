"""The table of responsibilities: which unit hears of what, in which role, from which level on.

A file (CSV) that a city edits; every row that fits a warning adds one part. Parts are grouped in tiers by level: a warning at
level L is told to the tiers up to L, and where nobody answers to the next one; BEYOND is the tier above RED.
"""

from collections.abc import Collection, Iterable
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from alerts.texts import HAZARDS
from lifeline.model import Domain, Kind, Level
from lifeline.sheet import Problems, Sheet, read
from lifeline.words import Unusable, suggestion

SHIPPED: Final = Path(__file__).with_name("responsibilities.csv")
REQUIRED: Final = ("domain", "hazard", "level", "unit", "role")
OPTIONAL: Final = ("district", "asset_type", "kind", "zh", "en")
FACTS: Final = ("domain", "district", "asset_type", "hazard", "kind")
OWNER: Final = "owner"  # the unit that the catalog names as the asset's owner
ANY: Final = "*"


class Tier(IntEnum):
    """From which level on somebody hears."""

    BLUE = Level.BLUE
    YELLOW = Level.YELLOW
    ORANGE = Level.ORANGE
    RED = Level.RED
    BEYOND = Level.RED + 1  # where RED is not answered


class Matter(NamedTuple):
    """What a warning is about, as the table asks for it."""

    domain: str
    district: str
    asset_type: str  # "": not told
    hazard: str
    kind: str


class Part(NamedTuple):
    """Who hears: whoever is on duty in a role of a unit."""

    tier: Tier
    unit: str
    role: str
    zh: str
    en: str


class Row(NamedTuple):
    """One line of the table."""

    fits: Matter  # of patterns
    part: Part

    def of(self, matter: Matter) -> bool:
        return all(fits(pattern, word) for pattern, word in zip(self.fits, matter, strict=True))


class TableRefused(Unusable):
    """The file is no table of responsibilities; every line says what is wrong where."""


def fits(pattern: str, word: str) -> bool:
    """Whether a word is one of those that a cell names: words and globs, apart by spaces; "!x" is all but x."""
    named = pattern.split() or [ANY]
    wanted = [p for p in named if not p.startswith("!")]
    return not any(fnmatchcase(word, p[1:]) for p in named if p.startswith("!")) and (
        not wanted or any(fnmatchcase(word, p) for p in wanted)
    )


class Responsible:
    """The table, read and checked."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)

    def parts(self, matter: Matter, upto: int) -> list[Part]:
        """Who hears of a matter in the tiers up to one, the lowest first; each role of a unit once, at its lowest tier."""
        heard: dict[tuple[str, str], Part] = {}
        for part in sorted((r.part for r in self.rows if r.of(matter)), key=lambda p: p.tier):
            heard.setdefault((part.unit, part.role), part)
        return [p for p in heard.values() if p.tier <= upto]

    def departments(self, matter: Matter, level: Level) -> set[str]:
        """The units that hear of a matter at a level; the owner by the name of the domain."""
        return {matter.domain if p.unit == OWNER else p.unit for p in self.parts(matter, level)}

    @cached_property
    def units(self) -> frozenset[str]:
        """Every unit that the table names."""
        return frozenset(r.part.unit for r in self.rows)


def load(path: Path = SHIPPED, *, units: Collection[str] = ()) -> Responsible:
    """Read and check a table; TableRefused with all that is wrong. units: those there are; empty: not looked at."""
    problems = Problems(path)
    try:
        sheet = read(path, REQUIRED, OPTIONAL, problems)
    except OSError as why:
        raise TableRefused(f"{path}: cannot be read: {why.strerror}") from why
    rows = _rows(sheet, units, problems) if sheet else []
    if problems.count:
        raise TableRefused("\n".join(problems.told()))
    return Responsible(rows)


def _rows(sheet: Sheet, units: Collection[str], problems: Problems) -> list[Row]:
    cells = {name: sheet.cell[name].to_pylist() for name in (*REQUIRED, *OPTIONAL)}
    rows = []
    for i, line in enumerate(sheet.line.tolist()):
        row = {name: column[i] for name, column in cells.items()}
        wrong = list(_wrong(row, units))
        for reason in wrong:
            problems.add(line, reason)
        if not wrong:
            rows.append(_row(row))
    return rows


def _row(row: dict[str, str]) -> Row:
    said = row["zh"] or f"{row['unit']} {row['role']}", row["en"] or f"{row['role']} of {row['unit']}"
    return Row(Matter(*(row[name] for name in FACTS)), Part(Tier[row["level"]], row["unit"], row["role"], *said))


def _wrong(row: dict[str, str], units: Collection[str]) -> Iterable[str]:
    """Everything wrong with one line."""
    known = {"domain": [*map(str, Domain), "pipeline"], "hazard": list(HAZARDS), "kind": [*map(str, Kind)]}
    for name, words in known.items():
        for word in row[name].split():
            bare = word.removeprefix("!")
            if not any(fnmatchcase(w, bare) for w in words):
                yield f"{name}: there is no {bare!r}; {suggestion(bare, words)}"
    if row["level"] not in Tier.__members__:
        yield f"level: {row['level']!r} is none; write one of {', '.join(Tier.__members__)}"
    for name in ("unit", "role"):
        if not row[name]:
            yield f"{name}: is empty"
    if units and row["unit"] not in {*units, OWNER, ""}:
        yield f"unit: there is no {row['unit']!r}; {suggestion(row['unit'], [*units, OWNER])}"
