"""Gain: a sensor whose scale has changed in a step, against those that go up and down with it."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.daily import DAY, HOUR, kept, through
from detectors.medians import NORMAL, mads, medians
from detectors.nearby import nearby
from lifeline.model import Bools, Floats, Ints, Members

FULL: Final = 12  # [1] hours of both that make a day
CALM: Final = 0.7  # [1] a day of a higher score moves nothing
FIRST: Final = 1.5  # [1] the one to blame has departed so many times as far as any of its peers
FLIPPED: Final = 3.0  # [1] score of one that moves against its peers as it used to move with them


class GainState(NamedTuple):
    day: Ints  # [1] number of the day being filled; -1: none yet
    hours: Floats  # [n, DAY] [SI] of it; NaN: nothing was said
    held: Floats  # [3, n, most, window] [SI²] covariances with each other and both variances of the last days; NaN: none
    total: Floats  # [3, n, most] [SI²] their sums over the days that taught
    past: Floats  # [n, most, learn] [1] log of the ratio to each other, day by day while they teach; NaN: none
    days: Ints  # [1] days that taught
    base: Floats  # [n, most] [1] usual log of the ratio; NaN: still learning, or no peer
    limit: Floats  # [n] [1] departure at a score of 1
    now: Floats  # [n] [1] score of the last day
    due: Bools  # [n] members who have not been told it


@dataclass(frozen=True)
class Gain:
    """Change of a day's amplitude relative to its peers', in logarithms, while it still goes up and down with them.

    Of each two sensors of one quantity at an asset the ratio of the standard deviations of `window` days is the slope that
    treats both alike (reduced major axis: P. A. Samuelson, Econometrica 10, 1942, 80-83) and sees no zeros. Peers are those
    whose hours, freed of each day's mean, correlated by `alike` in the first `learn` days; they count while they do by `still`.
    Judged is the median over the peers of the change of this logarithm (redundancy by like sensors: P. M. Frank, Automatica 26,
    1990, 459-474), against `least` or `sure` spreads of such days, whichever is more. Of several that depart the one is to
    blame that has done so 1.5 times as far as any of its peers; what moves several alike is no fault of a sensor. What is usual
    follows by `follow` a day. docs/detectors/gain.md counts its false alarms.
    """

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = HOUR  # [s]
    learn: int = 14  # [d] that only teach
    window: int = 3  # [d] that are looked at together: a dull day says little
    most: int = 6  # [1] peers
    few: int = 2  # [1] peers that must be there
    alike: float = 0.8  # [1] least correlation of a peer
    still: float = 0.7  # [1] least correlation of a day
    least: float = 0.2  # [1] of the logarithm: 22 %
    sure: float = 6.0  # [1] spreads of the days that taught
    follow: float = 0.01  # [1/d] of the logarithm
    near: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))  # [n, most] -1: nobody; set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn * DAY

    def settled(self, m: Members) -> Self | None:
        """None where nobody has two peers of other devices."""
        near = nearby(replace(m, judged=m.judged & (m.step <= self.slot)), self.most, apart=True)
        return replace(self, near=near) if ((near >= 0).sum(axis=1) >= self.few).any() else None

    def init(self, n: int) -> GainState:
        """State of n series that have said nothing."""
        pairs, nan = (n, self.most), np.full(n, np.nan)
        return GainState(
            np.full(1, -1, np.int64), np.full((n, DAY), np.nan), np.full((3, *pairs, self.window), np.nan),
            np.zeros((3, *pairs)), np.full((*pairs, self.learn), np.nan), np.zeros(1, np.int64), np.full(pairs, np.nan), nan,
            nan.copy(), np.zeros(n, np.bool_),
        )  # fmt: skip

    def step(self, s: GainState, x: Floats, t: Ints) -> tuple[GainState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1], told with the first hour after each day."""
        return through(s, x, t, self._closed, kept)

    def _closed(self, s: GainState) -> GainState:
        """The day is over: learn from it, or judge it."""
        if s.day[0] < 0:
            return s
        new = moments(s.hours, self.near)
        held = np.concatenate([s.held[:, :, :, 1:], new[:, :, :, None]], axis=3)
        s = s._replace(hours=np.full_like(s.hours, np.nan), held=held)
        enough = 2 * np.isfinite(held[0]).sum(axis=2) > self.window
        both, mine, yours = np.where(enough, np.nansum(held, axis=3), np.nan)
        if s.days[0] == self.learn:
            return self._judged(s, correlation(both, mine, yours), ratio(mine, yours))
        s.past[:, :, s.days[0]] = ratio(mine, yours)
        s = s._replace(total=s.total + np.nan_to_num(new), days=s.days + 1)
        return self._learned(s) if s.days[0] == self.learn else s

    def _learned(self, s: GainState) -> GainState:
        """Who the peers are, their usual ratio, and how far a day's is from it."""
        n, most, days = s.past.shape
        enough = 2 * np.isfinite(s.past).sum(axis=2) >= days
        peers = enough & (correlation(*s.total) >= self.alike)
        base = np.where(peers, medians(s.past.reshape(n * most, days)).reshape(n, most), np.nan)
        each = np.stack([medians(s.past[:, :, d] - base) for d in range(days)], axis=1)
        limit = np.fmax(self.least, self.sure * NORMAL * mads(each))
        return s._replace(base=base, limit=limit, past=np.full_like(s.past, np.nan))

    def _judged(self, s: GainState, like: Floats, now: Floats) -> GainState:
        """The last days against what is usual. like, now [n, most] [1]"""
        peers = np.isfinite(s.base) & np.isfinite(like)
        change = np.where(peers & (like >= self.still), now - s.base, np.nan)
        known = np.isfinite(change).sum(axis=1) >= self.few
        left = np.where(known, np.abs(medians(change)), 0.0)
        turned = (peers.sum(axis=1) >= self.few) & (medians(np.where(peers, like, np.nan)) <= -self.still)
        others = np.where(self.near >= 0, left[self.near], 0.0).max(axis=1, initial=0.0)
        score = np.where(left >= FIRST * others, left / s.limit, 0.0)
        score = np.where(turned, FLIPPED, score)
        move = np.clip(np.nan_to_num(change), -self.follow, self.follow)
        calm = known & (left < CALM * s.limit)
        base = s.base + np.where(calm[:, None] & np.isfinite(change), move, 0.0)
        return s._replace(base=base, now=np.where(known | turned, score, np.nan), due=known | turned)


