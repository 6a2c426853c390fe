"""Gain: whose scale has changed is told of, weather and a load on all are not; against a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

from detectors.daily import DAY
from detectors.gain import FLIPPED, Gain, default
from detectors.medians import NORMAL
from detectors.nearby import nearby
from lifeline.model import NS, Floats
from tests.detectors.test_contract_timed import members

START = 20_780 * 86_400 * NS
STEP = 25  # [d]


def settled(n: int) -> Gain:
    """Of n sensors, each beside all others."""
    near = np.full((n, default.most), -1, np.int64)
    for i in range(n):
        others = [j for j in range(n) if j != i][: default.most]
        near[i, : len(others)] = others
    return replace(default, near=near)


def told(x: Floats) -> Floats:
    """Score of each day after those that teach, as it is told with the next day's first hour. [n, days]"""
    d, t = settled(len(x)), START + 3600 * NS * np.arange(1, x.shape[1] + 1)
    return np.asarray(d.step(d.init(len(x)), x, t)[1][:, (d.learn + 1) * DAY :: DAY])


def sums(a: list[float], b: list[float]) -> tuple[float, float, float]:
    """Covariance and the two variances of a day."""
    p, q = statistics.fmean(a), statistics.fmean(b)
    cov, mine, yours = ([u * v for u, v in zip(a_, b_, strict=True)] for a_, b_ in ((a, b), (a, a), (b, b)))
    return statistics.fmean(cov) - p * q, statistics.fmean(mine) - p * p, statistics.fmean(yours) - q * q


def plain(x: list[list[float]]) -> list[list[float]]:
    """The score of each day after those that teach [n][days]; without missing values."""
    d, n = default, len(x)
    whole = len(x[0]) // DAY
    day = [[a[k * DAY : (k + 1) * DAY] for k in range(whole)] for a in x]
    each = {(i, j): [sums(day[i][k], day[j][k]) for k in range(whole)] for i in range(n) for j in range(n) if i != j}

    def looked(pair: tuple[int, int], k: int) -> tuple[float, float]:
        """Correlation and log of the ratio of the days up to k."""
        both, mine, yours = (sum(v) for v in zip(*each[pair][max(k - d.window + 1, 0) : k + 1], strict=True))
        return both / math.sqrt(mine * yours), 0.5 * math.log(mine / yours)

    first = d.window // 2  # a day alone is not looked at
    usual, peers, limit = {}, list[list[int]](), list[float]()
    for i in range(n):
        peers.append([])
        for j in range(n):
            if i == j:
                continue
            both, mine, yours = (sum(v) for v in zip(*each[i, j][: d.learn], strict=True))
            if both / math.sqrt(mine * yours) >= d.alike:
                peers[i].append(j)
                usual[i, j] = statistics.median([looked((i, j), k)[1] for k in range(first, d.learn)])
        days = [
            statistics.median([looked((i, j), k)[1] - usual[i, j] for j in peers[i]] or [0.0]) for k in range(first, d.learn)
        ]
        middle = statistics.median(days)
        limit.append(max(d.least, d.sure * NORMAL * statistics.median([abs(v - middle) for v in days])))
    out = [list[float]() for _ in range(n)]
    for k in range(d.learn, whole):
        change = [
            {j: looked((i, j), k)[1] - usual[i, j] for j in peers[i] if looked((i, j), k)[0] >= d.still} for i in range(n)
        ]
        left = [abs(statistics.median(c.values())) if len(c) >= d.few else 0.0 for c in change]
        for i in range(n):
            like = [looked((i, j), k)[0] for j in peers[i]]
            turned = len(like) >= d.few and statistics.median(like) <= -d.still
            known = len(change[i]) >= d.few
            blamed = left[i] >= 1.5 * max(left[:i] + left[i + 1 :])
            out[i].append(FLIPPED if turned else left[i] / limit[i] if known and blamed else 0.0 if known else math.nan)
            if known and left[i] < 0.7 * limit[i]:
                for j, c in change[i].items():
                    usual[i, j] += min(max(c, -d.follow), d.follow)
    return out


