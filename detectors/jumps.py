"""Jumps: a reading that leaps away and back again while the structure about it stands still."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.medians import NORMAL, mads, medians
from lifeline.model import NS, Bools, Floats, Ints, Members

MOST: Final = 4.0  # [1] score up to which jumps are remembered


class JumpsState(NamedTuple):
    past: Floats  # [n, window] [SI] the last slots, oldest first; NaN: nothing was said
    seen: Ints  # [n] [1] slots in which something was said, up to the warm-up
    out: Ints  # [n] [1] slots in a row that it has been away; 0: it is not
    alone: Bools  # [n] whether nothing else moved when it went
    when: Ints  # [n, 4 many] [ns] ends of the last jumps, oldest first; 0: none


@dataclass(frozen=True)
class Jumps:
    """Jumps in the last `period` over `many`: farther than `far` spreads from the median, and back within `longest`.

    Median and spread (MAD) are those of the last `window` slots (F. R. Hampel, J. Am. Stat. Assoc. 69, 1974, 383-393).
    Multipath moves a satellite receiver by centimetres for minutes and lets it go; a load that did so would move other sensors
    too, so a jump counts only if others were there, and none of them was `near` of its own spreads away when it began. False
    alarms: docs/detectors/jumps.md.
    """

    over: tuple[str, ...] = ("displacement",)
    beside: tuple[str, ...] = ("deflection", "strain")
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 60.0  # [s]
    window: int = 120  # [slot]
    far: float = 5.0  # [1] spreads
    near: float = 3.0  # [1] spreads of a witness
    shortest: int = 2  # [slot] that a jump must last: a wild reading by itself is none
    longest: int = 15  # [slot] that a jump may last; what is away for longer is learned anew
    many: int = 4  # [1]
    period: float = 86_400.0  # [s]
    least: float = 1e-4  # [1] of the sensor's range: a smaller spread is taken to be so large
    judged: tuple[bool, ...] = ()  # [n] set by `settled`, as all below
    floor: tuple[float, ...] = ()  # [n] [SI]
    device: tuple[str, ...] = ()  # [n]

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.window

    def settled(self, m: Members) -> Self | None:
        """None without a witness: what moves alone is only known beside what does not."""
        if len(set(m.device.tolist())) <= 1:
            return None
        span = self.least * (m.high - m.low)
        floor = np.where(np.isfinite(span), span, 0.0)
        return replace(self, judged=tuple(m.judged.tolist()), floor=tuple(floor.tolist()), device=tuple(m.device.tolist()))

    def init(self, n: int) -> JumpsState:
        """State of n series that have said nothing."""
        count = np.zeros(n, np.int64)
        kept = round(MOST * self.many)
        return JumpsState(
            np.full((n, self.window), np.nan), count, count.copy(), np.zeros(n, np.bool_), np.zeros((n, kept), np.int64)
        )

    def step(self, s: JumpsState, x: Floats, t: Ints) -> tuple[JumpsState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = JumpsState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            known = np.isfinite(x[:, j]) & (s.seen >= self.window)
            away = self._away(s, x[:, j], known)
            self._move(s, away, known & np.array(self.judged), int(t[j]))
            recent = ((s.when > 0) & (s.when > t[j] - round(self.period * NS))).sum(axis=1)
            score[:, j] = np.where(known, recent / self.many, np.nan)
            self._learn(s, x[:, j])
        return s, score

    def _away(self, s: JumpsState, x: Floats, known: Bools) -> Floats:
        """How far each is from its median, in spreads; NaN where that is not known. [n] [1]"""
        spread = np.maximum(NORMAL * mads(s.past), self.floor)
        return np.where(known & (spread > 0), np.abs(x - medians(s.past)) / np.where(spread > 0, spread, 1.0), np.nan)

    def _move(self, s: JumpsState, away: Floats, known: Bools, t: int) -> None:
        """Who leaves, who stays away, who is back. away, known [n]; t [ns]"""
        out = known & (away > self.far)
        leaves = out & (s.out == 0)
        s.alone[leaves] = self._alone(away)[leaves]
        back = known & ~out & (s.out > 0)
        counts = back & s.alone & (s.out >= self.shortest)
        s.when[counts] = np.column_stack([s.when[counts, 1:], np.full(counts.sum(), t)])
        s.out[out] += 1
        s.out[back] = 0

    def _learn(self, s: JumpsState, x: Floats) -> None:
        """What is away teaches nothing; what stays away is where it is now, and is learned anew. x [n] [SI]"""
        s.past[:, :-1], s.past[:, -1] = s.past[:, 1:].copy(), np.where(s.out > 0, np.nan, x)
        s.seen[:] = np.minimum(s.seen + np.isfinite(s.past[:, -1]), self.window)
        stays = s.out > self.longest
        s.past[stays], s.seen[stays], s.out[stays] = np.nan, 0, 0

    def _alone(self, away: Floats) -> Bools:
        """Whether the other devices are there and none of them has moved. away [n] -> [n]"""
        device = np.array(self.device)
        other = device[:, None] != device[None, :]
        still = np.where(np.isfinite(away), away <= self.near, True)
        there = (other & np.isfinite(away)[None, :]).any(axis=1)
        return np.asarray(there & (still[None, :] | ~other).all(axis=1))


default = Jumps()