def moments(hours: Floats, near: Ints) -> Floats:
    """Covariance with each other and the two variances, over the hours of both; NaN with too few. [3, n, most] [SI²]"""
    x, y = hours[:, None, :], np.where((near >= 0)[:, :, None], hours[near], np.nan)
    there = np.isfinite(x) & np.isfinite(y)
    number = there.sum(axis=2)
    some = np.maximum(number, 1)
    a, b = (np.where(there, z, 0.0) for z in (x, y))
    a, b = (np.where(there, z - (z.sum(axis=2) / some)[:, :, None], 0.0) for z in (a, b))
    return np.where(number >= FULL, np.stack([(u * v).sum(axis=2) / some for u, v in ((a, b), (a, a), (b, b))]), np.nan)


def correlation(both: Floats, mine: Floats, yours: Floats) -> Floats:
    """NaN where one of the two stands still. [n, most] [1]"""
    size = np.sqrt(mine * yours)
    return np.asarray(np.where(size > 0, both / np.where(size > 0, size, 1.0), np.nan))


def ratio(mine: Floats, yours: Floats) -> Floats:
    """Logarithm of the ratio of two amplitudes. [n, most] [1]"""
    known = (mine > 0) & (yours > 0)
    return np.where(known, 0.5 * np.log(np.where(known, mine, 1.0) / np.where(known, yours, 1.0)), np.nan)


default = Gain()
