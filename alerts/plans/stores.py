"""Stores, shelters and teams: a file (CSV) that a city edits, and which of them are nearest."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from alerts.joins import Spot, distance
from lifeline.sheet import Problems, read
from lifeline.words import Unusable, suggestion

COLUMNS: Final = ("kind", "zh", "en", "lat", "lon", "phone", "has")
KINDS: Final = {"store": ("物资库", "store"), "shelter": ("避难场所", "shelter"), "team": ("抢险队伍", "team")}
BOUNDS: Final = {"lat": 90.0, "lon": 180.0}  # [°]


class Place(NamedTuple):
    """One line of the file."""

    kind: str  # store, shelter, team
    zh: str
    en: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    phone: str
    has: str


class StoresRefused(Unusable):
    """The file is no list of stores; every line says what is wrong where."""


def load(path: Path) -> tuple[Place, ...]:
    """Read and check; StoresRefused with all that is wrong."""
    problems = Problems(path)
    try:
        sheet = read(path, COLUMNS, (), problems)
    except OSError as why:
        raise StoresRefused(f"{path}: cannot be read: {why.strerror}") from why
    cells = {name: sheet.cell[name].to_pylist() for name in COLUMNS} if sheet else {}
    found = []
    for i, line in enumerate(sheet.line.tolist() if sheet else []):
        row = {name: column[i] for name, column in cells.items()}
        wrong = list(_wrong(row))
        for reason in wrong:
            problems.add(line, reason)
        if not wrong:
            found.append(Place(**{**row, "lat": float(row["lat"]), "lon": float(row["lon"])}))
    if problems.count:
        raise StoresRefused("\n".join(problems.told()))
    return tuple(found)


def _wrong(row: dict[str, str]) -> Iterator[str]:
    """Everything wrong with one line."""
    if row["kind"] not in KINDS:
        yield f"kind: there is no {row['kind']!r}; {suggestion(row['kind'], KINDS)}"
    for name in ("zh", "en", "phone"):
        if not row[name]:
            yield f"{name}: is empty"
    for name, bound in BOUNDS.items():
        try:
            well = abs(float(row[name])) <= bound
        except ValueError:
            well = False
        if not well:
            yield f"{name}: {row[name]!r} lies not within ±{bound:g}°"


def nearest(places: Iterable[Place], lat: float, lon: float, most: int = 1) -> list[dict[str, Any]]:
    """The nearest of each kind, with how far. lat, lon [°] WGS-84"""
    here = Spot("", "", "", "", lat, lon, 0)
    far = [(distance(here, Spot("", "", "", "", p.lat, p.lon, 0)), p) for p in places]
    found = []
    for kind, (zh, en) in KINDS.items():
        near = sorted((d, p) for d, p in far if p.kind == kind)[:most]
        found += [{**p._asdict(), "kind_zh": zh, "kind_en": en, "distance_m": round(d)} for d, p in near]
    return found
