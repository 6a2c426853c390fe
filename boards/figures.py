"""Panels of the processes' own figures."""

from collections.abc import Sequence
from typing import Final

from boards.influx import EVERY, TIME, Select, back, of
from boards.marks import JSON
from boards.panels import Reckoned, Target, series, stat
from boards.words import COLOURS, Language

MINUTES: Final = 120_000  # [ms] a metric is scraped every ten seconds
RECENT: Final = back("2m")
INSTANCE: Final = "instance"  # HOST:PORT that told a figure


def gauge(metric: str, by: Sequence[str] = ("process",), where: Sequence[str] = ()) -> Select:
    """The largest of a slot."""
    return Select('max("value")', of(metric), (TIME, *where), tuple(by), EVERY)


def rate(metric: str, by: Sequence[str] = ("process",)) -> Select:
    """Of a counter, by the second; a restart is no fall. Two desks count each for itself: their rates are added."""
    each = Select('non_negative_derivative(max("value"), 1s) AS "r"', of(metric), (TIME,), (*by, INSTANCE), EVERY)
    return Select('sum("r")', (each,), (TIME,), tuple(by), EVERY)


def total(metric: str, by: Sequence[str] = ("process",)) -> Select:
    """Of a counter since the start; that of two desks is the sum of theirs."""
    each = Select('max("value") AS "n"', of(metric), (TIME,), (*by, INSTANCE), EVERY)
    return Select('sum("n")', (each,), (TIME,), tuple(by), EVERY)


def share(say: Language, title: str, histogram: str) -> JSON:
    """What a histogram's sum grew by, divided by what its count did: the mean of its observations."""
    parts = [Target(rate(f"{histogram}_{part}"), "$tag_process", hidden=True) for part in ("sum", "count")]
    return reckoned(say, title, parts, "$A / $B", "s")


def reckoned(say: Language, title: str, parts: Sequence[Target], expression: str, unit: str, *, about: str = "") -> JSON:
    """A line that Grafana reckons of hidden queries."""
    last = chr(ord("A") + len(parts))
    named = {
        "matcher": {"id": "byFrameRefID", "options": last},
        "properties": [{"id": "displayName", "value": title}],
    }
    targets: list[Target | Reckoned] = [*parts, Reckoned(expression)]
    return series(title, targets, say, unit=unit, w=8, gap=MINUTES, about=about, overrides=[named])


def flat(metric: str) -> Select:
    """The latest, of the last two minutes only; of several, the largest."""
    each = Select('last("value") AS "v"', of(metric), (RECENT,), ("process", "source", INSTANCE))
    return Select('max("v") AS "value"', (each,), ())


def standing_open() -> Select:
    """All warnings that the desk has not closed."""
    each = Select('last("value") AS "v"', of("lifeline_desk_warnings"), (RECENT,), ("domain", "level", "state"))
    return Select('sum("v") AS "value"', (each,), ())


def drawn(
    say: Language, title: str, select: Select, unit: str, alias: str = "$tag_process", *, w: int = 8, about: str = ""
) -> JSON:
    return series(title, [Target(select, alias)], say, unit=unit, w=w, gap=MINUTES, about=about)


def figure(say: Language, title: str, metric: str, unit: str, bad: Sequence[tuple[float, str]], *, about: str = "") -> JSON:
    """A figure that turns yellow, orange or red. bad: from which value on which level's colour."""
    steps = [{"value": None, "color": COLOURS["NORMAL"]}, *({"value": v, "color": COLOURS[level]} for v, level in bad)]
    return stat(title, [Target(flat(metric), table=True)], say, unit=unit, steps=steps, column="/^value$/", about=about)
