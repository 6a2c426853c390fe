"""Binomial: several samples of a few that no parameter of the water had foretold."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from scipy.special import bdtrc

from lifeline.model import Bools, Floats, Ints, Members

QUIET: Final = 1e-9  # [1] of a level: what varies less has no spread
FADES: Final = 0.95  # [1] most that a sample may foretell the next


class BinomialState(NamedTuple):
    seen: Ints  # [n] [1] samples that taught
    mean: Floats  # [n] [SI]
    moments: Floats  # [n, 2] [SI²] of deviations: square, product with the one before
    before: Floats  # [n] [SI] last deviation, what was foretold in place of an outlier
    error: Floats  # [n] [SI²] mean square of what was not foretold
    out: Floats  # [trials] [1] slots of late that held an outlier, oldest first
    part: Floats  # [n, trials] [1] whose it was
    share: Floats  # [1] [1] of slots that hold an outlier, usually
    row: Ints  # [1] [1] slots in a row that held one


@dataclass(frozen=True)
class Binomial:
    """Odds of so many unforetold samples among the last `trials`, over the odds allowed, as logarithms.

    Each parameter of a station is foretold from its own mean and its last deviation (G. U. Yule, Phil. Trans. A 226, 1927,
    267-298). A slot in which one of them is `outlier` spreads off is one that was not foretold; what was foretold takes its
    place, so that a shift goes on being strange. With p the usual share of such slots, k of n have the odds P(X >= k), X
    binomial(n, p): the binomial event discriminator of S. A. McKenna, D. B. Hart and L. Yarrington (J. Water Resour. Plann.
    Manage. 134, 2008, 351-361), which lets single wild samples pass. `timeout` such slots in a row are the new usual. The
    score is 1 where the odds are `odds`, at the parameters that had a part. How often it is wrong: docs/detectors/binomial.md.
    """

    over: tuple[str, ...] = ("chlorine", "turbidity", "conductivity", "ph")
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.0  # [s] 0: the usual step
    history: int = 576  # [slot]
    outlier: float = 4.0  # [1] spreads
    trials: int = 8  # [slot]
    timeout: int = 72  # [slot]
    least: float = 0.01  # [1] of slots that hold an outlier, at least
    odds: float = 1e-6  # [1]

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.history

    def settled(self, m: Members) -> Self | None:
        """None where a station has one parameter only."""
        return self if np.unique(m.quantity[m.judged].astype(str)).size > 1 else None

    def init(self, n: int) -> BinomialState:
        """State of a station of which nothing is known."""
        none, count = np.zeros(n), np.zeros(1, np.int64)
        return BinomialState(
            np.zeros(n, np.int64), none, np.zeros((n, 2)), none.copy(), none.copy(), np.zeros(self.trials),
            np.zeros((n, self.trials)), np.full(1, self.least), count,
        )  # fmt: skip

    def step(self, s: BinomialState, x: Floats, t: Ints) -> tuple[BinomialState, Floats]:  # noqa: ARG002  slots are of one length
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = BinomialState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            score[:, j] = self._slot(s, x[:, j])
        return s, score

    def _slot(self, s: BinomialState, x: Floats) -> Floats:
        """Score of one slot x [n]; what it teaches. [n] [1]"""
        there = np.isfinite(x)
        away = np.where(there, x - s.mean, 0.0)
        follows = np.clip(s.moments[:, 1] / np.maximum(s.moments[:, 0], np.finfo(float).tiny), 0.0, FADES)
        left = away - follows * s.before
        spread = np.sqrt(np.maximum(s.error, (QUIET * np.abs(s.mean)) ** 2))
        ready = there & (s.seen >= self.history)
        strange = ready & (np.abs(left) > self.outlier * spread) & (spread > 0)
        s.row[0] = s.row[0] + 1 if strange.any() else 0
        if s.row[0] > self.timeout:
            self._anew(s, x, strange)
            strange[:] = False
        s.out[:-1], s.out[-1] = s.out[1:].copy(), float(strange.any())
        s.part[:, :-1], s.part[:, -1] = s.part[:, 1:].copy(), strange
        if ready.any():
            s.share[:] += (s.out[-1] - s.share) / self.history
        self._teach(s, there & ~strange, away, left)
        s.before[:] = np.where(strange, follows * s.before, np.where(there, away, follows * s.before))
        return np.where(ready, self._odds(s) * (s.part.any(axis=1) if s.part.any() else False), np.nan)

    def _odds(self, s: BinomialState) -> float:
        """Of as many outliers or more, over those allowed. [1]"""
        k = float(s.out.sum())
        usual = min(max(float(s.share[0]), self.least), 0.5)
        return float(np.log(bdtrc(k - 1, self.trials, usual)) / np.log(self.odds)) if k > 0 else 0.0

    def _teach(self, s: BinomialState, new: Bools, away: Floats, left: Floats) -> None:
        """One sample of the parameters `new` [n]."""
        s.seen[:] += new
        share = np.where(new, 1.0 / np.minimum(np.maximum(s.seen, 1), self.history), 0.0)
        s.mean[:] += share * away
        s.moments[:] += share[:, None] * (np.c_[away**2, away * s.before] - s.moments)
        s.error[:] += share * (left**2 - s.error)

    def _anew(self, s: BinomialState, x: Floats, strange: Bools) -> None:
        """What has been strange for so long is where these parameters stand now."""
        s.mean[:] = np.where(strange, x, s.mean)
        s.before[:] = np.where(strange, 0.0, s.before)
        s.row[0] = 0


default = Binomial()
