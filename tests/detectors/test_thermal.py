"""Thermal: what temperature explains is no hazard, what it does not is one.

Against a plain loop, and on structures that are known.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from detectors.thermal import CALM, DAY, DOUBT, FROST, FULL, LAGS, MILD, NEAR, RIDGE, SEEN, Thermal, default, scatter
from lifeline.model import Floats
from tests.areas import hours
from tests.detectors.test_contract_timed import members

FITTED = replace(default, judged=(True, False), warm=(False, True))


def weather(days: int, seed: int, mean: float = 288.0, trend: float = 0.0) -> Floats:
    """Temperature, hour by hour: fronts, a day's wave, a slow change. [h] [K]"""
    rng = np.random.default_rng(seed)
    front = np.zeros(days)
    for i in range(1, days):
        front[i] = 0.7 * front[i - 1] + 2.0 * rng.normal()
    at = np.arange(24 * days)
    return np.asarray(mean + np.interp(at / 24, np.arange(days), front) + 5 * np.sin(2 * np.pi * at / 24 - 2) + trend * at / 24)


def reading(warm: Floats, seed: int, slope: float = -0.002, noise: float = 0.002) -> Floats:
    """A frequency [Hz] that follows its structure's temperature, late by some hours. [h]"""
    late = np.empty_like(warm)
    late[0] = warm[0]
    for i in range(1, warm.size):
        late[i] = warm[i] + math.exp(-1 / 3) * (late[i - 1] - warm[i])
    return np.asarray(2.0 + slope * (late - 288.0) + np.random.default_rng(seed).normal(0, noise, warm.size))


def told(d: Thermal, *x: Floats) -> Floats:
    """The score of each day. [day]"""
    both = np.vstack(x)
    score = d.step(d.init(both.shape[0]), both, hours(both.shape[1]))[1]
    return np.asarray(np.fmax.reduce(score[0].reshape(-1, 24), axis=1))


def plain(d: Thermal, y: list[float], warm: list[float]) -> list[float]:
    """Day by day, from lists: the score of each."""
    slow = [warm[0]] * len(LAGS)
    f: list[list[float]] = []
    for w in warm:
        slow = [w + math.exp(-1 / lag) * (s - w) for s, lag in zip(slow, LAGS, strict=True)]
        f.append([1.0, w - MILD, *(s - MILD for s in slow), min(w - FROST, 0.0)])
    taught: list[int] = []
    days: list[float] = []
    standing: list[float] = []
    up, down, now, out = 0.0, 0.0, math.nan, [math.nan]
    for day in range(len(y) // DAY):
        mine = list(range(day * DAY, (day + 1) * DAY))
        mean = sum(f[h][1] for h in mine) / DAY
        near = min(sum(m <= mean + NEAR for m in days[-60:]), sum(m >= mean - NEAR for m in days[-60:]))
        said = math.nan
        if len(taught) >= d.warmup and near >= SEEN:
            a = np.array([f[h] for h in taught])
            b = np.array([y[h] - y[0] for h in taught])
            normal, moment = a.T @ a, a.T @ b
            ridge = normal + RIDGE * len(taught) * np.diag([0.0, *[1.0] * (a.shape[1] - 1)])
            c = np.linalg.solve(ridge, moment)
            variance = max((float(b @ b) - float(c @ moment)) / len(taught), 1e-30)
            g = np.mean([f[h] for h in mine], axis=0)
            left = sum(y[h] - y[0] for h in mine) / DAY - float(c @ g)
            z = left / math.sqrt(variance * (1 / DAY + DOUBT**2 * float(g @ np.linalg.solve(ridge, g))))
            own = z / max(scatter(np.array(standing[-60:])) if standing else 4.0, 1.0)
            clipped = min(max(own, -d.quick), d.quick)
            up = min(max(up + clipped - d.slack, 0.0), 2 * d.limit)
            down = min(max(down - clipped - d.slack, 0.0), 2 * d.limit)
            said = max(abs(own) / d.quick, up / d.limit, down / d.limit)
            said = said if said < 1 else max(abs(own) / d.quick, 1.0)
            standing.append(z)
        known = not math.isnan(said)
        now = said if known else now
        out.append(said)
        if not now >= (CALM if known else 1.0):
            taught += mine
            days.append(mean)
    return out


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    warm = weather(45, seed, 276.0)
    y = reading(warm, seed)
    y[24 * 38 :] -= 0.02
    score = told(FITTED, np.r_[y, y[-1]][: y.size], warm)
    wanted = plain(FITTED, y.tolist(), warm.tolist())
    assert FULL <= DAY
    found = score[1:]  # the last day is closed by its last hour: its score comes with it
    both = np.array([wanted[i + 1] for i in range(1, 45)])
    np.testing.assert_allclose(found, both, rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_weather_alone_is_quiet(seed: int) -> None:
    warm = weather(120, seed, trend=0.05)
    held = told(FITTED, reading(warm, seed), warm)
    assert not (np.fmin(held[1:], held[:-1]) >= 1).any()


def test_a_loss_of_stiffness_that_weather_hides_is_known_in_days() -> None:
    warm = weather(60, 3, trend=0.03)
    y = reading(warm, 3)
    y[24 * 40 :] *= 0.99  # twice the change that the weather makes in a day
    score = told(replace(FITTED, side="down", share=0.002), y, warm)
    assert not (score[:40] >= 1).any()
    assert (score[40:45] >= 1).any()
    assert np.nanmax(score[40:]) == pytest.approx(5.0, rel=0.2)
    assert not (told(replace(FITTED, side="up"), y, warm) >= 1).any()


def test_cold_that_was_never_seen_says_nothing() -> None:
    warm = weather(60, 4, 280.0)
    y = reading(warm, 4)
    warm[24 * 45 : 24 * 50] -= 20.0
    y[24 * 45 : 24 * 50] += 0.15  # a frozen deck
    score = told(FITTED, y, warm)
    assert not (score[40:46] >= 1).any()
    assert np.isnan(score[45])


def test_a_day_that_is_half_missing_is_not_judged() -> None:
    warm = weather(40, 5)
    y = reading(warm, 5)
    y[24 * 30 + 1 : 24 * 30 + 16] = np.nan
    assert np.isnan(told(FITTED, y, warm)[30])
    assert np.isfinite(told(FITTED, y, warm)[31])


def test_a_frequency_of_a_device_that_tells_a_force_is_a_cables() -> None:
    d = Thermal(over=("frequency",), beside=("temperature", "cable_force"), apart=("cable_force",))
    m = members(d)
    quantity = m.quantity.copy()
    quantity[-2:] = ["temperature", "cable_force"]
    device = m.device.copy()
    device[-1] = device[0]
    own = d.settled(replace(m, quantity=quantity, device=device, judged=quantity == "frequency"))
    assert own is not None
    assert own.judged == (False, True, True, True, False, False)
    assert own.warm == (False, False, False, False, True, False)
