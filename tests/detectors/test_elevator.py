"""The lift: what must warn, what must not, and a plain loop."""

import math
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pytest

from detectors.elevator import Elevator, Hazard
from lifeline.model import Floats

DOOR, ZONE, MOTION, PASSENGERS, SPEED, MODE, BUTTON = range(7)
NAN = math.nan


def lift(*phases: tuple[int, dict[int, float]]) -> Floats:
    """A story of one lift: seconds and what changed. [1, 7, k]"""
    now = {DOOR: 0.0, ZONE: 1.0, MOTION: 0.0, PASSENGERS: 0.0, SPEED: 0.0, MODE: 0.0, BUTTON: 0.0}
    out = []
    for seconds, change in phases:
        now |= change
        out += [[now[i] for i in range(7)]] * seconds
    return np.array(out).T[None]


def ride(people: float, **end: float) -> list[tuple[int, dict[int, float]]]:
    """People come in at a landing, the door closes, the car runs for ten seconds and stops."""
    del end
    return [
        (5, {DOOR: 1.0}),
        (3, {PASSENGERS: people}),
        (3, {DOOR: 0.0}),
        (10, {MOTION: 1.0, ZONE: 0.0, SPEED: 1.0}),
    ]


def stop(zone: float = 1.0) -> dict[int, float]:
    return {MOTION: 0.0, ZONE: zone, SPEED: 0.0}


def scores(hazard: Hazard, x: Floats, scale: float = 60.0, origin: float = 0.0, credible: float = 7200.0) -> Floats:
    d = Elevator(hazard=hazard, scale=scale, origin=origin, credible=credible)
    said: Floats = d.step(d.init(x.shape[0]), x)[1]
    return said


def test_people_shut_in_at_a_landing_are_found_after_a_minute() -> None:
    score = scores("entrapment_landing", lift(*ride(2), (90, stop())))[0]
    assert np.flatnonzero(score >= 1)[0] == 21 + 59
    assert score[-1] == 90 / 60


def test_people_shut_in_between_landings_are_found_and_the_landing_rule_is_silent() -> None:
    x = lift(*ride(2), (90, stop(zone=0)))
    assert scores("entrapment_between", x)[0, 21 + 59] == 1
    assert (scores("entrapment_landing", x) == 0).all()
    assert scores("stop_outside_zone", x)[0, -1] == 1.5


def test_a_door_forced_open_between_landings_frees_nobody_and_one_at_a_landing_does() -> None:
    between = scores("entrapment_between", lift(*ride(1), (50, stop(zone=0)), (40, {DOOR: 1.0})))
    assert between[0, -1] == 1.5
    landing = scores("entrapment_landing", lift(*ride(1), (70, stop()), (1, {DOOR: 1.0})))
    assert landing[0, -2] > 1
    assert landing[0, -1] == 0


def test_an_empty_stop_outside_the_zone_is_no_entrapment() -> None:
    x = lift(*ride(0), (90, stop(zone=0)))
    assert (scores("entrapment_between", x) == 0).all()
    assert scores("stop_outside_zone", x)[0, -1] == 1.5


def test_a_passenger_lost_from_sight_for_a_moment_is_still_there() -> None:
    x = lift(*ride(1), (30, stop()), (8, {PASSENGERS: 0.0}), (30, {PASSENGERS: 1.0}))
    assert scores("entrapment_landing", x)[0, -1] > 1


def test_a_poster_before_the_camera_is_no_passenger() -> None:
    parked = lift((30, {PASSENGERS: 1.0}), (1000, {}))  # never seen to move
    assert (scores("entrapment_landing", parked) == 0).all()
    left = [(5, {**stop(), DOOR: 1.0}), (600, {DOOR: 0.0})]  # the last one got out, the poster stayed
    assert (scores("entrapment_landing", lift(*ride(1), *left)) == 0).all()
    tired = lift((1000, {PASSENGERS: 1.0}), *ride(1), (100, stop()))  # there all the time, then the car parks
    assert (scores("entrapment_landing", tired, credible=900.0) == 0).all()
    assert scores("entrapment_landing", tired, credible=1200.0).max() > 1


