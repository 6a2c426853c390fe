"""What spectra and natural frequencies cost the mirror: an hour of a bridge with thirty accelerometers at 50 Hz."""

import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from bench.lake import START
from lifeline.catalog import Catalog, load
from lifeline.model import NS, Batch
from pipeline.mirror.book import Book
from pipeline.mirror.vibration import Vibration
from store.lake import Lake
from store.protocol import Encoder

HOUR: Final = 3600  # [s]
PIECE: Final = 60  # [s] of a file of the lake
HEADER: Final = "key,asset,device,domain,district,quantity,unit,step,low,high,lat,lon,owner,hold,rated"


def bridge(folder: Path, sensors: int, rate: int) -> Catalog:
    place = "24.67,102.91,the owner,,"
    lines = [f"acc-{i}/z,bridge-0,acc-{i},bridge,Fenglu,acceleration,m/s²,{1 / rate},-20,20,{place}" for i in range(sensors)]
    (folder / "catalog.csv").write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return load(folder / "catalog.csv")


def filled(lake: Lake, sensors: int, rate: int, start: int) -> None:
    """An hour of three modes in noise, in files of a minute."""
    rng, n = np.random.default_rng(0), PIECE * rate
    shape = np.sin(np.pi * np.outer((1, 2, 3), np.arange(1, sensors + 1) / (sensors + 1)))
    for piece in range(HOUR // PIECE):
        s = piece * PIECE + np.arange(n) / rate
        wander = np.cumsum(rng.normal(0, 0.1, (3, n)), axis=1)
        x = shape.T @ (0.02 * np.sin(2 * np.pi * np.array([[0.7], [1.3], [2.4]]) * s + wander)) + rng.normal(
            0, 0.002, (sensors, n)
        )
        t = np.tile(start + np.round(s * NS).astype(np.int64), sensors)
        row = np.repeat(np.arange(sensors, dtype=np.int32), n)
        lake.write(Batch(row, t, np.round(x.ravel(), 6), np.zeros(row.size, np.uint8)), piece, piece + 1)


def run(sensors: int = 30, rate: int = 50) -> dict[str, float]:
    """[s] of processor time, of all threads, for a bridge's hour in stretches of ten minutes."""
    start = START // (HOUR * NS) * HOUR * NS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = bridge(folder, sensors, rate)
        lake, book = Lake(folder / "lake", catalog), Book(folder / "mirror.db")
        filled(lake, sensors, rate, start)
        vibration = Vibration(catalog, Encoder(catalog, "kunming"), "kunming", 600.0)
        every = 600 * NS
        t = start + np.arange(HOUR, dtype=np.int64) * NS
        spans = sorted(vibration.touched(Batch(np.zeros(HOUR, np.int32), t, np.zeros(HOUR), np.zeros(HOUR, np.uint8))))
        told = [vibration.told(lake, book, s) for s in spans]  # the modes are numbered
        began, wall = time.process_time(), time.perf_counter()
        told = [vibration.told(lake, book, s) for s in spans]
        took, wall = time.process_time() - began, time.perf_counter() - wall
        began = time.process_time()
        for s in spans:
            lake.scan(np.arange(sensors, dtype=np.int32), s.start - 1, s.start + every - 1)
        read = time.process_time() - began
        book.close()
    return {
        "samples": sensors * rate * HOUR, "cpu_s": took, "wall_s": wall, "cpu_s_of_reading": read,
        "spectrum_lines": sum(x.spectra.n for x in told), "frequency_lines": sum(x.naturals.n for x in told),
    }  # fmt: skip
