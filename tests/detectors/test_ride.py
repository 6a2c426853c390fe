"""Rides out of a waveform: a plain loop, and what cars, people, fitters and lost packets do."""

import io
import math
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest

from detectors.ride import EDGES, SHARE, STRAIGHT, Ride, RideState
from detectors.weighting import low, vertical
from lifeline.model import NS, Block, Floats, Ints
from simulators.elevator.ride import RATE
from simulators.elevator.scene import ElevatorWorld, maker
from simulators.elevator.wear import RailDefect
from simulators.scurve import curve, travel
from simulators.world import Run

START: Final = 1_795_420_800 * NS
G: Final = 9.80665  # [m/s²]
WK: Final = {
    0.5: 0.418, 0.8: 0.477, 1.0: 0.482, 1.6: 0.494, 2.0: 0.531, 2.5: 0.631, 3.15: 0.804, 4.0: 0.967, 5.0: 1.039, 6.3: 1.054,
    8.0: 1.036, 10.0: 0.988, 12.5: 0.902, 16.0: 0.768, 20.0: 0.636, 25.0: 0.513,
}  # [Hz]: [1] of ISO 2631-1:1997, table 3  # fmt: skip


def times(n: int, k: int, every: float = 1 / RATE) -> Ints:
    return np.broadcast_to(START + np.round(every * NS * np.arange(k)).astype(np.int64), (n, k)).copy()


def run(d: Ride, x: Floats, t: Ints | None = None, cuts: tuple[int, ...] = ()) -> tuple[RideState, Floats]:
    t = times(len(x), x.shape[1], d.every) if t is None else t
    s, said = d.init(len(x)), []
    for a, b in pairwise((0, *cuts, x.shape[1])):
        s, score = d.step(s, x[:, a:b], t[:, a:b])
        said.append(score)
    return s, np.hstack(said)


def rides(s: RideState, i: int = 0) -> list[float]:
    n = int(s.seen[i])
    assert n <= s.rides.shape[1]
    return [float(v) for v in s.rides[i, :n]]


def waves(seconds: float, *faults: Any, **world: Any) -> Floats:
    """The simulation's accelerometers, with gravity. [n, k]"""
    w = ElevatorWorld(**{"lifts": 3, "trips": 2000, "channels": (), "accelerometer": True, **world})
    scene = maker.scene(w, faults, START, 2)
    made = [p.value for p in Run(scene.model, START).emit(START, START + round(seconds * NS)) if isinstance(p, Block)]
    return G + np.hstack(made)


def trip(height: float, rated: float, rate: float = RATE, jerk: float = 1.0) -> Floats:
    """Acceleration of one trip without any shaking, ten seconds of rest before and after. [k] [m/s²]"""
    way = curve(np.array([abs(height)]), np.array([rated]), jerk=jerk)
    t = np.arange(-10 * rate - 2, (float(way.duration[0]) + 10) * rate) / rate
    gone = travel(type(way)(*(np.full(t.size, float(a[0])) for a in way)), t)[0]
    return math.copysign(1.0, height) * np.diff(gone, 2) * rate**2


class Biquads:
    """The oracle's filter: transposed direct form, one sample at a time, at rest at its first."""

    def __init__(self, sos: Floats, x: float) -> None:
        self.sos, self.z = sos.tolist(), []
        for b0, b1, b2, _, a1, a2 in self.sos:
            y = x * (b0 + b1 + b2) / (1 + a1 + a2)
            self.z.append([y - b0 * x, b2 * x - a2 * y])
            x = y

    def __call__(self, x: float) -> float:
        for (b0, b1, b2, _, a1, a2), z in zip(self.sos, self.z, strict=True):
            y = b0 * x + z[0]
            z[0], z[1] = b1 * x - a1 * y + z[1], b2 * x - a2 * y
            x = y
        return x


