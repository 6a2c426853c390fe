"""Two evaluations beside one another: an earlier report and this one, or rules as shipped and with a changed limit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lifeline.words import Unusable
from pipeline.outcome import Result
from pipeline.tally import rates

SLACK: Final = 1.0  # [s] by which a delay may differ and still be called the same

BEST: Final = {
    "passed": True,
    "detected": True,
    "false_warnings": -1,
    "fault_as_hazard": -1,
    "delay_s": -1e9,
    "reached_s": -1e9,
}


def earlier(path: Path) -> dict[str, Result]:
    """Scenarios of a report in JSON, by id."""
    try:
        found = {str(r["id"]): r for r in json.loads(path.read_text("utf-8"))["scenarios"]}
        for r in found.values():
            differences(r, {**r, **BEST})  # a report in which something is missing is told now, not in the end
            differences({**r, **BEST}, r)
    except OSError as why:
        raise Unusable(f"{path}: cannot be read: {why.strerror}") from why
    except (ValueError, KeyError, TypeError) as why:
        raise Unusable(f"{path}: is no report of lifeline evaluate --json: {type(why).__name__} {why}") from why
    return found


def compared(old: Mapping[str, Result], new: Sequence[Result]) -> dict[str, list[Any]]:
    """Which scenarios are better, worse, new or gone, and in what."""
    out: dict[str, list[Any]] = {"better": [], "worse": [], "new": [], "gone": []}
    for r in new:
        if r["id"] not in old:
            out["new"].append(r["id"])
            continue
        better, worse = differences(old[r["id"]], r)
        if better:
            out["better"].append({"id": r["id"], "what": better})
        if worse:
            out["worse"].append({"id": r["id"], "what": worse})
    out["gone"] = [k for k in old if k not in {r["id"] for r in new}]
    return out


def published(path: Path, new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """As `compared`, of the public sets of an earlier report and those of this one."""
    old = {k: v for k, v in json.loads(path.read_text("utf-8")).get("public", {}).items() if "metrics" in v}
    out: dict[str, list[Any]] = {"better": [], "worse": [], "new": [], "gone": []}
    for name, told in ((k, v) for k, v in new.items() if "metrics" in v):
        if name not in old:
            out["new"].append(name)
            continue
        moved = {1: list[str](), -1: list[str]()}
        for c in told["columns"]:
            a, b = old[name]["metrics"].get(c["key"]), told["metrics"].get(c["key"])
            if c["best"] and isinstance(a, int | float) and isinstance(b, int | float) and a != b:
                moved[c["best"] if b > a else -c["best"]].append(f"{c['key']} {a:g} → {b:g}")
        for side, what in (("better", moved[1]), ("worse", moved[-1])):
            out[side] += [{"id": name, "what": what}] if what else []
    out["gone"] = [k for k in old if "metrics" not in new.get(k, {})]
    return out


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What of b is better than of a, and what is worse."""
    better: list[str] = []
    worse: list[str] = []
    for name in ("passed", "detected"):
        if a[name] != b[name] and None not in (a[name], b[name]):
            (better if b[name] else worse).append(name if b[name] else f"no longer {name}")
    for name in ("false_warnings", "fault_as_hazard"):
        if a[name] != b[name]:
            (better if b[name] < a[name] else worse).append(f"{name} {a[name]} → {b[name]}")
    for name in ("delay_s", "reached_s"):
        x, y = a.get(name), b.get(name)
        if x is not None and y is not None and abs(x - y) > SLACK:
            (better if y < x else worse).append(f"{name} {x:g} → {y:g}")
    return better, worse


def cost(results: Sequence[Result], texts: Sequence[str]) -> dict[str, Any]:
    """What changed limits would have cost; each result holds how it went under them in `what_if`."""
    pairs = [(r, r["what_if"]) for r in results if "what_if" in r]
    moved = [
        {"id": a["id"], "better": better, "worse": worse, "before": _short(a), "after": _short(b)}
        for a, b in pairs
        for better, worse in [differences(a, b)]
        if better or worse or a["failures"] != b["failures"]
    ]
    after = [{**a, **b} for a, b in pairs]
    return {
        "changes": list(texts),
        "passed": [sum(a["passed"] for a, _ in pairs), sum(b["passed"] for _, b in pairs)],
        "gained": [a["id"] for a, b in pairs if b["detected"] and not a["detected"]],
        "lost": [a["id"] for a, b in pairs if a["detected"] and not b["detected"]],
        "later_min": later("delay_s", pairs),
        "level_later_min": later("reached_s", pairs),
        "false_warnings": [sum(a["false_warnings"] for a, _ in pairs), sum(b["false_warnings"] for _, b in pairs)],
        "false_per_day": [rates([a for a, _ in pairs])["false_per_day"], rates(after)["false_per_day"]],
        "fault_as_hazard": [sum(a["fault_as_hazard"] for a, _ in pairs), sum(b["fault_as_hazard"] for _, b in pairs)],
        "scenarios": moved,
    }


def later(name: str, pairs: Sequence[tuple[Result, Mapping[str, Any]]]) -> float | None:
    """By how much a time has grown, on average of the scenarios that have it before and after. [min]"""
    wait = [(b[name] - a[name]) / 60 for a, b in pairs if a[name] is not None and b[name] is not None]
    return round(sum(wait) / len(wait), 2) if wait else None


def _short(r: Mapping[str, Any]) -> dict[str, Any]:
    return {k: r[k] for k in ("passed", "detected", "delay_s", "reached_s", "level", "false_warnings", "failures")}
