"""Stuck: the same value for longer than this series ever keeps one."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints


class StuckState(NamedTuple):
    seen: Ints  # [n] [1] finite samples so far, up to the warm-up
    last: Floats  # [n] [SI]
    run: Floats  # [n] [1] samples the present value has lasted
    usual: Floats  # [n] [1] longest run of this series, slowly forgotten


@dataclass(frozen=True)
class Stuck:
    """Length of the run of one value over the length allowed: `patience`, or `factor` times the longest run seen (project's
    own).

    A value at `rest` (nothing there to measure: no gas, no flow) may last for ever. If a value repeats with chance p, the
    longest of N runs is near ln N / ln(1/p), and one `factor` times as long comes once in N^factor samples: with 1,000
    samples of warm-up and factor 4, once in 10^12, or in p^-patience if that is more.
    """

    patience: float = 30.0  # [1] samples that may always be alike
    factor: float = 4.0  # [1]
    resolution: float = 0.0  # [SI] what differs by less is alike
    rest: float | None = 0.0  # [SI] value that may last; None: there is none
    warmup: int = 1000  # [1]
    memory: float = 100_000.0  # [1] samples over which the longest run is forgotten

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> StuckState:
        """State of n series that have seen nothing."""
        return StuckState(np.zeros(n, np.int64), *np.zeros((3, n)))

    def step(self, s: StuckState, x: Floats) -> tuple[StuckState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        score = np.empty(x.shape[::-1])
        for j in range(x.shape[1]):
            s, score[j] = self._tick(s, x[:, j])
        return s, score.T

    def _tick(self, s: StuckState, x: Floats) -> tuple[StuckState, Floats]:
        judge = np.isfinite(x)
        alike = judge & (np.abs(x - s.last) <= self.resolution) & (s.run > 0)
        resting = np.zeros_like(judge) if self.rest is None else x == self.rest
        usual = s.usual * (1 - 1 / self.memory)
        trusted = (s.seen < self.warmup) | (s.run < self._allowed(usual))  # of what is strange nothing is learned
        usual = np.where(~alike & trusted, np.maximum(usual, s.run), usual)
        run = np.where(resting, 0.0, np.where(alike, s.run + 1, 1.0))
        score = np.where(judge & (s.seen >= self.warmup), run / self._allowed(usual), np.nan)
        more = (s.seen + 1 < self.warmup) | ~alike  # who never changes goes on learning
        seen = np.where(more, np.minimum(s.seen + 1, self.warmup), s.seen)
        now = StuckState(seen, x, run, usual)
        return StuckState(*(np.where(judge, new, old) for new, old in zip(now, s, strict=True))), score

    def _allowed(self, usual: Floats) -> Floats:
        """How long a value may last. [1]"""
        return np.maximum(self.patience, self.factor * usual)


default = Stuck()
