"""Medians of rows in which values may be missing."""

from typing import Final

import numpy as np

from lifeline.model import Floats

NORMAL: Final = 1.4826  # [1] standard deviation over MAD of a normal distribution


def medians(x: Floats) -> Floats:
    """Median of the finite values of each row [n, m], NaN where there is none. [n]"""
    row, number = np.arange(len(x)), np.isfinite(x).sum(axis=1)
    rising = np.sort(x, axis=1)  # what is missing comes last
    both = rising[row, np.maximum(number - 1, 0) // 2] + rising[row, number // 2]
    return np.where(number > 0, 0.5 * both, np.nan)


def mads(x: Floats) -> Floats:
    """Median distance of each row [n, m] from its median. [n]"""
    return medians(np.abs(x - medians(x)[:, None]))
