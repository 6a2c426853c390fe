"""One report: figures of a day or month beside those of the one before, as they were when it was made."""

from datetime import date, tzinfo
from typing import Final

import msgspec

from alerts.bulletins.figures import TICKET, Figures, Row, figures
from alerts.bulletins.span import Every, Span, before
from alerts.stages import Verdict
from alerts.tables import Database
from lifeline.model import Level

GRADES: Final = ("RED", "ORANGE", "YELLOW", "BLUE", TICKET)
FALSE: Final = (Verdict.FAULT, Verdict.OPERATION)  # what was no hazard, by verdict


class Bulletin(msgspec.Struct, frozen=True, kw_only=True):
    """What a page and a workbook are made of."""

    every: Every
    day: date
    begin: int  # [ns]
    end: int  # [ns]
    made: int  # [ns] desk clock
    borders: list[int]  # [ns]
    city: str
    promise: float  # [1/d] false hazards that the limits are set for; 0: nobody has said
    now: Figures
    before: Figures

    @property
    def days(self) -> float:
        """[d] that have passed of it"""
        return max(min(self.end, self.made) - self.begin, 1) / 86_400e9

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.every}-{self.day.isoformat() if self.every is Every.DAILY else self.day.strftime('%Y-%m')}"


def make(database: Database, one: Span, city: str, zone: tzinfo, made: int, promise: float = 0.0) -> Bulletin:
    """In one view of the database. made [ns] desk clock"""
    earlier = before(one, zone)
    with database.read() as db:
        now, then = figures(db, one, made), figures(db, earlier, made)
    return Bulletin(
        every=one.every, day=one.day, begin=one.begin, end=one.end, made=made, borders=list(one.borders), city=city,
        promise=promise, now=now, before=then,
    )  # fmt: skip


def n(rows: list[Row], name: str = "n", **where: str) -> int:
    """The sum of a column over rows that fit."""
    return sum(r[name] for r in rows if all(r[k] == v for k, v in where.items()))


def heads(b: Bulletin) -> list[tuple[str, float | None, float | None]]:
    """The figures at the top: (name in words.HEADS, now, in the period before); None: there is nothing to measure."""
    return [(name, _head(b.now, name, b.days), _head(b.before, name, _before_days(b))) for name in HEADS]


HEADS: Final = (
    "hazards", "RED", "ORANGE", "YELLOW", "BLUE", "tickets", "asked", "unanswered", "median_RED", "median_ORANGE", "late",
    "missed", "false", "false_rate", "silent", "undelivered", "opened", "struck", "exercises",
)  # fmt: skip


def _before_days(b: Bulletin) -> float:
    return float(round((b.end - b.begin) / 86_400e9)) if b.every is Every.DAILY else float((b.day - _month_before(b.day)).days)


def _month_before(day: date) -> date:
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


def _head(f: Figures, name: str, days: float) -> float | None:
    if name.startswith("median_"):
        level = name.removeprefix("median_")
        return next((r["median"] / 1e9 for r in f["answers"] if r["level"] == level), None)
    if name in Level.__members__:
        return n(f["levels"], level=name)
    simple = {
        "hazards": n(f["levels"]) - n(f["levels"], level=TICKET),
        "tickets": n(f["levels"], level=TICKET),
        "asked": n(f["asked"]),
        "unanswered": n(f["asked"]) - n(f["asked"], fate="answered"),
        "late": n(f["stages"], "late"),
        "missed": n(f["chase"], "missed"),
        "false": false(f),
        "silent": len(f["silent"]),
        "undelivered": n(f["channels"], "dropped"),
        "opened": n(f["dangers"], "opened"),
        "struck": n(f["dangers"], "struck"),
        "exercises": n(f["exercises"]),
    }
    return false(f) / days if name == "false_rate" else simple[name]


def false(f: Figures) -> int:
    """Hazards that an analyst has found to be none."""
    return sum(n(f["verdicts"], verdict=v.value) for v in FALSE)


def unjudged(f: Figures) -> int:
    """Hazards of which nobody has said what they were."""
    return n(f["verdicts"], verdict="")
