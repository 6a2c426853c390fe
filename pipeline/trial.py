"""One scenario from its file to its score: set up, judged by the live engine, compared with its truth. Runs in a worker."""

import traceback
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from fnmatch import filter as matching
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.model import NS, Change, Level, Rows, Rule
from lifeline.words import Unusable
from pipeline.docket import Docket, Warned
from pipeline.envelope import Envelope
from pipeline.plots import Picture, drawn
from pipeline.replay import Replay
from pipeline.scenarios import spoken
from pipeline.scoring import Met, Said, Score, Stood, score
from pipeline.stretch import stretches
from pipeline.whatif import Limit, revised
from simulators.scenario import Scenario, load
from simulators.stage import Stage, stage
from simulators.world import Turn, ends

CANDIDATES: Final = 2000  # series whose readings are kept for the plots
LATE: Final = 600 * NS  # [ns] a warning about readings older than this is a late one

Result = dict[str, Any]  # what the JSON report says of a scenario


class Job(NamedTuple):
    """What a worker needs to know."""

    path: Path
    rules: Path | None
    seed: int | None = None
    limits: tuple[Limit, ...] = ()  # changed for a second telling
    plot: bool = False


class Told(NamedTuple):
    """What came of one telling."""

    hazards: list[Said]
    tickets: list[Said]
    changes: list[Change]
    warned: list[Warned]
    replay: Replay
    envelope: Envelope | None


def tried(job: Job) -> Result:
    """The result of one scenario; whatever goes wrong is its failure."""
    began, s = perf_counter(), None
    try:
        s = load(job.path)
        result = _tried(job, s)
    except Unusable as why:
        result = broken(job.path, str(why), s)
    except Exception as why:  # noqa: BLE001  a bug in one world must not end the run of all
        where = traceback.extract_tb(why.__traceback__)[-1]
        result = broken(job.path, f"{type(why).__name__}: {why} ({Path(where.filename).name}:{where.lineno})", s)
    return {**result, "seconds": round(perf_counter() - began, 2)}


def broken(path: Path, why: str, s: Scenario | None = None) -> Result:
    """Of a scenario that could not be judged: all that it demands is missed."""
    must = s is not None and any(e.level for e in s.expect)
    return {
        "id": s.id if s else path.stem, "path": str(path), "domain": path.parent.name, "zh": s.zh if s else "",
        "en": s.en if s else "", "duration_s": s.duration if s else 0.0, "expected": expected(s) if s else "",
        "passed": False, "detected": False if must else None, "delay_s": None, "reached_s": None, "level": "NORMAL",
        "false_warnings": 0, "fault_as_hazard": 0, "crashed": True, "seconds": 0.0,
        "failures": [f"could not be judged: {why}"], "failures_zh": [f"无法评估：{why}"],
    }  # fmt: skip


def _tried(job: Job, s: Scenario) -> Result:
    limits = list(job.limits)
    book, changed = revised(job.rules, []), revised(job.rules, limits) if limits else []
    on = stage(s, job.seed)
    told = listen(on, book, picture=job.plot)
    sc = score(s, on.truth, told.hazards, told.tickets)
    result = {**report(on, told, sc), "plot": drawn(_picture(on, told, book, sc)) if job.plot else ""}
    if limits:
        result["what_if"] = _again(job, s, on, changed, {x.rule for x in limits}, result)
    return result


def _again(job: Job, s: Scenario, on: Stage, changed: Sequence[Rule], names: set[str], before: Result) -> Result:
    """The same scenario under changed rules; where they judge nothing in it, nothing changes."""
    touched = {q for r in changed if r.id in names for q in (r.detector.channels or (r.quantity,))}
    if touched & {"*", "other"} or touched & set(on.catalog.quantity):
        again = stage(s, job.seed)
        told = listen(again, changed)
        before = report(again, told, score(s, again.truth, told.hazards, told.tickets))
    kept = ("passed", "detected", "delay_s", "reached_s", "level", "false_warnings", "fault_as_hazard", "failures", "warnings")
    return {k: before[k] for k in kept}


def listen(on: Stage, rules: Sequence[Rule], *, picture: bool = False) -> Told:
    """Judge every reading of a scenario as it arrives."""
    replay, docket = Replay(on.catalog, rules), Docket()
    envelope = Envelope(candidates(on), on.catalog.n, on.scenario.start, on.scenario.end) if picture else None
    arrived: dict[str, int] = {}
    changes: list[Change] = []
    read = {r.id for r in rules if r.detector.judges == "value" and not r.detector.channels}
    for run in stretches(on.turns(), replay.engine):
        found = replay.step(*run)
        if envelope is not None:
            for turn in run:
                envelope.add(turn)
        docket.take(found)
        arrived |= arrivals(found, run, on.catalog, read)
        changes += found
    hazards, tickets = docket.hazards(), docket.tickets()
    return Told(
        [said(w, arrived) for w in hazards], [said(w, arrived) for w in tickets], changes, hazards + tickets, replay, envelope
    )


