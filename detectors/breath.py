"""The breath of an underground space: air goes in and out with wind, warmth and pressure, and the gas inside with it.

A zero that drifts has none. Kept for each series in one row of numbers, told reading by reading.
"""

from typing import Final

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints

BLOCK: Final = 6 * 3600 * NS  # [ns] whose mean is looked at
BLOCKS: Final = 4  # in a day
WHOLE: Final = 0.8  # [1] of its readings that a block needs
DAYS: Final = 7  # [d] without breath, until a reading is taken for a drifted zero
LIMIT: Final = 1.7  # [1] of the variance that noise alone has: three spreads beyond 1 for a mean of a week
FLOOR: Final = 0.01  # [1] of the level: steadier than this is not asked
NEAR: Final = 6.0  # [1] spreads of a reading from yesterday's mean, beyond which something has begun

BLOCK_AT, SUM, NUMBER, MEANS, SQUARES, NOISE, TOLD, YESTERDAY, RATIO, COUNT = range(10)
COLUMNS: Final = 10


def fresh(n: int) -> Floats:
    """Of n series that have said nothing. [n, COLUMNS]"""
    return np.zeros((n, COLUMNS))


def heard(b: Floats, rows: Ints, x: Floats, t: Ints, sigma: float, every: float) -> None:
    """One reading x [m] at t [m] [ns] of each of these rows of b, in place. sigma: noise of a reading; every [s] the step"""
    at = t // BLOCK
    over = at > b[rows, BLOCK_AT]
    if over.any():
        _close(b, rows[over], at[over], sigma, every)
    b[rows, SUM] += x
    b[rows, NUMBER] += 1


def still(b: Floats, rows: Ints, x: Floats, sigma: float) -> Bools:
    """Whether a week before reading x [m] was without breath, and this one is like it. [m]"""
    near = np.abs(x - b[rows, YESTERDAY]) < NEAR * sigma
    return np.asarray((b[rows, COUNT] >= DAYS) & (b[rows, RATIO] < LIMIT) & near)


def _close(b: Floats, rows: Ints, at: Ints, sigma: float, every: float) -> None:
    """The block that was filled joins its day; a day that is over is judged."""
    number = np.maximum(b[rows, NUMBER], 1)
    mean = b[rows, SUM] / number
    whole = b[rows, NUMBER] >= max(WHOLE * BLOCK / NS / every, 2)
    for column, x in ((MEANS, mean), (SQUARES, mean**2), (NOISE, sigma**2 / number), (TOLD, 1.0)):
        b[rows, column] += np.where(whole, x, 0.0)
    days = at // BLOCKS - b[rows, BLOCK_AT] // BLOCKS
    done = days > 0
    if done.any():
        _day(b, rows[done], days[done])
    b[rows, BLOCK_AT], b[rows, SUM], b[rows, NUMBER] = at, 0.0, 0.0


def _day(b: Floats, rows: Ints, days: Floats) -> None:
    """How much more than noise the blocks of a day differ; a day that is not whole, or is followed by none, ends the count."""
    level = b[rows, MEANS] / BLOCKS
    allowed = (BLOCKS - 1) * (b[rows, NOISE] / BLOCKS + (FLOOR * level) ** 2)
    ratio = (b[rows, SQUARES] - BLOCKS * level**2) / np.maximum(allowed, np.finfo(float).tiny)
    there = b[rows, TOLD] == BLOCKS
    first = b[rows, COUNT] == 0
    b[rows, RATIO] = np.where(first, ratio, b[rows, RATIO] + (ratio - b[rows, RATIO]) / DAYS)
    b[rows, COUNT] = np.where(there & (days == 1), b[rows, COUNT] + 1, 0.0)
    b[rows, YESTERDAY] = level
    b[rows, MEANS : TOLD + 1] = 0.0
