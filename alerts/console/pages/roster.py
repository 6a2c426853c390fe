"""Who is on duty now and next, where nobody is, and the forms that change it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from nicegui import ui
from sqlalchemy import Connection

from alerts.console.forms import Field, Form, Given, button
from alerts.console.html import Html, el, join
from alerts.console.parts import card
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit, local
from alerts.duty import board, enter, gaps
from alerts.duty.enter import Entered
from alerts.duty.ledger import EVERYBODY
from alerts.duty.load import Duty
from alerts.duty.wall import instant, wall
from alerts.roles import Role
from alerts.users.access import Who
from lifeline.clock import parse
from lifeline.model import NS

AHEAD: Final = 14 * 86_400 * NS  # [ns] in which gaps are looked for
SHIFT: Final = 8 * 3600 * NS  # [ns] that an override lasts if nothing else is said
SHOWN: Final = 40  # [1] overrides


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None] | None] | None:
    """Roles, gaps, what has been entered."""
    if visit.desk.guard is None:
        ui.html(el("p", visit.say("no_people"), class_="empty"), sanitize=False)
        return None
    page = _Page(visit, visit.desk.guard.duty)
    await page.again()
    seen = [now.trail, now.at]

    def refresh(snapshot: Snapshot) -> Awaitable[None] | None:
        if snapshot.trail == seen[0] and snapshot.at - seen[1] < 30 * NS:
            return None
        seen[:] = [snapshot.trail, snapshot.at]
        return page.again()

    return refresh


class _Page:
    def __init__(self, visit: Visit, duty: Duty) -> None:
        self.visit, self.duty = visit, duty
        self.shown: object = None
        self.place = ui.element("div")  # of forms
        self.roles = ui.element("div").classes("duty")
        self.wrong = ui.html(sanitize=False)
        self.entered = ui.element("section").classes("card")

    async def again(self) -> None:
        """Read; draw where something is other than before."""
        found = await self.visit.read(_read, self.visit, self.duty)
        if found == self.shown:
            return
        self.shown = found
        roles, wrong, entered = found
        self.roles.clear()
        with self.roles:
            for r in roles:
                self._role(r)
        self.wrong.set_content(_troubles(self.visit, self.duty, wrong))
        self._entered(entered)

    def _role(self, r: dict[str, Any]) -> None:
        with (
            ui.element("section")
            .classes("card duty-role" + (" gap" if r["gap"] else ""))
            .props(f"data-role={r['unit']}/{r['role']}")
        ):
            ui.html(_on_duty(self.visit, r), sanitize=False)
            if self.visit.may(Role.OPERATOR):
                with ui.element("div").classes("bar small"):
                    button(self.visit.say("override"), lambda: self._form(r), name=f"override-{r['unit']}-{r['role']}")
                    button(self.visit.say("hand_over"), lambda: self._note(r))

    def _form(self, r: dict[str, Any]) -> None:
        say, at = self.visit.say, self.visit.desk.clock.now()
        people = {p.id: self.visit.pick((p.zh, p.en)) for p in self.duty.people.persons.values() if p.active}
        own = {i: n for i, n in people.items() if self.duty.people.persons[i].unit == r["unit"]}
        on = {p["id"]: self.visit.pick((p["zh"], p["en"])) for p in r["now"]}
        fields = (
            Field("person", say("who_comes"), next(iter(own), ""), {**own, **people, "": say("nobody")}),
            Field("instead", say("in_place_of"), EVERYBODY, {EVERYBODY: say("everybody"), "": say("in_addition"), **on}),
            Field("start", say("from"), _shown(at, self.duty), kind="datetime-local", must=True),
            Field("until", say("until"), _shown(at + SHIFT, self.duty), kind="datetime-local", must=True),
            Field("reason", say("reason"), must=True),
        )

        def work(given: Given) -> Awaitable[object]:
            return self._written(lambda db, who: enter.override(db, self.duty.rosters, self._asked(r, given, who), self._now()))

        with self.place:
            Form(self.visit, f"{say('override')} · {self.visit.pick((r['zh'], r['en']))}", fields, work).open()

    def _asked(self, r: dict[str, Any], given: Given, who: Who) -> Entered:
        start, until = (instant(datetime.fromisoformat(given[k]), self.duty.zone) for k in ("start", "until"))
        return Entered(
            unit=r["unit"], role=r["role"], person=given["person"] or "", instead=given["instead"] or "", start=start,
            until=until, by=who.name, reason=given["reason"],
        )  # fmt: skip

    def _note(self, r: dict[str, Any]) -> None:
        def work(given: Given) -> Awaitable[object]:
            return self._written(
                lambda db, who: enter.hand_over(
                    db, self.duty.people, r["unit"], r["role"], who.name, given["text"], self._now()
                )
            )

        with self.place:
            fields = (Field("text", self.visit.say("note"), long=True, must=True),)
            Form(self.visit, self.visit.say("hand_over"), fields, work).open()

    def _entered(self, entered: list[dict[str, Any]]) -> None:
        self.entered.clear()
        with self.entered:
            ui.html(el("h2", self.visit.say("overrides")), sanitize=False)
            if not entered:
                ui.html(el("p", self.visit.say("none"), class_="quiet"), sanitize=False)
            for o in entered:
                with ui.element("div").classes("override" + (" gone" if o["cancelled"] else "")):
                    ui.html(_override(self.visit, self.duty, o), sanitize=False)
                    if not o["cancelled"] and o["until"] > self._now() and self.visit.may(Role.OPERATOR):
                        button(self.visit.say("take_back"), partial(self._take_back, o["id"]))

    def _take_back(self, override: int) -> None:
        def work(given: Given) -> Awaitable[object]:
            return self._written(lambda db, who: _cancel(db, override, who, given["reason"], self._now()))

        with self.place:
            fields = (Field("reason", self.visit.say("reason"), must=True),)
            Form(self.visit, self.visit.say("take_back"), fields, work).open()

    async def _written(self, work: Callable[[Connection, Who], Any]) -> object:
        """One transaction; then the rosters are looked at anew, as the HTTP interface does."""

        def whole(who: Who) -> Any:
            with self.visit.desk.database.write() as db:
                return work(db, who)

        made = await self.visit.act(Role.OPERATOR, whole)
        if made is not None:
            await self.visit.desk.look()
            await self.again()
        return made

    def _now(self) -> int:
        return self.visit.desk.clock.now()


def _read(visit: Visit, duty: Duty) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    at = visit.desk.clock.now()
    with visit.desk.database.read() as db:
        roles = board.overview(duty, at, db)
        for r in roles:
            r["notes"] = enter.notes(db, r["unit"], r["role"], at - board.NOTES, 1)
        wrong = board.troubles(gaps.troubles(duty.rosters, at, at + AHEAD, db))
        entered = [o for r in duty.rosters.roles for o in enter.history(db, *r, limit=SHOWN)]
    for trouble in wrong:  # what lasts begins now, and now moves on
        trouble["start"] = "" if parse(trouble["start"]) <= at else trouble["start"]
    wrong = [{k: v for k, v in t.items() if k != "end" or parse(v) < at + AHEAD} for t in wrong]
    return roles, wrong, sorted(entered, key=lambda o: -o["id"])[:SHOWN]


def _cancel(db: Connection, override: int, who: Who, reason: str, at: int) -> bool:
    enter.cancel(db, override, who.name, reason, at)
    return True


def _on_duty(visit: Visit, r: dict[str, Any]) -> Html:
    name = visit.pick((r["zh"], r["en"]))
    on = [el("b", visit.pick((p["zh"], p["en"])), class_="person") for p in r["now"]]
    until = f"{visit.say('until')} {local(parse(r['until']))}" if r["until"] else visit.say("always")
    after = ", ".join(visit.pick((p["zh"], p["en"])) for p in r["next"])
    note = r["notes"][0] if r["notes"] else None
    return join(
        el("h3", name),
        el("p", *on, class_="on-duty") if on else el("p", visit.say("nobody"), class_="late"),
        el("p", visit.say("fallback"), class_="late") if r["gap"] else None,
        el("p", until, f" · {visit.say('then')} {after}" if after else "", class_="quiet"),
        el("p", f"{note['by']}: {note['text']}", class_="note") if note else None,
    )


def _troubles(visit: Visit, duty: Duty, wrong: list[dict[str, Any]]) -> Html:
    """Gaps and the like of the days to come."""
    rows = [
        el("li", el("b", visit.say(f"flaw_{t['flaw']}"), class_="late" if t["flaw"] == "gap" else None), " ",
           f"{duty.people.units[t['unit']].zh if visit.lang == 0 else duty.people.units[t['unit']].en} · {t['role']} ",
           t["person"], " ", t["detail"], " ", local(parse(t["start"])) if t["start"] else visit.say("now"),
           f" – {local(parse(t['end']))}" if "end" in t else "")
        for t in wrong[:SHOWN]
    ]  # fmt: skip
    return card(visit.say("troubles"), el("ul", *rows, class_="plain") if rows else el("p", visit.say("none"), class_="quiet"))


def _override(visit: Visit, duty: Duty, o: dict[str, Any]) -> Html:
    name = duty.people.persons.get(o["person"])
    who = visit.pick((name.zh, name.en)) if name else visit.say("nobody")
    said = f"{local(o['start'])} – {local(o['until'])} · {o['reason']} ({o['by']})"
    back = f" · {visit.say('taken_back')}: {o['cancelled_by']}, {o['cancelled_because']}" if o["cancelled"] else ""
    return el("p", el("b", who), f" → {o['unit']}/{o['role']} · ", said, back)


def _shown(t: int, duty: Duty) -> str:
    """For an input of date and time."""
    return wall(t, duty.zone).isoformat(timespec="minutes")
