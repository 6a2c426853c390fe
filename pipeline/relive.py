"""A stretch of the past once more: stored readings of one asset through the very engine that runs live, and every score.

Judged are the series of the asset and those that a panel judges with them. What all others said only moves the data's clock, as
it did then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np

from lifeline.catalog import Catalog
from lifeline.config import Config
from lifeline.model import NS, Batch, Bools, Change, Floats, Ints, Kind, Rows, Rule, is_panel
from pipeline.docket import Docket
from pipeline.engine import REPORT, Engine
from pipeline.panels import members, reaches
from pipeline.record import Cut, Source, reaching
from pipeline.replay import Replay
from pipeline.stepping import fitted
from pipeline.stretch import stretches
from simulators.world import Turn, readings

MOST: Final = 5_000_000  # readings told again, about
WITNESSES: Final = 16  # other series that move the clock, where only the lake is left

Pairs = set[tuple[str, str]]  # (rule, key)


class Window(NamedTuple):
    """What is told again, and what of it is kept. [ns]"""

    start: int  # from here on detectors learn
    shown: int  # from here on readings and scores are kept
    end: int
    receipt: int  # what was received later is left out


@dataclass
class Relived:
    """What came of it."""

    catalog: Catalog  # of the series told again
    rules: Sequence[Rule]
    window: Window
    left_out: list[str]  # keys of fast series of the asset that are too many readings
    source: Literal["journal", "lake"] = "lake"
    changes: list[Change] = field(default_factory=list)
    docket: Docket = field(default_factory=Docket)
    count: dict[str, list[Ints]] = field(default_factory=dict)  # key -> instants of its readings, all of them
    heard: dict[str, Batch] = field(default_factory=dict)  # key -> readings that are shown, by time
    scores: dict[tuple[str, str], tuple[Ints, Floats]] = field(default_factory=dict)  # (rule, key) -> t [ns], score

    def before(self, key: str, t: int) -> int:
        """Readings of a series up to an instant. [1]"""
        return sum(int((x <= t).sum()) for x in self.count.get(key, []))

    def first(self, key: str) -> int:
        """[ns] of its first reading; 0: it has none."""
        return min((int(x.min()) for x in self.count.get(key, [])), default=0)


def nearby(catalog: Catalog, rules: Sequence[Rule], asset: str) -> Bools:
    """Series of an asset, and those that some panel judges with them. [n]"""
    mine = catalog.asset == asset
    found = mine.copy()
    for rule in rules:
        if is_panel(rule.detector):
            _, judged = members(rule, rule.detector, rules, catalog)
            for _, rows in reaches(rule, rule.detector, judged, catalog):
                if mine[rows].any():
                    found[rows] = True
    return np.asarray(found)


def lead(rule: Rule, step: float) -> float:
    """What the rule's detector learns from before it judges a series of this step. [s]"""
    d = fitted(rule, step).detector
    if is_panel(d):
        return d.warmup * (d.slot or step)
    return d.warmup * (1.0 if d.channels else step)


def fitting(catalog: Catalog, fits: Bools, needed: Sequence[str], start: int, end: int) -> tuple[Bools, int, list[str]]:
    """Series and start within MOST readings: fast ones that nobody needs are left out first, then it begins later."""
    fits, out = fits.copy(), list[str]()
    must = np.isin(catalog.key, list(needed))
    span = (end - start) / NS
    for row in np.argsort(catalog.step, kind="stable").tolist():
        if fits[row] and not must[row] and (span / catalog.step[fits]).sum() > MOST:
            fits[row] = False
            out.append(str(catalog.key[row]))
    rate = float((1.0 / catalog.step[fits]).sum())
    return fits, max(start, end - round(MOST / rate * NS)) if rate else start, out


def witnesses(catalog: Catalog, fits: Bools) -> Ints:
    """Rows of some other series that speak often, but tell no waveforms."""
    others = np.flatnonzero(~fits & (catalog.step >= 1.0))
    return others[np.argsort(catalog.step[others], kind="stable")][:WITNESSES]


