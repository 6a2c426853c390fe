"""Several of the last stops beyond a limit, against a plain loop."""

import math

import numpy as np
import pytest

from detectors.often import Often
from lifeline.model import NS, Floats


def scored(d: Often, x: Floats) -> Floats:
    """Stops an hour apart. x [m, k]"""
    t = np.broadcast_to(np.arange(x.shape[1]) * 3600 * NS, x.shape)
    said: Floats = d.step(d.init(x.shape[0]), x, t)[1]
    return said


def plain(d: Often, xs: Floats) -> list[float]:
    """The oracle: keeps the last samples in a list."""
    kept, out = list[float](), list[float]()
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        far = (x - d.origin) / d.scale
        kept = [*kept, abs(far) if d.either else far][-d.window :]
        whole = len(kept) == d.window
        out.append(max(sorted(kept, reverse=True)[d.times - 1], 0.0) if whole else math.nan)
    return out


@pytest.mark.parametrize("d", [Often(), Often(7, 7, scale=-2.0), Often(12, 1, origin=0.5), Often(9, 4, either=True)], ids=repr)
def test_all_series_at_once_score_as_a_plain_loop_scores_each(d: Often) -> None:
    x = np.random.default_rng(1).normal(0.0, 1.0, (4, 300))
    x[2, np.random.default_rng(2).random(300) < 0.3] = np.nan
    np.testing.assert_array_equal(scored(d, x), [plain(d, row) for row in x])


def test_five_of_ten_stops_off_the_landing_are_a_fault_and_four_are_not() -> None:
    d = Often(scale=0.010, either=True)
    x = np.full((2, 10), 0.002)
    x[0, [0, 3, 6, 9]] = [0.012, -0.012, 0.3, 0.012]
    x[1, [0, 3, 6, 8, 9]] = [0.012, -0.012, 0.3, 0.012, -0.011]
    score = scored(d, x)
    assert np.isnan(score[:, :9]).all()
    assert score[0, 9] < 1 <= score[1, 9]


def test_a_lift_that_stops_three_millimetres_off_at_random_is_never_warned_of() -> None:
    d = Often(scale=0.010, either=True)
    x = np.random.default_rng(3).normal(0.0, 0.003, (200, 2000))
    assert np.nanmax(scored(d, x)) < 1


def test_more_of_a_window_than_there_is_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="times"):
        Often(window=5, times=6)
