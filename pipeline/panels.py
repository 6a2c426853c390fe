"""Panels: series that one detector judges together, those of an asset, a district or a whole domain, on slots."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from detectors.rulebook import OTHER, covered, generic
from lifeline.catalog import Catalog, Texts
from lifeline.model import NS, Bools, Detector, Floats, Ints, Members, Mode, Rows, Rule, is_panel
from lifeline.model import Panel as Judge
from pipeline.evidence import KEPT
from pipeline.groups import Line
from pipeline.slots import Slots
from pipeline.stepping import standing

LEAST: Final = 2.0  # [s] a slot waits for its readings, at least
MOST: Final = 60.0  # [s] and at most, but for devices that rest between their messages
SHARE: Final = 0.1  # [1] of its length, between these
HOUR: Final = 3600.0  # [s]
RESTING: Final = 3600.0  # [s] longest rest of a device that others wait for
TURNS: Final = (
    16  # [1] groups that panels of slots of an hour or more are judged in, by their names, so that no second has all to do
)
TURN: Final = 30.0  # [s] between them
STANDS: Final = 1.5  # [step] a series slower than the slot stands for

NEVER: Final = np.zeros(KEPT, np.int64)  # [KEPT] [ns] ends of slots of which none has closed

Maps = Mapping[str, Path]  # asset, district or domain -> file of its pipes or its network


@dataclass(slots=True)
class Panel:
    """Some series on slots, and the rules that judge them together."""

    name: str  # stable over restarts
    rows: Rows  # [n] catalog rows, ascending
    slots: Slots
    index: Ints  # [n] their positions there
    lines: list[Line]
    x: NDArray[np.float32] = field(init=False)  # [n, KEPT] [SI] the last slots, oldest first; what a warning shows
    t: Ints = field(init=False)  # [KEPT] [ns] their ends; those of panels on the same slots may be one array

    def __post_init__(self) -> None:
        self.x = np.full((self.rows.size, KEPT), np.nan, np.float32)
        self.t = NEVER

    def keep(self, t: Ints, x: Floats) -> None:
        """Remember slots. t [KEPT] with them, x [n, k]"""
        k = min(x.shape[1], KEPT)
        new = np.empty_like(self.x)
        new[:, : KEPT - k], new[:, KEPT - k :] = self.x[:, k:], x[:, x.shape[1] - k :]
        self.x, self.t = new, t


class Found(NamedTuple):
    """One rule over one panel to be."""

    rule: Rule  # its detector settled
    name: str
    rows: Rows
    judged: Bools  # [n]
    slot: float  # [s]
    wait: float  # [s]


def panels(catalog: Catalog, rules: Sequence[Rule], maps: Maps) -> tuple[list[Slots], list[Panel]]:
    """All panels of a city, and the slots that they share."""
    known: dict[tuple[str, Detector, Mode], Rule] = {}
    found = [alike(f, known) for rule in rules for f in found_by(rule, rules, catalog, maps)]
    slots: dict[tuple[float, float], Slots] = {}
    for slot, wait in dict.fromkeys((f.slot, f.wait) for f in found):
        rows = np.unique(np.concatenate([f.rows for f in found if (f.slot, f.wait) == (slot, wait)]))
        slots[slot, wait] = opened(catalog, rows.astype(np.int32), slot, wait)
    made: dict[tuple[str, float, float, bytes], Panel] = {}
    masks: dict[bytes, Bools] = {}  # one for all panels that it suits
    for f in found:
        at = (f.name, f.slot, f.wait, f.rows.tobytes())
        if at not in made:
            own = slots[f.slot, f.wait]
            made[at] = Panel(f.name, f.rows, own, own.place[f.rows].astype(np.int64), [])
        lines = made[at].lines
        line = Line(made[at].name, f.rule, standing(f.rule, f.rows.size), masks.setdefault(f.judged.tobytes(), f.judged))
        line.lead = next((other for other in lines if other.lead is None and akin(other.rule, f.rule)), None)
        if line.lead is not None:
            line.standing.memory = line.lead.standing.memory
        lines.append(line)
    return list(slots.values()), list(made.values())


def alike(f: Found, known: dict[tuple[str, Detector, Mode], Rule]) -> Found:
    """The same with a rule that other panels have too, if there is one: a city may have a hundred thousand of them."""
    try:
        return f._replace(rule=known.setdefault((f.rule.id, f.rule.detector, f.rule.mode), f.rule))
    except TypeError:  # a detector that holds arrays has no hash
        return f


def akin(a: Rule, b: Rule) -> bool:
    """Whether two rules over the same series remember the same."""
    one, other = (getattr(r.detector, "kin", None) for r in (a, b))
    return one is not None and one == other and a.relative == b.relative


def opened(catalog: Catalog, rows: Rows, slot: float, wait: float) -> Slots:
    """Slots for these series, into which nothing has come."""
    place = np.full(catalog.n, -1, np.int32)
    place[rows] = np.arange(rows.size)
    step, hold = catalog.step[rows], catalog.hold[rows]
    stands = np.where(np.isfinite(hold), hold, np.where(step > slot, STANDS * step, 0.0))
    return Slots(rows, round(slot * NS), round(wait * NS), np.rint(stands * NS).astype(np.int64), place)


def found_by(rule: Rule, rules: Sequence[Rule], catalog: Catalog, maps: Maps) -> Iterator[Found]:
    """The panels of one rule."""
    if not is_panel(rule.detector):
        return
    d = rule.detector
    mode, judged = members(rule, d, rules, catalog)
    for scope, rows in reaches(rule, d, judged, catalog):
        made = settled(d, catalog, rows, judged[rows], maps)
        if made is None:
            continue
        own, m = made
        awaited = rows[getattr(own, "awaited", m.judged)]
        wait = min(max(SHARE * m.slot, LEAST), MOST) + rest(catalog, awaited) + turn(scope, m.slot)
        judges = "+".join(d.over or (rule.quantity,)) + "".join(f"~{q}" for q in d.beside)
        name = f"{scope}/{judges}/{m.slot:g}{'/held' if rule.held else ''}"
        active = Mode.ACTIVE if (mode[rows[m.judged]] == Mode.ACTIVE).any() else Mode.PASSIVE
        yield Found(replace(rule, detector=own, mode=active), name, rows, m.judged, m.slot, round(wait, 3))


def reaches(rule: Rule, d: Judge, judged: Bools, catalog: Catalog) -> Iterator[tuple[str, Rows]]:
    """Name and series of each panel to be of a rule, before its detector is asked. judged [n]"""
    beside = np.isin(catalog.quantity, d.beside) if d.beside else np.zeros(catalog.n, np.bool_)
    if rule.domain is not None:
        beside &= catalog.domain == rule.domain
    yield from scopes(catalog, judged, judged | beside, d.within)


def members(rule: Rule, d: Judge, rules: Sequence[Rule], catalog: Catalog) -> tuple[Texts, Bools]:
    """Mode of the rule for each series [n], "" where it has none; and which it judges [n]."""
    pairs = list(zip(catalog.domain.tolist(), catalog.quantity.tolist(), strict=True))
    meant = {pair: meaning(rule, d, rules, *pair) for pair in set(pairs)}
    mode = np.array([meant[p] or "" for p in pairs], object)
    return mode, (mode != "") & (np.isnan(catalog.hold) | rule.held)


def meaning(rule: Rule, d: Judge, rules: Iterable[Rule], domain: str, quantity: str) -> Mode | None:
    """The mode in which the rule judges a quantity of a domain; None: it does not."""
    if rule.domain not in (None, domain):
        return None
    if quantity in (d.over or (rule.quantity,)) or rule.quantity == "*":
        return rule.mode
    if rule.quantity != OTHER or d.over:
        return None
    made = generic(rule, domain, quantity, covered(rules))
    return made.mode if made else None


def scopes(catalog: Catalog, judged: Bools, mine: Bools, within: str) -> Iterator[tuple[str, Rows]]:
    """The series of each asset, district or domain that has some to be judged."""
    rows = np.flatnonzero(mine)
    if not rows.size:
        return
    of = {"asset": catalog.asset, "district": catalog.district, "domain": catalog.domain}[within]
    label = np.array([f"{a}/{b}" for a, b in zip(catalog.domain[rows], of[rows], strict=True)])
    names, number = np.unique(label, return_inverse=True)
    order = np.argsort(number, kind="stable")
    cuts = np.flatnonzero(np.diff(number[order])) + 1
    for name, part in zip(names.tolist(), np.split(rows[order], cuts), strict=True):
        if judged[part].any():
            yield name, part.astype(np.int32)


def settled(d: Judge, catalog: Catalog, rows: Rows, judged: Bools, maps: Maps) -> tuple[Detector, Members] | None:
    """The detector for these series, and what it was told of them."""
    c = catalog
    slot = d.slot or float(np.median(c.step[rows[judged]]))
    names = (c.asset[rows[0]], c.district[rows[0]], c.domain[rows[0]])[("asset", "district", "domain").index(d.within) :]
    file = next((maps[name] for name in names if name in maps), None)
    m = Members(
        c.key[rows], c.quantity[rows], c.device[rows], c.asset[rows], c.lat[rows], c.lon[rows], c.rated[rows], c.low[rows],
        c.high[rows], c.step[rows], judged, slot, file, c.asset_type[rows], c.report[rows],
    )  # fmt: skip
    own = d.settled(m)
    return None if own is None else (own, m)


def turn(scope: str, slot: float) -> float:
    """How much later than others a panel is judged. [s]"""
    return crc32(scope.encode()) % TURNS * TURN if slot >= HOUR else 0.0


def rest(catalog: Catalog, rows: Rows) -> float:
    """How long devices of these series may keep what they measured. [s]"""
    report, step = np.nan_to_num(catalog.report[rows]), catalog.step[rows]
    return min(float(np.where(report > step, report, 0.0).max(initial=0.0)), RESTING)
