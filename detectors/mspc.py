"""Multivariate process control: series that no longer move together as they used to, one alone or several."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from scipy.special import chdtri

from lifeline.model import Bools, Floats, Ints, Members

QUIET: Final = 1e-9  # [1] of a series' own spread: what varies less tells nothing
NOTHING: Final = 1e-100  # [SI] least spread, whose square is still a number
FAR: Final = 1e6  # [1] spreads beyond which a series is as far as it can be: squares still tell the others
USUAL: Final = 0.5  # [1] of the limit: what passes it teaches nothing
LEAST: Final = 3  # series that a plane can be laid through
MOVES: Final = 0.05  # [1] of the excess over the plane that a series must have a part in


class MspcState(NamedTuple):
    seen: Ints  # [1] complete slots that taught
    mean: Floats  # [n] [SI]
    cross: Floats  # [n, n] [SI²] weighted sums of products about the mean
    weight: Floats  # [1] [1] sum of the weights
    rest: Floats  # [n, n] [1] what the usual plane leaves of a deviation; NaN before it is known
    spread: Floats  # [n] [SI]
    inside: Floats  # [n, n] [1] deviations -> T² by x' inside x
    fit: Floats  # [4] [1] weights, mean and mean square of the squared prediction error, directions of the plane
    smooth: Floats  # [n] [1] what the plane leaves, of late
    odd: Ints  # [1] [1] unusual slots in a row


@dataclass(frozen=True)
class Mspc:
    """T² or squared prediction error of the standing pattern, whichever is the greater over its limit.

    The first `learn` slots give the mean, the spreads and the correlations of all series; the principal directions that hold
    `kept` of the variance are the plane in which they usually move (J. E. Jackson, G. S. Mudholkar, Technometrics 21, 1979,
    341-349). What is off the plane, x - Px, is taken as an exponential mean; its square is SPE, whose limit is that of g
    chi²(h) with the mean and the variance seen (G. E. P. Box, Ann. Math. Stat. 25, 1954, 290-302). Along the plane a slot moves
    by T² = x' P L^-1 P' x, limit chi². Both are passed once in 1 / `odds` slots by independent normal values. Series are told
    apart by reconstruction (R. Dunia, S. J. Qin, AIChE J. 44, 1998, 1813-1831): where one series, were it where the others
    say, brings SPE under its limit, it stands alone: a sensor. Else several have moved: the plant. `of` says which of the two
    is scored, at the series concerned. Usual slots go on teaching, forgotten over `memory`, and the plane is laid anew every
    `learn` of them; after `learn` unusual ones in a row all is learned anew. How often it is wrong: docs/detectors/mspc.md.
    """

    of: Literal["several", "lone"] = "several"
    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.0  # [s] 0: the usual step
    learn: int = 500  # [slot]
    memory: int = 10_000  # [slot]
    kept: float = 0.9  # [1] of the variance
    share: float = 0.2  # [1] of a new slot in what is looked at
    odds: float = 1e-6  # [1] of a slot of independent normal values beyond the limit

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn

    def settled(self, m: Members) -> Self | None:
        """None where there are too few series."""
        return self if int(m.judged.sum()) >= LEAST and m.judged.all() else None

    def init(self, n: int) -> MspcState:
        """State of n series of which nothing is known."""
        square, none, count = np.full((n, n), np.nan), np.zeros(n), np.zeros(1, np.int64)
        return MspcState(
            count,
            none,
            np.zeros((n, n)),
            np.zeros(1),
            square,
            none.copy(),
            square.copy(),
            np.zeros(4),
            none.copy(),
            count.copy(),
        )

    def step(self, s: MspcState, x: Floats, t: Ints) -> tuple[MspcState, Floats]:  # noqa: ARG002  slots are of one length
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = MspcState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            if np.isfinite(x[:, j]).all():
                score[:, j] = self._slot(s, x[:, j])
        return s, score

    def _slot(self, s: MspcState, x: Floats) -> Floats:
        """Score of one slot x [n]; what it teaches. [n] [1]"""
        ready = s.seen[0] >= self.learn
        said = np.full(x.size, np.nan)
        usual = True
        if np.isfinite(s.rest[0, 0]):
            z = np.clip((x - s.mean) / s.spread, -FAR, FAR)
            s.smooth[:] += self.share * (s.rest @ z - s.smooth)
            off = s.smooth
            spe = float(off @ off)
            if ready:
                over = max(spe / self._limit(s), float(z @ s.inside @ z) / float(chdtri(max(s.fit[3], 1.0), self.odds)))
                said = over * self._concerned(s, off, spe)
                usual = over < USUAL
            if usual:
                self._measure(s, spe)
        s.odd[0] = 0 if usual else s.odd[0] + 1
        if usual:
            self._teach(s, x)
        elif s.odd[0] >= self.learn:
            for a, new in zip(s, self.init(x.size), strict=True):
                a[...] = new
        return said

    def _limit(self, s: MspcState) -> float:
        """Of the squared prediction error. [1]"""
        _, mean, square, _ = s.fit
        mean = max(mean, QUIET**2)
        variance = max(square - mean**2, QUIET * mean**2)
        g, h = variance / (2 * mean), 2 * mean**2 / variance
        return float(g * chdtri(h, self.odds))

    def _concerned(self, s: MspcState, off: Floats, spe: float) -> Bools:
        """Which series the slot is scored at. off [n] [1]"""
        free = np.maximum(np.diag(s.rest), QUIET)
        without = spe - off**2 / free  # the error that is left when a series is put where the others say
        alone = int(np.argmin(without))
        left = off - s.rest[alone] * off[alone] / free[alone]
        lone = spe > self._limit(s) and float(left @ left) <= self._limit(s)
        if self.of == "lone":
            return np.asarray((np.arange(off.size) == alone) & lone)
        return np.asarray((off**2 >= MOVES * spe) & (not lone))

    def _measure(self, s: MspcState, spe: float) -> None:
        """The usual size of the error."""
        s.fit[0] = min(s.fit[0] + 1, self.memory)
        s.fit[1:3] += (np.array([spe, spe**2]) - s.fit[1:3]) / s.fit[0]

    def _teach(self, s: MspcState, x: Floats) -> None:
        """One usual slot; after `learn` of them, and every `learn` later, a new plane."""
        keep = 1 - 1 / self.memory
        s.weight[0] = keep * s.weight[0] + 1
        away = x - s.mean
        s.mean[:] += away / s.weight[0]
        s.cross[...] = keep * s.cross + np.outer(away, x - s.mean)
        s.seen[0] += 1
        half = self.learn // 2  # the second half of the first slots measures the plane of the first half
        if s.seen[0] == half or (s.seen[0] > self.learn and s.seen[0] % self.learn == 0):
            self._lay(s)

    def _lay(self, s: MspcState) -> None:
        """The plane in which the series usually move."""
        spread = np.sqrt(np.maximum(np.diag(s.cross) / s.weight[0], 0.0))
        s.spread[:] = np.maximum(spread, np.maximum(QUIET * np.abs(s.mean), NOTHING))
        value, way = np.linalg.eigh(s.cross / s.weight[0] / np.outer(s.spread, s.spread))
        value, way = np.maximum(value[::-1], 0.0), way[:, ::-1]
        n = min(int(np.searchsorted(np.cumsum(value) / value.sum(), self.kept)) + 1, len(value) - 1) if value.sum() else 1
        plane = way[:, :n]
        s.rest[...] = np.eye(len(value)) - plane @ plane.T
        s.inside[...] = plane / np.maximum(value[:n], QUIET) @ plane.T
        s.fit[3] = n


default = Mspc()
