"""Slopes of borne-out readings at their true times, against numpy's own least squares."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import climb
from detectors.climb import Climb
from lifeline.model import NS, Floats, Ints

START = 1_795_420_800 * NS
VOL = 0.01  # [1] of one %VOL


def plain(d: Climb, x: Floats, t: Ints) -> list[float]:
    """The oracle: at each reading those that count are sorted into slots, and a line is fitted to the slots' means."""
    out: list[float] = []
    counted: list[float] = []
    borne: list[tuple[int, float]] = []
    for said, when in zip(x.tolist(), t.tolist(), strict=True):
        y = max(said, d.least)
        if not math.isfinite(y) or (d.proof > 1 and counted and y == counted[-1] and y > d.least):
            out.append(math.nan)
            continue
        counted.append(y)
        if len(counted) >= d.proof:
            borne.append((when, min(counted[-d.proof :])))
        out.append(score(d, borne, when))
    return out


def score(d: Climb, borne: list[tuple[int, float]], now: int) -> float:
    slots: dict[int, list[tuple[float, float]]] = {}
    for when, y in borne:
        if when // d.length >= now // d.length - climb.SLOTS:
            slots.setdefault(when // d.length, []).append(((when - START) / NS, y))
    if now // d.length not in slots or len(slots) < climb.POINTS:
        return math.nan
    at = [float(np.mean([a for a, _ in s])) for s in slots.values()]
    if at[-1] - at[0] < climb.FILLED * climb.SLOTS * d.length / NS - 1e-6:
        return math.nan
    level = [float(np.mean([y for _, y in s])) for s in slots.values()]
    slope = np.polyfit(at, level, 1, w=[math.sqrt(len(s)) for s in slots.values()])[0]
    return float(max((slope - d.origin) / d.scale, 0.0))


def irregular(seed: int, k: int = 200) -> tuple[Floats, Ints]:
    """Five wells at half-hourly and then at minutely readings: climbing, repeated, below what is seen, with gaps."""
    rng = np.random.default_rng(seed)
    gaps = np.where(np.arange(k) < 40, 1800, rng.integers(55, 400, k))
    t = START + np.cumsum(gaps) * NS
    hours = (t - t[40]) / NS / 3600
    x = 0.3 + 0.03 * rng.standard_normal((5, k)) + 0.4 * np.clip(hours, 0, None)
    x[1] = np.round(x[1], 1)
    x[2] = 0.19 + 0.03 * rng.standard_normal(k)
    x[3, rng.random(k) < 0.3] = np.nan
    x[4, ::20] += 3.0
    return x * VOL, np.broadcast_to(t, x.shape)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), window=st.sampled_from([600.0, 3600.0, 7200.0]), proof=st.integers(1, 4))
def test_all_wells_at_once_score_as_one_by_one_in_a_loop(seed: int, window: float, proof: int) -> None:
    x, t = irregular(seed)
    d = Climb(window, proof, scale=1e-3 / 3600)
    expected = [plain(d, a, b) for a, b in zip(x, t, strict=True)]
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(d.step(d.init(5), x, t)[1], expected, rtol=1e-8, atol=1e-7)


def test_the_slope_does_not_depend_on_how_often_a_device_reports() -> None:
    for every in (60.0, 300.0, 1800.0):
        t = START + (np.arange(1, round(8 * 3600 / every)) * every * NS).astype(np.int64)[None]
        x = 0.01 + 0.002 * (t - START) / NS / 3600
        d = Climb(7200.0, scale=1.0)
        said = d.step(d.init(1), x, t)[1][0]
        np.testing.assert_allclose(said[np.isfinite(said)], 0.002 / 3600, rtol=1e-6)
        assert np.isfinite(said[-1])


def test_two_wild_readings_are_no_rise_and_three_are() -> None:
    t = START + np.arange(1, 61)[None] * 60 * NS
    for wild, rises in ((2, False), (3, True)):
        x = 0.003 + 0.0003 * np.random.default_rng(1).standard_normal((1, 60))
        x[0, 30 : 30 + wild] += 0.05 + 0.001 * np.arange(wild)
        d = Climb(600.0, scale=0.1 * VOL / 60)
        assert bool(np.nanmax(d.step(d.init(1), x, t)[1]) > 1) is rises


def test_a_sensor_that_jumps_and_is_stuck_there_does_not_climb() -> None:
    x = np.r_[0.001 * np.ones(30), 0.012 * np.ones(60)][None]
    t = START + np.arange(1, 91)[None] * 300 * NS
    d = Climb(7200.0, scale=0.1 * VOL / 3600)
    assert np.nanmax(d.step(d.init(1), x, t)[1]) < 1e-9


def test_what_a_laser_begins_to_see_is_no_step() -> None:
    """Below 0.2 %VOL it reports nothing."""
    x = 0.0021 + 0.0001 * np.random.default_rng(2).standard_normal((20, 300))
    t = np.broadcast_to(START + np.arange(1, 301) * 1800 * NS, x.shape)
    d = Climb(7200.0, scale=0.1 * VOL / 3600)
    assert np.nanmax(d.step(d.init(20), np.where(x < 0.002, 0.0, x), t)[1]) < 0.5


@pytest.mark.parametrize("every", [300.0, 1800.0])
def test_the_slope_of_noise_scatters_no_more_than_is_said(every: float) -> None:
    rng = np.random.default_rng(3)
    k = 200
    x = 1.0 + rng.standard_normal((500, k))
    t = np.broadcast_to(START + (np.arange(1, k + 1) * every * NS).astype(np.int64), x.shape)
    up, down = Climb(7200.0, least=-np.inf), Climb(7200.0, least=-np.inf, scale=-1.0)
    slope = up.step(up.init(500), x, t)[1] - down.step(down.init(500), x, t)[1]
    w = round(7200 / every) + 1
    said = 1 / every * math.sqrt(12 / (w * (w * w - 1)))
    assert 0.5 * said < np.nanstd(slope) < 1.2 * said


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="proof and window"):
        Climb(proof=0)
