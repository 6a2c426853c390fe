"""The command `lifeline calibrate`: bounds that mean a rate of false hazards for a whole city.

The theory: docs/calibration.md.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

import detectors
from detectors.rulebook import HERE
from ingest.quality import gate, settings
from lifeline import catalog as city_catalog
from lifeline.catalog import Catalog
from lifeline.kinds import SECONDS
from lifeline.model import NS, Floats, Kind, Mode, Rule
from lifeline.words import Unusable, suggestion
from pipeline import foreign, stranger
from pipeline.backtest import judged
from pipeline.bounds import Fit, Past, mildest, spoken, told, write
from pipeline.engine import Engine
from pipeline.feed import feeds
from pipeline.maxima import Maxima
from pipeline.panels import Maps
from pipeline.progress import bar, waiting
from pipeline.tail import fitted

RARE: Final = 0.01  # [1] of the blocks of series
BLOCKS: Final = 28  # that a history is cut into, at least
DAY: Final = SECONDS["d"]
TEACHES: Final = 1 / 4  # [1] of the blocks, the first ones: baselines that have seen little give scores that later ones do not
HELD_BACK: Final = 1 / 3  # [1] of the blocks, the last ones


def run(
    rate: str,
    city: Path,
    history: Path,
    of: Path | None,
    rules: Path | None,
    out: Path | None,
    also: Sequence[str],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Fit, check, write the rules, and say what was done."""
    wanted = per_day(rate)
    book = detectors.rules(rules)
    mine = chosen(book, also)
    past, catalog = heard(history, of or city, book)
    whole = catalog if of is None else city_catalog.load(city)
    exposed = series(whole, book, {})
    fixed = observed(past, [r for r in book if active(r) and r.id not in mine], exposed)
    together = overlap(past, catalog, [r for r in mine.values() if exposed.get(r.id)])
    share = max(wanted - sum(fixed.values()), 0.0) / max(sum(bool(exposed.get(r)) for r in mine), 1) / together
    fits = [fit(r, past, exposed[r.id], share) for r in mine.values() if exposed.get(r.id)]
    said = told(fits, past, wanted, fixed)
    if out is not None:
        write(rules or HERE / "rules", out, fits, said)
    sys.stdout.write((json.dumps(said, ensure_ascii=False) if as_json else spoken(said, out)) + "\n")
    return said


def per_day(text: str) -> float:
    """False hazards a day: "1/day", "2/week", "0.5/d". [1/d]"""
    units = {"day": 1, "d": 1, "week": 7, "month": 365.25 / 12, "year": 365.25}
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\w+)\s*", text)
    if not found or found[2] not in units or float(found[1]) <= 0:
        raise Unusable(
            f"--false-alarms {text!r}: write a number above 0 and one of {', '.join(f'/{u}' for u in units)}, such as 1/day"
        )
    return float(found[1]) / units[found[2]]


def active(r: Rule) -> bool:
    return r.kind is Kind.HAZARD and r.mode is Mode.ACTIVE


def statistical(r: Rule) -> bool:
    """Whether the rule's bounds are scores of a chart, and no value that a standard names."""
    return r.kind is Kind.HAZARD and not hasattr(r.detector, "scale")


def chosen(book: Sequence[Rule], also: Sequence[str]) -> dict[str, Rule]:
    """The rules to be calibrated, by their id."""
    known = {r.id: r for r in book if statistical(r)}
    for name in also:
        if name not in known:
            raise Unusable(f"--also {name}: no rule of scores for hazards; {suggestion(name, known)}")
    return {k: r for k, r in known.items() if active(r) or k in also}


