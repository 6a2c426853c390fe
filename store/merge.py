"""Many small files of one folder into one: which, and how, a slab of keys at a time."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifeline.model import Ints
from store.files import File
from store.table import ROWS, order, table

SMALL: Final = 65_536  # [B] the first tier's files are up to `fan` times this
LARGE: Final = 268_435_456  # [B] files this big are merged no further
SLAB: Final = 1_000_000  # [1] readings held at a time, or a row group of every source where that is more


def due(files: list[File], *, below: int, fan: int, closed: bool) -> Iterator[list[File]]:
    """Runs of neighbours to be merged, each into one file. files: those that count, as listed.

    An open hour merges `fan` neighbours of one size, so that a reading is rewritten once a tier and not once a merge; a closed
    hour merges whatever it has. A run is never interleaved by a file outside it, and ends below the offset `below`.
    """
    sizes = [f.size for f in files]
    tiers = [tier(size, fan) for size in sizes]
    for top in [math.inf] if closed else sorted(set(tiers)):
        taken = [f.era > 0 or f.stop <= below for f in files]
        free = [ok and k <= top and size < LARGE for ok, k, size in zip(taken, tiers, sizes, strict=True)]
        found = [
            run
            for run, total in _runs(files, sizes, free)
            if len(run) >= (2 if closed else fan) or (len(run) > 1 and total > LARGE / 2)
        ]
        if found:
            yield from found
            return


def tier(size: int, fan: int) -> int:
    """How many times `fan` small files made one of this size [B]."""
    return max(0, int(math.log(size / SMALL, fan)))


def _runs(files: list[File], sizes: list[int], free: list[bool]) -> Iterator[tuple[list[File], int]]:
    """Neighbours that are free, of one era, that do not overlap, and together are no larger than LARGE; their size [B]."""
    run: list[File] = []
    total = 0
    for f, size, ok in zip(files, sizes, free, strict=True):
        apart = bool(run) and (f.era != run[-1].era or f.start < run[-1].stop or total + size > LARGE)
        if run and (apart or not ok):
            yield run, total
            run, total = [], 0
        if ok:
            run, total = [*run, f], total + size
    if run:
        yield run, total


def merged(paths: list[Path]) -> Iterator[Any]:
    """The readings of several files as tables, each sorted and each after the one before."""
    sources = [pq.ParquetFile(path, read_dictionary=["key"]) for path in paths]
    spans = [_spans(source) for source in sources]
    low = ""
    for high in _cuts([s for each in spans for s in each], max(SLAB, ROWS * len(paths))):
        yield _slab(sources, spans, low, high)
        low = high
    for source in sources:
        source.close()


def _spans(source: Any) -> list[tuple[str, str, int]]:
    """First key, last key and number of readings of each row group."""
    meta = source.metadata
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    return [(g.column(0).statistics.min, g.column(0).statistics.max, g.num_rows) for g in groups]


def _cuts(spans: list[tuple[str, str, int]], most: int) -> Iterator[str]:
    """Keys that cut the whole into slabs of about `most` readings, the last key included."""
    ends = sorted((last, n) for _, last, n in spans)
    held = 0
    for i, (last, n) in enumerate(ends):
        held += n
        if i == len(ends) - 1 or (held >= most and ends[i + 1][0] > last):
            yield last
            held = 0


def _slab(sources: list[Any], spans: list[list[tuple[str, str, int]]], low: str, high: str) -> Any:
    """The readings with low < key <= high, sorted."""
    parts = []
    for source, each in zip(sources, spans, strict=True):
        groups = [i for i, (first, last, _) in enumerate(each) if last > low and first <= high]
        if groups:
            parts.append(source.read_row_groups(groups, use_threads=False))
    whole = pa.concat_tables(parts).unify_dictionaries()
    code, text = _codes(whole["key"])
    wanted = np.asarray(pc.and_(pc.greater(text, low), pc.less_equal(text, high)))[code]
    ascending = pc.sort_indices(text)
    place = np.empty(len(text), np.int64)
    place[np.asarray(ascending)] = np.arange(len(text))
    columns = (place[code], *(whole[c].to_numpy() for c in ("t", "value", "quality")))
    place, t, value, quality = (c[wanted] for c in columns)
    t = t.view(np.int64)
    p = order(place, t)
    return table(place[p], text.take(ascending), t[p], value[p], quality[p])


def _codes(column: Any) -> tuple[Ints, Any]:
    """A dictionary column: which text each reading has, and the texts."""
    return np.concatenate([np.asarray(chunk.indices) for chunk in column.chunks]), column.chunk(0).dictionary
