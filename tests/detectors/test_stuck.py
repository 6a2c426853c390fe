"""Stuck values against a plain loop."""

import math

import numpy as np

from detectors.stuck import Stuck
from lifeline.model import Floats


def plain(d: Stuck, xs: Floats) -> list[float]:
    """The oracle: counts the run by hand."""
    seen, last, run, usual, out = 0, math.nan, 0, 0.0, []
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        alike = run > 0 and abs(x - last) <= d.resolution
        usual *= 1 - 1 / d.memory
        if not alike and (seen < d.warmup or run < max(d.patience, d.factor * usual)):
            usual = max(usual, run)
        run = 0 if x == d.rest else run + 1 if alike else 1
        out.append(run / max(d.patience, d.factor * usual) if seen >= d.warmup else math.nan)
        if seen + 1 < d.warmup or not alike:
            seen = min(seen + 1, d.warmup)
        last = x
    return out


def test_all_series_at_once_score_as_a_plain_loop_scores_each() -> None:
    rng = np.random.default_rng(8)
    x = rng.integers(0, 4, (5, 600)).astype(float)
    x[1, 300:500] = 2.0
    x[2] = np.repeat(x[2, :60], 10)
    x[3, rng.random(600) < 0.2] = np.nan
    x[4, :400] = 1.0
    for d in (Stuck(patience=8.0, warmup=100), Stuck(patience=8.0, warmup=100, rest=None, resolution=1.0, memory=500.0)):
        np.testing.assert_allclose(d.step(d.init(5), x)[1], [plain(d, row) for row in x], rtol=1e-12)


def test_many_ticks_at_once_leave_the_same_memory_as_one_by_one() -> None:
    rng = np.random.default_rng(11)
    x = np.repeat(rng.integers(0, 5, (20, 400)).astype(float), rng.integers(1, 9, 400), axis=1)
    x[5:10] += rng.normal(0, 1, (5, x.shape[1]))
    d = Stuck(patience=6.0, factor=2.0, warmup=50, memory=300.0)
    (a, whole), b, ticks = d.step(d.init(20), x), d.init(20), []
    for j in range(x.shape[1]):
        b, score = d.step(b, x[:, j : j + 1])
        ticks.append(score[:, 0])
    np.testing.assert_array_equal(whole.T, ticks)
    (c, half), e = d.step(d.init(20), x[:, :700]), d.step(d.init(20), x[:, :700])[0]
    np.testing.assert_array_equal(np.hstack([half, d.step(e, x[:, 700:])[1]]), whole)
    for name in a._fields:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_array_equal(getattr(d.step(c, x[:, 700:])[0], name), getattr(b, name))


def test_a_frozen_sensor_is_found_and_one_that_reads_nothing_is_left_alone() -> None:
    x = np.round(np.random.default_rng(9).normal(0.0048, 0.0003, (2, 1200)), 4)
    x[0, 1100:] = 0.0048  # frozen
    x[1, 1100:] = 0.0  # no gas
    d = Stuck()
    score = d.step(d.init(2), x)[1][:, 1000:]
    assert (score[:, :100] < 1).all()
    assert score[0, -1] >= 1
    assert score[1, -1] == 0


def test_a_value_that_never_changed_is_not_called_frozen() -> None:
    d = Stuck()
    assert np.isnan(d.step(d.init(1), np.full((1, 5000), 3.6))[1]).all()


def test_values_that_repeat_at_random_never_alarm_in_millions_of_samples() -> None:
    d = Stuck()
    x = (np.random.default_rng(10).random((500, 6000)) < 0.3).astype(float) + 1.0
    assert np.nanmax(d.step(d.init(500), x)[1]) < 1
