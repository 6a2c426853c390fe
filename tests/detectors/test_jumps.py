"""Jumps: what leaps away and back alone is counted, what moves the structure is not; against a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

from detectors.jumps import Jumps, default
from detectors.medians import NORMAL
from lifeline.model import NS, Floats, Ints
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS
DAY = 1440


def settled(n: int, judged: int = 1) -> Jumps:
    """A panel of n devices, the first few of which are receivers."""
    return replace(
        default, judged=tuple(i < judged for i in range(n)), floor=(0.0,) * n, device=tuple(f"device-{i}" for i in range(n))
    )


def times(k: int) -> Ints:
    return START + 60 * NS * np.arange(1, k + 1)


def told(x: Floats, judged: int = 1) -> Floats:
    """Scores of the receivers [judged, k], minute by minute."""
    d = settled(len(x), judged)
    return np.asarray(d.step(d.init(len(x)), x, times(x.shape[1]))[1][:judged])


def plain(x: list[list[float]]) -> list[float]:
    """Scores [k] of the first of two series; without missing values."""
    d = default
    past, out, alone = [list[float](), list[float]()], [0, 0], [False, False]
    seen, ends, scores = [0, 0], list[int](), list[float]()
    for j in range(len(x[0])):
        known = [n >= d.window for n in seen]
        away = [math.nan, math.nan]
        for i in range(2):
            if known[i]:
                p = [v for v in past[i][-d.window :] if not math.isnan(v)]
                middle = statistics.median(p)
                away[i] = abs(x[i][j] - middle) / (NORMAL * statistics.median([abs(v - middle) for v in p]))
        if known[0]:
            if away[0] > d.far:
                alone[0] = away[1] <= d.near if out[0] == 0 else alone[0]
                out[0] += 1
            else:
                ends += [j] * (out[0] >= d.shortest and alone[0])
                out[0] = 0
        scores.append(min(sum(e > j - DAY for e in ends), 4 * d.many) / d.many if known[0] else math.nan)
        for i in range(2):
            past[i].append(math.nan if out[i] else x[i][j])
            seen[i] = min(seen[i] + (not out[i]), d.window)
            if out[i] > d.longest:
                past[i], seen[i], out[i] = [], 0, 0
    return scores


def span(k: int, seed: int) -> Floats:
    """A receiver's noise of 5 and a level's of 0.1 [mm], about the sun. [2, k]"""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(0, [[5.0], [0.1]], (2, k)) + 3 * np.sin(2 * np.pi * np.arange(k) / DAY))


def leap(x: Floats, begin: int, every: int, width: int, size: float) -> None:
    """To either side by turns, in place. x [k]"""
    for i, a in enumerate(range(begin, x.size, every)):
        x[a : a + width] += size * (-1) ** i


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x = span(3000, seed)
    leap(x[0], 600, 50, 3, 40.0)
    leap(x[1], 600, 200, 3, 40.0)
    x[0, 2000:] += 60.0
    np.testing.assert_allclose(told(x)[0], plain(x.tolist()), rtol=1e-12)


def test_a_receiver_that_leaps_to_and_fro_is_told_of() -> None:
    x = span(3 * DAY, 1)
    leap(x[0], 2 * DAY, 20, 3, 30.0)
    score = told(x)[0]
    assert not (score[: 2 * DAY] > 0.3).any()
    assert score[2 * DAY + 120] >= 1


def test_loads_that_move_the_level_too_say_nothing() -> None:
    x = span(3 * DAY, 2)
    leap(x[0], DAY, 20, 3, 60.0)
    leap(x[1], DAY, 20, 3, 60.0)
    assert not (np.nan_to_num(told(x)) > 0.3).any()


def test_two_receivers_that_leap_together_say_nothing() -> None:
    x = np.stack([span(3 * DAY, 3)[0], span(3 * DAY, 4)[0]])
    leap(x[0], DAY, 20, 3, 60.0)
    leap(x[1], DAY, 20, 3, 60.0)
    assert not (np.nan_to_num(told(x, 2)) > 0.3).any()


def test_what_stays_away_is_no_jump() -> None:
    x = span(6 * DAY, 5)
    leap(x[0], DAY, DAY // 2, 200, 60.0)
    x[0, 5 * DAY :] += 100.0
    assert not (np.nan_to_num(told(x)) >= 1).any()


def test_without_a_witness_nothing_is_judged() -> None:
    m = members(default)
    assert default.settled(replace(m, device=np.array(["one"] * m.n, object))) is None
    x = span(2 * DAY, 6)
    leap(x[0], DAY, 20, 3, 60.0)
    x[1, DAY:] = np.nan
    assert not (np.nan_to_num(told(x)) > 0).any()


@pytest.mark.parametrize("seed", range(3))
def test_false_alarms_of_noise(seed: int) -> None:
    n = 20
    x = np.random.default_rng(seed).normal(size=(n, 4 * DAY))
    assert not (np.nan_to_num(told(x, n)) >= 1).any()
