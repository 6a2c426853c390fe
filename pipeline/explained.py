"""What is known of a warning: what the desk wrote down, and what its readings give once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerts.case import to_row
from alerts.past import Past, standing
from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.model import Change, Level, Mode, Rule
from lifeline.units import UNITS, shown
from pipeline.compare import Compared
from pipeline.relive import Relived, spoken
from pipeline.telling import finite

FEW: Final = 500  # readings of a series in JSON


@dataclass(frozen=True)
class Explanation:
    """What is known of a warning."""

    past: Past
    rules: Sequence[Rule]
    catalog: Catalog  # the whole one
    made: Relived | None  # None: nothing of it can be told again
    compared: Compared


def leads(e: Explanation, most: int) -> dict[str, Change]:
    """Key -> the first change of the series that spoke, active rules before passive ones; of several judged together also
    the others of the asset that changed.
    """
    first: dict[str, Change] = {}
    for s in sorted(e.past.spoken, key=lambda s: (s.change.mode is Mode.PASSIVE, s.change.t)):
        first.setdefault(s.change.key, s.change)
    for c in list(first.values()):
        first |= {key: c for key in _channels(e, c) if key not in first}
    return dict(list(first.items())[:most])


def _channels(e: Explanation, c: Change) -> list[str]:
    """Series that the change's rule judged together with its own, those that changed most first."""
    rule = next((r for r in e.rules if r.id == c.rule), None)
    if rule is None or e.made is None or not rule.detector.channels:
        return []
    moved = {key: np.count_nonzero(np.diff(b.value)) for key, b in e.made.heard.items()}
    quantity, row = e.made.catalog.quantity, e.made.catalog.row
    mine = [key for key in moved if moved[key] and quantity[row[key]] in rule.detector.channels]
    return sorted(mine, key=lambda key: -moved[key])


def account(e: Explanation) -> dict[str, Any]:
    """All of it for other programs; instants as text, values in the units people read."""
    c = e.compared
    return {
        "warning": _dated(to_row(e.past.case), ("onset", "t", "raised", "updated", "pushed", "cleared", "acknowledged_at")),
        "steps": [
            {
                "version": s.version, "t": iso(s.t), "level": s.level.name, "why": s.why,
                "voices": [_voice(v) for v in standing(e.past.spoken, s)],
            }
            for s in e.past.steps
        ],
        "changes": [{**_voice(s.change), "old": s.change.old, "fate": s.fate} for s in e.past.spoken],
        "limits": {r.id: _limits(r) for r in e.rules if r.id in {s.change.rule for s in e.past.spoken}},
        "replay": None if e.made is None else _replay(e.made, e),
        "same": None if e.made is None or not e.made.heard else not c.differences,
        "differences": [r._asdict() for r in c.differences],
        "reasons": [r._asdict() for r in c.reasons],
    }  # fmt: skip


def _dated(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {k: iso(v) if k in names and v is not None else v for k, v in row.items()}


def _voice(c: Change) -> dict[str, Any]:
    return {
        "t": iso(c.t), "rule": c.rule, "key": c.key, "level": c.new, "score": c.score, "mode": c.mode.value,
        "kind": c.kind.value, "hard": c.hard,
    }  # fmt: skip


def _limits(r: Rule) -> dict[str, Any]:
    return {
        "bounds": r.bounds, "unit": r.unit, "hard": r.hard.name if r.hard else None, "source": r.source,
        "confidence": r.confidence,
    }  # fmt: skip


def _replay(made: Relived, e: Explanation) -> dict[str, Any]:
    return {
        "source": made.source, "from": iso(made.window.start), "to": iso(made.window.end), "left_out": made.left_out,
        "steps": [{"t": iso(s.t), "level": s.level.name, "why": str(s.why), "voices": s.voices} for s in e.compared.steps],
        "scores": [score(made, r, key, e.past) for r, key in spoken(e.rules, made)],
        "readings": {key: _readings(made, key) for key in sorted(made.heard)},
    }  # fmt: skip


def score(made: Relived, rule: Rule, key: str, past: Past) -> dict[str, Any]:
    """What a rule said of a series: its score at the onset and at its greatest, and the gravest level."""
    t, said = made.scores[rule.id, key]
    upto = (t <= past.case.onset) & np.isfinite(said)
    known = (t <= past.until) & np.isfinite(said)
    top = int(np.argmax(np.where(known, said, -1.0))) if known.any() else -1
    mine = [c for c in made.changes if (c.rule, c.key) == (rule.id, key) and made.window.shown <= c.t <= past.until]
    return {
        "rule": rule.id, "key": key, "hazard": rule.hazard, "mode": mine[-1].mode.value if mine else rule.mode.value,
        "at_onset": float(said[upto][-1]) if upto.any() else None,
        "peak": float(said[top]) if top >= 0 else None, "peak_t": iso(int(t[top])) if top >= 0 else None,
        "level": max((Level[c.new] for c in mine), default=Level.NORMAL).name,
    }  # fmt: skip


def _readings(made: Relived, key: str) -> dict[str, Any]:
    row, b = made.catalog.row[key], made.heard[key]
    unit = shown(made.catalog.quantity[row], made.catalog.unit[row])
    some = b.take(slice(-FEW, None))
    return {
        "quantity": made.catalog.quantity[row], "unit": unit, "count": b.n, "t": [iso(t) for t in some.t.tolist()],
        "value": finite([UNITS[unit].from_si(v) for v in some.value.tolist()]), "quality": some.quality.tolist(),
    }  # fmt: skip
