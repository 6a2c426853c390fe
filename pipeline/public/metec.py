"""METEC: 8 fixed methane sensors in the open and known releases, one reading a minute, May 2022.

W. S. Daniels, M. Jia, D. M. Hammerling, Elementa 12, 2024, 00110; data from github.com/wsdaniels/DLQ (MIT licence).
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lifeline.clock import parse
from lifeline.model import NS, Bools, Floats, Ints
from pipeline.public.kinds import Bound, Column, Figures, Line, Scored, Set, Words
from pipeline.public.place import Scorers
from pipeline.public.play import Heard, Player, Scores, Span, instants
from pipeline.public.sketch import Drawing, Panel, Shade, lane
from pipeline.stranger import Lines
from pipeline.tables import Table

FOLDER: Final = "METEC_week"
TITLE: Final = Words("燃气：METEC 露天甲烷释放", "gas: METEC, releases of methane in the open")
TRAINING: Final = 86400.0  # [s] at the beginning of the known record, from which settings were taken (docs/metec.md)
TOP: Final = 1000.0  # [ppm] of the catalog's range; the sensors' own is not documented, they have shown 129
READINGS: Final = "cms_1min.parquet"
RELEASES: Final = "releases_truth.csv"
WIND: Final = ("wind_speed_ms", "wind_dir_rad")
SENSORS: Final = "sensor_locations.csv"
SOURCES: Final = "source_locations.csv"
SOURCE: Final = "gas.open_air.release"  # the rule that names sources
AUTHORS: Final = "published_dlq_events.csv"  # not needed: the authors' own events are scored where they lie too


class Record(NamedTuple):
    """What was measured and what was released."""

    name: list[str]  # [n] of the sensors
    place: list[tuple[float, float]]  # [n] [°] lat, lon
    t: Ints  # [k] [ns] UTC
    value: Floats  # [n, k] [ppm]; NaN: nothing came
    releases: list[tuple[int, int]]  # [ns] start, end
    wind: Floats  # [2, k] [m/s] and [°] from which it blows, clockwise from north; NaN: nothing came; [0, k]: not measured


def record(at: Path, start: int | None = None, days: float | None = None) -> Record:
    """The record in a folder, or a part of it. start [ns]; days [d]"""
    table = pq.read_table(at / READINGS)
    t = instants(table["time_utc"].to_numpy())
    first = t[0] if start is None else start
    last = t[-1] if days is None else first + round(days * 86400 * NS) - 1
    with (at / SENSORS).open() as file:
        place = {row["name"]: (float(row["lat"]), float(row["lon"])) for row in csv.DictReader(file)}
    with (at / RELEASES).open() as file:
        spans = [(parse(row["start_utc"]), parse(row["end_utc"])) for row in csv.DictReader(file)]
    part = (t >= first) & (t <= last)
    value = np.stack([table[f"ch4_{name}_ppm"].to_numpy()[part] for name in place])
    wind = blown(table, part)
    releases = [(a, b) for a, b in spans if b >= first and a <= last]
    return Record(list(place), list(place.values()), t[part], value, releases, wind)


def blown(table: Any, part: Bools) -> Floats:
    """Wind and where it blows from, of the readings in `part` [all]; nothing where the record has none. [0 or 2, k]"""
    if not set(WIND) <= set(table.column_names):
        return np.empty((0, int(part.sum())))
    speed, angle = (table[name].to_numpy()[part] for name in WIND)
    return np.stack([speed, (270.0 - np.degrees(angle)) % 360.0])  # the angle is that of its vector, from east


def lines(r: Record) -> Lines:
    """Its catalog: the site is one asset, each sensor a device."""
    return [
        {
            "key": f"ch4-{name}/ch4", "asset": "metec", "device": f"ch4-{name}", "domain": "gas", "district": "Fort Collins",
            "quantity": "methane_air", "unit": "ppm", "step": "60", "low": "0", "high": str(TOP), "lat": str(lat),
            "lon": str(lon), "owner": "METEC",
        }
        for name, (lat, lon) in zip(r.name, r.place, strict=True)
    ]  # fmt: skip


def weather(r: Record) -> Lines:
    """The wind of the site, in the catalog's words; nothing where it was not measured."""
    if not len(r.wind):
        return []
    lat, lon = (sum(x) / len(r.place) for x in zip(*r.place, strict=True))
    common = {"asset": "metec", "device": "mast", "domain": "gas", "district": "Fort Collins", "step": "60", "owner": "METEC"}
    common |= {"lat": str(lat), "lon": str(lon)}
    return [
        {"key": "mast/speed", "quantity": "wind_speed", "unit": "m/s", "low": "0", "high": "60", **common},
        {"key": "mast/direction", "quantity": "wind_direction", "unit": "°", "low": "0", "high": "360", **common},
    ]


