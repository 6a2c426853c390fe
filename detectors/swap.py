"""Swap: two sensors, each of which goes on as the other did."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.daily import DAY, HOUR, kept, through
from detectors.nearby import nearby
from lifeline.model import Bools, Floats, Ints, Members, Place

FULL: Final = 12  # [1] hours that make a day
CALM: Final = 0.6  # [1] a day of a higher score teaches nothing


class SwapState(NamedTuple):
    day: Ints  # [1] number of the day being filled; -1: none yet
    hours: Floats  # [n, DAY] [SI] of it; NaN: nothing was said
    profile: Floats  # [n, DAY] [SI] usual reading of each hour of the day; NaN: never told
    power: Floats  # [n] [SI²] mean square of a day's distance from it
    taught: Ints  # [n] [1] days that taught
    now: Floats  # [n] [1] score of the last day
    other: Ints  # [n] the one with whom it was exchanged, if it was
    due: Bools  # [n] members who have not been told it


@dataclass(frozen=True)
class Swap:
    """How much better a day of two sensors fits when their names are exchanged.

    Each series has its usual course of the day, level and shape together, and the spread of its days about it, both of the
    last `memory` days. E(a, m) is the root mean square distance of a's day from m's course in m's spreads. Two are exchanged if
    neither is itself any more and each is the other: the score is the lesser of E(a, a), E(b, b) over the greater of E(a, b),
    E(b, a), which count 1 at least, over `far`: the misfits of two assignments of measurements to tracks (Y. Bar-Shalom and
    T. E. Fortmann, Tracking and Data Association, 1988). Weather and demand move both to one side, and fit no exchange. Two
    that have always read alike cannot be told apart, and need not be. docs/detectors/swap.md counts its false alarms.
    """

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = HOUR  # [s]
    learn: int = 7  # [d] that only teach
    memory: int = 14  # [d]
    most: int = 8  # [1] others that are tried
    far: float = 2.0  # [1]
    least: float = 1e-4  # [1] of the sensor's range: a series whose days are more alike is taken to differ by so much
    near: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))  # [n, most] -1: nobody; set by `settled`, as below
    floor: Floats = field(default_factory=lambda: np.empty(0))  # [n] [SI]
    name: tuple[str, ...] = ()  # [n] what each is called

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn * DAY

    def settled(self, m: Members) -> Self | None:
        """None where no two of a quantity are at one asset."""
        near = nearby(replace(m, judged=m.judged & (m.step <= self.slot)), self.most, apart=False)
        if not (near >= 0).any():
            return None
        span = self.least * (m.high - m.low)
        return replace(self, near=near, floor=np.where(np.isfinite(span), span, 0.0), name=tuple(m.key.tolist()))

    def init(self, n: int) -> SwapState:
        """State of n series that have said nothing."""
        nan, day = np.full(n, np.nan), np.full((n, DAY), np.nan)
        count = np.zeros(n, np.int64)
        return SwapState(
            np.full(1, -1, np.int64), day, day.copy(), np.zeros(n), count, nan, np.full(n, -1, np.int64), np.zeros(n, np.bool_)
        )

    def step(self, s: SwapState, x: Floats, t: Ints) -> tuple[SwapState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1], told with the first hour after each day."""
        return through(s, x, t, self._closed, kept)

    def locate(self, s: SwapState, i: int) -> tuple[Place, ...]:
        """With whom it was exchanged."""
        j = int(s.other[i])
        return (Place(self.name[j], 1.0),) if j >= 0 and s.now[i] >= CALM else ()

    def _closed(self, s: SwapState) -> SwapState:
        """The day is over: judge it, and learn from it where it is as usual."""
        there = np.isfinite(s.hours).sum(axis=1) >= FULL
        spread = np.maximum(np.sqrt(s.power), self.floor)
        known = there & (s.taught >= self.learn) & (spread > 0)
        score, other = self._best(s, spread, known)
        s = self._learned(s, there & ~(score >= CALM))
        return s._replace(hours=np.full_like(s.hours, np.nan), now=score, other=other, due=np.isfinite(score))

    def _best(self, s: SwapState, spread: Floats, known: Bools) -> tuple[Floats, Ints]:
        """Score of the likeliest exchange of each, and with whom. spread, known [n]; [n] [1], [n]"""
        one, column = np.nonzero((self.near >= 0) & known[:, None] & known[self.near])
        two = self.near[one, column]

        def misfit(a: Ints, m: Ints) -> Floats:
            """Of days a with the courses of m. [pairs] [σ]"""
            return distances(s.hours[a], s.profile[m]) / spread[m]

        itself = np.minimum(misfit(one, one), misfit(two, two))
        crossed = np.maximum(misfit(one, two), misfit(two, one))
        score = itself / (self.far * np.maximum(crossed, 1.0))
        rising = np.argsort(np.nan_to_num(score, nan=-1.0), kind="stable")
        rising = rising[np.isfinite(score[rising])]
        best, other = np.full(known.size, np.nan), np.full(known.size, -1, np.int64)
        for i, j in ((one, two), (two, one)):
            better = ~(score[rising] < best[i[rising]])
            best[i[rising][better]], other[i[rising][better]] = score[rising][better], j[rising][better]  # the last stays
        return best, other

    def _learned(self, s: SwapState, calm: Bools) -> SwapState:
        """Days that teach, of those who are calm."""
        away, again = s.hours - s.profile, calm & (s.taught > 0)
        weight, later = (1 / np.clip(s.taught + one, 1, self.memory) for one in (1, 0))
        profile = np.where(np.isnan(s.profile), s.hours, s.profile + weight[:, None] * np.nan_to_num(away))
        change = later * (distances(s.hours, s.profile) ** 2 - s.power)
        return s._replace(
            profile=np.where(calm[:, None], profile, s.profile), taught=s.taught + calm,
            power=np.where(again, s.power + np.nan_to_num(change), s.power),
        )  # fmt: skip


def distances(a: Floats, b: Floats) -> Floats:
    """Root mean square distance of days, over the hours of both; NaN where there is none. a, b [q, DAY]; [q] [SI]"""
    away = a - b
    there = np.isfinite(away)
    number = there.sum(axis=1)
    square = (np.where(there, away, 0.0) ** 2).sum(axis=1) / np.maximum(number, 1)
    return np.where(number > 0, np.sqrt(square), np.nan)


default = Swap()
