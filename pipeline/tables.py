"""Series of anybody's making, as they were found."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lifeline.model import Floats, Ints
from lifeline.words import Unusable


@dataclass(frozen=True)
class Table:
    """Series that were read at the same instants."""

    key: list[str]  # [m]
    t: Ints  # [k] [ns] UTC, rising
    value: Floats  # [m, k] in the unit of the data; NaN: nothing came


@dataclass
class Found:
    """What a file held, and what was guessed of it."""

    tables: list[Table] = field(default_factory=list)
    layout: str = ""  # "wide", "long", "recording"
    time: str = ""  # the column of times, and how they were taken
    si: bool = False  # values are in SI units: a recording of ours
    ignored: list[str] = field(default_factory=list)  # series that nobody asked for
    unreadable: Counter[str] = field(default_factory=Counter)  # cells by column
    duplicates: int = 0  # readings at an instant that its series has already
    unsorted: bool = False
    notes: list[str] = field(default_factory=list)


def joined(parts: Sequence[Found], path: Path) -> Found:
    """What several files hold, as one."""
    if len({p.si for p in parts}) > 1:
        raise Unusable(f"{path}: recordings of ours among other files; judge them apart")
    first, said = parts[0], Found()
    said.layout = f"{len(parts)} files, {', '.join(dict.fromkeys(p.layout for p in parts))}"
    said.time, said.si = "; ".join(dict.fromkeys(p.time for p in parts)), first.si
    held: dict[str, list[tuple[Ints, Floats]]] = {}
    for part in parts:
        said.unreadable += part.unreadable
        said.duplicates += part.duplicates
        said.unsorted |= part.unsorted
        said.notes += part.notes
        for table in part.tables:
            for key, value in zip(table.key, table.value, strict=True):
                there = np.isfinite(value)
                held.setdefault(key, []).append((table.t[there], value[there]))
    said.ignored = list(dict.fromkeys(name for p in parts for name in p.ignored))
    alike = Alike()
    for key, pieces in held.items():
        pieces.sort(key=lambda piece: int(piece[0][0]) if piece[0].size else 0)
        t, x = (np.concatenate(c) for c in zip(*pieces, strict=True))
        t, value = sorted_out(t, x[None, :], said)
        alike.add(key, t, value[0])
    said.tables = alike.tables()
    return said


class Alike:
    """Series that were read at the same instants make a table."""

    def __init__(self) -> None:
        self._held: dict[bytes, list[tuple[str, Ints, Floats]]] = {}

    def add(self, key: str, t: Ints, x: Floats) -> None:
        """t, x [k] of a series."""
        self._held.setdefault(hashlib.sha256(t.tobytes()).digest(), []).append((key, t, x))

    def tables(self) -> list[Table]:
        """In the order in which they came."""
        return [Table([k for k, _, _ in same], same[0][1], np.stack([x for *_, x in same])) for same in self._held.values()]


def sorted_out(t: Ints, value: Floats, said: Found) -> tuple[Ints, Floats]:
    """Rows in order of time, each instant once: of readings that say an instant again the first stands."""
    if (np.diff(t) > 0).all():
        return t, value
    said.unsorted |= bool((np.diff(t) < 0).any())
    order = np.argsort(t, kind="stable")
    t, value = t[order], value[:, order]
    first = np.r_[True, np.diff(t) > 0]
    place = np.cumsum(first) - 1  # [rows] where the row's instant stands
    turn = np.arange(t.size) - np.flatnonzero(first)[place]  # the how manieth of its instant it is
    kept = value[:, first].copy()
    for n in range(1, int(turn.max()) + 1):
        rows = np.flatnonzero(turn == n)
        before = kept[:, place[rows]]
        said.duplicates += int((np.isfinite(before) & np.isfinite(value[:, rows])).sum())
        kept[:, place[rows]] = np.where(np.isfinite(before), before, value[:, rows])
    return t[first], kept
