from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from lifeline.model import NS, Batch, Block, Floats, Level
from simulators.effects import Drift, Dropout, Noise, Saturation, Skew, Spike, Stuck
from simulators.faults import Effect, SensorFault, spoil
from simulators.world import City, Part, batch
from tests.city import DEMO, START, ailing, demo, quiet

CATALOG = quiet().catalog


def lines(parts: Sequence[Part]) -> np.ndarray:
    """Every sample as (row, t, bits of the value), sorted."""
    b = Batch.joined([p.flat() if isinstance(p, Block) else p for p in parts])
    told = np.stack([b.row.astype(np.int64), b.t, b.value.view(np.int64)])
    return told[:, np.lexsort(told[::-1])]


def world(seed: int = 1, start: int = START) -> City:
    return demo(start, seed).world


@pytest.mark.parametrize("cuts", [(1.0, 2.0), (0.5, 13.37, 14.0, 25.999), (30.0,)])
def test_cutting_the_time_axis_changes_nothing(cuts: tuple[float, ...]) -> None:
    edges = [START, *(START + round(c * NS) for c in cuts), START + 40 * NS]
    cut, told = world(), list[Part]()
    for t0, t1 in pairwise(edges):
        told += cut.emit(t0, t1)
    np.testing.assert_array_equal(lines(told), lines(world().emit(START, START + 40 * NS)))


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    one, same, other = (lines(world(seed).emit(START, START + 10 * NS)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or (one != other).any()


def test_nothing_is_told_before_its_time_nor_twice() -> None:
    told = lines(quiet().world.emit(START, START + 30 * NS))
    assert told[1].min() > START
    assert told[1].max() <= START + 30 * NS
    assert np.unique(told[:2], axis=1).shape == told[:2].shape


def test_a_world_does_not_run_backwards() -> None:
    w = world()
    w.emit(START, START + 10 * NS)
    with pytest.raises(ValueError, match="make a new one"):
        w.emit(START, START + 5 * NS)


def test_every_series_of_the_city_reports_within_its_step() -> None:
    told = lines(quiet().world.emit(START, START + 60 * NS))
    for row in range(CATALOG.n):
        t = told[1, told[0] == row]
        assert t.size, CATALOG.key[row]
        assert np.diff(t, prepend=START, append=START + 60 * NS).max() <= CATALOG.step[row] * NS, CATALOG.key[row]


def test_the_city_is_as_large_as_promised() -> None:
    assets = {d: {a for a, of in zip(CATALOG.asset, CATALOG.domain, strict=True) if of == d} for d in set(CATALOG.domain)}
    assert len(assets["gas"]) >= 300
    assert sum(k.startswith(("gauge", "meter")) for k in CATALOG.key) == 120
    assert len(assets["bridge"]) == 6
    assert len(assets["elevator"]) == 200
    assert len(set(CATALOG.district)) == 6
    assert len(CATALOG.row) == CATALOG.n
    assert all(k == f"{d}/{k.split('/')[1]}" for k, d in zip(CATALOG.key, CATALOG.device, strict=True))


def test_healthy_readings_lie_within_their_range_and_below_every_limit() -> None:
    b = Batch.joined([p.flat() if isinstance(p, Block) else p for p in quiet().world.emit(START, START + 300 * NS)])
    assert (b.value >= CATALOG.low[b.row] - 1e-9).all()
    assert (b.value <= CATALOG.high[b.row] + 1e-9).all()
    most = {"methane": 0.005, "acceleration": 0.03 * 9.80665, "tilt": 3.5e-4, "wind_speed": 15.0}
    for quantity, limit in most.items():
        assert b.value[CATALOG.quantity[b.row] == quantity].max() < limit, quantity
    assert b.value[CATALOG.quantity[b.row] == "water_pressure"].min() > 20 * 9806.65
    share = b.value / CATALOG.rated[b.row]
    assert np.nanmax(share[CATALOG.domain[b.row] == "elevator"]) < 1.05
    pressure = share[CATALOG.quantity[b.row] == "gas_pressure"]
    assert 0.9 < pressure.min() < pressure.max() < 1.05


def test_the_demo_has_hazards_in_all_four_domains_and_sensors_that_fail() -> None:
    true = world().truth()
    worst = {str(CATALOG.domain[CATALOG.asset.tolist().index(t.asset)]): Level.NORMAL for t in true}
    for t in true:
        domain = str(CATALOG.domain[CATALOG.asset.tolist().index(t.asset)])
        worst[domain] = max(worst[domain], t.min_level)
        assert (t.hazard is None) != (t.sensor_fault is None)
        assert t.onset <= t.detectable <= START + 65 * NS
        assert t.min_level <= t.max_level
    assert worst == {"gas": Level.RED, "water": Level.RED, "bridge": Level.RED, "elevator": Level.RED}
    assert {t.sensor_fault for t in true} >= {"stuck", "dropout", "spike", "skew"}


def test_sensor_faults_change_no_other_series() -> None:
    well, told = (lines(on.world.emit(START, START + 60 * NS)) for on in (quiet(), ailing()))
    mine = [i for i, key in enumerate(CATALOG.key.tolist()) if key in {s.series for s in DEMO.sensor}]
    assert len(mine) == len(DEMO.sensor)
    np.testing.assert_array_equal(well[:, ~np.isin(well[0], mine)], told[:, ~np.isin(told[0], mine)])
    assert well.shape != told.shape


T, X = START + NS * np.arange(10), np.sin(np.arange(10.0))
SICK: dict[str, tuple[Effect, Floats]] = {
    "drift": (Drift(0.5), X[3:7] + 0.5 * np.arange(4)),
    "stuck": (Stuck(), np.full(4, X[3])),
    "spike": (Spike(9.0), X[3:7] + 9),
    "saturation": (Saturation(20.0), np.full(4, 20.0)),
}


def spoiled(effect: Effect, parts: Sequence[Part]) -> tuple[SensorFault, list[Part]]:
    """Readings as told by a sensor that is at fault from the fourth second to the seventh, part by part."""
    fault, held, out = SensorFault(5, "a", int(T[3]), int(T[7]), effect), None, list[Part]()
    for part in parts:
        held, told = spoil(fault, held, [part])
        out += told
    return fault, out


def both(k: int) -> tuple[list[Part], Block]:
    """The same ten readings of series 5 one by one beside series 6, and as one waveform."""
    singly: list[Part] = [batch([5, 6], t, [x, 1.0]) for t, x in zip(T, X, strict=True)]
    wave = np.stack([X, np.ones(k)])
    return singly, Block(np.array([5, 6], np.int32), T[[0, 0]], NS, wave, np.zeros((2, k), np.uint8))


@pytest.mark.parametrize("name", SICK)
def test_a_sensor_at_fault_tells_what_its_fault_makes_of_it(name: str) -> None:
    effect, expected = SICK[name]
    singly, block = both(10)
    for parts in (singly, [block]):
        fault, out = spoiled(effect, parts)
        told = Batch.joined([p.flat() if isinstance(p, Block) else p for p in out])
        mine = told.take(told.row == 5)
        np.testing.assert_allclose(mine.value[3:7], expected)
        np.testing.assert_array_equal(mine.value[[0, 1, 2, 7, 8, 9]], X[[0, 1, 2, 7, 8, 9]])
        np.testing.assert_array_equal(told.value[told.row == 6], 1.0)
    (true,) = fault.truth()
    assert (true.hazard, true.sensor_fault, true.max_level) == (None, name, Level.NORMAL)
    assert (true.onset, true.end) == (T[3], T[7])


def test_a_dropout_loses_readings_and_whole_waveforms() -> None:
    singly, block = both(10)
    told = Batch.joined([p for p in spoiled(Dropout(), singly)[1] if isinstance(p, Batch)])
    np.testing.assert_array_equal(told.t[told.row == 5], T[[0, 1, 2, 7, 8, 9]])
    (left,) = spoiled(Dropout(), [block])[1]
    assert left.row.tolist() == [6]


def test_a_clock_eight_hours_off_moves_the_time_and_not_the_value() -> None:
    told = Batch.joined([p for p in spoiled(Skew(8 * 3600.0), both(10)[0])[1] if isinstance(p, Batch)])
    mine = told.row == 5
    np.testing.assert_array_equal(told.value[mine], X)
    np.testing.assert_array_equal(told.t[mine] - T, [0] * 3 + [28_800 * NS] * 4 + [0] * 3)
    (late,) = spoiled(Skew(8 * 3600.0), [Block(np.array([5], np.int32), T[[3]], NS, X[None, 3:7], np.zeros((1, 4), np.uint8))])[
        1
    ]
    assert late.t[0] - T[3] == 28_800 * NS


def test_a_noisy_sensor_is_as_noisy_as_it_says_and_the_same_each_time() -> None:
    x = np.zeros((1, 5000))
    block = Block(np.array([5], np.int32), T[[3]], 200_000, x, np.zeros((1, 5000), np.uint8))
    one, same = (spoiled(Noise(2.0), [block])[1][0].value for _ in range(2))
    assert one.std() == pytest.approx(2.0, rel=0.05)
    np.testing.assert_array_equal(one, same)
