"""Questions to the files, answered by DuckDB in this process, while another process may be writing and merging."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from lifeline.model import JUDGED, NS, Batch, Bools, Floats, Ints, Rows
from store.damage import blamed
from store.table import order

TRIES: Final = 8  # a file may be merged away between listing and opening; then the folders are listed again
GOOD: Final = f"quality IN ({', '.join(str(int(q)) for q in JUDGED)}) AND isfinite(value)"
WITHIN: Final = "epoch_ns(f.t) > $after AND epoch_ns(f.t) <= $upto"

READINGS: Final = f"""
    SELECT a.row, epoch_ns(f.t) AS t, f.value, f.quality
    FROM files f JOIN asked a ON f.key = a.key WHERE {WITHIN}"""  # noqa: S608  constants of this file

SLOTS: Final = f"""
    SELECT a.row, (epoch_ns(f.t) + $step - 1) // $step * $step AS t,
        avg(value) FILTER ({GOOD}) AS mean, min(value) FILTER ({GOOD}) AS low, max(value) FILTER ({GOOD}) AS high,
        count(*) FILTER ({GOOD}) AS judged, count(*) AS total
    FROM files f JOIN asked a ON f.key = a.key WHERE {WITHIN} GROUP BY ALL"""  # noqa: S608  constants of this file

LAST: Final = f"""
    SELECT a.row, epoch_ns(max(f.t)) AS t, arg_max(f.value, f.t) AS value, arg_max(f.quality, f.t) AS quality
    FROM files f JOIN asked a ON f.key = a.key WHERE {WITHIN} GROUP BY a.row"""  # noqa: S608  constants of this file

STORED: Final = """
    SELECT a.i, f.value FROM files f JOIN asked a ON f.key = a.key AND epoch_ns(f.t) = a.t"""


Columns = dict[str, Any]
Answer = TypeVar("Answer")


class Stored(NamedTuple):
    """What the lake holds of some readings."""

    found: Bools  # [n]
    value: Floats  # [n] [SI] NaN where not found, and where NaN is what was stored


class Slots(NamedTuple):
    """Readings by slots of equal length. A slot t covers (t - every, t]; one without readings is not there."""

    row: Rows  # [n] catalog row
    t: Ints  # [n] [ns] UTC, the end of the slot
    mean: Floats  # [n] [SI] of the judged readings; NaN where there are none
    low: Floats  # [n] [SI] likewise
    high: Floats  # [n] [SI] likewise
    judged: Ints  # [n] [1] readings that are finite and of a quality to judge by
    total: Ints  # [n] [1] all readings


@dataclass(frozen=True)
class Duck:
    """DuckDB, in memory; any thread may ask."""

    threads: int  # [1]

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        wanted: dict[str, str | bool | int | float | list[str]] = {
            "threads": self.threads,
            "preserve_insertion_order": False,
            "enable_external_file_cache": False,
        }
        return duckdb.connect(config=wanted)

    def ask(self, question: str, asked: Any, paths: list[Path], **given: int) -> Columns:
        """The answer's columns. asked: an Arrow table, `asked` in the question; paths: the question's `files`."""
        files = f"read_parquet([{', '.join(map(quoted, paths))}], hive_partitioning = false)" if paths else NOTHING
        with self._connection.cursor() as duck:
            duck.register("asked", asked)
            with blamed(paths):
                return dict(duck.execute(f"WITH files AS (SELECT * FROM {files}) {question}", given).fetchnumpy())  # noqa: S608  quoted


def patiently(ask: Callable[[], Answer]) -> Answer:
    """A file may be merged away, or expire, between being listed and being opened: then list again, and ask again."""
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return ask()
    return ask()


NOTHING: Final = "(SELECT '' AS key, NULL::TIMESTAMPTZ_NS AS t, NULL::DOUBLE AS value, NULL::UTINYINT AS quality WHERE false)"


def quoted(path: Path) -> str:
    """A literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def asked(key: Any, **columns: Any) -> Any:
    """An Arrow table of the series asked for."""
    return pa.table({"key": pa.array(key, pa.string()), **columns})


def sorted_batch(parts: Iterable[Batch]) -> Batch:
    """In the order of row and time. Two readings of one series and instant, which a single writer never makes, come as one."""
    b = Batch.joined(list(parts))
    b = b.take(order(b.row, b.t))
    again = (np.diff(b.row, prepend=-1) == 0) & (np.diff(b.t, prepend=0) == 0)
    return b.take(~again)


def batch(found: Columns) -> Batch:
    return Batch(
        found["row"].astype(np.int32), found["t"].astype(np.int64), plain(found["value"]), found["quality"].astype(np.uint8)
    )


def last_of(a: Batch, b: Batch) -> Batch:
    """The later reading of each series that is in either, in the order of row."""
    both = sorted_batch([a, b])
    return both.take(np.diff(both.row, append=-1) != 0)


def sorted_slots(answers: Iterable[Columns]) -> Slots:
    """In the order of row and time."""
    parts = [_slots(each) for each in answers]
    columns: list[Any] = [
        np.concatenate(each) for each in zip(_slots(dict.fromkeys(Slots._fields, np.empty(0))), *parts, strict=True)
    ]
    p = order(columns[0], columns[1])
    return Slots(*(column[p] for column in columns))


def _slots(found: Columns) -> Slots:
    t, judged, total = (found[c].astype(np.int64) for c in ("t", "judged", "total"))
    return Slots(
        found["row"].astype(np.int32), t, plain(found["mean"]), plain(found["low"]), plain(found["high"]), judged, total
    )


def plain(column: Any) -> Floats:
    """Numbers, NaN where DuckDB says NULL."""
    return np.ma.filled(np.ma.asarray(column, np.float64), np.nan)


def nanoseconds(every: float) -> int:
    """every: the length of a slot. [s]"""
    if not every > 0:
        raise ValueError(f"every = {every} s: a slot is longer than nothing")
    return round(every * NS)
