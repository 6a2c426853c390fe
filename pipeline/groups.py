"""Series that are judged alike: same domain, step and rules; and the rules that apply to them, with their memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.rulebook import OTHER, covered, generic
from lifeline.catalog import Catalog
from lifeline.model import Bools, Floats, Ints, Rows, Rule, is_panel
from pipeline.grid import Grid, grid
from pipeline.stepping import Standing, fitted, standing

REST: Final = "rest"  # in place of the quantity, in the name of a group: those that no rule names


@dataclass
class Line:
    """One rule over the series of one group or one panel, or over the assets of one grid."""

    name: str  # stable over restarts: rule id and group
    rule: Rule
    standing: Standing
    judged: Bools | None = None  # [n] members of a panel that may be given a score; None: it is no panel's

    def forget(self, place: Ints) -> None:
        """Send series back to their warm-up; their levels stand."""
        for whole, new in zip(self.standing.memory, self.rule.detector.init(place.size), strict=True):
            whole[place] = new


@dataclass
class Group:
    """Series of one domain and step that the same rules judge: of one quantity, or of all that only generic rules judge."""

    name: str
    rows: Rows  # [n] catalog rows
    step: float  # [s]
    held: bool  # event-like: the last state stands
    rated: Floats  # [n] [SI]
    values: list[Line]  # rules that judge readings
    ages: list[Line]  # rules that judge silence

    def index(self, place: Ints) -> slice | Ints:
        """All series in their order are a slice: no gather, no scatter."""
        whole = place.size == self.rows.size and bool((place == np.arange(place.size)).all())
        return slice(None) if whole else place


@dataclass
class Joint:
    """Assets whose channels are judged together."""

    name: str
    domain: str
    grid: Grid
    lines: list[Line]


def meant(rules: Sequence[Rule], domain: str, quantity: str, held: bool) -> list[Rule]:  # noqa: FBT001  a key of a table
    """The rules of single series that are meant for such series, as they are meant."""
    return list(_meant(rules, domain, quantity, held=held))


def _meant(rules: Sequence[Rule], domain: str, quantity: str, *, held: bool) -> Iterator[Rule]:
    named = covered(rules)
    for rule in rules:
        if rule.detector.channels or is_panel(rule.detector) or rule.domain not in (None, domain) or (held and not rule.held):
            continue
        if rule.quantity in ("*", quantity):
            yield rule
        elif rule.quantity == OTHER and (made := generic(rule, domain, quantity, named)):
            yield made


def quantity(mine: Sequence[Rule], name: str, known: set[str]) -> str:
    """What stands for a quantity in the name of its group: its own name where a rule names it."""
    if name in known:
        return name
    general = [r.mode for r in mine if r.quantity == OTHER]
    return "-".join([OTHER, *dict.fromkeys(general)]) if general else REST


def groups(catalog: Catalog, rules: list[Rule]) -> list[Group]:
    """Every series of the catalog stands in exactly one group."""
    held = np.isfinite(catalog.hold)
    book = {pair: meant(rules, *pair) for pair in set(zip(catalog.domain, catalog.quantity, held.tolist(), strict=True))}
    known = {r.quantity for r in rules}
    label = np.array(
        [
            f"{d}/{quantity(book[d, q, h], q, known)}/{s:g}{'/held' if h else ''}"
            for d, q, s, h in zip(catalog.domain, catalog.quantity, catalog.step, held.tolist(), strict=True)
        ]
    )
    made = []
    for name, first in zip(*np.unique(label, return_index=True), strict=True):
        rows = np.flatnonzero(label == name).astype(np.int32)
        step = float(catalog.step[first])
        mine = [fitted(r, step) for r in book[catalog.domain[first], catalog.quantity[first], bool(held[first])]]
        lines = [Line(f"{r.id}|{name}", r, standing(r, rows.size)) for r in mine]
        made.append(
            Group(
                name,
                rows,
                step,
                bool(held[first]),
                catalog.rated[rows],
                [x for x in lines if x.rule.detector.judges == "value"],
                [x for x in lines if x.rule.detector.judges == "age"],
            )
        )
    return made


def joints(catalog: Catalog, rules: list[Rule]) -> list[Joint]:
    """One grid for each set of channels that some rule judges together."""
    made: dict[tuple[str | None, tuple[str, ...]], Joint] = {}
    for rule in rules:
        channels = rule.detector.channels
        if not channels:
            continue
        at = (rule.domain, channels)
        if at not in made:
            name = f"{rule.domain or 'any'}/{'+'.join(channels)}"
            made[at] = Joint(name, rule.domain or "", grid(catalog, rule.domain, channels), [])
        joint = made[at]
        joint.lines.append(Line(f"{rule.id}|{joint.name}", rule, standing(rule, len(joint.grid.assets))))
    return [j for j in made.values() if j.grid.assets]
