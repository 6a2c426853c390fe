"""The lake: every reading, in Parquet files by domain and hour. One process writes, any number read, at the same time.

A checkpoint [start, stop) of the journal becomes files; it counts from the moment when the writer's own database says that all
below `stop` is done. `rollback` at the next start takes back what a crash left above. docs/lake.md tells why each step is safe.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Batch, Bools, Ints, Rows
from store import damage, files, read, table, upkeep
from store.damage import Damaged
from store.files import HOUR, LakeFull
from store.pack import packed
from store.read import Slots, Stored
from store.upkeep import Foreign

__all__ = ["Foreign", "Lake", "LakeFull", "Slots", "Stored"]

log = logging.getLogger("lifeline.lake")

EARLIEST: Final = -(2**63) + 1  # [ns]
LATEST: Final = 2**63 - 1  # [ns]

Answer = TypeVar("Answer")


class Lake:
    """The readings of a catalog's series, under a folder.

    grace: how long the sources of a merged file stay readable; the same for all who open this lake. [s]
    threads: of DuckDB when reading. One leaves the other cores to the hot path, and adds in the same order each time. [1]
    """

    def __init__(self, root: Path, catalog: Catalog, *, grace: float = files.GRACE, threads: int = 1) -> None:
        self.root, self.catalog, self.grace = root, catalog, grace
        self._shelf = table.Shelf(catalog)
        self._duck = read.Duck(threads)
        self._unsettled: set[Path] | None = None  # folders that may want merging; None: nobody has looked yet
        self._damaged: set[Path] = set()

    @property
    def damaged(self) -> list[Path]:
        """Files set aside because they cannot be read, until somebody removes them or gives them their names back.

        Known are those that `rollback` found and those met since.
        """
        return sorted(path for path in self._damaged.copy() if path.exists())

    # one process writes: one checkpoint at a time, upkeep beside it

    def write(self, batch: Batch, start: int, stop: int) -> list[Path]:
        """Store the readings of the journal's [start, stop); on disk when this returns, whole or not at all. The files made."""
        if not 0 <= start < stop:
            raise ValueError(f"journal offsets [{start}, {stop}): no range")
        done = files.put(packed(self.root, self._shelf, batch, files.name(0, start, stop)))
        if self._unsettled is not None:
            self._unsettled.update(path.parent for path in done)
        return done

    def rollback(self, committed: int) -> list[Path]:
        """At the start: remove what a crash left, half-written files and a checkpoint not committed. The files removed.

        Files above `committed` that no crash can have left raise Foreign, and nothing is removed.
        """
        self._damaged |= damage.found(self.root)
        return upkeep.rollback(self.root, committed, self.grace)

    def compact(self, below: int, *, closed: int = EARLIEST, fan: int = 16) -> list[Path]:
        """Merge neighbouring small files that end below the committed offset. The files made.

        What fails in one folder, but for a full disk, is logged and costs no other.
        closed: hours that were over by then are merged as far as they go. [ns]
        fan: so many files of one size are merged while an hour is open. [1]
        """
        if self._unsettled is None:
            self._unsettled = set(files.folders(self.root))
        made = []
        for where in sorted(self._unsettled):
            try:
                made += self._compact(where, below, fan=fan, closed=upkeep.ended(where, closed))
            except LakeFull:
                raise
            except Exception:
                log.exception("the files of a folder could not be merged; again later", extra={"path": where})
        return made

    def _compact(self, where: Path, below: int, *, fan: int, closed: bool) -> list[Path]:
        made = self._insist(partial(upkeep.compact, where, below, fan=fan, closed=closed, grace=self.grace))
        if closed and self._unsettled is not None and upkeep.settled(where, fan=fan, grace=self.grace):
            self._unsettled.discard(where)
        return made

    def expire(self, before: int) -> list[Path]:
        """Delete the hours that were over by then [ns]. The folders deleted."""
        return upkeep.expire(self.root, before)

    def seal(self) -> list[Path]:
        """Keep every reading and forget the journal's offsets: when the journal is lost and begins anew. The files renamed."""
        return upkeep.seal(self.root, self.grace)

    # any process reads, at any time

    def files(self, domain: str, t0: int = EARLIEST, t1: int = LATEST) -> list[Path]:
        """The files that count now and may hold readings of (t0, t1] [ns]."""
        return self._counting(files.hours(self.root, domain, (t0 + 1) // HOUR, t1 // HOUR))

    @overload
    def scan(self, rows: Rows, t0: int, t1: int, every: None = None) -> Batch: ...
    @overload
    def scan(self, rows: Rows, t0: int, t1: int, every: float) -> Slots: ...
    def scan(self, rows: Rows, t0: int, t1: int, every: float | None = None) -> Batch | Slots:
        """The readings of (t0, t1] [ns], or their slots of `every` [s], in the order of row and time; each reading once."""
        if every is None:
            return read.sorted_batch(map(read.batch, self._answers(read.READINGS, rows, t0, t1)))
        return read.sorted_slots(self._answers(read.SLOTS, rows, t0, t1, step=read.nanoseconds(every)))

    def latest(self, rows: Rows, since: int = EARLIEST) -> Batch:
        """The last reading of each series after `since` [ns], in the order of row; a series that has none is not there."""
        mine = list(self._by_domain(np.unique(rows)))
        return read.sorted_batch(self._insist(partial(self._latest, domain, which, int(since))) for domain, which in mine)

    def stored(self, rows: Rows, t: Ints) -> Stored:
        """Which of some readings the lake holds already, and with which value. rows [n], t [n] [ns]"""
        found = Stored(np.zeros(rows.size, bool), np.full(rows.size, np.nan))
        for domain, mine in self._by_domain(np.arange(rows.size), of=rows):
            asked = read.asked(self.catalog.key[rows[mine]], i=mine, t=t[mine])
            hours = [files.folder(self.root, domain, h) for h in np.unique(t[mine] // HOUR).tolist()]
            answer = self._ask(read.STORED, asked, partial(self._counting, hours))
            found.found[answer["i"]], found.value[answer["i"]] = True, read.plain(answer["value"])
        return found

    def known(self, batch: Batch) -> Bools:
        """[n] which readings of a batch the lake holds already, whatever their value."""
        return self.stored(batch.row, batch.t).found

    def _counting(self, folders: list[Path]) -> list[Path]:
        return [f.path for where in folders for f in files.parted(files.listed(where, self.grace))[0]]

    def _by_domain(self, chosen: Ints | Rows, of: Rows | None = None) -> Iterator[tuple[str, Any]]:
        """Rows (or positions in rows) by the domain of their series."""
        domain = self.catalog.domain[chosen if of is None else of]
        return ((d, chosen[domain == d]) for d in sorted(set(domain.tolist())))

    def _ask(self, question: str, asked: Any, listing: Callable[[], list[Path]], **given: int) -> read.Columns:
        return self._insist(lambda: self._duck.ask(question, asked, listing(), **given))

    def _insist(self, ask: Callable[[], Answer]) -> Answer:
        """The answer, without the files that turn out to be damaged: they are set aside."""
        while True:
            try:
                return read.patiently(ask)
            except Damaged as why:
                self._damaged |= damage.set_aside(why.paths)

    def _answers(self, question: str, rows: Rows, t0: int, t1: int, **given: int) -> Iterator[read.Columns]:
        for domain, mine in self._by_domain(np.unique(rows)):
            asked = read.asked(self.catalog.key[mine], row=mine)
            yield self._ask(question, asked, partial(self.files, domain, t0, t1), after=int(t0), upto=int(t1), **given)

    def _latest(self, domain: str, rows: Rows, since: int) -> Batch:
        """Newest files first, twice as many at each step, until no file left can hold anything later."""
        left = self.files(domain, since)[::-1]
        best, width = Batch.empty(), 2
        while left and rows.size:
            now, left, width = left[:width], left[width:], 2 * width
            found = self._duck.ask(read.LAST, read.asked(self.catalog.key[rows], row=rows), now, after=since, upto=LATEST)
            best = read.last_of(best, read.batch(found))
            with damage.blamed(left):
                rows = np.setdiff1d(rows, best.row[best.t >= table.end(left)])
        return best
