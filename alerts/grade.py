"""From score to level: enter high, leave low, hold."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Codes, Floats, Limits

RANK = np.arange(1, 5, dtype=np.uint8)  # BLUE, YELLOW, ORANGE, RED


class GradeState(NamedTuple):
    level: Codes  # [n] Level
    wait: NDArray[np.int16]  # [n, 4] judged samples in a row at or above the bound of each level, counted up to its hold


def init(n: int) -> GradeState:
    """n series at NORMAL."""
    return GradeState(np.zeros(n, np.uint8), np.zeros((n, 4), np.int16))


def step(limits: Limits, s: GradeState, score: Floats) -> GradeState:
    """One tick: score [m] -> new state. A NaN neither raises nor clears: the series stays as it is, its waiting included."""
    x = score[:, None]
    judged = np.isfinite(score) | (score == np.inf)
    used = np.isfinite(limits.enter)
    wait = np.where(used & (x >= limits.enter), np.minimum(s.wait + 1, limits.hold), 0).astype(np.int16)
    asked = highest(used & (wait >= limits.hold))
    kept = np.minimum(s.level, highest(used & (x >= limits.leave)))
    level = np.maximum(asked, kept)
    return GradeState(np.where(judged, level, s.level), np.where(judged[:, None], wait, s.wait))


def highest(reached: NDArray[np.bool_]) -> Codes:
    """The highest level of those reached [m, 4], or NORMAL. [m] Level"""
    rank: Codes = (reached * RANK).max(axis=1)
    return rank
