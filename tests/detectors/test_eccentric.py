"""Eccentric: a load that lifts the other side is told of, one in the middle or a bearing that fails is not; a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

import detectors
from detectors.eccentric import EACH, Eccentric, default
from lifeline.model import NS, Floats, Level
from pipeline.replay import Replay
from pipeline.stretch import stretches
from simulators.bridge.passing import Convoy, Overload
from simulators.scenario import find, load
from simulators.stage import stage
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS
DEAD = 883.0  # [kN] of each bearing
WARM = default.learn


def settled(bridges: int = 1) -> Eccentric:
    """Four bearings to each bridge."""
    return replace(default, asset=np.repeat(np.arange(bridges), 4))


def told(x: Floats, bridges: int = 1) -> Floats:
    d = settled(bridges)
    return np.asarray(d.step(d.init(len(x)), x, START + NS * np.arange(1, x.shape[1] + 1))[1])


def plain(x: list[list[float]]) -> list[list[float]]:
    """Scores of the bearings of one bridge."""
    d = default
    dead, past, seen = [math.nan] * len(x), [list[float]() for _ in x], [0] * len(x)
    out = [list[float]() for _ in x]
    for j in range(len(x[0])):
        now = [a[j] for a in x]
        known = [i for i, v in enumerate(now) if not math.isnan(v) and dead[i] > 0]
        new = [i for i, v in enumerate(now) if not math.isnan(v) and math.isnan(dead[i])]
        lost = sum(max(dead[i] - now[i], 0.0) for i in known)
        loaded = sum(now[i] - dead[i] for i in known) > d.grown * lost
        for i in range(len(x)):
            out[i].append(math.nan if i not in known else max(1 - now[i] / dead[i], 0.0) if loaded else 0.0)
        for i in known:
            most = d.follow / 3600 * dead[i]
            dead[i] += min(max(now[i] - dead[i], -most), most)
        for i in new:
            if seen[i] % EACH == 0:
                past[i].append(now[i])
            seen[i] += 1
            if seen[i] >= d.learn:
                dead[i] = statistics.median(past[i])
    return out


def bearings(k: int, seed: int, count: int = 4) -> Floats:
    """Reactions without traffic, with the noise of their sensors. [count, k] [kN]"""
    return np.asarray(DEAD + 4 * np.random.default_rng(seed).normal(size=(count, k)))


def loaded(x: Floats, begin: int, end: int, weight: float, side: float, base: float = 2.0) -> None:
    """A load [kN] at mid-span, `side` [m] to the right, in place; bearings push only. x [4, k]"""
    right = 0.5 + side / base
    x[:, begin:end] += weight / 2 * np.array([[1 - right], [right]] * 2)
    np.maximum(x, 0.0, out=x)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x = bearings(1500, seed)
    for begin in range(50, 1500, 90):
        loaded(x, begin, begin + 5, 400.0 + begin, 2.5)
    x[1, 700:720] = np.nan
    x[2, 100:300] = np.nan
    x[3, 1200:] -= 300.0
    np.testing.assert_allclose(told(x), plain(x.tolist()), rtol=1e-9, atol=1e-12)


def test_lorries_far_to_one_side_lift_the_other() -> None:
    x = bearings(WARM + 100, 1)
    loaded(x, WARM + 50, WARM + 56, 1000.0, 3.5)  # takes 1.25 of itself from the other side
    score = told(x)
    during = score[:, WARM + 50 : WARM + 56]
    np.testing.assert_allclose(during[[0, 2]], 625.0 / DEAD, atol=0.03)
    assert (during[[1, 3]] == 0).all()
    assert not (np.nan_to_num(score[:, : WARM + 50]) > 0.05).any()


@pytest.mark.parametrize("side", [0.0, 0.9, -1.0])
def test_a_load_between_the_bearings_lifts_nothing(side: float) -> None:
    x = bearings(WARM + 100, 2)
    loaded(x, WARM + 50, WARM + 90, 3000.0, side)
    assert not (np.nan_to_num(told(x)) > 0.05).any()


def test_a_bearing_or_a_sensor_that_fails_alone_is_no_load() -> None:
    for lost in (0.3, 1.0):
        x = bearings(WARM + 100, 3)
        x[0, WARM + 50 :] -= lost * DEAD
        assert not (np.nan_to_num(told(x)) > 0.05).any()
    x = bearings(WARM + 100, 4)
    x[0, WARM + 50 :] -= 0.5 * DEAD  # goes to its neighbour: the weight is what it was
    x[1, WARM + 50 :] += 0.5 * DEAD
    assert not (np.nan_to_num(told(x)) > 0.05).any()


def test_one_bridge_says_nothing_of_another() -> None:
    x = np.vstack([bearings(WARM + 100, 5), bearings(WARM + 100, 6)])
    loaded(x[4:], WARM + 50, WARM + 60, 1000.0, 3.5)
    score = np.nan_to_num(told(x, 2))
    assert not (score[:4] > 0.05).any()
    assert (score[4:] > 0.6).any()


def test_what_the_sun_moves_is_followed() -> None:
    x = bearings(12 * 3600, 7)
    turn = 0.08 * DEAD * np.sin(2 * np.pi * np.arange(x.shape[1]) / 86_400)
    x[[0, 2]] -= turn
    x[[1, 3]] += turn
    loaded(x, 11 * 3600, 11 * 3600 + 30, 200.0, 0.0)  # a load, lest gravity alone keeps it silent
    assert not (np.nan_to_num(told(x)) > 0.05).any()


def test_a_bridge_needs_two_bearings() -> None:
    m = members(default)
    made = default.settled(replace(m, asset=np.array(["a", "a", "a", "b", "c", "c"], object)))
    assert made is not None
    assert made.asset.tolist() == [0, 0, 0, -1, 2, 2]
    made = default.settled(replace(m, report=np.array([3600.0, *[np.nan] * (m.n - 1)])))
    assert made is not None
    assert made.awaited.tolist() == [False] + [True] * (m.n - 1)  # nobody waits for one that keeps its readings
    assert default.settled(replace(m, asset=np.array(list("abcdef"), object))) is None


def levels(name: str, *faults: object) -> list[tuple[str, str]]:
    """What the rule says of a scenario: bearings and new levels."""
    s = load(find(name))
    some = tuple(("bridge", f) for f in faults) or s.fault
    on = stage(replace(s, fault=some, expect=()), 1)
    replay = Replay(on.catalog, [r for r in detectors.rules() if r.id == "bridge.bearing.eccentric"])
    return [(c.key, c.new) for run in stretches(on.turns(), replay.engine) for c in replay.step(*run)]


def test_an_eccentric_convoy_is_graver_the_farther_out_it_stands() -> None:
    worst = []
    for side in (0.5, 1.65, 2.2, 3.0):
        said = levels("B2", Convoy(mass=49e3, count=3, side=side, lasts=300.0))
        assert {key for key, _ in said} <= {"bearing-1/a-left", "bearing-1/b-left"}
        worst.append(max((Level[new] for _, new in said), default=Level.NORMAL))
    assert worst == [Level.NORMAL, Level.YELLOW, Level.ORANGE, Level.RED]


def test_two_lorries_as_at_wuxi_are_red_and_legal_traffic_is_nothing() -> None:
    assert ("bearing-1/a-left", "RED") in levels("B2")
    assert levels("B2", Overload(mass=40e3, side=1.875)) == []
