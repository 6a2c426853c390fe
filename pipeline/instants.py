"""Instants as anybody writes them -> [ns] UTC, and in words how they were taken."""

import re
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifeline.model import NS, Bools, Ints

NAMES: Final = (
    "t", "time", "timestamp", "datetime", "date_time", "ts", "time_utc", "utc", "timestamp_utc", "datetime_utc", "date",
    "epoch", "时间", "采集时间", "时刻", "日期",
)  # fmt: skip
EPOCHS: Final = ((1e11, "s", NS), (1e14, "ms", NS // 10**3), (1e17, "µs", NS // 10**6), (np.inf, "ns", 1))
FORMS: Final = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M",
    "%d.%m.%Y %H:%M:%S.%f", "%d/%m/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %I:%M %p", "%m/%d/%y %H:%M",
    "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
)  # fmt: skip
OFFSET: Final = r"(Z|[+-]\d{2}:?\d{2})$"
PROBED: Final = 500  # cells that tell which forms are worth a try
SURE: Final = 0.9  # [1] of the cells that must be readable for a column to be one of times


class Instants(NamedTuple):
    """A column of times."""

    t: Ints  # [n] [ns] UTC; 0 where a cell is none
    good: Bools  # [n]
    form: str  # how it was taken


def instants(column: Any) -> Instants:
    """column: pyarrow array of timestamps, dates, numbers or text [n]"""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(column.type):
        return _stamps(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _epoch(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return Instants(np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_), "none")
    distinct = pc.dictionary_encode(pc.utf8_trim_whitespace(column))
    read = _text(distinct.dictionary)
    where = distinct.indices.fill_null(-1).to_numpy().astype(np.int64)
    there = where >= 0
    found = np.where(there, read.t[where], 0), there & read.good[where] if read.t.size else there
    return Instants(*found, read.form)


def _stamps(column: Any) -> Instants:
    good = column.is_valid().to_numpy(zero_copy_only=False)
    t = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64()).fill_null(0).to_numpy().astype(np.int64)
    return Instants(t, good, "timestamps with a zone" if column.type.tz else "timestamps without a zone, taken as UTC")


def _epoch(column: Any) -> Instants:
    """Seconds, or parts of them, since 1970: which, their size tells."""
    number = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    good = np.isfinite(number) & (number >= 0)
    size = np.median(number[good]) if good.any() else 0.0
    _, name, scale = next(e for e in EPOCHS if size < e[0])
    if pa.types.is_integer(column.type):
        t = column.fill_null(0).cast(pa.int64()).to_numpy() * np.int64(scale)
    else:  # a double holds today's seconds to a quarter of a microsecond
        fine = min(scale, 1000)
        t = np.rint(np.where(good, number, 0.0) * (scale // fine)).astype(np.int64) * fine
    return Instants(np.where(good, t, 0), good, f"{name} since 1970 (UTC)")


def _text(words: Any) -> Instants:
    """Distinct cells."""
    number = pc.match_substring_regex(words, r"^\d+(\.\d+)?([eE]\+?\d+)?$").to_numpy(zero_copy_only=False)
    if number.size and number.mean() > SURE and not _compact(words):
        whole = pc.all(pc.match_substring_regex(words, r"^\d{1,18}$")).as_py()
        kept = pc.if_else(pa.array(number), words, pa.scalar(None, pa.string()))
        return _epoch(kept.cast(pa.int64() if whole else pa.float64()))
    texts = pd.Series(words.to_pylist(), dtype=object)
    tried = [_parsed(texts, "ISO8601")]
    if len(texts) and tried[0].good.mean() < SURE:
        some = texts.iloc[:: max(1, len(texts) // PROBED)].reset_index(drop=True)
        tried += [_parsed(texts, form) for form in FORMS if _parsed(some, form).good.any()]
    return max(tried, key=lambda r: (int(r.good.sum()), -_span(r)))  # of those that read the most, the one that jumps least


def _span(r: Instants) -> int:
    """From the first to the last [ns]: of 03/02 and 04/02, days apart are likelier than months."""
    return int(np.ptp(r.t[r.good])) if r.good.any() else 0


def _compact(words: Any) -> bool:
    """Digits that are a date: 20260715083000."""
    return bool(pc.all(pc.match_substring_regex(words, r"^(19|20)\d{2}(0[1-9]|1[0-2])\d{8}$")).as_py())


def _parsed(texts: "pd.Series[str]", form: str) -> Instants:
    read = pd.to_datetime(texts, format=form, utc=True, errors="coerce")
    good = read.notna().to_numpy()
    t = read.to_numpy(dtype="datetime64[ns]").astype(np.int64)
    first = str(texts[int(np.argmax(good))]) if good.any() else ""
    zone = "with offset" if re.search(OFFSET, first) and ":" in first else "without offset, taken as UTC"
    return Instants(np.where(good, t, 0), good, f"{'ISO 8601' if form == 'ISO8601' else form} {zone}")
