"""A checkpoint's readings by domain and hour, each part sorted and ready to be a file."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lifeline.model import Batch, Ints, Rows
from store import files, table
from store.files import HOUR
from store.table import Shelf

Wanted = tuple[Path, Callable[[BinaryIO], None]]


def packed(root: Path, shelf: Shelf, batch: Batch, name: str) -> Iterator[Wanted]:
    """The files of a batch, each with what writes it."""
    if batch.n == 0:
        return
    if batch.row.min() < 0:
        raise IndexError("a row below 0")
    n = shelf.catalog.n
    first, last = (int(t) // HOUR for t in (batch.t.min(), batch.t.max()))
    series: Ints | Rows = shelf.place[batch.row]
    if last > first:  # at the turn of an hour, and with late data
        series = (batch.t // HOUR - first) * n + series
    p = table.order(series, batch.t)
    series, batch = series[p], batch.take(p)
    for hour, domain, part in parts(series, shelf):
        b = batch.take(part)
        made = table.table(series[part] % n, shelf.key, b.t, b.value, b.quality)
        yield files.folder(root, domain, first + hour) / name, partial(table.write, tables=[made])


def parts(series: Ints | Rows, shelf: Shelf) -> Iterator[tuple[int, str, slice]]:
    """Hour from the first [h], domain, and where its readings are. series [m] ascending: hour * n + place."""
    hours = int(series[-1]) // shelf.catalog.n + 1
    edges = (np.arange(hours)[:, None] * shelf.catalog.n + shelf.first).ravel()
    cuts = np.append(np.searchsorted(series, edges), series.size)
    for k in np.flatnonzero(np.diff(cuts)):
        hour, d = divmod(int(k), len(shelf.domains))
        yield hour, shelf.domains[d], slice(int(cuts[k]), int(cuts[k + 1]))
