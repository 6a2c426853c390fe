"""Waveforms as features of each second: least, greatest, mean, root of the mean square, crest factor.

A second may come in two checkpoints: what is known of each series' newest second is carried from one to the next, and its
features are written again, whole. docs/influx.md
"""

from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import JUDGED, NS, Batch, Bools, Floats, Ints, Rows

SHORT: Final = 1.0  # [s] series with a shorter step are waveforms


def waves(catalog: Catalog) -> Bools:
    """[n] which series are waveforms."""
    return np.asarray(catalog.step < SHORT)


class Sums(NamedTuple):
    """Of the samples of seconds: a series' seconds stand together, oldest first."""

    row: Rows  # [m] catalog row
    t: Ints  # [m] [ns] beginning of the second
    n: Ints  # [m] [1] samples fit to be judged
    total: Floats  # [m] [SI]
    square: Floats  # [m] [SI²]
    low: Floats  # [m] [SI]
    high: Floats  # [m] [SI]

    @classmethod
    def empty(cls) -> "Sums":
        i, x = np.empty(0, np.int64), np.empty(0)
        return cls(i.astype(np.int32), i, i, x, x, x, x)

    def take(self, which: Ints | Bools) -> "Sums":
        columns: list[Any] = [column[which] for column in self]
        return Sums(*columns)

    @property
    def features(self) -> dict[str, Floats]:
        """Name of the field -> [m] [SI]; crest [1], 0 where all samples are 0."""
        rms = np.sqrt(self.square / self.n)
        peak = np.maximum(np.abs(self.low), np.abs(self.high))
        crest = np.divide(peak, rms, out=np.zeros_like(peak), where=rms > 0)
        return {"min": self.low, "max": self.high, "mean": self.total / self.n, "rms": rms, "crest": crest}


def summed(b: Batch) -> Sums:
    """Of readings in the order of row and time."""
    fit = np.isin(b.quality, JUDGED) & np.isfinite(b.value)
    b = b.take(fit)
    if not b.n:
        return Sums.empty()
    second = b.t // NS * NS
    first = np.flatnonzero((np.diff(b.row, prepend=-1) != 0) | (np.diff(second, prepend=-1) != 0))
    n = np.diff(first, append=b.n)
    add = np.add.reduceat
    low, high = np.minimum.reduceat(b.value, first), np.maximum.reduceat(b.value, first)
    return Sums(b.row[first], second[first], n, add(b.value, first), add(b.value**2, first), low, high)


def merged(a: Sums, b: Sums) -> Sums:
    """Two sums as one; a second that is in both is one second."""
    columns: list[Any] = [np.concatenate([mine, theirs]) for mine, theirs in zip(a, b, strict=True)]
    both = Sums(*columns)
    if not both.row.size:
        return both
    both = both.take(np.lexsort((both.t, both.row)))
    first = np.flatnonzero((np.diff(both.row, prepend=-1) != 0) | (np.diff(both.t, prepend=-1) != 0))
    add = np.add.reduceat
    low, high = np.minimum.reduceat(both.low, first), np.maximum.reduceat(both.high, first)
    return Sums(both.row[first], both.t[first], add(both.n, first), add(both.total, first), add(both.square, first), low, high)


def carried(held: Sums, new: Sums, most: Ints) -> tuple[Sums, Sums]:
    """What is to be written of new seconds, and what is carried on. most [rows] [1] samples that a second of each row may hold

    A second that would hold more than it can has been read twice, and is what it is now said to be.
    """
    same = np.isin(_name(held), _name(new))
    both = merged(held.take(same), new)
    over = both.n > most[both.row]
    if over.any():
        both = merged(both.take(~over), new.take(np.isin(_name(new), _name(both.take(over)))))
    rest = merged(held.take(~same), both)
    last = np.diff(rest.row, append=-1) != 0
    return both, rest.take(last)


def _name(s: Sums) -> Ints:
    """[m] one number for each series and second."""
    return (s.row.astype(np.int64) << 34) | (s.t // NS)  # seconds since 1970 stay below 2**34 until 2514
