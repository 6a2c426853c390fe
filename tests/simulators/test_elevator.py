"""Lifts whole: trips, doors and people agree; what goes wrong looks as its truth says, and ends."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lifeline.model import NS, Batch, Block, Floats, Ints, Level
from simulators.elevator import harmless, hazards, machine, wear
from simulators.elevator.faults import KINDS
from simulators.elevator.ride import RATE, a95, weighted
from simulators.elevator.scene import STATES, ElevatorWorld, maker
from simulators.elevator.stops import FEATURES
from simulators.plan import Plan
from simulators.rhythm import EAST, lift_calls
from simulators.scenario import FOLDER, files, load
from simulators.stage import stage
from simulators.world import Part, Run, Scene

START = 1_795_420_800 * NS  # evening
N = 12
HIGH = {"floors": 31, "rated": 2.5}
MORE = (
    *STATES,
    "direction",
    "floor",
    "power",
    "safety_circuit",
    "lock_circuit",
    "limit_switch",
    "buffer_switch",
    "landing_button",
)


def scene(*faults: Any, **world: Any) -> Scene:
    return maker.scene(ElevatorWorld(**{"lifts": N, "trips": 400, **HIGH, **world}), faults, START, 1)


def parts(s: Scene, seconds: float, cuts: Sequence[float] = ()) -> list[Part]:
    run, edges = Run(s.model, START), [START + round(c * NS) for c in (0, *cuts, seconds)]
    return [p for a, z in pairwise(edges) for p in run.emit(a, z)]


def told(s: Scene, seconds: float, cuts: Sequence[float] = ()) -> Batch:
    return Batch.joined([p for p in parts(s, seconds, cuts) if isinstance(p, Batch)])


def of(s: Scene, b: Batch, key: str) -> tuple[Ints, Floats]:
    mine = b.row == s.catalog.row[key]
    return b.t[mine], b.value[mine]


def held(s: Scene, b: Batch, car: int, seconds: int) -> dict[str, Floats]:
    """Each channel of one car as it stands at every second."""
    grid, out = START + NS * np.arange(2, seconds + 1), {}
    for key in (str(k) for k in s.catalog.key if str(k).startswith(f"car-{car:03d}/")):
        t, x = of(s, b, key)
        if t.size:
            out[key.partition("/")[2]] = x[np.searchsorted(t, grid, side="right") - 1]
    return out | {"t": (grid - START) / NS}


def test_a_healthy_car_never_moves_with_its_door_open_nor_stops_between_landings() -> None:
    s = scene()
    b, trips = told(s, 1800), 0
    for car in range(1, N + 1):
        x = held(s, b, car, 1800)
        assert not ((x["door"] > 0) & (x["motion"] > 0)).any()
        assert not ((x["door_zone"] == 0) & (x["motion"] == 0)).any()
        assert not ((x["door"] > 0) & (x["door_zone"] == 0)).any()
        assert x["speed"].max() <= 2.5 * 1.02
        shut = (x["door"] == 0) & (x["motion"] == 0) & (x["passengers"] > 0)
        assert np.convolve(shut, np.ones(3), "valid").max() < 3
        trips += int((np.diff(x["motion"]) > 0).sum())
    assert 0.5 < trips / (N * 400 / 86_400 * 1800 * 1.6) < 1.5


def test_trips_of_each_hour_are_as_many_as_the_rhythm_says() -> None:
    s = scene(channels=(), features=("levelling",), lifts=40, trips=100)
    b = told(s, 86_400)
    hour = (b.t // NS + EAST) % 86_400 // 3600
    many = np.bincount(hour, minlength=24)
    rate = np.array([np.mean([lift_calls(3600.0 * (h + (i + 0.5) / 60) - EAST) for i in range(60)]) for h in range(24)])
    expected = 40 * 100 * rate / rate.sum()
    assert np.abs((many - expected) / np.sqrt(expected)).max() < 4.5  # Poisson: four and a half spreads; calls wait a little
    assert {7, 8, 18} & {int(h) for h in np.argsort(many)[-3:]}


def test_passengers_are_poisson_with_a_mean_of_1_2() -> None:
    s = scene(trips=1500)
    b = told(s, 3600)
    riding = np.concatenate([x["passengers"][x["motion"] > 0] for x in (held(s, b, c, 3600) for c in range(1, N + 1))])
    assert riding.mean() == pytest.approx(1.2, abs=0.25)
    assert (riding == 0).mean() == pytest.approx(np.exp(-1.2), abs=0.08)


def test_everything_is_said_once_a_heartbeat() -> None:
    b, gaps = told(scene(trips=1), 100), defaultdict(list)
    for row, t in zip(b.row.tolist(), b.t.tolist(), strict=True):
        gaps[row].append(t)
    assert len(gaps) == 7 * N
    assert max(np.diff(t).max() for t in gaps.values()) <= 20 * NS


def test_what_changes_is_said_and_what_does_not_is_not() -> None:
    b = told(scene(riding=False), 600)
    for row in np.unique(b.row):
        mine = b.row == row
        t, x = b.t[mine], b.value[mine]
        assert (np.diff(t) > 0).all()
        same = np.flatnonzero(np.diff(x) == 0) + 1
        assert np.unique(-(-t[same] // NS) % 20).size <= 1  # only heartbeats repeat


def test_terminals_that_look_only_when_something_changes_miss_nothing() -> None:
    often, seldom = scene(), scene(riding=False)
    one, two = told(often, 900), told(seldom, 900)
    for name in ("door", "motion", "passengers"):
        for car in range(1, N + 1):
            (t, x), (at, y) = (of(s, b, f"car-{car:03d}/{name}") for s, b in ((often, one), (seldom, two)))
            np.testing.assert_array_equal(x[np.flatnonzero(np.diff(x, prepend=-1))], y[np.flatnonzero(np.diff(y, prepend=-1))])
            one_at, two_at = (a[np.flatnonzero(np.diff(v, prepend=v[0]))] for a, v in ((t, x), (at, y)))
            np.testing.assert_array_equal(one_at, two_at)


def test_cutting_the_time_axis_changes_nothing_and_another_seed_does() -> None:
    def lines(cuts: list[float], seed: int = 1) -> np.ndarray:
        faults = (hazards.Entrapment("elevator-003", at=100, lasts=60),)
        world = ElevatorWorld(lifts=N, trips=400, features=FEATURES, accelerometer=True, **HIGH)  # type: ignore[arg-type]
        got = parts(maker.scene(world, faults, START, seed), 300, cuts)
        b = Batch.joined([p.flat() if isinstance(p, Block) else p for p in got])
        return np.stack([b.row, b.t, b.value.view(np.int64)])[:, np.lexsort((b.t, b.row))]

    whole = lines([])
    np.testing.assert_array_equal(whole, lines([0.5, 59.99, 60.0, 123.4]))
    other = lines([], 2)
    assert whole.shape != other.shape or (whole != other).any()


TROUBLE: dict[str, Any] = {
    "between": hazards.Entrapment("elevator-004", at=120, lasts=240, place="between", cause="safety"),
    "landing": hazards.Entrapment("elevator-004", at=120, lasts=240, place="landing"),
    "outside": hazards.StopOutside("elevator-004", at=120, lasts=240),
    "power": hazards.PowerLoss("elevator-004", at=120, lasts=240),
    "door": hazards.DoorMoving("elevator-004", at=120, lasts=12),
    "overspeed": machine.Overspeed("elevator-004", at=120, lasts=8),
    "overrun": machine.Overrun("elevator-004", at=120, lasts=240, side="bottom", passengers=2),
    "drag": machine.BrakeDrag("elevator-004", at=120, lasts=20),
    "maintenance": harmless.Maintenance("elevator-004", at=120, lasts=240),
    "hold": harmless.HoldDoor("elevator-004", at=120, lasts=240, passengers=1),
    "phantom": harmless.PhantomMotion("elevator-004", at=120, lasts=240),
    "poster": harmless.Poster("elevator-004", at=120, lasts=240),
    "button": harmless.ButtonStuck("elevator-004", at=120, lasts=240),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_looks_as_it_should_and_ends(kind: str) -> None:
    fault = TROUBLE[kind]
    s = scene(fault, channels=MORE, features=FEATURES)
    x = held(s, told(s, 600), 4, 600)
    during = (x["t"] >= 125) & (x["t"] < 120 + fault.lasts - 1)
    stopped, inside, shut, out = x["motion"] == 0, x["passengers"] > 0, x["door"] == 0, x["door_zone"] == 0
    wrong = {
        "between": stopped & inside & shut & out & (x["safety_circuit"] == 0),
        "landing": stopped & inside & shut & ~out,
        "outside": stopped & ~inside & shut & out,
        "power": stopped & shut & (x["power"] == 0),
        "door": ~stopped & ~shut,
        "overspeed": x["speed"] > 1.2 * 2.5,
        "overrun": stopped & inside & shut & out & (x["limit_switch"] == 1) & (x["buffer_switch"] == 1),
        "drag": ~stopped & (x["speed"] < 0.62 * 2.5),
        "maintenance": (x["mode"] == 1) & ~shut,
        "hold": stopped & ~shut,
        "phantom": ~stopped & ~shut,
        "poster": inside,
        "button": x["landing_button"] == 1,
    }[kind]
    if kind == "phantom":
        assert 1 < np.convolve(wrong, np.ones(6), "valid").max() <= 3  # a moment of three seconds, then none
    else:
        assert wrong[during].all()
    assert not wrong[x["t"] < 119].any() or kind in {"landing", "hold", "drag", "poster"}
    after = x["t"] > 120 + fault.lasts + 5
    assert kind == "phantom" or (x["door"][after] == 1).any()  # people get out, and the car goes on
    assert (x["alarm_button"].max() == 1) == (kind == "between")


def test_a_car_that_should_turn_round_does_and_comes_to_its_landing_all_the_same() -> None:
    s = scene(machine.Reversal("elevator-001", at=120, lasts=8), channels=MORE)
    x = held(s, told(s, 240), 1, 240)
    back = (x["t"] >= 124) & (x["t"] < 127)
    assert (x["direction"][back] == -1).all()
    assert (np.diff(x["floor"][back]) <= 0).all()
    assert x["floor"][(x["t"] > 110) & (x["t"] < 170)].max() == 30
    (true,) = s.model.truth()
    assert (true.hazard, true.min_level) == ("reversal", Level.NORMAL)


def test_a_car_runs_away_as_steeply_as_said() -> None:
    s = scene(machine.Overspeed("elevator-001", at=120, lasts=8, factor=1.2, ramp=4.0))
    x = held(s, told(s, 180), 1, 180)
    at = (x["t"] >= 121) & (x["t"] <= 127)
    np.testing.assert_allclose(x["speed"][at], 2.5 * (1 + 0.2 * np.clip((x["t"][at] - 121) / 4, 0, 1)), atol=0.15)


def test_a_door_can_open_at_a_given_speed_and_the_truth_counts_from_there() -> None:
    s = scene(hazards.DoorMoving("elevator-001", at=120, lasts=10, speed=0.6))
    x = held(s, told(s, 180), 1, 180)
    first = np.flatnonzero((x["door"] == 1) & (x["motion"] == 1))[0]
    assert 0.4 < x["speed"][first] < 1.5  # at most a second later, at 0.8 m/s²
    (true,) = s.model.truth()
    assert (true.min_level, true.hazard) == (Level.RED, "door_open_moving")
    assert (true.onset - START) / NS == pytest.approx(120, abs=0.11)
    assert (true.detectable - true.onset) / NS == pytest.approx(0.3, abs=0.11)  # 0.2 m at 0.6 m/s and rising


def test_a_car_that_drifts_off_its_landing_is_stopped_within_what_the_code_allows() -> None:
    fault = hazards.Drifting("elevator-001", at=120, lasts=120, far=1.1)
    s = scene(fault, channels=(*STATES, "air_pressure"))
    x = held(s, told(s, 300), 1, 300)
    moved = (x["t"] >= 121) & (x["motion"] == 1) & (x["door"] == 1) & (x["t"] < 130)
    assert 1 <= moved.sum() <= 3  # √(2·1.1/0.3) = 2.7 s
    (true,) = [t for t in s.model.truth() if t.hazard == "door_open_moving"]
    assert true.min_level is Level.RED
    assert (true.detectable - START) / NS == pytest.approx(120 + np.sqrt(2 * 0.2 / 0.3), abs=0.15)


def test_the_air_thins_by_36_pascal_a_storey_and_a_front_passes() -> None:
    channels = (*STATES, "air_pressure")
    front = harmless.WeatherFront(at=0, lasts=3600)
    calm, stormy = (scene(*faults, lifts=1, channels=channels, trips=1) for faults in ((), (front,)))
    sunk = []
    for s in (calm, stormy):
        t, p = of(s, told(s, 3600), "car-001/air_pressure")
        sunk.append(p[np.abs(t - START - 1800 * NS) < 180 * NS].mean())
    assert sunk[0] - sunk[1] == pytest.approx(800, abs=8)  # 3 Pa of noise in 18 readings; 800·sin² within three minutes
    assert stormy.model.truth() == []
    ridden = scene(lifts=1, channels=channels, trips=2000, floors=2)
    p = of(ridden, told(ridden, 3600), "car-001/air_pressure")[1]
    trend = np.polynomial.Polynomial.fit(np.arange(p.size), p, 2)(np.arange(p.size))
    low, high = p[p - trend < -10] - trend[p - trend < -10], p[p - trend > 10] - trend[p - trend > 10]
    assert np.median(high) - np.median(low) == pytest.approx(36, abs=5)


def test_what_wears_grows_as_said_and_is_known_before_it_passes_the_first_bound() -> None:
    day = 86_400.0
    worn = (
        wear.BrakeWear("elevator-001", rate=0.05 / day),
        wear.LevellingDrift("elevator-001", to=0.025, over=8 * day),
        wear.RailDefect("elevator-001", factor=0.35 / 0.18, over=8 * day),
    )
    s = scene(*worn, lifts=1, channels=(), features=FEATURES, vibration=0.18)
    b = told(s, round(9 * day))
    last, first = b.t > START + round(8 * day) * NS, b.t < START + round(day / 4) * NS

    def median(name: str, when: Any) -> float:
        return float(np.median(b.value[(b.row == s.catalog.row[f"car-001/{name}"]) & when]))

    assert median("levelling", last) == pytest.approx(0.025, abs=1e-3)
    assert median("vibration", last) == pytest.approx(0.35, rel=0.04)
    assert median("brake_distance", last) / median("brake_distance", first) == pytest.approx(1.425, rel=0.03)
    seen = {t.hazard: (t.detectable - t.onset) / NS / day for t in s.model.truth()}
    assert seen["brake_wear"] == pytest.approx(0.04 / 0.05, abs=0.01)  # two spreads of 2 %
    assert seen["levelling"] == pytest.approx(8 * 6 / 25, abs=0.01)  # two spreads of 3 mm
    assert seen["ride_quality"] == pytest.approx(8 * 0.02 / 0.17, abs=0.01)  # the bound of 0.20 comes first


def test_stops_of_a_sound_car_are_as_good_as_they_should_be() -> None:
    s = scene(channels=(), features=FEATURES, lifts=20, trips=100, rated=1.75)
    b = told(s, 86_400)

    def values(name: str) -> Floats:
        return np.concatenate([of(s, b, f"car-{i:03d}/{name}")[1] for i in range(1, 21)])

    level = values("levelling")
    assert level.mean() == pytest.approx(0, abs=3e-4)
    assert level.std() == pytest.approx(3e-3, rel=0.05)
    assert values("brake_distance").mean() == pytest.approx(1.75**2 / 4, rel=0.01)  # v²/2a at 2 m/s²
    assert values("door_time").mean() == pytest.approx(2.5, abs=0.01)
    assert values("vibration").mean() == pytest.approx(0.15, rel=0.04)
    assert values("rope_slip").max() < 0.010
    assert values("jerk").min() >= 1.0


def test_slipping_ropes_fall_behind_their_sheave_by_what_is_told_at_the_stop() -> None:
    channels = (*STATES, "sheave_speed", "rope_speed")
    s = scene(machine.RopeSlip("elevator-001", at=120, slip=0.060), lifts=1, channels=channels, features=FEATURES, trips=0)
    b = told(s, 240)
    (slip,) = of(s, b, "car-001/rope_slip")[1][-1:]
    assert slip == pytest.approx(0.060, abs=0.006)
    x = held(s, b, 1, 240)
    behind = (x["sheave_speed"] - x["rope_speed"] * 1.001)[(x["t"] >= 121) & (x["t"] < 124)]
    assert behind.sum() == pytest.approx(0.060, abs=0.031)  # by the second: half of two seconds' slipping may fall between
    (true,) = s.model.truth()
    assert (true.hazard, true.min_level) == ("rope_slip", Level.RED)


def test_a_blocked_door_tells_how_often_it_opened_again_and_when_it_is_free() -> None:
    s = scene(hazards.BlockedDoor("elevator-001", at=60, cycles=30), lifts=1, features=("reopenings",), trips=0)
    t, x = of(s, told(s, 400), "car-001/reopenings")
    assert x.max() == 30
    assert (t[np.argmax(x)] - START) / NS == pytest.approx(60 + 30 * 6.5, abs=20)  # half a swing there and back, and the dwell
    (true,) = s.model.truth()
    assert (true.hazard, true.min_level, true.max_level) == ("door_fault", Level.YELLOW, Level.ORANGE)
    assert scene(harmless.HoldDoor("elevator-001"), lifts=1).model.truth() == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (hazards.Entrapment(lasts=40, alarm=100), {}),
        (hazards.Entrapment(lasts=100, alarm=30), {"entrapment": (Level.RED, 30), "stop_outside_zone": (Level.NORMAL, 60)}),
        (hazards.Entrapment(lasts=100, place="landing"), {"entrapment": (Level.ORANGE, 60)}),
        (hazards.Entrapment(lasts=2000, place="landing"), {"entrapment": (Level.RED, 60)}),
        (hazards.StopOutside(lasts=100), {"stop_outside_zone": (Level.YELLOW, 60)}),
        (machine.Overspeed(factor=1.12), {"overspeed": (Level.YELLOW, 0.5)}),
        (machine.Overspeed(factor=1.04), {}),
        (machine.Overrun(far=0.1, lasts=50), {"overrun": (Level.YELLOW, 0.1)}),
        (machine.Overrun(far=0.4, lasts=50), {"overrun": (Level.RED, 0.1)}),
        (harmless.HoldDoor(passengers=2), {}),
    ],
)
def test_the_truth_is_what_the_motion_of_the_car_says(fault: Any, expected: dict[str, tuple[Level, float]]) -> None:
    s = scene(fault, lifts=1, channels=MORE)
    own = {"door_fault", "safety_circuit"}  # said by channels and devices, graded by no table
    got = {
        t.hazard: (t.min_level, round((t.detectable - t.onset) / NS, 1))
        for t in s.model.truth()
        if t.hazard and t.hazard not in own
    }
    assert {h: level for h, (level, _) in got.items()} == {h: level for h, (level, _) in expected.items()}
    assert all(abs(got[h][1] - wait) <= 2.0 for h, (_, wait) in expected.items())
    assert all(t.place for t in s.model.truth() if t.hazard and t.hazard not in own)


def test_who_is_shut_in_for_a_night_is_so_until_he_is_freed() -> None:
    s = scene(hazards.Entrapment(at=600, lasts=9 * 3600, place="landing"), lifts=1)
    (true,) = [t for t in s.model.truth() if t.hazard == "entrapment"]
    assert (true.end - true.onset) / NS == pytest.approx(9 * 3600, abs=20)
    assert true.min_level is Level.RED


def test_only_devices_are_at_fault_where_only_devices_are() -> None:
    for fault, name in (
        (harmless.Poster(), "poster"),
        (harmless.PhantomMotion(), "phantom_motion"),
        (harmless.Maintenance(), "maintenance"),
    ):
        (true,) = scene(fault).model.truth()
        assert (true.hazard, true.sensor_fault) == (None, name)


def test_a_roof_shakes_as_roughly_as_the_trips_are_told_to() -> None:
    s = scene(accelerometer=True, lifts=1, trips=2000, rated=1.75, vibration=0.15)
    waves = [p for p in parts(s, 1800) if isinstance(p, Block)]
    assert {p.value.shape for p in waves} == {(1, RATE)}
    z = np.concatenate([p.value[0] for p in waves])
    at = np.concatenate([p.t[0] + p.step * np.arange(RATE) for p in waves])
    assert (np.diff(at) == NS // RATE).all()
    b = told(s, 1800)
    x = held(s, b, 1, 1800)
    fast = np.repeat(np.convolve(np.abs(x["speed"] - 1.75) < 0.02, np.ones(3), "same") == 3, RATE)
    ride = z[RATE : RATE + fast.size][fast]
    assert ride.std() == pytest.approx(0.15 / 3.0, rel=0.35)
    assert a95(ride) == pytest.approx(0.15, rel=0.25)
    rest = np.repeat(np.convolve(x["motion"] == 0, np.ones(3), "same") == 3, RATE)
    assert z[RATE : RATE + rest.size][rest].std() == pytest.approx(100e-6 * 9.80665 * np.sqrt(32), rel=0.05)
    speeding = np.abs(z[RATE : RATE + fast.size][~fast & ~rest])
    assert 0.7 < np.percentile(speeding, 97) < 1.2  # 0.8 m/s² and the shaking


def test_a_trip_that_begins_with_a_slot_is_no_blow_to_the_roof() -> None:
    s = scene(accelerometer=True, channels=(), lifts=4, trips=1500, floors=30, vibration=0.3)
    waves = [p.value for p in parts(s, 840) if isinstance(p, Block)]
    assert max(np.abs(v).max() for v in waves) < 1.5


def test_a_waveform_has_the_a95_of_its_car_as_people_feel_it() -> None:
    s = scene(accelerometer=True, channels=(), lifts=1, trips=2000, floors=100, rated=1.75, vibration=0.15)
    z = np.concatenate([p.value[0] for p in parts(s, 3600) if isinstance(p, Block)])
    fast = np.abs(np.convolve(z, np.ones(RATE) / RATE, "same")) < 0.1
    shaken = np.convolve(z**2, np.ones(RATE) / RATE, "same") > 0.02**2
    steady = np.flatnonzero(fast & shaken)
    runs = [r for r in np.split(steady, np.flatnonzero(np.diff(steady) > 1) + 1) if r.size > 20 * RATE]
    assert len(runs) > 10
    felt_by_people = [a95(weighted(z[r][None])[0]) for r in runs]
    assert np.median(felt_by_people) == pytest.approx(0.15, rel=0.06)


def test_a_brake_that_stops_a_car_under_way_is_felt_as_two_metres_a_second_squared() -> None:
    s = scene(hazards.StopOutside(at=120, lasts=60), accelerometer=True, lifts=1, trips=0, rated=1.75)
    waves = [p for p in parts(s, 150) if isinstance(p, Block)]
    z = np.concatenate([p.value[0] for p in waves])
    t = (np.concatenate([p.t[0] + p.step * np.arange(RATE) for p in waves]) - START) / NS
    stop = z[(t > 120.05) & (t < 120 + 1.75 / 2 - 0.05)]
    assert stop.mean() == pytest.approx(-2.0, abs=0.1)
    assert np.abs(z[(t > 121.1) & (t < 140)]).max() < 0.03


def test_a_town_has_its_lifts_by_name() -> None:
    s = maker.town(Plan(lifts=200), [hazards.Entrapment("elevator-fenglu-007")], START, 1)
    assert len(s.catalog.row) == s.catalog.n == 1400
    assert s.catalog.asset[s.catalog.row["car-longjie-004/door"]] == "elevator-longjie-004"


@pytest.mark.parametrize(
    ("fault", "world", "why"),
    [
        (hazards.Entrapment("elevator-013"), {}, "there is no elevator-013"),
        (wear.BrakeWear(), {}, "add it to features"),
        (harmless.WeatherFront(), {}, "add it to channels"),
        (machine.RopeSlip(), {"channels": (*STATES, "sheave_speed")}, "shows in rope_slip"),
        (hazards.Entrapment(cause="power"), {}, "shows in power"),
        (hazards.Entrapment(""), {}, r"fault\[0\].asset: there is no lift without a name"),
        (hazards.DoorMoving(speed=3.0), {}, r"fault\[0\].speed: the car never runs at 3 m/s"),
    ],
)
def test_a_fault_that_cannot_show_is_refused(fault: Any, world: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        scene(fault, **world)


def test_somebody_can_sleep_in_the_lobby() -> None:
    s = scene(harmless.HoldDoor(at=600, lasts=300, passengers=1, landing=1), channels=MORE, lifts=1, trips=400)
    x = held(s, told(s, 1000), 1, 1000)
    during = (x["t"] > 602) & (x["t"] < 900)
    assert (x["floor"][during] == 1).all()
    assert (x["door"][during] == 1).all()
    (true,) = scene(hazards.BlockedDoor(landing=3), features=("reopenings",)).model.truth()
    assert true.place == "floor-3"
    with pytest.raises(ValueError, match=r"fault\[0\].landing: there are 31"):
        scene(harmless.HoldDoor(landing=40))


def test_a_car_cannot_be_on_two_trips_at_once() -> None:
    first, second = hazards.Entrapment(lasts=600), hazards.StopOutside(at=900)
    with pytest.raises(ValueError, match=r"fault\[1\].at: another fault keeps elevator-001 busy") as why:
        scene(first, second)
    later = int(str(why.value).split("; ")[1].split()[0])
    both = scene(first, hazards.StopOutside(at=900 + later, lasts=120), lifts=1)
    assert len(both.model.truth()) == 3
    x = held(both, told(both, 1200 + later), 1, 1200 + later)
    for onset, lasts, inside in ((600, 600, True), (900 + later, 120, False)):
        during = (x["t"] > onset + 4) & (x["t"] < onset + lasts)
        assert (x["door_zone"][during] == 0).all()
        assert (x["motion"][during] == 0).all()
        assert ((x["passengers"][during] > 0) == inside).all()
    assert len(scene(first, hazards.StopOutside("elevator-002", at=900)).model.truth()) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_runs_as_it_comes(kind: str) -> None:
    made = KINDS[kind](at=60.0)
    s = scene(made, lifts=1, channels=(*MORE, "air_pressure"), features=FEATURES)
    assert told(s, 180).n > 0
    assert all(t.onset <= t.detectable <= t.end for t in s.model.truth())


@pytest.mark.parametrize("path", files(FOLDER / "elevator"), ids=lambda p: p.stem)
def test_each_scenario_means_what_it_expects(path: Any) -> None:
    """Its truth has the hazards that it demands, as grave as it demands, and no graver than it allows."""
    s = load(path)
    truth = stage(s).truth
    for e in s.expect:
        if e.level is not None:
            mine = [t for t in truth if t.hazard in e.hazard]
            assert mine
            assert max(t.max_level for t in mine) >= e.level
            assert max(t.min_level for t in mine) <= max(e.most, e.level)
    demanded = {h for e in s.expect for h in e.hazard}
    assert {t.hazard for t in truth if t.hazard and t.min_level > Level.NORMAL} <= demanded
