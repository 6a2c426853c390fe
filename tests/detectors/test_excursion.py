"""Excursion: loads that come and go say nothing, a structure that stays out of their range does; against a plain loop."""

import math
from dataclasses import replace

import numpy as np
import pytest

from detectors.excursion import MEAN, default
from lifeline.model import NS, Floats

START = 1_795_420_800 * NS


def told(x: Floats) -> Floats:
    """Score [k] of one series x [k], second by second."""
    t = START + NS * np.arange(1, x.size + 1)
    return np.asarray(default.step(default.init(1), x[None], t)[1][0])


def plain(x: list[float]) -> list[float]:
    d, out, last = default, [], [math.nan] * MEAN
    seen, low, high, middle, beyond = 0, math.inf, -math.inf, 0.0, 0
    for v in x:
        last = [*last[1:], v]
        mean = sum(last) / MEAN
        if math.isnan(mean):
            out.append(math.nan)
            continue
        if seen < d.learn:
            seen += 1
            low, high = min(low, mean), max(high, mean)
            middle = (low + high) / 2
            if seen < d.learn:
                out.append(math.nan)
                continue
        width = high - low if high > low else math.inf
        score = max(abs(mean - middle) / width - 0.5, 0.0)
        out.append(score)
        if score < 1:
            most = d.rate / 3600 * (width if width < math.inf else 0.0)
            middle += min(max(mean - middle, -most), most)
        beyond = 0 if score < 1 else beyond + 1
    return out


def loaded(n: int, seed: int, amplitude: float = 8.0) -> Floats:
    """Strain [µε] under lorries: minutes of load now and then, and noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, n)
    at = 30
    while at < n:
        long = int(rng.integers(10, 120))
        x[at : at + long] += amplitude * rng.uniform(0.5, 1.0)
        at += long + int(rng.integers(60, 300))
    return x


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x = loaded(3000, seed)
    x[2000:] += 20.0
    x[np.random.default_rng(seed).random(3000) < 0.002] = np.nan
    np.testing.assert_allclose(told(x), plain(x.tolist()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_loads_say_nothing(seed: int) -> None:
    x = loaded(6 * 3600, seed)
    x[200:320] = 8.0  # the range has seen the heaviest of them
    assert not (told(x) >= 1).any()


def test_a_support_that_settles_is_told_by_how_far() -> None:
    x = loaded(4000, 3)
    x[200:320] = 8.0
    x[2000:] += np.clip(np.arange(2000) * 0.05, 0, 60.0)
    score = told(x)
    assert not (score[:2000] >= 1).any()
    assert (score[2500:] >= 1).all()
    assert score[-600:].min() > 5.0


def test_the_sun_is_followed_and_no_faster() -> None:
    hours = np.arange(12 * 3600) / 3600
    slow, fast = loaded(hours.size, 5), loaded(hours.size, 5)
    slow[200:320] = fast[200:320] = 8.0
    slow += 12.0 * hours
    fast += 60.0 * hours
    assert not (told(slow) >= 1).any()
    assert (told(fast) >= 1).any()


def test_where_it_stays_for_a_day_is_learned_anew() -> None:
    d = replace(default, accept=900)
    x = loaded(5000, 6)
    x[1500:] += 50.0
    t = START + NS * np.arange(1, x.size + 1)
    score = d.step(d.init(1), x[None], t)[1][0]
    assert (score[1520:2300] >= 1).all()
    assert not (score[3200:] >= 1).any()


def test_series_of_minutes_are_not_judged() -> None:
    from tests.detectors.test_contract_timed import members

    assert default.settled(replace(members(default), step=np.full(6, 60.0))) is None