def truths(at: Path, t: Ints, since: int) -> pd.DataFrame:
    """Releases that begin at `since` [ns] or later, in the time of the readings t [k] [ns], as the scorer takes them."""
    truth = pd.read_csv(at / RELEASES, parse_dates=["start_utc", "end_utc"])
    starts, ends = (np.array([parse(str(x)) for x in truth[c]]) for c in ("start_utc", "end_utc"))
    return truth[(starts >= since) & (starts <= t[-1]) & (ends >= t[0])]


def figures(metec: Any, at: Path, t: Ints, found: Iterable[tuple[int, int]], since: int) -> Figures:
    """The published metrics of the part of the record from `since` [ns] on. t [k] [ns]; found: events, begin and end [ns]"""
    spans = [(np.datetime64(a, "ns"), np.datetime64(b, "ns")) for a, b in found if a >= since]
    made = metec(t[t >= since].astype("datetime64[ns]"), spans, truths(at, t, since))
    plain = {k: round(float(v), 2) if isinstance(v, float) else v if v is None else int(v) for k, v in made.items()}
    return plain | {"detected_pct": round(100 * made["detected"] / max(made["releases"], 1), 1)}


def score(at: Path, player: Player, judges: Scorers) -> Scored:
    r = record(at)
    whole, kept = [*lines(r), *weather(r)], Scores({SOURCE: 1.0})
    maps = {"metec": at / SOURCES} if (at / SOURCES).is_file() and len(r.wind) else None
    heard = player.play([Table([x["key"] for x in whole], r.t, np.vstack([r.value, r.wind]))], whole, heed=kept, maps=maps)
    spans, first = heard.spans(heard.warnings()), int(r.t[0])
    metec, found = judges["metec"], [(s.begin, s.end) for s in spans]
    traced = tracing(truths(at, r.t, first), heard, kept) if maps else {"located_pct": None, "rate_error_pct": None}
    later = Line("first day left out", figures(metec, at, r.t, found, first + round(TRAINING * NS)))
    return Scored(
        figures(metec, at, r.t, found, first) | traced,
        drawing(r, spans),
        parts=[later],
        published=[*authors(at, r, metec), CAMPAIGN] if at.name == FOLDER else [*authors(at, r, metec)],
        settings={"training": "none; the window of the background was taken from the first day of this week: docs/metec.md"},
    )


def tracing(truth: pd.DataFrame, heard: Heard, kept: Scores) -> Figures:
    """Share of the releases whose source was the first that was named, as it was last said while they went on; and how far the
    rate was off at their end. Releases beside others are left out.
    """
    unit = next(r for r in heard.judged.changes if r.rule == SOURCE).evidence.bounds["BLUE"] if kept.kept else 0.0  # [kg/h]
    right, off = 0, []
    alone = truth[~truth["overlaps_other_release"].astype(bool)]
    for one in alone.itertuples():
        begin, end = parse(str(one.start_utc)), parse(str(one.end_utc))
        said = [c for c in heard.judged.changes if c.rule == SOURCE and c.evidence.places and begin <= c.t <= end]
        right += bool(said) and max(said, key=lambda c: c.t).evidence.places[0].name == one.source
        rate = unit * max(float(kept.of(row, np.array([end]))[0]) for row in kept.kept)
        off.append(abs(rate / float(str(one.rate_kgh)) - 1))
    n = len(alone)
    return {"located_pct": round(100 * right / n, 1), "rate_error_pct": round(100 * float(np.median(off)), 1)} if n else {}


