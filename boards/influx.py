"""InfluxQL, as InfluxDB 1.8, 2.x (by a DBRP mapping) and 3 read it. Grafana's SDK has no builder for it.

Variables and macros of Grafana stay in the text: $timeFilter, $__interval, ${__to}, ${district:regex}.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lifeline.model import JUDGED
from lifeline.units import QUANTITIES, UNITS

TIME: Final = "$timeFilter"
EVERY: Final = "$__interval"
GOOD: Final = "(" + " OR ".join(f'"quality" = {int(q)}' for q in JUDGED) + ")"  # what is judged is what is drawn


@dataclass(frozen=True)
class Select:
    """One query, or one part of a query over others."""

    what: str
    of: "tuple[str | Select, ...]"  # measurements as they are written, or queries
    where: tuple[str, ...] = (TIME,)
    by: tuple[str, ...] = ()  # tags
    every: str = ""  # slot; "": none
    fill: str = "none"
    tail: str = ""  # ORDER BY, LIMIT, tz()

    def __str__(self) -> str:
        of = ", ".join(f"({o})" if isinstance(o, Select) else o for o in self.of)
        text = f"SELECT {self.what} FROM {of}"  # noqa: S608  made of our own words and quoted names
        if self.where:
            text += f" WHERE {' AND '.join(self.where)}"
        groups = [*([f"time({self.every})"] if self.every else []), *(name(tag) for tag in self.by)]
        if groups:
            text += f" GROUP BY {', '.join(groups)}"
        if self.every:
            text += f" fill({self.fill})"
        return f"{text} {self.tail}".rstrip()


def name(text: str) -> str:
    """An identifier: of a measurement, a tag, a field."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def equal(tag: str, value: str) -> str:
    return f"{name(tag)} = {literal(value)}"


def chosen(variable: str) -> str:
    """The tag has one of the values chosen in the variable of its name."""
    return f"{name(variable)} =~ /^${{{variable}:regex}}$/"


def of(*names: str) -> tuple[str, ...]:
    """Measurements by their names."""
    return tuple(name(n) for n in names)


def hourly(measurement: str) -> tuple[str, ...]:
    """A measurement in the database of hourly means, which the board's variable `hours` names."""
    return (f'"${{hours:raw}}"..{name(measurement)}',)


def any_of(names: Iterable[str]) -> tuple[str, ...]:
    """All these measurements as one."""
    return (f"/^({'|'.join(names)})$/",)


def number(x: float) -> str:
    """A number as InfluxQL reads it: it knows no exponents."""
    return f"{x:.12f}".rstrip("0").rstrip(".")


def shown(expression: str, quantity: str) -> str:
    """What is SI inside, in the unit that people read the quantity in."""
    unit = UNITS[QUANTITIES[quantity].shown]
    if unit.offset:
        expression = f"{expression} - {number(unit.offset)}"
    if unit.scale == 1:
        return expression
    inverse = 1 / unit.scale
    whole = abs(inverse - round(inverse)) < 1e-6 * inverse and inverse > 1
    factor = f"* {round(inverse)}" if whole else f"/ {number(unit.scale)}"
    return f"{expression} {factor}" if not unit.offset else f"({expression}) {factor}"


def back(how_far: str) -> str:
    """From so long before the end of the time shown, whatever its beginning."""
    return f"time > ${{__to}}ms - {how_far} AND time <= ${{__to}}ms"
