"""Many small files of one folder into one: which, and how, a slab of keys at a time."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifeline.model import Ints
from store.files import File
from store.table import ROWS, order, table

SMALL: Final = 4_096  # [B] the first tier's files are up to `fan` times this
LARGE: Final = 268_435_456  # [B] no merge makes more; files of half this size are merged no further
LAST: Final = 99  # [1] above every tier
SLAB: Final = 1_000_000  # [1] readings held at a time, or a row group of every source where that is more


class Weighed(NamedTuple):
    """A file that may be merged or not."""

    file: File
    size: int  # [B]
    tier: int  # [1] how many times `fan` small files made one of this size


def due(files: list[File], *, below: int, fan: int, closed: bool) -> Iterator[list[File]]:
    """Runs of neighbours to be merged, each into one file. files: those that count, as listed.

    An open hour merges `fan` neighbours of one tier, and what small ones lie between, so that a reading is rewritten once a
    tier and not once a merge; a closed hour merges whatever it has. No run is interleaved by a file outside it, or reaches
    above the offset `below`.
    """
    weighed = [_weighed(f, fan) for f in files]
    for top in [LAST] if closed else sorted({w.tier for w in weighed}):
        free = [w.tier <= top and w.size < LARGE / 2 and (w.file.era > 0 or w.file.stop <= below) for w in weighed]
        runs = [run for run in _runs(weighed, free) if _worth(run, top, fan)]
        if runs:
            yield from ([w.file for w in run] for run in runs)
            return


def _weighed(f: File, fan: int) -> Weighed:
    return Weighed(f, f.size, max(0, int(math.log(f.size / SMALL, fan))))


def _worth(run: list[Weighed], top: int, fan: int) -> bool:
    full = sum(w.size for w in run) > LARGE / 2
    return len(run) > 1 and (top == LAST or full or sum(w.tier == top for w in run) >= fan)


def _runs(weighed: list[Weighed], free: list[bool]) -> Iterator[list[Weighed]]:
    """Neighbours that are free, of one era, that do not overlap, and together are no larger than LARGE."""
    run: list[Weighed] = []
    for w, ok in zip(weighed, free, strict=True):
        if run and not (ok and _joins(w, run)):
            yield run
            run = []
        if ok:
            run.append(w)
    if run:
        yield run


def _joins(w: Weighed, run: list[Weighed]) -> bool:
    last = run[-1].file
    return w.file.era == last.era and w.file.start >= last.stop and w.size + sum(each.size for each in run) <= LARGE


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