def authors(at: Path, r: Record, metec: Any) -> list[Line]:
    """The events of the authors' method, by the same scorer; none where they are not there."""
    if not (at / AUTHORS).is_file():
        return []
    events = pd.read_csv(at / AUTHORS)
    found = [(parse(a), parse(b)) for a, b in zip(events["start_utc"], events["end_utc"], strict=True)]
    own = figures(metec, at, r.t, found, int(r.t[0]))
    return [Line("the authors' method, in hindsight", own, "Daniels et al. 2024; their events on this record, same scorer")]


def drawing(r: Record, spans: list[Span]) -> Drawing:
    high = np.fmax.reduce(r.value, axis=0)
    return Drawing(
        TITLE.en,
        int(r.t[0]),
        int(r.t[-1]),
        [Panel("甲烷，各传感器最大值 methane, largest of the sensors, log₁₀ [ppm]", r.t, np.log10(np.maximum(high, 0.1)))],
        [Shade(a, b, "release") for a, b in r.releases],
        [lane("预警 warnings", spans)],
    )


CAMPAIGN: Final = Line(
    "the authors' method, whole campaign",
    {"detected_pct": 100.0, "false_pct": 5.5, "located_pct": 82.0},
    "Daniels et al. 2024, Elementa 12, 00110",
)

default = Set(
    folder=FOLDER,
    title=TITLE,
    needs=(READINGS, RELEASES, SENSORS),
    scorers=("metec",),
    obtain=(
        "github.com/wsdaniels/DLQ (MIT licence; doi 10.1525/elementa.2023.00110): its readings as cms_1min.parquet (time_utc "
        "and ch4_NAME_ppm of each sensor), its releases as releases_truth.csv (start_utc, end_utc, source, "
        "overlaps_other_release), its places as sensor_locations.csv (lon, lat, name)"
    ),
    columns=(
        Column("releases", "释放", "releases"),
        Column("detected", "发现", "found", best=1),
        Column("detected_pct", "发现率", "found", "%", 1, 1),
        Column("events", "事件", "events"),
        Column("false_events", "误报", "false events", best=-1),
        Column("false_pct", "误报率", "false", "%", 1, -1),
        Column("median_latency_min", "时延中位数", "median latency", "min", 1, -1),
        Column("minute_acc", "分钟正确率", "minutes right", "%", 1, 1),
        Column("located_pct", "源定位", "source located", "%", 1, 1),
        Column("rate_error_pct", "速率误差", "error of the rate", "%", 1, -1),
    ),
    baseline=Line(
        "0.5 ppm over the background, in hindsight",
        {
            "releases": 16,
            "detected": 16,
            "detected_pct": 100.0,
            "events": 29,
            "false_events": 8,
            "false_pct": 27.6,
            "minute_acc": 84.4,
        },
        "measured by those who prepared the week",
    ),
    aim=(
        {
            "detected_pct": Bound(least=100.0),
            "false_events": Bound(most=2),
            "median_latency_min": Bound(most=3.3),
            "located_pct": Bound(least=82.0),
        }
    ),
    notes=(
        Words(
            "源定位与速率：见 docs/detectors/dispersion.md；风向列按其矢量角读取。",
            "Sources and rates: docs/detectors/dispersion.md; the wind's direction is read as the angle of its vector.",
        ),
        Words(
            "误报的事件里多为真实而未登记的甲烷，见 docs/metec.md。",
            "What the false events are is told in docs/metec.md.",
        ),
    ),
    score=score,
)
