"""The last stops of a lift against its first, and a plain loop."""

import math
from statistics import median

import numpy as np
import pytest

from detectors.history import MEDIAN, NORMAL, History
from lifeline.model import NS, Floats


def scored(d: History, x: Floats) -> Floats:
    """Stops an hour apart. x [m, k]"""
    t = np.broadcast_to(np.arange(x.shape[1]) * 3600 * NS, x.shape)
    said: Floats = d.step(d.init(x.shape[0]), x, t)[1]
    return said


def plain(d: History, xs: Floats) -> list[float]:
    """The oracle: medians of lists."""
    first, kept, out = list[float](), list[float](), list[float]()
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        taught = len(first) == d.warmup
        kept = [*kept, x][-d.window :]
        if not taught:
            first.append(x)
        middle = median(first)
        if not taught or middle <= 0:
            out.append(math.nan)
            continue
        spread = max(NORMAL * median([abs(v - middle) for v in first]), d.least * middle)
        error = spread * (MEDIAN / math.sqrt(d.window) if d.window > 1 else 1.0)
        far = (median(kept) - middle) / error * math.copysign(1, d.scale)
        out.append(max((median(kept) / middle - d.origin) / d.scale, 0.0) if far >= d.sure else 0.0)
    return out


@pytest.mark.parametrize(
    "d", [History(warmup=40), History(4, 50, origin=1.0, scale=0.1), History(1, 30, 3.0, origin=1.0, scale=-0.2)], ids=repr
)
def test_all_series_at_once_score_as_a_plain_loop_scores_each(d: History) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(5.0, 0.4, (5, 200)) * np.linspace(1, [[1.0], [1.5], [0.5], [1.2], [1.0]], 200).T[0]
    x[3, rng.random(200) < 0.3] = np.nan
    x[4] -= 5.0
    np.testing.assert_allclose(scored(d, x), [plain(d, row) for row in x], rtol=1e-12)


def brake(days: int, growth: float) -> Floats:
    """Stopping distances of 150 stops a day. [1, k] [m]"""
    k = np.arange(150 * days)
    noise = 1 + 0.02 * np.random.default_rng(2).standard_normal(k.size)
    return np.asarray((0.77 * (1 + growth * k / 150) * noise)[None])


def test_a_brake_that_wears_by_a_percent_a_day_is_told_when_it_is_a_tenth_and_a_fifth_longer() -> None:
    d = History(origin=1.0, scale=0.1)
    score = scored(d, brake(30, 0.01))[0]
    assert 8 * 150 < np.argmax(np.nan_to_num(score) >= 1) < 12 * 150
    assert 17 * 150 < np.argmax(np.nan_to_num(score) >= 2) < 22 * 150


def test_wear_is_never_taken_for_usual_however_slow() -> None:
    d = History(origin=1.0, scale=0.1)
    assert scored(d, brake(365, 0.001))[0, -1] > 3


def test_a_series_that_scatters_widely_is_not_judged_by_chance() -> None:
    x = np.random.default_rng(3).normal(1.0, 0.25, (300, 1000))
    assert (np.median(x[:, -5:], axis=1) > 1.1).any()
    d = History(origin=1.0, scale=0.1)
    assert np.nanmax(scored(d, x)) == 0


def test_a_baseline_of_nothing_has_no_ratio() -> None:
    d = History(warmup=10)
    assert np.isnan(scored(d, np.zeros((1, 50)))).all()
