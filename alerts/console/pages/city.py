"""The city: its districts and assets in four colours, grey where nothing is known, and what asks first."""

from collections.abc import Callable
from typing import Any, Final

from nicegui import ui

from alerts.colours import NAMES, UNKNOWN
from alerts.console.html import Html, el
from alerts.console.parts import badge, case_list
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit
from alerts.texts import LEVELS

FIRST: Final = 8  # [1] cases beside the map
ORDER: Final = ("RED", "ORANGE", "YELLOW", "BLUE", UNKNOWN, "NORMAL")


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], None]:
    """Map, table of districts, what asks first."""
    with ui.element("div").classes("split"):
        paint = chart(visit, now)
        with ui.element("aside").classes("side"):
            ui.html(el("h2", visit.say("latest")), sanitize=False)
            first = ui.html(sanitize=False)
            ui.html(el("h2", visit.say("districts")), sanitize=False)
            table = ui.html(sanitize=False)

    def draw(snapshot: Snapshot) -> None:
        paint(snapshot)
        first.set_content(case_list(visit, snapshot.cases[:FIRST], "all_quiet"))
        table.set_content(_districts(visit, snapshot.districts))

    draw(now)
    return draw


def chart(visit: Visit, now: Snapshot) -> Callable[[Snapshot], None]:
    """The map; what it returns paints it anew."""
    with ui.element("div").classes("chart").props(f'role=application aria-label="{visit.say("city")}"'):
        ground = visit.hall.ground
        lat = float(ground.lat.mean()) if ground.assets else 0.0
        lon = float(ground.lon.mean()) if ground.assets else 0.0
        plain = {"preferCanvas": True, "attributionControl": False, "zoomSnap": 0.25, "zoomControl": True}
        leaf = ui.leaflet(center=(lat, lon), zoom=11, options=plain)
        leaf.clear_layers()  # the tiles of others
        ui.html(legend(visit), sanitize=False).classes("legend")
    last = [now.colour]
    names = {"unknown": visit.say("unknown"), "none": visit.say("no_case_here")}
    words = {n: names["unknown"] if n == UNKNOWN else visit.pick(LEVELS[n]) for n in NAMES}

    async def begin() -> None:
        ui.run_javascript(f"lifeline.map.begin({leaf.id},{last[0]!r},{words!r})")

    leaf.on("init", begin)

    def paint(snapshot: Snapshot) -> None:
        if snapshot.colour != last[0]:
            last[0] = snapshot.colour
            ui.run_javascript(f"lifeline.map.paint({snapshot.colour!r})")

    return paint


def legend(visit: Visit) -> Html:
    """What shapes, letters and colours mean."""
    return el("div", *(badge(visit, name) for name in ORDER), role="note", aria_label=visit.say("legend"))


def _districts(visit: Visit, rows: tuple[dict[str, Any], ...]) -> Html:
    """How many assets of each level a district has; the worst first."""
    worst = sorted(rows, key=lambda r: tuple(-r["levels"][n] for n in ("RED", "ORANGE", "YELLOW", "BLUE", UNKNOWN)))
    head = el("tr", el("th", visit.say("district")), *(el("th", badge(visit, n), class_="n") for n in ORDER))
    whole = {"district": "", "levels": {n: sum(r["levels"][n] for r in rows) for n in NAMES}}
    body = [_district(r, el("a", r["district"], href="#", data_district=r["district"], class_="to-district")) for r in worst]
    return el("table", el("thead", head), el("tbody", *body, _district(whole, el("b", visit.say("whole_city")))),
              class_="grid districts")  # fmt: skip


def _district(row: dict[str, Any], name: Html) -> Html:
    cells = [el("td", n if (n := row["levels"][level]) else "·", class_=f"n {level}" if n else "n nil") for level in ORDER]
    return el("tr", el("th", name, scope="row"), *cells)
