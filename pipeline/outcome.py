"""What came of one scenario, as the JSON report says it. Times are in seconds after the start."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from lifeline.clock import iso
from lifeline.model import NS, Level
from pipeline.said import Said
from pipeline.scenarios import spoken
from pipeline.scoring import Met, Score
from simulators.scenario import Scenario
from simulators.stage import Stage

LATE: Final = 600 * NS  # [ns] a warning about readings older than this is a late one

Result = dict[str, Any]


def outcome(on: Stage, hazards: Sequence[Said], tickets: Sequence[Said], sc: Score, readings: int, refused: int) -> Result:
    """Of a scenario that was judged. readings, refused [1]"""
    s, c = on.scenario, on.catalog
    gravest = max((w.peak for w in hazards), default=Level.NORMAL)
    wrong, ill = set(map(id, sc.wrong)), set(map(id, sc.ill))
    return {
        "id": s.id, "path": str(s.path), "domain": domain(on), "zh": s.zh, "en": s.en, "about": s.about,
        "start": iso(s.start), "duration_s": s.duration, "seed": on.seed, "series": c.n,
        "assets": dict(Counter(d for d, _ in {*zip(c.domain.tolist(), c.asset.tolist(), strict=True)})),
        "readings": readings, "refused": refused,
        "expected": demanded(s), "wanted": wanted(s), "passed": sc.passed,
        "detected": all(m.detected for m in sc.met) if sc.met else None,
        "delay_s": _worst(m.delay for m in sc.met), "since_s": _worst(m.since for m in sc.met),
        "reached_s": _worst(m.reached for m in sc.met),
        "level": max((m.level for m in sc.met), default=gravest).name,
        "false_warnings": len(sc.wrong), "fault_as_hazard": len(sc.ill),
        "expectations": [_met(m) for m in sc.met],
        "graded": [[g.name for g in event] for event in sc.graded],
        "warnings": [{**_said(w, s), "false": id(w) in wrong, "of_fault": id(w) in ill} for w in hazards],
        "tickets": [_said(w, s) for w in tickets],
        "failures": [f.en for f in sc.failures], "failures_zh": [f.zh for f in sc.failures], "crashed": False,
    }  # fmt: skip


def broken(path: Path, why: str, s: Scenario | None = None) -> Result:
    """Of a scenario that could not be judged: all that it demands is missed."""
    must = s is not None and any(e.level for e in s.expect)
    return {
        "id": s.id if s else path.stem, "path": str(path), "domain": path.parent.name, "zh": s.zh if s else "",
        "en": s.en if s else "", "duration_s": s.duration if s else 0.0, "expected": demanded(s) if s else "NORMAL",
        "wanted": wanted(s) if s else "",
        "passed": False, "detected": False if must else None, "delay_s": None, "reached_s": None, "level": "NORMAL",
        "false_warnings": 0, "fault_as_hazard": 0, "crashed": True, "seconds": 0.0,
        "failures": [f"could not be judged: {why}"], "failures_zh": [f"无法评估：{why}"],
    }  # fmt: skip


def _worst(times: Iterable[float | None]) -> float | None:
    """The longest [s]; None where one is missing, or there is none."""
    known = list(times)
    return None if not known or None in known else round(max(t for t in known if t is not None), 3)


def domain(on: Stage) -> str:
    """The one whose sensors there are; "city" where there are several."""
    known = set(on.catalog.domain.tolist())
    return known.pop() if on.scenario.city is None and len(known) == 1 else "city"


def demanded(s: Scenario) -> str:
    """The gravest level that must be reached; NORMAL: no warning need be given."""
    return max((e.level for e in s.expect if e.level), default=Level.NORMAL).name


def wanted(s: Scenario) -> str:
    """In few words: "gas_accumulation ≥ RED in 5 min; may: biogas ≤ YELLOW"."""
    must = [
        f"{'/'.join(e.hazard)} ≥ {e.level.name}"
        + (f" ≤ {e.most.name}" if e.most < Level.RED else "")
        + (f" in {spoken(e.within)}" if e.within else "")
        + (f" for {spoken(e.stays)}" if e.stays else "")
        for e in s.expect
        if e.level
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
    late = w.first.told - w.first.t > LATE
    return {
        "asset": w.asset, "hazard": w.hazard, "domain": w.domain, "level": w.peak.name,
        "raised_s": (w.raised - s.start) / NS, "late": late,
        "steps": [
            {"t_s": (x.t - s.start) / NS, "told_s": (x.told - s.start) / NS, "level": x.level.name, "kind": x.kind.value,
             "voices": x.voices}
            for x in w.steps
        ],
    }  # fmt: skip
