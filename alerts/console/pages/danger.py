"""One hidden danger: what is known, its log, and the acts that its state knows."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from nicegui import ui

from alerts.console.forms import Field, Form, Given, button
from alerts.console.html import Html, el
from alerts.console.parts import badge, card
from alerts.console.parts import facts as terms
from alerts.console.pulse import Snapshot
from alerts.console.visit import ZONE, Visit, local
from alerts.dangers import ledger
from alerts.dangers.danger import LISTS, MAY, MUSTS, NOTED, Deed, Facts
from alerts.dangers.ledger import UnknownDanger
from alerts.dangers.life import LAPSE, NEEDS, NEXT, REGISTER, Act, State
from alerts.dangers.names import COLUMNS, GRADES, SOURCES, STATES
from alerts.duty.wall import instant
from alerts.roles import Role
from alerts.texts import LEVELS, hazard
from alerts.users.access import Who

INSTANTS: Final = frozenset({"found", "deadline", "struck", "kept", "made", "updated"})
LONG: Final = frozenset({"description", "cause", "measures", "plan", "interim", "result"})
OFFERED: Final[dict[Act, tuple[str, ...]]] = {Act.CORRECT: ("place", "description", "cause", "measures", "unit", "person")}
NUMBERS: Final = frozenset({"lat", "lon"})


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None] | None] | None:
    """The danger of the address."""
    name = visit.place["danger"]
    try:
        known = await visit.read(ledger.one, visit.desk.database, name, now.at)
    except UnknownDanger:
        ui.html(el("p", visit.say("no_danger"), " ", el("a", visit.say("back"), href="/console/dangers"), class_="empty"),
                sanitize=False)  # fmt: skip
        return None
    place = ui.element("div")
    head, bar = ui.html(sanitize=False).classes("case-head"), ui.element("div").classes("bar")
    with ui.element("div").classes("case"):
        left, right = ui.html(sanitize=False).classes("case-left"), ui.html(sanitize=False).classes("case-right")
    last = [now.trail, -1]

    def draw(d: dict[str, Any]) -> None:
        head.set_content(_head(visit, d))
        left.set_content(_facts(visit, d))
        right.set_content(_log(visit, d))
        if d["version"] != last[1]:
            last[1] = d["version"]
            bar.clear()
            with bar:
                _acts(visit, d, place, again)

    async def again() -> None:
        draw(await visit.read(ledger.one, visit.desk.database, name, visit.desk.clock.now()))

    def refresh(snapshot: Snapshot) -> Awaitable[None] | None:
        if snapshot.trail == last[0]:
            return None
        last[0] = snapshot.trail
        return again()

    draw(known)
    return refresh


def _acts(visit: Visit, d: dict[str, Any], place: ui.element, again: Callable[[], Awaitable[None]]) -> None:
    """A button for each act that the state knows and the role may do."""
    for act in Act:
        if act in {REGISTER, LAPSE} or (State(d["state"]), act) not in NEXT or not visit.may(NEEDS[act]):
            continue

        def show(act: Act = act) -> None:
            with place:
                _form(visit, d, act, again).open()

        button(
            visit.say(f"danger_{act.value}"),
            show,
            name=f"act-{act.value}",
            main=act.value in {"assess", "assign", "start", "finish", "accept"},
        )


def _form(visit: Visit, d: dict[str, Any], act: Act, again: Callable[[], Awaitable[None]]) -> Form:
    """What the act must say, then what it may."""
    musts = MUSTS.get(act, ())
    may = OFFERED.get(act, MAY.get(act, ()))
    names = [*musts, *(n for n in may if n not in musts and n not in NUMBERS and n not in {"found", "source"})]
    fields = [_field(visit, d, n, must=n in musts, fill=act is not Act.CORRECT) for n in names]
    fields.append(Field("note", visit.say("note"), long=True, must=act in NOTED))

    async def work(given: Given) -> object:
        made = await visit.act(Role.OPERATOR, lambda who: _do(visit, d["id"], act, given, who))
        if made is not None:
            await again()
        return made

    return Form(visit, visit.say(f"danger_{act.value}"), tuple(fields), work, danger=act in {Act.DISMISS, Act.REJECT})


def _field(visit: Visit, d: dict[str, Any], name: str, *, must: bool, fill: bool) -> Field:
    label = visit.pick(COLUMNS.get(name, (name, name)))
    had = d.get(name) if fill and name not in LISTS else ""
    if name == "grade":
        return Field(name, label, had or "general", {g: visit.pick(p) for g, p in GRADES.items()}, must=must)
    if name == "colour":
        return Field(
            name, label, had or "YELLOW", {c: visit.pick(LEVELS[c]) for c in ("RED", "ORANGE", "YELLOW", "BLUE")}, must=must
        )
    if name == "deadline":
        return Field(name, label, kind="datetime-local", must=must)
    hint = visit.say("one_a_line") if name in LISTS else ""
    return Field(name, label, had or "", long=name in LONG or name in LISTS, must=must, hint=hint)


def _do(visit: Visit, danger: str, act: Act, given: Given, who: Who) -> object:
    said: dict[str, Any] = {}
    for name, value in given.items():
        if name == "note" or value in (None, ""):
            continue
        if name == "deadline":
            said[name] = instant(datetime.fromisoformat(value), ZONE)
        else:
            said[name] = [x.strip() for x in value.splitlines() if x.strip()] if name in LISTS else value
    facts = msgspec.convert(said, Facts)
    deed = Deed(act, visit.desk.clock.now(), who.name, given.get("note") or "", facts)
    return ledger.do(visit.desk.database, danger, deed, who.role, who.person)


def _head(visit: Visit, d: dict[str, Any]) -> Html:
    colour = badge(visit, d["colour"]) if d["colour"] else None
    state = el("b", visit.pick(STATES[State(d["state"])]), class_="state")
    late = el("b", f" {visit.say('late')}", class_="late") if d["late"] else None
    return el("div", el("h1", colour, el("span", d["place"]), el("code", d["id"])), el("p", state, late))


def _facts(visit: Visit, d: dict[str, Any]) -> Html:
    pairs: list[tuple[str, object]] = []
    for name, pair in COLUMNS.items():
        if name not in {"id", "state"} and d.get(name) not in (None, "", [], (), 0):
            pairs.append((visit.pick(pair), _value(visit, name, d[name])))
    if visit.may(Role.OPERATOR) and d["contact"]:
        pairs.append((visit.say("contact"), d["contact"]))
    return card(visit.say("facts"), terms(pairs))


def _value(visit: Visit, name: str, value: Any) -> object:
    if name in INSTANTS:
        return local(value)
    named = {"grade": GRADES, "source": SOURCES, "colour": LEVELS}.get(name, {})
    if value in named:
        return visit.pick(named[value])
    if name == "hazard":
        return visit.pick(hazard(value))
    if name == "warning":
        return el("a", value, href=f"/console/case/{value}")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _log(visit: Visit, d: dict[str, Any]) -> Html:
    rows = [_entry(visit, r) for r in reversed(d["log"])]
    return card(visit.say("timeline"), el("ol", *rows, class_="timeline"))


def _entry(visit: Visit, r: dict[str, Any]) -> Html:
    note = el("em", r["note"]) if r["note"] else None
    act = el("b", visit.say(f"danger_{r['act']}"))
    return el("li", el("time", local(r["at"])), " ", act, el("span", f" {r['by']}", class_="by"), note, class_="event")
