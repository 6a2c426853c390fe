"""A file's columns: key, t, value, quality, in the order of key and then time; how they are packed.

The key stands beside the data as text, in a dictionary of each file's own: another catalog tomorrow relabels nothing, and
whoever opens the file with another tool sees what it is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifeline.catalog import Catalog
from lifeline.model import Codes, Floats, Ints, Rows

ROWS: Final = 131_072  # [1] readings in a row group: what a reader of one series has to unpack at least
SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("t", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("quality", pa.uint8(), nullable=False),
    ],
    metadata={"lifeline": "readings 1; value in the SI unit of its quantity; t at the sensor"},
)
PACKING: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["key", "quality"],
    "column_encoding": {"t": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
    "sorting_columns": [pq.SortingColumn(0), pq.SortingColumn(1)],
}


@dataclass(frozen=True)
class Shelf:
    """The catalog's series in the order of domain and key. A series' place in it is its number while files are made."""

    catalog: Catalog

    @cached_property
    def row(self) -> Ints:
        """[n] catalog row of each place."""
        columns = pa.table(
            {"domain": pa.array(self.catalog.domain, pa.string()), "key": pa.array(self.catalog.key, pa.string())}
        )
        order = pc.sort_indices(columns, sort_keys=[("domain", "ascending"), ("key", "ascending")])
        return np.asarray(order, np.int64)

    @cached_property
    def place(self) -> Rows:
        """[n] place of each catalog row."""
        place = np.empty(self.catalog.n, np.int32)
        place[self.row] = np.arange(self.catalog.n)
        return place

    @cached_property
    def key(self) -> Any:
        """[n] text of each place (Arrow)."""
        return pa.array(self.catalog.key[self.row], pa.string())

    @cached_property
    def domains(self) -> list[str]:
        return sorted(set(self.catalog.domain.tolist()))

    @cached_property
    def first(self) -> Ints:
        """First place of each domain."""
        return np.searchsorted(self.catalog.domain[self.row].astype(str), self.domains)


def ranked(x: Ints | Rows) -> Ints:
    """The stable permutation that sorts x >= 0: sixteen bits at a time, which numpy does by counting."""
    p: Ints = np.argsort(x.astype(np.uint16), kind="stable")
    for shift in range(16, int(x.max(initial=0)).bit_length(), 16):
        p = p[np.argsort((x[p] >> shift).astype(np.uint16), kind="stable")]
    return p


def order(series: Ints | Rows, t: Ints) -> Ints:
    """The permutation by series, then time. Readings of a series mostly come in time order, and then one pass does."""
    p = ranked(series)
    s, u = series[p], t[p]
    if ((u[1:] < u[:-1]) & (s[1:] == s[:-1])).any():
        return np.lexsort((t, series))
    return p


def table(place: Ints | Rows, key: Any, t: Ints, value: Floats, quality: Codes) -> Any:
    """Readings as an Arrow table. place [n] ascending: where in `key` the text of each stands."""
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    code = np.repeat(np.arange(starts.size, dtype=np.int32), np.diff(starts, append=place.size))
    used = pa.DictionaryArray.from_arrays(code, key.take(pa.array(place[starts])))
    return pa.Table.from_arrays(
        [used, pa.array(t).view(SCHEMA.field("t").type), pa.array(value), pa.array(quality)], schema=SCHEMA
    )


def write(file: BinaryIO, tables: Iterable[Any]) -> None:
    """tables: each sorted, and each after the one before."""
    with pq.ParquetWriter(file, SCHEMA, **PACKING) as out:
        for each in tables:
            out.write_table(each, row_group_size=ROWS)


def end(paths: list[Path]) -> int:
    """No later instant is in these files of a domain [ns], newest hour first: by the footers of that hour alone."""
    same = [path for path in paths if path.parent == paths[0].parent]
    stats = [meta.row_group(i).column(1).statistics for meta in map(pq.read_metadata, same) for i in range(meta.num_row_groups)]
    return max((each.max_raw for each in stats), default=-(2**63))
