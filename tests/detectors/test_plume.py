"""Plumes in the open against a plain loop."""

import math

import numpy as np
import pytest

from detectors.air import first_noise, noisier, shared
from detectors.plume import STEPS, Plume, PlumeState
from lifeline.model import NS, Floats


def run(d: Plume, x: Floats, s: PlumeState | None = None, first: int = 1) -> tuple[PlumeState, Floats]:
    """Slots in a row, the first of them so many after the epoch."""
    return d.step(s or d.init(len(x)), x, np.int64(d.every * NS) * np.arange(first, first + x.shape[1]))


def lowest(values: list[float], share: float) -> float:
    """The share quantile, from below."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def plain(d: Plume, x: Floats) -> Floats:
    """The oracle: sort each window by hand, one site."""
    n, k = x.shape
    excess, out = np.full((n, k), np.nan), np.full((n, k), np.nan)
    noise, grain = [math.nan] * n, [math.inf] * n
    for j in range(k):
        for i in range(n):
            window = [v for v in x[i, max(0, j + 1 - d.width) : j + 1].tolist() if not math.isnan(v)]
            if not math.isnan(x[i, j]) and 3 * len(window) >= 2 * d.width:
                excess[i, j] = x[i, j] - lowest(window, d.share)
            noise[i], grain[i] = known(d, x[i, : j + 1], noise[i], grain[i])
        there = [v for v in excess[:, j].tolist() if not math.isnan(v)]
        air = min(max(lowest(there, 0.25), 0.0), d.most) if len(there) >= 3 else 0.0
        for i in range(n):
            least = max(0.0 if math.isnan(noise[i]) else d.clear * noise[i], 0.0 if math.isinf(grain[i]) else STEPS * grain[i])
            own, least = excess[i, j] - air, min(least, STEPS * d.most)
            excess[i, j] = min(own, 0.0) if own < least else own
            recent = sorted(
                (v for v in excess[i, max(0, j + 1 - d.memory) : j + 1].tolist() if not math.isnan(v)), reverse=True
            )
            above = recent[d.count - 1] if len(recent) >= d.count else 0.0
            judged = not math.isnan(excess[i, j]) and j >= d.warmup
            out[i, j] = max((above - d.origin) / d.scale, 0.0) if judged else math.nan
    return out


def known(d: Plume, x: Floats, noise: float, grain: float) -> tuple[float, float]:
    """Noise and least step of one sensor after its last reading."""
    if len(x) > 1 and abs(step := x[-1] - x[-2]) > 1e-9 * abs(x[-1]):
        grain = min(grain, abs(step))
    if math.isnan(noise):
        steps = [abs(v) for v in np.diff(x[-d.width :]).tolist() if not math.isnan(v)]
        return (lowest(steps, 0.25) / 0.4506 if len(x) >= d.width and len(steps) > 1 else math.nan), grain
    step = x[-1] - x[-2]
    moved = 1.0 if math.isnan(step) else math.exp(0.02 * (0.25 - (abs(step) / 0.4506 < noise)))
    return noise * moved, grain


def air(seed: int, m: int = 4, k: int = 400) -> Floats:
    """Background that wanders by a few tenths over hours, and noise. [m, k] [ppm]"""
    swing = 0.15 * np.sin(np.arange(k) / 40 + np.arange(m)[:, None])
    return 2.0 + swing + np.random.default_rng(seed).normal(0.0, 0.02, (m, k))


PPM = Plume(most=2.0, scale=0.5)  # with numbers in ppm


@pytest.mark.parametrize(
    "d",
    [
        PPM,
        Plume(window=3600.0, recent=420.0, share=0.1, count=3, most=0.05, clear=20.0, origin=0.1, scale=0.4),
        Plume(every=900.0, most=2.0, scale=0.5),
    ],
)
def test_all_series_at_once_score_as_windows_sorted_by_hand(d: Plume) -> None:
    x = air(1)
    x[0, 200:260:7] += 3.0
    x[1, np.random.default_rng(2).random(400) < 0.3] = np.nan
    x[2, 150:158] = np.nan
    x[3, 300:] += 1.0
    score = run(d, x)[1]
    np.testing.assert_allclose(score, plain(d, x), rtol=1e-9, atol=1e-12)
    assert (np.isnan(score) & np.isfinite(x))[:, 60:].any()  # too much of the window is missing


def test_one_burst_is_no_plume_and_two_within_the_recent_time_are() -> None:
    d = PPM
    x = air(3, m=2)
    x[:, 200] += 4.0
    x[1, 215] += 4.0
    score = run(d, x)[1]
    assert (score[0, d.warmup :] < 1).all()
    assert (score[1, 215:230] > 7).all()


def test_a_plume_that_the_wind_turns_away_stands_until_the_recent_time_is_over() -> None:
    d = PPM
    x = air(4, m=1)
    x[0, 150:250:12] += 2.0  # a burst every twelve minutes, the last at 234 and 246
    over = run(d, x)[1][0] >= 1
    assert not over[:162].any()
    assert over[162:264].all()
    assert not over[264:].any()  # from then on fewer than two of the last thirty minutes are above


def test_sensors_that_drift_and_air_that_thickens_slowly_are_quiet() -> None:
    d = PPM
    k = 3000
    x = air(5, m=50, k=k) + 0.2 * np.sin(np.arange(k) / 230)  # half a part per million over a night
    assert (run(d, x)[1][:, d.warmup :] < 1).all()


def test_air_that_climbs_by_the_bound_within_the_window_scores_as_the_docstring_says() -> None:
    d = Plume(most=2.0, scale=0.5, count=1, clear=0.0)
    slope = 0.5 / (d.width - math.ceil(d.share * d.width))
    x: Floats = 2.0 + slope * np.arange(200.0)[None]
    np.testing.assert_allclose(run(d, x)[1][0, d.warmup :], 1.0, rtol=1e-9)


def test_white_noise_passes_a_bound_as_often_as_the_docstring_says() -> None:
    d = Plume(window=6000.0, share=0.5, most=0.0, clear=0.0)  # the median of many: the background is the mean
    x = np.random.default_rng(6).normal(size=(150, 1600))
    over = run(d, x)[1][:, d.warmup :] >= 3.0
    starts = int((over[:, 1:] & ~over[:, :-1]).sum())
    p = math.erfc(3.0 / math.sqrt(2)) / 2
    expected = over.size * math.comb(29, 1) * p**2
    assert expected > 10
    assert 0.6 < starts / expected < 1.6


def test_air_that_thickens_over_the_whole_site_at_once_is_no_plume() -> None:
    x = air(7, m=5)
    x += np.concatenate([np.zeros(200), np.linspace(0.0, 1.8, 5), np.full(195, 1.8)])  # within five minutes, and stays
    assert (run(PPM, x[:2])[1][:, 200:] > 2).any()  # two sensors cannot know
    assert (run(PPM, x)[1][:, PPM.warmup :] < 1).all()
    x[3, 202:206] += 3.0
    score = run(PPM, x)[1]
    assert (score[3, 203:210] > 4).all()
    assert (score[[0, 1, 2, 4], PPM.warmup :] < 1).all()


def test_gas_at_every_sensor_is_heard_beyond_what_air_ever_does() -> None:
    x = air(8, m=5)
    x[:, 200:210] += 10.0
    assert (run(PPM, x)[1][:, 202:230] > 10).all()


def test_noise_and_the_steps_of_a_coarse_display_are_no_bursts_but_gas_above_them_is() -> None:
    rng = np.random.default_rng(9)
    x = np.stack([2.0 + rng.normal(0.0, 0.3, 6000), np.round(2.0 + rng.normal(0.0, 0.2, 6000))])
    assert (run(PPM, x)[1][:, 100:] < 1).all()
    x[:, 5000:5005] += 8.0
    assert (run(PPM, x)[1][:, 5002:5020] > 8).all()


def test_a_sensor_that_never_moved_is_heard_when_it_leaps() -> None:
    x = np.full((2, 300), 2.0)
    x[1, 200:210] = 30.0
    score = run(PPM, x)[1]
    assert (score[1, 201:230] > 50).all()
    assert (score[0, PPM.warmup :] < 1).all()


def test_of_an_hourly_site_two_readings_of_four_are_a_plume() -> None:
    d = Plume(every=3600.0, most=2.0, scale=0.5)
    x = air(10, m=4, k=100)
    x[0, [50, 52]] += 3.0
    over = run(d, x)[1] >= 1
    assert over[0, 52:54].all()
    assert over.sum() == 2


def test_after_a_long_silence_the_air_is_learned_anew() -> None:
    x = air(11, m=2, k=100)
    s, _ = run(PPM, x)
    _, score = run(PPM, x + 5.0, s, first=1000)
    assert np.isnan(score[:, : PPM.warmup]).all()
    assert (score[:, PPM.warmup :] < 1).all()


def test_noise_is_known_of_steps_and_is_not_that_of_gas() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(0.0, 0.05, 3000)
    x[1000:1400] += 5.0 * rng.random(400)  # seven hours of gas
    noise = first_noise(np.diff(x[:10])[None])
    for step in np.diff(x).tolist():
        noise = noisier(noise, np.array([step]))
    assert 0.03 < noise[0] < 0.08
    assert np.isnan(first_noise(np.full((1, 5), np.nan))).all()


def test_what_is_shared_needs_three_sensors_and_is_never_below_zero() -> None:
    excess = np.array([[1.0, 1.0, -1.0, 9.0], [2.0, np.nan, -1.0, 9.0], [3.0, 2.0, -1.0, 9.0]])
    np.testing.assert_array_equal(shared(excess, 5.0), [1.0, 0.0, 0.0, 5.0])
