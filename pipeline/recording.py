"""Recordings: readings in the order in which they arrived, in one Parquet file that stands alone (docs/recordings.md).

A row is a reading; a sample of a waveform is one too. Turns are never cut by a row group, so that a file of any length is read
in the memory of one. The catalog, in SI and to the last bit, and where the readings come from stand in the file's metadata.
"""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.admit import Terms
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Bools, Codes, Floats, Ints, Quality, Rows
from lifeline.words import Failed, Unusable
from pipeline.replay import TERMS
from simulators.world import Turn, ends, readings

FORMAT: Final = "recording 1"
GROUP: Final = 500_000  # [1] readings in a row group, or a little more
ALONE: Final = -1  # place of a reading that is no sample of a waveform
TIME: Final = pa.timestamp("ns", "UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("received", TIME, nullable=False),  # when it arrived; all of one turn bear the same
        pa.field("t", TIME, nullable=False),  # at the sensor
        pa.field("key", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("value", pa.float64(), nullable=False),  # [SI]
        pa.field("quality", pa.uint8(), nullable=False),
        pa.field("own", pa.bool_(), nullable=False),  # whether t is the device's own time, not that of receipt
        pa.field("sample", pa.int32()),  # place in its waveform, from 0; null: a reading by itself
    ]
)
PACKING: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["key", "quality", "received"],
    "column_encoding": {"t": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT", "sample": "DELTA_BINARY_PACKED"},
    "write_statistics": ["received", "t", "key"],  # those of values pass over NaN, and DuckDB 2.0 would deny that there is any
}

Info = dict[str, Any]


class Columns(NamedTuple):
    """Readings as the file has them."""

    received: Ints  # [n] [ns]
    t: Ints  # [n] [ns]
    row: Rows  # [n]
    value: Floats  # [n] [SI]
    quality: Codes  # [n]
    own: Bools  # [n]
    sample: Rows  # [n]; ALONE: no waveform

    def take(self, which: Any) -> "Columns":
        return Columns._make(x[which] for x in self)


class Recorder:
    """Writes. The file is there, whole, when the `with` ends; after a failure there is none."""

    def __init__(self, path: Path, catalog: Catalog, info: Info) -> None:
        if path.exists():
            raise Unusable(f"{path}: is there already; name another file, or delete it first")
        if not path.parent.is_dir():
            raise Unusable(f"{path}: there is no folder {path.parent}")
        self._path, self._draft = path, path.with_name(f".{path.name}.draft")
        self._catalog, self._schema = catalog, SCHEMA.with_metadata(_metadata(catalog, info))
        self._held: list[Turn] = []
        self._size = 0  # readings held
        self.readings = 0

    def add(self, turn: Turn) -> None:
        """The next turn. One that arrived at the instant of the last belongs to it."""
        if self._size >= GROUP and turn.at != self._held[-1].at:
            try:
                self._flush()
            except OSError as why:
                raise self._failed(why) from why
        if many := readings(turn):
            self._held.append(turn)
            self._size += many

    @property
    def held(self) -> int:
        """Readings that are not in the file yet."""
        return self._size

    def _flush(self) -> None:
        if not self._size:
            return
        c = Columns(*(np.concatenate(column) for column in zip(*map(laid_out, self._held), strict=True)))
        rows, code = np.unique(c.row, return_inverse=True)
        key = pa.DictionaryArray.from_arrays(code.astype(np.int32), pa.array(self._catalog.key[rows], pa.string()))
        columns = [
            pa.array(c.received).cast(TIME), pa.array(c.t).cast(TIME), key, pa.array(c.value), pa.array(c.quality),
            pa.array(c.own), pa.array(c.sample, mask=c.sample == ALONE),
        ]  # fmt: skip
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=self._size)
        self.readings += self._size
        self._held, self._size = [], 0

    def __enter__(self) -> Self:
        try:
            self._file = pq.ParquetWriter(self._draft, self._schema, **PACKING)
        except OSError as why:
            raise self._failed(why) from why
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as full:
            raise self._failed(full) from full
        finally:
            with suppress(OSError):
                self._file.close()
            self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._flush()
        self._file.close()
        settled(self._draft)
        self._draft.replace(self._path)

    def _failed(self, why: OSError) -> Failed:
        return Failed(f"{self._path}: cannot be written: {why.strerror or why}; nothing of it is kept")


def settled(path: Path) -> None:
    """On the disk, not on its way there."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


class Recording:
    """Reads. Turns can be told any number of times, always the same."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except OSError as why:
            raise Unusable(f"{path}: cannot be read: {why.strerror or why}") from why
        except pa.ArrowException as why:
            raise Unusable(f"{path}: is no Parquet file: {why}") from why
        kept = self._file.schema_arrow.metadata or {}
        if kept.get(b"lifeline", b"").decode() != FORMAT:
            raise Unusable(f"{path}: is no recording; `lifeline backtest` reads measurements of anybody's making")
        self.path = path
        self.info: Info = json.loads(kept[b"info"])
        self.catalog = _catalog(kept[b"catalog"])
        self.readings: int = self._file.metadata.num_rows

    @property
    def city(self) -> str:
        return str(self.info["city"])

    @property
    def terms(self) -> Terms:
        """On what terms its readings were taken."""
        return Terms(*self.info["terms"]) if "terms" in self.info else TERMS

    @property
    def span(self) -> tuple[int, int]:
        """Receipt of the first and the last reading. [ns]"""
        if not self.readings:
            return 0, 0
        groups = range(self._file.num_row_groups)
        found = [self._file.read_row_group(g, ["received"])[0].cast(pa.int64()) for g in (groups[0], groups[-1])]
        return found[0][0].as_py(), found[1][-1].as_py()

    def turns(self) -> Iterator[Turn]:
        """As they arrived."""
        for g in range(self._file.num_row_groups):
            try:
                columns = self._columns(g)
            except (OSError, pa.ArrowException) as why:
                raise Unusable(f"{self.path}: is damaged: {why}") from why
            yield from told(columns, self.catalog)

    def _columns(self, group: int) -> Columns:
        raw = self._file.read_row_group(group).combine_chunks()
        key = raw["key"].combine_chunks()
        place = np.array([self.catalog.row[k] for k in key.dictionary.to_pylist()], np.int32)
        received, t = (raw[name].cast(pa.int64()).to_numpy() for name in ("received", "t"))
        value, quality, own = (raw[name].to_numpy() for name in ("value", "quality", "own"))
        sample = raw["sample"].fill_null(ALONE).to_numpy()
        return Columns(received, t, place[key.indices.to_numpy()], value, quality, own, sample)


