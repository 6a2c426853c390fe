"""The bridge world whole: what its sensors tell, and that its truth is what they tell."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifeline.model import NS, Batch, Block, Floats, Ints, Level
from lifeline.units import G
from simulators.bridge.behaviour import of
from simulators.bridge.faults import (
    Blocked,
    CableLoss,
    ColdSnap,
    Creep,
    Impact,
    Scour,
    Settlement,
    Stiffness,
    Storm,
    Unloading,
    Vortices,
)
from simulators.bridge.layout import RANGE
from simulators.bridge.model import BridgeModel
from simulators.bridge.passing import Convoy, Crowd, Overload
from simulators.bridge.scene import BridgeWorld, maker
from simulators.plan import Plan
from simulators.scenario import FOLDER, files, load
from simulators.stage import stage
from simulators.world import Part, Run, Scene

START = 1_795_420_800 * NS
DAY = 86_400.0
DEG = float(np.deg2rad(1))
ALL = BridgeWorld(
    count=2, cables=2, waves=5, slow=60.0, modal=60.0,
    fitted=(
        "deflection", "strain", "tilt", "roll", "bearing", "gnss", "joint", "temperature", "wind", "frequency", "cable", "wim",
    ),
)  # fmt: skip
SLOW = BridgeWorld(waves=0, daily=0.0, step=600.0, modal=3600.0, cables=2, fitted=(
    "deflection", "tilt", "bearing", "joint", "temperature", "wind", "frequency", "cable",
))  # fmt: skip


def scene(world: BridgeWorld = ALL, faults: Sequence[Any] = (), seed: int = 1) -> Scene:
    return maker.scene(world, faults, START, seed)


def told(s: Scene, seconds: float, cuts: Sequence[float] = ()) -> list[Part]:
    edges = [START, *(START + round(c * NS) for c in cuts), START + round(seconds * NS)]
    run = Run(s.model, START)
    return [p for t0, t1 in pairwise(edges) for p in run.emit(t0, t1)]


def flat(parts: Sequence[Part]) -> Batch:
    return Batch.joined([p.flat() if isinstance(p, Block) else p for p in parts])


def of_key(s: Scene, b: Batch, key: str) -> tuple[Floats, Floats]:
    """Instants [s] after the start, and values."""
    mine = b.row == s.catalog.row[key]
    order = np.argsort(b.t[mine], kind="stable")
    return (b.t[mine][order] - START) / NS, b.value[mine][order]


def bits(b: Batch) -> Ints:
    x = np.stack([b.row.astype(np.int64), b.t, b.value.view(np.int64)])
    return x[:, np.lexsort(x[::-1])]


@pytest.mark.parametrize("bursts", [False, True])
def test_the_same_seed_gives_the_same_bits_however_the_time_is_cut(bursts: bool) -> None:  # noqa: FBT001
    faults = (Impact(100.0), Vortices(30.0, 60.0, mode=1), Overload(50.0), Crowd(20.0, 100.0, bridge="bridge-2"))
    world = BridgeWorld(
        count=2, daily=20e3, fitted=ALL.fitted, slow=60.0, modal=60.0, packet=2.0, every=20.0 if bursts else 2.0
    )
    one = bits(flat(told(scene(world, faults), 200)))
    np.testing.assert_array_equal(one, bits(flat(told(scene(world, faults), 200, (1.0, 33.3, 60.0, 90.02, 199.0)))))
    other = bits(flat(told(scene(world, faults, 2), 200)))
    assert one.shape != other.shape or (one != other).any()


def test_every_series_is_told_at_its_cadence_and_within_its_range() -> None:
    s = scene()
    b = flat(told(s, 600))
    assert np.isfinite(b.value).all()
    assert (b.value >= s.catalog.low[b.row] - 1e-9).all()
    assert (b.value <= s.catalog.high[b.row] + 1e-9).all()
    count = np.bincount(b.row, minlength=s.catalog.n)
    steady = ~np.isin(s.catalog.quantity, ("vehicle_mass", "axle_mass"))
    np.testing.assert_array_equal(count[steady], np.round(600 / s.catalog.step[steady]))
    assert (count[~steady] > 20).all()
    assert len(set(s.catalog.key)) == s.catalog.n


def test_bursts_are_pieces_of_the_same_trembling() -> None:
    whole = BridgeWorld(daily=0.0, waves=3, fitted=("wind",))
    pieces = BridgeWorld(daily=0.0, waves=3, fitted=("wind",), packet=20.0, every=60.0)
    waves = [[p for p in told(scene(w), 1800) if isinstance(p, Block)] for w in (whole, pieces)]
    assert {p.value.shape for p in waves[1]} == {(3, 1000)}
    assert [p.t[0] - START for p in waves[1]] == [(60 * i + 40) * NS + NS // 50 for i in range(30)]
    steady, cut = (np.concatenate([p.value for p in w], axis=1) for w in waves)
    np.testing.assert_allclose(cut.std(axis=1), steady.std(axis=1), rtol=0.1)


def test_a_lorry_weighs_at_the_scale_what_it_weighs_and_bends_the_span() -> None:
    world = BridgeWorld(daily=0.0, waves=0, step=0.5 + 0.5, fitted=("wim", "deflection", "strain", "bearing"))
    s = scene(world, (Overload(20.0, mass=120e3, speed=5.0),))
    b = flat(told(s, 60))
    t, mass = of_key(s, b, "wim-1/gross")
    assert t.tolist() == [20.0]
    assert mass[0] == pytest.approx(120e3, rel=0.1)
    t, sag = of_key(s, b, "level-1/mid")
    usual = np.median(sag[t < 20])
    assert sag.max() - usual == pytest.approx(120e3 * G * 30**3 / (48 * 6.3e10), rel=0.05)
    assert t[sag.argmax()] == pytest.approx(23, abs=1.01)
    (true,) = s.model.truth()
    assert (true.hazard, true.min_level, true.place) == ("bridge_overload", Level.ORANGE, "right lane")
    assert (true.end - true.onset) / NS == pytest.approx(6.0)


def test_two_lorries_on_one_side_are_graver_than_each_and_lift_a_narrow_bearing() -> None:
    pair = Overload(20.0, mass=90e3, count=2, gap=15.0, side=3.5)
    narrow, wide = (BridgeWorld(base=x, fitted=("wim", "bearing"), waves=0) for x in (1.5, 8.0))
    said = {t.hazard: t for t in scene(narrow, (pair,)).model.truth()}
    assert said["bridge_overload"].min_level is Level.RED
    assert said["bridge_bearing"].place in {"a-left", "b-left"}
    (alone,) = scene(wide, (Overload(20.0, mass=90e3),)).model.truth()
    assert alone.min_level is Level.YELLOW
    assert [t.hazard for t in scene(wide, (pair,)).model.truth()] == ["bridge_overload"]


def test_mixers_stand_on_the_span_until_they_go() -> None:
    world = BridgeWorld(daily=0.0, waves=0, fitted=("wim", "deflection", "strain"))
    s = scene(world, (Convoy(60.0, 120.0, mass=48e3, count=3),))
    b = flat(told(s, 300))
    t, sag = of_key(s, b, "level-1/mid")
    stands = (t > 70) & (t < 180)
    assert np.ptp(sag[stands]) < 1e-3
    assert sag[stands].mean() - sag[t < 60].mean() == pytest.approx(8.2e-3, rel=0.03)
    assert abs(sag[t > 190].mean() - sag[t < 60].mean()) < 1e-4
    assert of_key(s, b, "wim-1/gross")[0].size == 3
    (true,) = s.model.truth()
    assert true.min_level is Level.YELLOW


def test_an_impact_shakes_both_sensors_of_its_pier_and_leaves_a_tilt() -> None:
    s = scene(BridgeWorld(fitted=("tilt",)), (Impact(20.5),))
    said = [(t.hazard, t.min_level, t.place) for t in s.model.truth()]
    assert said == [("bridge_impact", Level.RED, "pier"), ("bridge_tilt", Level.YELLOW, "pier")]
    b = flat(told(s, 60))
    for name in ("pier-a", "pier-b"):
        t, x = of_key(s, b, f"accel-1-{name}/z")
        assert np.abs(x[(t > 20.5) & (t < 22)]).max() > 0.15 * G
        assert np.abs(x[t < 20.5]).max() < 0.03 * G
    assert np.abs(of_key(s, b, "accel-1-mid/z")[1]).max() < 0.03 * G
    for name in ("a", "b"):
        t, x = of_key(s, b, f"tilt-1-{name}/pier")
        assert x[t > 21].mean() - x[t < 20].mean() == pytest.approx(0.08 * DEG, rel=0.02)


def test_a_blow_beyond_the_range_is_cut_off_there() -> None:
    s = scene(BridgeWorld(fitted=("tilt",)), (Impact(5.0, peak=6 * G),))
    x = of_key(s, flat(told(s, 10)), "accel-1-pier-a/z")[1]
    assert np.abs(x).max() == pytest.approx(RANGE, rel=1e-4)
    assert (np.abs(x) > 0.999 * RANGE).sum() > 2


def test_vortices_swing_the_sensor_that_feels_their_mode() -> None:
    world = BridgeWorld(length=120.0, mass=15e3, stiffness=2e12, damping=0.006, waves=2, slow=60.0, fitted=("wind",), daily=0.0)
    s = scene(world, (Vortices(60.0, 900.0, mode=2),))
    (true,) = s.model.truth()
    assert (true.hazard, true.min_level) == ("bridge_vibration", Level.YELLOW)
    b = flat(told(s, 600))
    t, x = of_key(s, b, "accel-1-third/z")
    assert x[t > 500].std() == pytest.approx(0.35 * np.sin(0.6 * np.pi), rel=0.03)
    assert x[t < 60].std() < 0.01
    assert of_key(s, b, "accel-1-mid/z")[1].std() < 0.01
    t, wind = of_key(s, b, "wind-1/mean")
    np.testing.assert_allclose(wind[t > 60], 9.0, atol=1.5)


@pytest.mark.parametrize(
    ("fault", "hazard", "least", "place"),
    [
        (Stiffness(3 * DAY, loss=0.08), "bridge_stiffness", Level.BLUE, "span"),
        (Stiffness(3 * DAY, loss=0.2), "bridge_stiffness", Level.YELLOW, "span"),
        (CableLoss(3 * DAY, cable=2, loss=0.12), "bridge_cable", Level.YELLOW, "cable-2"),
        (Settlement(3 * DAY, amount=0.03), "bridge_deflection", Level.YELLOW, "span"),
        (Blocked(3 * DAY), "bridge_joint", Level.YELLOW, "joint"),
        (Unloading(3 * DAY, bearing="b-right", loss=0.12), "bridge_bearing", Level.YELLOW, "b-right"),
        (Scour(3 * DAY, 42 * DAY), "bridge_tilt", Level.YELLOW, "pier"),
        (Creep(3 * DAY), "bridge_deflection", Level.YELLOW, "span"),
        (Storm(3 * DAY, DAY), "bridge_wind", Level.YELLOW, ""),
    ],
)
def test_what_goes_wrong_slowly_has_a_truth_from_its_size(fault: Any, hazard: str, least: Level, place: str) -> None:
    true = next(t for t in scene(SLOW, (fault,)).model.truth() if t.hazard == hazard)
    assert (true.min_level, true.place) == (least, place)
    assert true.onset == START + round(3 * DAY * NS)
    assert true.onset <= true.detectable < true.end


@pytest.mark.parametrize("fault", [Stiffness(loss=0.01), CableLoss(loss=0.02), Unloading(loss=0.02), Creep(rate=1e-12)])
def test_what_is_too_small_to_matter_claims_no_hazard(fault: Any) -> None:
    assert scene(SLOW, (fault,)).model.truth() == []


def test_what_goes_wrong_slowly_shows_where_it_should_from_when_it_can_be_known() -> None:
    faults = (
        Stiffness(5 * DAY), CableLoss(5 * DAY, cable=2, over=5 * DAY), Blocked(5 * DAY), Scour(5 * DAY),
        Unloading(5 * DAY, over=DAY),
    )  # fmt: skip
    sick, well = scene(SLOW, faults), scene(SLOW)
    b, c = flat(told(sick, 15 * DAY)), flat(told(well, 15 * DAY))
    expected = {
        "modal-1/f1": 1 - np.sqrt(0.92), "modal-1/pier": 0.0129, "cable-1-2/force": 0.12, "bearing-1/a-left": 0.12,
        "bearing-1/a-right": -0.12,
    }  # fmt: skip
    for key, share in expected.items():
        (t, x), (_, y) = of_key(sick, b, key), of_key(well, c, key)
        assert np.abs(x[t < 5 * DAY] - y[t < 5 * DAY]).max() == 0
        assert 1 - (x / y)[t > 13.5 * DAY].mean() == pytest.approx(share, rel=0.1), key
    np.testing.assert_array_equal(of_key(sick, b, "cable-1-1/force")[1], of_key(well, c, "cable-1-1/force")[1])
    t, gap = of_key(sick, b, "joint-1/opening")
    warm = of_key(sick, b, "thermo-1/deck")[1]
    moves = [np.polyfit(warm[w], gap[w], 1)[0] for w in (t < 5 * DAY, t > 5 * DAY)]
    np.testing.assert_allclose(moves, [-1e-5 * 120, -0.05e-5 * 120], rtol=0.15)
    t, lean = of_key(sick, b, "tilt-1-a/pier")
    assert np.median(lean[t > 14.5 * DAY]) == pytest.approx(0.01 * DEG * 9.75 / 7, rel=0.2)


def test_creep_and_settlement_stay_under_the_sun() -> None:
    for fault, sunk in ((Creep(0.0, rate=1e-8), 1e-8 * 19.5 * DAY), (Settlement(0.0, amount=0.03, over=DAY), 0.015)):
        s, well = scene(SLOW, (fault,)), scene(SLOW)
        x, y = (of_key(w, flat(told(w, 20 * DAY)), "level-1/mid")[1] for w in (s, well))
        assert (x - y)[-144:].mean() == pytest.approx(sunk, rel=0.02)


def test_a_cold_snap_raises_frequencies_and_opens_joints_and_is_no_hazard() -> None:
    world = BridgeWorld(waves=0, daily=0.0, step=600.0, modal=3600.0, mean=16.0, fitted=("frequency", "joint", "temperature"))
    s, usual = scene(world, (ColdSnap(2 * DAY, 4 * DAY),)), scene(world)
    assert s.model.truth() == []
    b, c = (flat(told(w, 6 * DAY)) for w in (s, usual))
    (t, f), (_, g) = of_key(s, b, "modal-1/f1"), of_key(usual, c, "modal-1/f1")
    assert np.abs((f - g)[t < 2 * DAY]).max() == 0
    assert (f / g)[t > 4 * DAY].mean() > 1.022
    (t, x), (_, y) = of_key(s, b, "joint-1/opening"), of_key(usual, c, "joint-1/opening")
    assert (x - y)[t > 4 * DAY].mean() == pytest.approx(1e-5 * 120 * 15, rel=0.02)


def test_a_crowd_is_felt_and_is_at_most_a_nuisance() -> None:
    world = BridgeWorld(length=60.0, mass=18e3, stiffness=4.1e11, daily=0.0, fitted=("deflection",))
    s = scene(world, (Crowd(60.0, 600.0, people=500),))
    assert all(t.max_level <= Level.BLUE for t in s.model.truth())
    b = flat(told(s, 400))
    t, x = of_key(s, b, "accel-1-mid/z")
    assert x[t > 200].std() > 2.5 * x[t < 60].std()
    assert x[t > 200].std() < 0.2
    t, sag = of_key(s, b, "level-1/mid")
    assert sag[t > 200].mean() - sag[t < 60].mean() == pytest.approx(5 * 500 * 70 * G * 60**3 / (384 * 4.1e11), rel=0.1)


def test_a_city_is_quiet_and_named_by_its_streets() -> None:
    s = maker.town(Plan(), (), START, 1)
    assert s.catalog.n == 6 * 8
    assert "accel-fenglu-001-mid/z" in s.catalog.row
    assert set(s.catalog.asset) >= {"bridge-fenglu-001", "bridge-longjie-001"}
    b = flat(told(s, 300))
    assert np.bincount(b.row, minlength=s.catalog.n).max() == 300 * 50
    quantity = s.catalog.quantity[b.row]
    for name, most in {"acceleration": 0.03 * G, "pier_acceleration": 0.03 * G, "tilt": 3.5e-4, "wind_speed": 15.0}.items():
        assert np.abs(b.value[quantity == name]).max() < most, name
    assert np.nanmax((b.value / s.catalog.rated[b.row])[quantity == "deflection"]) < 0.6
    assert s.model.truth() == []


def test_a_large_city_tells_bursts() -> None:
    plan = Plan(districts="large", bridges=20, waves=12, packet=10.0, every=600.0, bridge_step=60.0)
    s = maker.town(plan, (Impact(100.0, bridge="bridge-d01-001"),), START, 1)
    assert s.catalog.n == 20 * (12 + 4)
    assert {t.asset for t in s.model.truth()} == {"bridge-d01-001"}
    assert s.catalog.report[s.catalog.row["accel-d01-001-mid/z"]] == 600
    waves = [p for p in told(s, 1200) if isinstance(p, Block)]
    assert [p.value.shape for p in waves] == [(240, 500), (240, 500)]


def test_modes_too_fast_for_the_sampling_are_kept_out_by_the_filter() -> None:
    s = scene(BridgeWorld(waves=2, daily=0.0, fitted=("frequency",)))
    assert isinstance(s.model, BridgeModel)
    assert s.model.heard[0].tolist() == [True, True, False, False, True]  # 4, 16, 36, 64 and 6 Hz at 50 Hz
    assert [k for k in s.catalog.key if k.startswith("modal")] == ["modal-1/f1", "modal-1/f2", "modal-1/pier"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Impact(bridge="bridge-7"), "bridge-7; did you mean"),
        (CableLoss(cable=9), "no cable 9; there are 2"),
        (Vortices(mode=6), "no mode 6; the span has 4"),
    ],
)
def test_a_fault_of_what_is_not_there_is_refused(fault: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scene(faults=(fault,))


def test_a_bridge_without_sensors_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is measured"):
        scene(BridgeWorld(fitted=(), waves=0))


OURS = files(FOLDER / "bridge")


@pytest.mark.parametrize("path", OURS, ids=[p.stem for p in OURS])
def test_what_a_scenario_demands_is_true(path: Path) -> None:
    s = load(path)
    true = stage(s).truth
    for e in [e for e in s.expect if e.level]:
        named = [t for t in true if t.hazard in e.hazard]
        assert max((t.max_level for t in named), default=Level.NORMAL) >= (e.level or Level.NORMAL), e
        assert min(t.min_level for t in named) <= e.most
    assert s.expect or not any(t.hazard for t in true)
    assert not s.ticket or any(t.sensor_fault for t in true)
    assert all(t.detectable < s.end for t in true if t.hazard)


@pytest.mark.parametrize(
    ("name", "key", "share"),
    [
        ("B4", "modal-1/f1", np.sqrt(0.92)),
        ("B5", "cable-1-3/force", 0.88),
        ("B5", "cable-1-4/force", 1.0),
        ("B10", "modal-1/pier", 0.89),
        ("B11", "modal-1/f1", 1.0),
    ],
)
def test_a_scenario_of_weeks_ends_as_it_says(name: str, key: str, share: float) -> None:
    """On its last day, with temperature taken out as the days before the fault have taught."""
    s = load(FOLDER / "bridge" / f"{name}.toml")
    st = stage(s)
    b = Batch.joined([turn.batch for turn in st.turns()])
    scn = Scene(st.catalog, None)  # type: ignore[arg-type]
    at = (s.start - START) / NS
    (t, x), (u, warm) = of_key(scn, b, key), of_key(scn, b, "thermo-1/deck")
    t, u, onset = t - at, u - at, s.fault[0][1].at
    temperature = np.interp(t - st.catalog.step[st.catalog.row[key]] / 2, u, warm)
    known = (t < onset) & (temperature > 274)
    last = (t > t[-1] - DAY) & (temperature > 274)
    usual = np.polyval(np.polyfit(temperature[known], x[known], 1), temperature[last])
    assert (x[last] / usual).mean() == pytest.approx(share, abs=0.006)


def test_the_first_of_each_kind_of_fault_is_told_apart() -> None:
    s = scene(faults=(Impact(), Crowd(), Impact(bridge="bridge-2")))
    assert isinstance(s.model, BridgeModel)
    assert [a.bridge for a, _ in of(s.model.station.acts, Impact)] == [0, 1]
