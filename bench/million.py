"""A million series at one reading a minute in one process: seconds of a core for each minute of the city, and memory.

The engine alone, by the shipped rules: no broker, no store. Series are those of the simulated town of the other benchmarks.
"""

import gc
import json
import resource
import time
from typing import Any, Final

import numpy as np

import detectors
from bench.town import Town
from lifeline.model import NS, Batch, Floats, Ints, Quality
from lifeline.units import UNITS
from pipeline.replay import Replay
from simulators.world import Turn

LONG: Final = True  # some minutes: not a part of "all"
START: Final = 1_795_420_800 * NS
SECONDS: Final = 60
WARM: Final = 30  # minutes before the clock is looked at: windows fill, tickets of silence are past


def memory() -> int:
    """Most that the process has held. [byte]"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def minute(usual: Floats, number: int, rng: np.random.Generator) -> list[Turn]:
    """One reading of each series, a sixtieth of them in each second: its usual value [n] [SI] with noise of a hundredth."""
    n = usual.size
    value = usual * (1 + 0.01 * rng.standard_normal(n))
    turns = []
    for s in range(SECONDS):
        row = np.arange(s, n, SECONDS, dtype=np.int32)
        at = START + (number * SECONDS + s) * NS
        t: Ints = np.full(row.size, at)
        turns.append(Turn(at + NS // 2, Batch(row, t, value[row], np.full(row.size, Quality.GOOD, np.uint8)), []))
    return turns


def run(*, series: int = 1_000_000, minutes: int = 5, warm: int = WARM) -> dict[str, Any]:
    """Median and worst seconds for a minute of the city; bytes of a series."""
    town, rng = Town(series, 0), np.random.default_rng(1)
    catalog = town.catalog()
    usual = np.array([UNITS[k.unit].to_si(k.usual) for k in map(town.kind, range(series))])
    gc.collect()
    before, began = memory(), time.perf_counter()
    replay = Replay(catalog, detectors.rules(), "million")
    built, took, changes = time.perf_counter() - began, list[float](), 0
    for i in range(warm + minutes):
        turns = minute(usual, i, rng)
        began = time.process_time()
        for turn in turns:
            changes += len(replay.step(turn))
        took.append(time.process_time() - began)
    return {
        "series": catalog.n, "minute_s": round(float(np.median(took[warm:])), 2), "worst_minute_s": round(max(took), 2),
        "readings_per_s": round(catalog.n / float(np.median(took[warm:]))), "built_s": round(built, 1),
        "bytes_per_series": round((memory() - before) / catalog.n), "peak_bytes": memory(), "changes": changes,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
