"""Drift: who leaves those that used to move with it is told of, and what moves two is the structure; against a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

from detectors.daily import DAY
from detectors.drift import Drift, default
from detectors.medians import NORMAL
from lifeline.model import NS, Floats, Ints
from tests.detectors.test_contract_timed import members

START = 20_780 * 86_400 * NS


def settled(n: int) -> Drift:
    return replace(default, judged=(True,) * n)


def times(k: int) -> Ints:
    return START + 3600 * NS * np.arange(1, k + 1)


def told(x: Floats) -> Floats:
    """Scores [n, k] hour by hour."""
    d = settled(len(x))
    return np.asarray(d.step(d.init(len(x)), x, times(x.shape[1]))[1])


def plain(x: list[list[float]]) -> list[list[float]]:
    """The score of each day after those that teach, [n][days]; without missing values."""
    d, n = default, len(x)
    learned = d.learn * DAY
    base = [statistics.median(a[:learned]) for a in x]
    away = [[v - b for v in a] for a, b in zip(x, base, strict=True)]
    peers = [
        [j for j in range(n) if j != i and statistics.correlation(away[i][:learned], away[j][:learned]) >= d.alike]
        for i in range(n)
    ]

    def departure(day: int) -> tuple[list[float], list[float]]:
        own = [statistics.fmean(a[day * DAY : (day + 1) * DAY]) for a in away]
        return own, [own[i] - statistics.median([own[j] for j in p]) if p else math.nan for i, p in enumerate(peers)]

    before = [departure(day)[1] for day in range(d.learn)]
    out = [list[float]() for _ in range(n)]
    for day in range(d.learn, len(x[0]) // DAY):
        own, left = departure(day)
        for i in range(n):
            if not peers[i]:
                out[i].append(math.nan)
                continue
            hours = away[i][:learned]
            days = [b[i] for b in before]
            wide = NORMAL * statistics.median([abs(v - statistics.median(hours)) for v in hours])
            about = NORMAL * statistics.median([abs(v - statistics.median(days)) for v in days])
            limit = max(d.own * wide, d.sure * about)
            same = [j for j in range(n) if j != i and left[j] * math.copysign(1, left[i]) >= 0.5 * abs(left[i])]
            blamed = abs(own[i]) >= abs(own[i] - left[i]) and not same
            out[i].append(abs(left[i]) / limit if blamed else 0.0)
    return out


def piers(n: int, days: int, seed: int) -> Floats:
    """Tiltmeters [1e-3 °] on a pier that the sun leans to and fro. [n, days * DAY]"""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * DAY)
    sun = np.repeat(rng.uniform(0.5, 1.5, days), DAY) * 3 * np.sin(2 * np.pi * hour / DAY)
    return np.asarray(sun + rng.normal(0, 0.7, (n, hour.size)))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_it_is_what_a_plain_loop_gives(n: int) -> None:
    x = piers(n, 60, n)
    x[0, 20 * DAY :] += 0.02 * np.arange(40 * DAY)
    if n > 3:
        x[4] = np.random.default_rng(1).normal(size=60 * DAY)  # follows nobody
    score = told(x)[:, (default.learn + 1) * DAY :: DAY]
    np.testing.assert_allclose(score, np.array(plain(x.tolist()))[:, : score.shape[1]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_of_two_that_part_the_one_that_moved_is_told_of(seed: int) -> None:
    x = piers(2, 60, seed)
    x[1, 20 * DAY :] += 0.02 * np.arange(40 * DAY)
    score = np.nan_to_num(told(x))
    assert not (score[:, : 25 * DAY] >= 1).any()
    assert (score[1] >= 1).any()
    assert not (score[0] > 0.3).any()


@pytest.mark.parametrize("n", [2, 4])
def test_a_pier_that_leans_is_no_sensor(n: int) -> None:
    x = piers(n, 60, 5)
    x[:2, 20 * DAY :] += 0.05 * np.arange(40 * DAY)
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_without_a_second_device_or_without_likeness_nothing_is_judged() -> None:
    m = members(default)
    assert default.settled(replace(m, device=np.array(["one"] * m.n, object))) is None
    x = np.random.default_rng(1).normal(size=(3, 40 * DAY))
    assert np.isnan(told(x)).all()


def test_only_those_of_its_quantity_are_peers_and_who_has_too_few_is_not_judged() -> None:
    x = piers(6, 60, 7)
    x[0, 20 * DAY :] += 0.05 * np.arange(40 * DAY)
    x[4, 20 * DAY :] += 0.05 * np.arange(40 * DAY)
    d = replace(default, judged=(True,) * 6, kind=("tilt",) * 4 + ("joint",) * 2, least=2)
    score = d.step(d.init(6), x, times(x.shape[1]))[1]
    assert (score[0] >= 1).any()
    assert not (np.nan_to_num(score[1:4]) >= 1).any()
    assert np.isnan(score[4:]).all()


def test_a_quantity_needs_more_devices_than_peers() -> None:
    m = members(default)
    mixed = replace(m, quantity=np.array(["tilt"] * 4 + ["joint"] * 2, object))
    made = replace(default, least=2).settled(mixed)
    assert made is not None
    assert made.judged == (True,) * 4 + (False,) * 2
    assert replace(default, least=4).settled(mixed) is None


def test_a_day_of_which_little_is_known_is_not_judged() -> None:
    x = piers(2, 40, 6)
    x[0, 30 * DAY : 31 * DAY - 6] = np.nan
    score = told(x)
    assert np.isnan(score[:, 31 * DAY]).all()
    assert np.isfinite(score[:, 32 * DAY]).all()


@pytest.mark.parametrize("seed", range(3))
def test_false_alarms_of_piers_in_the_sun(seed: int) -> None:
    for n in (2, 3, 6):
        assert not (np.nan_to_num(told(piers(n, 1000, seed))) >= 1).any()
