"""Changes of level -> warnings, by the desk's own judge and lifecycle, without a desk: nothing is stored and nobody is told.

Nobody answers either, so that a RED warning is taken as closed by its person in the instant in which its sensors are quiet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from alerts.again import returns
from alerts.case import Case, closed, moved, opened
from alerts.judge import Standing, judge
from alerts.lifecycle import LIVE, State
from lifeline.model import Change, Kind, Level, Mode, Place, warning_id


class Step(NamedTuple):
    """A warning's level from an instant on."""

    t: int  # [ns] sensor clock
    level: Level
    kind: Kind
    why: str
    voices: int  # independent sensors or quantities


@dataclass
class Warned:
    """One warning and how it went."""

    case: Case  # as it stands
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)  # that moved it
    places: list[Place] = field(default_factory=list)  # where the cause may lie, as was last said

    @property
    def hazard(self) -> bool:
        """Whether anybody on call was told."""
        return any(s.kind is Kind.HAZARD and s.level > Level.NORMAL for s in self.steps)

    @property
    def peak(self) -> Level:
        """The gravest it has been, as a hazard if it ever was one."""
        return max((s.level for s in self.steps if s.kind is Kind.HAZARD or not self.hazard), default=Level.NORMAL)


class Docket:
    """All warnings of one stream of changes."""

    def __init__(self) -> None:
        self.warnings: dict[str, Warned] = {}
        self._stood: dict[tuple[str, str], int] = {}  # (key, rule) -> [ns]
        self._voices: dict[tuple[str, str], dict[tuple[str, str], Standing]] = {}  # (asset, hazard) -> (key, rule)
        self._live: dict[tuple[str, str], str] = {}
        self._last: dict[tuple[str, str], str] = {}  # the youngest warning of each case

    def take(self, changes: Iterable[Change]) -> list[tuple[Case, Step]]:
        """Judge changes in the order of their instants -> what they moved: each warning as it then stood, and its new step."""
        moves = []
        for c in changes:
            if self._stood.get((c.key, c.rule), c.t) > c.t:
                continue  # older than what its series said last
            self._stood[c.key, c.rule] = c.t
            said = Standing(c.key, c.rule, c.device, c.quantity, Level[c.new], c.hard, c.kind, c.mode)
            voices = self._voices.setdefault((c.asset, c.hazard), {})
            voices[c.key, c.rule] = said
            if not said.level:
                del voices[c.key, c.rule]
            if warned := self._judge(c, voices.values()):
                moves.append((warned.case, warned.steps[-1]))
            live = self._live.get((c.asset, c.hazard))
            if live and c.evidence.places and c.mode is Mode.ACTIVE:
                self.warnings[live].places = c.evidence.places
        return moves

    def _judge(self, c: Change, voices: Iterable[Standing]) -> Warned | None:
        """The warning that the change moves."""
        verdict = judge(voices)
        live = self._live.get((c.asset, c.hazard))
        if live is None and verdict.level is Level.NORMAL:
            return None
        warned = self._known(c, live) or Warned(opened(c, c.t))
        case = warned.case
        if verdict.level is case.level and (not verdict.level or verdict.kind is case.kind):
            return None
        after, _ = moved(case, verdict, c.t, c.t)
        if after.state is State.GONE:
            after = closed(after, "replay", c.t)
        warned.case = after
        warned.steps.append(Step(c.t, after.level, after.kind, after.why, after.voices))
        warned.changes.append(c)
        self.warnings[after.id] = warned
        self._last[c.asset, c.hazard] = after.id
        if after.state in LIVE:
            self._live[c.asset, c.hazard] = after.id
        else:
            self._live.pop((c.asset, c.hazard), None)
        return warned

    def _known(self, c: Change, live: str | None) -> Warned | None:
        """The warning that goes on: the live one, one that began at this very instant, or one that comes back."""
        last = self.warnings.get(self._last.get((c.asset, c.hazard), ""))
        same = self.warnings.get(live or warning_id(c.asset, c.hazard, c.t))
        return same or (last if last and returns(c.hazard, last.case.cleared, c.t) else None)

    def hazards(self) -> list[Warned]:
        """Warnings that went to people on call, by onset. Passive rules have none."""
        return sorted((w for w in self.warnings.values() if w.hazard), key=lambda w: (w.case.onset, w.case.id))

    def tickets(self) -> list[Warned]:
        """Warnings that only went to the owner of a device, by onset."""
        return sorted((w for w in self.warnings.values() if not w.hazard), key=lambda w: (w.case.onset, w.case.id))
