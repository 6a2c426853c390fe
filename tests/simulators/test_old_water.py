import numpy as np
import pytest

from lifeline.model import NS, Batch, Level
from lifeline.units import WATER_HEAD
from simulators import rhythm
from simulators.old_water import LOW, Burst, Water, grid
from simulators.world import Run

START = 1_795_420_800 * NS
BURST = Burst(gauge=7, onset=START + 30 * NS, end=START + 120 * NS, hole=0.15)


def town(*faults: Burst) -> Water:
    area = tuple(f"dma-{i // 5}" for i in range(20))
    return Water(grid(4, 5, 1), area, np.arange(20, dtype=np.int32), np.arange(20, 24, dtype=np.int32), 1, 5, faults)


def test_heads_solve_the_network() -> None:
    net = grid(4, 5, 1)
    s = net.sensitivity
    np.testing.assert_allclose(s, s.T, rtol=1e-9)  # reciprocity
    assert (s > 0).all()
    assert (s.argmax(axis=0) == np.arange(20)).all()  # lowest where the water is taken
    np.testing.assert_allclose(net.share.sum(axis=0), 1.0, rtol=1e-9)  # what is taken comes in


def test_what_comes_in_is_what_is_used_and_lost() -> None:
    world = town(BURST)
    at = (BURST.onset + 20 * NS) // NS
    head, supply = world.heads(at)
    used = world.network.demand.sum() * rhythm.water_demand(at)
    lost = 0.75 * np.pi * BURST.hole**2 / 4 * np.sqrt(2 * 9.80665 * head[BURST.gauge])
    assert supply.sum() == pytest.approx(used + lost, rel=1e-6)


def test_a_quiet_town_keeps_its_pressure_all_day() -> None:
    head = np.array([town().heads(START // NS + 600 * i)[0] for i in range(144)])
    assert head.min() > 25
    assert np.ptp(head, axis=0).min() > 0.5  # and breathes with demand


def test_a_burst_shows_in_its_own_area_as_its_truth_says() -> None:
    world = town(BURST)
    (true,) = [t for t in world.truth() if t.min_level is Level.RED]
    assert true.asset == "dma-1"
    b = Batch.joined([p for p in Run(world, START).emit(START, START + 180 * NS) if isinstance(p, Batch)])
    gauge, during = b.row < 20, (b.t >= true.detectable) & (b.t < true.end)
    low = np.unique(b.row[gauge & during & (b.value < LOW[2] * WATER_HEAD)])
    named = {i for i, a in enumerate(world.asset) if a in {t.asset for t in world.truth()}}
    assert BURST.gauge in low
    assert len(low) >= 2
    assert set(low.tolist()) <= named
    assert (b.value[gauge & ((b.t < true.onset) | (b.t >= true.end))] > 25 * WATER_HEAD).all()


def test_a_scratch_is_no_burst() -> None:
    assert town(Burst(3, START, START + NS, hole=0.005)).truth() == []
