"""Places on the plane around a city, and the files that name them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from lifeline.model import Bools, Floats
from lifeline.words import Unusable

EARTH: Final = 6_371_000.0  # [m]


def metres(at: Floats, origin: Floats) -> Floats:
    """East and north of an origin. at [m, 2] [°] lat, lon; origin [2]; [m, 2] [m]"""
    north, east = np.radians(at - origin).T * EARTH
    return np.asarray(np.c_[east * np.cos(np.radians(origin[0])), north])


def placed(lat: Floats, lon: Floats) -> Bools:
    """Which of these [m] [°] are places: 0°, 0° is written where none is known."""
    return np.asarray(np.isfinite(lat + lon) & ((lat != 0) | (lon != 0)))


def degrees(at: Floats, origin: Floats) -> Floats:
    """The way back: lat, lon. at [m, 2] [m]; [m, 2] [°]"""
    east, north = at.T / EARTH
    return np.asarray(origin + np.degrees(np.c_[north, east / np.cos(np.radians(origin[0]))]))


def named(file: Path, columns: Sequence[str], what: str) -> tuple[tuple[str, ...], Floats]:
    """A CSV file of named things: their names [n] and the numbers in these columns [n, columns]. Unusable where it is none.

    what: they are, in a word, for the refusal
    """
    wanted = ("name", *columns)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if missing := [c for c in wanted if c not in (rows.fieldnames or ())]:
            raise Unusable(f"{file}: column {', '.join(missing)} is missing; a file of {what}s has {', '.join(wanted)}")
        names, numbers = [], []
        for row in rows:
            try:
                numbers.append([float(row[c]) for c in columns])
            except (TypeError, ValueError) as why:
                raise Unusable(f"{file}:{rows.line_num}: {', '.join(columns)} must be numbers") from why
            names.append(row["name"])
    if not names:
        raise Unusable(f"{file}: holds no {what}; write one line for each")
    return tuple(names), np.array(numbers)
