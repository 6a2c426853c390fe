"""What a public set is, what comes of it, and how the report says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.public.place import Scorers
from pipeline.public.play import Player
from pipeline.public.sketch import Drawing

Figures = dict[str, Any]  # metric -> number, text, or None where there is none


class Words(NamedTuple):
    """In both languages."""

    zh: str
    en: str


class Column(NamedTuple):
    """A metric as tables show it."""

    key: str
    zh: str
    en: str
    unit: str = ""
    digits: int = 0
    best: int = 0  # 1: more is better, -1: less is, 0: neither


class Line(NamedTuple):
    """Figures of somebody, or of a part, beside ours."""

    name: str
    figures: Figures
    source: str = ""


class Bound(NamedTuple):
    """What a metric is to reach."""

    least: float | None = None
    most: float | None = None

    def met(self, value: Any) -> bool:
        """None never is."""
        return value is not None and (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True)
class Scored:
    """What came of a set."""

    metrics: Figures
    drawing: Drawing
    parts: Sequence[Line] = ()  # of ours: parts of the data, or other readings of the same judgement
    published: Sequence[Line] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Set:
    """A kind of public data."""

    folder: str  # its usual name
    title: Words
    needs: tuple[str, ...]  # files
    scorers: tuple[str, ...]  # functions of the scorers that it calls
    obtain: str  # what to get, and from where, when it is missing
    columns: tuple[Column, ...]
    baseline: Line  # the simplest thing that could be done
    aim: Mapping[str, Bound]
    notes: tuple[Words, ...]  # what must be known to read the figures
    score: Callable[[Path, Player, Scorers], Scored]  # reads, judges, scores; raises what reading raises


PASSIVE: Final = "passive rules heard too"


def report(one: Set, made: Scored, player: Player, seconds: float) -> dict[str, Any]:
    """As JSON says it; `drawing` is for the page."""
    met = {key: bound.met(made.metrics.get(key)) for key, bound in one.aim.items()}
    return {
        "zh": one.title.zh, "en": one.title.en, "metrics": made.metrics,
        "parts": {x.name: x.figures for x in made.parts},
        "published": [_line(x) for x in made.published], "baseline": _line(one.baseline) if player.name == one.folder else {},
        "aim": {k: {n: v for n, v in b._asdict().items() if v is not None} for k, b in one.aim.items()},
        "met": all(met.values()), "unmet": [k for k, good in met.items() if not good],
        "settings": {"rules": player.source, "judged_by": player.judged_by, **made.settings},
        "notes": [n._asdict() for n in one.notes], "columns": [c._asdict() for c in one.columns],
        "readings": player.readings, "judging_s": round(player.seconds, 1), "seconds": round(seconds, 1),
        "drawing": made.drawing,
    }  # fmt: skip


def _line(x: Line) -> dict[str, Any]:
    return {"name": x.name, "source": x.source, **x.figures}
