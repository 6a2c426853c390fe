"""Tail: how improbable a reading is, by the tail of what its own series has done before, in four ways at once."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints

SHORT: Final = 20  # [1] samples of the short window
LONG: Final = 100  # [1] samples before it
KEPT: Final = SHORT + LONG
WAYS: Final = 4  # step, distance, shift, spread
PEAK: Final = 0.02  # [1] of the values lie above the threshold
FIRST: Final = 0.1  # [1] of the first value that its excesses are taken for
SLOW: Final = 1e-4  # [1] least gain: what is usual may change
MOST: Final = 10.0  # [1] mean excesses that one value adds at most to what is learned
FAINT: Final = 1e-3  # [1] of the whole spread: what moves less does not move
RARER: Final = np.log(100.0)  # [1] of a series that knows steps only: so much rarer at most is each step than the one before it
ALIKE: Final = 1e-9  # [1] of the reading: what differs by less is rounding
STIRS: Final = 2.0  # [1] -log10 of the probability at which a rest begins
WORSE: Final = 1.5  # [1] times what began it: such a value is heard all the same


class TailState(NamedTuple):
    past: Floats  # [n, KEPT] [SI] last samples, oldest first; NaN before the start
    seen: Ints  # [n] [1] samples so far
    mean: Floats  # [n] [SI] of all of them
    power: Floats  # [n] [SI²] mean squared deviation
    above: Floats  # [n, WAYS] [1] threshold of each measure; NaN: it has not been measured
    excess: Floats  # [n, WAYS] [1] mean excess over it
    number: Floats  # [n, WAYS] [1] values so far
    rest: Ints  # [n] [1] samples until a like value is heard again
    held: Floats  # [n] [1] what began the rest
    grain: Floats  # [n] [SI] least step between two samples in a row; inf: there was none


@dataclass(frozen=True)
class Tail:
    """-log10 of the probability of the strangest of four measures, over `limit`.

    The measures: step from the sample before; distance from the mean of all; shift of the last 20 samples against the 100
    before; logarithm of their spread. Each has a threshold that a fiftieth of its values pass, found by stochastic
    approximation (H. Robbins, S. Monro, Ann. Math. Stat. 22, 1951, 400-407), and beyond it an exponential tail of the mean
    excess: peaks over threshold (A. Siffer et al., KDD 2017, 1067-1075) with the shape set to zero, which needs no fit and
    bears any stream. After a value of probability 1 in 100 or less its like is not heard for `quiet` samples: strange times
    come in runs. Each measure reaches the limit with probability 10^-limit a sample where its tail is exponential; heavier
    tails, and thresholds that are still being found, do so more often: docs/detectors/tail.md counts.
    """

    limit: float = 10.0  # [1] -log10 of the probability
    warmup: int = 200  # [1]
    quiet: int = 200  # [1]

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> TailState:
        """State of n series that have seen nothing."""
        count, zero, ways = np.zeros(n, np.int64), np.zeros(n), np.zeros((n, WAYS))
        return TailState(
            np.full((n, KEPT), np.nan), count, zero, zero.copy(), np.full((n, WAYS), np.nan), ways, ways.copy(), count.copy(),
            zero.copy(), np.full(n, np.inf),
        )  # fmt: skip

    def step(self, s: TailState, x: Floats) -> tuple[TailState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        if np.isfinite(x).all():
            return self._flow(s, x)
        s = TailState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j])
            rows = slice(None) if there.all() else np.flatnonzero(there)
            if there.any():
                mine = TailState._make(a[rows] for a in s)
                past = np.column_stack([mine.past[:, 1:], x[rows, j]])
                now, score[rows, j] = self._tick(mine, past, x[rows, j])
                for whole, new in zip(s, now, strict=True):
                    whole[rows] = new
        return s, score

    def _flow(self, s: TailState, x: Floats) -> tuple[TailState, Floats]:
        """All ticks of complete series: the last samples are looked at where they lie, not moved at every tick."""
        past, score = np.concatenate([s.past, x], axis=1), np.empty(x.shape[::-1])
        for j, said in enumerate(score):
            s, said[:] = self._tick(s, past[:, j + 1 : j + 1 + KEPT], x[:, j])
        return TailState._make(a.copy() for a in s), score.T

    def _tick(self, s: TailState, past: Floats, x: Floats) -> tuple[TailState, Floats]:
        """One sample of each series: x [m], past [m, KEPT] the last samples, x among them."""
        seen = s.seen + 1
        mean = s.mean + (x - s.mean) / seen
        power = s.power + ((x - s.mean) * (x - mean) - s.power) / seen
        spread = np.sqrt(np.maximum(power, 1e-12))
        v = measures(past, x, mean, spread)
        above, excess, number, strange = learned(s, v, spread)
        ripe = seen > self.warmup
        most = np.where(ripe, strange.max(axis=1), 0.0)
        heard = (s.rest <= 0) | (most > WORSE * s.held)
        most = np.where(heard, most, 0.0)
        begins = most > STIRS
        rest = np.where(begins, self.quiet, s.rest - 1)
        held = np.where(begins, most, s.held)
        grain = np.where(v[:, 0] > ALIKE * np.abs(x), np.fmin(s.grain, v[:, 0]), s.grain)
        state = TailState(past, seen, mean, power, above, excess, number, rest, held, grain)
        return state, np.where(ripe, most / self.limit, np.nan)


def measures(past: Floats, x: Floats, mean: Floats, spread: Floats) -> Floats:
    """Step, distance, shift, spread; NaN where there are too few samples. [m, WAYS]"""
    short, long = past[:, LONG:], past[:, :LONG]
    out, now = np.empty((x.size, WAYS)), short.mean(axis=1)
    away = short - now[:, None]
    away *= away
    out[:, 0] = np.abs(x - past[:, -2])
    out[:, 1] = np.abs(x - mean) / spread
    out[:, 2] = np.abs(now - long.mean(axis=1)) / spread
    out[:, 3] = np.log(np.sqrt(away.mean(axis=1)) + FAINT * spread)
    return out


def learned(s: TailState, v: Floats, spread: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Thresholds, excesses and counts after values v [m, WAYS]; and how strange each is by what was known before.

    spread: [m] [SI] of all samples
    """
    there = np.isfinite(v)
    fresh = there & (s.number == 0)
    above = np.where(fresh, v, s.above)
    excess = np.where(fresh, np.abs(v) * FIRST + 1e-12, s.excess)
    number = s.number + there
    over: Bools = there & (v > above)
    beyond = np.where(over, v - np.where(over, above, 0.0), 0.0)
    least = np.full(v.shape, 1e-12)
    known = np.isfinite(s.grain)
    least[known, 0] = np.maximum(s.grain[known] / RARER, 1e-12)
    least[known, 1] = np.maximum(least[known, 0] / spread[known], 1e-12)
    strange = np.where(over, -np.log10(PEAK) + beyond / np.maximum(excess, least) / np.log(10), 0.0)
    gain = np.maximum(1 / np.maximum(number, 1.0), SLOW)
    moved = above + 3 * excess * np.maximum(10 * gain, 20 * SLOW) * (over - PEAK)
    grown = excess + np.clip(gain / PEAK, PEAK, 0.5) * (np.minimum(beyond, MOST * excess) - excess)
    return np.where(there, moved, above), np.where(over, np.maximum(grown, 1e-12), excess), number, strange


default = Tail()
