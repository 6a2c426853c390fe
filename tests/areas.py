"""Areas of a water network for the tests of what judges them: hourly flows of people who use water, and of holes."""

import numpy as np

from lifeline.model import NS, Floats, Ints

HOUR = 3600 * NS
START = 1_767_225_600 * NS  # 2026-01-01, 00:00 UTC
DAY = np.array(
    [
        *(0.45, 0.38, 0.34, 0.33, 0.36, 0.55, 0.95, 1.35, 1.40, 1.25, 1.15, 1.12),
        *(1.15, 1.12, 1.05, 1.05, 1.10, 1.25, 1.40, 1.45, 1.35, 1.15, 0.85, 0.60),
    ]
)


def area(days: int, seed: int, *, mean: float = 100.0, noise: float = 0.02, loss: float = 15.0) -> Floats:
    """Flow of an area [m³/s] hour by hour: a weekly pattern, a yearly wave, days that differ, noise in proportion. [h]

    mean, loss [m³/h]; noise [1] of an hour's use
    """
    rng = np.random.default_rng(seed)
    day = np.arange(days)
    shape = np.where((day % 7 >= 5)[:, None], 0.92 * np.roll(DAY, 1), DAY)
    year = 1 + 0.1 * np.sin(2 * np.pi * day / 365 + seed) + 0.01 * rng.normal(size=days)
    use = mean * shape * year[:, None] * (1 + noise * rng.normal(size=(days, 24)))
    return (use.ravel() + loss) / 3600


def hours(n: int) -> Ints:
    """Ends of so many hours. [n] [ns]"""
    return START + HOUR * np.arange(1, n + 1)
