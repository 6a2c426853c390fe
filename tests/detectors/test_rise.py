"""Slopes against numpy's own least squares, over slots and over single samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.rise import SLOTS, Rise
from lifeline.model import Floats

EPS = float(np.finfo(float).eps)


def plain(d: Rise, x: Floats) -> list[float]:
    """The oracle: at each tick the samples of the window are sorted into slots, and a line is fitted to the slots' means."""
    out = []
    for now in range(x.size):
        first = max(0, now // d.length - d.slots)
        slots: dict[int, list[int]] = {}
        for tick in range(first * d.length, now + 1):
            if math.isfinite(x[tick]):
                slots.setdefault(tick // d.length, []).append(tick)
        filled = sum(map(len, slots.values()))
        if now < d.warmup or not math.isfinite(x[now]) or 3 * filled < 2 * (now + 1 - first * d.length):
            out.append(math.nan)
            continue
        t = [d.every * (float(np.mean(s)) - now) for s in slots.values()]
        y = [float(np.mean(x[s])) for s in slots.values()]
        slope = np.polyfit(t, y, 1, w=[math.sqrt(len(s)) for s in slots.values()])[0]
        out.append(max((slope - d.origin) / d.scale, 0.0))
    return out


def slopes(d: Rise, x: Floats) -> Floats:
    """Slopes of either sign: x [n, k] -> [n, k] [SI/s]"""
    up = d.step(d.init(len(x)), x)[1]
    down = Rise(d.window, d.every, scale=-1.0)
    return up * d.scale - down.step(down.init(len(x)), x)[1]


def climbing(rng: np.random.Generator, k: int) -> Floats:
    """Four noisy series with a quarter of the third missing, and in the last a silence of eighteen ticks."""
    x: Floats = rng.normal(300.0, 2.0, (4, k)) + np.array([[0.0], [1.0], [-1.0], [0.3]]) * np.arange(k)
    x[2, rng.random(k) < 0.25] = np.nan
    x[3, k // 2 : k // 2 + 18] = np.nan
    return x


@pytest.mark.parametrize("window", [60.0, 900.0, 1440.0, 1500.0, 3600.0, 7200.0])
def test_all_series_at_once_score_as_a_line_fitted_to_the_means_of_their_slots(window: float) -> None:
    x = climbing(np.random.default_rng(2), 320)
    for d in (Rise(window, scale=0.01), Rise(window, origin=0.001, scale=-0.02)):
        score = d.step(d.init(4), x)[1]
        assert np.isnan(score[2:]).any(axis=1).all()
        assert np.isfinite(score[:, d.warmup :]).any(axis=1).all()
        np.testing.assert_allclose(score, [plain(d, row) for row in x], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("width", [3, 11, 24, 25])
def test_in_a_short_window_each_sample_counts_by_itself(width: int) -> None:
    d = Rise(60.0 * (width - 1), scale=1.0)
    x = climbing(np.random.default_rng(3), 80)[:2]
    expected = [
        [np.polyfit(60.0 * np.arange(width), row[j + 1 - width : j + 1], 1)[0] for j in range(width - 1, 80)] for row in x
    ]
    np.testing.assert_allclose(slopes(d, x)[:, width - 1 :], expected, rtol=1e-9, atol=1e-12)
    assert d.warmup == width - 1


@settings(max_examples=60, deadline=None)
@given(
    window=st.floats(1.0, 10_000.0),
    intervals=st.integers(1, 400),
    slope=st.floats(-10.0, 10.0, allow_subnormal=False),
    offset=st.floats(-1e4, 1e4),
    missing=st.sampled_from([0.0, 0.1, 0.2]),
    seed=st.integers(0, 99),
)
def test_a_straight_line_has_its_own_slope_whatever_is_missing(
    window: float, intervals: int, slope: float, offset: float, missing: float, seed: int
) -> None:
    d = Rise(window, window / intervals)
    k = d.warmup + 3 * d.length + 7
    x: Floats = offset + slope * d.every * np.arange(float(k))[None]
    x[0, np.random.default_rng(seed).random(k) < missing] = np.nan
    x[0, -1] = offset + slope * d.every * (k - 1)
    found = slopes(d, x)
    judged = np.isfinite(found)
    assert judged.any()
    error = 32 * EPS * np.nanmax(np.abs(x)) / window  # what the rounding of the readings alone may do
    np.testing.assert_allclose(found[judged], slope, rtol=1e-12, atol=error)


def test_one_per_cent_an_hour_scores_one() -> None:
    for every in (1.0, 60.0, 300.0):
        d = Rise(window=3600.0, every=every, scale=0.01 / 3600)
        x: Floats = np.arange(2.0 * d.warmup)[None] * (0.01 / 3600 * every)
        np.testing.assert_allclose(d.step(d.init(1), x)[1][0, d.warmup :], 1.0, rtol=1e-9)


def test_a_large_offset_costs_no_digits() -> None:
    for window in (600.0, 7200.0):
        d = Rise(window, every=60.0, scale=1e-6)
        x: Floats = np.arange(300.0)[None] * 60e-6 + 1e6
        np.testing.assert_allclose(d.step(d.init(1), x)[1][0, d.warmup :], 1.0, rtol=1e-3)


@pytest.mark.parametrize(("window", "every"), [(600.0, 60.0), (7200.0, 60.0), (7200.0, 1.0), (86_400.0, 0.02)])
def test_the_memory_is_the_same_for_any_window_and_step(window: float, every: float) -> None:
    d = Rise(window, every)
    s = d.init(1000)
    assert d.slots <= SLOTS
    assert d.intervals <= d.warmup < d.intervals + d.length
    assert sum(a.nbytes for a in s) / 1000 <= 26 * 8 + 52 * 8


def test_two_hours_of_minutes_fit_into_256_bytes() -> None:
    assert sum(a.nbytes for a in Rise(7200.0, 60.0).init(1)) <= 256


def test_white_noise_has_the_spread_of_slopes_that_the_docstring_says() -> None:
    for window, k in ((600.0, 400), (7200.0, 700)):
        d = Rise(window, every=60.0)
        slope = slopes(d, np.random.default_rng(4).normal(size=(1000, k)))[:, d.warmup + d.length - 1 :: d.length]
        w = d.warmup + d.length  # the last tick of a slot
        expected = 1 / d.every * math.sqrt(12 / (w * (w * w - 1)))
        assert 0.98 < math.sqrt((slope**2).mean()) / expected < 1.02


@pytest.mark.parametrize("intervals", [2, 10, 24, 25, 26, 49, 73, 120, 400])
def test_slots_cost_no_more_than_a_fifth_of_a_per_cent_in_spread(intervals: int) -> None:
    """The slope is a weighted sum of the samples: what each weighs is found by a shock of one in it alone."""
    d = Rise(float(intervals), 1.0)
    k = d.warmup + d.length
    weight = slopes(d, np.eye(k))[:, d.warmup :]  # the window begins with the first sample at all these ticks
    spread = np.sqrt((weight**2).sum(axis=0))
    w = np.arange(d.warmup + 1, k + 1)
    loss = spread / np.sqrt(12.0 / (w * (w**2 - 1.0))) - 1
    assert (loss > -1e-9).all()
    assert (loss < (1e-9 if d.length == 1 else 0.002)).all()
