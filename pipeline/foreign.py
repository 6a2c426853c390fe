"""Measurements of anybody's making: CSV or Parquet, wide (a column a series) or long (a row a reading) -> tables of series.

What must be guessed is guessed once for the whole file and said; what cannot be read is counted by column.
"""

import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from lifeline.model import Bools, Floats, Ints
from lifeline.words import Unusable
from pipeline.instants import NAMES, SURE, Instants, instants

KEYS: Final = ("key", "series", "tag", "sensor", "sensor_id", "name", "variable", "channel", "point", "测点", "测点标识")
VALUES: Final = ("value", "val", "reading", "measurement", "v", "数值", "值")
MISSING: Final = ("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "--", "nil")
NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
SAMPLE: Final = 1 << 16  # [byte] of a file from which its kind is guessed
RECORDING: Final = frozenset({"received", "t", "key", "value", "quality"})  # columns of a recording of ours

Words = Mapping[str, Mapping[str, float]]  # key -> words that its cells may be, and what they are inside


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


def found(path: Path, wanted: Words) -> Found:
    """The series of a file that are wanted."""
    file = _parquet(path) if _is_parquet(path) else _csv(path)
    said, raw = Found(), file
    time = _time(raw)
    if time is None:
        raise Unusable(
            f"{path}: no column holds times; columns are {', '.join(raw.column_names)}. Name it time, and write ISO 8601"
        )
    key, value = _named(raw, KEYS, text=True), _named(raw, VALUES)
    at = instants(raw[time])
    said.time = f"{time!r}: {at.form}"
    if bad := int((~at.good & raw[time].combine_chunks().is_valid().to_numpy(zero_copy_only=False)).sum()):
        said.unreadable[time] = bad
    if key is not None and value is not None and not set(raw.column_names) & (wanted.keys() - {key, value}):
        said.si = set(raw.column_names) >= RECORDING
        said.layout = "recording" if said.si else "long"
        _long(raw, at, key, value, wanted, said)
    else:
        said.layout = "wide"
        _wide(raw, at, time, wanted, said)
    return said


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as why:
        raise Unusable(f"{path}: cannot be read: {why.strerror}") from why


def _parquet(path: Path) -> Any:
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as why:
        raise Unusable(f"{path}: is no Parquet file that can be read: {why}") from why


def _csv(path: Path) -> Any:
    """All columns; numbers where a whole column is numbers, text elsewhere."""
    packed = path.open("rb").read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        head = file.read(SAMPLE)
    coding = "utf-8" if _utf8(head) else "gb18030"
    lines = head.decode(coding, "replace").removeprefix("\ufeff").splitlines()
    if not lines:
        raise Unusable(f"{path}: the file is empty")
    split = max(",;\t|", key=lines[0].count)
    comma = split != "," and any("," in cell and "." not in cell for line in lines[1:20] for cell in line.split(split))
    skipped: list[int] = []

    def leave_out(row: Any) -> str:
        skipped.append(row.number)
        return "skip"

    size = min(max(path.stat().st_size * (8 if packed else 1) + 1, 1 << 20), (1 << 31) - 1)  # one block: types are of all rows
    try:
        return csv.read_csv(
            pa.input_stream(path, compression="gzip" if packed else None),
            read_options=csv.ReadOptions(block_size=size, encoding=coding),
            parse_options=csv.ParseOptions(delimiter=split, invalid_row_handler=leave_out),
            convert_options=csv.ConvertOptions(
                null_values=[m for w in MISSING for m in {w, w.upper(), w.title(), "NaN"}],
                strings_can_be_null=True,
                timestamp_parsers=["%no-parser"],
                decimal_point="," if comma else ".",
            ),
        )
    except pa.ArrowInvalid as why:
        raise Unusable(f"{path}: is no CSV file that can be read: {why}") from why


def _utf8(head: bytes) -> bool:
    try:
        head[: max(len(head) - 4, 0)].decode()  # a character may be cut at the end
    except UnicodeDecodeError as why:
        return why.start > len(head) - 8
    return True


def _time(raw: Any) -> str | None:
    """The column of times: by its type, else by its name, else the first that reads as such."""
    lower = {name.strip().lower(): name for name in reversed(raw.column_names)}
    stamped = [f.name for f in raw.schema if pa.types.is_timestamp(f.type)]
    by_name = [lower[n] for n in NAMES if n in lower]
    by_part = [name for low, name in lower.items() if any(w in low for w in ("time", "date", "时间"))]
    stamped.sort(key=lambda name: by_name.index(name) if name in by_name else len(by_name))
    texts = [f.name for f in raw.schema if pa.types.is_string(f.type)]
    for name in dict.fromkeys([*stamped, *by_name, *by_part, *texts]):
        some = raw[name].drop_null().slice(0, 1000)
        if len(some) and instants(some).good.mean() >= SURE:
            return str(name)
    return None


def _named(raw: Any, names: Sequence[str], *, text: bool = False) -> str | None:
    """The first column of such a name, and of text where that is wanted."""
    lower = {name.strip().lower(): name for name in reversed(raw.column_names)}
    for name in (lower[n] for n in names if n in lower):
        kind = raw.schema.field(name).type
        if not text or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            return str(name)
    return None


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


def _wide(raw: Any, at: Instants, time: str, wanted: Words, said: Found) -> None:
    names = [name for name in raw.column_names if name != time]
    mine = [name for name in names if name.strip() in wanted]
    said.ignored = [name for name in names if name.strip() not in wanted]
    value = np.empty((len(mine), int(at.good.sum())))
    for i, name in enumerate(mine):
        cells, bad = numbers(raw[name], wanted[name.strip()])
        value[i] = cells[at.good]
        if bad:
            said.unreadable[name] += bad
    t, value = sorted_out(at.t[at.good], value, said)
    if mine:
        said.tables.append(Table([name.strip() for name in mine], t, value))


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


def _long(raw: Any, at: Instants, key: str, value: str, wanted: Words, said: Found) -> None:
    encoded = raw[key].combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else pc.dictionary_encode(encoded)
    names = [str(n).strip() for n in encoded.dictionary.to_pylist()]
    code = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    column = raw[value].combine_chunks()
    said.ignored = [n for n in names if n not in wanted]
    order = np.argsort(code, kind="stable")
    cut = np.searchsorted(code[order], np.arange(len(names) + 1))
    alike: dict[bytes, list[tuple[str, Ints, Floats]]] = {}
    plain = not (pa.types.is_string(column.type) or pa.types.is_dictionary(column.type))
    whole = numbers(column, {})[0] if plain else None
    for i, name in enumerate(names):
        if name not in wanted:
            continue
        rows = order[cut[i] : cut[i + 1]]
        cells, bad = (whole[rows], 0) if whole is not None else numbers(column.take(pa.array(rows)), wanted[name])
        if bad:
            said.unreadable[name] += bad
        usable: Bools = at.good[rows] & np.isfinite(cells)
        t, x = sorted_out(at.t[rows][usable], cells[None, usable], said)
        alike.setdefault(t.tobytes(), []).append((name, t, x[0]))
    said.tables = [Table([n for n, _, _ in same], same[0][1], np.stack([x for *_, x in same])) for same in alike.values()]
