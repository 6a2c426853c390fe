"""What lasts, over all ticks at once: latches and clocks as running maxima instead of a loop over ticks.

Arrays are [k, m]: time first, since memory holds the series of one tick side by side. `start` [m] is what stood before.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Bools, Floats

T = TypeVar("T", bound=np.generic)


def latch(on: Bools, off: Bools, start: Bools) -> Bools:
    """Which of the two was so last; `on` where both are, `start` where neither was yet. [k, m]"""
    turn = 2 * np.arange(1, len(on) + 1, dtype=np.int32)[:, None]
    last = np.where(on, turn + 1, np.where(off, turn, start.astype(np.int32)))
    return np.asarray(np.maximum.accumulate(last, axis=0) & 1 > 0)


def lasted(counts: Bools, reset: Bools, start: Floats) -> Floats:
    """Ticks that count since the last reset, which itself is 0; before the first, those since ever. [k, m] [1]"""
    sum_ = np.cumsum(counts, axis=0, dtype=np.int32)
    last = np.maximum.accumulate(np.where(reset, sum_, np.int32(-1)), axis=0)
    return np.where(last < 0, start + sum_, (sum_ - last).astype(np.float64))


def before(x: NDArray[T], start: NDArray[T]) -> NDArray[T]:
    """What stood one tick earlier. [k, m]"""
    return np.concatenate([start[None], x[:-1]])
