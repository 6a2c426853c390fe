"""Peak against a plain loop, and a blow that rings."""

import math

import numpy as np

from detectors.peak import Peak
from lifeline.model import Floats


def plain(d: Peak, xs: Floats) -> list[float]:
    """The oracle: one sample at a time."""
    seen, mean, peak, out = 0, 0.0, 0.0, []
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        off, ripe = abs(x - mean), seen >= d.warmup
        mean += max(1 / d.warmup, 1 / (seen + 1)) * (x - mean)
        if ripe:
            peak = max(off, peak * math.exp(-d.every / d.fade))
        out.append(max((peak - d.origin) / d.scale, 0.0) if ripe else math.nan)
        seen = min(seen + 1, d.warmup)
    return out


def test_all_series_at_once_score_as_a_plain_loop_scores_each() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(9.8, 0.3, (3, 400))
    x[1, rng.random(400) < 0.2] = np.nan
    x[2, 200:205] += 5.0
    for d in (Peak(fade=1.0, settle=1.0), Peak(fade=0.5, settle=2.0, origin=0.1, scale=0.2)):
        np.testing.assert_allclose(d.step(d.init(3), x)[1], [plain(d, row) for row in x], rtol=1e-9)


def blow(peak: float) -> Floats:
    """A minute at 50 Hz: gravity, and after half of it a blow that rings at 2 Hz for some seconds. [1, 3000] [m/s²]"""
    t = 0.02 * np.arange(3000)
    ring = peak * np.exp(-(t - 30) / 3) * np.cos(2 * np.pi * 2 * (t - 30)) * (t >= 30)
    return np.asarray(9.81 + ring)[None]


def test_a_blow_that_rings_crosses_its_bound_once_up_and_once_down() -> None:
    d = Peak(scale=1.5)
    above = d.step(d.init(1), blow(3.0))[1][0] >= 1.0
    assert np.flatnonzero(np.diff(above.astype(int))).size == 2
    assert above[30 * 50]  # at its first sample


def test_a_blow_scores_its_height_over_the_bound() -> None:
    d = Peak(scale=1.5)
    assert abs(np.nanmax(d.step(d.init(1), blow(3.0))[1]) - 2.0) < 1e-6


def test_an_offset_is_no_blow() -> None:
    d = Peak(scale=1.5)
    quiet = 9.81 + np.random.default_rng(3).normal(0, 0.05, (50, 3000))
    assert np.nanmax(d.step(d.init(50), quiet)[1]) < 0.25
