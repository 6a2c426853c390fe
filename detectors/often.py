"""Often: a limit that several of the last few samples must pass, as at stops or trips."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from detectors import ordered
from lifeline.model import Floats, Ints


class OftenState(NamedTuple):
    past: Floats  # [n, window] [SI] a ring
    seen: Ints  # [n] [1] finite samples so far


@dataclass(frozen=True)
class Often:
    """The `times`-th largest of the last `window` samples against a limit: reached when so many of them reach it (m out of n
    voting; the binary integrator of J. V. Harrington, IRE Trans. Inf. Theory 1, 1955, 1-9).

    With about half of `window` it is their upper median, which no single wrong reading moves. If one sample passes the bound
    with chance p by itself, `times` of `window` do with the tail of the binomial distribution, at most C(window, times)
    p^times: for five of ten and p = 0.01, 2.4e-8; such chances are what its rules' pages count. Samples are events, not
    seconds: how long they are apart does not matter. A missing one is left out.
    """

    window: int = 10  # [1] samples
    times: int = 5  # [1] of them
    either: bool = False  # the distance from `origin` counts, to whichever side
    origin: float = 0.0  # [SI] where the score begins
    scale: float = 1.0  # [SI] from `origin` to the bound; negative for a lower limit

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True  # so that a night without stops sends nothing back to `init`

    def __post_init__(self) -> None:
        if not 1 <= self.times <= self.window:
            raise ValueError("times: from 1 to window")

    @property
    def warmup(self) -> int:
        return self.window - 1

    def init(self, n: int) -> OftenState:
        """State of n series that have seen nothing."""
        return OftenState(np.zeros((n, self.window)), np.zeros(n, np.int64))

    def step(self, s: OftenState, x: Floats, t: Ints) -> tuple[OftenState, Floats]:  # noqa: ARG002  how far stops are apart is no matter
        """x [m, k] [SI], t [m, k] [ns] -> new state, score [m, k] [1]."""
        past, seen = s.past.copy(), s.seen.copy()
        if x.shape[1] > 1 and len(x) and seen.min() >= self.window and np.isfinite(x).all():
            return self._flow(past, seen, x)
        score = np.full(x.shape[::-1], np.nan)
        for j in range(x.shape[1]):
            judge = np.isfinite(x[:, j])
            past[judge, seen[judge] % self.window] = x[judge, j]
            seen += judge
            ready = judge & (seen >= self.window)
            score[j, ready] = self._score(past[ready])
        return OftenState(past, seen), score.T

    def _flow(self, past: Floats, seen: Ints, x: Floats) -> tuple[OftenState, Floats]:
        """All ticks of series that are warm and complete, written to past and seen: windows are kept in order."""
        every, score = np.arange(len(x)), np.empty(x.shape[::-1])
        kept, new = np.ascontiguousarray(np.sort(self._far(past), axis=1).T), self._far(x)
        for j, said in enumerate(score):
            at = seen % self.window
            ordered.slide(kept, self._far(past[every, at]), new[:, j])
            past[every, at] = x[:, j]
            seen += 1
            np.maximum(kept[-self.times], 0.0, out=said)
        return OftenState(past, seen), score.T

    def _far(self, x: Floats) -> Floats:
        """How far samples [SI] are on their way to the bound. [1]"""
        far = (x - self.origin) / self.scale + 0.0  # no zero is another than the others
        return np.abs(far) if self.either else far

    def _score(self, past: Floats) -> Floats:
        """past [m, window] [SI] -> [m] [1]"""
        return np.maximum(np.sort(self._far(past), axis=1)[:, -self.times], 0.0)


default = Often()