def plain(d: Ride, xs: Floats) -> tuple[list[float], list[float]]:  # noqa: C901  a plain loop
    """The oracle: one series without gaps, sample by sample -> scores, values of the trips that count."""
    first, dt = float(xs[0]), d.every
    shape = Biquads(vertical(dt) if d.of == "a95" else low(dt, 10.0), first)
    body, calm = Biquads(low(dt, 1.0), first), Biquads(low(dt, 0.2), first)
    line = round(STRAIGHT / dt) // 2 * 2 + 1
    smooth = [first] * line
    zero, quiet, going, speed, top, length, said = math.nan, 0, False, 0.0, 0.0, 0, 0.0
    peaks: list[float] = []
    signs: list[bool] = []
    most, out, kept = 0.0, [], list[float]()
    for x in xs.tolist():
        now, own, rest = shape(x), body(x), calm(x)
        smooth = [*smooth[1:], now]
        middle = (line - 1) / 2
        slope = sum((i - middle) * v for i, v in enumerate(smooth)) / sum((i - middle) ** 2 for i in range(line)) / dt
        strong = abs(own - zero) > d.strong
        if strong and (not going or (quiet * dt >= d.still and (own - zero) * speed > 0)):
            going, speed, top, length, most, peaks, signs = True, 0.0, 0.0, 0, 0.0, [], []
        quiet = 0 if strong else quiet + 1
        if going:
            speed += (own - zero) * dt
            top, length, most = max(top, abs(speed)), length + 1, max(most, abs(slope))
            if quiet * dt >= d.still:
                if signs and signs[-1] == (now >= 0):
                    peaks[-1] = max(peaks[-1], abs(now))
                else:
                    peaks.append(abs(now))
                    signs.append(now >= 0)
                if abs(speed) < max(d.crawl, d.back * top):
                    pairs = sorted(a + b for a, b in pairwise(peaks[:-1]))
                    if top >= d.fast and (d.of == "jerk" or len(pairs) >= d.least):
                        kept.append(most if d.of == "jerk" else pairs[math.ceil(SHARE * len(pairs)) - 1])
                    going, speed = False, 0.0
        if going and (length * dt > d.longest or top > d.never):
            going, zero, quiet, speed = False, math.nan, 0, 0.0
        if not going and quiet and quiet % round(d.settle / dt) == 0:
            zero = rest
        if len(kept) >= d.window:
            said = sorted(kept[-d.window :])[-d.times] / d.scale
        out.append(math.nan if math.isnan(zero) else said)
    return out, kept


def test_all_waveforms_at_once_score_as_a_plain_loop_scores_each() -> None:
    x = waves(500, vibration=0.25, floors=9)
    for d in (Ride(window=4, times=2), Ride(of="jerk", window=3, times=3, scale=2.0)):
        s, score = run(d, x)
        assert s.seen.max() > d.window
        for i, row in enumerate(x):
            expected, kept = plain(d, row)
            assert int(s.seen[i]) == len(kept)
            both = np.isfinite(expected)
            np.testing.assert_array_equal(np.isfinite(score[i]), both)
            np.testing.assert_allclose(score[i][both], np.array(expected)[both], rtol=0.0101 if d.of == "a95" else 1e-6)


def test_classes_are_two_per_cent_wide() -> None:
    np.testing.assert_allclose(np.diff(np.log(EDGES)), np.log(1.02))


def test_cutting_the_stream_and_other_series_change_no_bit() -> None:
    x = waves(300, vibration=0.2)
    x[1, 9000:9001] = np.nan  # a sample that is missing
    x[2, 4000:5000] = np.nan
    for d in (Ride(window=2, times=1), Ride(of="jerk", window=2, times=1)):
        s, score = run(d, x)
        for cuts in ((1, 77, 78, 6000, 12001), tuple(range(64, x.shape[1], 640))):
            again, same = run(d, x, cuts=cuts)
            np.testing.assert_array_equal(same, score)
            for a, b in zip(s, again, strict=True):
                np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(score, [run(d, x[i : i + 1])[1][0] for i in range(3)])
        assert np.isnan(score[np.isnan(x)]).all()


