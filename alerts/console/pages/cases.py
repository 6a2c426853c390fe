"""Open cases: what asks first stands first; filters, all of them in the address."""

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlencode

from nicegui import ui

from alerts import queries
from alerts.case import Case
from alerts.console.html import Html, el, join
from alerts.console.parts import case_list, domain, titled
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit
from alerts.lifecycle import State
from alerts.texts import LEVELS, STATES, hazard
from lifeline.model import Level

MOST: Final = 200  # [1] lines shown at once
FILTERS: Final = ("level", "kind", "domain", "district", "state", "asset", "text")
SORTS: Final[dict[str, Callable[[Case], tuple[object, ...]]]] = {
    "new": lambda c: (-c.onset,),
    "old": lambda c: (c.onset,),
    "place": lambda c: (c.domain, c.district, c.asset),
}


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], None]:
    """The list and its filters."""
    chosen = {name: visit.query.get(name, "") for name in (*FILTERS, "sort", "closed")}
    closed: list[Case] = []
    if chosen["closed"]:
        closed = await visit.read(lambda: queries.listed(visit.desk.database, live=False, limit=1000, states={State.QUIET}))
    latest = [now]
    _bar(visit, now, chosen, lambda: draw(latest[0]))
    head = ui.html(sanitize=False).classes("count")
    shown = ui.html(sanitize=False)

    def draw(snapshot: Snapshot) -> None:
        latest[0] = snapshot
        fit = ordered(fitting(visit, (*snapshot.cases, *closed), chosen), chosen["sort"])
        head.set_content(_count(visit, len(fit), len(snapshot.cases) + len(closed)))
        empty = "none_fit" if snapshot.cases else "all_quiet"
        shown.set_content(case_list(visit, fit[:MOST], empty))

    draw(now)
    return draw


def fitting(visit: Visit, cases: Iterable[Case], chosen: dict[str, str]) -> list[Case]:
    """Those that the filters let pass."""
    words = chosen["text"].casefold().split()
    exact = [(name, chosen[name]) for name in ("kind", "domain", "district", "state", "asset") if chosen[name]]
    return [
        c for c in cases
        if all(getattr(c, name) == value for name, value in exact)
        and (not chosen["level"] or (c.level or c.peak).name == chosen["level"])
        and (not words or _said(visit, c, words))
    ]  # fmt: skip


def ordered(cases: list[Case], sort: str) -> list[Case]:
    """As they come, or otherwise."""
    return sorted(cases, key=SORTS[sort]) if sort in SORTS else cases


def _said(visit: Visit, c: Case, words: list[str]) -> bool:
    both = hazard(c.hazard)
    text = " ".join((*both, c.asset, c.district, c.owner, c.id, titled(visit, c), c.acknowledged_by or "")).casefold()
    return all(w in text for w in words)


def _count(visit: Visit, n: int, total: int) -> Html:
    return join(el("b", visit.say("shown", n=min(n, MOST), all=n)), " ", el("span", f"({total})") if n != total else None)


def _bar(visit: Visit, now: Snapshot, chosen: dict[str, str], changed: Callable[[], None]) -> None:
    """What can be chosen. The address follows, so that it can be kept and sent."""
    say, all_ = visit.say, {"": visit.say("all")}
    domains = sorted({*visit.hall.ground.domain, *(c.domain for c in now.cases)})
    fields = {
        "level": {level.name: visit.pick(LEVELS[level.name]) for level in sorted(Level, reverse=True) if level},
        "kind": {"hazard": say("hazards_only"), "ticket": say("tickets_only")},
        "domain": {d: domain(visit, d) for d in domains},
        "district": {d: d for d in visit.hall.ground.districts},
        "state": {s.value: visit.pick(STATES[s]) for s in State if s is not State.QUIET},
    }

    def choose(name: str, value: str | None) -> None:
        chosen[name] = value or ""
        kept = urlencode({k: v for k, v in chosen.items() if v})
        ui.run_javascript(f"history.replaceState(null,'','?'+{kept!r})")
        changed()

    with ui.element("div").classes("filters").props("role=search"):
        text = ui.input(say("search"), value=chosen["text"], on_change=lambda e: choose("text", e.value))
        text.props("dense outlined clearable debounce=200 input-class=search").classes("wide")
        for name, options in fields.items():
            choice = all_ | options
            value = chosen[name] if chosen[name] in choice else ""
            ui.select(choice, label=say(name), value=value, on_change=lambda e, n=name: choose(n, e.value)).props(
                "dense outlined"
            )
        sorts = {"": say("sort_grave"), **{name: say(f"sort_{name}") for name in SORTS}}
        ui.select(sorts, label=say("sort"), value=chosen["sort"] if chosen["sort"] in sorts else "",
                  on_change=lambda e: choose("sort", e.value)).props("dense outlined")  # fmt: skip
        more = "" if chosen["closed"] else "?closed=1"
        ui.html(join(el("a", say("reset") if more == "" else say("closed_too"), href=f"/console/cases{more}", class_="button")),
                sanitize=False)  # fmt: skip
    if chosen["asset"]:
        ui.html(el("p", say("asset"), ": ", el("b", chosen["asset"]), " ", el("a", say("reset"), href="/console/cases")),
                sanitize=False)  # fmt: skip
