"""Columns of cells as numbers and words."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifeline.model import Floats
from pipeline.spreadsheet import MISSING

NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
DAYS: Final = ("date", "day", "日期", "datum")
CLOCKS: Final = ("time", "clock", "时间", "时刻", "time_of_day", "zeit")


def is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def distinct(column: Any) -> set[str]:
    """The words of a column of text."""
    return {str(w).strip() for w in pc.unique(pc.cast(pc.unique(column), pa.string())).to_pylist()}


def numbers(column: Any, words: Mapping[str, float]) -> tuple[Floats, int]:
    """A column as numbers, NaN where a cell is empty or unreadable, and how many are unreadable."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return _spoken(column, words)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return np.full(len(column), np.nan), len(column) - column.null_count
    value = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isinf(value), np.nan, value), int(np.isinf(value).sum())


def _spoken(column: Any, words: Mapping[str, float]) -> tuple[Floats, int]:
    """Text: numbers, the words of a state, or neither."""
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    text = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string()))
    plain = pc.if_else(pc.match_substring_regex(text, NUMBER), text, pa.scalar(None, pa.string()))
    value = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
    said = [w.lower() for w in text.to_pylist()]
    value = np.where(np.isfinite(value), value, [words.get(w, np.nan) for w in said])
    empty = np.array([w in MISSING for w in said], np.bool_)
    code = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    if not value.size:
        return np.full(len(column), np.nan), 0
    bad = ~np.isfinite(value) & ~empty
    return np.where(code >= 0, value[code], np.nan), int((bad[code] & (code >= 0)).sum())


def tidy(raw: Any, notes: list[str]) -> Any:
    """Columns in one piece, each name once, a date and a time of day in one column."""
    names = [name.strip() for name in raw.column_names]
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        notes.append(f"columns that stand more than once, of which the first is taken: {', '.join(map(repr, twice))}")
    first = {name: i for i, name in reversed(list(enumerate(names)))}
    kept = sorted(first.values())
    raw = raw.select(kept).rename_columns([names[i] for i in kept]).combine_chunks()
    lower = {name.lower(): name for name in raw.column_names}
    date, clock = (next((lower[n] for n in among if n in lower), None) for among in (DAYS, CLOCKS))
    if date is None or clock is None or not _clock(raw[clock]):
        return raw
    day, rest = (pc.cast(raw[name], pa.string()) for name in (date, clock))
    return raw.drop_columns([date, clock]).add_column(0, f"{date} {clock}", pc.binary_join_element_wise(day, rest, " "))


def _clock(column: Any) -> bool:
    """Whether a column holds times of day."""
    if pa.types.is_time(column.type):
        return True
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    some = column.drop_null().slice(0, 1000)
    return bool(len(some)) and bool(pc.all(pc.match_substring_regex(some, r"^\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*$")).as_py())
