"""One scenario from its file to its score: set up, judged by the live engine, compared with its truth. Runs in a worker."""

import traceback
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from fnmatch import filter as matching
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np

from detectors.rulebook import judged
from lifeline.catalog import Catalog
from lifeline.model import NS, Change, Mode, Rows, Rule, is_panel
from lifeline.words import Unusable
from pipeline.docket import Docket, Warned
from pipeline.envelope import Envelope
from pipeline.matching import onset_of
from pipeline.outcome import Result, broken, outcome
from pipeline.plots import Picture, Stretch, drawn
from pipeline.replay import Replay
from pipeline.said import Said, Stood
from pipeline.scoring import Score, score
from pipeline.stretch import stretches
from pipeline.whatif import Limit, revised
from simulators.scenario import Scenario, load
from simulators.stage import Stage, stage
from simulators.world import Turn, ends

CANDIDATES: Final = 2000  # series whose readings are kept for the plots
SERIES: Final = 4  # drawn over the whole scenario
CLOSE: Final = 2  # drawn close up
BRIEF: Final = 0.2  # [1] of the scenario; what is longer needs no second look


class Job(NamedTuple):
    """What a worker needs to know."""

    path: Path
    rules: Path | None
    seed: int | None = None
    limits: tuple[Limit, ...] = ()  # changed for a second telling
    plot: bool = False
    apart: bool = False  # what is kept is simulated by a process of its own


class Left(Unusable):
    """A scenario was not told to its end; what was reached is kept."""


class Told(NamedTuple):
    """What came of one telling."""

    hazards: list[Said]
    tickets: list[Said]
    changes: list[Change]
    replay: Replay
    envelopes: list[Envelope]  # of the stretches asked for


def tried(job: Job, work: Callable[[Job, Scenario], Result] | None = None) -> Result:
    """The result of one scenario; whatever goes wrong is its failure. work: how it is come by, if not at one go"""
    began, s = perf_counter(), None
    try:
        s = load(job.path)
        result = (work or _tried)(job, s)
    except Left:
        raise
    except Unusable as why:
        result = broken(job.path, str(why), s)
    except Exception as why:  # noqa: BLE001  a bug in one world must not end the run of all
        where = traceback.extract_tb(why.__traceback__)[-1]
        result = broken(job.path, f"{type(why).__name__}: {why} ({Path(where.filename).name}:{where.lineno})", s)
    return {**result, "seconds": round(perf_counter() - began, 2)}


def _tried(job: Job, s: Scenario) -> Result:
    limits = list(job.limits)
    book, changed = revised(job.rules, []), revised(job.rules, limits) if limits else []
    on = stage(s, job.seed)
    over = shown(s) if job.plot else []
    told = listen(on, book, over)
    sc = score(s, on.truth, told.hazards, told.tickets)
    result = {**_outcome(on, told, sc), "plot": "".join(map(drawn, _pictures(on, told, book, sc, over)))}
    if limits:
        result["what_if"] = _again(job, s, on, changed, {x.rule for x in limits}, result)
    return result


def _again(job: Job, s: Scenario, on: Stage, changed: Sequence[Rule], names: set[str], before: Result) -> Result:
    """The same scenario under changed rules; where they judge nothing in it, nothing changes."""
    touched = {q for r in changed if r.id in names for q in judged(r)}
    if touched & {"*", "other"} or touched & set(on.catalog.quantity):
        again = stage(s, job.seed)
        told = listen(again, changed)
        before = _outcome(again, told, score(s, again.truth, told.hazards, told.tickets))
    kept = ("passed", "detected", "delay_s", "reached_s", "level", "false_warnings", "fault_as_hazard", "failures", "warnings")
    return {k: before[k] for k in kept}


def listen(on: Stage, rules: Sequence[Rule], over: Sequence[Stretch] = ()) -> Told:
    """Judge every reading of a scenario as it arrives. over: stretches of time to be drawn"""
    replay, docket = Replay(on.catalog, rules, maps=on.maps), Docket()
    read = single(rules)
    envelopes = [Envelope(candidates(on), on.catalog.n, x.begin, x.end) for x in over]
    arrived: dict[str, int] = {}
    changes: list[Change] = []
    for run in stretches(on.turns(), replay.engine):
        found, came = heard(replay, docket, run, on.catalog, read)
        for envelope in envelopes:
            for turn in run:
                envelope.add(turn)
        arrived |= came
        changes += found
    return told(docket, arrived, changes, replay, envelopes)


