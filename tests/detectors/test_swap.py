"""Swap: two that go on as one another are told of, both by name; weather, faults and steps are not; against a plain loop."""

import math
from dataclasses import replace

import numpy as np
import pytest

from detectors.daily import DAY
from detectors.swap import CALM, FULL, Swap, SwapState, default
from lifeline.model import NS, Floats
from tests.detectors.test_contract_timed import members

START = 20_780 * 86_400 * NS
WHEN = 20  # [d]


def settled(n: int) -> Swap:
    """Of n sensors, each beside all others."""
    near = np.full((n, default.most), -1, np.int64)
    for i in range(n):
        others = [j for j in range(n) if j != i][: default.most]
        near[i, : len(others)] = others
    return replace(default, near=near, floor=np.zeros(n), name=tuple(f"gauge-{i}" for i in range(n)))


def judged(x: Floats) -> tuple[SwapState, Floats]:
    """Score of each day as it is told with the next day's first hour. [n, days - 1]"""
    d, t = settled(len(x)), START + 3600 * NS * np.arange(1, x.shape[1] + 1)
    s, score = d.step(d.init(len(x)), x, t)
    return s, score[:, DAY::DAY]


def distance(a: list[float], b: list[float]) -> float:
    away = [(u - v) ** 2 for u, v in zip(a, b, strict=True) if not math.isnan(u - v)]
    return math.sqrt(sum(away) / len(away)) if away else math.nan


def plain(x: list[list[float]]) -> list[list[float]]:
    """Scores [n][days], NaN while they learn."""
    d, n = default, len(x)
    course, power, taught = [[math.nan] * DAY for _ in x], [0.0] * n, [0] * n
    out = [list[float]() for _ in x]
    for k in range(len(x[0]) // DAY):
        day = [a[k * DAY : (k + 1) * DAY] for a in x]
        there = [sum(not math.isnan(v) for v in a) >= FULL for a in day]
        able = [there[i] and taught[i] >= d.learn for i in range(n)]
        score = [math.nan] * n
        for i in range(n):
            for j in range(n):
                if i == j or not (able[i] and able[j]):
                    continue
                e = {(a, m): distance(day[a], course[m]) / math.sqrt(power[m]) for a in (i, j) for m in (i, j)}
                v = min(e[i, i], e[j, j]) / (d.far * max(e[i, j], e[j, i], 1.0))
                score[i] = v if math.isnan(score[i]) else max(score[i], v)
        for i in range(n):
            out[i].append(score[i])
            if not there[i] or score[i] >= CALM:
                continue
            new = distance(day[i], course[i]) ** 2 if taught[i] else 0.0
            if taught[i]:
                power[i] += (new - power[i]) / min(taught[i], d.memory)
            weight = 1 / min(taught[i] + 1, d.memory)
            for h in range(DAY):
                c, v = course[i][h], day[i][h]
                course[i][h] = v if math.isnan(c) else c if math.isnan(v) else c + weight * (v - c)
            taught[i] += 1
    return out


def body(n: int, days: int, seed: int) -> Floats:
    """Gauges of a network, each at its own height, under a demand that differs from day to day. [n, days * DAY]"""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * DAY)
    demand = np.repeat(rng.uniform(0.7, 1.3, days), DAY) * (1 + np.sin(2 * np.pi * (hour - 9) / DAY))
    level = 30.0 + 6.0 * rng.permutation(n)[:, None]
    return np.asarray(level - rng.uniform(0.5, 2, (n, 1)) * demand + 0.1 * rng.normal(size=(n, hour.size)))


def exchanged(x: Floats, hour: int = WHEN * DAY) -> None:
    """The first two, in place."""
    x[:2, hour:] = x[:2, hour:][::-1].copy()


@pytest.mark.parametrize("n", [2, 3, 6])
def test_it_is_what_a_plain_loop_gives(n: int) -> None:
    x = body(n, 32, n)
    exchanged(x, WHEN * DAY + 7)
    x[0, 10 * DAY + 3 : 10 * DAY + 9] = np.nan
    x[-1, 12 * DAY : 14 * DAY - 8] = np.nan
    score = judged(x)[1]
    want = np.array(plain(x.tolist()))[:, : score.shape[1]]
    there = np.isfinite(x[:, DAY::DAY])
    np.testing.assert_allclose(score[there], want[there], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_two_that_are_exchanged_are_told_of_and_name_each_other(n: int, seed: int) -> None:
    x = body(n, 30, seed)
    exchanged(x)
    s, score = judged(x)
    score = np.nan_to_num(score)
    assert not (score[:, :WHEN] >= 0.5).any()
    assert (score[:2, WHEN:] >= 1).all()
    assert not (score[2:] >= 0.5).any()
    d = settled(n)
    assert [d.locate(s, i)[0].name for i in (0, 1)] == ["gauge-1", "gauge-0"]
    assert all(d.locate(s, i) == () for i in range(2, n))


def test_a_heat_wave_a_step_or_another_scale_is_no_exchange() -> None:
    for what in range(4):
        x = body(4, 30, what)
        rest = x[:, WHEN * DAY :]
        if what == 0:
            rest -= 4.0  # all of them
        elif what == 1:
            rest[0] -= 6.0  # to where another is, which stays
        elif what == 2:
            rest[0] += 1.5 * (rest[0] - rest[0].mean())
        else:
            rest[:2] += np.array([[3.0], [-3.0]])  # apart, and not to each other's place
            x[0, : WHEN * DAY] += 20.0
            rest[0] += 20.0
        assert not (np.nan_to_num(judged(x)[1]) >= 1).any(), what


def test_two_that_read_alike_are_not_told_apart() -> None:
    x = body(1, 30, 5) + 0.1 * np.random.default_rng(1).normal(size=(2, 30 * DAY))
    exchanged(x)
    assert not (np.nan_to_num(judged(x)[1]) >= 0.5).any()


def test_without_another_of_its_quantity_at_its_asset_nothing_is_judged() -> None:
    m = members(default)
    assert default.settled(m) is not None
    assert default.settled(replace(m, asset=np.array([f"asset-{i}" for i in range(m.n)], object))) is None


@pytest.mark.parametrize("n", [2, 6])
def test_false_alarms_of_a_year(n: int) -> None:
    for seed in range(2):
        assert not (np.nan_to_num(judged(body(n, 365, seed))[1]) >= 0.7).any()
