"""Slopes against numpy's own least squares."""

import math

import numpy as np

from detectors.rise import Rise
from lifeline.model import Floats


def plain(d: Rise, x: Floats) -> list[float]:
    """The oracle: a straight line fitted to each window."""
    out = []
    for j in range(x.size):
        y = x[max(0, j + 1 - d.width) : j + 1]
        there = np.isfinite(y)
        if j < d.warmup or not there[-1] or 3 * there.sum() < 2 * d.width:
            out.append(math.nan)
            continue
        slope = np.polyfit(d.every * np.flatnonzero(there), y[there], 1)[0]
        out.append(max((slope - d.origin) / d.scale, 0.0))
    return out


def test_all_series_at_once_score_as_a_fitted_line() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(300.0, 2.0, (4, 120)) + np.array([[0.0], [1.0], [-1.0], [0.3]]) * np.arange(120)
    x[3, rng.random(120) < 0.25] = np.nan
    for d in (Rise(window=900.0, every=60.0, scale=0.01), Rise(window=900.0, every=60.0, origin=0.001, scale=-0.02)):
        score = d.step(d.init(4), x)[1]
        assert np.isnan(score[3]).any()
        np.testing.assert_allclose(score, [plain(d, row) for row in x], rtol=1e-9, atol=1e-12)


def test_one_per_cent_an_hour_scores_one() -> None:
    d = Rise(window=3600.0, every=300.0, scale=0.01 / 3600)
    x: Floats = np.arange(40.0)[None] * (0.01 / 3600 * 300.0)
    np.testing.assert_allclose(d.step(d.init(1), x)[1][0, 12:], 1.0, rtol=1e-9)


def test_a_large_offset_costs_no_digits() -> None:
    d = Rise(window=600.0, every=60.0, scale=1e-6)
    x: Floats = np.arange(30.0)[None] * 60e-6 + 1e6
    np.testing.assert_allclose(d.step(d.init(1), x)[1][0, 10:], 1.0, rtol=1e-3)


def test_white_noise_has_the_spread_of_slopes_that_the_docstring_says() -> None:
    d = Rise(window=600.0, every=60.0, scale=1e-12)
    x = np.random.default_rng(4).normal(size=(400, 400))
    slope = d.step(d.init(400), x)[1][:, d.warmup :] * d.scale
    w = d.width
    expected = 1 / d.every * math.sqrt(12 / (w * (w * w - 1)))
    assert 0.97 < math.sqrt((slope**2).mean() * 2) / expected < 1.03  # half of the slopes are negative and score nothing
