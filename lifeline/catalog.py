"""The catalog: one row per series, checked whole before anything starts."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lifeline.model import Domain, Floats
from lifeline.sheet import Problems, Sheet, Words, read
from lifeline.units import QUANTITIES, UNITS, akin
from lifeline.words import Unusable, suggestion

Texts = NDArray[np.object_]

REQUIRED: Final = (
    "key", "asset", "device", "domain", "district", "quantity", "unit", "step", "low", "high", "lat", "lon", "owner",
)  # fmt: skip
OPTIONAL: Final = ("hold", "rated", "report", "asset_type")
NUMBERS: Final = ("step", "low", "high", "lat", "lon", "hold", "rated", "report")
NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Catalog:
    """Every series the city knows; row i of each column is the same series."""

    key: Texts  # [n] "device/channel", unique
    asset: Texts  # [n]
    device: Texts  # [n]
    domain: Texts  # [n] Domain
    district: Texts  # [n]
    quantity: Texts  # [n]
    unit: Texts  # [n] the unit the device speaks
    owner: Texts  # [n]
    step: Floats  # [n] [s] between readings as configured at the device; event-like series: between heartbeats
    low: Floats  # [n] [SI] bottom of the sensor's range
    high: Floats  # [n] [SI] top of the sensor's range
    lat: Floats  # [n] [°] WGS-84
    lon: Floats  # [n] [°] WGS-84
    hold: Floats  # [n] [s] event-like series: how long the last state stands; NaN: a sampled series
    rated: Floats  # [n] [SI] rated or design value; NaN: none
    scale: Floats  # [n] [SI / unit]
    offset: Floats  # [n] [SI]
    report: Floats  # [n] [s] between messages that each hold many readings; NaN: every reading is sent at once
    asset_type: Texts = None  # type: ignore[assignment]  # [n] what kind of thing the asset is: "sewage" of a well; "": not told

    def __post_init__(self) -> None:
        if self.asset_type is None:
            object.__setattr__(self, "asset_type", np.full(len(self.key), "", object))

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each key."""
        return {k: i for i, k in enumerate(self.key.tolist())}

    @property
    def n(self) -> int:
        return len(self.key)


class CatalogRefused(Unusable):
    """The file is no catalog. `problems`: `file:line: reason`, the first of them; `count`: how many there are."""

    def __init__(self, path: Path, problems: list[str], count: int | None = None) -> None:
        self.path = path
        self.problems = problems
        self.count = len(problems) if count is None else count
        more = self.count - len(problems)
        lines = [f"{path} is refused; problems: {self.count}", *problems, *([f"… and {more} more"] if more else [])]
        super().__init__("\n".join(lines))


def load(path: Path) -> Catalog:
    """Read and check a CSV file; everything wrong with it is said at once."""
    problems = Problems(path)
    try:
        sheet = read(path, REQUIRED, OPTIONAL, problems)
    except OSError as why:
        raise CatalogRefused(path, [f"{path}: cannot be read: {why.strerror}"]) from why
    made = _catalog(sheet, problems) if sheet else None
    if made is None or problems.count:
        raise CatalogRefused(path, problems.told(), problems.count)
    return made


def _catalog(sheet: Sheet, problems: Problems) -> Catalog | None:
    """The columns, SI inside; None where there is no row. It is whole only if nothing was added to the problems."""
    if not sheet.line.size:
        problems.add(1, "holds no series; write one line for each")
        return None
    words = {name: sheet.words(name) for name in (*REQUIRED, *OPTIONAL) if name not in NUMBERS}
    number = {name: _numbers(sheet, name, problems) for name in NUMBERS}
    _check_words(sheet, words, problems)
    _check_numbers(sheet, number, problems)
    scale, offset = _conversion(words["unit"])
    for name in ("low", "high", "rated"):
        number[name] = number[name] * scale + offset
    text = {name: np.array(w.word, dtype=object)[w.code] for name, w in words.items()}
    column: dict[str, Any] = text | number
    return Catalog(**column, scale=scale, offset=offset)


def _numbers(sheet: Sheet, name: str, problems: Problems) -> Floats:
    """[n]; NaN where the cell is empty or no finite number."""
    words = sheet.words(name)
    text = pa.array(words.word, pa.string())
    readable = pc.if_else(pc.match_substring_regex(text, NUMBER), text, pa.scalar(None, pa.string()))
    value = readable.cast(pa.float64()).to_numpy(zero_copy_only=False)
    value = np.where(np.isfinite(value), value, np.nan)[words.code]
    bad = np.isnan(value) & ~sheet.empty(name)
    problems.where(bad, sheet.line, lambda i: f"{name}: {words.word[words.code[i]]!r} is not a finite number")
    return value


def _check_words(sheet: Sheet, words: dict[str, Words], problems: Problems) -> None:
    _check_empty(sheet, problems)
    _check_keys(words["key"], sheet, problems)
    words["domain"].check(_wrong_domain, sheet.line, problems)
    words["unit"].check(_wrong_unit, sheet.line, problems)
    _check_dimensions(words["quantity"], words["unit"], sheet, problems)


def _check_empty(sheet: Sheet, problems: Problems) -> None:
    """Cells that must not be empty, in the columns that the file has."""
    empty = {name: sheet.empty(name) for name in REQUIRED if name in sheet.present}
    bad = np.logical_or.reduce(list(empty.values()))
    problems.where(bad, sheet.line, lambda i: f"empty: {', '.join(name for name, e in empty.items() if e[i])}")


def _check_keys(keys: Words, sheet: Sheet, problems: Problems) -> None:
    """Each key stands once."""
    n = keys.code.size
    if len(keys.word) == n:
        return
    first = np.unique(keys.code, return_index=True)[1][keys.code]  # [n] row where the same key stands first
    bad = (first != np.arange(n)) & ~sheet.empty("key")
    problems.where(bad, sheet.line, lambda i: f"key: {keys.word[keys.code[i]]!r} stands already in line {sheet.line[first[i]]}")


def _wrong_domain(word: str) -> str:
    known = [d.value for d in Domain]
    return "" if word in known else f"domain: {word!r} is unknown; {suggestion(word, known)}"


def _wrong_unit(word: str) -> str:
    return "" if word in UNITS else f"unit: {word!r} is unknown; {suggestion(word, UNITS)}"


def _check_dimensions(quantities: Words, units: Words, sheet: Sheet, problems: Problems) -> None:
    """The unit measures what the quantity is; a quantity of the user's own may have any."""
    pairs, code = np.unique(quantities.code * len(units.word) + units.code, return_inverse=True)
    reason = [_wrong_dimension(quantities.word[p // len(units.word)], units.word[p % len(units.word)]) for p in pairs]
    bad = np.array([bool(r) for r in reason], dtype=bool)
    problems.where(bad[code], sheet.line, lambda i: reason[code[i]])


def _wrong_dimension(quantity: str, unit: str) -> str:
    if quantity not in QUANTITIES or unit not in UNITS or akin(unit, QUANTITIES[quantity].shown):
        return ""
    right = [name for name in UNITS if akin(name, QUANTITIES[quantity].shown)]
    return f"unit: {unit!r} does not measure {quantity}; write one of {', '.join(right)}"


def _check_numbers(sheet: Sheet, number: dict[str, Floats], problems: Problems) -> None:
    """Comparisons with NaN are false: a cell that is empty or no number has been named already."""
    for name in ("step", "hold", "report"):
        _check_positive(name, number[name], sheet, problems)
    low, high, lat, lon = (number[name] for name in ("low", "high", "lat", "lon"))
    swapped = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    hint = np.where(swapped, "; lat and lon look swapped", "")
    line = sheet.line
    problems.where(low >= high, line, lambda i: f"low: {low[i]:g} is not below high, which is {high[i]:g}")
    problems.where(np.abs(lat) > 90, line, lambda i: f"lat: {lat[i]:g}° is not in -90…90{hint[i]}")
    problems.where(np.abs(lon) > 180, line, lambda i: f"lon: {lon[i]:g}° is not in -180…180")


def _check_positive(name: str, value: Floats, sheet: Sheet, problems: Problems) -> None:
    problems.where(value <= 0, sheet.line, lambda i: f"{name}: {value[i]:g} s is not above 0")


def _conversion(unit: Words) -> tuple[Floats, Floats]:
    """[n], [n] scale and offset to SI; NaN for a word that is no unit."""
    known = [UNITS.get(w) for w in unit.word]
    scale = np.array([u.scale if u else np.nan for u in known])
    offset = np.array([u.offset if u else np.nan for u in known])
    return scale[unit.code], offset[unit.code]


def write(catalog: Catalog, path: Path) -> None:
    """The inverse of `load`: values back in each row's own unit, such that they read as the same SI numbers again.

    Numbers that were loaded come back to the last bit; one that was computed may have no such decimal, and is then rounded.
    """
    column = {name: getattr(catalog, name) for name in (*REQUIRED, *OPTIONAL)}
    for name in ("low", "high", "rated"):
        column[name] = _in_unit(column[name], catalog.scale, catalog.offset)
    cells = [_decimals(c) if name in NUMBERS else c.tolist() for name, c in column.items()]
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(column)
        rows.writerows(zip(*cells, strict=True))
    draft.replace(path)


def _in_unit(value: Floats, scale: Floats, offset: Floats) -> Floats:
    """[n] [unit] the shortest decimal that converts to just this SI value."""
    exact = (value - offset) / scale
    around = [np.round(exact, digits) for digits in (0, 2, 4, 6, 9, 12)]
    around += [exact, np.nextafter(exact, -np.inf), np.nextafter(exact, np.inf)]
    return np.select([a * scale + offset == value for a in around], around, default=exact)


def _decimals(value: Floats) -> list[str]:
    """The shortest text that reads as the same number; NaN is an empty cell."""
    distinct, which = np.unique(value, return_inverse=True)
    text = ["" if np.isnan(v) else repr(v).removesuffix(".0") for v in distinct.tolist()]
    return [text[i] for i in which.tolist()]
