"""What lasts, tick by tick: latches and clocks, in whole rows of series.

Arrays are [k, m]: time first, since memory holds the series of one tick side by side. `start` [m] is what stood before.
NumPy's own running maxima and sums go down the columns one by one, and take ten times as long for a thousand series.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Bools, Floats

T = TypeVar("T", bound=np.generic)


def latch(on: Bools, off: Bools, start: Bools) -> Bools:
    """Which of the two was so last; `on` where both are, `start` where neither was yet. [k, m]"""
    out, stays, now = np.empty(on.shape, np.bool_), ~off, start
    for here, kept, o in zip(on, stays, out, strict=True):
        np.logical_and(now, kept, out=o)
        np.logical_or(o, here, out=o)
        now = o
    return out


def lasted(counts: Bools, reset: Bools, start: Floats) -> Floats:
    """Ticks that count since the last reset, which itself is 0; before the first, those since ever. [k, m] [1]"""
    out, now = np.empty(counts.shape), start
    for one, anew, o in zip(counts, reset, out, strict=True):
        np.add(now, one, out=o)
        np.copyto(o, 0.0, where=anew)
        now = o
    return out


def before(x: NDArray[T], start: NDArray[T]) -> NDArray[T]:
    """What stood one tick earlier. [k, m]"""
    return np.concatenate([start[None], x[:-1]])
