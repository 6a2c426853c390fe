"""Series that are judged alike: same quantity, step and domain; and the rules that apply to them, with their memory."""

from dataclasses import dataclass

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Floats, Ints, Rows, Rule
from pipeline.grid import Grid, grid
from pipeline.stepping import Standing, fitted, standing


@dataclass
class Line:
    """One rule over the series of one group, or over the assets of one grid."""

    name: str  # stable over restarts: rule id and group
    rule: Rule
    standing: Standing

    def forget(self, place: Ints) -> None:
        """Send series back to their warm-up; their levels stand."""
        for whole, new in zip(self.standing.memory, self.rule.detector.init(place.size), strict=True):
            whole[place] = new


@dataclass
class Group:
    """Series of one domain, quantity and step."""

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


def applies(rule: Rule, domain: str, quantity: str, *, held: bool) -> bool:
    """Whether a rule of single series is meant for such series."""
    return (
        not rule.detector.channels
        and rule.domain in (None, domain)
        and rule.quantity in ("*", quantity)
        and (rule.held or not held)
    )


def groups(catalog: Catalog, rules: list[Rule]) -> list[Group]:
    """Every series of the catalog stands in exactly one group."""
    held = np.isfinite(catalog.hold)
    label = np.array(
        [
            f"{d}/{q}/{s:g}{'/held' if h else ''}"
            for d, q, s, h in zip(catalog.domain, catalog.quantity, catalog.step, held, strict=True)
        ]
    )
    made = []
    for name, first in zip(*np.unique(label, return_index=True), strict=True):
        rows = np.flatnonzero(label == name).astype(np.int32)
        step = float(catalog.step[first])
        mine = [
            fitted(r, step) for r in rules if applies(r, catalog.domain[first], catalog.quantity[first], held=bool(held[first]))
        ]
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
