"""How assets stand: on a map, in counts, in lists. What the database no longer hears is UNKNOWN, and stays on the map.

The mirror writes the row of every asset each minute. A map that only asked for the last row would show green for hours after it
stopped, and one that only asked for the last minutes would be empty. So every query asks twice: which assets were there in the
last day, each counted as UNKNOWN (-1); and which were heard in the last three minutes, with their rank + 1. The sum is their
rank.
"""

from collections.abc import Sequence
from typing import Final

from boards.board import asset_url, cell
from boards.influx import EVERY, TIME, Select, any_of, back, equal, of
from boards.marks import JSON, joined, link, of_levels, of_ranks, only, override, rank_steps, renamed, thresholds
from boards.panels import Target, panel, stat, table, timeline
from boards.words import COLOURS, GRAVE, NAMES, RANKS, SILENT, UNKNOWN, Language
from lifeline.model import Domain
from lifeline.units import QUANTITIES

FRESH: Final = "3m"  # three rows of the mirror
KNOWN: Final = "1d"
BLANK: Final = (  # a transparent pixel as every tile: a city's network often has no way to a tile server
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
TAGS: Final = ("asset", "district", "domain")


def standing(where: Sequence[str], by: Sequence[str] = TAGS) -> Select:
    """Every asset of the last day with its rank, place and open warnings; -1 for those not heard any more."""
    heard = Select('last("rank") + 1 AS "n"', of("asset"), (back(FRESH), *where), tuple(by))
    known = Select(
        'last("rank") * 0 - 1 AS "n", last("lat") AS "la", last("lon") AS "lo", last("open") * 1.0 AS "op"',
        of("asset"),
        (back(KNOWN), *where),
        tuple(by),
    )
    what = 'sum("n") AS "rank", last("la") AS "lat", last("lo") AS "lon", last("op") AS "open"'
    return Select(what, (heard, known), (), tuple(by))


def count(rank: int, where: Sequence[str], name: str, by: Sequence[str] = ()) -> Select:
    """How many assets stand at a rank: 0 where there are none, no row where nothing is known at all."""
    found = Select('count("rank") AS "n"', (standing(where),), (f'"rank" = {rank}',), tuple(by))
    none = Select('count("rank") * 0 AS "n"', (standing(where),), (), tuple(by))
    return Select(f'sum("n") AS "{name}"', (found, none), (), tuple(by))


def counts(where: Sequence[str], say: Language, *, w: int = 3) -> list[JSON]:
    """A large figure for each level, the worst first, and for what is not heard."""
    made = []
    for name in (*GRAVE, UNKNOWN):
        rank = next(r for r, n in RANKS.items() if n == name)
        steps = [{"value": None, "color": "#5b6470"}, {"value": 1, "color": COLOURS[name]}]
        about = say("此级别的设施数。", "Assets at this level.")
        if rank == SILENT:
            about = say(
                f"有测点无数据、或镜像 {FRESH} 未更新的设施数。未知不是正常。",
                f"Assets of which a series is silent, or that the mirror has not written for {FRESH}. Not known is not normal.",
            )
        made.append(
            stat(
                say.of(NAMES[name]),
                [Target(count(rank, where, name), table=True)],
                say,
                steps=steps,
                column=f"/^{name}$/",
                w=w,
                about=about,
            )
        )
    return made


def matrix(say: Language, where: Sequence[str], *, w: int = 8, h: int = 9) -> JSON:
    """Counts by level and domain."""
    ranks = {n: r for r, n in RANKS.items()}
    names = (*GRAVE, UNKNOWN, "NORMAL")
    targets = [Target(count(ranks[n], where, n, ("domain",)), table=True) for n in names]
    coloured = [
        override(
            say.of(NAMES[n]),
            custom__cellOptions={"type": "color-background", "mode": "basic"},
            thresholds=thresholds([{"value": None, "color": "transparent"}, {"value": 1, "color": COLOURS[n]}]),
        )
        for n in names
        if n != "NORMAL"
    ]
    told = {n: say.of(NAMES[n]) for n in names} | {"domain": say("领域", "Domain")}
    steps = [joined("domain"), only(["domain", *names]), renamed(told, ["domain", *names])]
    title = say("各领域各级设施数", "Assets by level and domain")
    return table(title, targets, say, overrides=coloured, transformations=steps, w=w, h=h)


def districts(where: Sequence[str]) -> Select:
    """The worst rank of each district, in the middle of its assets; UNKNOWN only where nothing of it is heard."""
    what = 'max("rank") AS "worst", mean("lat") AS "lat", mean("lon") AS "lon"'
    return Select(what, (standing(where),), (), ("district",))


def markers(name: str, query: str, field: str, size: int, opacity: float, text: str = "") -> JSON:
    """A layer of circles in the colours of a field, of one query only."""
    style: JSON = {
        "color": {"field": field, "fixed": "dark-green"},
        "size": {"fixed": size, "min": 2, "max": 40},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "opacity": opacity,
    }
    if text:
        style |= {
            "text": {"mode": "field", "field": text, "fixed": ""},
            "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": 0, "textAlign": "center", "textBaseline": "middle"},
        }
    return {
        "type": "markers",
        "name": name,
        "filterData": {"id": "byRefId", "options": query},
        "config": {"showLegend": not text, "style": style},
        "location": {"mode": "coords", "latitude": "lat", "longitude": "lon"},
        "tooltip": True,
    }


def worldly(say: Language, where: Sequence[str], basemap: str = "", *, w: int = 16, h: int = 18) -> JSON:
    """The four-colour map: each district in the colour of its worst asset, and every asset in its own."""
    layers = [
        markers(say("片区", "Districts"), "B", "worst", 30, 0.3, "district"),
        markers(say("设施", "Assets"), "A", "rank", 6, 0.9),
    ]
    tiles = {"type": "xyz", "name": say("底图", "Base map"), "config": {"url": basemap or BLANK, "attribution": ""}}
    options = {
        "view": {"id": "fit", "lat": 0, "lon": 0, "zoom": 12, "maxZoom": 17, "padding": 5, "allLayers": True},
        "controls": {
            "showZoom": True,
            "mouseWheelZoom": True,
            "showAttribution": False,
            "showScale": True,
            "showDebug": False,
            "showMeasure": False,
        },
        "basemap": tiles,
        "layers": layers,
        "tooltip": {"mode": "details"},
    }
    defaults = {
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(rank_steps()),
        "mappings": of_ranks(say),
        "links": [link(say("查看设施", "Look at the asset"), asset_url(cell("domain"), say, cell("asset")))],
    }
    place = override("lat", mappings=[]), override("lon", mappings=[]), override("open", mappings=[])
    about = say(
        f"小圆点为设施，大圆为片区（取最重级别）。紫色为未知：有测点无数据，或 {FRESH} 内没有新记录。"
        "底图默认为空白，不需要外网。",
        "Small: assets. Large: districts, as their worst asset. Violet is unknown: a series is silent, or nothing was written "
        f"for {FRESH}. The base map is blank unless another is set: it needs no internet.",
    )
    title = say("四色风险图", "Risk map")
    config = {"defaults": defaults, "overrides": list(place)}
    targets = [Target(standing(where), table=True), Target(districts(where), table=True)]
    return panel("geomap", title, targets, w=w, h=h, about=about, fieldConfig=config, options=options)


def opened(say: Language, where: Sequence[str], *, w: int = 16, h: int = 9) -> JSON:
    """Warnings that rose or changed in the time shown, each with a link to the desk's case."""
    title = "title_zh" if say is Language.ZH else "title_en"
    what = f'"{title}" AS "title", "level", "state", "district", "asset", "domain", "hazard", "answer", "url"'
    select = Select(what, of("warning"), (TIME, *where), tail="ORDER BY time DESC LIMIT 200")
    names = {
        "Time": say("时间", "Time"),
        "title": say("预警", "Warning"),
        "level": say("级别", "Level"),
        "state": say("状态", "State"),
        "district": say("片区", "District"),
        "asset": say("设施", "Asset"),
        "domain": say("领域", "Domain"),
        "answer": say("响应用时", "Answered after"),
    }
    case = link(say("打开值班台事件", "Open the case at the desk"), '${__data.fields["url"]}', new=True)
    here = link(say("查看设施", "Look at the asset"), asset_url(cell(names["domain"]), say, cell(names["asset"])))
    coloured = {"type": "color-background", "mode": "basic"}
    rows = [
        override(names["level"], mappings=of_levels(say), custom__cellOptions=coloured, custom__width=110),
        override(names["title"], links=[case], custom__minWidth=260),
        override(names["asset"], links=[here]),
        override(names["answer"], unit="s"),
        override("url", custom__hideFrom={"viz": True, "legend": False, "tooltip": False}, custom__width=1),
    ]
    steps = [renamed(names, list(names), ("hazard",))]
    about = say("每次变化一行；点标题打开值班台的事件。", "A row for each change; the title opens the case at the desk.")
    name = say("预警", "Warnings")
    return table(name, [Target(select, table=True)], say, overrides=rows, transformations=steps, w=w, h=h, about=about)


