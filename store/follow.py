"""What of the lake somebody who follows it has not seen: its files by journal offset, in the order in which they came.

A follower has seen all that came below an offset. It looks at files that are committed, and at nothing above: what a crash
takes back it has never seen. Where files have been merged that it has seen in part, it is given the whole: what it does with
readings must bear repetition.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifeline.catalog import Catalog
from lifeline.clock import now
from lifeline.model import NS, Batch
from store import files
from store.files import File

SETTLED: Final = 2 * NS  # [ns] a folder changed this long before it was listed shows by its time whether it changes again
ROWS: Final = 131_072  # [1] readings given at a time
FIRST: Final = 1  # [1] the first journal; sealed files of the journal n bear it in their names


class Place(NamedTuple):
    """How far a follower is: everything below `next` in journal number `era`, and all of the journals before."""

    era: int = FIRST
    next: int = 0


class Follower:
    """The folders of a lake, looked at again only where they have changed."""

    def __init__(self, root: Path, grace: float = files.GRACE) -> None:
        self._root, self._grace = root, grace
        self._known: dict[str, int] = {}  # folder -> [ns] time of its last change, when it was listed
        self._held: dict[str, list[File]] = {}  # folder -> its files that may still be wanted
        self._sealed = 0  # journals that are sealed
        self._place = Place()

    @property
    def present(self) -> int:
        """Number of the journal that is being written."""
        return self._sealed + 1

    def pending(self, place: Place, committed: int) -> tuple[Place, list[File]]:
        """Where the follower stands by what is there now, and the files that it wants, oldest first."""
        if place < self._place or place.era != self._place.era:
            self._known.clear()
            self._held.clear()
        self._place = place
        self._look(place)
        while place.era < self.present and not self._wanted(place, committed):
            place = Place(place.era + 1)
            self._known.clear()
            self._held.clear()
            self._look(place)
        self._place = place
        return place, self._wanted(place, committed)

    def _wanted(self, place: Place, committed: int) -> list[File]:
        last = committed if place.era == self.present else 2**63
        found = [f for held in self._held.values() for f in held if place.next < f.stop <= last and self._of(f, place.era)]
        return sorted(found, key=lambda f: (f.start, -f.stop, f.path))

    def _of(self, f: File, era: int) -> bool:
        return f.era == (0 if era == self.present else era)

    def _look(self, place: Place) -> None:
        """List the folders that may have changed."""
        there = set()
        for where, changed in _folders(self._root):
            there.add(where)
            if self._known.get(where) != changed:
                self._list(where, changed)
        for gone in self._known.keys() - there:
            self._known.pop(gone)
            self._held.pop(gone, None)
        for where in list(self._held):
            self._held[where] = [f for f in self._held[where] if f.stop > place.next or not self._of(f, place.era)]
            if not self._held[where]:
                del self._held[where]

    def _list(self, where: str, changed: int) -> None:
        began = now()
        count, _ = files.parted(files.listed(Path(where), self._grace))
        self._held[where] = count
        self._sealed = max([self._sealed, *(f.era for f in count)])
        if began - changed > SETTLED:
            self._known[where] = changed


def _folders(root: Path) -> Iterator[tuple[str, int]]:
    """Every folder of every domain and hour, and when it last changed. [ns]"""
    for domain in files.domains(root):
        above = root / "readings" / f"domain={domain}"
        with os.scandir(above) as entries:
            for entry in entries:
                if entry.name.startswith("hour="):
                    try:
                        yield entry.path, entry.stat().st_mtime_ns
                    except FileNotFoundError:
                        continue


def rows(file: File) -> int:
    """Readings in a file. [1]"""
    return int(pq.read_metadata(file.path).num_rows)


def after(pending: list[File], done: set[Path], place: Place, committed: int) -> Place:
    """How far a follower is that has done some of the files it wanted."""
    left = [f.start for f in pending if f.path not in done]
    return place._replace(next=max(place.next, min(left))) if left else place._replace(next=max(place.next, committed))


def batches(file: File, catalog: Catalog) -> Iterator[tuple[Batch, int]]:
    """Its readings in the order of series and time, a piece at a time; and how many more are of series not in the catalog."""
    with pq.ParquetFile(file.path, read_dictionary=["key"]) as source:
        for piece in source.iter_batches(ROWS, use_threads=False):
            yield _batch(piece, catalog)


def _batch(piece: Any, catalog: Catalog) -> tuple[Batch, int]:
    column = piece.column("key")
    row = np.array([catalog.row.get(k, -1) for k in column.dictionary.to_pylist()], np.int32)
    mine = row[np.asarray(column.indices)] if len(row) else np.empty(0, np.int32)
    t = np.asarray(pc.cast(piece.column("t"), "int64"))
    b = Batch(mine, t, piece.column("value").to_numpy(), piece.column("quality").to_numpy())
    known = mine >= 0
    return (b, 0) if known.all() else (b.take(known), int((~known).sum()))
