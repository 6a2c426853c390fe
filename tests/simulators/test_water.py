"""The water world whole: what its sensors tell, and that its truth is what they tell."""

import gzip
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifeline.model import NS, Batch, Floats, Ints, Level
from lifeline.units import WATER_HEAD
from simulators.plan import Plan
from simulators.scenario import FOLDER, files, load
from simulators.stage import stage
from simulators.water.faults import Burst, Hydrant, Leak, Shift, Stop
from simulators.water.network import found, read
from simulators.water.scene import WaterWorld, maker
from simulators.world import Run, Scene

START = 1_795_420_800 * NS
HOUR = 3600.0
CUBIC = 1 / HOUR  # [m³/s] of 1 m³/h
QUICK = WaterWorld(demand=150 * CUBIC, every=60.0, customers=2)
BURST = Burst(at=2 * HOUR, lasts=HOUR, pipe="121")


def scene(faults: Sequence[Any] = (), world: WaterWorld = QUICK, seed: int = 1) -> Scene:
    return maker.scene(world, faults, START, seed)


def told(s: Scene, seconds: float, cuts: Sequence[float] = ()) -> Batch:
    edges = [START, *(START + round(c * NS) for c in cuts), START + round(seconds * NS)]
    run = Run(s.model, START)
    return Batch.joined([p for t0, t1 in pairwise(edges) for p in run.emit(t0, t1) if isinstance(p, Batch)])


def of(s: Scene, b: Batch, key: str) -> tuple[Floats, Floats]:
    """Instants [s] after the start, and values."""
    mine = b.row == s.catalog.row[key]
    order = np.argsort(b.t[mine], kind="stable")
    return (b.t[mine][order] - START) / NS, b.value[mine][order]


def bits(b: Batch) -> Ints:
    x = np.stack([b.row.astype(np.int64), b.t, b.value.view(np.int64)])
    return x[:, np.lexsort(x[::-1])]


@pytest.mark.parametrize(("mode", "hours"), [("fast", 5.0), ("full", 2.0)])
def test_the_same_seed_gives_the_same_bits_however_the_time_is_cut(mode: Any, hours: float) -> None:
    world = WaterWorld(demand=150 * CUBIC, every=300.0, mode=mode, tanks=True, gauges=3)
    faults = (Burst(at=4000.0, lasts=1800.0, pipe="121"),)
    one = bits(told(scene(faults, world), hours * HOUR))
    np.testing.assert_array_equal(one, bits(told(scene(faults, world), hours * HOUR, (1.0, 77.7, 3600.0, 5000.0))))
    other = bits(told(scene(faults, world, seed=2), hours * HOUR))
    assert (one != other).any()


def test_a_burst_is_felt_by_gauges_and_inlets_as_its_truth_says() -> None:
    s = scene((BURST,))
    (true,) = s.model.truth()
    assert (true.asset, true.hazard, true.place) == ("dma-1", "water_burst", "121")
    assert true.min_level >= Level.ORANGE
    assert (true.detectable - true.onset) / NS <= 60
    b = told(s, 4 * HOUR)
    inflow, falls = np.zeros(2), []
    for key in map(str, s.catalog.key):
        if key.startswith("amr"):
            continue
        t, x = of(s, b, key)
        before, during = (x[(t > a) & (t < a + 1200)].mean() for a in (6000, 7300))
        if key.startswith("meter"):
            inflow += before, during
        elif key.startswith("gauge"):
            falls.append((before - during) / WATER_HEAD)
    assert 80 * CUBIC < inflow[1] - inflow[0] < 130 * CUBIC
    assert sum(f >= 3 for f in falls) >= 2
    assert min(falls) > -1


def test_a_quiet_area_keeps_its_pressure_and_breathes_with_demand() -> None:
    s = scene(world=WaterWorld(demand=100 * CUBIC))
    b = told(s, 48 * HOUR)
    pressure = [of(s, b, str(k))[1] / WATER_HEAD for k in s.catalog.key if str(k).startswith("gauge")]
    assert min(p.min() for p in pressure) > 20
    assert max(np.ptp(p) for p in pressure) > 5
    np.testing.assert_allclose(np.round(pressure[0], 2), pressure[0], atol=1e-9)
    assert s.model.truth() == []


def test_a_customer_is_read_each_hour() -> None:
    s = scene()
    t, x = of(s, told(s, 6 * HOUR), "amr-1-1/flow")
    np.testing.assert_array_equal(t, HOUR * np.arange(1, 7))
    assert set(told(s, HOUR).row) == set(range(s.catalog.n))
    assert x.min() >= 0


def test_what_only_looks_like_a_hazard_is_none() -> None:
    harmless = (Hydrant(HOUR, HOUR, "203"), Shift(HOUR, 86_400.0))
    assert scene(harmless).model.truth() == []


def test_what_is_over_as_it_begins_has_not_happened() -> None:
    s = scene((Burst(lasts=0.0, pipe="121"), Leak(lasts=0.0, pipe="121"), Stop(lasts=0.0, pump="335")))
    assert s.model.truth() == []
    np.testing.assert_array_equal(bits(told(s, 2 * HOUR)), bits(told(scene(), 2 * HOUR)))


def test_a_weeping_joint_claims_no_hazard() -> None:
    assert scene((Burst(at=HOUR, pipe="121", hole=0.001),)).model.truth() == []


def test_two_leaks_have_a_truth_each() -> None:
    s = scene((Burst(at=HOUR, pipe="121", hole=0.03), Burst(at=2 * HOUR, pipe="239", hole=0.03)))
    assert [t.place for t in s.model.truth()] == ["121", "239"]


