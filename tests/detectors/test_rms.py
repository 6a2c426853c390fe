"""RMS against a plain loop and against the truth of a sine."""

import math

import numpy as np

from detectors.rms import Rms
from lifeline.model import Floats


def plain(d: Rms, xs: Floats) -> list[float]:
    """The oracle: running moments, one sample at a time."""
    seen, mean, power, out = 0, 0.0, 0.0, []
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        gain = max(2 / d.warmup, 1 / (seen + 1))
        off = x - mean
        mean += gain * off
        power = (1 - gain) * power + gain * off * (x - mean)
        out.append(max((math.sqrt(power) - d.origin) / d.scale, 0.0) if seen >= d.warmup else math.nan)
        seen = min(seen + 1, d.warmup)
    return out


def test_all_series_at_once_score_as_a_plain_loop_scores_each() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(9.8, 0.3, (3, 400))
    x[1, rng.random(400) < 0.2] = np.nan
    x[2, 200:] *= 3
    for d in (Rms(window=2.0), Rms(window=1.0, origin=0.1, scale=0.2)):
        np.testing.assert_allclose(d.step(d.init(3), x)[1], [plain(d, row) for row in x], rtol=1e-9)


def test_a_sine_under_gravity_has_its_amplitude_over_root_two() -> None:
    d = Rms(window=10.0, every=0.02, scale=0.315)
    t = 0.02 * np.arange(3000)
    score = d.step(d.init(1), (9.81 + 0.5 * np.sin(2 * np.pi * 2.1 * t))[None])[1]
    np.testing.assert_allclose(score[0, -500:] * 0.315, 0.5 / math.sqrt(2), rtol=0.02)


def test_white_noise_is_averaged_as_by_a_block_of_the_window() -> None:
    d = Rms(window=4.0)
    x = np.random.default_rng(5).normal(size=(2000, 600))
    said = d.step(d.init(2000), np.asfortranarray(x))[1][:, -1]
    assert 0.8 < said.std() / math.sqrt(d.every / (2 * d.window)) < 1.2
    assert abs(said.mean() - 1) < 0.01
