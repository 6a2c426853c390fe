"""A board: panels in rows, variables, links, annotations; and the JSON that Grafana reads (dashboard schema v1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from boards.influx import Select, chosen, equal, of
from boards.marks import JSON
from boards.panels import OURS, SOURCE, WIDTH
from boards.words import Language, uid
from lifeline.model import Domain

SCHEMA: Final = 41
EVERYTHING: Final = ".*"  # value of "All" in a variable
TAGS: Final = ["lifeline"]
DOMAIN_BOARDS: Final = (Domain.GAS, Domain.WATER, Domain.BRIDGE, Domain.ELEVATOR)


@dataclass(frozen=True)
class Row:
    """Panels under a heading. closed: shown, and asked for, only when it is opened."""

    title: str
    panels: Sequence[JSON]
    closed: bool = False


@dataclass(frozen=True)
class Board:
    name: str  # of the file, and in the UID
    title: str
    about: str
    rows: Sequence[Row]
    variables: Sequence[JSON] = ()
    annotations: Sequence[JSON] = ()
    links: Sequence[JSON] = ()
    since: str = "now-24h"
    refresh: str = "30s"
    tags: Sequence[str] = field(default_factory=lambda: list(TAGS))

    def json(self, say: Language) -> JSON:
        """As it is committed, and pushed."""
        return {
            "uid": uid(self.name, say),
            "title": self.title,
            "description": self.about,
            "tags": [*self.tags, str(say)],
            "timezone": "browser",
            "editable": True,
            "graphTooltip": 1,
            "schemaVersion": SCHEMA,
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "fiscalYearStartMonth": 0,
            "links": list(self.links),
            "annotations": {"list": list(self.annotations)},
            "templating": {"list": list(self.variables)},
            "panels": laid(self.rows),
        }


def laid(rows: Sequence[Row]) -> list[JSON]:
    """Panels with their ids and places: from left to right, and on when a line is full."""
    made: list[JSON] = []
    ids = iter(range(1, 10_000))
    y = 0
    for row in rows:
        head: JSON = {
            "id": next(ids),
            "type": "row",
            "title": row.title,
            "collapsed": row.closed,
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            "panels": [],
        }
        placed, below = flowed(row.panels, y + 1)
        placed = [{"id": next(ids)} | p for p in placed]
        made += [head | {"panels": placed}] if row.closed else [head, *placed]
        y = y + 1 if row.closed else below
    return made


def flowed(panels: Sequence[JSON], y: int) -> tuple[list[JSON], int]:
    """Panels with their places from line y on, each as high and then as far left as it fits; and the first line below all."""
    placed, free = [], [y] * WIDTH  # free: the first free line of each column
    for panel in panels:
        w, h = panel["gridPos"]["w"], panel["gridPos"]["h"]
        at, x = min((max(free[x : x + w]), x) for x in range(WIDTH - w + 1))
        placed.append(panel | {"gridPos": {"x": x, "y": at, "w": w, "h": h}})
        free[x : x + w] = [at + h] * w
    return placed, max(free)


def variable(name: str, label: str, query: str, *, many: bool = True, regex: str = "", hidden: bool = False) -> JSON:
    """A list of values asked of the database when the board opens or its time changes. many: several, or all."""
    made: JSON = {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "regex": regex,
        "multi": many,
        "includeAll": many,
        "hide": 2 if hidden else 0,
        "skipUrlSync": False,
        "options": [],
    }
    if many:
        made |= {"allValue": EVERYTHING, "current": {"text": ["All"], "value": ["$__all"]}}
    return made


def constant(name: str, value: str) -> JSON:
    """A word that stands in queries once."""
    return {"type": "constant", "name": name, "query": value, "hide": 2, "skipUrlSync": True}


def values(tag: str, measurement: str, where: Sequence[str]) -> str:
    """The query for all values of a tag."""
    asked = f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{tag}"'
    return asked + (f" WHERE {' AND '.join(where)}" if where else "")


def districts(say: Language, domain: Domain | None = None) -> JSON:
    where = [equal("domain", domain)] if domain else []
    return variable("district", say("片区", "District"), values("district", "asset", where))


def assets(say: Language, domain: Domain, *, many: bool = True) -> JSON:
    query = values("asset", "asset", [equal("domain", domain), chosen("district")])
    return variable("asset", say("设施", "Asset"), query, many=many)


def warnings(say: Language, where: Sequence[str]) -> JSON:
    """Warnings as lines across every panel; their text is a link to the case at the desk, their tags are level and hazard."""
    text = "note_zh" if say is Language.ZH else "note_en"
    select = Select(f'"{text}", "level", "hazard"', of("warning"), ("$timeFilter", *where), tail="LIMIT 500")
    asked = {
        "refId": "Anno", "datasource": SOURCE, "rawQuery": True, "fromAnnotations": True, "textEditor": True,
        "resultFormat": "table", "query": str(select), "textColumn": text, "tagsColumn": "level,hazard",
        "timeEndColumn": "",
    }  # fmt: skip
    named = say("预警", "Warnings")
    return {"name": named, "datasource": SOURCE, "enable": True, "iconColor": "red", "target": asked}


def pushed(say: Language, tags: Sequence[str]) -> JSON:
    """What `lifeline boards push` wrote into Grafana itself: warnings with a link to the desk's case."""
    asked = {"limit": 200, "matchAny": False, "tags": list(tags), "type": "tags"}
    return {
        "name": say("预警（链接）", "Warnings (links)"),
        "datasource": OURS,
        "enable": True,
        "iconColor": "orange",
        "target": asked,
    }


def link(title: str, board: str, say: Language, *, carry: bool = False) -> JSON:
    """A link to another board, with the time shown. carry: also with the variables."""
    return {
        "type": "link", "title": title, "icon": "dashboard", "tooltip": "", "tags": [], "url": f"/d/{uid(board, say)}",
        "keepTime": True, "includeVars": carry, "asDropdown": False, "targetBlank": False,
    }  # fmt: skip


def asset_url(domain: str, say: Language, asset: str) -> str:
    """The board of one asset. domain and asset may be references to columns."""
    return f"/d/lifeline-{domain}-asset-{say}?var-asset={asset}&${{__url_time_range}}"


def cell(column: str) -> str:
    """A reference to another column of the row clicked on, fit for an address."""
    return f'${{__data.fields["{column}"]:percentencode}}'


def label(tag: str) -> str:
    """A reference to a tag of the series clicked on, fit for an address."""
    return f"${{__field.labels.{tag}:percentencode}}"
