"""A catalog of anybody's making, completed: of a series no more need be said than its key, its quantity and its unit.

What is missing is filled in so that it hides nothing: a range that holds every value, the step that the data show, a place
nowhere. The completed catalog is written down, and read by the very reader that reads a city's.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from detectors.rulebook import covered, judged
from lifeline.catalog import OPTIONAL, REQUIRED, Catalog, CatalogRefused, load
from lifeline.model import NS, Domain, Floats, Ints, Kind, Rule, is_panel
from lifeline.units import QUANTITIES, UNITS, WORDS
from lifeline.words import Unusable, nearest
from pipeline import spelling
from pipeline.engine import REPORT
from pipeline.spreadsheet import SPLITS, codes
from pipeline.stretch import ages
from pipeline.tables import Table

NEEDED: Final = ("key", "quantity", "unit")
FIXED: Final = {"district": "-", "low": "-1e30", "high": "1e30", "lat": "0", "lon": "0", "owner": "-"}
PLANT: Final = "plant"  # asset of series whose key names no device
STEP: Final = 60.0  # [s] of a series that has fewer than two readings
DAY: Final = 86_400 * NS
USUAL: Final = (
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1200.0,
    1800.0,
    3600.0,
    86_400.0,
)  # [s]
TREMBLE: Final = 0.01  # [1] of a usual step
STANDS: Final = 3  # steps that a state stands without news, as long as silence takes to be told
NOMINAL: Final = ("gas_pressure",)  # quantities that are held at their rated value: without one they are judged by nothing
MASS: Final = {"mg/m³": "mg/m³ CH4"}  # units of methane by weight, as the table of units has them
TRACE: Final = ("ppm", "ppb", "mg/m³ CH4")  # units that tell of methane in the open, where the wind is measured beside it
GAS: Final = "methane"
AIR: Final = "methane_air"
LONGEST: Final = 0.99  # [1] of the intervals of an irregular series that its messages are taken to be apart at most

Lines = list[dict[str, str]]


class Pace(NamedTuple):
    """How often a series speaks."""

    step: float  # [s] median interval
    report: float | None  # [s] of a series that keeps no step: the interval that it seldom exceeds
    usual: float = float("nan")  # [unit] median of its first day


@dataclass
class Sheet:
    """A catalog as it was written."""

    path: Path
    lines: Lines  # column -> cell, of each series
    number: list[int] = field(default_factory=list)  # of the line each stands on
    notes: list[str] = field(default_factory=list)

    @property
    def words(self) -> dict[str, Mapping[str, float]]:
        """Of each key, the words of its quantity."""
        return {line["key"]: WORDS.get(line["quantity"], {}) for line in self.lines}


def sheet(path: Path) -> Sheet:
    """Read it; refused without the columns that are needed."""
    try:
        data = path.read_bytes()
    except OSError as why:
        raise Unusable(f"{path}: cannot be read: {why.strerror}") from why
    text = data.decode(next(codes(data), "latin-1"), "replace").removeprefix("\ufeff")
    split = max(SPLITS, key=text.split("\n", 1)[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=split)
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [name for name in NEEDED if name not in header]:
        raise Unusable(
            f"{path}: column {', '.join(map(repr, missing))} is missing; a catalog names {', '.join(NEEDED)} of each series"
        )
    made = Sheet(path, [])
    for row in rows:
        if any(cell.strip() for cell in row):
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
            made.lines.append(dict.fromkeys(NEEDED, "") | cells)
            made.number.append(rows.line_num)
    made.notes += _faults(made)
    if unknown := [name for name in header if name not in (*REQUIRED, *OPTIONAL)]:
        made.notes.append(f"columns of the catalog that mean nothing here: {', '.join(unknown)}")
    return made


def _faults(made: Sheet) -> list[str]:
    """Cells that are mended, told; such as cannot be are refused."""
    nameless = [n for n, line in zip(made.number, made.lines, strict=True) if not line["key"]]
    if nameless or not made.lines:
        raise Unusable(f"{made.path}" + (f":{nameless[0]}: key is empty" if nameless else ": holds no series"))
    told: dict[str, None] = {}
    for line in made.lines:
        told |= dict.fromkeys([*_quantity(line), *_unit(line)])
    told |= dict.fromkeys(_open_air(made.lines))
    return list(told)


def _open_air(lines: Lines) -> Iterator[str]:
    """Methane in traces, with the wind beside it, is that of the open: in wells and rooms it is told in %LEL or %VOL."""
    windy = {_asset(line) for line in lines if line["quantity"] == "wind_speed"}
    for line in lines:
        if line["quantity"] != GAS or line["unit"] not in TRACE or line.get("asset_type"):
            continue
        if _asset(line) in windy:
            line["quantity"] = AIR
            yield f"methane in {line['unit']}, with a wind of the same asset, is taken as {AIR!r}, as in the open air"
        else:
            yield f"methane in {line['unit']} is judged by the limits of closed spaces; of the open air write {AIR!r}"


def _asset(line: Mapping[str, str]) -> str:
    return line.get("asset") or line["key"].rpartition("/")[0] or PLANT


def _quantity(line: dict[str, str]) -> Iterator[str]:
    written = line["quantity"]
    line["quantity"] = spelling.quantity(written or line["key"].rpartition("/")[2])
    if not written:
        yield f"{line['key']}: no quantity is written; its name is taken for one: {line['quantity']!r}"
    elif line["quantity"] != written:
        yield f"quantity {written!r} is taken as {line['quantity']!r}"
    if line["quantity"] not in QUANTITIES:
        near = nearest(line["quantity"], QUANTITIES)
        yield f"quantity {line['quantity']!r} has no rules of its own" + (f"; did you mean {near!r}?" if near else "")


def _unit(line: dict[str, str]) -> Iterator[str]:
    written = line["unit"]
    line["unit"] = spelling.unit(written) or written
    if line["quantity"] in (GAS, AIR):
        line["unit"] = MASS.get(line["unit"], line["unit"])
    if line["unit"] != written:
        yield f"unit {written!r} is taken as {line['unit']!r}"
    if line["unit"] not in UNITS and line["quantity"] not in QUANTITIES:
        line["unit"] = "1"
        what = f"unit {written!r} is not in the table of units" if written else f"{line['key']}: no unit is written"
        yield f"{what}: values are taken as they are"


def completed(made: Sheet, pace: Mapping[str, Pace], rules: Collection[Rule], path: Path) -> Catalog:
    """Write the whole catalog to a file, and load it. pace: of the series that the data hold"""
    lines = [filled(line, pace.get(line["key"])) for line in made.lines]
    made.notes += [
        f"{line['key']}: no rated value is written; the median of its first day is taken for it: {line['rated']} {line['unit']}"
        for line, written in zip(lines, made.lines, strict=True)
        if line.get("rated") and not written.get("rated")
    ]
    place(lines, rules)
    write(lines, path)
    try:
        return load(path)
    except CatalogRefused as why:
        raise Unusable(_here(str(why), path, made)) from why


def _here(text: str, path: Path, made: Sheet) -> str:
    """A refusal of the completed catalog in terms of the one that was written."""
    line = {str(i): str(n) for i, n in enumerate(made.number, 2)}
    text = re.sub(
        rf"^{re.escape(str(path))}:(\d+):", lambda m: f"{made.path}:{line.get(m[1], m[1])}:", text, flags=re.MULTILINE
    )
    return text.replace(str(path), str(made.path))


def write(lines: Lines, path: Path) -> None:
    """As a catalog of ours."""
    columns = (*REQUIRED, *OPTIONAL)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows([line.get(name, "") for name in columns] for line in lines)


def filled(line: dict[str, str], pace: Pace | None) -> dict[str, str]:
    """A line with all its cells but the domain."""
    device, _, _ = line["key"].rpartition("/")
    usual = {"device": device or line["key"], "asset": device or PLANT, **FIXED}
    pace = pace or Pace(STEP, None)
    if line["quantity"] in NOMINAL and pace.usual > 0:
        usual["rated"] = f"{pace.usual:.4g}"
    state = line["quantity"] in QUANTITIES and QUANTITIES[line["quantity"]].shown == "state"
    if state and not any(line.get(name) for name in ("step", "hold", "report")):
        beat = pace.report or pace.step
        usual |= {"step": repr(beat), "hold": repr(STANDS * beat)}
    elif not line.get("step"):
        usual["step"] = repr(pace.step)
        if pace.report and not line.get("hold"):
            usual["report"] = repr(pace.report)
    return line | {name: cell for name, cell in usual.items() if not line.get(name)}


def place(lines: Lines, rules: Collection[Rule]) -> None:
    """The domain of each series: as written; else its asset's, where it helps to judge what is there; else the one whose hazard
    rules know its quantity; else its asset's. Of several domains that know it, the one that most rules judge it in.

    Series that name no device share nothing but the file: there a neighbour's quantity says nothing of them.
    """
    named = covered(rules)
    helps = {(r.domain.value, q) for r in rules if is_panel(r.detector) and r.domain is not None for q in r.detector.beside}
    theirs: dict[str, set[str]] = {}
    sure: dict[str, set[str]] = {}  # of assets: by what is judged there, not by what may help
    guessed = [line for line in lines if not line.get("domain")]
    for line in guessed:
        domains = {d for d, q in named if q == line["quantity"] and d is not None}
        line["domain"] = next(iter(domains)).value if len(domains) == 1 else ""
    helping = {q for _, q in helps}
    helpers = {id(line) for line in guessed if line["quantity"] in helping}
    for line in lines:
        of = {line["domain"]} if line["domain"] else set()
        theirs.setdefault(line["asset"], set()).update(of)
        sure.setdefault(line["asset"], set()).update(set() if id(line) in helpers else of)
    for line in guessed:
        known = set() if line["asset"] == PLANT else sure[line["asset"]] or theirs[line["asset"]]
        if helped := {d for d in known if (d, line["quantity"]) in helps}:
            line["domain"] = next(iter(helped)) if len(helped) == 1 else line["domain"]
        if not line["domain"]:
            line["domain"] = next(iter(known)) if len(known) == 1 else likeliest(line["quantity"], rules)


def likeliest(quantity: str, rules: Collection[Rule]) -> str:
    """The domain in which most hazard rules judge a quantity; "other" where none does."""
    known = Counter(r.domain.value for r in rules if r.domain is not None and r.kind is Kind.HAZARD and quantity in judged(r))
    return max(sorted(known), key=known.__getitem__, default=Domain.OTHER.value)


def paces(tables: Iterable[Table], rules: Sequence[Rule], *, si: bool = False) -> dict[str, Pace]:
    """Of every series of the data. si: their values are not in the catalog's units"""
    found = {}
    for t in tables:
        for key, x in zip(t.key, t.value, strict=True):
            there = np.isfinite(x)
            pace = paced(t.t[there], rules)
            found[key] = pace if si or not there.any() else pace._replace(usual=first_day(t.t[there], x[there]))
    return found


def stepped(gap: float) -> float:
    """The step that a median interval stands for: clocks tremble, and series of one step are judged together. [s]"""
    near = min(USUAL, key=lambda s: abs(s / gap - 1))
    return near if abs(near / gap - 1) < TREMBLE else float(f"{gap:.6g}")


def first_day(t: Ints, x: Floats) -> float:
    """Median of the readings of the first day. t, x [k]"""
    return float(np.median(x[t < t.min() + DAY]))


def paced(t: Ints, rules: Iterable[Rule]) -> Pace:
    """What the instants of a series say of its step. t [k] [ns]"""
    gaps = np.diff(t) / NS
    if not gaps.size:
        return Pace(STEP, None)
    step = stepped(float(np.median(gaps)))
    patience = min([float(ages(r)[0]) for r in rules if r.detector.judges == "age"], default=3.0)
    longest = float(np.quantile(gaps, LONGEST))
    irregular = longest > max(patience, 1.0) * max(step, REPORT / NS)
    return Pace(step, float(f"{longest:.3g}") if irregular else None)
