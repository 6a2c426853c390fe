"""Warnings that belong together: neighbours of one trouble, and other domains within its reach. Each join has its reason.

A table (CSV) says which hazards may have to do with each other, how near and how soon after each other. What is joined stays a
warning of its own, with people of its own; but everybody sees what it belongs to, and the oldest of them leads.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from math import cos, hypot, radians
from pathlib import Path
from typing import Final, NamedTuple

from lifeline.kinds import duration
from lifeline.model import NS
from lifeline.sheet import Problems, read
from lifeline.units import UNITS
from lifeline.words import Unusable

SHIPPED: Final = Path(__file__).with_name("joins.csv")
COLUMNS: Final = ("domain", "hazard", "other_domain", "other_hazard", "reach", "within", "zh", "en")
EARTH: Final = 6_371_008.8  # [m] mean radius (Moritz 2000, Geodetic Reference System 1980)


class Spot(NamedTuple):
    """A warning as far as joining goes."""

    id: str
    asset: str
    domain: str
    hazard: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    onset: int  # [ns] sensor clock


class Rule(NamedTuple):
    """Which two hazards may have to do with each other."""

    one: tuple[str, str]  # patterns of domain and hazard
    other: tuple[str, str]
    reach: float  # [m]
    within: float  # [s] between their onsets
    zh: str
    en: str

    def fits(self, a: Spot, b: Spot) -> bool:
        return (_of(self.one, a) and _of(self.other, b)) or (_of(self.one, b) and _of(self.other, a))


class Join(NamedTuple):
    """Two that belong together, and why."""

    to: str  # the other warning
    asset: str  # of the other
    hazard: str
    distance: float  # [m]
    zh: str
    en: str


class JoinsRefused(Unusable):
    """The file is no table of joins; every line says what is wrong where."""


def _of(patterns: tuple[str, str], spot: Spot) -> bool:
    return all(any(fnmatchcase(word, p) for p in pattern.split()) for pattern, word in zip(patterns, spot[2:4], strict=True))


def distance(a: Spot, b: Spot) -> float:
    """Over the ground, flat between the two; exact to a thousandth within 100 km. [m]"""
    north = radians(b.lat - a.lat)
    east = radians(b.lon - a.lon) * cos(radians((a.lat + b.lat) / 2))
    return EARTH * hypot(north, east)


def joins(rules: Sequence[Rule], new: Spot, known: list[Spot]) -> list[Join]:
    """Those of the known warnings that a new one belongs to, the nearest first, each by the first rule that fits."""
    found = []
    for old in known:
        far, apart = distance(new, old), abs(new.onset - old.onset) / NS
        rule = next((r for r in rules if far <= r.reach and apart <= r.within and r.fits(new, old)), None)
        if rule is not None:
            found.append(Join(old.id, old.asset, old.hazard, far, rule.zh, rule.en))
    return sorted(found, key=lambda f: (f.distance, f.to))


def concerning(rules: Sequence[Rule], spot: Spot) -> list[Rule]:
    """The rules that speak of a warning's hazard."""
    return [r for r in rules if _of(r.one, spot) or _of(r.other, spot)]


def furthest(rules: Sequence[Rule]) -> float:
    """The longest reach of any rule. [m]"""
    return max((r.reach for r in rules), default=0.0)


@cache
def load(path: Path = SHIPPED) -> list[Rule]:
    """Read and check a table; JoinsRefused with all that is wrong."""
    problems = Problems(path)
    sheet = read(path, COLUMNS, (), problems)
    rules = []
    for i, line in enumerate(sheet.line.tolist() if sheet else []):
        row = {name: sheet.cell[name][i].as_py() for name in COLUMNS} if sheet else {}
        try:
            rules.append(_rule(row))
        except ValueError as why:
            problems.add(line, str(why))
    if problems.count:
        raise JoinsRefused("\n".join(problems.told()))
    return rules


def _rule(row: dict[str, str]) -> Rule:
    """One line; ValueError says which cell is wrong."""
    number, _, unit = row["reach"].partition(" ")
    if unit not in UNITS or UNITS[unit].si != "m":
        raise ValueError(f"reach: {row['reach']!r} is no distance; write it as '200 m'")
    empty = [name for name in COLUMNS if not row[name]]
    if empty:
        raise ValueError(f"{empty[0]}: is empty; write * for any")
    reach, within = UNITS[unit].to_si(float(number)), duration(row["within"])
    return Rule((row["domain"], row["hazard"]), (row["other_domain"], row["other_hazard"]), reach, within, row["zh"], row["en"])
