"""How the monitoring itself is: what makes the desk unready, who is heard, what waits to be sent, what is not heard."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from nicegui import ui
from sqlalchemy import func, select

from alerts import queries
from alerts.case import Case
from alerts.console.html import Html, el
from alerts.console.parts import card, case_list
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit, local
from alerts.console.words import NOTICES
from alerts.queries import Beat
from alerts.tables import holds, outbox
from alerts.texts import hazard
from lifeline.model import NS, Kind

SHOWN: Final = 100  # [1] silent sensors
DAY: Final = 86_400 * NS


class Found(NamedTuple):
    """What is asked of the database."""

    at: int  # [ns]
    beats: dict[str, Beat]
    sent: list[Any]  # channel, state, n, oldest
    held: list[Any]  # asset, hazard, due


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None]]:
    """Checks, processes, channels, silent sensors, cases that are held."""
    checks = ui.html(sanitize=False)
    with ui.element("div").classes("cards"):
        beats, channels, held = (ui.html(sanitize=False) for _ in range(3))
    silent = ui.html(sanitize=False)

    async def draw(snapshot: Snapshot) -> None:
        found = await visit.read(_read, visit)
        checks.set_content(_checks(visit, snapshot))
        beats.set_content(_beats(visit, found))
        channels.set_content(_channels(visit, found))
        held.set_content(_held(visit, found))
        blind = [c for c in snapshot.cases if c.kind is Kind.TICKET]
        silent.set_content(_tickets(visit, blind))

    await draw(now)
    return draw


def _read(visit: Visit) -> Found:
    at = visit.desk.clock.now()
    sums = select(outbox.c.channel, outbox.c.state, func.count().label("n"), func.min(outbox.c.made).label("oldest"))
    with visit.desk.database.read() as db:
        recent = sums.where((outbox.c.state == "waiting") | (outbox.c.made > at - DAY))
        sent = db.execute(recent.group_by(outbox.c.channel, outbox.c.state)).all()
        held = db.execute(select(holds.c.asset, holds.c.hazard, holds.c.due).order_by(holds.c.due)).all()
    return Found(at, queries.beats(visit.desk.database), list(sent), list(held))


def _checks(visit: Visit, now: Snapshot) -> Html:
    if not now.wrong:
        return card(visit.say("checks"), el("p", f"✓ {visit.say('all_well')}", class_="well"))
    return card(visit.say("checks"), el("ul", *(el("li", f"! {why}", class_="late") for why in now.wrong), class_="plain"))


def _beats(visit: Visit, found: Found) -> Html:
    """A process that was never heard is there too."""
    rows = []
    for name in sorted({*visit.desk.settings.sources, *found.beats}):
        b = found.beats.get(name)
        late = b is None or (found.at - b.at) / NS > visit.desk.settings.silence
        said = el("span", visit.say("never_heard")) if b is None else visit.ago(b.at)
        lag = f"{b.lag:.1f} s" if b and b.lag is not None else "–"
        why = "; ".join(b.reasons) if b else ""
        rows.append(el("tr", el("th", name), el("td", said, class_="late" if late else "well"), el("td", lag), el("td", why)))
    head = el("tr", *(el("th", x) for x in ("", visit.say("heard"), visit.say("lag"), visit.say("says"))))
    return card(visit.say("processes"), el("table", el("thead", head), el("tbody", *rows), class_="grid"))


def _channels(visit: Visit, found: Found) -> Html:
    """What waits, and what became of the notices of a day."""
    states = list(NOTICES)
    known = {(r.channel, r.state): r for r in found.sent}
    rows = []
    for name in sorted({*visit.desk.outbox.channels, *(r.channel for r in found.sent)}):
        waits = known.get((name, "waiting"))
        age = visit.ago(waits.oldest) if waits else "–"
        counts = [_count(known[name, s].n if (name, s) in known else 0, s) for s in states]
        rows.append(el("tr", el("th", name), *counts, el("td", age)))
    head = el("tr", el("th"), *(el("th", visit.pick(NOTICES[s]), class_="n") for s in states), el("th", visit.say("oldest")))
    return card(visit.say("channels"), el("table", el("thead", head), el("tbody", *rows), class_="grid"))


def _count(n: int, state: str) -> Html:
    return el("td", n or "·", class_=f"n fate {state}" if n else "n nil")


def _held(visit: Visit, found: Found) -> Html:
    rows = [el("li", visit.pick(hazard(h.hazard)), f" · {h.asset} · {local(h.due)}") for h in found.held[:SHOWN]]
    return card(visit.say("held"), el("ul", *rows, class_="plain") if rows else el("p", visit.say("none"), class_="quiet"))


def _tickets(visit: Visit, cases: list[Case]) -> Html:
    """Sensors in doubt: silent, stuck, drifting."""
    return card(f"{visit.say('sensors')} ({len(cases)})", case_list(visit, cases[:SHOWN], "none"))
