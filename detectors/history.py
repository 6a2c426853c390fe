"""History: how far the last events of a series are from what its first ones were."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors import ordered
from lifeline.model import Bools, Floats, Ints

NORMAL: Final = 1.4826  # [1] standard deviation over MAD of a normal distribution
MEDIAN: Final = 1.2533  # [1] sqrt(pi / 2): spread of a median over that of a mean of as many


class HistoryState(NamedTuple):
    first: Floats  # [n, warmup] [SI] what teaches
    past: Floats  # [n, window] [SI] a ring of the last
    seen: Ints  # [n] [1] finite samples so far
    middle: Floats  # [n] [SI] median of the first; 0 before
    spread: Floats  # [n] [SI] their spread, from the MAD


@dataclass(frozen=True)
class History:
    """Median of the last `window` samples over the median of the first `warmup`, which stays as it was learned, so that wear
    is never taken for usual.

    Both are medians, and the spread is the MAD (F. R. Hampel, J. Am. Stat. Assoc. 69, 1974, 383-393): a tenth of wild stops
    among the first moves nothing. A ratio counts only if it is `sure` standard errors of the median of `window` normal
    samples (1.2533 spreads / sqrt(window)) from 1: a series that scatters widely is not judged by chance. For normal samples
    a ratio that is beyond its bound by chance has odds of at most 3e-7 a sample at `sure` = 5, where the first had the same
    spread. A baseline of zero or less has no ratio: NaN. A repair that leaves the series better than it began is not learned:
    put it back to `init`.
    """

    window: int = 5  # [1] samples
    warmup: int = 200  # [1] samples that teach
    sure: float = 5.0  # [1] standard errors
    least: float = 0.01  # [1] of the median: spread below which the series is taken to be as quiet as this
    origin: float = 0.0  # [1] ratio where the score begins
    scale: float = 1.0  # [1] from `origin` to the bound; negative for a fall

    dimension: ClassVar[str] = "ratio"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True  # so that a night without stops sends nothing back to `init`

    def init(self, n: int) -> HistoryState:
        """State of n series that have seen nothing."""
        return HistoryState(
            np.zeros((n, self.warmup)), np.zeros((n, self.window)), np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
        )

    def step(self, s: HistoryState, x: Floats, t: Ints) -> tuple[HistoryState, Floats]:  # noqa: ARG002  how far stops are apart is no matter
        """x [m, k] [SI], t [m, k] [ns] -> new state, score [m, k] [1]."""
        s = HistoryState._make(a.copy() for a in s)
        if x.shape[1] > 1 and self._flows(s, x):
            return self._flow(s, x)
        score = np.full(x.shape[::-1], np.nan)
        for j in range(x.shape[1]):
            judge = np.isfinite(x[:, j])
            ready = judge & (s.seen >= max(self.warmup, self.window - 1)) & (s.middle > 0)
            s.past[judge, s.seen[judge] % self.window] = x[judge, j]
            self._teach(s, x[:, j], judge & (s.seen < self.warmup))
            s.seen[judge] += 1
            score[j, ready] = self._score(s.past[ready], s.middle[ready], s.spread[ready])
        return s, score.T

    def _flows(self, s: HistoryState, x: Floats) -> bool:
        """Are all series past their first samples, with a baseline, and complete?"""
        if x.size == 0 or s.seen.min() < max(self.warmup, self.window) or s.middle.min() <= 0:
            return False
        return bool(np.isfinite(x).all())

    def _flow(self, s: HistoryState, x: Floats) -> tuple[HistoryState, Floats]:
        """All ticks of such series, written to s: windows are kept in order."""
        every, score, x = np.arange(len(x)), np.empty(x.shape[::-1]), x + 0.0
        s.past[:] += 0.0  # no zero is another than the others
        kept = np.ascontiguousarray(np.sort(s.past, axis=1).T)
        for j, said in enumerate(score):
            at = s.seen % self.window
            ordered.slide(kept, s.past[every, at], x[:, j])
            s.past[every, at] = x[:, j]
            s.seen[:] += 1
            said[:] = self._ratio(ordered.median(kept), s.middle, s.spread)
        return s, score.T

    def _teach(self, s: HistoryState, x: Floats, new: Bools) -> None:
        """One of the first samples of the series `new` [m], written to the state; the last one fixes the baseline."""
        if not new.any():
            return
        s.first[new, s.seen[new]] = x[new]
        done = new & (s.seen == self.warmup - 1)
        if done.any():
            first = s.first[done]
            middle = np.median(first, axis=1)
            s.middle[done] = middle
            s.spread[done] = NORMAL * np.median(np.abs(first - middle[:, None]), axis=1)

    def _score(self, past: Floats, middle: Floats, spread: Floats) -> Floats:
        """past [m, window], middle, spread [m] [SI] -> [m] [1]"""
        return self._ratio(
            ordered.median(np.sort(past, axis=1).T), middle, spread
        )  # quicker than np.median for rows this short

    def _ratio(self, now: Floats, middle: Floats, spread: Floats) -> Floats:
        """now [m] [SI] median of the last -> [m] [1]"""
        error = np.maximum(spread, self.least * middle) * (MEDIAN / np.sqrt(self.window) if self.window > 1 else 1.0)
        far = (now - middle) / error * np.sign(self.scale)
        return np.where(far >= self.sure, np.maximum((now / middle - self.origin) / self.scale, 0.0), 0.0)


default = History()
