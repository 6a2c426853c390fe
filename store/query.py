"""One series as people read it: times as RFC 3339, values in the unit of the quantity."""

import difflib
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints, Quality
from lifeline.units import UNITS, shown
from store.lake import Lake


class UnknownKey(LookupError):
    """No such series in the catalog."""


class Answer(NamedTuple):
    """Lines to print, under their header."""

    header: tuple[str, ...]
    lines: Iterator[tuple[str, ...]]


def rows(lake: Lake, key: str, t0: int, t1: int, every: float | None = None) -> Answer:
    """The readings of one series in (t0, t1] [ns], or their slots of `every` [s]."""
    i = _row(lake, key)
    row, unit = np.array([i], np.int32), shown(lake.catalog.quantity[i], lake.catalog.unit[i])
    if every is None:
        b = lake.scan(row, t0, t1)
        quality = (Quality(q).name.lower() for q in b.quality.tolist())
        return Answer(("time", f"value [{unit}]", "quality"), zip(times(b.t), values(b.value, unit), quality, strict=True))
    s = lake.scan(row, t0, t1, every)
    header = ("time", *(f"{each} [{unit}]" for each in ("mean", "min", "max")), "judged", "readings")
    levels = (values(x, unit) for x in (s.mean, s.low, s.high))
    return Answer(header, zip(times(s.t), *levels, map(str, s.judged), map(str, s.total), strict=True))


def _row(lake: Lake, key: str) -> int:
    if key in lake.catalog.row:
        return lake.catalog.row[key]
    near = difflib.get_close_matches(key, lake.catalog.key.tolist(), n=3, cutoff=0.6)
    raise UnknownKey(f"no series {key!r} in the catalog" + (f"; near it: {', '.join(near)}" if near else ""))


def times(t: Ints) -> list[str]:
    """RFC 3339 in UTC: milliseconds, or nanoseconds where milliseconds would lose something. t [n] [ns]"""
    unit: Literal["ns", "ms"] = "ns" if (t % 1_000_000).any() else "ms"
    return [f"{each}Z" for each in np.datetime_as_string(t.astype("datetime64[ns]"), unit=unit)]


def values(x: Floats, unit: str) -> Iterator[str]:
    """Numbers in a unit, empty for NaN. x [n] [SI]"""
    u = UNITS[unit]
    return ("" if np.isnan(v) else f"{v:.10g}" for v in ((x - u.offset) / u.scale).tolist())
