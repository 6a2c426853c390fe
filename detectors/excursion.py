"""Excursion: a structure that stays farther out than its loads have ever moved it."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Members

SLOT: Final = 1.0  # [s]
MEAN: Final = 10  # [slot] whose mean is looked at: what shakes is not where a structure stands


class ExcursionState(NamedTuple):
    last: Floats  # [n, MEAN] [SI] seconds, oldest first; NaN: nothing was said
    seen: Ints  # [n] [1] seconds that taught
    low: Floats  # [n] [SI] least while it was taught
    high: Floats  # [n] [SI] greatest
    middle: Floats  # [n] [SI] of the range; follows slowly
    out: Ints  # [n] [1] seconds in a row beyond the limit
    at: Ints  # [1] [ns] end of the last slot; 0: none yet


@dataclass(frozen=True)
class Excursion:
    """How far the mean of ten seconds is beyond the range of the first `learn` seconds, in widths of that range.

    Loads come and go and leave the range where it is; a support that settles, or a part that yields, moves all of it (the
    residual after a passage as a sign of damage: JT/T 1037-2022, after the reports of bridges). The range must have seen the
    loads: ten minutes of traffic, or of a test's load cycles. Its middle follows what is calm by `rate` widths an hour, for the
    sun moves a structure too; what settles more slowly than that is not known here (see thermal). After `accept` seconds beyond
    the limit the range is learned anew. A limit on the structure's own scale has no statistics: false alarms are those of
    weather that moves it faster than `rate`, docs/detectors/excursion.md counts them.
    """

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = SLOT  # [s]
    learn: int = 600  # [s]
    rate: float = 2.0  # [1/h]
    accept: int = 86_400  # [s]
    fastest: float = 0.1  # [s] series with a longer step do not see loads come and go, and are not judged

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn

    def settled(self, m: Members) -> Self | None:
        """None where all series are slow."""
        return self if (m.step <= self.fastest).any() else None

    def init(self, n: int) -> ExcursionState:
        """State of n series of which nothing is known."""
        count = np.zeros(n, np.int64)
        return ExcursionState(
            np.full((n, MEAN), np.nan), count, np.full(n, np.inf), np.full(n, -np.inf), np.zeros(n), count.copy(),
            np.zeros(1, np.int64),
        )  # fmt: skip

    def step(self, s: ExcursionState, x: Floats, t: Ints) -> tuple[ExcursionState, Floats]:
        """x [n, k] seconds [SI], t [k] -> new state, score [n, k] [1]."""
        s = ExcursionState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            passed = (t[j] - s.at[0]) / NS if s.at[0] else SLOT
            s.at[0] = t[j]
            s.last[:, :-1], s.last[:, -1] = s.last[:, 1:].copy(), x[:, j]
            there = np.isfinite(s.last).all(axis=1)
            if there.any():
                mean = np.where(there, s.last.mean(axis=1), 0.0)
                self._teach(s, mean, there & (s.seen < self.learn))
                known = there & (s.seen >= self.learn)
                score[known, j] = self._judge(s, mean, known, float(passed))[known]
        return s, score

    def _teach(self, s: ExcursionState, mean: Floats, new: Bools) -> None:
        """One second for the range of the series `new` [n]."""
        s.seen[new] += 1
        s.low[new], s.high[new] = np.minimum(s.low, mean)[new], np.maximum(s.high, mean)[new]
        s.middle[new] = 0.5 * (s.low[new] + s.high[new])

    def _judge(self, s: ExcursionState, mean: Floats, known: Bools, passed: float) -> Floats:
        """Score of the series `known` [n], and what they learn. passed [s] -> [n] [1]"""
        width = np.where(s.high > s.low, s.high - s.low, np.inf)
        away = mean - s.middle
        score = np.maximum(np.abs(away) / width - 0.5, 0.0)
        calm = known & (score < 1)
        most = self.rate / 3600 * passed * np.where(np.isfinite(width), width, 0.0)
        s.middle[calm] += np.clip(away, -most, most)[calm]
        s.out[known] = np.where(calm[known], 0, s.out[known] + 1)
        again = known & (s.out >= self.accept)
        s.seen[again], s.out[again] = 0, 0
        s.low[again], s.high[again] = np.inf, -np.inf
        return score


default = Excursion()