def laid_out(turn: Turn) -> Columns:
    """The readings of a turn: those by themselves, then its waveforms sample by sample."""
    flat = [(b.flat(), np.tile(np.arange(b.value.shape[1], dtype=np.int32), b.row.size)) for b in turn.blocks]
    parts = [(turn.batch, np.full(turn.batch.n, ALONE, np.int32)), *flat]
    b = Batch.joined([batch for batch, _ in parts])
    own = np.ones(b.n, np.bool_)
    if turn.own is not None:
        own[: turn.batch.n] = turn.own
    return Columns(np.full(b.n, turn.at), b.t, b.row, b.value, b.quality, own, np.concatenate([s for _, s in parts]))


def told(c: Columns, catalog: Catalog) -> Iterator[Turn]:
    """The turns of whole rows."""
    edge = np.flatnonzero(np.diff(c.received, prepend=-1, append=-1)).tolist()
    for a, b in pairwise(edge):
        mine = c.take(slice(a, b))
        loose = mine.sample == ALONE
        batch = Batch(mine.row[loose], mine.t[loose], mine.value[loose], mine.quality[loose])
        own = None if mine.own.all() else mine.own[loose]
        blocks = [] if loose.all() else list(_blocks(mine.take(~loose), catalog))
        yield Turn(int(mine.received[0]), batch, blocks, own)


def _blocks(c: Columns, catalog: Catalog) -> Iterator[Block]:
    """Waveforms that follow one another, alike in length and step and of different series, are one block."""
    first = np.flatnonzero(c.sample == 0)
    size = np.diff(first, append=c.t.size)
    step = np.rint(catalog.step[c.row[first]] * NS).astype(np.int64)
    many = size > 1
    step[many] = c.t[first[many] + 1] - c.t[first[many]]
    begin, seen = 0, set[int]()
    for i, row in enumerate(c.row[first].tolist()):
        if i > begin and (row in seen or size[i] != size[begin] or step[i] != step[begin]):
            yield _block(c, first[begin:i], int(size[begin]), int(step[begin]))
            begin, seen = i, set()
        seen.add(row)
    yield _block(c, first[begin:], int(size[begin]), int(step[begin]))


def _block(c: Columns, first: Ints, size: int, step: int) -> Block:
    every = slice(first[0], first[-1] + size)
    shape = first.size, size
    return Block(c.row[first], c.t[first], step, c.value[every].reshape(shape), c.quality[every].reshape(shape))


def _metadata(catalog: Catalog, info: Info) -> dict[bytes, bytes]:
    names = [f.name for f in fields(catalog)]
    table = pa.table({name: pa.array(getattr(catalog, name)) for name in names})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return {
        b"lifeline": FORMAT.encode(),
        b"info": json.dumps(info, ensure_ascii=False).encode(),
        b"catalog": base64.b64encode(sink.getvalue()),
    }


def _catalog(kept: bytes) -> Catalog:
    with pa.ipc.open_stream(base64.b64decode(kept)) as stream:
        table = stream.read_all()
    columns = {name: table[name] for name in table.column_names}
    return Catalog(
        **{
            name: np.array(column.to_pylist(), object) if pa.types.is_string(column.type) else column.to_numpy()
            for name, column in columns.items()
        }
    )


def chosen(turn: Turn, place: Rows) -> Turn:
    """Only the readings of some series, by their rows in a catalog of these alone. place [n]: new row of each; -1: left out"""
    b, mine = turn.batch, place[turn.batch.row] >= 0
    kept = Batch(place[b.row[mine]], b.t[mine], b.value[mine], b.quality[mine])
    waves = [(b, place[b.row] >= 0) for b in turn.blocks]
    blocks = [Block(place[b.row[m]], b.t[m], b.step, b.value[m], b.quality[m]) for b, m in waves if m.any()]
    return Turn(turn.at, kept, blocks, None if turn.own is None else turn.own[mine], _clock(turn, ~mine, place))


def _clock(turn: Turn, out: Bools, place: Rows) -> int:
    """The newest trusted time among readings that are left out [ns]; 0: there is none. out [n] of the batch"""
    b = turn.batch
    trusted = out & (b.quality != Quality.CLOCK) & (True if turn.own is None else turn.own)
    waves = [ends(x)[(place[x.row] < 0) & (x.quality[:, -1] != Quality.CLOCK)] for x in turn.blocks]
    return max(int(t.max(initial=0)) for t in (b.t[trusted], *waves))
