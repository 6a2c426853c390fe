"""The mirror's two costs: making lines of readings, and getting them into an InfluxDB. `lifeline bench influx`"""

import gzip
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from bench.influxd import Influx
from bench.lake import START, city
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch
from store.influx import LEVEL, Dead, Sink, Target, Writer
from store.influx_read import Reader
from store.protocol import Encoder, Lines

SERIES = 10_000  # [1] that are written
TIMES = 3  # [1] repetitions; the median counts


def readings(series: int, n: int, digits: int | None, rng: np.random.Generator) -> Batch:
    """As they stand in a checkpoint: by series and time. digits: decimals of the values; None: all that a number has"""
    row = np.sort(rng.integers(0, series, n)).astype(np.int32)
    value = rng.normal(20.0, 5.0, n)
    t = START + np.arange(n) * (NS // 1000)
    return Batch(row, t, value if digits is None else np.round(value, digits), np.zeros(n, np.uint8))


def cpu(act: Callable[[], object]) -> float:
    """[s] of processor time, of all threads; the median"""
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        act()
        took.append(time.process_time() - began)
    return float(np.median(took))


def encoding(catalog: Catalog, n: int) -> dict[str, float]:
    """Points a second on one core."""
    rng, encoder = np.random.default_rng(0), Encoder(catalog, "kunming")
    encoder.readings(readings(catalog.n, 10, 2, rng))  # what stands before the fields is made once
    told: dict[str, float] = {}
    for name, digits in (("two_decimals", 2), ("all_digits", None)):
        b = readings(catalog.n, n, digits, rng)
        told[f"encode_points_per_s_{name}"] = n / cpu(lambda b=b: encoder.readings(b))  # type: ignore[misc]
    lines = encoder.readings(b)
    told["bytes_per_point"] = len(lines.text) / n
    for level in (LEVEL, 6, 9):
        packed = gzip.compress(lines.text, level)
        told[f"gzip_{level}_points_per_s"] = n / cpu(lambda level=level: gzip.compress(lines.text, level))  # type: ignore[misc]
        told[f"gzip_{level}_bytes_per_point"] = len(packed) / n
    return told


def writing(catalog: Catalog, n: int, most: int) -> dict[str, float]:
    """Points a second into a real server on the same machine, through the sink and through the client's own write_api."""
    rng, encoder = np.random.default_rng(1), Encoder(catalog, "kunming")
    lines = encoder.readings(readings(SERIES, n, 2, rng))
    dead: list[Dead] = []
    with Influx() as server:
        target = Target(server.url, "", "lifeline", "bench", timeout=60.0)
        reader = Reader(target)
        reader.ask('CREATE DATABASE "bench"', change=True)
        sink = Sink(Writer(target), most=most, bury=dead.extend, rest=lambda _: True)
        sink.write(lines)  # the series are known from now on
        wall, busy = time.perf_counter(), time.process_time()
        sink.write(lines)
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        own, own_busy = by_client(target, lines, most)
        (found,) = reader.ask('SELECT count("value") FROM /.*/')
        reader.close()
    assert not dead
    return {
        "write_points_per_s": n / wall, "write_cpu_us_per_point": busy / n * 1e6, "write_api_points_per_s": n / own,
        "write_api_cpu_us_per_point": own_busy / n * 1e6, "stored_points": found["values"][0][1], "sent_points": n,
    }  # fmt: skip


def by_client(target: Target, lines: Lines, most: int) -> tuple[float, float]:
    """[s] by the clock and of processor time that the client's synchronous write_api takes, packing as it does by itself"""
    with InfluxDBClient(target.url, "none", org=target.org, timeout=60_000, enable_gzip=True) as client:
        api: Any = client.write_api(write_options=SYNCHRONOUS)
        wall, busy = time.perf_counter(), time.process_time()
        for a in range(0, lines.n, most):
            api.write(target.bucket, target.org, lines.part(a, min(a + most, lines.n)).text)
        return time.perf_counter() - wall, time.process_time() - busy


def run(*, points: int = 1_000_000, written: int = 200_000, most: int = 10_000) -> dict[str, float]:
    """Figures of one core for making and packing lines; of the machine for writing them."""
    catalog = city()
    return encoding(catalog, points) | writing(catalog, written, most)
