"""Plumes in the open against a plain loop."""

import math

import numpy as np
import pytest

from detectors.plume import Plume
from lifeline.model import Floats


def plain(d: Plume, x: Floats) -> list[float]:
    """The oracle: sort each window by hand."""
    excess, out = [], []
    for j, reading in enumerate(x.tolist()):
        window = sorted(v for v in x[max(0, j + 1 - d.width) : j + 1].tolist() if not math.isnan(v))
        judged = not math.isnan(reading) and 3 * len(window) >= 2 * d.width
        excess.append(reading - window[max(0, math.ceil(d.share * len(window)) - 1)] if judged else math.nan)
        recent = sorted((v for v in excess[-round(d.recent / d.every) :] if not math.isnan(v)), reverse=True)
        above = recent[d.count - 1] if len(recent) >= d.count else 0.0
        out.append(max((above - d.origin) / d.scale, 0.0) if judged and j >= d.warmup else math.nan)
    return out


def air(seed: int, m: int = 4, k: int = 400) -> Floats:
    """Background that wanders by a few tenths over hours, and noise. [m, k] [ppm]"""
    swing = 0.15 * np.sin(np.arange(k) / 40 + np.arange(m)[:, None])
    return 2.0 + swing + np.random.default_rng(seed).normal(0.0, 0.02, (m, k))


@pytest.mark.parametrize("d", [Plume(scale=0.5), Plume(window=3600.0, recent=420.0, share=0.1, count=3, origin=0.1, scale=0.4)])
def test_all_series_at_once_score_as_windows_sorted_by_hand(d: Plume) -> None:
    x = air(1)
    x[0, 200:260:7] += 3.0
    x[1, np.random.default_rng(2).random(400) < 0.3] = np.nan
    x[2, 150:158] = np.nan
    x[3, 300:] += 1.0
    score = d.step(d.init(4), x)[1]
    np.testing.assert_allclose(score, [plain(d, row) for row in x], rtol=1e-12)
    assert (np.isnan(score) & np.isfinite(x))[:, 60:].any()  # too much of the window is missing


def test_one_burst_is_no_plume_and_two_within_the_recent_time_are() -> None:
    d = Plume(scale=0.5)
    x = air(3, m=2)
    x[:, 200] += 4.0
    x[1, 215] += 4.0
    score = d.step(d.init(2), x)[1]
    assert (score[0, d.warmup :] < 1).all()
    assert (score[1, 215:230] > 7).all()


def test_a_plume_that_the_wind_turns_away_stands_until_the_recent_time_is_over() -> None:
    d = Plume(scale=0.5)
    x = air(4, m=1)
    x[0, 150:250:12] += 2.0  # a burst every twelve minutes, the last at 234 and 246
    over = d.step(d.init(1), x)[1][0] >= 1
    assert not over[:162].any()
    assert over[162:264].all()
    assert not over[264:].any()  # from then on fewer than two of the last thirty minutes are above


def test_sensors_that_drift_and_air_that_thickens_slowly_are_quiet() -> None:
    d = Plume(scale=0.5)
    k = 3000
    x = air(5, m=50, k=k) + 0.2 * np.sin(np.arange(k) / 230)  # half a part per million over a night
    assert (d.step(d.init(50), x)[1][:, d.warmup :] < 1).all()


def test_air_that_climbs_by_the_bound_within_the_window_scores_as_the_docstring_says() -> None:
    d = Plume(scale=0.5, count=1)
    slope = 0.5 / (d.width - math.ceil(d.share * d.width))
    x: Floats = 2.0 + slope * np.arange(200.0)[None]
    np.testing.assert_allclose(d.step(d.init(1), x)[1][0, d.warmup :], 1.0, rtol=1e-9)


def test_white_noise_passes_a_bound_as_often_as_the_docstring_says() -> None:
    d = Plume(window=6000.0, share=0.5)  # the median of many: the background is the mean
    x = np.random.default_rng(6).normal(size=(150, 1600))
    over = d.step(d.init(150), x)[1][:, d.warmup :] >= 3.0
    starts = int((over[:, 1:] & ~over[:, :-1]).sum())
    p = math.erfc(3.0 / math.sqrt(2)) / 2
    expected = over.size * math.comb(29, 1) * p**2
    assert expected > 10
    assert 0.6 < starts / expected < 1.6
