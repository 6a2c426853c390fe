"""The METEC week: 8 fixed methane sensors in the open and 16 known releases, 9 to 15 May 2022, one reading a minute.

W. S. Daniels, M. Jia, D. M. Hammerling, Elementa 12, 2024, 00110; data from github.com/wsdaniels/DLQ (MIT licence). The record
is read where it lies: in ../shared/data beside the repository, or where CITY_DATA says.
"""

import csv
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from detectors.plume import Plume
from lifeline.clock import iso, parse
from lifeline.model import NS, Floats, Ints

VARIABLE: Final = "CITY_DATA"
BESIDE: Final = Path(__file__).parents[2] / "shared" / "data"
MISSING: Final = (
    "no METEC record at {}: make cms_1min.parquet, releases_truth.csv and sensor_locations.csv from "
    "github.com/wsdaniels/DLQ (MIT licence) and name the folder above METEC_week in " + VARIABLE
)


class Record(NamedTuple):
    """What was measured and what was released."""

    name: list[str]  # [n] of the sensors
    place: list[tuple[float, float]]  # [n] [°] lat, lon
    t: Ints  # [k] [ns] UTC
    value: Floats  # [n, k] [ppm]; NaN: nothing came
    releases: list[tuple[int, int]]  # [ns] start, end


class Event(NamedTuple):
    """One warning as the phone was told of it."""

    warning: str
    onset: int  # [ns]
    end: int  # [ns]; the end of the record where it still stands
    peak: str  # Level name


def folder() -> Path:
    return Path(os.environ.get(VARIABLE, str(BESIDE))) / "METEC_week"


def record(at: Path, start: int | None = None, days: float | None = None) -> Record:
    """The record in a folder, or a part of it. start [ns]; days [d]"""
    table = pq.read_table(at / "cms_1min.parquet")
    t = table["time_utc"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    first = t[0] if start is None else start
    last = t[-1] if days is None else first + round(days * 86400 * NS) - 1
    with (at / "sensor_locations.csv").open() as file:
        place = {row["name"]: (float(row["lat"]), float(row["lon"])) for row in csv.DictReader(file)}
    with (at / "releases_truth.csv").open() as file:
        spans = [(parse(row["start_utc"]), parse(row["end_utc"])) for row in csv.DictReader(file)]
    part = (t >= first) & (t <= last)
    value = np.stack([table[f"ch4_{name}_ppm"].to_numpy()[part] for name in place])
    releases = [(a, b) for a, b in spans if b >= first and a <= last]
    return Record(list(place), list(place.values()), t[part], value, releases)


def scorer(at: Path) -> Callable[..., dict[str, Any]] | None:
    """The published metrics of this record (events found, false events, minutes); None where scorer or pandas is not there."""
    spec = importlib.util.spec_from_file_location("scorers", at.parents[1] / "scorers.py")
    try:
        module = importlib.util.module_from_spec(spec) if spec and spec.loader else None
        if module is None or spec is None or spec.loader is None:
            return None
        spec.loader.exec_module(module)
    except (OSError, ImportError) as why:
        sys.stderr.write(f"not scored: {why}\n")
        return None
    found: Callable[..., dict[str, Any]] = module.metec
    return found


def scored(at: Path, r: Record, found: list[Event], since: int) -> dict[str, Any] | None:
    """Figures for the part of the record from `since` [ns] on."""
    metec = scorer(at)
    if metec is None or r.t[-1] < since:
        return None
    pandas = importlib.import_module("pandas")
    truth = pandas.read_csv(at / "releases_truth.csv", parse_dates=["start_utc", "end_utc"])
    starts, ends = (np.array([parse(str(x)) for x in truth[c]]) for c in ("start_utc", "end_utc"))
    truth = truth[(starts >= since) & (starts <= r.t[-1]) & (ends >= r.t[0])]
    spans = [(np.datetime64(e.onset, "ns"), np.datetime64(e.end, "ns")) for e in found if e.onset >= since]
    figures = metec(r.t[r.t >= since].astype("datetime64[ns]"), spans, truth)
    return {k: round(float(v), 2) if isinstance(v, float) else int(v) for k, v in figures.items() if v is not None}


def picture(r: Record, found: list[Event], to: Path) -> None:
    """A strip for each day: the largest reading above background, the releases under it, the warnings over it."""
    import matplotlib as mpl
    from PIL import Image

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    day = 86400 * NS
    first = int(r.t[0]) // day
    figure, strips = plt.subplots(int(r.t[-1]) // day - first + 1, figsize=(11, 10), squeeze=False, layout="constrained")
    for i, strip in enumerate(strips[:, 0]):
        begin = (first + i) * day
        strip.semilogy((r.t - begin) / (3600 * NS), above(r), lw=0.6, color="#444444")
        for a, b in r.releases:
            strip.axvspan((a - begin) / (3600 * NS), (b - begin) / (3600 * NS), color="#9fc5a8", lw=0)
        for e in found:
            colour = {"BLUE": "#3b7dd8", "YELLOW": "#e8b800", "ORANGE": "#ef7d1a"}[e.peak]
            strip.plot([(e.onset - begin) / (3600 * NS), (e.end - begin) / (3600 * NS)], [200, 200], lw=5, color=colour)
        strip.axhline(0.5, lw=0.5, ls=":", color="#3b7dd8")
        strip.set(xlim=(0, 24), ylim=(0.1, 400), xticks=range(0, 25, 3), ylabel=iso(begin)[5:10])
    figure.suptitle("METEC, May 2022: largest of 8 sensors, ppm above background; green: gas released; bars: warnings")
    strips[-1, 0].set_xlabel("hour (UTC)")
    figure.savefig(to, dpi=75)
    plt.close(figure)
    with Image.open(to) as drawn:
        drawn.convert("RGB").quantize(128).save(to, optimize=True)


def above(r: Record) -> Floats:
    """Largest excess of each minute, as the rule reckons it; NaN where no sensor could be judged. [k] [ppm]"""
    minute = Plume(recent=60.0, count=1)
    excess = minute.step(minute.init(len(r.name)), r.value)[1]
    largest: Floats = np.fmax.reduce(excess, axis=0)
    return largest
