"""Small things that several pages show."""

from collections.abc import Iterable
from typing import Final

from alerts.case import Case
from alerts.console.html import Html, el, join
from alerts.console.visit import Visit
from alerts.console.words import LETTERS
from alerts.lifecycle import ASKING
from alerts.notice import EXERCISE
from alerts.texts import DOMAINS, LEVELS, STATES, hazard
from lifeline.model import Kind

KEPT: Final = 5000  # [1] lines


def badge(visit: Visit, level: str, *, ticket: bool = False) -> Html:
    """A level as a shape with a letter in a colour: any one of the three suffices to read it."""
    name = visit.say("unknown") if level == "UNKNOWN" else visit.pick(LEVELS[level])
    kind = "ticket" if ticket else level
    return el("span", el("i", visit.pick(LETTERS[level]), aria_hidden="true"), el("span", name, class_="name"),
              class_=f"level {kind}", title=name)  # fmt: skip


def case_badge(visit: Visit, c: Case) -> Html:
    """The level of a case; of one that is over, what it was."""
    return badge(visit, (c.level or c.peak).name, ticket=c.kind is Kind.TICKET)


def titled(visit: Visit, c: Case) -> str:
    """What it is, in one line."""
    return visit.pick(hazard(c.hazard))


def domain(visit: Visit, name: str) -> str:
    return visit.pick(DOMAINS.get(name, (name, name)))


def case_row(visit: Visit, c: Case) -> Html:
    """One line of a list of cases; drawn once for each language."""
    lines, key = visit.hall.lines, (visit.lang, c)
    if key not in lines:
        if len(lines) > KEPT:
            lines.clear()
        lines[key] = _case_row(visit, c)
    return lines[key]


def _case_row(visit: Visit, c: Case) -> Html:
    marks = ["asks"] if c.state in ASKING else []
    marks += ["exercise"] if c.hazard.startswith(EXERCISE) else []
    marks += ["over"] if not c.level else []
    by = c.acknowledged_by if c.state not in ASKING else ""
    return el(
        "a", case_badge(visit, c),
        el("span", el("b", titled(visit, c)), el("span", c.asset, class_="asset"), class_="what"),
        el("span", domain(visit, c.domain), " · ", c.district, class_="where"),
        el("span", visit.pick(STATES[c.state]), el("small", by) if by else None, class_="state"),
        el("span", visit.ago(c.onset), class_="age"),
        href=f"/console/case/{c.id}", class_=" ".join(["entry", (c.level or c.peak).name, c.kind, *marks]), data_id=c.id,
        data_risen=c.risen, role="listitem",
    )  # fmt: skip


def case_list(visit: Visit, cases: Iterable[Case], empty: str) -> Html:
    """Lines of cases, or a word that there are none."""
    rows = [case_row(visit, c) for c in cases]
    return el("div", *rows, role="list", class_="list") if rows else el("p", visit.say(empty), class_="empty")


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """A list of terms."""
    return el("dl", *(join(el("dt", k), el("dd", v)) for k, v in pairs if v not in ("", None)), class_="facts")


def card(title: str, *inner: object, **more: object) -> Html:
    """A box with a heading."""
    return el("section", el("h2", title), *inner, **{"class_": "card", **more})
