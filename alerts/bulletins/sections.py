"""A report as tables of text: what a page and a workbook have in common."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from alerts.bulletins.bulletin import GRADES, Bulletin, false, heads, unjudged
from alerts.bulletins.figures import ANSWERS, CLOSINGS, Row
from alerts.bulletins.span import Every
from alerts.bulletins.words import (
    COLUMNS,
    FATES,
    HEADS,
    NO_PROMISE,
    OPEN_AT_END,
    PROMISE,
    SECTIONS,
    YES,
    Language,
    classed,
    lasting,
    say,
    word,
)
from alerts.texts import STATES, local
from lifeline.model import Level

Cell = str | int | float
ORDER: Final = (
    "heads", "times", "gravest", "domains", "districts", "hazards", "asked", "answers", "answer_classes", "closings",
    "closing_classes", "stages", "chase", "verdicts", "called", "silent", "passive", "dangers", "channels", "exercises",
)  # fmt: skip
PIVOTED: Final = {"domains": "domain", "districts": "district", "hazards": "hazard"}
LASTING: Final = frozenset({"median", "p90", "longest", "ns"})
INSTANTS: Final = frozenset({"since", "raised"})


class Section(NamedTuple):
    """One table. Numbers stay numbers."""

    name: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""


def sections(b: Bulletin, zone: tzinfo, language: Language) -> list[Section]:
    """All of them, in their order."""
    return [_section(b, name, zone, language) for name in ORDER]


def _section(b: Bulletin, name: str, zone: tzinfo, language: Language) -> Section:
    title, note = say(SECTIONS[name], language), ""
    if name == "heads":
        columns, rows = ["what", "now", "before", "change"], list(_heads(b, language))
    elif name == "times":
        columns, rows = ["time", *grades(b.now["times"]), "sum"], _times(b, zone)
    elif name in PIVOTED:
        columns, rows = _pivot(b.now[name], PIVOTED[name], language)
    elif name.endswith("classes"):
        columns, rows = _classes(b.now[name], ANSWERS if name == "answer_classes" else CLOSINGS, language)
    else:
        columns, rows = _plain(b.now[name], zone, language)
    if name == "chase":  # of a hazard that is gone by itself and that nobody has answered
        gone = word("level", Level.NORMAL.name, language), say(STATES["gone"], language)
        rows = [[gone[1] if cell == gone[0] else cell for cell in row] for row in rows]
    if name == "verdicts":
        said = NO_PROMISE if not b.promise else PROMISE
        rate = false(b.now) / b.days
        note = say(said, language).format(false=false(b.now), rate=rate, promise=b.promise, open=unjudged(b.now))
    return Section(name, title, [_head(name, c, language) for c in columns], rows, note)


def _head(name: str, column: str, language: Language) -> str:
    if column in GRADES:
        return word("level", column, language)
    if name == "dangers" and column == "open":
        return say(OPEN_AT_END, language)
    if name == "exercises" and column == "answered":
        return say(FATES["answered"], language)
    return say(COLUMNS["answer" if (name, column) == ("gravest", "answered") else column], language)


def _heads(b: Bulletin, language: Language) -> Iterable[list[Cell]]:
    for name, now, then in heads(b):
        moved = now is not None and then is not None and now != then
        change = f"{'▲' if now > then else '▼'} {_head_cell(name, abs(now - then), language)}" if moved else ""  # type: ignore[operator]
        yield [say(HEADS[name], language), _head_cell(name, now, language), _head_cell(name, then, language), change]


def _head_cell(name: str, value: float | None, language: Language) -> Cell:
    """A figure at the top as it is written."""
    if value is None:
        return "–"
    if name.startswith("median_"):
        return lasting(value * 1e9, language)
    return round(value, 2) if name == "false_rate" else int(value)


def grades(rows: Sequence[Row]) -> list[str]:
    """Levels that occur, the gravest first."""
    return [g for g in GRADES if any(r["level"] == g for r in rows)]


def stretches(b: Bulletin, zone: tzinfo) -> list[str]:
    """The hours of a day, the days of a month."""
    part = slice(11, 16) if b.every is Every.DAILY else slice(5, 10)
    return [local(t, zone)[part] for t in b.borders[:-1]]


def _times(b: Bulletin, zone: tzinfo) -> list[list[Cell]]:
    """Stretches in which there was something."""
    shown, names = grades(b.now["times"]), stretches(b, zone)
    table = {(r["stretch"], r["level"]): r["n"] for r in b.now["times"]}
    rows: list[list[Cell]] = []
    for i, name in enumerate(names):
        counts = [table.get((i, g), 0) for g in shown]
        rows += [[name, *counts, sum(counts)]] if any(counts) else []
    return rows


def _pivot(found: Sequence[Row], column: str, language: Language) -> tuple[list[str], list[list[Cell]]]:
    """One line for each word of a column, the most first; its levels side by side."""
    shown = grades(found)
    lines: dict[str, dict[str, int]] = {}
    for r in found:
        lines.setdefault(r[column], {})[r["level"]] = r["n"]
    rows: list[list[Cell]] = [
        [word(column, name, language), *(line.get(g, 0) for g in shown), sum(line.values())] for name, line in lines.items()
    ]
    return [column, *shown, "sum"], sorted(rows, key=lambda row: (-int(row[-1]), str(row[0])))


def _classes(found: Sequence[Row], ends: tuple[int, ...], language: Language) -> tuple[list[str], list[list[Cell]]]:
    shown = grades(found)
    table = {(r["class"], r["level"]): r["n"] for r in found}
    rows: list[list[Cell]] = [
        [classed(i, ends, language), *(table.get((i, g), 0) for g in shown)] for i in range(len(ends) + 1) if found
    ]
    return ["class", *shown], rows


def _plain(found: Sequence[Row], zone: tzinfo, language: Language) -> tuple[list[str], list[list[Cell]]]:
    """A figure as it is, levels in their order."""
    if not found or (len(found) == 1 and not any(found[0].values())):
        return list(found[0]) if found else [], []
    columns = [c for c in found[0] if c != "class"]
    ordered = sorted(found, key=lambda r: GRADES.index(r["level"])) if "n" in columns and "level" in columns else found
    return columns, [[_cell(r, c, zone, language) for c in columns] for r in ordered]


def _cell(row: Row, column: str, zone: tzinfo, language: Language) -> Cell:
    value = row[column]
    if column in LASTING:
        return lasting(value, language)
    if column in INSTANTS:
        return local(value, zone)[:16]
    if column == "still":
        return say(YES, language) if value else ""
    if column == "answered" and "raised" in row:
        return "" if value is None else lasting(value - row["raised"], language)
    return value if isinstance(value, int) else word(column, value, language)
