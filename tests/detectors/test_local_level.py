"""Local level: the detector against a plain loop, and what it says of series that stand, wander, and are moved."""

import math
from dataclasses import replace

import numpy as np
import pytest

from detectors.local_level import BLOCK, LAGS, LEAST, SURE, LocalLevel, LocalLevelState, default
from lifeline.model import Floats

SHORT = replace(default, warmup=100, horizon=60.0, accept=50)


def spread(d: LocalLevel, taught: list[float]) -> float:
    """From the samples that taught, by sums over blocks."""
    blocks = [sum(taught[i : i + BLOCK]) / BLOCK for i in range(0, len(taught), BLOCK)]
    n = len(blocks)
    v = [sum((blocks[i] - blocks[i - lag]) ** 2 for i in range(lag, n)) / max(n - lag, 1) for lag in range(1, LAGS + 1)]
    middle, centre = sum(v) / LAGS, (LAGS + 1) / 2
    slope = sum(a * (lag - centre) for lag, a in enumerate(v, 1)) / sum((lag - centre) ** 2 for lag in range(1, LAGS + 1))
    noise = max(middle - slope * centre, LEAST * v[0]) / 2
    wander = max(slope - SURE * middle / math.sqrt(n) / (LAGS / 2), 0.0) / BLOCK
    slow = max(sum(v[LAGS // 2 :]) / (LAGS - LAGS // 2) / 2 - noise, 0.0)
    own = max(noise * BLOCK, d.least**2) / d.window * (1 + d.window / d.warmup) + slow
    return math.sqrt(own + wander * d.horizon)


def plain(d: LocalLevel, x: list[float]) -> list[float]:
    """One series, sample by sample."""
    out: list[float] = []
    taught: list[float] = []
    last: list[float] = []
    mean, sd, strange = 0.0, 0.0, 0
    for v in x:
        if math.isnan(v):
            out.append(math.nan)
            continue
        last = [*last, v][-d.window :]
        if sd == 0.0:
            out.append(math.nan)
            taught.append(v)
            if len(taught) >= d.warmup and len(taught) % BLOCK == 0:
                mean, sd = sum(taught) / len(taught), spread(d, taught)
            continue
        score = abs(sum(last) / d.window - mean) / sd / d.limit
        out.append(score)
        if score < 1:
            mean += (v - mean) / d.horizon
        strange = 0 if score < 1 else strange + 1
        if strange >= d.accept:
            taught, last, mean, sd, strange = [], [], 0.0, 0.0, 0
    return out


def told(d: LocalLevel, x: Floats) -> tuple[LocalLevelState, Floats]:
    s, score = d.step(d.init(x.shape[0]), x)
    return s, score


def series(seed: int, n: int = 600) -> Floats:
    """Noise that stands; that wanders; that is moved for good; with gaps; hardly moving. [5, n]"""
    rng = np.random.default_rng(seed)
    x = rng.normal(10.0, 1.0, (5, n))
    x[1] += np.cumsum(rng.normal(0, 0.3, n))
    x[2, 250:] += 6.0
    x[3, rng.random(n) < 0.2] = np.nan
    x[4] = np.round(x[4] / 4) * 4
    return x


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x = series(seed)
    score = told(SHORT, x)[1]
    for i in range(x.shape[0]):
        np.testing.assert_allclose(score[i], plain(SHORT, x[i].tolist()), rtol=1e-9, atol=1e-12)


def test_a_shift_of_two_spreads_is_known_within_the_window() -> None:
    x = np.random.default_rng(1).normal(size=(200, 900))
    x[:, 700:] += 2.5
    score = told(default, x)[1]
    assert not (score[:, :700] >= 1).any()
    assert (score[:, 700:715] >= 1).any(axis=1).mean() > 0.95


def test_a_series_that_wanders_is_given_leave_to_and_one_that_stands_is_not() -> None:
    rng = np.random.default_rng(2)
    stands, wanders = (
        rng.normal(size=(100, 2000)),
        rng.normal(size=(100, 2000)) + np.cumsum(rng.normal(0, 0.2, (100, 2000)), axis=1),
    )
    sd = told(default, np.vstack([stands, wanders])[:, :500])[0].sd
    assert np.median(sd[:100]) == pytest.approx(1 / np.sqrt(10), rel=0.2)
    assert np.median(sd[100:]) > 5 * np.median(sd[:100])
    assert (told(default, wanders)[1] >= 1).mean() < 0.02


def test_a_series_that_never_moves_is_learned_until_it_does() -> None:
    x = np.full((1, 900), 7.0)
    assert np.isnan(told(default, x)[1]).all()
    x[0, 500:] += np.random.default_rng(3).normal(size=400)
    assert np.isfinite(told(default, x)[1][0, -1])


def test_a_new_state_is_called_strange_until_it_has_stood_for_long_and_is_then_learned() -> None:
    x = np.random.default_rng(4).normal(size=(1, 500))
    x[0, 200:] += 10
    score = told(SHORT, x)[1][0]
    assert (score[210:250] >= 1).all()
    assert np.isnan(score[265:340]).all()
    assert (score[360:] < 1).all()
