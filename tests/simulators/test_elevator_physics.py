"""The equations of the lift world against closed forms, integrators and plain loops."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, signal

from lifeline.model import NS, Floats
from simulators.elevator.acting import acting
from simulators.elevator.calls import called
from simulators.elevator.cars import FALLS, Cars, drawn
from simulators.elevator.hazards import Entrapment
from simulators.elevator.machine import Reversal
from simulators.elevator.pace import Pace, pace, standing
from simulators.elevator.ride import BAND, JOINT, RATE, a95, coloured, felt, shaking
from simulators.elevator.sight import sight
from simulators.elevator.trips import zone
from simulators.rhythm import DAY, lift_calls
from simulators.scurve import curve, travel
from simulators.weather import Weather

ONE = Cars(("elevator-001",), np.array([20]), np.array([1.75]), np.array([0.0]), np.array([0.15]))


def along(distance: float, speed: float = 1.75, n: int = 20_001) -> tuple[Floats, Floats, Floats]:
    """Instants [s], distance [m], speed [m/s] of a journey."""
    t = np.linspace(0, float(curve(np.array([distance]), np.array([speed])).duration[0]), n)
    return (t, *travel(curve(np.full(n, distance), np.full(n, speed)), t))


def test_a_journey_lasts_as_long_as_the_formula_says() -> None:
    assert curve(np.array([45.0]), np.array([1.75])).duration[0] == pytest.approx(28.7, abs=0.05)
    for distance in (10.0, 30.0, 90.0):
        for v in (1.0, 1.75, 2.5):
            if distance >= v * (v / 0.8 + 0.8):
                t = curve(np.array([distance]), np.array([v])).duration[0]
                assert t == pytest.approx(distance / v + v / 0.8 + 0.8)


@pytest.mark.parametrize("distance", [0.05, 0.5, 3.0, 6.0, 45.0])
def test_a_journey_ends_where_it_should_within_its_limits(distance: float) -> None:
    t, s, v = along(distance)
    assert integrate.trapezoid(v, t) == pytest.approx(distance, rel=1e-6)
    assert s[-1] == pytest.approx(distance)
    assert v.max() <= 1.75 + 1e-9
    a = np.gradient(v, t)
    assert np.abs(a).max() <= 0.8 + 1e-3
    j = np.gradient(a, t)[3:-3]
    assert np.percentile(np.abs(j), 99) <= 1.0 + 1e-2
    assert np.interp(t[-1] / 2, t, s) == pytest.approx(distance / 2)


def test_a_short_journey_peaks_where_the_distance_allows() -> None:
    for distance in (1.0, 3.0):
        v = along(distance)[2].max()
        reached = (
            v**2 / 0.8 + v * 0.8 if v >= 0.8**2 / 1.0 else 2 * v * np.sqrt(v / 1.0)
        )  # with and without constant acceleration
        assert v < 1.75
        assert reached == pytest.approx(distance, rel=1e-3)


def test_peak_to_peak_values_are_those_of_the_definition() -> None:
    x = shaking(np.array([2.5]), np.random.default_rng(3))[0]
    peaks, run = [], [x[0]]
    for a in x[1:]:
        if (a < 0) != (run[-1] < 0):
            peaks.append(max(map(abs, run)))
            run = []
        run.append(a)
    peaks.append(max(map(abs, run)))
    both = sorted(a + b for a, b in pairwise(peaks))
    rank = 0.95 * (len(both) - 1)
    low = int(rank)
    assert a95(x) == pytest.approx(both[low] + (rank - low) * (both[low + 1] - both[low]))
    assert a95(0.3 * np.sin(np.arange(1000) / 7)) == pytest.approx(0.6, rel=0.01)


def test_the_car_shakes_in_the_band_that_people_feel_and_at_its_rail_joints() -> None:
    noise = coloured(20, 4096, np.random.default_rng(1))
    assert noise.std() == pytest.approx(1.0, rel=0.02)
    f, p = signal.welch(noise, RATE, nperseg=1024)
    inside = (f >= BAND[0]) & (f <= BAND[1])
    assert p.mean(axis=0)[inside].sum() > 0.8 * p.mean(axis=0).sum()
    f, p = signal.welch(shaking(np.full(50, 2.5), np.random.default_rng(2)), RATE, nperseg=1024)
    assert f[np.argmax(p.mean(axis=0))] == pytest.approx(2.5 / JOINT, abs=0.1)


def test_a_roof_feels_the_second_derivative_of_its_height() -> None:
    t = np.arange(-2, 64 * 8) / RATE
    height = 0.4 * np.clip(t, 0, 4.0) ** 2 + 3.2 * np.clip(t - 4, 0, None)  # four seconds at 0.8 m/s², then steady
    still = felt(height[None], np.full((1, 64 * 8), 1e-9), np.random.default_rng(1))[0]
    assert still[64:240].mean() == pytest.approx(0.8, abs=0.002)
    assert still[264:].mean() == pytest.approx(0.0, abs=0.002)


@pytest.mark.parametrize(
    "clock",
    [
        standing(30.0, 0.9),
        standing(5.0, 0.0),
        pace((0, 1), (2, 1.3), (6, 1.3), (7, 1)),
        pace((0, 1), (1.8, -1), (8, -1), (9.8, 1)),
    ],
)
def test_what_a_clock_loses_is_the_integral_of_its_rate(clock: Pace) -> None:
    for upto in (0.3, 1.0, 5.0, 8.5, 40.0):
        parts = sorted({0.0, upto, *(x for x in clock.at.tolist() if x < upto)})
        whole = sum(
            integrate.quad(lambda s: 1 - float(clock.now(np.array([s]))[0]), a + 1e-12, b - 1e-12)[0]
            for a, b in pairwise(parts)
        )
        assert clock.lost(np.array([upto]))[0] == pytest.approx(whole, abs=1e-6)


def test_a_car_that_is_stopped_comes_to_rest_after_v_squared_over_2a() -> None:
    a = acting(Entrapment(at=600.0, lasts=60.0), ONE, 0)
    assert a.trip is not None
    t = a.onset + (np.array([0.0, 30.0]) * NS).astype(np.int64)
    x = sight(a.trip.take(np.zeros(2, np.int64)), ONE, [a], t, (), Weather(1))
    assert x["speed"].tolist() == [pytest.approx(1.75), 0.0]
    assert np.diff(x["height"])[0] == pytest.approx(1.75**2 / (2 * FALLS))
    assert (x["height"][1] / 3.0) % 1 == pytest.approx(0.5, abs=0.01)  # half-way between two landings


def test_speed_is_the_derivative_of_height_whatever_the_clock_does() -> None:
    for fault in (Reversal(at=600.0, lasts=8.0), Entrapment(at=600.0, lasts=20.0)):
        a = acting(fault, ONE, 0)
        assert a.trip is not None
        t = a.onset + (np.arange(-5.0, 60.0, 0.01) * NS).astype(np.int64)
        x = sight(a.trip.take(np.zeros(t.size, np.int64)), ONE, [a], t, (), Weather(1))
        slope = np.gradient(x["height"], 0.01)
        np.testing.assert_allclose(x["speed"][2:-2], np.abs(slope)[2:-2], atol=0.03)


def test_calls_come_as_often_as_they_should() -> None:
    draw, n = np.random.default_rng(1), 200_000
    since = np.full(n, 1_795_392_000 * NS)  # midnight in Greenwich
    first = called(since, draw.exponential(1 / 240.0, n))
    wait = (first - since) / NS
    rate = -np.log((wait > 600.0).mean()) / 600.0  # of the Poisson process within those ten minutes
    shape = [lift_calls(600.0 * (i + 0.5)) for i in range(144)]
    assert rate == pytest.approx(240.0 / DAY * shape[0] / np.mean(shape), rel=0.02)


def test_a_door_zone_is_a_hand_above_and_below_each_landing_and_none_beyond_the_last() -> None:
    height = np.array([0.0, 0.19, 0.21, 1.5, 2.81, 3.19, 57.0, 57.19, 57.3, 60.0])
    np.testing.assert_array_equal(zone(height, ONE, np.zeros(10, np.int64)), [1, 1, 0, 0, 1, 1, 1, 1, 0, 0])


def test_towers_have_fast_lifts() -> None:
    cars = drawn([f"elevator-{i}" for i in range(500)], 1)
    assert (cars.rated[cars.floors <= 11] == 1.0).all()
    assert (cars.rated[cars.floors > 20] == 2.5).all()
    assert (cars.rough / 3.0 >= 0.02).all()
    assert (cars.rough / 3.0 <= 0.0501).all()  # A95 is about three spreads
