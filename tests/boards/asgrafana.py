"""What Grafana does with a board before a query leaves it and after its answer is there, as far as our boards use it.

Variables and macros as Grafana's documentation has them: "All" becomes the variable's own value for it and is not escaped,
`:regex` escapes and joins, `:raw` does nothing, $timeFilter is `time >= ..ms and time <= ..ms`, $__interval is the slot.
A table has the time, then the tags, then the columns of the answer; transformations work on that.
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.boards.influxd import DATABASE, Influxd

JSON = dict[str, Any]
UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}  # [ms]
PLACE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
SLOTS: Final = (10_000, 60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 86_400_000)
POINTS: Final = 1000  # in a panel's width


@dataclass
class Table:
    columns: list[str]
    rows: list[list[Any]]
    name: str = ""  # of a time series

    def column(self, name: str) -> list[Any]:
        return [r[self.columns.index(name)] for r in self.rows]


@dataclass
class Viewer:
    """Somebody who looks at a board, up to an instant."""

    server: Influxd
    board: JSON
    now: int  # [ms]
    chosen: dict[str, list[str]] = field(default_factory=dict)  # variable -> values; left out: All, or the first
    database: str = DATABASE

    def options(self, name: str) -> list[str]:
        """What a variable offers."""
        model = self.model(name)
        query = self.filled(str(model["query"]), self.now - 1, self.now, 1000)
        found = [row[-1] for series in self.server.ask(query, self.database) for row in series["values"]]
        keep = re.compile(model["regex"].strip("/")) if model.get("regex") else None
        return sorted(v for v in found if keep is None or keep.search(v))

    def model(self, name: str) -> JSON:
        return next(v for v in self.board["templating"]["list"] if v["name"] == name)

    def values(self, name: str) -> list[str] | None:
        """The values of a variable; None: All."""
        model = self.model(name)
        if name in self.chosen:
            return self.chosen[name]
        if model["type"] == "constant":
            return [model["query"]]
        return None if model.get("includeAll") else self.options(name)[:1]

    def filled(self, text: str, start: int, end: int, slot: int) -> str:
        """A text with variables and macros in their places. start, end, slot [ms]"""

        def value(place: re.Match[str]) -> str:
            name, form = place.group(1), place.group(2)
            if name == "__to":
                return str(end)
            values = self.values(name)
            if values is None:
                return str(self.model(name)["allValue"])
            if form == "raw":
                return ",".join(values)
            assert form == "regex", place.group()
            escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", v) for v in values]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

        text = PLACE.sub(value, text)
        text = text.replace("$timeFilter", f"time >= {start}ms and time <= {end}ms")
        return text.replace("$__interval", f"{slot // 1000}s" if slot % 1000 == 0 else f"{slot}ms")

    def span(self, panel: JSON) -> tuple[int, int, int]:
        """Start, end and slot of a panel. [ms]"""
        since = panel.get("timeFrom") or self.board["time"]["from"].removeprefix("now-")
        start = self.now - int(since[:-1]) * UNITS[since[-1]]
        least = panel.get("interval", "1s")
        floor = int(least[:-1]) * ({"s": 1000} | UNITS)[least[-1]]
        slot = next(s for s in SLOTS if s * POINTS >= self.now - start)
        return start, self.now, max(slot, floor)

    def query(self, panel: JSON, target: JSON) -> list[Table]:
        """The answer to one query, before transformations."""
        series = self.server.ask(self.filled(target["query"], *self.span(panel)), self.database)
        if target["resultFormat"] == "table":
            return [tabled(series)] if series else []
        return [timed(s, target.get("alias", "")) for s in series]

    def answers(self, panel: JSON) -> list[list[Table]]:
        """The answers of all queries, and what Grafana reckons of them."""
        found: dict[str, list[Table]] = {}
        for t in panel.get("targets", []):
            found[t["refId"]] = reckoned(t["expression"], found) if "expression" in t else self.query(panel, t)
        return list(found.values())

    def shown(self, panel: JSON) -> list[Table]:
        """What a panel is given: all answers, transformed."""
        asked = zip(panel.get("targets", []), self.answers(panel), strict=True)
        tables = [t for target, answer in asked if not target.get("hide") for t in answer]
        for step in panel.get("transformations", []):
            tables = TRANSFORMED[step["id"]](tables, step["options"])
        return tables


def tabled(series: list[JSON]) -> Table:
    """Time, tags, columns; the rows of all series."""
    tags = list(series[0].get("tags", {}))
    columns = ["Time", *tags, *series[0]["columns"][1:]]
    rows = [[row[0], *s.get("tags", {}).values(), *row[1:]] for s in series for row in s["values"]]
    return Table(columns, rows)


def timed(series: JSON, alias: str) -> Table:
    """One line, named by its alias."""
    tags = series.get("tags", {})
    name = re.sub(r"\$tag_(\w+)", lambda m: str(tags[m.group(1)]), alias) or str(series["name"])
    return Table(["Time", *series["columns"][1:]], series["values"], name)


def over(a: float, b: float) -> float | None:
    return a / b if b else None


OPERATIONS: Final[dict[str, Callable[[float, float], float | None]]] = {"-": operator.sub, "/": over}


def reckoned(expression: str, found: dict[str, list[Table]]) -> list[Table]:
    """A difference or a quotient of two queries, of lines with the same name, at instants that both have."""
    match = re.fullmatch(r"\$(\w) ([-/]) \$(\w)", expression)
    assert match, expression
    a, b = (found[match.group(i)] for i in (1, 3))
    bare = len(a) == len(b) == 1
    made = []
    for one in a:
        other = b[0] if bare else next(t for t in b if t.name == one.name)
        at = dict(other.rows)
        both = [(t, v, at[t]) for t, v in one.rows if v is not None and at.get(t) is not None]
        made.append(Table(["Time", "value"], [[t, OPERATIONS[match.group(2)](x, y)] for t, x, y in both], one.name))
    return made


def joined(tables: list[Table], options: JSON) -> list[Table]:
    """Outer, by a column; columns of one name are numbered."""
    key = options["byField"]
    keys = sorted({v for t in tables for v in t.column(key)})
    names = [c for t in tables for c in t.columns if c != key]
    seen: dict[str, int] = {}
    columns = [key]
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        columns.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    rows = []
    for k in keys:
        row: list[Any] = [k]
        for t in tables:
            match = next((r for r in t.rows if r[t.columns.index(key)] == k), [None] * len(t.columns))
            row += [v for c, v in zip(t.columns, match, strict=True) if c != key]
        rows.append(row)
    return [Table(columns, rows)]


def kept(tables: list[Table], options: JSON) -> list[Table]:
    """Only some columns: each must be there."""
    names = options["include"]["names"]
    out = []
    for t in tables:
        assert set(names) <= set(t.columns), (names, t.columns)
        at = [i for i, c in enumerate(t.columns) if c in names]
        out.append(Table([t.columns[i] for i in at], [[r[i] for i in at] for r in t.rows]))
    return out


def organized(tables: list[Table], options: JSON) -> list[Table]:
    """Without some, in an order, under other names: each that is spoken of must be there."""
    out = []
    for t in tables:
        spoken = {*options["excludeByName"], *options["renameByName"], *options["indexByName"]}
        assert spoken <= set(t.columns), (spoken - set(t.columns), t.columns)
        order = options["indexByName"]
        left = sorted((c for c in t.columns if c not in options["excludeByName"]), key=lambda c: order.get(c, 99))
        at = [t.columns.index(c) for c in left]
        out.append(Table([options["renameByName"].get(c, c) for c in left], [[r[i] for i in at] for r in t.rows]))
    return out


def converted(tables: list[Table], options: JSON) -> list[Table]:
    """Columns of texts as numbers: each that is spoken of must be there."""
    for t in tables:
        for said in options["conversions"]:
            assert said["destinationType"] == "number", said
            at = t.columns.index(said["targetField"])
            for row in t.rows:
                row[at] = float(row[at])
    return tables


TRANSFORMED: Final = {
    "joinByField": joined,
    "filterFieldsByName": kept,
    "organize": organized,
    "convertFieldType": converted,
}


def panels(board: JSON) -> Iterator[JSON]:
    """All panels but the rows, also those in closed rows."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel
