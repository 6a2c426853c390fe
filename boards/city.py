"""The city on one board: risk map, counts, warnings, what is silent, how fast people answer."""

from collections.abc import Mapping

from boards.board import Board, Row, districts, pushed, warnings
from boards.domains import navigation
from boards.figures import standing_open
from boards.influx import TIME, Select, chosen, of
from boards.marks import JSON
from boards.panels import Target, panel, series, stat
from boards.standing import answering, counts, matrix, mirrored, opened, stood, unheard, worldly
from boards.words import COLOURS, GRAVE, Language


def city(say: Language, due: Mapping[str, float], basemap: str = "") -> Board:
    """due: level -> [s] to answer in."""
    where = (chosen("district"),)
    return Board(
        "city",
        say("城市生命线", "City lifeline"),
        say("全市四色风险与预警。", "Risk and warnings of the whole city."),
        [
            Row(say("现状", "How it stands"), [*counts(where, say), opened_now(say), mirrored(say), answered(say)]),
            Row(
                say("风险图与预警", "Risk map and warnings"),
                [worldly(say, where, basemap, w=14), opened(say, where, w=10), matrix(say, where, w=10)],
            ),
            Row(
                say("失联与级别变化", "What is silent, and levels over time"),
                [
                    unheard(say, where, w=8),
                    answering(say, where),
                    by_level(say),
                    answers(say, due, w=24),
                    recent(say),
                    stood(say, where),
                ],
            ),
        ],
        variables=[districts(say)],
        annotations=[warnings(say, [chosen("district"), '"level" =~ /^(ORANGE|RED)$/']), pushed(say, ["lifeline"])],
        links=navigation(say, "city"),
        tags=["lifeline", "city"],
    )  # fmt: skip


def opened_now(say: Language) -> JSON:
    """Warnings that somebody has to answer still, as the desk counts them."""
    about = say("值班台尚未关闭的预警数。", "Warnings that the desk has not closed.")
    steps = [{"value": None, "color": "#5b6470"}, {"value": 1, "color": COLOURS["ORANGE"]}]
    title = say("未关闭预警", "Open warnings")
    return stat(title, [Target(standing_open(), table=True)], say, steps=steps, column="/^value$/", about=about)


def answered(say: Language) -> JSON:
    """Half of the first answers came sooner."""
    first = Select('min("answer") AS "first"', of("warning"), (TIME, chosen("district")), ("asset", "hazard"))
    select = Select('median("first") AS "median"', (first,), ())
    about = say("从发布到首次响应的中位数。", "The median from the raise to the first answer.")
    title = say("响应用时", "Time to answer")
    return stat(title, [Target(select, table=True)], say, unit="s", column="/^median$/", about=about)


def answers(say: Language, due: Mapping[str, float], *, w: int = 8) -> JSON:
    """Every first answer, by level."""
    select = Select('min("answer")', of("warning"), (TIME, chosen("district")), ("level",), "$__interval")
    terms = say("、", ", ").join(f"{level} {due[level]:g} s" for level in GRAVE)
    about = say(f"首次响应用时。期限：{terms}。", f"Seconds to the first answer. Due: {terms}.")
    title = say("首次响应用时（按级别）", "Time to the first answer, by level")
    return series(title, [Target(select, "$tag_level")], say, unit="s", style="points", w=w, h=7, about=about)


def by_level(say: Language) -> JSON:
    """Changes to each level by the hour."""
    select = Select('count("rank")', of("level"), (TIME, chosen("district"), '"rank" > 0'), ("domain",), "1h", "0")
    title = say("每小时升级次数（按领域）", "Changes to a level, by hour and domain")
    return series(title, [Target(select, "$tag_domain")], say, unit="none", style="bars", w=8, h=9, least="1h", gap=10_800_000)


def recent(say: Language) -> JSON:
    """What `lifeline boards push` noted, with links to the desk."""
    options = {
        "limit": 50, "navigateAfter": "10m", "navigateBefore": "10m", "navigateToPanel": False, "onlyFromThisDashboard": False,
        "onlyInTimeRange": False, "showTags": True, "showTime": True, "showUser": False, "tags": ["lifeline"],
    }  # fmt: skip
    title = say("预警标注（链接到值班台）", "Noted warnings (links to the desk)")
    about = say("由 `lifeline boards push` 写入 Grafana。", "Written into Grafana by `lifeline boards push`.")
    return panel("annolist", title, [], w=24, h=6, about=about, options=options)
