"""Many results as one: how many passed, false warnings a day of a whole city, how levels compare with the truth."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from lifeline.model import Domain, Level
from pipeline.outcome import Result
from simulators.plan import Plan

DAY: Final = 86_400.0  # [s]
YEAR: Final = 365.25  # [d]
LEVELS: Final = tuple(x.name for x in Level)


def city() -> dict[str, int]:
    """Assets of each domain in the small city, as [city] has it when nothing else is said."""
    plan = Plan()
    return {
        Domain.GAS.value: plan.wells + plan.regulators, Domain.WATER.value: plan.areas, Domain.BRIDGE.value: plan.bridges,
        Domain.ELEVATOR.value: plan.lifts,
    }  # fmt: skip


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Of all, and of each domain."""
    domains = list(dict.fromkeys(r["domain"] for r in results))
    return {
        **_counts(results),
        **rates(results),
        "localisation": localisation(results),
        "early_detection": _mean(m["early"] for r in results for m in r.get("expectations", ())),
        "levels": confusion(results),
        "domains": {d: _counts([r for r in results if r["domain"] == d]) for d in domains},
    }


def _counts(results: Sequence[Result]) -> dict[str, Any]:
    must = [r for r in results if r["detected"] is not None]
    delays = [r["delay_s"] for r in must if r["delay_s"] is not None]
    return {
        "passed": sum(r["passed"] for r in results),
        "total": len(results),
        "events": len(must),
        "detected": sum(bool(r["detected"]) for r in must),
        "median_delay_s": float(np.median(delays)) if delays else None,
        "false_warnings": sum(r["false_warnings"] for r in results),
        "fault_as_hazard": sum(r["fault_as_hazard"] for r in results),
        "crashed": sum(r["crashed"] for r in results),
    }


def rates(results: Sequence[Result]) -> dict[str, Any]:
    """False warnings of an asset in a year by domain, and of the whole small city in a day: each domain's rate, times its
    assets there. A domain of which nothing was judged has none.
    """
    per = {d: _rate(d, results) for d in city()}
    known = {d: x for d, x in per.items() if x is not None}
    return {
        "false_per_day": round(sum(x * city()[d] / YEAR for d, x in known.items()), 4),
        "false_per_asset_year": {d: round(x, 4) for d, x in known.items()},
        "asset_days": {d: round(_exposure(d, results), 2) for d in known},
    }


def _rate(domain: str, results: Sequence[Result]) -> float | None:
    """[1/year]"""
    watched = _exposure(domain, results)
    wrong = sum(w["false"] and w["domain"] == domain for r in results for w in r.get("warnings", ()))
    return wrong / watched * YEAR if watched else None


def _exposure(domain: str, results: Sequence[Result]) -> float:
    """[d] days of assets"""
    return float(sum(r["assets"].get(domain, 0) * r["duration_s"] / DAY for r in results if not r["crashed"]))


def localisation(results: Sequence[Result]) -> dict[str, int]:
    """Of expectations that ask for a place: how many there are, and how many got it."""
    asked = [m for r in results for m in r.get("expectations", ()) if m["top"]]
    return {"asked": len(asked), "found": sum(m["rank"] is not None and m["rank"] <= m["top"] for m in asked)}


def confusion(results: Sequence[Result]) -> dict[str, Any]:
    """The least level that each event deserves (rows) against the gravest it was given (columns)."""
    events = [e for r in results for e in r.get("graded", ())]
    table = {a: {b: sum(least == a and given == b for least, _, given in events) for b in LEVELS} for a in LEVELS}
    grade = [(Level[a], Level[b], Level[c]) for a, b, c in events]
    return {
        "table": {a: row for a, row in table.items() if any(row.values())},
        "right": sum(a <= c <= b for a, b, c in grade),
        "understated": sum(c < a for a, _, c in grade),
        "overstated": sum(c > b for _, b, c in grade),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return round(sum(known) / len(known), 4) if known else None
