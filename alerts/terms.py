"""How long people have, by level. Proposals of ours, after city practice: they are configuration ([terms.RED] ...)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from lifeline.config import Between, ConfigRefused, Seconds, build
from lifeline.model import Kind, Level
from lifeline.words import suggestion

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
TICKET: Final = "TICKET"


@dataclass(frozen=True)
class Terms:
    """Deadlines after a rise. [s]"""

    answer: Seconds  # for somebody to answer
    climb_after: Annotated[Seconds, Between(1)]  # without an answer, the next tier is told
    again: Seconds  # and then again so often; 0: no more
    climb: Annotated[int, Between(0, 5)]  # [1] tiers above its own level, at most
    assess: Seconds  # for an analyst's verdict
    arrive: Seconds  # until somebody is there and measures are taken
    report: Seconds  # until the first report of what was done
    account: Seconds = 72 * HOUR  # until its outcome is written down


DEFAULTS: Final[dict[str, Terms]] = {
    "BLUE": Terms(HOUR, 2 * HOUR, 0.0, 1, HOUR, DAY, 72 * HOUR),
    "YELLOW": Terms(15 * MINUTE, 15 * MINUTE, HOUR, 1, 15 * MINUTE, 2 * HOUR, DAY),
    "ORANGE": Terms(5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 1, 5 * MINUTE, HOUR, 2 * HOUR),
    "RED": Terms(3 * MINUTE, 3 * MINUTE, 3 * MINUTE, 1, 3 * MINUTE, 30 * MINUTE, 30 * MINUTE),
    TICKET: Terms(DAY, DAY, DAY, 0, DAY, 7 * DAY, 7 * DAY, 30 * DAY),
}


@dataclass(frozen=True)
class Deadlines:
    """The terms of every level."""

    terms: Mapping[str, Terms]

    def of(self, level: Level, kind: str) -> Terms:
        """What holds for a warning at this level; the device in doubt has terms of its own."""
        return self.terms[TICKET if kind == Kind.TICKET else level.name]


SHIPPED: Final = Deadlines(DEFAULTS)


def configured(tables: Mapping[str, Any]) -> Deadlines:
    """The terms from tables [terms.LEVEL], each key over its default; ConfigRefused with all that is wrong."""
    terms, problems = dict(DEFAULTS), []
    for name, table in tables.items():
        if name not in DEFAULTS:
            problems.append(f"terms.{name}: is no level; {suggestion(name, DEFAULTS)}")
            continue
        try:
            kept = {key: value for key, value in vars(DEFAULTS[name]).items() if key not in table}
            terms[name] = build(Terms, table, f"terms.{name}", given=kept)
        except ConfigRefused as why:
            problems += why.problems
    if problems:
        raise ConfigRefused(problems)
    return Deadlines(terms)
