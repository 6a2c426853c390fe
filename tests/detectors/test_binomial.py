"""Events in several parameters of water, against a plain loop; and what they are not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from detectors import binomial
from detectors.binomial import Binomial
from lifeline.model import Floats, Members


def station(seed: int, k: int) -> Floats:
    """Four parameters whose noise follows itself. [4, k]"""
    rng = np.random.default_rng(seed)
    x = np.zeros((4, k))
    for j in range(1, k):
        x[:, j] = 0.8 * x[:, j - 1] + 0.6 * rng.standard_normal(4)
    return np.array([[0.6], [0.15], [350.0], [7.6]]) * (1 + 0.02 * x)


def plain(d: Binomial, x: Floats) -> list[list[float]]:
    """The oracle: parameter by parameter, slot by slot."""
    n = len(x)
    seen, mean, square, product, error, before = [0] * n, [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n
    outs: list[list[bool]] = [[False] * n for _ in range(d.trials)]
    share, row, out = d.least, 0, []
    for now in x.T.tolist():
        away = [v - m if math.isfinite(v) else 0.0 for v, m in zip(now, mean, strict=True)]
        told = [
            min(max(p / max(q, 2.3e-308), 0.0), binomial.FADES) * b for p, q, b in zip(product, square, before, strict=True)
        ]
        ready = [math.isfinite(v) and c >= d.history for v, c in zip(now, seen, strict=True)]
        spread = [math.sqrt(max(e, (1e-9 * abs(m)) ** 2)) for e, m in zip(error, mean, strict=True)]
        strange = [ready[i] and spread[i] > 0 and abs(away[i] - told[i]) > d.outlier * spread[i] for i in range(n)]
        row = row + 1 if any(strange) else 0
        if row > d.timeout:
            for i in range(n):
                if strange[i]:
                    mean[i], before[i] = now[i], 0.0
            row, strange = 0, [False] * n
        outs = [*outs[1:], strange]
        if any(ready):
            share += (any(strange) - share) / d.history
        for i in range(n):
            if math.isfinite(now[i]) and not strange[i]:
                seen[i] += 1
                w = 1 / min(seen[i], d.history)
                mean[i] += w * away[i]
                square[i] += w * (away[i] ** 2 - square[i])
                product[i] += w * (away[i] * before[i] - product[i])
                error[i] += w * ((away[i] - told[i]) ** 2 - error[i])
        for i in range(n):
            before[i] = told[i] if strange[i] or not math.isfinite(now[i]) else away[i]
        k = sum(any(o) for o in outs)
        odds = math.log(binom.sf(k - 1, d.trials, min(max(share, d.least), 0.5))) / math.log(d.odds) if k else 0.0
        out.append([odds * any(o[i] for o in outs) if ready[i] else math.nan for i in range(n)])
    return np.array(out).T.tolist()  # type: ignore[no-any-return]  # numpy knows no shapes


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99))
def test_all_parameters_at_once_score_as_one_by_one_in_a_loop(seed: int) -> None:
    x = station(seed, 700)
    x[1, 400:430] *= 1.3
    x[2, 300] *= 1.5
    x[0, 500:600] *= 0.7
    x[3, np.random.default_rng(seed).random(700) < 0.1] = np.nan
    d = Binomial(history=150, timeout=40)
    score = d.step(d.init(4), x, np.arange(700))[1]
    np.testing.assert_allclose(score, plain(d, x), rtol=1e-7, atol=1e-9)


def test_foul_water_is_called_and_a_single_wild_sample_is_not() -> None:
    d = Binomial(history=288)
    for seed in range(10):
        x = station(seed, 900)
        x[2, 600] *= 1.4
        score = d.step(d.init(4), x, np.arange(900))[1]
        assert np.nanmax(score) < 1
        x[0, 700:720] *= 0.75
        x[1, 700:720] *= 1.5
        score = d.step(d.init(4), x, np.arange(900))[1]
        assert np.nanmax(score[:2, 700:710]) > 1
        assert np.nanmax(score[:, :700]) < 1


def test_parameters_without_a_part_in_it_are_not_called() -> None:
    d = Binomial(history=288)
    x = station(3, 900)
    x[0, 700:720] *= 0.5
    score = d.step(d.init(4), x, np.arange(900))[1]
    assert np.nanmax(score[0, 700:720]) > 1
    assert np.nanmax(score[1:, 700:720]) < np.nanmax(score[0, 700:720])


def test_what_stays_is_the_new_usual() -> None:
    d = Binomial(history=288, timeout=40)
    x = station(5, 1200)
    x[1, 700:] *= 1.6
    score = np.nan_to_num(d.step(d.init(4), x, np.arange(1200))[1])
    assert score[1, 705:735].min() > 1
    assert score[1, 800:].max() < 1


@pytest.mark.parametrize(
    ("quantities", "judged"), [(["chlorine"], False), (["chlorine", "chlorine"], False), (["chlorine", "ph"], True)]
)
def test_a_station_needs_two_parameters(quantities: list[str], judged: bool) -> None:  # noqa: FBT001  a parameter
    n = len(quantities)
    name, none = np.array([f"d-{i}" for i in range(n)], object), np.full(n, np.nan)
    m = Members(name, np.array(quantities, object), name, name, none, none, none, none, none, none, np.ones(n, np.bool_), 300.0)
    assert (Binomial().settled(m) is not None) is judged
