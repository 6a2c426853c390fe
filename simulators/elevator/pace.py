"""The clock of a trip at which something goes wrong: a car that stops is a clock that stands."""

from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Floats


class Pace(NamedTuple):
    """How fast a trip's clock runs, straight from knot to knot; before the first and after the last as there."""

    at: Floats  # [p] [s] after the onset, rising from 0
    rate: Floats  # [p] [1] of its own speed; negative: the car runs back

    def now(self, since: Floats) -> Floats:
        """since [k] [s]; [k] [1]"""
        return np.asarray(np.where(since < 0, 1.0, np.interp(since, self.at, self.rate)))

    def lost(self, since: Floats) -> Floats:
        """By how much it has fallen behind: the integral of 1 - rate. since [k] [s]; [k] [s]"""
        gap = np.diff(self.at)
        slope = np.append(np.diff(self.rate) / np.where(gap > 0, gap, 1.0), 0.0)
        before = np.concatenate([[0.0], np.cumsum(gap * (1 - (self.rate[:-1] + self.rate[1:]) / 2))])
        i = np.clip(np.searchsorted(self.at, since, side="right") - 1, 0, None)
        on = np.maximum(since - self.at[i], 0.0)
        return np.asarray(before[i] + (1 - self.rate[i]) * on - slope[i] * on**2 / 2)


def pace(*knots: tuple[float, float]) -> Pace:
    """(at [s], rate [1]), …"""
    at, rate = np.array(knots).T
    return Pace(at, rate)


GENTLE: Final = 2.5  # [1] times as long as a stop by the brake, to be at full speed again: at 0.8 m/s²


def standing(lasts: float, stop: float) -> Pace:
    """It stops within `stop`, and sets off again after `lasts`. [s]"""
    short = min(stop, lasts)
    least = 1 - short / stop if stop else 0.0
    return pace((0.0, 1.0), (short, least), (lasts, least), (lasts + GENTLE * stop, 1.0))
