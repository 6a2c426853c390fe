from collections import defaultdict

import numpy as np
import pytest

from lifeline.model import NS, Batch
from simulators.old_elevator import CHANNELS, Elevator, Kind, Lifts, Trouble
from simulators.scurve import curve, travel
from simulators.world import Run

START = 1_795_420_800 * NS  # evening
N = 12


def house(*faults: Trouble, daily: float = 400.0) -> Elevator:
    row = np.arange(7 * N, dtype=np.int32).reshape(7, N)
    return Elevator(
        Lifts(tuple(f"car-{i}" for i in range(N)), row, np.full(N, 31), np.full(N, 2.5), np.full(N, daily)), 1, 20, faults
    )


def told(world: Elevator, seconds: int) -> Batch:
    return Batch.joined([p for p in Run(world, START).emit(START, START + seconds * NS) if isinstance(p, Batch)])


def held(b: Batch, car: int, seconds: int) -> dict[str, np.ndarray]:
    """Each channel of one car as it stands at every second."""
    grid, out = START + NS * np.arange(2, seconds + 1), {}
    for c, name in enumerate(CHANNELS):
        mine = b.row == c * N + car
        out[name] = b.value[mine][np.searchsorted(b.t[mine], grid, side="right") - 1]
    return out | {"t": (grid - START) / NS}


def test_a_journey_lasts_as_long_as_the_formula_says() -> None:
    assert curve(np.array([45.0]), np.array([1.75])).duration[0] == pytest.approx(28.7, abs=0.05)


@pytest.mark.parametrize("distance", [0.05, 0.5, 3.0, 6.0, 45.0])
def test_a_journey_ends_where_it_should_within_its_limits(distance: float) -> None:
    c = curve(np.array([distance]), np.array([1.75]))
    t = np.linspace(0, float(c.duration[0]), 20_001)
    s, v = travel(curve(np.full(t.size, distance), np.full(t.size, 1.75)), t)
    assert s[-1] == pytest.approx(distance)
    assert v.max() <= 1.75 + 1e-9
    np.testing.assert_allclose(np.gradient(s, t)[1:-1], v[1:-1], atol=2e-3)
    assert np.abs(np.gradient(v, t)).max() <= 0.8 + 1e-3
    assert np.interp(t[-1] / 2, t, s) == pytest.approx(distance / 2)


def test_a_car_that_does_not_go_anywhere_takes_no_time() -> None:
    c = curve(np.zeros(1), np.ones(1))
    assert c.duration[0] == 0
    np.testing.assert_array_equal(travel(c, np.ones(1)), 0.0)


def test_a_healthy_car_never_moves_with_its_door_open_nor_stops_between_landings() -> None:
    said, trips = told(house(), 1800), 0
    for car in range(N):
        x = held(said, car, 1800)
        assert not ((x["door"] > 0) & (x["motion"] > 0)).any()
        assert not ((x["door_zone"] == 0) & (x["motion"] == 0)).any()
        assert not ((x["door"] > 0) & (x["door_zone"] == 0)).any()
        assert x["speed"].max() <= 2.5 * 1.02
        shut = (x["door"] == 0) & (x["motion"] == 0) & (x["passengers"] > 0)
        assert not np.convolve(shut, np.ones(3), "valid").max() >= 3
        trips += int((np.diff(x["motion"]) > 0).sum())
    assert 0.5 < trips / (N * 400 / 86_400 * 1800 * 1.6) < 1.5


def test_everything_is_said_once_a_heartbeat() -> None:
    b, gaps = told(house(daily=1.0), 100), defaultdict(list)
    for row, t in zip(b.row.tolist(), b.t.tolist(), strict=True):
        gaps[row].append(t)
    assert len(gaps) == 7 * N
    assert max(np.diff(t).max() for t in gaps.values()) <= 20 * NS


TROUBLE = {
    kind: Trouble("car-4", kind, START + 60 * NS, START + (72 if kind in {Kind.DOOR, Kind.OVERSPEED} else 300) * NS)
    for kind in Kind
}


@pytest.mark.parametrize("kind", Kind)
def test_trouble_looks_as_its_truth_says_and_ends(kind: Kind) -> None:
    fault = TROUBLE[kind]
    true = house(fault).truth()[0]
    x = held(told(house(fault), 600), 4, 600)
    during = (x["t"] >= (true.onset - START) / NS + 2) & (x["t"] < (true.end - START) / NS - 1)
    stopped, inside = x["motion"] == 0, x["passengers"] > 0
    wrong = {
        Kind.BETWEEN: stopped & inside & (x["door"] == 0) & (x["door_zone"] == 0),
        Kind.LANDING: stopped & inside & (x["door"] == 0) & (x["door_zone"] == 1),
        Kind.OUTSIDE: stopped & ~inside & (x["door"] == 0) & (x["door_zone"] == 0),
        Kind.DOOR: ~stopped & (x["door"] == 1),
        Kind.OVERSPEED: x["speed"] > 1.2 * 2.5,
    }[kind]
    assert wrong[during].all()
    else_ = wrong & ((x["t"] < 59) | (x["t"] > (true.end - START) / NS + 2))
    longest = 1 if kind is Kind.LANDING else 0  # [s] any landing is a door that has not opened yet, for an instant
    assert np.convolve(else_, np.ones(longest + 1), "valid").max() <= longest
    assert (x["door"][x["t"] > (true.end - START) / NS] == 1).any()  # people get out
    assert (x["alarm_button"].max() == 1) == (kind is Kind.BETWEEN)
