"""Hours into days: what is judged once a day, and told with the first hour that a member speaks after it."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from lifeline.model import NS, Floats, Ints

HOUR: Final = 3600.0  # [s]
DAY: Final = 24  # [slot]
S = TypeVar("S", bound=Any)  # a state with day [1], now [n] and due [n]


def through(state: S, x: Floats, t: Ints, closed: Callable[[S], S], take: Callable[[S, Floats, int], S]) -> tuple[S, Floats]:
    """x [n, k] hours [SI], t [k] their ends [ns] -> new state, score [n, k] [1]; the old state stays as it is.

    closed: judges the day that is over. take: puts one hour x [n] at its place in the day.
    """
    s: S = state._make(a.copy() for a in state)
    score = np.full(x.shape, np.nan)
    hour = (t - 1) // round(HOUR * NS)
    for j in range(x.shape[1]):
        if hour[j] // DAY != s.day[0]:
            s = closed(s)
            s.day[0] = hour[j] // DAY
        s = take(s, x[:, j], int(hour[j] % DAY))
        told = s.due & np.isfinite(x[:, j])
        score[told, j] = s.now[told]
        s.due[told] = False
    return s, score


def kept(s: S, x: Floats, hour: int) -> S:
    """An hour is kept as it is, in `hours` [n, DAY]."""
    s.hours[:, hour] = x
    return s