def candidates(on: Stage) -> Rows:
    """Series that may be worth a plot: those of assets that something happens to, or is expected at, come first."""
    assets = set(on.catalog.asset.tolist())
    wanted = {t.asset for t in on.truth}.union(*(matching(assets, e.asset) for e in on.scenario.expect))
    first = np.array([a not in wanted for a in on.catalog.asset.tolist()])
    return np.argsort(first, kind="stable")[:CANDIDATES].astype(np.int32)


def arrivals(found: Iterable[Change], run: Sequence[Turn], c: Catalog, read: Container[str]) -> dict[str, int]:
    """When the reading behind each change arrived. [ns] by the change's id

    read: rules of single readings; the others look at the clock or at slots of it.
    """
    at = [turn.at for turn in run]
    return {x.id: arrival(x, c.row[x.key] if x.rule in read else None, run, at) for x in found}


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


def said(w: Warned, arrived: dict[str, int]) -> Said:
    """A warning for the scoring. Warnings name no places yet."""
    steps = (Stood(x.t, arrived[c.id], x.level, x.kind, x.voices) for x, c in zip(w.steps, w.changes, strict=True))
    return Said(w.case.asset, w.case.hazard, w.case.domain, tuple(steps))


def report(on: Stage, told: Told, sc: Score) -> Result:
    """What the JSON says. Times are in seconds after the start."""
    s, c = on.scenario, on.catalog
    gravest = max((w.peak for w in told.hazards), default=Level.NORMAL)
    wrong, ill = set(map(id, sc.wrong)), set(map(id, sc.ill))
    return {
        "id": s.id, "path": str(s.path), "domain": domain(on), "zh": s.zh, "en": s.en, "about": s.about,
        "start": iso(s.start), "duration_s": s.duration, "seed": on.seed, "series": c.n,
        "assets": dict(Counter(d for d, _ in {*zip(c.domain.tolist(), c.asset.tolist(), strict=True)})),
        "readings": told.replay.readings, "refused": told.replay.refused,
        "expected": expected(s), "passed": sc.passed, "detected": all(m.detected for m in sc.met) if sc.met else None,
        "delay_s": _worst(m.delay for m in sc.met), "since_s": _worst(m.since for m in sc.met),
        "reached_s": _worst(m.reached for m in sc.met),
        "level": max((m.level for m in sc.met), default=gravest).name,
        "false_warnings": len(sc.wrong), "fault_as_hazard": len(sc.ill),
        "expectations": [_met(m) for m in sc.met],
        "graded": [[g.name for g in event] for event in sc.graded],
        "warnings": [{**_said(w, s), "false": id(w) in wrong, "of_fault": id(w) in ill} for w in told.hazards],
        "tickets": [_said(w, s) for w in told.tickets],
        "failures": [f.en for f in sc.failures], "failures_zh": [f.zh for f in sc.failures], "crashed": False,
    }  # fmt: skip


def _worst(times: Iterable[float | None]) -> float | None:
    """The longest [s]; None where one is missing, or there is none."""
    known = list(times)
    return None if not known or None in known else round(max(t for t in known if t is not None), 3)


def domain(on: Stage) -> str:
    """The one whose sensors there are; "city" where there are several."""
    known = set(on.catalog.domain.tolist())
    return known.pop() if on.scenario.city is None and len(known) == 1 else "city"


def expected(s: Scenario) -> str:
    """In few words: "gas_accumulation ≥ RED in 5 min; may: biogas ≤ YELLOW"."""
    must = [
        f"{'/'.join(e.hazard)} ≥ {e.level.name}{f' in {spoken(e.within)}' if e.within else ''}" for e in s.expect if e.level
    ]
    must += [f"ticket {'/'.join(t.hazard)}" for t in s.ticket]
    may = [f"{'/'.join(e.hazard)} ≤ {e.most.name}" for e in s.expect if not e.level]
    return "; ".join(dict.fromkeys([*(must or ["no warning"]), *(f"may: {x}" for x in may)]))


def _met(m: Met) -> Result:
    e = m.expect
    assert e.level is not None
    return {
        "asset": e.asset, "hazard": list(e.hazard), "expected": e.level.name, "within_s": e.within, "detected": m.detected,
        "level": m.level.name, "delay_s": _round(m.delay), "since_s": _round(m.since), "reached_s": _round(m.reached),
        "top": e.top, "rank": m.rank, "early": _round(m.early), "failures": [f.en for f in m.failures],
    }  # fmt: skip


def _round(x: float | None) -> float | None:
    return None if x is None else round(x, 3)


def _said(w: Said, s: Scenario) -> Result:
    late = any(x.told - x.t > LATE for x in w.steps[:1])
    return {
        "asset": w.asset, "hazard": w.hazard, "domain": w.domain, "level": w.peak.name,
        "raised_s": (w.raised - s.start) / NS, "late": late,
        "steps": [
            {"t_s": (x.t - s.start) / NS, "told_s": (x.told - s.start) / NS, "level": x.level.name, "kind": x.kind.value,
             "voices": x.voices}
            for x in w.steps
        ],
    }  # fmt: skip


def _picture(on: Stage, told: Told, rules: Sequence[Rule], sc: Score) -> Picture:
    assert told.envelope is not None
    return Picture(on.scenario, on.catalog, on.truth, rules, told.changes, told.hazards, told.tickets, sc.wrong, told.envelope)
