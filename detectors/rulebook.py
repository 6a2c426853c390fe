"""Rules as data: detectors/rules/*.toml, checked whole, read into lifeline.model.Rule."""

import pkgutil
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields, replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
import numpy as np

from lifeline.model import Detector, Domain, Kind, Level, Limits, Mode, Rule, is_panel
from lifeline.units import QUANTITIES, UNITS, Unit
from lifeline.words import Unusable

HERE: Final = Path(__file__).parent
LEVELS: Final = ("BLUE", "YELLOW", "ORANGE", "RED")
OTHER: Final = "other"  # in place of a quantity: each that no hazard rule of its domain names
OWN: Final = {
    "time": "s",
    "ratio": "1",
    "release": "kg/s",
    "jerk": "m/s³",
    "length": "m",
}  # units of bounds that are not the quantity's
PLACED: Final = ("origin", "scale")  # fields of a detector that the rule's bounds decide


class BadRules(Unusable):
    """Rules that cannot be used, all reasons at once: file, rule, key, why."""


class Row(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One rule as it is written."""

    id: str
    quantity: str
    hazard: str
    kind: Kind
    mode: Mode
    known: Mode | None = None  # with quantity "other": for quantities of the nomenclature in a city's own domains
    detector: str
    parameters: dict[str, Any] = {}  # [SI], fields of the detector
    unit: str  # of the bounds and the origin; "%VOL/h" for a rate, "s" for a timer, "1" for a score
    origin: float | None = None  # [unit] where the score begins; above the bounds for a lower limit
    enter: dict[str, float]  # [unit] level name -> bound
    leave: dict[str, float] = {}  # [unit] where `hysteresis` does not fit
    hysteresis: float = 0.2  # [1] left below (1 - hysteresis) of the way from the origin to the bound
    hold: int | dict[str, int] = 1  # [1] samples in a row
    hard: str | None = None
    raw: bool = False
    relative: bool = False
    held: bool = False
    asset_types: tuple[str, ...] = ()  # judges only series of assets of these types
    except_asset_types: tuple[str, ...] = ()  # or all but these
    source: str
    confidence: str


def named() -> dict[str, Detector]:
    """Every detector of this folder by the name of its file: the modules that have a `default`."""
    modules = {m.name: import_module(f"detectors.{m.name}") for m in pkgutil.iter_modules([str(HERE)])}
    return {name: m.default for name, m in sorted(modules.items()) if hasattr(m, "default")}


def known() -> Iterator[Detector]:
    """Every detector, with its default parameters."""
    yield from named().values()


def rules(folder: Path | None = None) -> list[Rule]:
    """The rules of a folder (default: the project's own), by file and in their order there."""
    found: list[Rule] = []
    faults: list[str] = []
    books = sorted((folder or HERE / "rules").glob("*.toml"))
    if not books:
        raise BadRules(f"{folder}: holds no rules (*.toml)")
    for path in books:
        for rule in load(path):
            if isinstance(rule, str):
                faults.append(f"{path.name}: {rule}")
            elif any(r.id == rule.id for r in found):
                faults.append(f"{path.name}: {rule.id}: id: stands twice")
            else:
                found.append(rule)
    if faults:
        raise BadRules("\n".join(faults))
    return found


def load(path: Path) -> Iterator[Rule | str]:
    """The rules of one file; a text for each fault."""
    try:
        book = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        yield str(why)
        return
    domain = book.pop("domain", "")
    if domain != "any" and domain not in list(Domain):
        yield f"domain: {domain!r} is none of any, {', '.join(Domain)}"
        return
    for i, raw in enumerate(book.pop("rule", [])):
        row, faults = typed(raw)
        made = made_of(row, None if domain == "any" else Domain(domain)) if row else faults
        name = raw.get("id", f"rule {i + 1}")
        yield from [f"{name}: {m}" for m in made] if isinstance(made, list) else [made]
    yield from (unknown(key, ("domain", "rule")) for key in book)


def typed(raw: dict[str, Any]) -> tuple[Row | None, list[str]]:
    """The row, or all that is wrong with its keys and types."""
    wanted = {f.name: f for f in msgspec.structs.fields(Row)}
    faults = [unknown(key, wanted) for key in raw if key not in wanted]
    faults += [f"{name}: is missing" for name, f in wanted.items() if f.required and name not in raw]
    for name in raw.keys() & wanted.keys():
        try:
            msgspec.convert(raw[name], wanted[name].type)
        except msgspec.ValidationError as why:
            faults.append(f"{name}: {why}")
    return (None, sorted(faults)) if faults else (msgspec.convert(raw, Row), [])


def unknown(key: str, allowed: Any) -> str:
    """A key or name that is not there, with the nearest that is."""
    near = get_close_matches(key, list(allowed), n=1, cutoff=0.5)
    return f"{key}: unknown" + (f"; did you mean {near[0]}?" if near else f"; allowed: {', '.join(allowed)}")


def made_of(row: Row, domain: Domain | None) -> Rule | list[str]:
    """The rule, or all that is wrong with what its row says."""
    faults = list(misnamed(row))
    if faults:
        return faults
    try:
        detector = replace(named()[row.detector], **parameters(row))  # type: ignore[type-var]  # detectors are dataclasses
    except (TypeError, ValueError) as why:
        return [f"parameters: {why}"]
    unit = unit_of(row, detector)
    if isinstance(unit, str):
        return [f"unit: {unit}"]
    return bound(row, domain, detector, unit)


def parameters(row: Row) -> dict[str, Any]:
    """The row's parameters as the detector's fields have them."""
    types = get_type_hints(type(named()[row.detector]))
    return {k: msgspec.convert(v, types[k]) for k, v in row.parameters.items()}


def misnamed(row: Row) -> Iterator[str]:
    """Names in a row that name nothing."""
    if row.quantity not in {"*", OTHER, *QUANTITIES}:
        yield f"quantity: {unknown(row.quantity, QUANTITIES)}"
    if row.detector not in named():
        yield f"detector: {unknown(row.detector, named())}"
    else:
        allowed = [f.name for f in fields(named()[row.detector]) if f.name not in PLACED and f.init]  # type: ignore[arg-type]
        yield from (f"parameters: {unknown(key, allowed)}" for key in row.parameters if key not in allowed)
        yield from mistyped(row, allowed)
    if row.known is not None and row.quantity != OTHER:
        yield f"known: only a rule for the quantity {OTHER!r} has it"
    if row.asset_types and row.except_asset_types:
        yield "except_asset_types: has no meaning beside asset_types"
    yield from mislevelled(row, "enter", row.enter)
    yield from mislevelled(row, "leave", row.leave)
    yield from mislevelled(row, "hold", row.hold if isinstance(row.hold, dict) else {})
    if not row.enter:
        yield "enter: no level has a bound"
    if row.hard is not None and row.hard not in row.enter:
        yield f"hard: {row.hard} is none of {', '.join(row.enter)}"


def mistyped(row: Row, allowed: list[str]) -> Iterator[str]:
    """Parameters of another type than the detector's field."""
    types = get_type_hints(type(named()[row.detector]))
    for key in row.parameters.keys() & set(allowed):
        try:
            msgspec.convert(row.parameters[key], types[key])
        except msgspec.ValidationError as why:
            yield f"parameters: {key}: {why}"


def mislevelled(row: Row, key: str, spoken: Iterable[str]) -> Iterator[str]:
    """Levels spoken of under a key that are none, or have no bound."""
    for level in spoken:
        if level not in LEVELS:
            yield f"{key}: {unknown(level, LEVELS)}"
        elif level not in row.enter:
            yield f"{key}: {level} has no bound in enter"


def unit_of(row: Row, detector: Detector) -> Unit | str:
    """The map from the unit of a row's bounds to what its detector reckons in, or why there is none."""
    dimension: str = getattr(detector, "dimension", "score")
    if dimension == "score":
        return UNITS["1"] if row.unit == "1" else "the bounds of this detector are scores: write 1"
    over, _, time = row.unit.rpartition("/") if dimension == "rate" else (row.unit, "", "s")
    if over not in UNITS or time not in UNITS:
        return unknown(row.unit, UNITS)
    want = OWN.get(dimension) or ("1" if row.relative else si_of(row.quantity))
    if UNITS[over].si != want or UNITS[time].si != "s":
        return (
            f"{row.unit} is no unit of {row.quantity} here: it must be one of [{want}{' / s' if dimension == 'rate' else ''}]"
        )
    if dimension == "rate":
        return Unit(want, UNITS[over].scale / UNITS[time].scale)
    return UNITS[over]


def si_of(quantity: str) -> str:
    return QUANTITIES[quantity].si if quantity in QUANTITIES else "1"


def bound(row: Row, domain: Domain | None, detector: Detector, unit: Unit) -> Rule | list[str]:
    """The rule with its bounds as scores, or what is wrong with them."""
    used = [name for name in LEVELS if name in row.enter]
    origin, scale = 0.0, 1.0
    if hasattr(detector, "scale"):
        if row.origin is None and unit.offset:
            return [f"origin: {row.unit} has no natural zero: say where the score begins"]
        origin = 0.0 if row.origin is None else unit.to_si(row.origin)
        scale = unit.to_si(row.enter[used[0]]) - origin
        if scale == 0:
            return [f"origin: is the bound of {used[0]}; a score needs a way to go"]
        detector = replace(detector, origin=origin, scale=scale)  # type: ignore[type-var]
    elif row.origin is not None:
        return [f"origin: {row.detector} has none"]
    limits = limits_of(
        row, {k: (unit.to_si(v) - origin) / scale for k, v in row.enter.items()}, lambda v: (unit.to_si(v) - origin) / scale
    )
    faults = [*disordered(limits, scale), *untypable(row, detector)]
    if faults:
        return faults
    return Rule(
        row.id, domain, row.quantity, row.hazard, row.kind, row.mode, detector, row.raw, row.relative, row.held, limits,
        None if row.hard is None else Level[row.hard], {k: row.enter[k] for k in used}, row.unit, row.source, row.confidence,
        row.known, row.asset_types, row.except_asset_types,
    )  # fmt: skip


def untypable(row: Row, detector: Detector) -> Iterator[str]:
    """Types of assets where the rule knows none."""
    if (row.asset_types or row.except_asset_types) and (detector.channels or is_panel(detector)):
        yield f"{'asset_types' if row.asset_types else 'except_asset_types'}: only rules of single series tell assets apart"


def limits_of(row: Row, enter: dict[str, float], score: Any) -> Limits:
    """Bounds by level as arrays in the order of the levels; what a level does not use is infinite."""
    leave = {k: score(row.leave[k]) if k in row.leave else v * (1 - row.hysteresis) for k, v in enter.items()}
    hold = row.hold if isinstance(row.hold, dict) else dict.fromkeys(LEVELS, row.hold)
    return Limits(
        np.array([enter.get(k, np.inf) for k in LEVELS]),
        np.array([leave.get(k, np.inf) for k in LEVELS]),
        np.array([hold.get(k, 1) for k in LEVELS], np.int64),
    )


def disordered(limits: Limits, scale: float) -> Iterator[str]:
    """What is out of order among bounds."""
    used = np.isfinite(limits.enter)
    enter, leave = limits.enter[used], limits.leave[used]
    if not (np.diff(enter) > 0).all() or (enter <= 0).any():
        yield "enter: bounds must rise with the level" + ("" if scale < 0 else "; for a lower limit give an origin above them")
    if (leave > enter).any() or (leave <= 0).any() or not (np.diff(leave) >= 0).all():
        yield "leave: must lie between the origin and the bound to enter, and rise with the level"
    if (limits.hold < 1).any() or (limits.hold > np.iinfo(np.int16).max).any():
        yield f"hold: from 1 to {np.iinfo(np.int16).max} samples"


def covered(book: Iterable[Rule]) -> set[tuple[Domain | None, str]]:
    """What hazard rules name: domain (None: every domain) and quantity. Passive rules and channels count."""
    speak = [r for r in book if r.kind is Kind.HAZARD and r.quantity != OTHER]
    return {(r.domain, q) for r in speak for q in judged(r)}


def judged(rule: Rule) -> tuple[str, ...]:
    """The quantities that a rule speaks of."""
    over = rule.detector.over if is_panel(rule.detector) else ()
    return rule.detector.channels or over or (rule.quantity,)


def generic(rule: Rule, domain: str, quantity: str, named: Collection[tuple[Domain | None, str]]) -> Rule | None:
    """A rule for "other" as it is meant for a quantity; None: it is not. named: as of `covered`.

    States are no measurements. A city's own domains have rules for what endangers people there: in them a quantity of the
    nomenclature is judged in the mode `known`, and not at all by a rule without it.
    """
    at = Domain(domain)
    if not {(at, quantity), (None, quantity), (at, "*"), (None, "*")}.isdisjoint(named):
        return None
    if quantity not in QUANTITIES:
        return rule
    if QUANTITIES[quantity].shown == "state":
        return None
    if at is Domain.OTHER:
        return rule
    return None if rule.known is None else replace(rule, mode=rule.known)
