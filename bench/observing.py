"""What the meters cost: watch judges a small city's messages by turns with and without them, in one run."""

import json
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from ingest.journal import Entry
from lifeline.catalog import Catalog
from lifeline.config import City, Config, complete
from lifeline.model import NS, Batch
from pipeline import engine, stepping
from pipeline.demo import living
from pipeline.watch import Watch
from pipeline.watch_meters import Metrics

START: Final = 1_795_420_800 * NS
TURNS: Final = 150  # pairs of turns; each judges a second of the whole city
WARM: Final = 20  # turns before


def second(catalog: Catalog, i: int, rng: np.random.Generator) -> Entry:
    """Every slow series of the city once, a message for each device, as received in the i-th second."""
    t, said = START + i * NS, defaultdict[tuple[str, str, str], dict[str, float]](dict)
    for row in np.flatnonzero(catalog.step >= 1.0).tolist():
        where = (catalog.domain[row], catalog.asset[row], catalog.device[row])
        middle = (catalog.low[row] * 0.9 + catalog.high[row] * 0.1 - catalog.offset[row]) / catalog.scale[row]
        said[where][catalog.key[row].rpartition("/")[2]] = float(middle * (1 + 1e-3 * rng.standard_normal()))
    topics = [f"lifeline/v1/bench/{'/'.join(where)}/telemetry".encode() for where in said]
    payloads = [json.dumps({"ts": t // 1_000_000, "values": values}).encode() for values in said.values()]
    return Entry(i * len(topics), t + NS // 10, topics, payloads)


def run() -> dict[str, Any]:
    """[s] of processor a second of the city, with and without, and their ratio: the median over the pairs."""
    catalog, rng = living(START, 1).catalog, np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(complete(Config(City("bench", Path("none.csv"), Path(folder)))), catalog)
        spent: dict[bool, list[float]] = {True: [], False: []}
        for i in range(WARM + 2 * TURNS):
            entry, metered = second(catalog, i, rng), i % 4 in (0, 3)  # in pairs, each first half of the time
            took = _judged(watch, entry, metered=metered)
            if i >= WARM:
                spent[metered].append(took)
            watch._span.fresh.clear()  # noqa: SLF001  memory is no matter here
            watch._span.used.clear()  # noqa: SLF001
        watch.checkpoints.close()
    pairs = [a / b for a, b in zip(spent[True], spent[False], strict=True)]
    return {
        "series": int((catalog.step >= 1.0).sum()), "messages": len(entry.topics), "pairs": TURNS,
        "with_ms": round(1e3 * statistics.median(spent[True]), 3),
        "without_ms": round(1e3 * statistics.median(spent[False]), 3), "ratio": round(statistics.median(pairs), 4),
    }  # fmt: skip


def _judged(watch: Watch, entry: Entry, *, metered: bool) -> float:
    """[s] of processor"""
    plain = [] if metered else [
        patch.object(engine, "advance", stepping.advance.__wrapped__),  # type: ignore[attr-defined]
        patch.object(engine, "together", stepping.together.__wrapped__),  # type: ignore[attr-defined]
        patch.object(Metrics, "stored", _nothing),
        patch.object(watch.metrics.delay, "observe", lambda _: None),
    ]  # fmt: skip
    for p in plain:
        p.start()
    begun = time.process_time()
    watch.judge([entry])
    took = time.process_time() - begun
    for p in plain:
        p.stop()
    return took


def _nothing(_metrics: Metrics, _batches: list[Batch]) -> None:
    """In place of the count by quality."""
