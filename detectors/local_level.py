"""Local level: how far the last samples are from where a series stood, for one that may wander by itself."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints

LAGS: Final = 8  # [1] blocks apart at which wandering is measured
BLOCK: Final = 5  # [1] samples
LEAST: Final = 0.2  # [1] of the blocks' own differences that is taken for noise, at least
SURE: Final = 2.0  # [1] standard errors above zero before a series is believed to wander


class LocalLevelState(NamedTuple):
    seen: Ints  # [n] [1] samples that taught, up to the warm-up
    sum_: Floats  # [n] [SI] of the block being filled
    blocks: Floats  # [n, LAGS] [SI] means of the last blocks, oldest first
    power: Floats  # [n, LAGS] [SI²] sum of squared differences of block means, by their lag
    mean: Floats  # [n] [SI] where the series stands
    sd: Floats  # [n] [SI] of the mean of the last samples about it; 0: not known yet
    last: Floats  # [n, window] [SI] samples, oldest first; NaN before the start
    strange: Ints  # [n] [1] samples in a row beyond the limit


@dataclass(frozen=True)
class LocalLevel:
    """Mean of the last `window` samples less where the series stood, in spreads, over `limit`.

    The series is taken as a level that wanders, seen through noise (A. C. Harvey, Forecasting, Structural Time Series Models
    and the Kalman Filter, 1989, 2.3). Both variances come from the warm-up, by the structure function: mean squared differences
    of means of five samples, one to eight blocks apart, grow in a straight line whose start is twice the noise and whose slope
    is what wandering adds. Departures: what the far differences have beyond that start is added to the spread whole, as of a
    series whose neighbours correlate; and a slope that is not two standard errors above zero is none, since a series that
    stands still must not be given leave to drift. The spread is that of the window's mean and of what wanders within `horizon`
    samples. Where it stands is followed with a memory of `horizon`, not from samples beyond the limit; after `accept` of them
    in a row the series is learned anew.
    White noise: a score of 1 once in millions of samples; docs/detectors/local_level.md counts.
    """

    window: int = 10  # [1]
    limit: float = 5.5  # [σ]
    warmup: int = 400  # [1]
    horizon: float = 400.0  # [1]
    accept: int = 4000  # [1]
    least: float = 0.0  # [SI] least spread of a sample believed

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> LocalLevelState:
        """State of n series that have seen nothing."""
        zero, lags = np.zeros(n), np.zeros((n, LAGS))
        last = np.full((n, self.window), np.nan)
        return LocalLevelState(
            np.zeros(n, np.int64), zero, lags, lags.copy(), zero.copy(), zero.copy(), last, np.zeros(n, np.int64)
        )

    def step(self, s: LocalLevelState, x: Floats) -> tuple[LocalLevelState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        s = LocalLevelState._make(a.copy() for a in s)
        if self._flows(s, x):
            return self._flow(s, x)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j])
            judges = there & (s.sd > 0)
            self._slide(s, x[:, j], there)
            if judges.any():
                score[:, j] = self._judge(s, x[:, j], judges)
            if not judges.all():
                self._teach(s, x[:, j], there & ~judges)
        return s, score

    def _flows(self, s: LocalLevelState, x: Floats) -> bool:
        """Are all series past their warm-up and complete, and is none of them to be learned anew in these ticks?"""
        if x.size == 0 or s.sd.min() <= 0 or s.strange.max() + x.shape[1] >= self.accept:
            return False
        return bool(np.isfinite(x).all())

    def _flow(self, s: LocalLevelState, x: Floats) -> tuple[LocalLevelState, Floats]:
        """All ticks of such series, written to s. What `_slide` and `_judge` do, without their masks."""
        past, score = np.concatenate([s.last, x], axis=1), np.empty(x.shape[::-1])
        for j, said in enumerate(score):
            now = past[:, j + 1 : j + 1 + self.window].mean(axis=1)
            np.divide(np.abs(now - s.mean) / s.sd, self.limit, out=said)
            calm = said < 1
            away = (x[:, j] - s.mean) / self.horizon
            np.add(s.mean, away, out=s.mean, where=calm)
            s.strange[:] = np.where(calm, 0, s.strange + 1)
        return s._replace(last=past[:, x.shape[1] :].copy()), score.T

    def _slide(self, s: LocalLevelState, x: Floats, there: Bools) -> None:
        """Keep a sample. x [m]"""
        s.last[there, :-1] = s.last[there, 1:]
        s.last[there, -1] = x[there]

    def _judge(self, s: LocalLevelState, x: Floats, judges: Bools) -> Floats:
        """Score of the series `judges` [m], and what they learn from it. x [m] -> [m] [1]"""
        now = s.last.mean(axis=1)
        score = np.where(judges, np.abs(now - s.mean) / np.where(s.sd > 0, s.sd, 1.0) / self.limit, np.nan)
        calm = judges & (score < 1)
        s.mean[calm] += (x[calm] - s.mean[calm]) / self.horizon
        s.strange[judges] = np.where(calm[judges], 0, s.strange[judges] + 1)
        self._anew(s, judges & (s.strange >= self.accept))
        return score

    def _anew(self, s: LocalLevelState, which: Bools) -> None:
        """Send series back to their warm-up."""
        if which.any():
            for whole, new in zip(s, self.init(int(which.sum())), strict=True):
                whole[which] = new

    def _teach(self, s: LocalLevelState, x: Floats, new: Bools) -> None:
        """One sample of warm-up for the series `new` [m]. x [m]"""
        s.seen[new] += 1
        s.mean[new] += (x[new] - s.mean[new]) / s.seen[new]
        s.sum_[new] += x[new]
        full = new & (s.seen % BLOCK == 0)
        if full.any():
            self._block(s, full)
            done = full & (s.seen >= self.warmup)
            if done.any():
                s.sd[done] = self._spread(s, done)
                s.seen[done & (s.sd > 0)] = 0

    def _block(self, s: LocalLevelState, full: Bools) -> None:
        """A block is full in the series `full` [m]."""
        mean, number = s.sum_[full] / BLOCK, s.seen[full] // BLOCK
        known = np.arange(LAGS, 0, -1) < number[:, None]  # the oldest is LAGS blocks ago
        d = np.where(known, mean[:, None] - s.blocks[full], 0.0)
        s.power[full] += (d * d)[:, ::-1]
        s.blocks[full] = np.column_stack([s.blocks[full][:, 1:], mean])
        s.sum_[full] = 0.0

    def _spread(self, s: LocalLevelState, done: Bools) -> Floats:
        """Of the mean of a window, from the structure function of the series `done` [m]. [d] [SI]"""
        number = (s.seen[done] // BLOCK)[:, None]
        lag = np.arange(1.0, LAGS + 1)
        v = s.power[done] / np.maximum(number - lag, 1.0)
        away = lag - lag.mean()
        slope = (v * away).sum(axis=1) / (away * away).sum()
        middle = v.mean(axis=1)
        noise = np.maximum(middle - slope * lag.mean(), LEAST * v[:, 0]) / 2
        sure = SURE * middle / np.sqrt(number[:, 0]) / (LAGS / 2)
        wander = np.maximum(slope - sure, 0.0) / BLOCK
        slow = np.maximum(v[:, LAGS // 2 :].mean(axis=1) / 2 - noise, 0.0)
        own = np.maximum(noise * BLOCK, self.least**2) / self.window * (1 + self.window / self.warmup) + slow
        spread: Floats = np.sqrt(own + wander * self.horizon)
        return spread


default = LocalLevel()
