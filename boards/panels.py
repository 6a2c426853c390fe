"""Panels of Grafana as its JSON has them; each is a plain dict, made by a function that says what it is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from boards.influx import Select
from boards.marks import JSON, joined, nothing, plain, renamed, thresholds
from boards.words import ABSENT, Language

SOURCE: Final = {"type": "influxdb", "uid": "lifeline-influx"}
EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}  # Grafana's own arithmetic
OURS: Final = {"type": "datasource", "uid": "grafana"}  # Grafana's own annotations
HOUR: Final = 3_600_000  # [ms]
WIDTH: Final = 24  # columns of a board


@dataclass(frozen=True)
class Target:
    """One query of a panel."""

    select: Select
    alias: str = ""  # name of a series: $tag_asset
    table: bool = False
    hidden: bool = False  # only asked for to reckon with


@dataclass(frozen=True)
class Reckoned:
    """What Grafana reckons of other queries of the panel: InfluxQL joins no two measurements."""

    expression: str  # "$A - $B", series by series with the same tags


def target(t: "Target | Reckoned", ref: str) -> JSON:
    if isinstance(t, Reckoned):
        return {"refId": ref, "datasource": EXPRESSION, "type": "math", "expression": t.expression}
    made: JSON = {
        "refId": ref,
        "datasource": SOURCE,
        "rawQuery": True,
        "query": str(t.select),
        "resultFormat": "table" if t.table else "time_series",
    }
    return made | ({"alias": t.alias} if t.alias else {}) | ({"hide": True} if t.hidden else {})


def panel(
    kind: str, title: str, targets: "Sequence[Target | Reckoned]", *, w: int, h: int, about: str = "", **more: Any
) -> JSON:
    """What all panels share; its place on the board is given later."""
    made: JSON = {"type": kind, "title": title, "gridPos": {"x": 0, "y": 0, "w": w, "h": h}}
    if about:
        made["description"] = about
    if targets:
        made["datasource"] = SOURCE
        made["targets"] = [target(t, chr(ord("A") + i)) for i, t in enumerate(targets)]
    return made | more


def series(
    title: str,
    targets: Sequence[Target | Reckoned],
    say: Language,
    *,
    unit: str,
    steps: Sequence[Any] = (),
    w: int = 12,
    h: int = 8,
    about: str = "",
    gap: int = HOUR,
    style: str = "line",
    least: str = "10s",
    overrides: Sequence[JSON] = (),
    links: Sequence[JSON] = (),
    soft: float | None = None,
    **more: Any,
) -> JSON:
    """Lines over time. gap [ms]: where nothing came for longer, the line is broken."""
    custom: JSON = {
        "drawStyle": {"line": "line", "bars": "bars", "points": "points"}[style],
        "lineWidth": 1,
        "fillOpacity": 60 if style == "bars" else 0,
        "pointSize": 7 if style == "points" else 4,
        "showPoints": "auto",
        "spanNulls": False,
        "insertNulls": gap,
        "thresholdsStyle": {"mode": "dashed+area" if len(steps) > 1 else "off"},
    }
    if soft is not None:
        custom["axisSoftMax"] = soft
    defaults: JSON = {
        "unit": unit,
        "color": {"mode": "palette-classic"},
        "custom": custom,
        "noValue": say.of(ABSENT),
        "thresholds": thresholds(steps) if steps else plain(),
    }
    if links:
        defaults["links"] = list(links)
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max", "min"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    config = {"defaults": defaults, "overrides": list(overrides)}
    return panel(
        "timeseries", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options, interval=least, **more
    )


def stat(
    title: str,
    targets: Sequence[Target],
    say: Language,
    *,
    steps: Sequence[Any] = (),
    unit: str = "none",
    column: str = "",
    w: int = 3,
    h: int = 4,
    about: str = "",
    calc: str = "lastNotNull",
    links: Sequence[JSON] = (),
    **more: Any,
) -> JSON:
    """One figure, large. Where there is none it says UNKNOWN. column: the only one shown, as a regular expression."""
    defaults: JSON = {
        "unit": unit,
        "noValue": say.of(ABSENT),
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(steps) if steps else plain(),
        "mappings": [nothing(say)],
    }
    if links:
        defaults["links"] = list(links)
    options = {
        "reduceOptions": {"values": False, "calcs": [calc], "fields": column},
        "colorMode": "background_solid",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
    config = {"defaults": defaults, "overrides": []}
    return panel("stat", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options, **more)


def table(
    title: str,
    targets: Sequence[Target],
    say: Language,
    *,
    overrides: Sequence[JSON] = (),
    sort: str = "",
    w: int = 12,
    h: int = 9,
    about: str = "",
    unit: str = "none",
    **more: Any,
) -> JSON:
    """Rows; sorted by a column, the largest first."""
    defaults: JSON = {
        "unit": unit,
        "noValue": say.of(ABSENT),
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False},
        "thresholds": plain(),
        "mappings": [],
    }
    options: JSON = {
        "showHeader": True,
        "cellHeight": "sm",
        "frameIndex": 0,
        "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
    }
    config = {"defaults": defaults, "overrides": list(overrides)}
    return panel("table", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options, **more)


def timeline(
    title: str,
    targets: Sequence[Target],
    say: Language,
    mappings: Sequence[JSON],
    *,
    w: int = 24,
    h: int = 8,
    about: str = "",
    least: str = "1m",
    links: Sequence[JSON] = (),
    **more: Any,
) -> JSON:
    """States over time, a bar each."""
    defaults: JSON = {
        "noValue": say.of(ABSENT),
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 85, "lineWidth": 0},
        "mappings": list(mappings),
        "thresholds": plain("#808080"),
    }
    if links:
        defaults["links"] = list(links)
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.9,
        "perPage": 20,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    config = {"defaults": defaults, "overrides": []}
    return panel(
        "state-timeline", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options, interval=least, **more
    )


def heatmap(
    title: str, targets: Sequence[Target], *, w: int = 24, h: int = 9, about: str = "", layout: str = "le", unit: str = "",
    least: float = 1e-9, **more: Any,
) -> JSON:  # fmt: skip
    """Values by bucket over time; the series are the buckets, in their order, named by their upper ends, or (layout "unknown")
    by their middles. least: what is no more than this is left blank.
    """
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": unit} if unit else {},
        "color": {
            "mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64, "reverse": False,
            "fill": "dark-orange",
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": least},
        "legend": {"show": True},
        "rowsFrame": {"layout": layout},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
        "yAxis": {"axisPlacement": "left", "reverse": False},
    }  # fmt: skip
    config = {"defaults": {"custom": {"scaleDistribution": {"type": "linear"}}}, "overrides": []}
    return panel("heatmap", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options, **more)


def scatter(
    title: str, targets: Sequence[Target], say: Language, x: str, y: str, *, more: Sequence[str] = (), style: str = "points",
    w: int = 12, h: int = 8, about: str = "", **rest: Any,
) -> JSON:  # fmt: skip
    """One quantity against another, or others. x, y, more: columns."""

    def named(column: str) -> JSON:
        return {"matcher": {"id": "byName", "options": column}}

    options = {
        "mapping": "manual",
        "series": [{"frame": {"matcher": {"id": "byIndex", "options": 0}}, "x": named(x), "y": named(c)} for c in (y, *more)],
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": bool(more), "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"show": style, "pointSize": {"fixed": 5}, "fillOpacity": 60}
    defaults = {"noValue": say.of(ABSENT), "custom": custom, "color": {"mode": "palette-classic"}, "thresholds": plain()}
    config = {"defaults": defaults, "overrides": []}
    asked = {"fieldConfig": config, "options": options, "transformations": [joined("Time")], **rest}
    return panel("xychart", title, targets, w=w, h=h, about=about, **asked)


def axis(query: str, label: str, unit: str) -> JSON:
    """The lines of one query are dashed, and have an axis of their own on the right."""
    properties = {
        "unit": unit, "custom.axisPlacement": "right", "custom.axisLabel": label,
        "custom.lineStyle": {"fill": "dash", "dash": [8, 8]},
    }  # fmt: skip
    return {
        "matcher": {"id": "byFrameRefID", "options": query},
        "properties": [{"id": k, "value": v} for k, v in properties.items()],
    }


def numbers(column: str, name: str) -> list[JSON]:
    """A column of texts as numbers, and by another name."""
    kinds = {"conversions": [{"targetField": column, "destinationType": "number"}], "fields": {}}
    return [{"id": "convertFieldType", "options": kinds}, renamed({column: name}, [], ("Time",))]
