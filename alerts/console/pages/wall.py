"""The wall: no frame, large type, the map and what asks first; read from across the room."""

from collections.abc import Callable
from typing import Final

from nicegui import ui

from alerts.console.html import Html, el
from alerts.console.pages.city import chart
from alerts.console.parts import badge, case_list
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit
from alerts.texts import LEVELS

ROWS: Final = 9  # [1] cases that fit on 1080 lines


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], None]:
    """Counts, clock, map, list."""
    head = ui.html(sanitize=False).classes("wall-head")
    with ui.element("div").classes("split"):
        paint = chart(visit, now)
        with ui.element("aside").classes("side"):
            first = ui.html(sanitize=False)

    def draw(snapshot: Snapshot) -> None:
        head.set_content(_head(visit, snapshot))
        first.set_content(case_list(visit, snapshot.cases[:ROWS], "all_quiet"))
        paint(snapshot)

    draw(now)
    return draw


def _head(visit: Visit, now: Snapshot) -> Html:
    counts = [
        el("div", badge(visit, level.name), el("b", n, data_level=level.name), el("span", visit.pick(LEVELS[level.name])),
           class_=f"big {level.name if n else 'nil'}")
        for level, n in now.tally().items()
    ]  # fmt: skip
    return el("div", el("a", visit.say("title", city=visit.desk.settings.city), href="/console/"),
              el("div", *counts, class_="bigs"), el("span", visit.say("live"), id="live", class_="live", role="status"),
              el("time", id="clock"))  # fmt: skip
