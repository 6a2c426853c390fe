"""A panel and a timed detector for the tests of what carries them: plain, and with a memory that any mistake would show in."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Domain, Floats, Ints, Kind, Level, Limits, Members, Mode, Place, Rule


class ApartState(NamedTuple):
    usual: Floats  # [n] [SI] slow mean of each member's distance from the others
    seen: Ints  # [n] slots in which it was there
    last: Ints  # [1] [ns] end of the last slot


@dataclass(frozen=True)
class Apart:
    """How far a member is from the median of all, against what it usually is."""

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = 0.0
    least: int = 3
    members: Members | None = None

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0

    def settled(self, m: Members) -> Self | None:
        return replace(self, members=m) if m.judged.sum() >= self.least else None

    def init(self, n: int) -> ApartState:
        return ApartState(np.zeros(n), np.zeros(n, np.int64), np.zeros(1, np.int64))

    def step(self, s: ApartState, x: Floats, t: Ints) -> tuple[ApartState, Floats]:
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j])
            away = x[:, j] - (np.median(x[there, j]) if there.any() else 0.0)
            score[:, j] = np.abs(away - s.usual)
            usual = s.usual + np.where(there, (np.where(there, away, 0.0) - s.usual) * 0.01, 0.0)
            s = ApartState(usual, s.seen + there, t[j : j + 1].copy())
        return s, score

    def locate(self, s: ApartState, i: int) -> tuple[Place, ...]:
        assert self.members is not None
        return (Place(f"{self.members.asset[i]} at {int(s.last[0]) // NS}", 0.75), Place("elsewhere", 0.25))


class GapState(NamedTuple):
    last: Ints  # [n] [ns] of the last sample that was there


@dataclass(frozen=True)
class Gap:
    """Time since the sample before. [s]"""

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0
    timed: ClassVar[Literal[True]] = True

    def init(self, n: int) -> GapState:
        return GapState(np.zeros(n, np.int64))

    def step(self, s: GapState, x: Floats, t: Ints) -> tuple[GapState, Floats]:
        last, score = s.last, np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j])
            score[:, j] = np.where(there & (last > 0), (t[:, j] - last) / NS, np.nan)
            last = np.where(there, t[:, j], last)
        return GapState(last), score


def rule(detector: Apart | Gap, quantity: str, domain: Domain, *bounds: float, name: str, held: bool = False) -> Rule:
    """An active rule, levels at these scores."""
    enter = np.array([*bounds, *[np.inf] * (4 - len(bounds))])
    limits = Limits(enter, 0.8 * enter, np.ones(4, np.int64))
    names = [x.name for x in list(Level)[1 : len(bounds) + 1]]
    return Rule(
        f"test.{name}", domain, quantity, "gas_accumulation", Kind.HAZARD, Mode.ACTIVE, detector, False, False, held, limits,
        None, dict(zip(names, bounds, strict=True)), "1", "a test", "C",
    )  # fmt: skip