def unheard(say: Language, where: Sequence[str], *, w: int = 8, h: int = 9) -> JSON:
    """Assets that are not heard."""
    select = Select('"rank", "open"', (standing(where),), (f'"rank" = {SILENT}',), TAGS)
    names = {"asset": say("设施", "Asset"), "district": say("片区", "District"), "domain": say("领域", "Domain")}
    here = link(say("查看设施", "Look at the asset"), asset_url(cell(names["domain"]), say, cell(names["asset"])))
    coloured = {"type": "color-background", "mode": "basic"}
    level = say("级别", "Level")
    rows = [override(names["asset"], links=[here]), override(level, mappings=of_ranks(say), custom__cellOptions=coloured)]
    steps = [renamed(names | {"rank": level}, list(names), ("Time", "open"))]
    title = say("未知（失联）的设施", "Unknown (silent) assets")
    return table(title, [Target(select, table=True)], say, overrides=rows, transformations=steps, w=w, h=h)


def answering(say: Language, where: Sequence[str], *, w: int = 8, h: int = 9) -> JSON:
    """Assets of which a warning is open, however long ago it rose."""
    select = Select('"rank", "open"', (standing(where),), ('"open" > 0',), TAGS)
    names = {"asset": say("设施", "Asset"), "district": say("片区", "District"), "domain": say("领域", "Domain")}
    level, opened = say("级别", "Level"), say("未关闭预警", "Open warnings")
    here = link(say("查看设施", "Look at the asset"), asset_url(cell(names["domain"]), say, cell(names["asset"])))
    coloured = {"type": "color-background", "mode": "basic"}
    rows = [override(names["asset"], links=[here]), override(level, mappings=of_ranks(say), custom__cellOptions=coloured)]
    steps = [renamed(names | {"rank": level, "open": opened}, [*names, "rank", "open"], ("Time",))]
    title = say("有未关闭预警的设施", "Assets with open warnings")
    about = say(
        "不限所示时段：只要未关闭就在此。", "Whatever time is shown: as long as a warning is open, its asset stands here."
    )
    return table(
        title, [Target(select, table=True)], say, overrides=rows, transformations=steps, sort=level, w=w, h=h, about=about
    )


def stood(say: Language, where: Sequence[str], *, h: int = 8) -> JSON:
    """Over time, the assets that were not at NORMAL."""
    select = Select('last("level")', of("asset"), (TIME, '"rank" != 0', *where), ("asset",), EVERY, "null")
    title = say("非正常设施的级别变化", "Levels of assets that were not normal")
    about = say("空白处为正常或无记录。", "Where there is no bar the asset was normal, or nothing was written.")
    return timeline(title, [Target(select, "$tag_asset")], say, of_levels(say), h=h, about=about)


def heard(say: Language, domain: Domain, quantities: Sequence[str], *, w: int = 3) -> JSON:
    """When the last reading of a domain was measured."""
    select = Select('last("value") AS "last"', any_of(quantities), (back("7d"), equal("domain", domain)))
    told = say("、", ", ").join(say(QUANTITIES[q].zh, QUANTITIES[q].en) for q in quantities)
    about = say(f"最近一条读数的测量时间（{told}）。", f"When the last reading was measured: {told}.")
    return _since(say("最近读数", "Last reading"), select, say, about, w)


def mirrored(say: Language, *, w: int = 3) -> JSON:
    """When the mirror last wrote how assets stand."""
    select = Select('last("rank") AS "last"', of("asset"), (back("7d"),))
    about = say(
        "早于三分钟即说明镜像已停，地图上全部变为未知。",
        "More than three minutes: the mirror stands still, and all is unknown on the map.",
    )
    return _since(say("最近状态", "Last standing"), select, say, about, w)


def _since(title: str, select: Select, say: Language, about: str, w: int) -> JSON:
    """How long ago the newest row of a query was written."""
    return stat(title, [Target(select, table=True)], say, unit="dateTimeFromNow", column="/^Time$/", w=w, about=about)
