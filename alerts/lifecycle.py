"""The life of a case as one table. What is not in it is refused."""

from enum import StrEnum
from typing import Final

from lifeline.model import Level


class State(StrEnum):
    QUIET = "quiet"  # nothing to answer: the case is closed, or never was
    OPEN = "open"  # active, and nobody has taken it
    URGENT = "urgent"  # has been RED, and nobody has taken it since
    TAKEN = "taken"  # active, and somebody has
    HELD = "held"  # active, has been RED, and somebody has taken it
    GONE = "gone"  # over by itself, but it was RED and nobody has answered
    OVER = "over"  # over, was RED and answered: only a person closes it


class Act(StrEnum):
    RAISE = "raise"  # to a level above what was answered, below RED
    REDDEN = "redden"  # to RED, and RED was not answered before
    EASE = "ease"  # to another active level: lower, or not above what was answered
    CLEAR = "clear"  # to NORMAL
    ACK = "ack"  # somebody answers
    CLOSE = "close"  # somebody who may do so says that it is over


QUIET, OPEN, URGENT, TAKEN, HELD, GONE, OVER = State
RAISE, REDDEN, EASE, CLEAR, ACK, CLOSE = Act

NEXT: Final[dict[tuple[State, Act], State]] = {
    (QUIET, RAISE): OPEN, (QUIET, REDDEN): URGENT,
    (OPEN, RAISE): OPEN, (OPEN, REDDEN): URGENT, (OPEN, EASE): OPEN, (OPEN, CLEAR): QUIET, (OPEN, ACK): TAKEN,
    (URGENT, RAISE): URGENT, (URGENT, REDDEN): URGENT, (URGENT, EASE): URGENT, (URGENT, CLEAR): GONE, (URGENT, ACK): HELD,
    (TAKEN, RAISE): OPEN, (TAKEN, REDDEN): URGENT, (TAKEN, EASE): TAKEN, (TAKEN, CLEAR): QUIET, (TAKEN, ACK): TAKEN,
    (HELD, RAISE): URGENT, (HELD, REDDEN): URGENT, (HELD, EASE): HELD, (HELD, CLEAR): OVER, (HELD, ACK): HELD,
    (GONE, RAISE): URGENT, (GONE, REDDEN): URGENT, (GONE, ACK): OVER, (GONE, CLOSE): QUIET,
    (OVER, RAISE): URGENT, (OVER, REDDEN): URGENT, (OVER, CLOSE): QUIET,
}  # fmt: skip

ACTIVE: Final = frozenset({OPEN, URGENT, TAKEN, HELD})  # the condition stands
LIVE: Final = ACTIVE | {GONE, OVER}  # somebody still has to do something
BEEN_RED: Final = frozenset({URGENT, HELD, GONE, OVER})
ASKING: Final = frozenset({OPEN, URGENT, GONE})  # nobody has answered what it rose to


class Refused(Exception):
    """An act that makes no sense in this state."""


def step(state: State, act: Act) -> State:
    """The state after an act; Refused when the table has no such row."""
    try:
        return NEXT[state, act]
    except KeyError:
        possible = " or ".join(s for s, a in NEXT if a is act)
        raise Refused(f"a case that is {state} knows no {act!s}; one that is {possible} does") from None


def act_of(before: Level, after: Level, answered: Level) -> Act:
    """Which act a change of level is. answered: the gravest level that somebody has acknowledged while it stood.

    What rises out of NORMAL is always a rise: an answer counts no longer than the condition that it was given to.
    """
    if after is Level.NORMAL:
        return CLEAR
    if before is not Level.NORMAL and after <= max(before, answered):
        return EASE
    return REDDEN if after is Level.RED else RAISE


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/desk.md."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, act), after in NEXT.items():
        arrows.setdefault((state, after), []).append(act)
    lines = [f"    {a} --> {b}: {', '.join(acts)}" for (a, b), acts in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {QUIET}", *lines])
