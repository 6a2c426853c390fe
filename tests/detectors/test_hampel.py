"""Spikes against a plain loop."""

import math
from statistics import median

import numpy as np

from detectors.hampel import Hampel
from lifeline.model import Floats


def plain(d: Hampel, xs: Floats) -> list[float]:
    """The oracle: medians of lists."""
    seen: list[float] = []
    out = []
    for x in xs.tolist():
        if math.isnan(x) or len(seen) < d.window:
            out.append(math.nan)
        else:
            past = seen[-d.window :]
            middle = median(past)
            spread = max(1.4826 * median(abs(v - middle) for v in past), d.least)
            far = min(abs(past[-1] - middle), abs(past[-1] - x))
            out.append(far / (d.width * spread) if spread > 0 else math.nan)
        if not math.isnan(x):
            seen.append(x)
    return out


def test_all_series_at_once_score_as_a_plain_loop_scores_each() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(5.0, 1.0, (4, 200))
    x[1, 100] += 30
    x[2, rng.random(200) < 0.2] = np.nan
    x[3] = np.round(x[3])
    for d in (Hampel(window=9), Hampel(window=8, width=3.0, least=2.0)):
        np.testing.assert_allclose(d.step(d.init(4), x)[1], [plain(d, row) for row in x], rtol=1e-9)


def test_zeros_of_either_sign_are_one_value() -> None:
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(0.0, 1.0, (40, 300))) * rng.choice([-1.0, 1.0], (40, 300))
    assert (np.signbit(x) & (x == 0)).any()
    for d in (Hampel(window=9), Hampel(window=8, least=2.0)):
        np.testing.assert_allclose(d.step(d.init(40), x)[1], [plain(d, row) for row in x], rtol=1e-9)
        first, once = d.step(d.init(40), x[:, :50])  # then all are warm and complete
        np.testing.assert_array_equal(np.hstack([once, d.step(first, x[:, 50:])[1]]), d.step(d.init(40), x)[1])


def test_a_spike_is_found_one_sample_later_and_a_step_is_none() -> None:
    x = np.random.default_rng(3).normal(size=(2, 200))
    x[0, 100] += 30.0
    x[1, 100:] += 30.0
    d = Hampel()
    score = np.nan_to_num(d.step(d.init(2), x)[1])
    assert np.flatnonzero(score[0] >= 1).tolist() == [101]
    assert (score[1] < 1).all()


def test_normal_noise_is_quiet_for_a_million_samples() -> None:
    d = Hampel()
    x = np.random.default_rng(4).normal(size=(5000, 225))
    assert np.nanmax(d.step(d.init(5000), x)[1]) < 1


def test_one_tick_a_call_gives_the_same_bits_as_many() -> None:
    rng = np.random.default_rng(8)
    x = np.round(rng.normal(0.0, 1.0, (600, 90)), 1)
    d = Hampel(window=9)
    s, whole = d.step(d.init(600), x)
    single, scores = d.init(600), []
    for column in x.T[:, :, None]:
        single, said = d.step(single, column)
        scores.append(said)
    np.testing.assert_array_equal(np.hstack(scores), whole)
    for one, other in zip(single, s, strict=True):
        np.testing.assert_array_equal(one, other)