def test_a_state_survives_a_restart_and_inputs_are_left_alone() -> None:
    x, d, file = waves(200), Ride(window=1, times=1), io.BytesIO()
    t, before = times(len(x), x.shape[1]), x.copy()
    half = run(d, x[:, :6400], t[:, :6400])[0]
    copies = [a.copy() for a in half]
    np.savez(file, **half._asdict())
    file.seek(0)
    stored = np.load(file)
    again, score = d.step(RideState(**{k: stored[k] for k in half._fields}), x[:, 6400:], t[:, 6400:])
    np.testing.assert_array_equal(score, run(d, x)[1][:, 6400:])
    d.step(half, x[:, 6400:], t[:, 6400:])
    for a, b in zip([x, *half], [before, *copies], strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.seen.sum() >= half.seen.sum()


@pytest.mark.parametrize(("rate", "top", "within"), [(64, 10.0, 0.03), (100, 12.5, 0.03), (256, 25.0, 0.04)])
def test_the_weighting_is_that_of_the_standards_table(rate: int, top: float, within: float) -> None:
    for f, weight in WK.items():
        if f > top:
            continue
        t = np.arange(20 * rate) / rate
        x = np.sin(2 * np.pi * f * t)
        y = [0.0] * x.size
        filters = Biquads(vertical(1 / rate), 0.0)
        for i, v in enumerate(x.tolist()):
            y[i] = filters(v)
        size = np.sqrt(2 * np.mean(np.square(y[10 * rate :])))
        assert size == pytest.approx(weight, rel=within), f


@pytest.mark.parametrize("rate", [50, 64, 100, 256])
def test_a_sine_of_5_hz_under_way_has_its_own_a95_and_the_rest_none(rate: int) -> None:
    one = trip(45.0, 1.75, rate)
    t = np.arange(one.size) / rate
    x = G + one + 0.1 * np.sin(2 * np.pi * 5 * t) * (t > 10) * (t < 10 + 28.7)
    s, _ = run(Ride(every=1 / rate), x[None])
    assert rides(s)[0] == pytest.approx(0.2 * 1.039, rel=0.03)
    s, _ = run(Ride(of="jerk", every=1 / rate), (G + trip(45.0, 1.75, rate, jerk=1.4))[None])
    assert rides(s)[0] == pytest.approx(1.4, rel=0.03)


@pytest.mark.parametrize("wrong", [0.0, 0.02, -0.3])
def test_trips_are_found_whatever_the_sensor_takes_for_zero(wrong: float) -> None:
    heights = (45.0, -45.0, 3.0, 6.0, -9.0, 30.0, -15.0, -15.0)
    x = G + wrong + np.concatenate([trip(h, 1.75) for h in heights])
    x += 0.006 * np.random.default_rng(1).normal(size=x.size)
    s, _ = run(Ride(of="jerk"), x[None])
    assert len(rides(s)) == len(heights)


def test_a_watch_that_begins_under_way_finds_its_feet() -> None:
    heights = (45.0, 30.0, 15.0, -60.0, 30.0, -45.0, 45.0, -45.0)
    x = G + np.concatenate([trip(h, 1.75) for h in heights])
    late = x[RATE * 22 :]  # the car is at full speed, and nothing tells that from rest
    s, _ = run(Ride(of="jerk"), late[None])
    assert len(heights) - 3 <= len(rides(s)) <= len(heights) - 1
    assert not s.going[0]


def test_people_who_walk_about_and_a_fitter_who_creeps_are_no_trips() -> None:
    rng, k = np.random.default_rng(3), RATE * 600
    t = np.arange(k) / RATE
    x = G + 0.004 * rng.normal(size=k)
    for at in rng.uniform(20, 590, 60):  # a step: the car sinks on its springs and swings out
        since = np.maximum(t - at, 0.0)
        x += 0.5 * np.exp(-since / 0.3) * np.sin(2 * np.pi * 4 * since)
    s, score = run(Ride(window=1, times=1), x[None])
    assert rides(s) == []
    assert np.nanmax(score) == 0
    creep = G + np.concatenate([trip(h, 0.6) for h in (9.0, -9.0, 9.0)])
    creep += 0.2 * np.sin(2 * np.pi * 5 * np.arange(creep.size) / RATE)
    assert rides(run(Ride(window=1, times=1), creep[None])[0]) == []


def test_a_car_of_two_speeds_that_creeps_in_makes_one_trip_and_its_rest_does_not_soothe_it() -> None:
    made = []
    for sign in (1, -1, -1, 1, 1, -1):
        v = np.interp(np.arange(0, 50, 1 / RATE), [10, 11.5, 30, 31.2, 35, 35.4], [0, 1, 1, 0.25, 0.25, 0])
        one = sign * np.gradient(np.convolve(np.pad(v, RATE, "edge"), np.ones(16) / 16, "same")[RATE:-RATE]) * RATE
        t = np.arange(v.size) / RATE
        rough = np.where((t > 20) & (t < 21.5), 0.1, 0.05) * (v > 0)  # a joint: a twelfth of the time under way
        made.append(one + rough * np.sin(2 * np.pi * 5 * t))
    x = G + np.concatenate(made) + 0.006 * np.random.default_rng(1).normal(size=len(made) * made[0].size)
    found = rides(run(Ride(), x[None])[0])
    assert len(found) == len(made)
    assert found == pytest.approx([0.2 * 1.039] * len(made), rel=0.05)


def test_a_lost_packet_costs_the_trip_under_way_and_no_other() -> None:
    x = G + np.concatenate([trip(h, 1.75) for h in (45.0, -45.0, 45.0)])
    t = times(1, x.size)
    there = np.ones(x.size, np.bool_)
    there[RATE * 75 : RATE * 76] = False  # in the second
    s, score = run(Ride(of="jerk", window=2, times=2), x[None, there], t[:, there])
    assert len(rides(s)) == 2
    assert score[0, -1] > 0


def test_what_cannot_show_a_ride_is_not_judged() -> None:
    x = waves(60)
    assert np.isnan(run(Ride(every=0.1), x, times(len(x), x.shape[1], 0.1))[1]).all()


def test_a_sound_car_is_quiet_and_a_rail_that_goes_bad_is_told_by_its_level() -> None:
    sound = run(Ride(window=10, times=5), waves(1800, vibration=0.15, trips=2000, lifts=2))[1]
    assert np.nanmax(sound) < 1
    defect = RailDefect(at=0.0, factor=2.0, over=60.0)
    bad = run(Ride(window=10, times=5), waves(1800, defect, vibration=0.18, trips=2000, lifts=1))[1]
    assert 1.5 < np.nanmax(bad) < 2.25  # 0.36 m/s²: YELLOW
