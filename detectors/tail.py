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
BARELY: Final = 0.02  # [1] mean excesses over the threshold that are not beyond it yet
RECORD: Final = 1.0  # [1] mean excess of a new least or greatest value, before there is any
TOLD: Final = 0.1  # [1] share of each in what is learned
SLOW: Final = 1e-4  # [1] least gain of a threshold: what is usual may change
KEEN: Final = 0.005  # [1] least gain of an excess
MOST: Final = 10.0  # [1] mean excesses that one value adds at most to what is learned
RAREST: Final = 15.0  # [1] -log10 of the least probability believed
NEAR: Final = 0.1  # [1] of the spread of all: what is nearer than that is near
FAINT: Final = 1e-3  # [1] of the spread of all: what moves less does not move
ALIKE: Final = 1e-9  # [1] of the mean: what differs by less is rounding
NOTHING: Final = 1e-100  # [SI] least spread, whose square is still a number
NONE: Final = -1e30  # [1] less than any logarithm
STIRS: Final = 2.0  # [1] at which a rest begins
WORSE: Final = 1.5  # [1] times what began it: such a value is heard all the same
SHORTEST: Final = 20.0  # [1] samples of a rest
YOUNG: Final = 0.07  # [1] of the samples seen, at most, is a rest
GROWN: Final = BATCH + 256  # [1] samples after which every measure has its first values
AGED: Final = 11_000  # [1] samples after which no gain of a measure changes any more


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

    All in spreads of the whole series: how far a sample is out of the range so far; the moving mean of 16 samples against that
    of 256; change of the logarithm of the spread over 16 and over 64 samples; moving means of 64 and of 256 against the mean of
    all. The logarithm of each has a threshold that a fiftieth of its values pass, begun with the greatest of the first 150 and
    followed by stochastic approximation (H. Robbins, S. Monro, Ann. Math. Stat. 22, 1951, 400-407); beyond it its tail is
    exponential, of the mean excess (B. M. Hill, Ann. Stat. 3, 1975, 1163-1174): peaks over threshold (A. Siffer et al., KDD
    2017, 1067-1075) with a Pareto tail, whose one parameter needs no search. One of n samples is out of the range so far by
    2 / n, whatever their distribution, and so far out by the mean excess of such before. What is strange in several ways is
    stranger; the six depend on each other, so that the score is no probability: docs/detectors/tail.md counts how often it is
    wrong. After a score of 1 in 100 or less its like is not heard for a while, at most `quiet` samples.
    """

    limit: float = 14.0  # [1] of the root; six measures of 1 in 10⁶ each
    warmup: int = 150  # [1]
    quiet: float = 200.0  # [1]

    ticks: ClassVar[int] = 64  # [1] samples worked on together: each call turns the memory round
    timed: ClassVar[Literal[True]] = True  # so that a gap sends nothing back to `init`: what is usual outlives it
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> TailState:
        """State of n series that have seen nothing."""
        zero, ways, two = np.zeros(n), np.zeros((n, WAYS)), np.zeros((n, SPREADS))
        return TailState(
            np.zeros(n, np.int64), zero, zero.copy(), np.full(n, np.inf), np.full(n, -np.inf), np.zeros((n, len(MEANS))), two,
            two.copy(), ways, np.full((n, WAYS), RECORD), np.full((n, TOP + 1, WAYS), NONE), zero.copy(), zero.copy(),
        )  # fmt: skip

    def step(self, s: TailState, x: Floats, t: Ints) -> tuple[TailState, Floats]:  # noqa: ARG002  samples are counted
        """x [m, k] [SI], t [m, k] [ns] -> new state, score [m, k] [1]."""
        whole = bool(np.isfinite(x).all())
        if whole and x.size and s.seen.min() >= max(GROWN, self.warmup):
            return self._flow(s, x)
        s = TailState._make(np.array(a.T, order="C") for a in s)  # measures first: what is added lies side by side
        score = np.full(x.shape[::-1], np.nan)
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
        """One sample of each series: x [m]. Of s, and of what is told, the series are the last axis."""
        now, v = followed(s, x)
        now, strange = learned(now, v)
        most = np.sqrt((strange * strange).sum(axis=0))
        ripe = now.seen > self.warmup
        heard = ripe & ((s.rest <= 0) | (most > WORSE * s.held))
        begins = heard & (most > STIRS)
        rest = np.where(begins, np.clip(YOUNG * now.seen, SHORTEST, self.quiet), s.rest - 1)
        said = np.where(ripe, np.where(heard, most, 0.0) / self.limit, np.nan)
        return now._replace(rest=rest, held=np.where(begins, most, s.held)), said

    def _flow(self, s: TailState, x: Floats) -> tuple[TailState, Floats]:
        """The same for series that have all begun, and without a gap: what seldom happens is looked at where it happens."""
        top, score = s.top, np.zeros(x.shape[::-1])
        s = TailState._make(a if a is top else np.array(a.T, order="C") for a in s)
        room = np.empty((5, len(MEANS), len(x)))
        for said, now in zip(score, x.T, strict=True):
            sum_ = _squares(s, now, room)
            np.subtract(s.rest, 1, out=s.rest)
            rows = np.flatnonzero(sum_)
            most = np.sqrt(sum_[rows])
            rest, held = s.rest[rows] + 1, s.held[rows]
            heard = (rest <= 0) | (most > WORSE * held)
            said[rows] = np.where(heard, most, 0.0) / self.limit
            begins = heard & (most > STIRS)
            if begins.any():
                s.rest[rows[begins]] = np.clip(YOUNG * s.seen[rows[begins]], SHORTEST, self.quiet)
                s.held[rows[begins]] = most[begins]
        return TailState._make(a if a is top else np.array(a.T, order="C") for a in s), score.T


def _squares(s: TailState, x: Floats, room: Floats) -> Floats:
    """Sum of the squares of how strange x [m] is in each way; s is written to. room [5, 3, m]: to be written to"""
    s.seen[:] += 1
    seen = s.seen[:1] if (s.seen == s.seen[0]).all() else s.seen  # what is the same for all is reckoned once
    age = np.minimum(seen, AGED)
    age = age[:1] if (age == age[0]).all() else age
    number, one = age - SINCE[1:], room[4]
    spread = _spread(s, x, 1 / seen, one)
    v, (moved, nearer, loud) = np.empty((WAYS - 1, x.size)), room[:3]
    np.subtract(s.low, x, out=one[0])
    np.subtract(x, s.high, out=one[1])
    np.maximum(one[0], one[1], out=one[0])
    out = np.flatnonzero(one[0] > 0)
    beyond = one[0][out]
    s.low[out], s.high[out] = np.minimum(s.low[out], x[out]), np.maximum(s.high[out], x[out])
    share = np.maximum(1 / age, 1 / MEANS)
    np.subtract(x, s.near, out=moved)
    np.add(s.near, np.multiply(share, moved, out=nearer), out=s.near)
    first, loud = moved[:SPREADS], loud[:SPREADS]
    np.subtract(x, s.near[:SPREADS], out=loud)
    first *= loud
    first -= s.away
    first *= share[:SPREADS]
    np.add(s.away, first, out=s.away)
    np.maximum(s.away, 0.0, out=loud)
    np.sqrt(loud, out=loud)
    loud /= spread
    loud += FAINT
    np.log(loud, out=loud)
    loud -= s.usual
    np.abs(loud, out=v[3:])
    loud *= np.maximum(1 / age, 1 / (USUAL * MEANS[:SPREADS]))
    np.add(s.usual, loud, out=s.usual)
    np.subtract(s.near[0], s.near[2], out=v[0])
    np.subtract(s.near[1:], s.mean, out=v[1:3])
    level = np.abs(v[:3], out=v[:3])
    level /= spread
    level += NEAR
    np.log(level, out=level)
    return _learn(s, v, number, (out, np.log(beyond / spread[out] + NEAR)))


def _spread(s: TailState, x: Floats, gain: Floats, room: Floats) -> Floats:
    """Spread of all of a series after x [m]; its mean and power are written to. room [3, m]: of which the last is given back"""
    all_, (a, b, spread) = np.maximum(gain, 1 / LONG), room
    np.subtract(x, s.mean, out=a)
    np.add(s.mean, np.multiply(a, all_, out=b), out=s.mean)
    a *= np.subtract(x, s.mean, out=b)
    a -= s.power
    a *= all_
    np.add(s.power, a, out=s.power)
    np.maximum(s.power, 0.0, out=spread)
    np.sqrt(spread, out=spread)
    np.abs(s.mean, out=b)
    b *= ALIKE
    np.maximum(b, NOTHING, out=b)
    return np.asarray(np.maximum(spread, b, out=spread))


def _learn(s: TailState, v: Floats, number: Ints, new: tuple[Ints, Floats]) -> Floats:
    """Sum of the squares of how strange v [WAYS - 1, m] and new extremes are; thresholds and excesses are written to.

    number: of their values so far; new: series beyond their range so far, and by how much
    """
    out, far = new
    strange = np.empty(0)
    if out.size:
        s.excess[0, out], strange = records(TailState._make(a if a is s.top else a[..., out] for a in s), far)
    above, excess = s.above[1:], s.excess[1:]
    gain = np.maximum(1 / number, SLOW)
    step = np.maximum(10 * gain, 20 * SLOW)
    way, series = np.nonzero(v > above)
    was, over = above[way, series], excess[way, series]
    np.subtract(above, excess * (3 * PEAK * step), out=above)
    each = (way, series if number.shape[1] > 1 else np.zeros_like(series))
    beyond = v[way, series] - was
    above[way, series] = was + 3 * over * step[each] * (1 - PEAK)
    pull = np.clip(gain[each] / PEAK, KEEN, 0.5) * (np.minimum(beyond, MOST * over) - over)
    excess[way, series] = np.maximum(over + pull, LEAST)
    rare = -np.log10(np.maximum(PEAK, TOP / number[each]))
    clear = np.where(beyond > BARELY * over, np.minimum(rare + beyond / over / np.log(10), RAREST), 0.0)
    both = np.concatenate([strange, clear])
    return np.asarray(np.bincount(np.concatenate([out, series]), both * both, v.shape[1]))


def followed(s: TailState, x: Floats) -> tuple[TailState, Floats]:
    """The means and spreads after x [m], and the measures of it: range, shift, two levels, two spreads. [WAYS, m]"""
    seen = s.seen + 1
    gain = 1 / seen
    all_ = np.maximum(gain, 1 / LONG)
    mean = s.mean + (x - s.mean) * all_
    power = s.power + ((x - s.mean) * (x - mean) - s.power) * all_
    spread = np.maximum(np.sqrt(np.maximum(power, 0.0)), np.maximum(ALIKE * np.abs(mean), NOTHING))
    share = np.maximum(gain, 1 / MEANS)
    near = s.near + share * (x - s.near)
    away = s.away + share[:SPREADS] * ((x - s.near[:SPREADS]) * (x - near[:SPREADS]) - s.away)
    loud = np.log(np.sqrt(np.maximum(away, 0.0)) / spread + FAINT)
    usual = s.usual + np.maximum(gain, 1 / (USUAL * MEANS[:SPREADS])) * (loud - s.usual)
    low, high = np.fmin(s.low, x), np.fmax(s.high, x)
    v = np.empty((WAYS, x.size))
    v[0] = np.where(seen > 1, np.maximum(high - s.high, s.low - low), 0.0)
    v[1] = np.abs(near[0] - near[2])
    v[2:4] = np.abs(near[1:] - mean)
    v[:4] = np.log(v[:4] / spread + NEAR)
    v[4:] = np.abs(loud - s.usual)
    now = s._replace(seen=seen, mean=mean, power=power, low=low, high=high, near=near, away=away, usual=usual)
    return now, v


def learned(s: TailState, v: Floats) -> tuple[TailState, Floats]:
    """What is known of the measures after values v [WAYS, m]; and how strange each is by what was known before. [WAYS, m]"""
    number = s.seen - SINCE
    over: Bools = (number > FEWEST) & (v > s.above)
    beyond = np.where(over, v - s.above, 0.0)
    clear: Bools = beyond > BARELY * s.excess
    rare = -np.log10(np.maximum(PEAK, TOP / np.maximum(number, TOP)))
    strange = np.where(clear, np.minimum(rare + beyond / s.excess / np.log(10), RAREST), 0.0)
    gain = np.maximum(1 / np.maximum(number, 1), SLOW)
    step = np.maximum(10 * gain, 20 * SLOW)
    above = np.where(over, s.above + 3 * s.excess * step * (1 - PEAK), s.above - s.excess * (3 * PEAK * step))
    above[0] = s.above[0]  # what is out of range has no threshold
    pull = np.clip(gain / PEAK, KEEN, 0.5) * (np.minimum(beyond, MOST * s.excess) - s.excess)
    now = s._replace(above=above, excess=np.where(over, np.maximum(s.excess + pull, LEAST), s.excess))
    now = begun(now, v, number)
    now.excess[0], strange[0] = records(s, v[0])
    return now, strange


def records(s: TailState, v: Floats) -> tuple[Floats, Floats]:
    """Mean excess of new least and greatest values after v [m], and how strange it is: one of n is among them by 2 / n."""
    beyond = v - np.log(NEAR)
    new: Bools = (beyond > ALIKE) & (s.seen > 2)
    strange = np.where(new, np.minimum(beyond / s.excess[0] / np.log(10) - np.log10(2 / s.seen), RAREST), 0.0)
    return np.where(new, np.maximum(s.excess[0] + TOLD * (beyond - s.excess[0]), LEAST), s.excess[0]), strange


def begun(s: TailState, v: Floats, number: Ints) -> TailState:
    """Threshold and excess by the greatest of the first values, where there are no more yet. v, number [WAYS, m]"""
    young = np.flatnonzero(number.min(axis=0) <= BATCH)
    if not young.size:
        return s
    first = number[:, young] <= BATCH
    both = np.concatenate([s.top[:, :, young], np.where(number[:, young] > 0, v[:, young], NONE)[:, None]], axis=1)
    kept = np.where(first[:, None], -np.sort(-both, axis=1)[:, :-1], s.top[:, :, young])
    last = kept[:, -1]
    top, above, excess = s.top.copy(), s.above, s.excess
    top[:, :, young] = kept
    above[:, young] = np.where(first, last, above[:, young])
    excess[:, young] = np.where(first, np.maximum(kept[:, :-1].mean(axis=1) - last, LEAST), excess[:, young])
    return s._replace(top=top)


default = Tail()
