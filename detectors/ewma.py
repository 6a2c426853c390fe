"""EWMA: an exponentially weighted mean that wanders from where it belongs."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from detectors import baseline
from detectors.baseline import Baseline
from lifeline.model import Floats, Ints


class EwmaState(NamedTuple):
    seen: Ints  # [n] and the next seven as in Baseline
    mean: Floats
    power: Floats
    lag: Floats
    last: Floats
    phi: Floats
    level: Floats
    pace: Floats
    drift: Floats  # [n] [σ] weighted mean of the innovations


@dataclass(frozen=True)
class Ewma:
    """Exponentially weighted moving average (S. W. Roberts, Technometrics 1, 1959, 239-250).

    Departures from Roberts: mean, spread and AR(1) come from the series itself (`baseline`), each innovation counts for at
    most `clip` standard deviations, and the limit is the one of the long run from the first sample on, which is wider than
    the exact one. A shift that stays is never learned: the series scores until someone puts it back to `init`.
    """

    weight: float = 0.1  # [1] of the newest sample
    width: float = 6.5  # [σ of the mean] the score is the mean over this
    clip: float = 5.0  # [σ]
    warmup: int = 1000  # [1]
    memory: float = 10_000.0  # [1] samples over which the baseline follows the series
    least: float = 0.0  # [SI] spread below which the series is taken to be as quiet as this

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> EwmaState:
        """State of n series that have seen nothing."""
        return EwmaState._make((*baseline.fresh(n), np.zeros(n)))

    def step(self, s: EwmaState, x: Floats) -> tuple[EwmaState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        flows = baseline.flows(s.seen, self.warmup, x)
        b = baseline.own(Baseline(*s[:8]), still=flows)
        drift, score = s.drift.copy(), np.empty(x.shape[::-1])
        if flows:
            self._flow(b, drift, x.T, score)
        else:
            for j in range(x.shape[1]):
                self._tick(b, drift, x[:, j], score[j])
        score *= 1 / self._bound
        return EwmaState._make((*b, drift)), score.T

    @property
    def _bound(self) -> float:
        """Where the score is 1. [σ]"""
        return self.width * math.sqrt(self.weight / (2 - self.weight))

    @property
    def _most(self) -> float:
        """The greatest pace. [1/SI]"""
        return 1 / self.least if self.least else np.inf

    def _flow(self, b: Baseline, drift: Floats, x: Floats, score: Floats) -> None:
        """All ticks of series that are warm and complete: x, score [k, m]. What `_tick` does, without its masks."""
        u = baseline.innovations(b, x)
        z, t = np.empty_like(drift), np.empty_like(drift)
        low, high = np.full_like(z, -self.clip), np.full_like(z, self.clip)
        for e, said in zip(u, score, strict=True):
            np.subtract(e, b.level, out=e)
            np.multiply(e, b.pace, out=z)
            np.minimum(z, high, out=z)
            np.maximum(z, low, out=z)
            np.subtract(z, drift, out=t)
            t *= self.weight
            drift += t
            np.abs(drift, out=said)
            z *= z
            calm = None if said.max() < self._bound and z.max() < self.clip**2 else (said < self._bound) & (z < self.clip**2)
            baseline.learn(b, e, z, calm, 1 / self.memory, self._most)

    def _tick(self, b: Baseline, drift: Floats, x: Floats, said: Floats) -> None:
        """One tick of any series: x, said [m]."""
        judge = np.isfinite(x)
        new = judge & (b.seen < self.warmup)
        ready = judge & ~new
        x = np.where(judge, x, b.last)
        e = (x - b.phi * b.last) - b.level
        z = np.clip(e * b.pace, -self.clip, self.clip)
        np.copyto(drift, drift + (z - drift) * self.weight, where=ready)
        said[...] = np.where(ready, np.abs(drift), np.nan)
        z *= z
        baseline.learn(b, e, z, ready & (said < self._bound) & (z < self.clip**2), 1 / self.memory, self._most)
        baseline.teach(b, x, new, warmup=self.warmup, least=self.least)
        np.copyto(b.last, x, where=judge)


default = Ewma()