def relived(config: Config, whole: Catalog, rules: Sequence[Rule], fits: Bools, asset: str, window: Window, source: Source,
            left_out: list[str]) -> Relived:  # fmt: skip
    """Tell it again. fits [n]: the series; rules: all of them"""
    cut = Cut(config, window.start, max(window.end, window.receipt), fits, whole, witnesses(whole, fits))
    chosen = reaching(cut) if source == "auto" else source
    made = Relived(cut.catalog, rules, window, left_out, chosen)
    ear = Ear(made, np.flatnonzero(cut.catalog.asset == asset).astype(np.int32))
    replay = Replay(cut.catalog, rules, config.city.name, cut.terms, ear.heed, config.maps)
    told = cut.journal() if chosen == "journal" else until(cut.lake(), window.end)
    for run in stretches(sparse(ear.hear(told)), replay.engine):
        made.changes += (found := replay.step(*run))
        made.docket.take(found)
    ear.settle(replay.engine)
    return made


def until(turns: Iterable[Turn], end: int) -> Iterator[Turn]:
    """Those that are complete by then. [ns]"""
    return (turn for turn in turns if turn.at <= end + NS)


def sparse(turns: Iterable[Turn]) -> Iterator[Turn]:
    """Without those that hold nothing and leave the clock in its second."""
    second = 0
    for turn in turns:
        now = turn.clock // NS
        if readings(turn) or now > second:
            yield turn
        second = max(second, now)


class Ear:
    """Keeps readings and scores of the asset's own series."""

    def __init__(self, made: Relived, rows: Rows) -> None:
        self._made, self._own = made, set(rows.tolist())
        self._mine = np.zeros(made.catalog.n, np.bool_)
        self._mine[rows] = True
        self._batches: list[Batch] = []
        self._scores: dict[tuple[str, str], list[tuple[Ints, Floats]]] = {}

    def hear(self, turns: Iterable[Turn]) -> Iterator[Turn]:
        for turn in turns:
            for b in (turn.batch, *(x.flat() for x in turn.blocks)):
                for row in np.unique(b.row).tolist():
                    self._made.count.setdefault(str(self._made.catalog.key[row]), []).append(b.t[b.row == row])
                shown = self._mine[b.row] & (b.t >= self._made.window.shown)
                if shown.any():
                    self._batches.append(b.take(shown))
            yield turn

    def heed(self, rule: Rule, rows: Rows, t: Ints, score: Floats) -> None:
        """As the engine tells it (pipeline/engine.py, Heed)."""
        for i in np.flatnonzero(self._mine[rows] & (t[:, -1] >= self._made.window.shown)).tolist():
            at = self._scores.setdefault((rule.id, str(self._made.catalog.key[rows[i]])), [])
            at.append((t[i].copy(), score[i].copy()))

    def settle(self, engine: Engine) -> None:
        """By series, in order of time."""
        every, key = Batch.joined(self._batches), self._made.catalog.key
        for row in np.unique(every.row).tolist():
            mine = every.take(every.row == row)
            self._made.heard[str(key[row])] = mine.take(np.argsort(mine.t, kind="stable"))
        for pair, parts in self._scores.items():
            t, score = (np.concatenate(x) for x in zip(*parts, strict=True))
            shown = t >= self._made.window.shown
            self._made.scores[pair] = t[shown], score[shown]
        self._silences(engine)

    def _silences(self, engine: Engine) -> None:
        """Scores of silence, which the engine does not tell: before each reading, at it, and at the end."""
        end = min(engine.clock, self._made.window.end) or self._made.window.end
        for group in engine.groups:
            for line in group.ages:
                for row in sorted(self._own & set(group.rows.tolist())):
                    t = np.sort(np.concatenate(self._made.count.get(str(engine.catalog.key[row]), [np.empty(0, np.int64)])))
                    t = t[t <= end]
                    if not t.size:
                        continue
                    age = np.diff(t, append=end) / max(int(engine.pause[row]), REPORT)
                    top = line.rule.detector.step(line.rule.detector.init(1), age[None])[1][0]
                    at, score = np.ravel([t, np.append(t[1:] - 1, end)], "F"), np.ravel([np.zeros(t.size), top], "F")
                    shown = at >= self._made.window.shown
                    self._made.scores[line.rule.id, str(engine.catalog.key[row])] = at[shown], score[shown]


def spoken(rules: Sequence[Rule], made: Relived) -> Iterator[tuple[Rule, str]]:
    """Every rule and series that had a score, those about hazards first."""
    by_id = {r.id: r for r in rules}
    for rule, key in sorted(made.scores, key=lambda x: (by_id[x[0]].kind is not Kind.HAZARD, x[1], x[0])):
        yield by_id[rule], key
