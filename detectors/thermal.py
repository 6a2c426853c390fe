"""Thermal: what is left of a structure's reading when temperature has explained what it can."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Members

HOUR: Final = 3600.0  # [s]
DAY: Final = 24  # [slot]
MILD: Final = 285.0  # [K] about which temperatures are reckoned
FROST: Final = 273.15  # [K] below it a frozen deck is stiffer
LAGS: Final = (3.0, 24.0)  # [h] memories of the temperatures: a structure is late
KEPT: Final = 60  # days whose means are remembered
SEEN: Final = 2  # [1] days that must have been at least as warm, and as cold
NEAR: Final = 1.0  # [K]
CALM: Final = 0.3  # [1] days of a lower score teach
FEW: Final = 5  # [1] days that make a spread
FULL: Final = 12  # [1] hours that make a day
RIDGE: Final = 1e-2  # [K²] a sample: what no day has shown is not believed, and its doubt is large
DOUBT: Final = 3.0  # [1] a fit's own doubt of a day it has not seen the like of counts so many times: nature is not linear


class ThermalState(NamedTuple):
    last: Ints  # [1] [ns] end of the last slot; 0: none yet
    slow: Floats  # [b, 2] [K] temperatures as remembered; NaN: none yet
    normal: Floats  # [n, p, p] [K²] of the features, over the hours that taught
    moment: Floats  # [n, p] [K SI] of features and reading
    square: Floats  # [n] [SI²] of the readings
    number: Floats  # [n] [1] hours that taught
    origin: Floats  # [n] [SI] first reading, from which all are reckoned
    x: Floats  # [p, DAY] [K] features of the last hours, oldest first
    y: Floats  # [n, DAY] [SI] readings
    means: Floats  # [n, KEPT] [σ] standing of the days' means, oldest first; NaN: none
    left: Floats  # [n, KEPT] [SI] what was left of each day
    days: Floats  # [b, KEPT] [K] mean temperatures of the days that taught
    sum_: Floats  # [n, 2] [1] CUSUM upwards, downwards
    now: Floats  # [n] [1] score of the last day that was judged
    due: Bools  # [n] members who have not been told it


@dataclass(frozen=True)
class Thermal:
    """Mean of a day's residual after regression on temperatures, their memories and frost, against its own spread.

    Ordinary least squares on all hours that taught (lagged temperatures as in J. Kullaa, Mech. Syst. Signal Process. 25, 2011,
    2976-2989; bilinear below zero as B. Peeters and G. De Roeck saw it on Z24, Earthq. Eng. Struct. Dyn. 30, 2001, 149-171).
    A day is judged against the scatter of days' means and the fit's doubt of such a day, which is large for weather that the
    fit has not seen: a cold snap says nothing. z goes against `quick` spreads, and day by day into a CUSUM (E. S. Page,
    Biometrika 41, 1954); a score of 1 is where one is reached. Beyond it the score is what is left in units of `size`, or of
    `share` of the reading itself, where one is given. Days of a low score teach.
    side: which way is the hazard.
    """

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ("temperature",)
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = HOUR  # [s]
    side: Literal["both", "up", "down"] = "both"
    quick: float = 5.0  # [σ] of one day
    slack: float = 0.75  # [σ]
    limit: float = 10.0  # [σ] of the CUSUM
    share: float = 0.0  # [1] of the reading: unit of the score beyond 1; 0: none
    size: float = 0.0  # [SI] unit of the score beyond 1; 0: none
    learn: int = 14  # [d] that only teach
    apart: tuple[str, ...] = ()  # quantities whose devices are not judged: a cable's frequency is its force
    judged: tuple[bool, ...] = ()  # [n] set by `settled`
    warm: tuple[bool, ...] = ()  # [n] which explain; set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn * DAY

    def settled(self, m: Members) -> Self | None:
        """None without a temperature."""
        left_out = np.isin(m.quantity, self.apart)
        judged = m.judged & ~np.isin(m.device, m.device[left_out])
        warm = ~m.judged & ~left_out
        if not judged.any() or not warm.any():
            return None
        return replace(self, judged=tuple(judged.tolist()), warm=tuple(warm.tolist()))

    def init(self, n: int) -> ThermalState:
        """A structure of which nothing is known."""
        b = sum(self.warm)
        p = 1 + b * (2 + len(LAGS))
        nan, zero = np.nan, np.zeros(n)
        return ThermalState(
            np.zeros(1, np.int64), np.full((b, len(LAGS)), nan), np.zeros((n, p, p)), np.zeros((n, p)), zero, zero.copy(),
            np.full(n, nan), np.full((p, DAY), nan), np.full((n, DAY), nan), np.full((n, KEPT), nan), np.full((n, KEPT), nan),
            np.full((b, KEPT), nan), np.zeros((n, 2)), np.full(n, nan), np.zeros(n, np.bool_),
        )  # fmt: skip

    def step(self, s: ThermalState, x: Floats, t: Ints) -> tuple[ThermalState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1]."""
        score = np.full(x.shape, np.nan)
        judged = np.array(self.judged, np.bool_)
        for j in range(x.shape[1]):
            s = self._take(s, x[:, j], t[j], judged)
            if int(t[j] // round(HOUR * NS)) % DAY == 0:
                s = self._day(s, judged)
            told = s.due & np.isfinite(x[:, j])
            score[told, j] = s.now[told]
            s = s._replace(due=s.due & ~told)
        return s, score

    def _take(self, s: ThermalState, x: Floats, t: Any, judged: Bools) -> ThermalState:
        """One hour: its features and readings. x [n]"""
        gap = 1.0 if not s.last[0] else max(round(float(t - s.last[0]) / (HOUR * NS)), 1)
        warm = x[np.array(self.warm, np.bool_)]
        keep = np.exp(-gap / np.array(LAGS))
        slow = np.where(np.isnan(s.slow), warm[:, None], warm[:, None] + keep * (s.slow - warm[:, None]))
        slow = np.where(np.isnan(warm)[:, None], s.slow, slow)
        f = np.r_[1.0, warm - MILD, (slow - MILD).ravel(), np.minimum(warm - FROST, 0.0)]
        origin = np.where(np.isnan(s.origin) & judged, x, s.origin)
        return s._replace(
            last=np.array([t], np.int64), slow=slow, origin=origin, x=np.column_stack([s.x[:, 1:], f]),
            y=np.column_stack([s.y[:, 1:], np.where(judged, x - origin, np.nan)]),
        )  # fmt: skip

    def _day(self, s: ThermalState, judged: Bools) -> ThermalState:
        """A day is over: judge it, and learn from it where it is as usual."""
        there = np.isfinite(s.y) & np.isfinite(s.x).all(axis=0)
        whole = there.sum(axis=1) >= FULL
        known = whole & (s.number >= self.warmup)
        left, z = np.full(whole.size, np.nan), np.full(whole.size, np.nan)
        warm = s.x[1 : 1 + s.days.shape[0], np.isfinite(s.x).all(axis=0)].mean(axis=1) if there.any() else s.days[:, -1]
        if seen(s.days, warm):
            for i in np.flatnonzero(known).tolist():
                left[i], z[i] = self._left(s, i, there[i])
        spread = np.maximum([scatter(a) for a in s.means], 1.0)
        sum_ = self._sums(s.sum_, z / spread)
        now = self._score(z / spread, sum_, left, s)
        said = np.isfinite(now)
        now = np.where(said, now, s.now)  # of weather that was not seen before nothing is said; what was said stands
        calm = whole & ~(now >= np.where(said, CALM, 1.0))
        s = self._learn(s, there & calm[:, None])
        return s._replace(
            means=shifted(s.means, z), left=shifted(s.left, left), sum_=sum_, now=now, due=judged & said,
            days=shifted(s.days, warm) if calm.any() else s.days,
        )  # fmt: skip

    def _left(self, s: ThermalState, i: int, there: Bools) -> tuple[float, float]:
        """What is left of a day of member i, in the mean [SI], and in spreads by the fit's own doubt."""
        a = s.normal[i] + RIDGE * s.number[i] * np.diag(np.r_[0.0, np.ones(s.x.shape[0] - 1)])
        c = np.linalg.solve(a, s.moment[i])
        variance = max(float(s.square[i] - c @ s.moment[i]) / float(s.number[i]), 1e-30)
        f = s.x[:, there].mean(axis=1)
        left = float(s.y[i, there].mean() - c @ f)
        doubt = DOUBT**2 * float(f @ np.linalg.solve(a, f))
        spread = float(np.sqrt(variance * (1 / there.sum() + doubt)))
        return left, left / spread

    def _sums(self, sum_: Floats, z: Floats) -> Floats:
        """CUSUM upwards and downwards; a day that was not judged changes nothing. [n, 2]"""
        both = np.column_stack([z, -z])
        grown = np.clip(sum_ + np.clip(both, -self.quick, self.quick) - self.slack, 0.0, 2 * self.limit)
        return np.where(np.isfinite(z)[:, None], grown, sum_)

    def _score(self, z: Floats, sum_: Floats, left: Floats, s: ThermalState) -> Floats:
        """Significance up to 1, beyond it what is left in units. [n]"""
        ways = {"both": [0, 1], "up": [0], "down": [1]}[self.side]
        toward = np.column_stack([z, -z])[:, ways]
        sure = np.maximum(toward.max(axis=1) / self.quick, sum_[:, ways].max(axis=1) / self.limit)
        unit = self.share * np.abs(s.origin) if self.share else np.full(z.size, self.size)
        large = np.abs(left) / np.where(unit > 0, unit, np.inf) if self.share or self.size else np.abs(z) / self.quick
        return np.where(np.isnan(z), np.nan, np.where(sure < 1, np.maximum(sure, 0.0), np.maximum(large, 1.0)))

    def _learn(self, s: ThermalState, there: Bools) -> ThermalState:
        """Hours that teach. there [n, DAY]"""
        f = np.where(np.isfinite(s.x), s.x, 0.0)
        y = np.where(there, np.nan_to_num(s.y), 0.0)
        w = there.astype(np.float64)
        return s._replace(
            normal=s.normal + np.einsum("pk,qk,nk->npq", f, f, w), moment=s.moment + y @ f.T,
            square=s.square + (y * y).sum(axis=1), number=s.number + w.sum(axis=1),
        )  # fmt: skip


def seen(days: Floats, warm: Floats) -> bool:
    """Whether some days that taught were at least as warm, and some at least as cold. days [f, d], warm [f]"""
    lower, higher = (days <= warm[:, None] + NEAR).sum(axis=1), (days >= warm[:, None] - NEAR).sum(axis=1)
    return bool((np.minimum(lower, higher) >= SEEN).all())


def scatter(z: Floats) -> float:
    """Robust spread of the days' standings: what temperature does not explain is not independent from hour to hour."""
    known = z[np.isfinite(z)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if known.size >= FEW else 4.0


def shifted(kept: Floats, new: Floats) -> Floats:
    """The oldest goes, the newest comes. [n, k], [n] -> [n, k]"""
    return np.column_stack([kept[:, 1:], new])


default = Thermal()