def heard(history: Path, catalog: Path, book: Sequence[Rule]) -> tuple[Past, Catalog]:
    """Play a history through the engine."""
    sheet = stranger.sheet(catalog)
    with waiting(f"reading {history}"):
        found = foreign.found(history, sheet.words)
    with TemporaryDirectory() as folder:
        whole = stranger.completed(sheet, stranger.paces(found.tables, book, si=found.si), book, Path(folder) / "catalog.csv")
    given = feeds(found.tables, whole, si=found.si)
    if not given:
        raise Unusable(f"{history}: holds no reading of a series of {catalog}")
    begin, end = min(int(f.t[0]) for f in given), max(int(f.t[-1]) for f in given)
    block = min(round(DAY * NS), max((end - begin) // BLOCKS, NS))
    last = end // block * block
    first = -(-begin // block) * block
    first += round((last - first) / block * TEACHES) * block
    maxima = Maxima(whole.n, [r for r in book if r.kind is Kind.HAZARD], block, first)
    with bar(sum(f.value.size for f in given), "judging the history") as progress:
        judged(given, whole, book, heed=maxima, progress=progress)
    cut = first + round((last - first) / block * (1 - HELD_BACK)) * block
    return Past(maxima, block, first, cut, last, history.name), whole


def series(catalog: Catalog, book: Sequence[Rule], maps: Maps) -> dict[str, int]:
    """How many series, assets or members of panels each rule judges in a city."""
    engine = Engine(catalog, list(book), gate(catalog, settings()), "calibrate", maps=maps)
    counts: dict[str, int] = {}
    lines = [(x, g.rows.size) for g in engine.groups for x in g.values]
    lines += [(x, len(j.grid.assets)) for j in engine.joints for x in j.lines]
    lines += [(x, int(x.judged.sum())) for p in engine.panels for x in p.lines if x.judged is not None]
    for line, n in lines:
        counts[line.rule.id] = counts.get(line.rule.id, 0) + n
    return counts


def observed(past: Past, fixed: Iterable[Rule], exposed: Mapping[str, int]) -> dict[str, float]:
    """False hazards a day of the city by rules whose bounds are given, at the rate of the history. [1/d]"""
    found = {}
    for r in fixed:
        x = past.maxima.values(r.id, past.begin, past.end)
        if x.size and (n := int((x >= mildest(r)).sum())):
            found[r.id] = n / x.size * exposed.get(r.id, 0) * DAY * NS / past.block
    return found


def fit(r: Rule, past: Past, n: int, budget: float) -> Fit:
    """The bound at which n series of a city give `budget` false hazards a day. [1/d]"""
    x, later = past.maxima.values(r.id, past.begin, past.cut), past.maxima.values(r.id, past.cut, past.end)
    daily = DAY * NS / past.block * n  # blocks of series a day in the city
    before = float((x >= mildest(r)).mean()) * daily if x.size else float("nan")
    tail, p = fitted(x), budget / daily if daily else 0.0
    if budget <= 0:
        return Fit(r, n, x.size, tail, None, budget, 0.0, 0, before, "the rules with given bounds use up what is allowed")
    if tail is None:
        return Fit(r, n, x.size, None, None, budget, 0.0, 0, before, f"{x.size} blocks of series do not suffice for a tail")
    bound = tail.bound(p) if p < tail.excesses / tail.n else float(np.quantile(x, 1 - p)) if p < 1 else float(x.min())
    return Fit(r, n, x.size, tail, bound, budget, p * later.size, int((later >= bound).sum()), before)


def overlap(past: Past, catalog: Catalog, mine: Sequence[Rule]) -> float:
    """Hazards for each time that a rule's bound is passed: rules that pass theirs together at one asset raise one hazard. [1]

    Taken where each rule passes its bound in one block of series in a hundred.
    """
    assets = np.unique(catalog.asset, return_inverse=True)[1]
    hazards: dict[str, list[Rule]] = {}
    for r in mine:
        hazards.setdefault(r.hazard, []).append(r)
    single, several = 0, 0
    for group in hazards.values():
        bounds = {r.id: rare(past.maxima.values(r.id, past.begin, past.cut)) for r in group}
        for b in sorted({b for r in group for b in past.maxima.most[r.id] if past.begin <= b * past.block < past.cut}):
            passed = [past.maxima.most[r.id].get(b, np.full(catalog.n, -np.inf)) >= bounds[r.id] for r in group]
            single += sum(int(p.sum()) for p in passed)
            several += np.unique(assets[np.logical_or.reduce(passed)]).size
    return several / single if single else 1.0


def rare(values: Floats) -> float:
    """What one value in a hundred passes; infinite where there are none."""
    return float(np.quantile(values, 1 - RARE)) if values.size else float("inf")
