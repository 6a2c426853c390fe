"""What a calibration found, as it is told and as it is written into rules."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import poisson

import detectors
from lifeline.clock import iso, now
from lifeline.model import NS, Rule
from lifeline.words import Unusable
from pipeline.maxima import Maxima
from pipeline.tail import Tail

SURE: Final = 0.95  # [1] of the counts that chance gives
ROUND: Final = 4  # digits of a bound


class Past(NamedTuple):
    """Maxima of a history."""

    maxima: Maxima
    block: int  # [ns]
    begin: int  # [ns] of the first whole block
    cut: int  # [ns] where the held-back part begins
    end: int  # [ns]
    name: str


class Fit(NamedTuple):
    """What came of one rule."""

    rule: Rule
    series: int  # of the city
    blocks: int  # of series, in the part that was fitted
    tail: Tail | None
    bound: float | None  # [1] of the mildest level; None: not to be had
    budget: float  # [1/d] of the city
    expected: float  # held-back blocks beyond the bound
    seen: int
    before: float  # [1/d] false hazards of the city at the bound that stood, as the fitted part tells
    why: str = ""


def mildest(r: Rule) -> float:
    """Score at which the mildest level is entered. [1]"""
    return float(r.limits.enter.min())


def checked(f: Fit, past: Past) -> dict[str, Any]:
    """The estimate on the part held back: at the bound, where there may be none, and where about ten are expected."""
    later = past.maxima.values(f.rule.id, past.cut, past.end)
    if f.tail is None or not later.size:
        return {}
    p = min(10 / later.size, f.tail.excesses / f.tail.n)
    u = f.tail.bound(p)
    seen, want = int((later >= u).sum()), p * later.size
    low, high = poisson.interval(SURE, want)
    return {
        "blocks": later.size, "expected": round(want, 2), "seen": seen, "from": int(low), "to": int(high),
        "good": bool(low <= seen <= high), "at_bound_expected": round(f.expected, 4), "at_bound_seen": f.seen,
    }  # fmt: skip


def told(fits: Sequence[Fit], past: Past, wanted: float, fixed: Mapping[str, float]) -> dict[str, Any]:
    """All of it, as JSON has it."""
    return {
        "made": iso(now()), "wanted_per_day": wanted,
        "history": {
            "data": past.name, "from": iso(past.begin), "held_back_from": iso(past.cut), "to": iso(past.end),
            "block_s": past.block / NS,
        },
        "given_bounds_per_day": {k: round(v, 6) for k, v in fixed.items()},
        "rules": [
            {
                "id": f.rule.id, "series": f.series, "blocks": f.blocks, "budget_per_day": round(f.budget, 6),
                "bound": None if f.bound is None else float(f"{f.bound:.{ROUND}g}"), "stood": mildest(f.rule),
                "per_day_before": None if np.isnan(f.before) else round(f.before, 6),
                "tail": None if f.tail is None else f.tail._asdict(), "held_back": checked(f, past), "why": f.why,
            }
            for f in fits
        ],
    }  # fmt: skip


def spoken(said: Mapping[str, Any], out: Path | None) -> str:
    """The same for people."""
    h = said["history"]
    lines = [
        f"wanted: {said['wanted_per_day']:.4g} false hazards a day of the whole city",
        f"history: {h['data']}, {h['from']} to {h['to']}, held back from {h['held_back_from']}",
    ]
    lines += [f"{k}: {v:.3g} a day by a bound that is given" for k, v in said["given_bounds_per_day"].items()]
    for r in said["rules"]:
        b = r["held_back"]
        check = (
            f"; held back: {b['seen']} seen, {b['expected']:.3g} expected ({'good' if b['good'] else 'NOT as estimated'})"
            if b
            else ""
        )
        moved = f"bound {r['stood']:g} -> {r['bound']:g}" if r["bound"] is not None else f"left at {r['stood']:g}: {r['why']}"
        was = "" if r["per_day_before"] is None else f", {r['per_day_before']:.3g} a day before"
        lines.append(f"{r['id']}: {r['series']} series, {moved}{was}{check}")
    lines.append(f"rules written to {out}" if out else "nothing was written; --out DIR writes the rules")
    return "\n".join(lines)


def write(folder: Path, out: Path, fits: Sequence[Fit], said: Mapping[str, Any]) -> None:
    """A copy of the rules with the new bounds, each with where it comes from; refused where a file of that name stands."""
    out.mkdir(parents=True, exist_ok=True)
    found = {f.rule.id: f for f in fits if f.bound is not None}
    h = said["history"]
    for path in sorted(folder.glob("*.toml")):
        target = out / path.name
        if target.exists():
            raise Unusable(f"--out {out}: {target.name} is there already; name an empty folder")
        target.write_text(revised(path.read_text("utf-8"), found, h, said["wanted_per_day"], said["made"]), encoding="utf-8")
    (out / "calibration.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    detectors.rules(out)  # what was written is read as it will be


def revised(text: str, fits: Mapping[str, Fit], h: Mapping[str, Any], rate: float, made: str) -> str:
    """A file of rules with other bounds; all else as it was written."""
    head, *blocks = re.split(r"(?m)^(?=\[\[rule\]\])", text)
    return head + "".join(_block(b, fits, h, rate, made) for b in blocks)


def _block(block: str, fits: Mapping[str, Fit], h: Mapping[str, Any], rate: float, made: str) -> str:
    name = re.search(r'(?m)^id = "([^"]+)"', block)
    f = fits.get(name[1]) if name else None
    if f is None or f.bound is None or f.tail is None:
        return block
    factor = f.bound / mildest(f.rule)
    whence = f"{h['data']}, {h['from']} to {h['held_back_from']} ({f.blocks} blocks of {h['block_s']:g} s)"
    share = f"{f.budget:.3g} of {rate:.3g} false hazards a day by {f.series} series"
    source = f"calibrated {made[:10]} on {whence} for {share}: peaks over threshold, shape {f.tail.shape:.3g}"
    for key in ("enter", "leave"):
        block = re.sub(rf"(?m)^({key} = )\{{([^}}]*)\}}", lambda m: m[1] + "{" + _scaled(m[2], factor) + "}", block)
    block = re.sub(r'(?m)^source = ".*"$', lambda _: f"source = {json.dumps(source, ensure_ascii=False)}", block)
    return re.sub(r'(?m)^confidence = ".*"$', 'confidence = "C"', block)


def _scaled(levels: str, factor: float) -> str:
    return re.sub(r"(= *)([-+.\deE]+)", lambda m: f"{m[1]}{float(m[2]) * factor:.{ROUND}g}", levels)
