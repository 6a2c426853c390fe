"""Silence: ages against what is allowed."""

import numpy as np

from detectors.silence import Silence


def test_the_score_is_the_age_over_the_tolerance() -> None:
    d = Silence(tolerance=3.0)
    score = d.step(d.init(1), np.array([[0.0, 1.5, 3.0, 30.0, np.inf, np.nan, -1.0]]))[1]
    np.testing.assert_array_equal(score, [[0.0, 0.5, 1.0, 10.0, np.inf, np.nan, 0.0]])


def test_random_losses_alarm_as_rarely_as_the_page_says() -> None:
    lost = np.random.default_rng(1).random(2_000_000) < 0.1
    at = np.flatnonzero(~lost)
    gaps = np.diff(at)  # steps between readings: the age reaches 3 when three or more were due in vain
    share = (gaps > 3).sum() / lost.size
    assert 0.9 < share / (0.1**3 * 0.9) < 1.1
