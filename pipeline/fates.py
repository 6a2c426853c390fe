"""What becomes of readings that are not newer than the last of their series, and so of each message."""

from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np

from lifeline.model import Batch, Bools, Codes, Floats, Ints, Rows


class Fate(IntEnum):
    """Of a message: the best that became of any of its readings."""

    NONE = 0
    DEAD = 1
    DUPLICATE = 2
    STORED = 3


class Known(Protocol):
    """What is stored already."""

    def stored(self, row: Rows, t: Ints) -> tuple[Bools, Floats]:
        """[n] whether there is such a reading, and its value."""


class Sorted(NamedTuple):
    """Late readings by fate, as masks [n]."""

    new: Bools
    duplicate: Bools
    conflict: Bools  # another value is stored for the same series and time


def sort_late(late: Batch, fresh: Batch, lake: Known) -> Sorted:
    """Compare late readings with each other, with the fresh ones not yet in the lake, and with the lake."""
    new, same = _first(late, fresh)
    if late.n:
        there, value = lake.stored(late.row, late.t)
        new &= ~there
        same[there] = alike(value[there], late.value[there])
    return Sorted(new, ~new & same, ~new & ~same)


def alike(a: Floats, b: Floats) -> Bools:
    """[n] the same value, or both missing."""
    same: Bools = (a == b) | (np.isnan(a) & np.isnan(b))
    return same


def _first(late: Batch, fresh: Batch) -> tuple[Bools, Bools]:
    """Per late reading: whether nobody said its (row, t) before; and whether who did said the same value."""
    if not late.n:
        return np.empty(0, bool), np.empty(0, bool)
    near = np.isin(fresh.row, np.unique(late.row))
    row = np.concatenate([fresh.row[near], late.row])
    t = np.concatenate([fresh.t[near], late.t])
    value = np.concatenate([fresh.value[near], late.value])
    order = np.lexsort((np.arange(row.size), t, row))  # earlier sayings come first
    head = np.r_[True, (np.diff(row[order]) != 0) | (np.diff(t[order]) != 0)]
    leader = order[np.flatnonzero(head)[np.cumsum(head) - 1]]  # per sorted reading, who said its (row, t) first
    first, same = np.empty(row.size, bool), np.empty(row.size, bool)
    first[order] = head
    same[order] = alike(value[leader], value[order])
    mine = slice(row.size - late.n, None)
    return first[mine], same[mine]


def tally(fate: Codes) -> dict[str, int]:
    """Counts of messages by fate [n]; every message has one, or the books are wrong."""
    counts = np.bincount(fate, minlength=len(Fate))
    if counts[Fate.NONE]:
        raise AssertionError(
            f"{counts[Fate.NONE]} messages have no fate; the first is at place {int(np.argmin(fate))} of its checkpoint"
        )
    return {
        "stored": int(counts[Fate.STORED]),
        "duplicate": int(counts[Fate.DUPLICATE]),
        "dead_lettered": int(counts[Fate.DEAD]),
    }
