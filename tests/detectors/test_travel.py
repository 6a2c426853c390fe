"""Cars that turn round, pass their landing or crawl: what must warn, what must not, and a plain loop."""

import math
from typing import get_args

import numpy as np
import pytest

from detectors.travel import LONG, REST, SURE, Fault, Travel
from lifeline.model import Floats

DIRECTION, DOOR, ZONE, MOTION, PASSENGERS, SPEED, MODE, BUTTON = range(8)
NAN = math.nan
Phase = tuple[int, float, float, float]  # seconds, signed speed over rated speed, door, door zone


def lift(*phases: Phase, mode: float = 0.0) -> Floats:
    """[1, 8, k]"""
    rows = [
        [np.sign(v), door, zone, float(v != 0), NAN, abs(v), mode, NAN]
        for seconds, v, door, zone in phases
        for _ in range(seconds)
    ]
    return np.array(rows).T[None]


def scores(fault: Fault, x: Floats, scale: float = 2.0) -> Floats:
    d = Travel(fault=fault, scale=scale)
    said: Floats = d.step(d.init(x.shape[0]), x if fault == "reversal" else x[:, 1:])[1]
    return said


STOP: Phase = (6, 0.0, 1.0, 1.0)
START: Phase = (2, 0.2, 0.0, 1.0)


def trip(way: float, *parts: Phase) -> list[Phase]:
    """Off a landing, up to full speed, past landings, and to rest at one, unless something else comes before."""
    running = [(5, way, 0.0, 0.0), (1, way, 0.0, 1.0), (5, way, 0.0, 0.0)]
    return [STOP, (1, 0.2 * way, 0.0, 1.0), (2, 0.6 * way, 0.0, 0.0), *running, *parts, (1, 0.2 * way, 0.0, 1.0), STOP]


@pytest.mark.parametrize("fault", get_args(Fault))
def test_ordinary_trips_are_none_of_it(fault: Fault) -> None:
    x = lift(*trip(1.0), *trip(-1.0), *trip(1.0), *trip(1.0))
    assert (scores(fault, x, scale=5.0) < 1).all()


def test_a_car_that_turns_round_under_way_is_found_in_seconds() -> None:
    x = lift(*trip(1.0, (2, 0.3, 0.0, 0.0), (2, -0.3, 0.0, 0.0), (8, -1.0, 0.0, 0.0)))
    score = scores("reversal", x)[0]
    assert np.argmax(score >= 1) == 6 + 1 + 2 + 11 + 2 + 1
    assert score[-1] == 0  # it has stopped


def test_a_car_that_is_levelled_with_its_door_shut_has_not_turned_round() -> None:
    x = lift(*trip(1.0, (1, 0.1, 0.0, 1.0), (3, -0.03, 0.0, 1.0)))
    assert (scores("reversal", x) == 0).all()


def test_a_car_that_creeps_out_of_the_zone_in_which_it_should_have_stopped_is_found() -> None:
    x = lift(*trip(1.0, (1, 0.2, 0.0, 1.0), (1, 0.0, 0.0, 1.0), (1, 0.03, 0.0, 1.0), (6, 0.02, 0.0, 0.0), (4, -0.02, 0.0, 0.0)))
    score = scores("overtravel", x)[0]
    assert np.argmax(score >= 1) == 6 + 1 + 2 + 11 + 3 + 1
    assert score[-1] == 0


DRAGS: Phase = (25, 0.6, 0.0, 0.0)


def test_a_car_that_drags_its_brake_all_the_way_is_slow() -> None:
    assert scores("slow", lift(*SURE * trip(1.0), DRAGS, STOP), scale=20.0).max() == 25 / 20


def test_a_car_whose_terminal_tells_its_speed_at_the_start_only_is_not_slow() -> None:
    assert scores("slow", lift(*(SURE - 1) * trip(1.0), *3 * [DRAGS, STOP, START, STOP])).max() == 0
    score = scores("slow", lift(*SURE * trip(1.0), START, STOP, *2 * [DRAGS, STOP]), scale=20.0)[0]  # the short one is no proof
    assert np.flatnonzero(score >= 1).size == 6  # of the first


@pytest.mark.parametrize("fault", get_args(Fault))
def test_maintenance_is_not_judged(fault: Fault) -> None:
    assert np.isnan(scores(fault, lift((20, 0.3, 0.0, 0.0), (20, -0.3, 0.0, 0.0), mode=1.0))).all()


def plain(d: Travel, x: Floats) -> list[float]:
    """The oracle: one lift, second by second. x [c, k]"""
    clock, still, ran, near, up, under, turned, out = 0.0, math.inf, False, False, False, False, False, list[float]()
    long, quick, proven = 0, False, 0
    for row in x.T.tolist():
        way, (door, zone, motion, _, speed, mode, _) = row[0] if d.fault == "reversal" else 0.0, row[-7:]
        if any(math.isnan(v) for v in (way, door, zone, motion, speed)) or mode == 1:
            out.append(math.nan)
            continue
        moving, outside, fast = motion > 0.5, zone < 0.5, abs(speed) >= d.creep
        still = 0.0 if moving else still + 1
        goes, brisk = moving and not door > 0.5, abs(speed) >= d.brisk
        if door > 0.5 or still >= REST:
            proven = proven if long < LONG else proven + 1 if quick else 0
            long, quick = 0, False
            ran = near = under = turned = False
        elif d.fault == "overtravel":
            ran = ran or (moving and outside and fast)
            near = (near and not fast) or (ran and not outside and not fast)
        elif d.fault == "reversal" and moving and abs(way) > 0.5:
            turned = turned or (under and up != (way > 0))
            up, under = way > 0, True
        long, quick = long + goes, quick or (goes and brisk)
        true = {
            "reversal": turned and moving and outside and fast,
            "overtravel": near and outside,
            "slow": goes and not brisk and proven >= SURE,
        }[d.fault]
        clock = clock + 1 if true else 0.0
        out.append(clock / d.scale)
    return out


@pytest.mark.parametrize("fault", get_args(Fault))
def test_all_lifts_at_once_score_as_a_plain_loop_scores_each(fault: Fault) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (40, 8, 80)).astype(float).repeat(3, axis=2)
    x[:, DIRECTION] = rng.integers(-1, 2, (40, 240))
    x[:, SPEED] = rng.choice([0.1, 0.2, 0.5, 1.0], (40, 240))
    x[:, DOOR] *= rng.random((40, 240)) < 0.1
    x[:, MODE] *= rng.random((40, 240)) < 0.05
    x[:, MOTION] = rng.random((40, 240)) < 0.8
    x[rng.random(x.shape) < 0.01] = np.nan
    if fault == "slow":
        x[:, SPEED, :-9] = np.maximum(x[:, SPEED, :-9], (rng.random((40, 231)) < 0.9).astype(float))
    d = Travel(fault=fault, scale=1.0)
    x = x if fault == "reversal" else x[:, 1:]
    expected = [plain(d, lift) for lift in x]
    np.testing.assert_array_equal(d.step(d.init(40), x)[1], expected)
    assert np.nanmax(expected) > 1
