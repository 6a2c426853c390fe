"""Silences: what is told to nobody, until when, by whose order; a new one, and the end of one."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui

from alerts.console.forms import Field, Form, Given, button
from alerts.console.html import el, join
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit, local
from alerts.roles import Role
from alerts.routing import silences
from alerts.routing.matchers import Matcher, parse
from alerts.routing.silences import Ask, Silence, State
from alerts.users.access import Who
from lifeline.clock import iso
from lifeline.model import NS

HOURS: Final = ("1", "2", "4", "8", "24", "72", "168")  # [h]
LABELS: Final = ("alertname", "asset", "district", "domain", "owner", "severity", "kind")


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None] | None]:
    """The list, and the form where it was asked for."""
    page = _Page(visit)
    await page.again()
    seen = [now.trail, now.at]

    def refresh(snapshot: Snapshot) -> Awaitable[None] | None:
        if snapshot.trail == seen[0] and snapshot.at - seen[1] < 10 * NS:
            return None
        seen[:] = [snapshot.trail, snapshot.at]
        return page.again()

    if any(visit.query.get(name) for name in LABELS) and visit.may(Role.OPERATOR):
        page.form()
    return refresh


class _Page:
    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.shown: object = None
        with ui.element("div").classes("bar"):
            if visit.may(Role.OPERATOR):
                button(visit.say("new_silence"), self.form, name="new-silence", main=True)
        self.place, self.list = ui.element("div"), ui.element("div").classes("cards")

    async def again(self) -> None:
        """Read; draw where something is other than before."""
        at = self.visit.desk.clock.now()
        known = await self.visit.read(self._known, at)
        states = [(s, s.state(at)) for s in known]
        if states == self.shown:
            return
        self.shown = states
        self.list.clear()
        with self.list:
            if not known:
                ui.html(el("p", self.visit.say("none"), class_="empty"), sanitize=False)
            for s, state in sorted(states, key=lambda x: (list(State).index(x[1]) == len(State) - 1, -x[0].starts)):
                self._one(s, state)

    def _known(self, at: int) -> list[Silence]:
        with self.visit.desk.database.read() as db:
            return silences.open_ones(db, at - silences.KEPT)

    def _one(self, s: Silence, state: State) -> None:
        say = self.visit.say
        with ui.element("section").classes(f"card silence {state.value}"):
            what = el("code", ", ".join(map(str, s.matchers)))
            parts = [
                el("p", el("b", say(f"silence_{state.value}"), class_="state"), " ", what), el("p", s.comment),
                el("p", f"{s.by} · {local(s.starts)} – {local(s.ends)}", class_="quiet"),
                el("p", say("hides_red"), class_="late") if s.red else None, el("p", say("recurs")) if s.during else None,
            ]  # fmt: skip
            ui.html(join(*parts), sanitize=False)
            if state is not State.EXPIRED and self.visit.may(Role.OPERATOR):
                button(say("end_now"), lambda: self._end(s.id), name=f"end-{s.id}")

    async def _end(self, id_: str) -> None:
        desk = self.visit.desk

        def work(who: Who) -> bool:
            with desk.database.write() as db:
                silences.expire(db, id_, who.name, desk.clock.now())
            return True

        if await self.visit.act(Role.OPERATOR, work):
            await desk.look()
            await self.again()

    def form(self) -> None:
        """Who is not to be told of what, until when, and why."""
        say = self.visit.say
        given = ", ".join(f'{n}="{v}"' for n in LABELS if (v := self.visit.query.get(n)))
        hours = {h: say("hours", n=h) if int(h) < 72 else say("days", n=int(h) // 24) for h in HOURS}
        fields = (
            Field("matchers", say("matchers"), given, must=True, hint='alertname="gas_accumulation", asset="well-17"'),
            Field("hours", say("for_how_long"), "2", hours),
            Field("comment", say("reason"), long=True, must=True),
        )
        red = (Field("red", say("hides_red"), tick=True),) if self.visit.may(Role.LEADER) else ()
        with self.place:
            Form(self.visit, say("new_silence"), (*fields, *red), self._make).open()

    async def _make(self, given: Given) -> object:
        desk = self.visit.desk

        def work(who: Who) -> str:
            at = desk.clock.now()
            said = [_matcher(m) for m in parse(given["matchers"])]
            ends = iso(at + int(given["hours"]) * 3600 * NS)
            ask = Ask(said, iso(at), ends, comment=given["comment"] or "", red=bool(given.get("red")))
            made = silences.asked(ask, at, who.name, who.role)
            with desk.database.write() as db:
                return silences.store(db, made, "", at)

        made = await self.visit.act(Role.OPERATOR, work)
        if made is not None:
            await desk.look()
            await self.again()
        return made


def _matcher(m: Matcher) -> dict[str, Any]:
    """As Alertmanager's API spells it."""
    return {"name": m.name, "value": m.value, "isRegex": m.sign.regex, "isEqual": m.sign.equal}
