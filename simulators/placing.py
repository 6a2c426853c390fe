"""Where tables [[sensor]] apply: patterns of keys and amounts in units of their own -> faults of the catalog's rows."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from lifeline.catalog import Catalog
from lifeline.measures import measure, unit_of
from lifeline.model import NS
from lifeline.units import UNITS
from simulators.faults import Crossed, Fault, SensorFault, Swapped
from simulators.sensors import Alone, Cross, Swap

SERIES: Final = 2**20  # more than a catalog has: each draws its own numbers


def placed(said: Any, c: Catalog, start: int, seed: int = 0) -> list[Fault]:
    """The sensors that a table means; ValueError where it does not fit the catalog. start [ns], seed: of what is drawn"""
    onset, end = start + round(said.at * NS), start + round((said.at + said.lasts) * NS)
    if isinstance(said, Swap):
        return [_swapped(said, c, onset, end)]
    rows = matching(said.series, c)
    if isinstance(said, Cross):
        return [_crossed(said, c, onset, end, row) for row in rows]
    return [_alone(said, c, onset, end, row, seed) for row in rows]


def matching(pattern: str, c: Catalog) -> list[int]:
    """Rows whose key fits a pattern; ValueError where there are none."""
    rows = [i for i, key in enumerate(c.key) if fnmatchcase(str(key), pattern)]
    if not rows:
        some = ", ".join(map(str, c.key[:5]))
        raise ValueError(f"series: no series fits {pattern!r}; there are {c.n}, such as {some}")
    return rows


def _alone(said: Alone, c: Catalog, onset: int, end: int, row: int, seed: int) -> SensorFault:
    effect = said.effect(_Reader(str(c.key[row]), str(c.unit[row]), seed * SERIES + row), row, c)
    return SensorFault(row, str(c.asset[row]), onset, end, effect)


def _crossed(said: Cross, c: Catalog, onset: int, end: int, row: int) -> Crossed:
    (other,) = _alike(said.other, c, row)
    factor = said.factor * float(c.scale[row] / c.scale[other])
    return Crossed(row, other, str(c.asset[row]), onset, end, factor)


def _swapped(said: Swap, c: Catalog, onset: int, end: int) -> Swapped:
    (row,) = _one(said.series, c)
    (other,) = _alike(said.other, c, row)
    return Swapped(row, other, (str(c.asset[row]), str(c.asset[other])), onset, end)


def _alike(key: str, c: Catalog, row: int) -> list[int]:
    """Another series of the same domain: worlds do not see one another's readings."""
    (other,) = _one(key, c)
    if other == row:
        raise ValueError(f"other: {key} is the series itself")
    if c.domain[other] != c.domain[row]:
        raise ValueError(f"other: {key} is of {c.domain[other]}, {c.key[row]} of {c.domain[row]}: they must be of one domain")
    return [other]


def _one(key: str, c: Catalog) -> list[int]:
    if key not in c.row:
        raise ValueError(f"there is no series {key!r}; a key, not a pattern, is needed here")
    return [c.row[key]]


@dataclass(frozen=True)
class _Reader:
    """Reads amounts in the units of one series."""

    key: str
    unit: str
    seed: int

    def __call__(self, text: str, *, size: bool = False, per: str = "") -> float:
        said = measure(f"{self.unit}/{per}" if per else self.unit).read
        zero = UNITS[unit_of(text)].offset if size and unit_of(text) in UNITS else 0.0
        try:
            return said(text) - zero
        except ValueError as why:
            raise ValueError(f"{self.key}: {why}") from why
