"""The ledger of hidden dangers: list, filters, a new one, the sheets."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

import msgspec
from nicegui import ui

from alerts.console.forms import Field, Form, Given, button
from alerts.console.html import Html, el
from alerts.console.parts import badge
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit, local
from alerts.dangers import ledger
from alerts.dangers.danger import Danger, Deed, Facts, told
from alerts.dangers.ledger import Page
from alerts.dangers.life import Act
from alerts.dangers.names import GRADES, SOURCES, STATES
from alerts.roles import Role
from alerts.texts import LEVELS

MOST: Final = 200  # [1] lines
COLOURS: Final = ("RED", "ORANGE", "YELLOW", "BLUE")


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None] | None]:
    """The list, and what can be chosen."""
    chosen = {n: visit.query.get(n, "") for n in ("state", "grade", "colour", "source", "district", "late", "open")}
    if not visit.query:
        chosen["open"] = "yes"
    place = ui.element("div")
    with ui.element("div").classes("filters"):
        _bar(visit, chosen, lambda: draw())  # noqa: PLW0108  it is made below
        sheets = ui.html(sanitize=False).classes("sheets")
        if visit.may(Role.OPERATOR):

            def register() -> None:
                with place:
                    _form(visit).open()

            button(visit.say("new_danger"), register, name="new-danger", main=True)
    shown = ui.html(sanitize=False)
    seen = [now.trail]

    async def draw() -> None:
        where = {k: v for k, v in chosen.items() if v and k != "late"}
        at = visit.desk.clock.now()
        page = await visit.read(lambda: ledger.listed(visit.desk.database, where, at, limit=MOST, late=bool(chosen["late"])))
        shown.set_content(_list(visit, page, at))
        asked = urlencode({k: "true" if k == "open" else v for k, v in where.items()})
        links = [
            el("a", kind.upper(), href=f"/api/v1/dangers/export.{kind}?{asked}", class_="button") for kind in ("xlsx", "csv")
        ]
        sheets.set_content(el("span", *links))

    def refresh(snapshot: Snapshot) -> Awaitable[None] | None:
        if snapshot.trail == seen[0]:
            return None
        seen[0] = snapshot.trail
        return draw()

    await draw()
    return refresh


def _bar(visit: Visit, chosen: dict[str, str], draw: Callable[[], Awaitable[None]]) -> None:
    all_ = {"": visit.say("all")}
    fields = {
        "open": {"yes": visit.say("open_only")},
        "state": {s.value: visit.pick(p) for s, p in STATES.items()},
        "grade": {g: visit.pick(p) for g, p in GRADES.items()},
        "colour": {c: visit.pick(LEVELS[c]) for c in COLOURS},
        "source": {s: visit.pick(p) for s, p in SOURCES.items()},
        "district": {d: d for d in visit.hall.ground.districts},
        "late": {"yes": visit.say("late")},
    }

    async def choose(name: str, value: str | None) -> None:
        chosen[name] = value or ""
        kept = urlencode({k: v for k, v in chosen.items() if v})
        ui.run_javascript(f"history.replaceState(null,'','?'+{(kept or 'all=1')!r})")
        await draw()

    for name, options in fields.items():
        value = chosen[name] if chosen[name] in options else ""
        label = visit.say({"open": "shown_are", "late": "due"}.get(name, name))
        ui.select(all_ | options, label=label, value=value, on_change=lambda e, n=name: choose(n, e.value)).props(
            "dense outlined"
        )


def _list(visit: Visit, page: Page, at: int) -> Html:
    rows = [_row(visit, d, late=told(d, at)["late"]) for d in page.dangers]
    if not rows:
        return el("p", visit.say("no_danger"), class_="empty")
    return el("div", el("p", visit.say("shown", n=len(rows), all=page.total), class_="count"),
              el("div", *rows, role="list", class_="list"))  # fmt: skip


def _row(visit: Visit, d: Danger, *, late: bool) -> Html:
    due = el("span", local(d.deadline), class_="late" if late else None) if d.deadline else "–"
    return el(
        "a", badge(visit, d.colour) if d.colour else el("span", "–"),
        el("span", el("b", d.place), el("span", d.description.split("\n")[visit.lang if d.source == "warning" else 0][:90]
           if d.description else "", class_="asset"), class_="what"),
        el("span", d.district, " · ", visit.pick(SOURCES.get(d.source, (d.source,) * 2)), class_="where"),
        el("span", visit.pick(STATES[d.state]), el("small", d.unit), class_="state"),
        el("span", due, class_="age"), href=f"/console/dangers/{d.id}", class_=f"entry {d.colour}", role="listitem",
        data_id=d.id,
    )  # fmt: skip


def _form(visit: Visit) -> Form:
    say = visit.say
    fields = (
        Field("place", say("place"), must=True),
        Field("description", say("description"), long=True, must=True),
        Field("finder", say("finder"), visit.who.name, must=True),
        Field("district", say("district"), "", {"": "–", **{d: d for d in visit.hall.ground.districts}}),
        Field("asset", say("asset")),
        Field("note", say("note"), long=True),
    )

    async def work(given: Given) -> object:
        desk = visit.desk
        said = {k: given[k] or "" for k in ("place", "description", "finder", "district", "asset")}
        facts = msgspec.convert(said, Facts)
        made = await visit.act(
            Role.OPERATOR,
            lambda who: ledger.register(
                desk.database, Deed(Act.REGISTER, desk.clock.now(), who.name, given["note"] or "", facts), who.role
            ),
        )
        if made is not None:
            ui.navigate.to(f"/dangers/{made.id}")
        return made

    return Form(visit, say("new_danger"), fields, work)
