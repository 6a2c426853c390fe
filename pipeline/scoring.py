"""What was warned of against what is true, event by event: pure functions of a scenario, its truth and its warnings.

docs/evaluation.md says in words what is counted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lifeline.model import NS, Level
from pipeline.early import early_score
from pipeline.matching import allowed, called, concerns, detectable, located, of_fault, onset_of, over, raised
from pipeline.said import Said, grave, standing
from pipeline.wording import Words, in_vain, no_ticket, overstated, shortfalls
from simulators.faults import Truth
from simulators.scenario import Expect, Scenario, Ticket


@dataclass(frozen=True)
class Met:
    """An expectation and what came of it."""

    expect: Expect
    level: Level  # the gravest warning after the onset that it allows
    delay: float | None  # [s] from when it could be known to the first warning; None: none came
    since: float | None  # [s] from its onset to the first warning
    reached: float | None  # [s] from its onset to the level demanded
    rank: int | None  # of the true place among those that the warnings name, from 1; None: not among them, or not asked
    early: float | None  # [1] LeakDB's score of early detection; None: no leak, or no time is set
    failures: tuple[Words, ...]

    @property
    def detected(self) -> bool:
        return self.delay is not None


class Graded(NamedTuple):
    """How grave an event was, and was called."""

    least: Level
    most: Level
    called: Level


@dataclass(frozen=True)
class Score:
    """One scenario."""

    met: tuple[Met, ...]  # expectations that demand a level
    unmet: tuple[Ticket, ...]  # tickets that did not come
    wrong: tuple[Said, ...]  # false warnings
    ill: tuple[Said, ...]  # of those, sensors or the network at fault taken for a hazard
    graded: tuple[Graded, ...]
    failures: tuple[Words, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


def score(s: Scenario, truth: Sequence[Truth], hazards: Sequence[Said], tickets: Sequence[Said]) -> Score:
    """hazards: warnings to people on call; tickets: those that only went to the owner of a device."""
    met = tuple(judged(e, s, truth, hazards) for e in s.expect if e.level)
    wrong = tuple(w for w in hazards if not any(allowed(w, e, s, truth) for e in s.expect))
    ill = tuple(w for w in wrong if of_fault(w, truth))
    unmet = tuple(t for t in s.ticket if not raised(t, s, tickets))
    graded = tuple(Graded(t.min_level, t.max_level, called(t, s, hazards)) for t in truth if t.hazard)
    failures = [f for m in met for f in m.failures]
    failures += [f for w in hazards if w not in wrong for f in overstated(w, s, truth)]
    failures += [no_ticket(t) for t in unmet]
    failures += in_vain(wrong, ill, s)
    return Score(met, unmet, wrong, ill, graded, tuple(dict.fromkeys(failures)))


def unbroken(mine: Sequence[Said], level: Level, since: int, end: int) -> float:
    """How long a level stood, by one warning or another; inf: to the end. since, end [ns]; [s]"""
    upto = since
    for a, b in sorted(x for w in mine for x in standing(w, end, level)):
        if a <= upto:
            upto = max(upto, b)
    return (upto - since) / NS if upto < end else float("inf")


def judged(e: Expect, s: Scenario, truth: Sequence[Truth], hazards: Sequence[Said]) -> Met:
    """What came of an expectation that demands a level."""
    assert e.level is not None
    onset, known = onset_of(e, s), detectable(e, s, truth)
    mine = [w for w in hazards if concerns(w, e)]
    last = over(e, s, truth)
    steps = sorted((x for w in mine for x in w.steps if onset <= x.t <= last and grave(x, Level.BLUE)), key=lambda x: x.told)
    first = steps[0].told if steps else None
    there = next((x.told for x in steps if x.level >= e.level), None)
    reached = None if there is None else (there - onset) / NS
    stood = None if there is None else unbroken(mine, e.level, there, s.end)
    rank = located(e, truth, mine) if e.top else None
    return Met(
        e,
        max((x.level for x in steps), default=Level.NORMAL),
        None if first is None else (first - known) / NS,
        None if first is None else (first - onset) / NS,
        reached,
        rank,
        early_score(e, known, mine, s.end),
        tuple(shortfalls(e, reached, stood, rank, mine, steps)),
    )
