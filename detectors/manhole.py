"""Manhole: methane in an underground space, judged by its value and, in a drain, by where it comes from."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors import breath
from lifeline.model import NS, Bools, Floats, Ints

MEAN: Final = 1200.0  # [s] whose mean is looked at; the ways of the ground do not change faster
COARSE: Final = 1800.0  # [s] longest step whose single readings stand for means
MOST: Final = 1.0  # [1] that the means of an hour may move the belief, so that one wild mean does not decide it
SURE: Final = 6.0  # [1] beyond which belief does not grow, so that it can turn within a day
FALL: Final = 0.95  # [1] of the mean before: aired or flushed, which says nothing of where gas comes from
TURN: Final = 1.0  # [1] belief at which an opinion is changed
TOGETHER: Final = 0.5  # [1] second differences of neighbouring means share two of their three terms


class ManholeState(NamedTuple):
    value: Floats  # [n] [1] of methane: last reading above `least`
    slot: Ints  # [n] [slot] of that reading
    sum: Floats  # [n] [1] over the readings of that slot
    number: Floats  # [n] [1] of them
    mean: Floats  # [n, 2] [1] of the two slots before, newest first; NaN: not known
    noise: Floats  # [n, 2] [1] variance of these means by the noise of the sensor
    belief: Floats  # [n] [1] log of the odds for gas from a main, beside those before
    leak: Bools  # [n] the opinion
    breath: Floats  # [n, breath.COLUMNS]


@dataclass(frozen=True)
class Manhole:
    """Distance of the reading from `origin`, in units of `scale`; in a drain only of what comes from `of`.

    Below `hard` two things are not judged, for they are a sensor's and have tickets. A value that is said again: what jumps to
    1.2 %VOL and stays there to the last digit is stuck, and a leak moves from reading to reading. And a reading that lies where
    a week without breath has left it (`detectors/breath.py`): a zero that drifts.

    Natural gas and biogas have one colour and two departments. What leaks from a main fluctuates strongly, what ferments is
    steady and changes with the day (P. Huang et al., J. Safety and Environment 19(1), 2019, 211-217, six months of wells in
    Hefei). A sequential test of two variances (A. Wald, Ann. Math. Stat. 16, 1945, 117-186) is made on the second differences d
    of means over 20 min, which no straight line moves: for biogas their variance is v0, that of the sensor's noise and of a
    swing of a day, for a leak v1 = v0 + (rough c)² at the level c. Each adds (ln(v0/v1) + d² (1/v0 - 1/v1)) / 2 to the log of
    the odds, halved since neighbours share terms. What falls by a fifth from mean to mean was aired or flushed, and says
    nothing. The opinion turns where the odds pass e to one against it. How often it is wrong: docs/detectors/manhole.md.
    """

    of: Literal["any", "leak", "biogas"] = "any"
    prior: float = 0.0  # [1] log of the odds for a leak, before anything is known
    least: float = 0.002  # [1] methane below which nothing is told of its origin
    hard: float = 0.025  # [1] methane from which every reading is judged
    sigma: float = 0.0003  # [1] noise of a reading
    rough: float = 0.02  # [1] spread of the second differences of a leak, of its level
    swing: float = 0.006  # [1] the same of biogas: a day's swing of its own level has 0.0076
    every: float = 300.0  # [s] between readings
    origin: float = 0.0  # [1] where the score begins
    scale: float = 1.0  # [1] from `origin` to the bound

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True
    warmup: ClassVar[int] = 0  # [1]

    def __post_init__(self) -> None:
        if self.of not in ("any", "leak", "biogas"):
            raise ValueError(f"of: {self.of!r} is none of any, leak, biogas")

    @property
    def length(self) -> int:
        """Of a slot. [ns]"""
        return round((self.every if MEAN < self.every <= COARSE else MEAN) * NS)

    def init(self, n: int) -> ManholeState:
        """State of n series that have seen nothing."""
        none, nothing = np.zeros(n), np.full((n, 2), np.nan)
        return ManholeState(
            none, np.zeros(n, np.int64), none.copy(), none.copy(), nothing, nothing.copy(), none.copy(),
            np.full(n, self.prior >= 0), breath.fresh(n),
        )  # fmt: skip

    def step(self, s: ManholeState, x: Floats, t: Ints) -> tuple[ManholeState, Floats]:
        """x [m, k] [1], t [m, k] [ns] -> new state, score [m, k] [1]. Series that stay below `least` cost one comparison."""
        score = np.maximum((x - self.origin) / self.scale, 0.0)
        high = x > self.least
        rows = np.flatnonzero(high.any(axis=1))
        if not rows.size:
            return s, score
        s = ManholeState._make(a.copy() for a in s)
        for j in np.flatnonzero(high.any(axis=0)).tolist():
            now = np.flatnonzero(high[:, j])
            y, at = x[now, j], t[now, j]
            breath.heard(s.breath, now, y, at, self.sigma, self.every)
            dumb = ((y == s.value[now]) | breath.still(s.breath, now, y, self.sigma)) & (y < self.hard)
            s.value[now] = y
            if self.of != "any":
                self._learn(s, now, y, at // self.length)
                score[now, j] *= s.leak[now] == (self.of == "leak")
            score[now[dumb], j] = np.nan
        return s, score

    def likely(self, s: ManholeState) -> Floats | None:
        """Probability of a leak from a main, by the belief as it stands [n] [1]; None where origins are not told apart."""
        return None if self.of == "any" else 1.0 / (1.0 + np.exp(-(s.belief + self.prior)))

    def _learn(self, s: ManholeState, rows: Ints, x: Floats, slot: Ints) -> None:
        """One reading above `least` of each of these series."""
        passed = slot - s.slot[rows]
        done = rows[passed > 0]
        if done.size:
            self._close(s, done, slot[passed > 0])
        s.sum[rows] += x
        s.number[rows] += 1.0

    def _close(self, s: ManholeState, rows: Ints, slot: Ints) -> None:
        """The slot that was filled says what it says, and another begins."""
        there = s.number[rows] > 0
        number = np.maximum(s.number[rows], 1.0)
        mean = np.where(there, s.sum[rows] / number, np.nan)
        noise = self.sigma**2 / number
        s.belief[rows] = np.clip(s.belief[rows] + self._says(s, rows, mean, noise), -SURE - self.prior, SURE - self.prior)
        odds = s.belief[rows] + self.prior
        s.leak[rows] = np.where(np.abs(odds) >= TURN, odds > 0, s.leak[rows])
        next_ = slot - s.slot[rows] == 1  # else slots are missing, and differences begin anew
        fell = mean < FALL * s.mean[rows, 0]
        s.mean[rows, 1], s.noise[rows, 1] = np.where(fell, np.nan, s.mean[rows, 0]), s.noise[rows, 0]
        s.mean[rows, 0], s.noise[rows, 0] = mean, noise
        s.mean[rows[~next_]] = np.nan
        s.slot[rows], s.sum[rows], s.number[rows] = slot, 0.0, 0.0

    def _says(self, s: ManholeState, rows: Ints, mean: Floats, noise: Floats) -> Floats:
        """Change of the log of the odds by these means. [m] [1]"""
        one, two = s.mean[rows].T
        level = np.maximum(one, self.least)
        v0 = noise + 4 * s.noise[rows, 0] + s.noise[rows, 1] + (self.swing * level) ** 2
        v1 = v0 + (self.rough * level) ** 2
        d2 = (mean - 2 * one + two) ** 2
        said = 0.5 * TOGETHER * (np.log(v0 / v1) + d2 * (1 / v0 - 1 / v1))
        told = np.isfinite(said) & (mean >= FALL * one)
        return np.where(told, np.minimum(said, MOST), 0.0)


default = Manhole()
