"""The lake alone: what writing a city's checkpoint costs, and how soon a question is answered. `python -m bench.lake`"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Domain
from store.lake import Lake

START = 497_000 * 3600 * NS  # [ns] the turn of an hour
SLOW, FAST, RATE = 100_000, 6_000, 100  # series at a reading a minute; bridge channels and their readings a second


def city() -> Catalog:
    """100,000 slow series of four domains, then 6,000 fast ones of bridges."""
    n = SLOW + FAST
    slow = [list(Domain)[i % 4].value for i in range(SLOW)]
    domain = np.array(slow + ["bridge"] * FAST, object)
    key = np.array([f"{d[:2].upper()}-{i:06d}/ch" for i, d in enumerate(domain)], object)
    text, zero, one = np.full(n, "x", object), np.zeros(n), np.ones(n)
    return Catalog(key, text, text, domain, text, text, text, text, one, zero, one, zero, zero, zero, zero, one, zero, zero)


def checkpoint(rng: np.random.Generator, second: int, seconds: int = 5) -> Batch:
    """What a mixed city sends in five seconds: blocks of a second from the bridges, single readings from the rest."""
    blocks = []
    for s in range(second, second + seconds):
        t = START + s * NS + np.arange(RATE) * (NS // RATE)
        row = SLOW + rng.permutation(FAST)
        value = np.round(rng.normal(0, 0.02, FAST * RATE), 6)
        blocks.append(Batch(np.repeat(row, RATE).astype(np.int32), np.tile(t, FAST), value, np.zeros(value.size, np.uint8)))
        m = SLOW // 60
        t = START + s * NS + rng.integers(0, NS, m)
        blocks.append(
            Batch(rng.choice(SLOW, m, replace=False).astype(np.int32), t, rng.normal(50, 1, m), np.zeros(m, np.uint8))
        )
    return Batch.joined(blocks)


def hour(rng: np.random.Generator, h: int) -> Batch:
    """An hour of the slow series."""
    row = np.tile(rng.permutation(SLOW).astype(np.int32), 60)
    t = START + h * 3600 * NS + np.repeat(np.arange(60), SLOW) * 60 * NS + rng.integers(0, 60 * NS, row.size)
    return Batch(row, t, np.round(50 + rng.normal(size=row.size), 3), np.zeros(row.size, np.uint8))


def median(ask: Callable[[], object], times: int = 7) -> float:
    """[s]"""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return float(np.median(took))


def writing(root: Path, catalog: Catalog, checkpoints: int) -> dict[str, float]:
    """Checkpoints one after another, then their merge."""
    rng, lake = np.random.default_rng(0), Lake(root, catalog, grace=1.0)
    batches = [checkpoint(rng, 5 * i) for i in range(checkpoints)]
    readings = sum(b.n for b in batches)
    lake.write(batches[0], 0, 1)  # the catalog is sorted once
    cpu, wall = time.process_time(), time.perf_counter()
    for i, batch in enumerate(batches[1:], 1):
        lake.write(batch, i, i + 1)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    written, size = readings - batches[0].n, sum(f.stat().st_size for f in root.rglob("*.parquet"))
    busy = time.process_time()
    lake.compact(checkpoints, closed=2**62)
    return {
        "write_readings_per_s": written / wall,
        "write_cpu_s_per_million": cpu / written * 1e6,
        "merge_cpu_s_per_million": (time.process_time() - busy) / readings * 1e6,
        "bytes_per_reading": size / readings,
    }


def reading(root: Path, catalog: Catalog, hours: int) -> dict[str, float]:
    """A day of 100,000 series, the last hour in small files."""
    rng, lake = np.random.default_rng(1), Lake(root, catalog)
    for h in range(hours - 1):
        lake.write(hour(rng, h), h, h + 1)
    last = hour(rng, hours - 1)
    for i, part in enumerate(np.array_split(np.argsort(last.t), 45)):
        lake.write(last.take(part), hours + i, hours + i + 1)
    one, some = np.array([4321], np.int32), rng.choice(SLOW, 1000, replace=False).astype(np.int32)
    t0, t1 = START - 1, START + hours * 3600 * NS
    late = last.take(rng.choice(last.n, 10_000, replace=False))
    return {
        "scan_day_one_series_s": median(lambda: lake.scan(one, t0, t1)),
        "slots_day_one_series_s": median(lambda: lake.scan(one, t0, t1, 3600.0)),
        "scan_hour_1000_series_s": median(lambda: lake.scan(some, t1 - 3600 * NS, t1)),
        "latest_1000_s": median(lambda: lake.latest(some)),
        "latest_all_s": median(lambda: lake.latest(np.arange(SLOW, dtype=np.int32)), 3),
        "stored_10000_s": median(lambda: lake.known(late)),
    }


def run(*, checkpoints: int = 6, hours: int = 24) -> dict[str, float]:
    """Figures of one core: readings/s, CPU seconds per million readings, seconds per question."""
    catalog = city()
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        return writing(Path(a), catalog, checkpoints) | reading(Path(b), catalog, hours)


if __name__ == "__main__":
    print(json.dumps({name: float(f"{figure:.3g}") for name, figure in run().items()}, indent=2))