def single(rules: Iterable[Rule]) -> set[str]:
    """The rules of single readings."""
    return {r.id for r in rules if r.detector.judges == "value" and not (r.detector.channels or is_panel(r.detector))}


def heard(
    replay: Replay, docket: Docket, run: Sequence[Turn], c: Catalog, read: Container[str]
) -> tuple[list[Change], dict[str, int]]:
    """Judge a stretch of turns, and all that it changes -> these changes, and when the reading behind each arrived [ns]."""
    found = replay.step(*run)
    came = arrivals(found, run, c, read)
    docket.take(sorted(found, key=lambda x: (came[x.id], x.t)))
    return found, came


def told(
    docket: Docket, arrived: Mapping[str, int], changes: list[Change], replay: Replay, envelopes: Sequence[Envelope] = ()
) -> Told:
    """What came of a telling. arrived: [ns] by the change's id"""
    hazards, tickets = docket.hazards(), docket.tickets()
    return Told([said(w, arrived) for w in hazards], [said(w, arrived) for w in tickets], changes, replay, [*envelopes])


def shown(s: Scenario) -> list[Stretch]:
    """All of it; and, close up, the time allowed for the first warning demanded, where that is short beside the whole."""
    whole = Stretch(s.start, s.start, s.end)
    e = next((e for e in s.expect if e.level and e.within), None)
    if e is None or e.within is None:
        return [whole]
    onset, within = onset_of(e, s), round(e.within * NS)
    near = Stretch(s.start, max(onset - within // 2, s.start), min(onset + 2 * within, s.end))
    return [whole, near] if near.end - near.begin < BRIEF * (s.end - s.start) else [whole]


def candidates(on: Stage) -> Rows:
    """Series that may be worth a plot: those of assets that something happens to, or is expected at, come first."""
    assets = set(on.catalog.asset.tolist())
    wanted = {t.asset for t in on.truth}.union(*(matching(assets, e.asset) for e in on.scenario.expect))
    first = np.array([a not in wanted for a in on.catalog.asset.tolist()])
    return np.argsort(first, kind="stable")[:CANDIDATES].astype(np.int32)


def arrivals(found: Iterable[Change], run: Sequence[Turn], c: Catalog, read: Container[str]) -> dict[str, int]:
    """When the reading behind each change arrived. [ns] by the change's id

    read: rules of single readings; the others look at the clock or at slots of it.
    The instant will do for a passive rule, which warns of nothing.
    """
    at = [turn.at for turn in run]
    heard = [(x, c.row[x.key] if x.rule in read and x.mode is Mode.ACTIVE else None) for x in found]
    return {x.id: arrival(x, row, run, at) for x, row in heard}


def arrival(change: Change, row: int | None, run: Sequence[Turn], at: Sequence[int]) -> int:
    """The first turn that holds the reading; without a row, the first that reaches its instant."""
    begin = min(bisect_left(at, change.t), len(run) - 1)
    near = begin if row is None else next((i for i in range(begin, len(run)) if holds(run[i], row, change.t)), begin)
    return max(at[near], change.t)


def holds(turn: Turn, row: int, t: int) -> bool:
    b = turn.batch
    if b.n and ((b.row == row) & (b.t == t)).any():
        return True
    return any(((x.row == row) & (x.t <= t) & (ends(x) >= t)).any() for x in turn.blocks)


def said(w: Warned, arrived: Mapping[str, int]) -> Said:
    """A warning for the scoring."""
    steps = (Stood(x.t, arrived[c.id], x.level, x.kind, x.voices) for x, c in zip(w.steps, w.changes, strict=True))
    return Said(w.case.asset, w.case.hazard, w.case.domain, tuple(steps), tuple(p.name for p in w.places))


def _outcome(on: Stage, told: Told, sc: Score) -> Result:
    return outcome(on, told.hazards, told.tickets, sc, told.replay.readings, told.replay.refused)


def _pictures(on: Stage, told: Told, rules: Sequence[Rule], sc: Score, over: Sequence[Stretch]) -> Iterator[Picture]:
    for i, (stretch, envelope) in enumerate(zip(over, told.envelopes, strict=True)):
        most = CLOSE if i else SERIES
        yield Picture(
            on.scenario,
            stretch,
            most,
            on.catalog,
            on.truth,
            rules,
            told.changes,
            told.hazards,
            told.tickets,
            sc.wrong,
            envelope,
        )
