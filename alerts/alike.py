"""Past cases most like a warning, with what became of them: what the last one was, the next may be.

Likeness is Gower's general coefficient (Gower 1971, Biometrics 27:857-871): the mean of a similarity in 0..1 for each feature,
each with its weight; words are alike or not, numbers by their distance over a range, times of day and year around a circle.
"""

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, or_, select

from alerts.case import Case, from_row
from alerts.lifecycle import LIVE
from alerts.notice import EXERCISE
from alerts.stages import Stage
from alerts.tables import stages, warnings
from lifeline.model import NS, Floats, Level

SHOWN: Final = 3  # [1] cases
LOOKED: Final = 5000  # [1] past cases of the domain, the youngest
DAY, YEAR = 86_400.0, 365.2425 * 86_400.0  # [s]
WEIGHTS: Final[dict[str, float]] = {  # proposals of ours
    "hazard": 4.0, "asset": 2.0, "district": 0.5, "owner": 0.5, "peak": 1.0, "day": 1.0, "year": 1.0,
}  # fmt: skip


class Alike(NamedTuple):
    """One past case."""

    case: Case
    likeness: float  # [1] 0 to 1
    verdict: str  # of the account, else of the assessment; "": none was given
    note: str


def alike(db: Connection, case: Case, shown: int = SHOWN) -> list[Alike]:
    """The past cases most like this one, the likest first; those with a verdict before those without where they are as like."""
    judged = select(stages.c.stage).where(
        stages.c.warning == warnings.c.id, stages.c.stage == Stage.ASSESS.value, stages.c.done.is_not(None)
    )
    known_of = or_(warnings.c.state.not_in(sorted(LIVE)), judged.exists())  # what is judged teaches before it is over
    past = select(warnings).where(warnings.c.domain == case.domain, known_of)
    past = past.where(warnings.c.kind == case.kind, warnings.c.id != case.id, ~warnings.c.hazard.startswith(EXERCISE))
    query = past.where(warnings.c.onset < case.onset).order_by(warnings.c.onset.desc()).limit(LOOKED)
    known = [from_row(dict(r)) for r in db.execute(query).mappings()]
    if not known:
        return []
    score = likeness(case, known)
    best = np.argsort(-score, kind="stable")[: 10 * shown]
    found = [_with_outcome(db, known[i], float(score[i])) for i in best]
    return sorted(found, key=lambda a: (-round(a.likeness, 2), not a.verdict))[:shown]


def likeness(case: Case, known: list[Case]) -> Floats:
    """How like each of the known is. [n] 0 to 1"""
    hazard = case.hazard.removeprefix(EXERCISE)
    words = ("asset", "district", "owner")
    same = {name: np.array([getattr(k, name) == getattr(case, name) for k in known], float) for name in words}
    same["hazard"] = np.array([k.hazard == hazard for k in known], float)
    onset = (np.array([k.onset for k in known]) - case.onset) / NS
    same["day"], same["year"] = _around(onset, DAY), _around(onset, YEAR)
    same["peak"] = 1.0 - np.abs(np.array([k.peak for k in known], float) - case.peak) / Level.RED
    total: Floats = sum(w * same[name] for name, w in WEIGHTS.items()) / sum(WEIGHTS.values())  # type: ignore[assignment]
    return total


def _around(apart: Floats, period: float) -> Floats:
    """1 at the same time of a period, 0 half a period away. apart [s]"""
    part = np.abs(apart) % period
    near: Floats = 1.0 - np.minimum(part, period - part) / (period / 2)
    return near


def _with_outcome(db: Connection, case: Case, score: float) -> Alike:
    """The verdict of the account, which knows more, else that of the assessment."""
    query = select(stages.c.stage, stages.c.body).where(stages.c.warning == case.id, stages.c.done.is_not(None))
    said = {r.stage: msgspec.json.decode(r.body) for r in db.execute(query) if r.body}
    told = [said[s] for s in (Stage.ACCOUNT, Stage.ASSESS) if said.get(s, {}).get("verdict")]
    notes = [said[s]["note"] for s in (Stage.ACCOUNT, Stage.DISPOSE, Stage.ASSESS) if said.get(s, {}).get("note")]
    return Alike(case, score, told[0]["verdict"] if told else "", notes[0] if notes else "")


def told(found: list[Alike]) -> list[dict[str, Any]]:
    """As it travels."""
    shown = ("id", "asset", "hazard", "peak", "onset", "cleared", "zh", "en")
    return [
        {**{k: v.name if isinstance(v := getattr(a.case, k), Level) else v for k in shown}, "likeness": round(a.likeness, 3),
         "verdict": a.verdict, "note": a.note}
        for a in found
    ]  # fmt: skip