def test_a_passenger_seen_without_a_break_is_counted_and_one_who_leaves_ends_it() -> None:
    x = lift((10, {}), (7200, {PASSENGERS: 1.0}), (5, {PASSENGERS: 0.0}), (60, {PASSENGERS: 1.0}))
    score = scores("phantom_passenger", x, scale=7200.0)[0]
    assert np.flatnonzero(score >= 1).tolist() == [7209]
    assert score[-1] == 60 / 7200


def test_somebody_who_came_in_and_cannot_leave_is_believed_although_the_car_never_started() -> None:
    x = lift(*ride(0), (5, {**stop(), DOOR: 1.0}), (3, {PASSENGERS: 1.0}), (70, {DOOR: 0.0}))
    assert scores("entrapment_landing", x)[0, -1] > 1


def test_the_alarm_button_needs_no_camera_and_no_trip() -> None:
    x = lift((100, {PASSENGERS: NAN}), (1, {BUTTON: 1.0}), (70, {BUTTON: 0.0}))
    score = scores("entrapment_landing", x)[0]
    assert np.isnan(score[:100]).all()
    assert score[100] >= 1  # ORANGE at once, the rule's hold confirms it
    assert score[-1] >= 30  # RED within the minute


def test_a_person_standing_in_the_open_door_is_no_hazard() -> None:
    x = lift((600, {DOOR: 1.0, PASSENGERS: 1.0}))
    for hazard in get_args(Hazard):
        if hazard not in {"overspeed", "phantom_passenger"}:
            assert (scores(hazard, x) == 0).all()


def test_a_door_open_while_moving_is_confirmed_for_five_seconds() -> None:
    phantom = lift((10, {DOOR: 1.0}), (4, {MOTION: 1.0}), (10, {MOTION: 0.0}))
    assert (scores("door_open_moving", phantom, scale=5.0) < 1).all()
    real = scores("door_open_moving", lift((10, {MOTION: 1.0}), (10, {DOOR: 1.0})), scale=5.0)[0]
    assert np.flatnonzero(real >= 1)[0] == 14


def test_a_door_that_stands_open_is_told_unless_somebody_stands_in_it_or_the_house_burns() -> None:
    x = lift((1800, {DOOR: 1.0}), (1, {PASSENGERS: 1.0}), (100, {PASSENGERS: 0.0}), (1, {DOOR: 0.0}))
    score = scores("door_standing", x, scale=1800.0)[0]
    assert np.flatnonzero(score >= 1).tolist() == [1799]
    assert score[-2] == pytest.approx(100 / 1800)
    assert score[-1] == 0
    assert (scores("door_standing", lift((9000, {DOOR: 1.0, PASSENGERS: 1.0}))) == 0).all()
    assert np.isnan(scores("door_standing", lift((9000, {DOOR: 1.0, MODE: 2.0})))).all()


def test_overspeed_is_a_ratio_in_either_direction() -> None:
    x = lift(*((1, {MOTION: 1.0, SPEED: v}) for v in (0.5, 1.0, 1.05, -1.2, NAN)))
    np.testing.assert_allclose(scores("overspeed", x, scale=0.05, origin=1.0)[0], [0, 0, 1, 4, NAN], atol=1e-9)


@pytest.mark.parametrize("hazard", [h for h in get_args(Hazard) if h != "overspeed"])
def test_maintenance_is_not_judged_and_neither_starts_nor_ends_a_clock(hazard: Hazard) -> None:
    work = lift((50, {MODE: 1.0, MOTION: 1.0, DOOR: 1.0, ZONE: 0.0, PASSENGERS: 1.0}), (200, stop(zone=0)))
    assert np.isnan(scores(hazard, work)).all()
    stuck = lift(*ride(2), (70, stop(zone=0)), (30, {MODE: 1.0}), (10, {MODE: 0.0}))
    score = scores("entrapment_between", stuck)[0]
    assert np.isnan(score[91:121]).all()
    assert score[121] == 71 / 60  # goes on where it stood


def test_unknown_mode_and_button_are_taken_as_service_and_not_pressed() -> None:
    x = lift(*ride(2), (90, stop()))
    x[:, [MODE, BUTTON]] = NAN
    assert scores("entrapment_landing", x)[0, -1] == 1.5


