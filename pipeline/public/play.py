"""Readings of a public set through the very engine that runs live, and what was warned of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from lifeline.catalog import Catalog
from lifeline.model import Bools, Floats, Ints, Kind, Level, Mode, Rows, Rule
from pipeline.backtest import Judged, judged
from pipeline.docket import Docket, Warned
from pipeline.engine import Heed
from pipeline.feed import feeds
from pipeline.groups import groups
from pipeline.panels import Maps, panels
from pipeline.progress import bar
from pipeline.stranger import Lines, Sheet, completed, paces
from pipeline.tables import Table

EVENT: Final = Level.BLUE  # a warning to people on call begins here


class Span(NamedTuple):
    """When a warning stood."""

    begin: int  # [ns]
    end: int  # [ns]; of one that still stands: the last reading
    level: str  # the gravest
    asset: str


@dataclass(frozen=True)
class Heard:
    """What was said of a stream."""

    catalog: Catalog
    judged: Judged
    end: int  # [ns] of the last reading

    def warnings(self) -> list[Warned]:
        """To people on call."""
        return self.judged.docket.hazards()

    def passive(self, keys: Collection[str]) -> list[Warned] | None:
        """Warnings that there would have been, had passive rules spoken of these series; None: none would have."""
        own = [c for c in self.judged.changes if c.kind is Kind.HAZARD and (c.mode is Mode.ACTIVE or c.key in keys)]
        if all(c.mode is Mode.ACTIVE for c in own):
            return None
        docket = Docket()
        docket.take(replace(c, mode=Mode.ACTIVE) for c in own)
        return docket.hazards()

    def spans(self, warnings: Sequence[Warned]) -> list[Span]:
        """When warnings stood, by their beginning."""
        return sorted(
            Span(begun(w), self.end if w.case.cleared is None else w.case.cleared, w.peak.name, w.case.asset) for w in warnings
        )


def begun(w: Warned) -> int:
    """When people were first told of it. [ns]"""
    return next(s.t for s in w.steps if s.kind is Kind.HAZARD and s.level >= EVENT)


def rises(w: Warned) -> list[tuple[int, Level]]:
    """When a warning was raised and raised further. [ns]"""
    found: list[tuple[int, Level]] = []
    before = Level.NORMAL
    for s in w.steps:
        if s.kind is Kind.HAZARD and s.level > before:
            found.append((s.t, s.level))
        before = s.level
    return found


@dataclass
class Player:
    """Plays tables to an engine of its own."""

    rules: Sequence[Rule]
    source: str  # of the rules
    name: str
    judged_by: list[str] = field(default_factory=list)  # rules about hazards that some series met
    readings: int = 0
    seconds: float = 0.0

    def play(
        self,
        tables: Sequence[Table],
        lines: Lines,
        until: int | None = None,
        heed: Heed | None = None,
        maps: Maps | None = None,
    ) -> Heard:
        """lines: a catalog as a stranger writes it; until: readings before only teach [ns]; maps: as configured"""
        with TemporaryDirectory(prefix="lifeline-public-") as at:
            made = Sheet(Path(self.name), lines)
            catalog = completed(made, paces(tables, self.rules), self.rules, Path(at) / "catalog.csv")
        given = feeds(tables, catalog)
        with bar(sum(f.value.size for f in given), self.name) as progress:
            said = judged(given, catalog, self.rules, until=until, heed=heed, progress=progress, maps=maps)
        mine = [x for g in groups(catalog, list(self.rules)) for x in g.values]
        mine += [x for p in panels(catalog, self.rules, maps or {})[1] for x in p.lines]
        told = {x.rule.id: x.rule.mode.value for x in mine if _hazard(x.rule)}
        self.judged_by = [f"{name} ({mode})" for name, mode in sorted(told.items())]
        self.readings, self.seconds = sum(int(np.isfinite(f.value).sum()) for f in given), said.seconds
        return Heard(catalog, said, max(int(f.t[-1]) for f in given))


def _hazard(rule: Rule) -> bool:
    return rule.kind is Kind.HAZARD


@dataclass
class Scores:
    """The greatest score of some rules at every reading, kept while it is judged. Use it as `heed`."""

    rules: Mapping[str, float]  # id -> score at which the first level begins [1]
    kept: dict[int, dict[str, list[tuple[Ints, Floats]]]] = field(default_factory=dict)  # row -> rule

    def __call__(self, rule: Rule, rows: Rows, t: Ints, score: Floats) -> None:
        """What the engine tells (pipeline/engine.py, Heed)."""
        if rule.id in self.rules:
            for row, at, x in zip(rows.tolist(), t, score / self.rules[rule.id], strict=True):
                self.kept.setdefault(row, {}).setdefault(rule.id, []).append((at, x))

    def of(self, row: int, t: Ints) -> Floats:
        """At instants t [k] -> [k]; the newest at or before each, 0 where nothing could be judged. [1 at the first level]"""
        best = np.zeros(t.size)
        for parts in self.kept.get(row, {}).values():
            at, x = (np.concatenate(c) for c in zip(*parts, strict=True))
            place = np.searchsorted(at, t, side="right") - 1
            best = np.fmax(best, np.where(place >= 0, x[place], 0.0))
        return best


def aligned(t: Ints, at: int, onto: int) -> Ints:
    """Instants moved so that t[at] is `onto`: streams of different days are judged side by side, each as if alone. [ns]"""
    moved: Ints = t - t[at] + onto
    return moved


def instants(column: object) -> Ints:
    """Naive times, taken as UTC. [k] [ns]"""
    found: Ints = np.asarray(column).astype("datetime64[ns]").astype(np.int64)
    return found


def rising(t: Ints) -> Bools:
    """Which readings are newer than all before them: live, no others are judged. [k]"""
    newer: Bools = t > np.r_[np.iinfo(np.int64).min, np.maximum.accumulate(t)[:-1]]
    return newer
