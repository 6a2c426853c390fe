"""Measurements of anybody's making: CSV or Parquet, wide (a column a series) or long (a row a reading) -> tables of series.

What must be guessed is guessed once for the whole file and said; what cannot be read is counted by column.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifeline.model import Bools
from lifeline.words import Unusable
from pipeline import spreadsheet
from pipeline.cells import distinct, is_text, numbers, tidy
from pipeline.instants import NAMES, SURE, Instants, instants
from pipeline.tables import Alike, Found, Table, joined, sorted_out

ENDS: Final = (".parquet", ".pq", ".csv", ".csv.gz", ".txt", ".tsv")
KEYS: Final = ("key", "series", "tag", "sensor", "sensor_id", "name", "variable", "channel", "point", "测点", "测点标识")
VALUES: Final = ("value", "val", "reading", "measurement", "v", "数值", "值")

RECORDING: Final = frozenset({"received", "t", "key", "value", "quality"})  # columns of a recording of ours

Words = Mapping[str, Mapping[str, float]]  # key -> words that its cells may be, and what they are inside


def found(path: Path, wanted: Words) -> Found:
    """The series that are wanted of a file, of the files of a folder, or of those that a pattern names."""
    paths = files(path)
    parts = [_found(p, wanted) for p in paths]
    return parts[0] if len(parts) == 1 else joined(parts, path)


def files(path: Path) -> list[Path]:
    """Those that are meant."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.name.lower().endswith(ENDS) and not p.name.startswith((".", "_")))
        if not inside:
            raise Unusable(f"{path}: a folder without a file that ends in {', '.join(ENDS)}")
        return inside
    if not path.exists() and set("*?[") & set(str(path)):
        inside = sorted(p for p in Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))) if p.is_file())
        if not inside:
            raise Unusable(f"{path}: no file is named so")
        return inside
    return [path]


def _found(path: Path, wanted: Words) -> Found:
    said = Found()
    raw = tidy(_parquet(path) if _is_parquet(path) else spreadsheet.read(path, said.notes), said.notes)
    if not raw.num_rows:
        raise Unusable("\n".join([f"{path}: holds no row below its header: {', '.join(raw.column_names)}", *said.notes]))
    time = _time(raw, path)
    at = instants(raw[time])
    said.time = f"{time!r}: {at.form}"
    if bad := int((~at.good & raw[time].combine_chunks().is_valid().to_numpy(zero_copy_only=False)).sum()):
        said.unreadable[time] = bad
    if early := int((at.good & (at.t < 0)).sum()):
        said.notes.append(f"{path.name}: rows before 1970, left out: {early}")
    if pair := _pair(raw, time, wanted, path):
        said.si = set(raw.column_names) >= RECORDING
        said.layout = "recording" if said.si else f"long (key in {pair[0]!r}, value in {pair[1]!r})"
        _long(raw, at, *pair, wanted, said)
    else:
        said.layout = "wide"
        _wide(raw, at, time, wanted, said)
    return said


def _pair(raw: Any, time: str, wanted: Words, path: Path) -> tuple[str, str] | None:
    """The columns of keys and of values of a long table: by their cells and names; None: it is wide."""
    columns = set(raw.column_names) - {time}
    if columns & wanted.keys():
        named = _named(raw, KEYS, text=True), _named(raw, VALUES)
        if None in named or columns & wanted.keys() - set(named):
            return None
    hits = {
        n: len(distinct(raw[n]) & wanted.keys()) for n in raw.column_names if n != time and is_text(raw.schema.field(n).type)
    }
    usual = _named(raw, KEYS, text=True)
    key = max(hits, key=lambda n: (hits[n], n == usual), default=None)
    if key is None or not (hits[key] or (key == usual and _named(raw, VALUES))):
        return None
    others = [
        f.name for f in raw.schema if f.name not in (time, key) and not is_text(f.type) and not pa.types.is_timestamp(f.type)
    ]
    value = _named(raw, VALUES) or (others[0] if len(others) == 1 else None)
    if value is None or value == key:
        raise Unusable(
            f"{path}: column {key!r} names series, but which holds their values? Name it value; columns are {raw.column_names}"
        )
    return key, value


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


def _time(raw: Any, path: Path) -> str:
    """The column of times: by its type, else by its name, else the first that reads as such."""
    lower = {name.lower(): name for name in reversed(raw.column_names)}
    stamped = [f.name for f in raw.schema if pa.types.is_timestamp(f.type)]
    by_name = [lower[n] for n in NAMES if n in lower]
    by_part = [name for low, name in lower.items() if any(w in low for w in ("time", "date", "时间"))]
    stamped.sort(key=lambda name: by_name.index(name) if name in by_name else len(by_name))
    texts = [f.name for f in raw.schema if is_text(f.type)]
    for name in dict.fromkeys([*stamped, *by_name, *by_part, *texts]):
        some = raw[name].drop_null().slice(0, 1000)
        if len(some) and instants(some).good.mean() >= SURE:
            return str(name)
    lines = [f"{path}: no column holds times; columns are {', '.join(map(repr, raw.column_names))}"]
    for name in by_name:
        some = raw[name].drop_null().slice(0, 1000)
        bad = np.flatnonzero(~instants(some).good)
        if bad.size:
            lines.append(
                f"{name!r} holds {str(some[int(bad[0])].as_py())!r}, and {bad.size} of its first {len(some)} cells are no times"
            )
    raise Unusable("\n".join([*lines, "name the column time, and write 2026-07-15T08:00:00Z or seconds since 1970 in it"]))


def _named(raw: Any, names: Sequence[str], *, text: bool = False) -> str | None:
    """The first column of such a name, and of text where that is wanted."""
    lower = {name.strip().lower(): name for name in reversed(raw.column_names)}
    for name in (lower[n] for n in names if n in lower):
        kind = raw.schema.field(name).type
        if not text or is_text(kind):
            return str(name)
    return None


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


def _long(raw: Any, at: Instants, key: str, value: str, wanted: Words, said: Found) -> None:
    encoded = raw[key].combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else pc.dictionary_encode(encoded)
    names = [str(n).strip() for n in encoded.dictionary.to_pylist()]
    code = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    column = raw[value].combine_chunks()
    said.ignored = [n for n in names if n not in wanted]
    order = np.argsort(code, kind="stable")
    cut = np.searchsorted(code[order], np.arange(len(names) + 1))
    alike = Alike()
    plain = not is_text(column.type)
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
        alike.add(name, t, x[0])
    said.tables = alike.tables()
