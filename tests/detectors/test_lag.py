"""Lag: a station whose clock is off is told of by the vibration that all feel; against a plain loop."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from detectors.lag import Lag, correlations, default
from lifeline.model import NS, Floats, Ints
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS
WINDOW = default.window


def settled(n: int) -> Lag:
    return replace(default, device=tuple(f"station-{i}" for i in range(n)))


def times(k: int) -> Ints:
    return START + round(0.1 * NS) * np.arange(1, k + 1)


def told(x: Floats) -> Floats:
    """Scores [n, k] slot by slot."""
    d = settled(len(x))
    return np.asarray(d.step(d.init(len(x)), x, times(x.shape[1]))[1])


def mode(hertz: float, damping: float, k: int, seed: int) -> Floats:
    """A mode under ambient force, at slots of 0.1 s, of spread 1. [k]"""
    w = 2 * np.pi * hertz
    pole = np.exp(0.1 * (-damping * w + 1j * w * np.sqrt(1 - damping**2)))
    x = signal.lfilter([1.0], np.poly([pole, pole.conjugate()]).real, np.random.default_rng(seed).normal(size=k + 500))[500:]
    return np.asarray(x / x.std())


def bridge(n: int, k: int, seed: int, *, late: int = 0) -> Floats:
    """Sensors of a span whose two modes move each by its own share; the last is `late` slots behind. [n, k]"""
    rng = np.random.default_rng(seed)
    q = np.stack([mode(2.1, 0.015, k + 100, seed), mode(3.7, 0.015, k + 100, seed + 50)])
    shape = np.column_stack([np.linspace(1, 0.8, n), np.linspace(-0.2, 0.4, n)])
    x = shape @ q + 0.2 * rng.normal(size=(n, k + 100))
    x = x[:, 100:].copy() if not late else np.vstack([x[:-1, 100:], x[-1:, 100 - late : -late]])
    return np.asarray(x)


def plain(x: Floats) -> list[list[float]]:
    """Score of each window of each sensor; none missing."""
    n, d, out = len(x), default, [list[float]() for _ in range(len(x))]
    like = np.zeros((n, n, 2 * d.reach + 1))
    for number in range(x.shape[1] // WINDOW):
        w = x[:, number * WINDOW : (number + 1) * WINDOW]
        w = w - w.mean(axis=1)[:, None]
        weight = 1 / min(number + 1, d.mean)
        for i in range(n):
            for j in range(n):
                for lag in range(-d.reach, d.reach + 1):
                    a, b = w[i, max(-lag, 0) : WINDOW - max(lag, 0)], w[j, max(lag, 0) : WINDOW - max(-lag, 0)]
                    r = float(a @ b) / np.sqrt(float(w[i] @ w[i]) * float(w[j] @ w[j]))
                    like[i, j, lag + d.reach] += weight * (r - like[i, j, lag + d.reach])
        for i in range(n):
            found = []
            for j in range(n):
                size = np.abs(like[i, j])
                if i == j or number + 1 < d.mean or size.max() < d.alike:
                    continue
                apart = size.max() >= d.plain * size[d.reach - 4 : d.reach + 5].max()
                found.append(0.1 * abs(int(size.argmax()) - d.reach) if apart else 0.0)
            out[i].append(min(found) / d.limit if found else np.nan)
    return out


@pytest.mark.parametrize("late", [0, 20])
def test_it_is_what_a_plain_loop_gives(late: int) -> None:
    x = bridge(3, 12 * WINDOW, 1, late=late)
    score = told(x)[:, WINDOW::WINDOW]
    np.testing.assert_allclose(score, np.array(plain(x))[:, : score.shape[1]], rtol=1e-9)


@pytest.mark.parametrize("late", [20, 60])
def test_a_station_that_is_late_is_told_of_and_by_how_much(late: int) -> None:
    score = told(bridge(3, 20 * WINDOW, 2, late=late))
    assert np.nanmax(score[:2]) == 0.0
    assert score[2, 15 * WINDOW] == pytest.approx(0.1 * late / default.limit)


def test_of_two_both_are_told() -> None:
    score = told(bridge(2, 20 * WINDOW, 3, late=20))
    np.testing.assert_allclose(score[:, 15 * WINDOW], [4.0, 4.0])


def test_a_clock_put_right_is_known_after_the_windows_are_past() -> None:
    x = np.hstack([bridge(2, 20 * WINDOW, 4, late=20), bridge(2, 40 * WINDOW, 5)])
    score = told(x)
    assert score[0, 19 * WINDOW] == 4.0
    assert score[0, -WINDOW] == 0.0


def test_bursts_with_pauses_between_them_will_do() -> None:
    x = bridge(2, 60 * WINDOW, 6, late=20)
    x[:, np.arange(60 * WINDOW) // WINDOW % 5 > 0] = np.nan
    score = told(x)
    assert np.nanmax(score) == pytest.approx(4.0)


def test_spans_that_feel_nothing_of_each_other_are_not_judged() -> None:
    x = np.stack([mode(2.1, 0.015, 100 * WINDOW, 1), mode(2.3, 0.015, 100 * WINDOW, 2)])
    assert np.isnan(told(x)).all()


def test_correlations_are_one_at_no_lag() -> None:
    x = bridge(2, WINDOW, 7)
    r = correlations(x, 10)
    assert r[0, 0, 10] == pytest.approx(1.0)
    np.testing.assert_allclose(r[0, 1], r[1, 0, ::-1], atol=1e-12)


def test_one_station_has_nobody_to_agree_with() -> None:
    m = members(default)
    assert default.settled(replace(m, device=np.array(["one"] * m.n, object))) is None
    assert default.settled(replace(m, step=np.full(m.n, 1.0))) is None


@pytest.mark.parametrize("seed", range(3))
def test_false_alarms_of_one_clock(seed: int) -> None:
    assert np.nanmax(told(bridge(4, 500 * WINDOW, seed))) == 0.0
