"""The rhythm of a city: demand for water, traffic and calls of lifts as functions of time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

EAST: Final = 8 * 3600  # [s] local time ahead of UTC
DAY: Final = 86_400  # [s]
YEAR: Final = 365.2425 * DAY  # [s]

WEEK: Final = 7 * DAY  # [s]


def hour(second: float) -> float:
    """Local hour of the day. [h]"""
    return (second + EAST) % DAY / 3600


def peaks(second: float, middle: Sequence[float], width: Sequence[float]) -> float:
    """Sum of daily bumps of height 1; middle, width [h] each. [1]"""
    away = (hour(second) - np.asarray(middle) + 12) % 24 - 12
    return float(np.exp(-0.5 * (away / np.asarray(width)) ** 2).sum())


def water_demand(second: float) -> float:
    """About the mean: low at night, morning and evening peaks, a little more at weekends. [1]"""
    weekend = 1.05 if (second + EAST) % WEEK // DAY in (2, 3) else 1.0  # the epoch was a Thursday
    return weekend * (
        0.45
        + 0.9 * peaks(second, (7.5,), (1.6,))
        + 0.45 * peaks(second, (12.5,), (2.0,))
        + 0.85 * peaks(second, (19.5,), (2.2,))
    )


def traffic(second: float) -> float:
    """Of the daily mean. [1]"""
    return (
        0.25 + 1.5 * peaks(second, (8.0,), (1.5,)) + 0.7 * peaks(second, (13.0,), (2.5,)) + 1.5 * peaks(second, (18.0,), (2.0,))
    )


def lift_calls(second: float) -> float:
    """Of the daily mean. [1]"""
    return (
        0.2 + 1.9 * peaks(second, (8.0,), (1.2,)) + 0.9 * peaks(second, (12.5,), (1.5,)) + 1.7 * peaks(second, (18.5,), (1.8,))
    )