@pytest.mark.parametrize(
    ("hazard", "needed"),
    [
        ("entrapment_landing", [DOOR, ZONE, MOTION, PASSENGERS]),
        ("entrapment_between", [DOOR, ZONE, MOTION, PASSENGERS]),
        ("stop_outside_zone", [ZONE, MOTION]),
        ("door_open_moving", [DOOR, MOTION]),
        ("door_standing", [DOOR, MOTION]),
        ("overspeed", [SPEED]),
        ("phantom_passenger", [PASSENGERS]),
    ],
)
def test_a_hazard_is_judged_only_where_its_channels_are_known(hazard: Hazard, needed: list[int]) -> None:
    for i in range(7):
        x = lift((3, {}))
        x[:, i] = NAN
        assert np.isnan(scores(hazard, x)).all() == (i in needed)


@dataclass
class Car:
    """The oracle's memory of one lift."""

    clock: float = 0.0
    still: float = math.inf
    gone: float = math.inf
    aboard: float = 0.0
    opened: bool = False
    entered: bool = False
    called: bool = False
    believed: bool = False


def second(d: Elevator, c: Car, x: list[float]) -> tuple[Car, float]:
    """The oracle: one lift, one second, in plain conditions."""
    door, moving, inside, out = x[DOOR] > 0.5, x[MOTION] > 0.5, x[PASSENGERS] > 0.5, x[ZONE] < 0.5
    n = Car(believed=c.believed)
    n.still = 0.0 if moving else c.still + 1
    n.gone, n.aboard = (0.0, c.aboard + 1) if inside else (c.gone + 1, 0.0)
    if not moving:
        n.opened = c.opened or door
        n.entered = n.opened and (c.entered or (inside and c.gone > 0))
        n.called = (c.called or x[BUTTON] > 0.5) and not (door and not out)
    if c.clock == 0:
        n.believed = n.still <= d.recent and (n.entered if n.opened else n.aboard < d.credible)
    person = n.called or (n.believed and n.gone <= d.grace)
    true, needed = {
        "entrapment_landing": (not moving and not door and not out and person, [DOOR, ZONE, MOTION]),
        "entrapment_between": (not moving and out and person, [DOOR, ZONE, MOTION]),
        "stop_outside_zone": (not moving and out, [ZONE, MOTION]),
        "door_open_moving": (moving and door, [DOOR, MOTION]),
        "door_standing": (door and not moving and not inside, [DOOR, MOTION]),
        "phantom_passenger": (inside, [PASSENGERS]),
        "overspeed": (False, [SPEED]),
    }[d.hazard]
    shut_in = d.hazard.startswith("entrapment")
    blind = shut_in and math.isnan(x[PASSENGERS]) and not n.called
    fire = d.hazard == "door_standing" and x[MODE] == 2.0
    if blind or any(math.isnan(x[i]) for i in needed) or x[MODE] == 1.0 or fire:
        return c, math.nan
    n.clock = c.clock + 1 if true else 0.0
    value = abs(x[SPEED]) if d.hazard == "overspeed" else n.clock + (d.button if shut_in and true and n.called else 0.0)
    return n, max((value - d.origin) / d.scale, 0.0)


@pytest.mark.parametrize("hazard", get_args(Hazard))
def test_all_lifts_at_once_score_as_a_plain_loop_scores_each(hazard: Hazard) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (30, 7, 60)).astype(float).repeat(rng.integers(2, 9), axis=2)
    x[:, BUTTON] *= rng.random((30, x.shape[2])) < 0.05
    x[:, MODE] *= rng.integers(0, 3, (30, x.shape[2])) * (rng.random((30, x.shape[2])) < 0.1)
    x[rng.random(x.shape) < 0.02] = NAN
    d = Elevator(hazard=hazard, scale=5.0, recent=12.0, credible=15.0, grace=3.0)
    expected = np.empty((30, x.shape[2]))
    for i in range(30):
        car = Car()
        for j in range(x.shape[2]):
            car, expected[i, j] = second(d, car, x[i, :, j].tolist())
    np.testing.assert_allclose(d.step(d.init(30), x)[1], expected, rtol=1e-12)
    assert hazard == "overspeed" or np.nanmax(expected) > 1
