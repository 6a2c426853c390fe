"""What the sensors of one case say, taken together. A case is one hazard at one asset.

A lone sensor reaches YELLOW at most, save for limits so plain that they need no second opinion (`hard`). Two voices lift
that cap: another device, or another quantity. When both stand at L or higher, the case may stand one above L. Two rules about
one series are one voice.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from lifeline.model import Kind, Level, Mode

LONE_CAP: Final = Level.YELLOW
TICKET_CAP: Final = Level.YELLOW


class Standing(NamedTuple):
    """What one rule last said of one series."""

    key: str
    rule: str
    device: str
    quantity: str
    level: Level
    hard: bool  # a lone sensor suffices for `level`
    kind: Kind
    mode: Mode


class Why(StrEnum):
    """What made the verdict what it is."""

    QUIET = "quiet"  # nothing stands
    TICKET = "ticket"  # the device is in doubt, not the asset
    LONE = "lone"  # one sensor, within its cap
    CAPPED = "capped"  # one sensor asks for more than one sensor may
    HARD = "hard"  # one sensor, over a limit that needs no second
    SEVERAL = "several"  # more than one sensor or quantity: the cap is lifted
    AGREED = "agreed"  # they agree: one level up


class Verdict(NamedTuple):
    level: Level
    kind: Kind
    why: Why
    voices: int  # [1] independent sensors or quantities that stand above NORMAL
    lead: Standing | None  # the gravest of them


class Voice(NamedTuple):
    """What one quantity of one device says, whatever the number of rules."""

    level: Level
    alone: Level  # what it may say without a second


def judge(standings: Iterable[Standing]) -> Verdict:
    """Level and reason of a case. Passive rules have no voice; tickets never make a hazard."""
    active = [s for s in standings if s.mode is Mode.ACTIVE and s.level > Level.NORMAL]
    hazards = [s for s in active if s.kind is Kind.HAZARD]
    if hazards:
        return _hazard(hazards)
    if active:
        lead = _gravest(active)
        return Verdict(min(lead.level, TICKET_CAP), Kind.TICKET, Why.TICKET, len(_voices(active)), lead)
    return Verdict(Level.NORMAL, Kind.HAZARD, Why.QUIET, 0, None)


def _hazard(standings: list[Standing]) -> Verdict:
    voices, lead = _voices(standings), _gravest(standings)
    if len(voices) == 1:
        level, why = _lone(voices[0])
    else:
        level, why = _several(voices)
    return Verdict(level, Kind.HAZARD, why, len(voices), lead)


def _lone(voice: Voice) -> tuple[Level, Why]:
    if voice.alone < voice.level:
        return voice.alone, Why.CAPPED
    return voice.alone, Why.HARD if voice.alone > LONE_CAP else Why.LONE


def _several(voices: list[Voice]) -> tuple[Level, Why]:
    first, second = sorted((v.level for v in voices), reverse=True)[:2]
    agreed = Level(min(Level.RED, second + 1))
    return (agreed, Why.AGREED) if agreed > first else (first, Why.SEVERAL)


def _voices(standings: list[Standing]) -> list[Voice]:
    heard: dict[tuple[str, str], Voice] = {}
    for s in standings:
        alone = s.level if s.hard else min(s.level, LONE_CAP)
        had = heard.get((s.device, s.quantity), Voice(Level.NORMAL, Level.NORMAL))
        heard[s.device, s.quantity] = Voice(max(had.level, s.level), max(had.alone, alone))
    return list(heard.values())


def _gravest(standings: list[Standing]) -> Standing:
    return max(standings, key=lambda s: (s.level, s.hard, s.key, s.rule))
