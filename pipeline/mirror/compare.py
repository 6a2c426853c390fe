"""The command `lifeline store check`: is what the lake holds in InfluxDB, to the last bit?"""

import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lifeline.catalog import load
from lifeline.clock import iso
from lifeline.config import Config
from lifeline.model import Batch, Bools
from lifeline.words import Failed
from pipeline.mirror.patient import target
from store.features import waves
from store.influx_read import Reader, Unanswered, readings
from store.lake import Lake
from store.protocol import Encoder

MANY: Final = 500  # [1] series compared at a time
SHOWN: Final = 10  # [1] of what is missing


def check(config: Config, t0: int, t1: int, *, as_json: bool) -> tuple[str, int]:
    """What is said, and the exit code: 1 where something is missing. Waveforms are not compared. t0, t1 [ns]"""
    catalog = load(config.city.catalog)
    lake, reader = Lake(config.city.data / "lake", catalog), Reader(target(config.influx))
    rows = np.flatnonzero(~waves(catalog) & Encoder(catalog, config.city.name).writable).astype(np.int32)
    stored, missing, more, first = 0, 0, 0, list[str]()
    try:
        for part in _parts(rows):
            mine, theirs = lake.scan(part, t0, t1), readings(reader, catalog, part, t0, t1)
            gone = ~within(mine, theirs)
            stored, missing, more = stored + mine.n, missing + int(gone.sum()), more + int((~within(theirs, mine)).sum())
            lost = mine.take(gone).take(slice(0, SHOWN - len(first)))
            first += [f"{catalog.key[r]} {iso(t)}" for r, t in zip(lost.row.tolist(), lost.t.tolist(), strict=True)]
    except Unanswered as why:
        raise Failed(f"{config.influx.url}: {why}") from why
    said: dict[str, Any] = {"stored": stored, "missing": missing, "not_stored": more, "first_missing": first}
    text = json.dumps(said, ensure_ascii=False)
    if not as_json:
        text = "\n".join(
            [
                f"{stored:,} readings are in the lake; {missing:,} of them are not in InfluxDB, or are not the same",
                f"{more:,} readings are in InfluxDB alone",
                *first,
            ]
        )
    return text, 1 if missing else 0


def _parts(rows: Any) -> Iterator[Any]:
    return (rows[a : a + MANY] for a in range(0, rows.size, MANY))


def within(a: Batch, b: Batch) -> Bools:
    """[n] which readings of a are in b, the same in value and quality; both in the order of row and time."""
    names = [np.rec.fromarrays([x.row, x.t, x.value.view(np.int64), x.quality]) for x in (_plain(a), _plain(b))]
    return np.isin(names[0], names[1])


def _plain(b: Batch) -> Batch:
    """What is no number is one and the same."""
    value = np.where(np.isfinite(b.value), b.value + 0.0, np.nan)
    return Batch(b.row, b.t, value, b.quality)
