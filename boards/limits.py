"""The limits drawn on boards, read from the rules that judge: none is typed twice."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from boards.words import COLOURS, GRAVE, PLAIN, Language
from lifeline.model import Domain, Kind, Mode, Rule, is_panel
from lifeline.units import QUANTITIES, UNITS

DRAWN: Final = "value"  # dimension of detectors whose bounds are values of the quantity itself
PLAINEST: Final = "Limit"  # a rule by this detector is the limit, whatever others say of the same side
LONELY: Final = ("Witness",)  # joint detectors whose bounds are those of a single series all the same


@dataclass(frozen=True)
class Bound:
    """From here on, away from `inside`, this level."""

    level: str
    value: float  # [shown unit of the quantity]
    upper: bool


def about(rules: Iterable[Rule], domain: Domain, quantity: str) -> list[Rule]:
    """The active hazard rules of a domain that speak of a quantity."""
    return [
        r for r in rules if r.domain is domain and r.quantity == quantity and r.kind is Kind.HAZARD and r.mode is Mode.ACTIVE
    ]


def drawable(rule: Rule) -> bool:
    """Whether its bounds are values of one series, that a line can be drawn at."""
    joint = is_panel(rule.detector) and type(rule.detector).__name__ not in LONELY
    return getattr(rule.detector, "dimension", "") == DRAWN and not rule.relative and not joint


def bounds(rules: Iterable[Rule], domain: Domain, quantity: str, *, both: bool = False) -> list[Bound]:
    """The bounds to draw; of several rules for one level and side the one that is met first. both: they hold for -x too."""
    found: dict[tuple[str, bool], float] = {}
    drawn = [r for r in about(rules, domain, quantity) if drawable(r)]
    plain = {falls(r) for r in drawn if type(r.detector).__name__ == PLAINEST}
    for rule in drawn:
        upper = falls(rule) is False
        if (not upper) in plain and type(rule.detector).__name__ != PLAINEST:
            continue  # that so many of the last readings were beyond its bound is no limit of one reading
        for level, value in rule.bounds.items():
            at = converted(value, rule.unit, quantity)
            for side, v in [(upper, at), *([(not upper, -at)] if both else [])]:
                first = min if side else max
                found[level, side] = first(found.get((level, side), v), v)
    return [Bound(level, value, upper) for (level, upper), value in found.items()]


def falls(rule: Rule) -> bool:
    """Whether less is worse."""
    values = list(rule.bounds.values())  # from the mildest level to the worst
    if len(values) > 1:
        return values[-1] < values[0]
    return float(getattr(rule.detector, "scale", 1.0)) < 0


def converted(value: float, unit: str, quantity: str) -> float:
    """From the rule's unit to the one people read the quantity in; 12 digits are kept."""
    at = UNITS[QUANTITIES[quantity].shown].from_si(UNITS[unit].to_si(value))
    return float(f"{at:.12g}")


def steps(found: Sequence[Bound]) -> list[dict[str, Any]]:
    """Grafana's thresholds: a colour from each value up. What lies between the limits has none."""
    lower = sorted((b for b in found if not b.upper), key=lambda b: b.value)
    upper = sorted((b for b in found if b.upper), key=lambda b: b.value)
    colours = [COLOURS[b.level] for b in lower] + [PLAIN]
    made: list[dict[str, Any]] = [{"value": None, "color": colours[0]}]
    made += [{"value": b.value, "color": c} for b, c in zip(lower, colours[1:], strict=True)]
    made += [{"value": b.value, "color": COLOURS[b.level]} for b in upper]
    return made


def told(rules: Iterable[Rule], domain: Domain, quantity: str, say: Language) -> str:
    """All limits of a quantity in words, with their sources: colours alone do not speak to everyone."""
    lines = [line(rule, say) for rule in about(rules, domain, quantity)]
    return "\n".join(lines) or say("本系统没有针对该量的限值。", "No rule sets a limit for this quantity.")


def line(rule: Rule, say: Language) -> str:
    """One rule: its levels in its own unit."""
    sign = "≤" if falls(rule) else "≥"
    unit = "" if rule.unit == "1" else f" {rule.unit}"
    values = ", ".join(f"{level} {sign} {rule.bounds[level]:g}{unit}" for level in reversed(GRAVE) if level in rule.bounds)
    over = say("（相对额定值）", " (of the rated value)") if rule.relative else ""
    kind = getattr(rule.detector, "dimension", "score")
    what = say("（评分）", " (score)") if kind == "score" and not rule.relative else ""
    return f"- `{rule.id}`: {values}{over}{what} [{rule.confidence}]"


def far(found: Sequence[Bound]) -> float | None:
    """The mildest upper bound: an axis must at least reach it. None: there is none."""
    return min((b.value for b in found if b.upper and math.isfinite(b.value)), default=None)
