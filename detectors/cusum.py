"""CUSUM: small shifts that stay, summed up until they show."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors import baseline
from detectors.baseline import Baseline
from lifeline.model import Floats, Ints

MOST: Final = 2.0  # [1] greatest score: a shift of a week must not take a week to be forgotten


class CusumState(NamedTuple):
    seen: Ints  # [n] and the next seven as in Baseline
    mean: Floats
    power: Floats
    lag: Floats
    last: Floats
    phi: Floats
    level: Floats
    pace: Floats
    up: Floats  # [n] [σ]
    down: Floats  # [n] [σ]


@dataclass(frozen=True)
class Cusum:
    """Standardised CUSUM (E. S. Page, Biometrika 41, 1954, 100-115; two sums as K. W. Kemp, J. R. Stat. Soc. B 23, 1961,
    149-153).

    Departures from Page: mean, spread and AR(1) come from the series itself (`baseline`), each innovation counts for at
    most `clip` standard deviations, so that one wild reading is no shift (J. M. Lucas, R. B. Crosier, Technometrics 24,
    1982, 215-223, drop such readings; here they count, cut short), and the chart is not set back after a signal: the
    score falls when the shift ends; sums are cut at twice the limit, so it falls soon. A shift that stays is never
    learned: the series scores until someone puts it back to `init`.
    """

    side: Literal["both", "up", "down"] = "both"
    slack: float = 0.5  # [σ] half of the smallest shift worth catching, in innovations
    limit: float = 18.0  # [σ] decision interval: the score is the larger sum divided by it
    clip: float = 5.0  # [σ]
    warmup: int = 1000  # [1]
    memory: float = 10_000.0  # [1] samples over which the baseline follows the series
    least: float = 0.0  # [SI] spread below which the series is taken to be as quiet as this

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    def init(self, n: int) -> CusumState:
        """State of n series that have seen nothing."""
        return CusumState._make((*baseline.fresh(n), *np.zeros((2, n))))

    def step(self, s: CusumState, x: Floats) -> tuple[CusumState, Floats]:
        """x [m, k] [SI] -> new state, score [m, k] [1]."""
        flows = baseline.flows(s.seen, self.warmup, x)
        b = baseline.own(Baseline(*s[:8]), still=flows)
        sums, score = np.stack([getattr(s, name) for name in self._sides]), np.empty(x.shape[::-1])
        if flows:
            self._flow(b, sums, x.T, score)
        else:
            for j in range(x.shape[1]):
                self._tick(b, sums, x[:, j], score[j])
        score *= 1 / self.limit
        return CusumState._make((*b, s.up, s.down))._replace(**dict(zip(self._sides, sums, strict=True))), score.T

    @property
    def _sides(self) -> tuple[str, ...]:
        return ("up", "down") if self.side == "both" else (self.side,)

    @property
    def _most(self) -> float:
        """The greatest pace. [1/SI]"""
        return 1 / self.least if self.least else np.inf

    def _parts(self, z: Floats, w: Floats) -> None:
        """What z [m] adds to each sum: w [sides, m]."""
        for side, part in zip(self._sides, w, strict=True):
            if side == "up":
                np.subtract(z, self.slack, out=part)
            else:
                np.subtract(-self.slack, z, out=part)

    def _flow(self, b: Baseline, sums: Floats, x: Floats, score: Floats) -> None:
        """All ticks of series that are warm and complete: x, score [k, m]. What `_tick` does, without its masks."""
        u = baseline.innovations(b, x)
        z, w, zero = np.empty_like(b.level), np.empty_like(sums), np.zeros_like(sums)
        low, high = np.full_like(z, -self.clip), np.full_like(z, self.clip)
        for e, said in zip(u, score, strict=True):
            np.subtract(e, b.level, out=e)
            np.multiply(e, b.pace, out=z)
            np.minimum(z, high, out=z)
            np.maximum(z, low, out=z)
            self._parts(z, w)
            sums += w
            np.maximum(sums, zero, out=sums)
            np.maximum(sums[0], sums[-1], out=said)
            high_up = said.max() >= self.limit
            if high_up:
                np.minimum(sums, MOST * self.limit, out=sums)
                np.minimum(said, MOST * self.limit, out=said)
            z *= z
            calm = (said < self.limit) & (z < self.clip**2) if high_up or z.max() >= self.clip**2 else None
            baseline.learn(b, e, z, calm, 1 / self.memory, self._most)

    def _tick(self, b: Baseline, sums: Floats, x: Floats, said: Floats) -> None:
        """One tick of any series: x, said [m]."""
        judge = np.isfinite(x)
        new = judge & (b.seen < self.warmup)
        ready = judge & ~new
        x = np.where(judge, x, b.last)
        e = (x - b.phi * b.last) - b.level
        z = np.clip(e * b.pace, -self.clip, self.clip)
        w = np.empty_like(sums)
        self._parts(z, w)
        np.copyto(sums, np.minimum(np.maximum(sums + w, 0.0), MOST * self.limit), where=ready)
        said[...] = np.where(ready, np.maximum(sums[0], sums[-1]), np.nan)
        z *= z
        baseline.learn(b, e, z, ready & (said < self.limit) & (z < self.clip**2), 1 / self.memory, self._most)
        baseline.teach(b, x, new, warmup=self.warmup, least=self.least)
        np.copyto(b.last, x, where=judge)


default = Cusum()