def body(n: int, days: int, seed: int, noise: float = 0.1) -> Floats:
    """Sensors of a structure that the sun moves, each by its own factor about its own level. [n, days * DAY]"""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * DAY)
    sun = np.repeat(rng.uniform(0.3, 1.7, days), DAY) * np.sin(2 * np.pi * (hour - 9) / DAY)
    return np.asarray(
        rng.uniform(-30, 30, (n, 1)) + rng.uniform(0.5, 2, (n, 1)) * (sun + noise * rng.normal(size=(n, hour.size)))
    )


def scaled(x: Floats, factor: float) -> None:
    """Another gain from day STEP on, in place. x [k]"""
    x[STEP * DAY :] *= factor


@pytest.mark.parametrize("n", [3, 4, 6])
def test_it_is_what_a_plain_loop_gives(n: int) -> None:
    x = body(n, 40, n)
    scaled(x[0], 1.6)
    if n > 4:
        x[4] = np.random.default_rng(1).normal(size=x.shape[1])  # follows nobody
        scaled(x[5], -1.0)
    score = told(x)
    np.testing.assert_allclose(score, np.array(plain(x.tolist()))[:, : score.shape[1]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factor", [0.5, 1.6, 2.0, -1.0])
@pytest.mark.parametrize("n", [3, 5])
def test_who_has_another_scale_is_told_of_and_nobody_else(n: int, factor: float) -> None:
    x = body(n, 40, 7)
    scaled(x[1], factor)
    score = np.nan_to_num(told(x))
    since = STEP - default.learn
    assert not (score[:, : since - 1] >= 1).any()
    assert (score[1, since + 3 :] >= 1).all()
    assert not (np.delete(score, 1, axis=0) >= 1).any()


def test_another_zero_is_no_other_scale() -> None:
    x = body(4, 40, 8)
    x[1, STEP * DAY :] += 50.0
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_weather_that_moves_all_more_is_no_sensor() -> None:
    x = body(4, 40, 9)
    level = x.mean(axis=1, keepdims=True)
    x[:, STEP * DAY :] = level + 2.5 * (x[:, STEP * DAY :] - level)
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_two_that_depart_alike_are_no_sensor() -> None:
    x = body(6, 40, 10)
    for i in (0, 1):
        scaled(x[i], 2.0)
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_without_two_peers_or_without_likeness_nothing_is_judged() -> None:
    m = members(default)
    assert default.settled(m) is not None
    assert default.settled(replace(m, judged=np.arange(m.n) < 2)) is None
    assert default.settled(replace(m, device=np.array(["one"] * m.n, object))) is None
    assert np.isnan(told(np.random.default_rng(2).normal(size=(4, 30 * DAY)))).all()


def test_one_that_stands_still_or_is_silent_is_not_judged_and_hides_nobody() -> None:
    for dead in (np.nan, 3.0):
        x = body(5, 40, 11)
        x[4, STEP * DAY :] = dead
        scaled(x[1], 2.0)
        score = told(x)
        assert np.isnan(score[4, STEP - default.learn + 3 :]).all()
        assert (score[1, STEP - default.learn + 3 :] >= 1).all()


def test_only_others_of_the_asset_and_the_quantity_are_beside() -> None:
    m = members(default)
    asset = np.array(["a", "a", "a", "b", "b", "b"], object)
    quantity = np.array(["tilt", "tilt", "joint", "tilt", "tilt", "tilt"], object)
    near = nearby(replace(m, asset=asset, quantity=quantity), 2, apart=True)
    assert near.tolist() == [[1, -1], [0, -1], [-1, -1], [4, 5], [3, 5], [4, 3]]


@pytest.mark.parametrize("n", [3, 6])
def test_false_alarms_of_a_year(n: int) -> None:
    for seed in range(3):
        score = np.nan_to_num(told(body(n, 365, seed)))
        high = np.stack([score[:, k : score.shape[1] - 3 + k] >= 1 for k in range(4)])
        assert not high.all(axis=0).any()
