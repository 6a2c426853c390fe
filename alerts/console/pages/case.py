"""One case: why it stands, what to do, who has been told and who is next, and the buttons of whoever may."""

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from alerts.console import dossier, evidence
from alerts.console.case_acts import Acts
from alerts.console.case_views import alike, calls, facts, incident, messages, nearest, steps, timeline
from alerts.console.dossier import Dossier
from alerts.console.html import el
from alerts.console.parts import case_badge, titled
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit
from alerts.states import said
from alerts.texts import STATES
from lifeline.model import NS

OFTEN: Final = 4 * NS  # [ns] between looks at what is said and sent of a case that does not move


async def build(visit: Visit, now: Snapshot) -> Callable[[Snapshot], Awaitable[None] | None] | None:
    """The case of the address."""
    warning = visit.place["case"]
    known = await visit.read(dossier.read, visit.desk, warning)
    if known is None:
        ui.html(
            el("p", visit.say("gone"), " ", el("a", visit.say("back"), href="/console/cases"), class_="empty"), sanitize=False
        )
        return None
    page = _Page(visit, known, now)

    def refresh(snapshot: Snapshot) -> Awaitable[None] | None:
        here = next((c for c in snapshot.cases if c.id == warning), None)
        moved = here is None or here.updated != page.known.case.updated
        if not moved and (snapshot.trail == page.trail or snapshot.at - page.at < OFTEN):
            return None
        page.at, page.trail = snapshot.at, snapshot.trail
        return page.again()

    return refresh


class _Page:
    """The elements of the page, and what they show."""

    def __init__(self, visit: Visit, known: Dossier, now: Snapshot) -> None:
        self.visit, self.known, self.at, self.trail = visit, known, now.at, now.trail
        self.drawn: list[str] = []
        with ui.element("div").classes("case"):
            self.head = ui.html(sanitize=False).classes("case-head")
            self.bar = ui.element("div").classes("bar")
            with ui.element("div").classes("case-left"):
                self.why = ui.element("div").classes("card")
                self.facts = ui.html(sanitize=False)
                self.incident = ui.html(sanitize=False)
                with ui.element("section").classes("card plan"):
                    ui.html(el("h2", visit.say("plan")), sanitize=False)
                    ui.markdown(visit.pick((known.plan.zh, known.plan.en)), extras=["cuddled-lists"])
                ui.html(nearest(visit, known.near), sanitize=False)
            with ui.element("div").classes("case-right"):
                self.calls, self.steps = ui.html(sanitize=False), ui.html(sanitize=False)
                self.messages, self.timeline = ui.html(sanitize=False), ui.html(sanitize=False)
                ui.html(alike(visit, known.alike), sanitize=False)
        self.acts = Acts(visit, self.bar)
        self.draw()

    async def again(self) -> None:
        """Read and draw anew."""
        found = await self.visit.read(dossier.read, self.visit.desk, self.known.case.id)
        if found is not None:
            self.known = found
            self.draw()

    def draw(self) -> None:
        """All that may have changed."""
        visit, k = self.visit, self.known
        title = el("h1", case_badge(visit, k.case), el("span", titled(visit, k.case)), el("span", k.case.asset, class_="asset"))
        state = el("p", el("b", visit.pick(STATES[k.case.state]), class_=f"state {k.case.state}"), " · ",
                   visit.pick((k.case.zh, k.case.en)))  # fmt: skip
        self.head.set_content(el("div", title, state, data_state=k.case.state.value, data_level=k.case.level.name))
        self.facts.set_content(facts(visit, k))
        self.incident.set_content(incident(visit, k))
        self.calls.set_content(calls(visit, k))
        self.steps.set_content(steps(visit, k))
        self.messages.set_content(messages(visit, k))
        self.timeline.set_content(timeline(visit, k))
        self.acts.draw(k.case)
        self._charts()

    def _charts(self) -> None:
        """Only where the readings are others: a chart that is made anew flickers."""
        shown = [f"{g.key} {g.rule} {g.t}" for g in self.known.grounds]
        if shown == self.drawn and shown:
            return
        self.drawn = shown
        self.why.clear()
        with self.why:
            ui.html(el("h2", self.visit.say("evidence")), sanitize=False)
            good = [g for g in self.known.grounds if evidence.drawable(g)]
            for i, g in enumerate(good):
                ui.html(el("h3", evidence.title(self.visit, g)), sanitize=False)
                ui.echart(evidence.options(self.visit, g), renderer="svg").classes("plot" if i == 0 else "plot small")
            notes = [g for g in self.known.grounds if g.evidence.note]
            for g in notes:
                ui.html(
                    el("p", el("b", evidence.title(self.visit, g)), ": ", self.visit.pick(said(g.evidence.note))),
                    sanitize=False,
                )
            if not good and not notes:
                ui.html(el("p", self.visit.say("no_evidence"), class_="empty"), sanitize=False)
