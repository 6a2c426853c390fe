"""Tail: how improbable a series is now, by the tails of what it has done before, in six ways together."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints

MEANS: Final = np.array([[16.0], [64.0], [256.0]])  # [1] samples that each moving mean remembers
SPREADS: Final = 2  # of the first two, a spread too
USUAL: Final = 8.0  # [1] times as long is what is usual of a spread
LONG: Final = 100_000.0  # [1] samples that the mean and spread of all remember
WAYS: Final = 6  # range, shift, two levels, two spreads
SINCE: Final = np.array([[1], [256], [64], [256], [16], [64]])  # [1] samples before a measure begins
PEAK: Final = 0.02  # [1] of the values lie above the threshold
TOP: Final = 3  # [1] values above it among the first
BATCH: Final = 150  # [1] the first values of a measure: their order is kept
FEWEST: Final = 50  # [1] values that tell what is improbable
LEAST: Final = 0.02  # [1] least mean excess: the measures are logarithms
SLOW: Final = 1e-4  # [1] least gain of a threshold: what is usual may change
KEEN: Final = 0.005  # [1] least gain of an excess
MOST: Final = 10.0  # [1] mean excesses that one value adds at most to what is learned
RAREST: Final = 15.0  # [1] -log10 of the least probability believed
NEAR: Final = 0.1  # [1] of the spread of all: what is nearer than that is near
FAINT: Final = 1e-3  # [1] of the spread of all: what moves less does not move
ALIKE: Final = 1e-9  # [1] of the mean: what differs by less is rounding
NOTHING: Final = 1e-100  # [SI] least spread, whose square is still a number
STIRS: Final = 2.0  # [1] at which a rest begins
WORSE: Final = 1.5  # [1] times what began it: such a value is heard all the same
SHORTEST: Final = 20.0  # [1] samples of a rest
YOUNG: Final = 0.07  # [1] of the samples seen, at most, is a rest


class TailState(NamedTuple):
    seen: Ints  # [n] [1] samples so far
    mean: Floats  # [n] [SI] of all of them
    power: Floats  # [n] [SI²] mean squared deviation
    low: Floats  # [n] [SI] least so far
    high: Floats  # [n] [SI] greatest so far
    near: Floats  # [n, 3] [SI] moving means
    away: Floats  # [n, SPREADS] [SI²] mean squared deviation about the first of them
    usual: Floats  # [n, SPREADS] [1] what the logarithm of that spread is as a rule
    above: Floats  # [n, WAYS] [1] threshold of each measure
    excess: Floats  # [n, WAYS] [1] mean excess over it
    top: Floats  # [n, TOP + 1, WAYS] [1] greatest of the first values, greatest first
    rest: Floats  # [n] [1] samples until a like value is heard again
    held: Floats  # [n] [1] what began the rest


@dataclass(frozen=True)
class Tail:
    """Root of the sum of squares of -log10 of the probabilities of six measures, over `limit`.

    All in spreads of the whole series: how far a sample is out of the range so far; moving mean of 16 samples against that of
    256; change of the logarithm of the spread over 16 and over 64 samples; moving means of 64 and of 256 against the mean of
    all. Of each, its logarithm has a threshold that a fiftieth of its values pass, found by stochastic approximation (H. Robbins,
    S. Monro, Ann. Math. Stat. 22, 1951, 400-407), and beyond it an exponential tail of the mean excess (B. M. Hill, Ann. Stat.
    3, 1975, 1163-1174): the peaks over threshold of A. Siffer et al. (KDD 2017, 1067-1075) with the shape that the mean log
    excess gives, so that heavy tails are taken for heavy. What is strange in several ways is stranger. After a score of 1 in
    100 or less its like is not heard for a while, at most `quiet` samples. How often it is wrong: docs/detectors/tail.md.
    """

    limit: float = 10.0  # [1] -log10 of a probability
    warmup: int = 150  # [1]
    quiet: float = 200.0  # [1]

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> TailState:
        """State of n series that have seen nothing."""
        zero, ways, two = np.zeros(n), np.zeros((n, WAYS)), np.zeros((n, SPREADS))
        return TailState(
            np.zeros(n, np.int64), zero, zero.copy(), np.full(n, np.inf), np.full(n, -np.inf), np.zeros((n, len(MEANS))), two,
            two.copy(), ways, ways.copy(), np.full((n, TOP + 1, WAYS), -np.inf), zero.copy(), zero.copy(),
        )  # fmt: skip

    def step(self, s: TailState, x: Floats) -> tuple[TailState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        s = TailState._make(np.array(a.T, order="C") for a in s)  # measures first: what is added lies side by side
        score = np.full(x.shape[::-1], np.nan)
        whole = bool(np.isfinite(x).all())
        for said, now in zip(score, x.T, strict=True):
            if whole:
                s, said[:] = self._tick(s, now)
                continue
            rows = np.flatnonzero(np.isfinite(now))
            if rows.size:
                mine, said[rows] = self._tick(TailState._make(a[..., rows] for a in s), now[rows])
                for a, new in zip(s, mine, strict=True):
                    a[..., rows] = new
        return TailState._make(np.array(a.T, order="C") for a in s), score.T

    def _tick(self, s: TailState, x: Floats) -> tuple[TailState, Floats]:
        """One sample of each series: x [m]."""
        seen = s.seen + 1
        gain = 1 / seen
        first = np.maximum(gain, 1 / LONG)
        mean = s.mean + (x - s.mean) * first
        power = s.power + ((x - s.mean) * (x - mean) - s.power) * first
        spread = np.maximum(np.sqrt(np.maximum(power, 0.0)), np.maximum(ALIKE * np.abs(mean), NOTHING))
        share = np.maximum(gain, 1 / MEANS)
        near = s.near + share * (x - s.near)
        away = s.away + share[:SPREADS] * ((x - s.near[:SPREADS]) * (x - near[:SPREADS]) - s.away)
        loud = np.log(np.sqrt(np.maximum(away, 0.0)) / spread + FAINT)
        usual = s.usual + np.maximum(gain, 1 / (USUAL * MEANS[:SPREADS])) * (loud - s.usual)
        v = np.empty((WAYS, x.size))
        v[0] = np.where(seen > 1, np.maximum(np.maximum(x - s.high, s.low - x), 0.0), 0.0)
        v[1] = np.abs(near[0] - near[2])
        v[2:4] = np.abs(near[1:] - mean)
        v[:4] = np.log(v[:4] / spread + NEAR)
        v[4:] = np.abs(loud - s.usual)
        above, excess, top, strange = learned(s, v, seen)
        most = np.sqrt((strange * strange).sum(axis=0))
        ripe = seen > self.warmup
        heard = ripe & ((s.rest <= 0) | (most > WORSE * s.held))
        begins = heard & (most > STIRS)
        rest = np.where(begins, np.clip(YOUNG * seen, SHORTEST, self.quiet), s.rest - 1)
        held = np.where(begins, most, s.held)
        state = TailState(
            seen, mean, power, np.minimum(s.low, x), np.maximum(s.high, x), near, away, usual, above, excess, top, rest, held
        )
        return state, np.where(ripe, np.where(heard, most, 0.0) / self.limit, np.nan)


def learned(s: TailState, v: Floats, seen: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Thresholds, excesses and greatest values after values v [WAYS, m]; and how strange each is by what was known before."""
    number = seen - SINCE
    over: Bools = (number > FEWEST) & (v > s.above)
    beyond = np.where(over, v - s.above, 0.0)
    rare = -np.log10(np.maximum(PEAK, TOP / np.maximum(number, TOP)))
    strange = np.where(over, np.minimum(rare + beyond / s.excess / np.log(10), RAREST), 0.0)
    gain = np.maximum(1 / np.maximum(number, 1), SLOW)
    above = s.above + 3 * s.excess * np.maximum(10 * gain, 20 * SLOW) * (over - PEAK)
    pull = np.clip(gain / PEAK, KEEN, 0.5) * (np.minimum(beyond, MOST * s.excess) - s.excess)
    excess = np.where(over, np.maximum(s.excess + pull, LEAST), s.excess)
    top = s.top
    young = np.flatnonzero(seen <= BATCH + SINCE.max())
    if young.size:
        top, early = s.top.copy(), (number[:, young] > 0) & (number[:, young] <= BATCH)
        both = np.concatenate([top[..., young], v[:, None, young]], axis=1)
        kept = -np.sort(-both, axis=1)[:, :-1]
        top[..., young] = np.where(early[:, None], kept, top[..., young])
        above[:, young] = np.where(number[:, young] <= BATCH, kept[:, -1], above[:, young])
        mean = kept[:, :-1].mean(axis=1) - kept[:, -1]
        excess[:, young] = np.where(number[:, young] <= BATCH, np.maximum(np.nan_to_num(mean, nan=0.0), LEAST), excess[:, young])
    return above, excess, top, strange


default = Tail()
