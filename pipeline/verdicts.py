"""What a backtest says, as Parquet files that pandas, DuckDB and Polars open."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifeline.catalog import Catalog
from lifeline.model import Change, Floats, Ints, Rows, Rule
from pipeline.docket import Warned

TIME: Final = pa.timestamp("ns", "UTC")
WORD: Final = pa.dictionary(pa.int32(), pa.string())
CHANGES: Final = pa.schema(
    [("t", TIME), *((name, pa.string()) for name in ("asset", "key", "rule", "hazard", "old", "new")), ("score", pa.float64())]
)
WARNINGS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "asset", "hazard", "level")),
        *((n, TIME) for n in ("onset", "raised", "cleared")),
    ]
)
SCORES: Final = pa.schema([("t", TIME), ("key", WORD), ("rule", WORD), ("score", pa.float64())])
GROUP: Final = 2_000_000  # scores written at a time


def changes(found: Iterable[Change], path: Path) -> None:
    """Every change of level, those of passive rules and of rules about devices included."""
    _written(pa.Table.from_pylist([change(c) for c in found], CHANGES), path)


def warnings(found: Sequence[Warned], path: Path) -> None:
    """The gravest level of each; cleared is empty where it still stands at the end."""
    _written(pa.Table.from_pylist([warning(w) for w in found], WARNINGS), path)


def change(c: Change) -> dict[str, Any]:
    """A row of the changes."""
    return {f.name: getattr(c, f.name) for f in CHANGES}


def warning(w: Warned) -> dict[str, Any]:
    """A row of the warnings."""
    return {
        "id": w.case.id, "asset": w.case.asset, "hazard": w.case.hazard, "level": w.peak.name,
        "onset": w.case.onset, "raised": w.steps[0].t, "cleared": w.case.cleared,
    }  # fmt: skip


def _written(table: Any, path: Path) -> None:
    draft = path.with_name(f".{path.name}.draft")
    pq.write_table(table, draft, compression="zstd")
    draft.replace(path)


class Scores:
    """Scores as they are told, into one file. A reading that could not be judged has none. Use it in a `with`."""

    def __init__(self, path: Path, catalog: Catalog, rules: Sequence[Rule], since: int = 0) -> None:
        """since: scores before are not kept. [ns]"""
        self._path, self._draft = path, path.with_name(f".{path.name}.draft")
        self._keys = pa.array(catalog.key.tolist(), pa.string())
        self._rules = pa.array([r.id for r in rules], pa.string())
        self._number = {r.id: i for i, r in enumerate(rules)}
        self._since, self._held = since, 0
        self._parts: list[tuple[Ints, Rows, Rows, Floats]] = []
        self._file: Any = None
        self.count = 0

    def __call__(self, rule: Rule, rows: Rows, t: Ints, score: Floats) -> None:
        """What the engine tells (pipeline/engine.py, Heed)."""
        there = np.isfinite(score) & (t >= self._since)
        n = int(there.sum())
        which = np.broadcast_to(rows[:, None], score.shape)[there].astype(np.int32)
        self._parts.append((t[there], which, np.full(n, self._number[rule.id], np.int32), score[there]))
        self._held += n
        if self._held >= GROUP:
            self._flush()

    def _flush(self) -> None:
        t, row, rule, score = (np.concatenate(c) for c in zip(*self._parts, strict=True))
        columns = [
            pa.array(t).cast(TIME),
            pa.DictionaryArray.from_arrays(pa.array(row), self._keys),
            pa.DictionaryArray.from_arrays(pa.array(rule), self._rules),
            pa.array(score),
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=SCORES))
        self._parts, self._held, self.count = [], 0, self.count + t.size

    def __enter__(self) -> Self:
        self._file = pq.ParquetWriter(self._draft, SCORES, compression="zstd")
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self._parts:
            self._flush()
        self._file.close()
        if kind is None:
            self._draft.replace(self._path)
        else:
            self._draft.unlink()