def test_a_stopped_pump_leaves_pressures_low() -> None:
    world = WaterWorld(demand=150 * CUBIC, nodes=("153", "151", "145"))
    (true,) = scene((Stop(HOUR, 12 * HOUR, "335"),), world).model.truth()
    assert (true.hazard, true.place) == ("water_low_pressure", "335")
    assert true.max_level >= Level.ORANGE


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Burst(pipe="12"), r"fault\[0\].pipe: there is no '12'"),
        (Hydrant(node="x"), r"fault\[0\].node"),
        (Stop(pump="336"), r"fault\[0\].pump: .*did you mean '335'"),
    ],
)
def test_a_fault_of_what_is_not_there_is_refused(fault: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scene((fault,))


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (WaterWorld(network="Net4"), "network: there is no network 'Net4'"),
        (WaterWorld(network="nowhere.inp"), "network: there is no file nowhere.inp"),
        (WaterWorld(nodes=("1000",)), "nodes: there is no node '1000'"),
        (WaterWorld(reducer="x"), "reducer: there is no pipe 'x'"),
    ],
)
def test_a_network_that_is_not_there_is_refused(world: WaterWorld, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scene(world=world)


def test_any_network_file_will_do_be_it_packed_or_not(tmp_path: Path) -> None:
    plain = found("Net1").read_bytes()
    (tmp_path / "a.inp").write_bytes(plain)
    (tmp_path / "b.inp.gz").write_bytes(gzip.compress(plain))
    one, two, own = (
        told(scene(world=WaterWorld(network=n, gauges=2)), HOUR)
        for n in (str(tmp_path / "a.inp"), str(tmp_path / "b.inp.gz"), "Net1")
    )
    np.testing.assert_array_equal(bits(one), bits(two))
    np.testing.assert_array_equal(bits(one), bits(own))
    (tmp_path / "c.inp").write_text("no network\n")
    with pytest.raises(ValueError, match="is no network in EPANET's format"):
        scene(world=WaterWorld(network=str(tmp_path / "c.inp")))


def test_the_map_of_a_scene_says_where_its_gauges_are() -> None:
    s = scene(world=WaterWorld(gauges=3, nodes=("215", "166", "145")))
    text = s.maps["water"].read_text("utf-8")
    assert all(f" NODE {n} gauge-1-{k + 1}\n" in text for k, n in enumerate(("215", "166", "145")))
    assert read(str(s.maps["water"])).node_name_list == read("Net3").node_name_list


def test_a_city_has_its_areas_in_every_district_and_is_quiet() -> None:
    s = maker.town(Plan(), (), START, 1)
    assert s.catalog.n == 20 * (5 + 1)
    assert {"gauge-youso-001-3/pressure", "meter-jiucun-001/flow"} <= set(s.catalog.key)
    assert len(set(s.catalog.district)) == 6
    b = told(s, 600, (1.0, 61.5))
    np.testing.assert_array_equal(bits(b), bits(told(maker.town(Plan(), (), START, 1), 600)))
    assert np.bincount(b.row, minlength=s.catalog.n).min() == np.bincount(b.row).max() == 120
    gauge = s.catalog.quantity[b.row] == "water_pressure"
    assert b.value[gauge].min() > 25 * WATER_HEAD
    assert s.model.truth() == []


def test_a_burst_in_a_city_shows_within_seconds_in_its_own_area_alone() -> None:
    s = maker.town(Plan(), (Burst(at=10.0, lasts=100.0, gauge="gauge-youso-001-3", hole=0.15),), START, 1)
    (true,) = s.model.truth()
    assert (true.asset, true.hazard, true.place, true.min_level) == (
        "dma-youso-001",
        "water_burst",
        "gauge-youso-001-3",
        Level.RED,
    )
    assert (true.detectable - true.onset) / NS <= 5
    b = told(s, 180)
    t = (b.t - START) / NS
    low = (b.value < 14 * WATER_HEAD) & (s.catalog.quantity[b.row] == "water_pressure")
    assert set(s.catalog.asset[b.row[low]]) == {"dma-youso-001"}
    assert np.unique(b.row[low & (t < 25)]).size >= 2
    assert t[low].min() > 10
    assert t[low].max() < 110
    _, flow = of(s, b, "meter-youso-001/flow")
    assert flow.max() > flow.min() + 100 * CUBIC


@pytest.mark.parametrize(
    ("fault", "said"), [(Burst(gauge="gauge-x"), r"fault\[0\].gauge"), (Stop(pump="335"), r"fault\[0\].kind: a city's water")]
)
def test_a_city_refuses_what_it_does_not_have(fault: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        maker.town(Plan(), (fault,), START, 1)


def test_a_city_may_be_without_water() -> None:
    assert maker.town(Plan(areas=0), (), START, 1).catalog.n == 0
    assert told(maker.town(Plan(areas=2, gauges=1, water_step=600.0), (), START, 1), HOUR).n == 24


OURS = files(FOLDER / "water")


@pytest.mark.parametrize("path", OURS, ids=[p.stem for p in OURS])
def test_what_a_scenario_demands_is_true(path: Path) -> None:
    s = load(path)
    true = stage(s).truth
    for e in [e for e in s.expect if e.level]:
        named = [t for t in true if t.hazard in e.hazard]
        assert max((t.max_level for t in named), default=Level.NORMAL) >= (e.level or Level.NORMAL), e
        assert min(t.min_level for t in named) <= e.most
        assert e.top == 0 or all(t.place for t in named)
    wanted = {h for e in s.expect for h in e.hazard}
    assert {t.hazard for t in true if t.hazard} <= wanted
