"""What stands around every page: navigation, what is open, who looks, and whether what is shown still holds."""

import json
from collections.abc import Awaitable, Sequence
from typing import Final

from nicegui import ui

from alerts.case import Case
from alerts.console.html import Html, el, join
from alerts.console.pages import PAGES, Page
from alerts.console.parts import badge
from alerts.console.pulse import Guest, Snapshot
from alerts.console.visit import Visit
from alerts.console.words import ROLES
from alerts.texts import hazard
from lifeline.model import Level

KEYS: Final = (("j k ↓ ↑", "key_move"), ("Enter", "key_open"), ("a", "key_ack"), ("/", "key_search"), ("Esc", "key_back"),
               ("t", "key_theme"), ("l", "key_language"), ("?", "key_help"))  # fmt: skip


async def show(visit: Visit, page: Page) -> None:
    """One page in its frame."""
    ui.add_head_html(_head(visit))
    ui.query("body").classes("wall" if page.bare else "")
    snapshot = await visit.hall.pulse.now()
    client = ui.context.client
    if not page.bare:
        ui.html(_top(visit, page, snapshot), sanitize=False, tag="header").classes("top")
    alarm = ui.html(_alarm(visit, snapshot), sanitize=False).classes("alarm")
    with ui.element("div").props("id=main tabindex=-1").classes(f"page page-{page.name}"):
        refresh = await page.build(visit, snapshot)
    if not page.bare:
        ui.html(_help(visit), sanitize=False)

    def told(now: Snapshot, up: Sequence[Case]) -> Awaitable[None] | None:
        if not page.bare:
            ui.run_javascript(f"lifeline.counts({json.dumps(_counts(now))})")
        alarm.set_content(_alarm(visit, now))
        if up:
            ui.run_javascript(f"lifeline.rose({json.dumps([_rose(visit, c) for c in up])})")
        return refresh(now) if refresh is not None else None

    visit.hall.pulse.join(client, Guest(visit.headers, visit.who.role, told), snapshot)
    ui.page_title(f"{visit.say(page.name)} · {visit.say('title', city=visit.desk.settings.city)}")


def _head(visit: Visit) -> str:
    said = {
        "language": "zh-CN" if visit.lang == 0 else "en", "theme": visit.theme, "live": visit.say("live"),
        "stale": visit.say("stale"), "stale_long": visit.say("stale_long", n="{n}"), "unready": visit.say("unready", n="{n}"),
        "sound": [visit.say("off"), visit.say("on")], "keys": {p.key: f"/console{p.path}" for p in PAGES if p.key},
        "zone": "Asia/Shanghai",
    }  # fmt: skip
    return (
        '<link rel="stylesheet" href="/console/static/console.css">'
        f"<script>window.LIFELINE={json.dumps(said, ensure_ascii=False)};"
        "document.documentElement.lang=LIFELINE.language;document.documentElement.dataset.theme=LIFELINE.theme</script>"
        '<script src="/console/static/console.js"></script><script src="/console/static/map.js"></script>'
    )


def _top(visit: Visit, page: Page, now: Snapshot) -> Html:
    links = [
        el("a", el("span", p.icon, class_="icon", aria_hidden="true"), el("span", visit.say(p.name)), href=f"/console{p.path}",
           aria_current="page" if p is page else None, title=f"g {p.key}", data_key=p.key)
        for p in PAGES if p.key and not p.bare
    ]  # fmt: skip
    role = visit.pick(ROLES[visit.who.role.name])
    return join(
        el("a", visit.say("skip"), href="#main", class_="skip"),
        el("a", el("span", class_="mark"), el("b", visit.desk.settings.city), href="/console/", class_="city"),
        el("div", *_tally(visit, now), class_="tally", id="tally", aria_live="polite"),
        el("nav", *links, aria_label=visit.say("navigation")),
        el("div", el("span", visit.say("live"), id="live", class_="live", role="status"), el("time", id="clock"),
           el("a", "▣", href="/console/wall", class_="button", title=visit.say("wall"), aria_label=visit.say("wall")),
           _button("sound", visit.say("sound"), "♪"), _button("theme", visit.say("theme"), "◐"),
           _button("language", visit.say("language"), visit.say("language")), _button("help", visit.say("help"), "?"),
           el("form", el("span", f"{visit.who.name} · {role}", class_="who"),
              el("button", visit.say("sign_out"), class_="plain"), method="post", action="/console/logout"),
           class_="tools"),
    )  # fmt: skip


def _button(name: str, label: str, shown: str) -> Html:
    return el("button", shown, type="button", id=f"do-{name}", class_="plain", aria_label=label, title=label)


def _tally(visit: Visit, now: Snapshot) -> list[Html]:
    """How many are open of each level; a click lists them."""
    return [_tallied(visit, level.name, n) for level, n in now.tally().items()]


def _tallied(visit: Visit, level: str, n: int) -> Html:
    there = f"/console/cases?level={level}&kind=hazard"
    number = el("b", n, data_level=level)
    return el("a", badge(visit, level), number, href=there, class_=None if n else "zero", title=visit.say("cases"))


def _counts(now: Snapshot) -> dict[str, int]:
    return {level.name: n for level, n in now.tally().items()}


def _alarm(visit: Visit, now: Snapshot) -> Html:
    """What is wrong with the monitoring itself: never a small thing."""
    if not now.wrong:
        return Html("")
    first = visit.say("blind") if now.blind else visit.say("unready", n=len(now.wrong))
    return el("p", el("b", first), el("span", "; ".join(now.wrong[:3])), el("a", visit.say("health"), href="/console/health"),
              role="alert")  # fmt: skip


def _rose(visit: Visit, c: Case) -> dict[str, str]:
    return {
        "id": c.id, "level": c.level.name, "title": f"{visit.pick(hazard(c.hazard))} · {c.asset}", "district": c.district,
        "red": str(c.level is Level.RED).lower(),
    }  # fmt: skip


def _help(visit: Visit) -> Html:
    rows = [el("tr", el("th", el("kbd", keys)), el("td", visit.say(word))) for keys, word in KEYS]
    rows += [
        el("tr", el("th", el("kbd", f"g {p.key}")), el("td", visit.say("key_go"), visit.say(p.name))) for p in PAGES if p.key
    ]
    return el("dialog", el("h2", visit.say("help")), el("table", *rows),
              el("form", el("button", "×", aria_label=visit.say("cancel")), method="dialog"), id="help")  # fmt: skip
