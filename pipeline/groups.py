"""Series that are judged alike: same domain, step and rules; and the rules that apply to them, with their memory."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from detectors.rulebook import OTHER, covered, generic
from lifeline.catalog import Catalog
from lifeline.model import Bools, Floats, Ints, Rows, Rule, is_panel
from pipeline.grid import Grid, grid
from pipeline.stepping import Standing, fitted, standing

REST: Final = "rest"  # in place of the quantity, in the name of a group: those that no rule names


@dataclass(slots=True)
class Line:
    """One rule over the series of one group or one panel, or over the assets of one grid."""

    of: str  # name of these
    rule: Rule
    standing: Standing
    judged: Bools | None = None  # [n] members of a panel that may be given a score; None: it is no panel's
    lead: "Line | None" = None  # an earlier line of the same panel whose detector remembers the same

    @property
    def name(self) -> str:
        """Stable over restarts: rule id and group."""
        return f"{self.rule.id}|{self.of}"

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


class Like(NamedTuple):
    """What decides which rules are meant for a single series."""

    domain: str
    quantity: str
    asset_type: str
    held: bool


def likes(catalog: Catalog) -> list[Like]:
    """Of every series. [n]"""
    held = np.isfinite(catalog.hold).tolist()
    return [Like(*x) for x in zip(catalog.domain, catalog.quantity, catalog.asset_type, held, strict=True)]


def meant(rules: Sequence[Rule], like: Like) -> list[Rule]:
    """The rules of single series that are meant for such series, as they are meant."""
    return list(_meant(rules, like))


def _meant(rules: Sequence[Rule], like: Like) -> Iterator[Rule]:
    named = covered(rules)
    for rule in rules:
        if rule.detector.channels or is_panel(rule.detector) or not suits(rule, like):
            continue
        if rule.quantity in ("*", like.quantity):
            yield rule
        elif rule.quantity == OTHER and (made := generic(rule, like.domain, like.quantity, named)):
            yield made


def suits(rule: Rule, like: Like) -> bool:
    """Whether a rule may judge such series, whatever they measure."""
    typed = like.asset_type in rule.asset_types if rule.asset_types else like.asset_type not in rule.except_asset_types
    return typed and rule.domain in (None, like.domain) and (rule.held or not like.held)


def quantity(mine: Sequence[Rule], name: str, known: set[str]) -> str:
    """What stands for a quantity in the name of its group: its own name where a rule names it."""
    if name in known:
        return name
    general = [r.mode for r in mine if r.quantity == OTHER]
    return "-".join([OTHER, *dict.fromkeys(general)]) if general else REST


def naming(like: Like, quantity: str, typed: Collection[tuple[str, str]]) -> str:
    """Name of the group of such series, but for their step. typed: quantity and type of asset that some rule tells apart"""
    kind = f"/{like.asset_type}" if (like.quantity, like.asset_type) in typed else ""
    return f"{like.domain}/{quantity}/{{step}}{kind}{'/held' if like.held else ''}"


def groups(catalog: Catalog, rules: list[Rule]) -> list[Group]:
    """Every series of the catalog stands in exactly one group."""
    alike = likes(catalog)
    book = {like: meant(rules, like) for like in set(alike)}
    known = {r.quantity for r in rules}
    typed = {(r.quantity, name) for r in rules for name in (*r.asset_types, *r.except_asset_types)}
    part = {like: naming(like, quantity(book[like], like.quantity, known), typed) for like in book}
    label = np.array([part[like].format(step=f"{s:g}") for like, s in zip(alike, catalog.step, strict=True)])
    made = []
    for name, first in zip(*np.unique(label, return_index=True), strict=True):
        rows = np.flatnonzero(label == name).astype(np.int32)
        step = float(catalog.step[first])
        mine = [fitted(r, step) for r in book[alike[first]]]
        lines = [Line(name, r, standing(r, rows.size)) for r in mine]
        made.append(
            Group(
                name,
                rows,
                step,
                alike[first].held,
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
        joint.lines.append(Line(joint.name, rule, standing(rule, len(joint.grid.assets))))
    return [j for j in made.values() if j.grid.assets]
