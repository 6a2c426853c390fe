"""Exercises: warnings that go every way a real one would go, and say everywhere that nothing of them is real."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from alerts.case import Case
from alerts.console.forms import Field, Form, Given, button
from alerts.console.html import el
from alerts.console.parts import case_list
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit
from alerts.exercises import change
from alerts.notice import EXERCISE
from alerts.roles import Role
from alerts.texts import HAZARDS, LEVELS
from alerts.users.access import Who
from lifeline.model import Level


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], None]:
    """Those under way, and the form of a new one."""
    place = ui.element("div")
    may = visit.may(Role.LEADER)

    def begin() -> None:
        with place:
            _form(visit).open()

    def end(c: Case) -> Callable[[], Awaitable[object]]:
        return lambda: _say(visit, c.asset, c.hazard.removeprefix(EXERCISE), Level.NORMAL, "")

    ui.html(el("p", visit.say("exercise_what"), class_="quiet"), sanitize=False)
    with ui.element("div").classes("bar"):
        if may:
            button(visit.say("begin_exercise"), begin, name="new-exercise", main=True)
        else:
            ui.label(visit.say("leader_only")).classes("quiet")
    shown, bar = ui.html(sanitize=False), ui.element("div").classes("bar")
    last: list[object] = [None]

    def draw(snapshot: Snapshot) -> None:
        running = [c for c in snapshot.cases if c.hazard.startswith(EXERCISE)]
        shown.set_content(case_list(visit, running, "no_exercise"))
        active = [c for c in running if c.level]
        if may and [c.id for c in active] != last[0]:
            last[0] = [c.id for c in active]
            bar.clear()
            with bar:
                for c in active:
                    button(f"{visit.say('end_exercise')}: {c.asset}", end(c), name=f"end-{c.id}")

    draw(now)
    return draw


def _form(visit: Visit) -> Form:
    levels = {n: visit.pick(LEVELS[n]) for n in ("RED", "ORANGE", "YELLOW", "BLUE")}
    hazards = {name: visit.pick(pair) for name, pair in HAZARDS.items()}
    assets = visit.hall.ground.assets
    fields = (
        Field("asset", visit.say("asset"), assets[0] if assets else "", must=True),
        Field("hazard", visit.say("hazard"), "gas_accumulation", hazards),
        Field("level", visit.say("level"), "RED", levels),
        Field("note", visit.say("note"), long=True),
    )

    def work(given: Given) -> Awaitable[object]:
        return _say(visit, given["asset"], given["hazard"], Level[given["level"]], given["note"] or "")

    return Form(visit, visit.say("begin_exercise"), fields, work)


async def _say(visit: Visit, asset: str, hazard: str, new: Level, note: str) -> object:
    desk = visit.desk

    def work(who: Who) -> bool:
        return desk.take([change(desk, asset, hazard, new, f"{who.name}: {note}" if note else who.name)]).accepted > 0

    made = await visit.act(Role.LEADER, work)
    desk.outbox.wake()
    return made
