"""Noise: a sensor that grows louder alone is told of, and what makes all of them louder is not; against a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

from detectors.noise import CALM, SCALE, Noise, around, default
from lifeline.model import NS, Floats, Ints
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS  # a multiple of 30 min
WINDOW = 30


def settled(n: int) -> Noise:
    """For n gauges of a range of 3000, each a device of its own."""
    m = members(default)
    some = replace(
        m, key=m.key[:n], quantity=m.quantity[:n], device=m.device[:n], asset=m.asset[:n], low=np.full(n, -1500.0),
        high=np.full(n, 1500.0), step=np.full(n, 5.0), judged=np.ones(n, np.bool_),
    )  # fmt: skip
    made = default.settled(some)
    assert made is not None
    return made


def times(k: int) -> Ints:
    return START + 60 * NS * np.arange(1, k + 1)


def told(x: Floats) -> Floats:
    """Scores [n, k] of gauges x [n, k], minute by minute."""
    d = settled(len(x))
    return np.asarray(d.step(d.init(len(x)), x, times(x.shape[1]))[1])


def plain(x: list[list[float]]) -> list[list[float]]:
    """The score of each window of each gauge, [n][windows]; NaN: not judged."""
    d, n = settled(len(x)), len(x)
    usual, seen, out = [0.0] * n, [0] * n, [list[float]() for _ in range(n)]
    last = [math.nan] * n
    for a in range(0, len(x[0]) - WINDOW + 1, WINDOW):
        spread, growth = [math.nan] * n, [0.0] * n
        for i in range(n):
            w = x[i][a : a + WINDOW]
            bent = [abs(p - 2 * q + r) for p, q, r in zip(w, w[1:], w[2:], strict=False)]
            bent = [b for b in bent if not math.isnan(b)]
            if 2 * len(bent) >= WINDOW - 2:
                spread[i] = statistics.median(bent) / SCALE
                if seen[i] >= d.learn:
                    growth[i] = spread[i] / max(usual[i], d.floor[i])
        for i in range(n):
            others = max([growth[j] for j in range(n) if j != i], default=0.0)
            score = growth[i] / (d.factor * (1 + d.learn / max(seen[i], 1)) * max(others, 1.0))
            known = not math.isnan(spread[i]) and seen[i] >= d.learn
            out[i].append(score if known else math.nan)
            strange = known and score >= CALM
            if not math.isnan(spread[i] + last[i]) and not strange:
                usual[i] = max(usual[i] * (1 - 1 / d.memory), last[i])
                seen[i] += 1
            if not math.isnan(spread[i]):
                last[i] = math.nan if strange else spread[i]
    return out


def quiet(n: int, k: int, seed: int) -> Floats:
    """Gauges with noise of 1 about a slow wave. [n, k]"""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(0, 1.0, (n, k)) + 20 * np.sin(np.arange(k) / 200))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x = quiet(3, 900, seed)
    x[1, 500:] *= 6.0
    x[np.random.default_rng(seed).random(x.shape) < 0.1] = np.nan
    x[:, WINDOW::WINDOW] = 1.0  # each window is told with the first slot after it
    x[2, 331:360] = np.nan
    score = told(x)[:, WINDOW::WINDOW]
    np.testing.assert_allclose(score, np.array(plain(x.tolist()))[:, : score.shape[1]], rtol=1e-12)


def test_neighbours_are_the_other_devices_of_the_same_asset() -> None:
    rng = np.random.default_rng(6)
    for _ in range(50):
        asset = rng.integers(0, 4, 9)
        device = rng.integers(0, 9, 30)
        growth = rng.choice([0.0, 1.0, 2.0, 3.0], 30)
        plainly = [
            max((growth[j] for j in range(30) if asset[device[j]] == asset[device[i]] and device[j] != device[i]), default=0.0)
            for i in range(30)
        ]
        np.testing.assert_array_equal(around(growth, device, asset), plainly)


def test_a_gauge_that_comes_off_is_told_of_alone() -> None:
    x = quiet(3, 1500, 1)
    x[1, 900:] += np.random.default_rng(9).normal(0, 10.0, 600)
    score = told(x)
    assert np.nanmedian(score[1, 960:]) > 1.2
    assert not (np.nan_to_num(score[[0, 2]]) >= 0.5).any()
    assert not (np.nan_to_num(score[1, :900]) >= 0.5).any()


def test_what_is_strange_is_not_learned() -> None:
    x = quiet(1, 6000, 2)
    x[0, 900:] *= 10.0
    assert np.nanmedian(told(x)[0, 5000:]) > 1.2


def test_traffic_that_makes_all_louder_says_nothing() -> None:
    x = quiet(3, 1500, 3)
    x[:, 900:] += np.random.default_rng(8).normal(0, 10.0, (3, 600))
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_a_lorry_now_and_then_and_a_slow_sun_are_no_noise() -> None:
    x = quiet(1, 3000, 4)
    x[0, 900::6] += 40.0
    x[0] += np.arange(3000.0)
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_a_sensor_whose_reading_hardly_moves_is_as_loud_as_its_data_sheet_allows() -> None:
    x = np.zeros((1, 1500))
    x[0, 900:] = 0.5 * np.random.default_rng(5).integers(-1, 2, 600)
    assert not (np.nan_to_num(told(x)) >= 1).any()
    assert (np.nan_to_num(told(20 * x)) >= 1).any()


def test_each_series_is_judged_on_slots_that_it_fills() -> None:
    m = replace(members(default), step=np.array([0.02, 1.0, 5.0, 60.0, 300.0, 3600.0]))
    fine = replace(default, above=1.0).settled(m)
    assert fine is not None
    assert fine.rows.tolist() == [2, 3]
    assert replace(default, slot=0.01).settled(m) is None


@pytest.mark.parametrize("seed", range(4))
def test_false_alarms_of_noise_that_does_not_grow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k = 40, 30 * 400
    for x in (rng.normal(size=(n, k)), rng.standard_t(3, (n, k)), np.cumsum(rng.normal(size=(n, k)), axis=1)):
        d = replace(settled(1), rows=np.arange(n), floor=np.zeros(n), device=np.zeros(n, np.int64))  # without neighbours
        score = d.step(d.init(n), x, times(k))[1]
        assert not (np.nan_to_num(score) >= 1).any()
