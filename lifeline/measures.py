"""Quantities written as text with their unit, for files that people edit: "20 mm", "0.3 MPa", "0.15 %VOL/month", "2h"."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from lifeline.kinds import SECONDS, Unfit, Written, duration
from lifeline.units import PURE, UNITS, Unit, akin

TIMES: Final = {
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "week": 604_800.0,
    "month": 2_629_746.0,
    "year": 31_556_952.0,
}
NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Measured(Written):
    """Mark of a quantity that is written with a unit, and what it allows."""

    read: Callable[[str], float]
    like: str  # a unit that it may be written in; "" for a duration
    low: float  # [like]
    high: float  # [like]

    def allowed(self) -> str:
        """For a manual."""
        return _range(self.like, self.low, self.high) if self.like else "a duration such as 30s, 5m, 4h, 7d"

    def written(self, value: float) -> str:
        """An SI value as it may be written."""
        if not self.like:
            return _spoken(value)
        unit = _unit(self.like)
        assert unit is not None
        return f"{unit.from_si(value):.6g}" + ("" if self.like in PURE else f" {self.like}")


def measure(like: str, low: float = float("-inf"), high: float = float("inf")) -> Measured:
    """Mark of a number that is written with a unit which measures what `like` does; low, high in `like`, both allowed.

    like: "mm", "kPa", "%VOL/month"; the value read is SI (per second where `like` is a rate).
    Use: `hole: Annotated[float, measure("mm", 0.1, 500)]  # [m]`.
    """
    kind = _unit(like)
    if kind is None:
        raise ValueError(f"{like} is no unit")

    def read(text: str) -> float:
        found = re.fullmatch(rf"({NUMBER})\s*(\S*)", text.strip())
        unit = _unit(found[2] or "1") if found else None
        if found is None or unit is None or not _alike(found[2] or "1", like) or not math.isfinite(float(found[1])):
            raise Unfit(f'must be a number and its unit, such as "{_example(like, low, high)}", not {text!r}')
        value = unit.to_si(float(found[1]))
        slack = 1e-12 * abs(value)
        if not kind.to_si(low) - slack <= value <= kind.to_si(high) + slack:
            raise Unfit(f"must be {_range(like, low, high)}, not {text!r}")
        return value

    return Measured(read, like, low, high)


def unit_of(text: str) -> str:
    """The unit that a quantity is written in; "" where there is none."""
    found = re.fullmatch(rf"{NUMBER}\s*(\S*)", text.strip())
    return found[1] if found else ""


def time(low: str = "0s", high: str = "3660d") -> Measured:
    """Mark of a duration such as "30s", "5m", "4h", "7d". [s]"""
    least, most = duration(low), duration(high)

    def read(text: str) -> float:
        value = duration(text)
        if not least <= value <= most:
            raise Unfit(f"must be from {low} to {high}, not {text!r}")
        return value

    return Measured(read, "", least, most)


def _unit(text: str) -> Unit | None:
    """A unit of the table, or one of them per time."""
    if text in UNITS:
        return UNITS[text]
    over, _, per = text.rpartition("/")
    if over not in UNITS or per not in TIMES:
        return None
    return Unit(f"{UNITS[over].si}/s", UNITS[over].scale / TIMES[per])


def _spoken(seconds: float) -> str:
    """A duration as it may be written."""
    name = next((n for n in ("d", "h", "m") if seconds >= SECONDS[n] and seconds % SECONDS[n] == 0), "s")
    return f"{seconds / SECONDS[name]:.6g}{name}"


def _alike(text: str, like: str) -> bool:
    one, other = _unit(text), _unit(like)
    if one is None or other is None or one.si != other.si:
        return False
    if text in UNITS and like in UNITS:
        return text in PURE or akin(text, like)
    return True


def _example(like: str, low: float, high: float) -> str:
    inside = [x for x in (1.0, low, high) if low <= x <= high and abs(x) != float("inf")]
    return f"{inside[0]:g} {like}" if inside else f"1 {like}"


def _range(like: str, low: float, high: float) -> str:
    if low == -high == float("-inf"):
        return f"any in {like}"
    if high == float("inf"):
        return f"at least {low:g} {like}"
    return f"at most {high:g} {like}" if low == float("-inf") else f"from {low:g} to {high:g} {like}"


Seconds = Annotated[float, time()]  # [s] "2h"
Share = Annotated[float, measure("1", 0.0, 1.0)]  # [1] "5 %" or "0.05"
