"""Stuck: the same value for longer than this series ever keeps one."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.latch import before
from lifeline.model import Bools, Floats, Ints

MANY: Final = 8  # [1] ticks that are worth looking at together
FEW: Final = 400  # [1] series, more of which are quicker judged tick by tick


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
        worth = x.shape[1] >= MANY and len(x) <= FEW
        easy = (s.seen >= self.warmup) & np.isfinite(x).all(axis=1) if worth else np.zeros(len(x), np.bool_)
        if not easy.any():
            return self._ticks(s, x.T, score), score.T
        now, said, learns = self._flow(s, x.T)
        if not (easy & ~learns).all():  # the others one tick at a time, by themselves
            hard = np.flatnonzero(~easy | learns)
            slow = self._ticks(StuckState._make(a[hard] for a in s), x[hard].T, score[:, : hard.size])
            said[:, hard] = score[:, : hard.size]
            for whole, part in zip(now, slow, strict=True):
                whole[hard] = part
        return now, said.T

    def _ticks(self, s: StuckState, x: Floats, score: Floats) -> StuckState:
        """x, score [k, m]"""
        for said, now in zip(score, x, strict=True):
            s, said[...] = self._tick(s, now)
        return s

    def _flow(self, s: StuckState, x: Floats) -> tuple[StuckState, Floats, Bools]:
        """All ticks x [k, m] of series that are warm and complete, as `_tick` has it; not so of those that learn [m]."""
        with np.errstate(invalid="ignore"):
            alike = np.abs(x - before(x, s.last)) <= self.resolution
        resting = np.zeros_like(alike) if self.rest is None else x == self.rest
        alike &= ~before(resting, s.run == 0)
        tick = np.arange(1, len(x) + 1)[:, None]
        began = np.maximum.accumulate(np.where(alike, 0, tick), axis=0)
        run = np.where(resting, 0.0, np.where(began > 0, tick - began + 1.0, s.run + tick))
        fading = np.full((len(x) + 1, x.shape[1]), 1 - 1 / self.memory)
        fading[0] = s.usual
        usual = np.maximum(np.multiply.accumulate(fading, axis=0)[1:], self._least)
        allowed, was = self._allowed(usual), before(run, s.run)
        learns: Bools = np.any(~alike & (was > usual) & (was < allowed), axis=0)
        return StuckState(s.seen.copy(), x[-1].copy(), run[-1], usual[-1]), run / allowed, learns

    def _tick(self, s: StuckState, x: Floats) -> tuple[StuckState, Floats]:
        judge = np.isfinite(x)
        alike = judge & (np.abs(x - s.last) <= self.resolution) & (s.run > 0)
        resting = np.zeros_like(judge) if self.rest is None else x == self.rest
        usual = np.maximum(s.usual * (1 - 1 / self.memory), self._least)
        trusted = (s.seen < self.warmup) | (s.run < self._allowed(usual))  # of what is strange nothing is learned
        usual = np.where(~alike & trusted, np.maximum(usual, s.run), usual)
        run = np.where(resting, 0.0, np.where(alike, s.run + 1, 1.0))
        score = np.where(judge & (s.seen >= self.warmup), run / self._allowed(usual), np.nan)
        more = (s.seen + 1 < self.warmup) | ~alike  # who never changes goes on learning
        seen = np.where(more, np.minimum(s.seen + 1, self.warmup), s.seen)
        now = StuckState(seen, x, run, usual)
        return StuckState(*(np.where(judge, new, old) for new, old in zip(now, s, strict=True))), score

    @property
    def _least(self) -> float:
        """The longest run that any series may have had: below it `patience` is what counts. [1]"""
        return self.patience / self.factor

    def _allowed(self, usual: Floats) -> Floats:
        """How long a value may last. [1]"""
        return np.maximum(self.patience, self.factor * usual)


default = Stuck()
