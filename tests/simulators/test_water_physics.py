"""Hydraulics of the water world against WNTR itself, and against figures that know nothing of either."""

from typing import Any

import numpy as np
import pytest

from lifeline.model import NS, Floats
from simulators.water.demand import SPREAD, TERMS, drawn, noise, spread
from simulators.water.faults import Burst, Hydrant, Leak, Reducer, Shift, Stop
from simulators.water.hydraulics import Hydraulics, State
from simulators.water.model import WaterModel
from simulators.water.network import LEVELS
from simulators.water.scene import WaterWorld, maker
from simulators.water.tables import MEAN, Base, Change, loaded, response

START = 1_795_420_800 * NS
HOUR = 3600.0
CUBIC = 1 / HOUR  # [m³/s] of 1 m³/h
NET3 = Base("Net3")


def hydraulics(faults: tuple[Any, ...] = (), **world: Any) -> Hydraulics:
    return model(faults, **world).hydraulics


def model(faults: tuple[Any, ...] = (), **world: Any) -> WaterModel:
    made = maker.scene(WaterWorld(**world), faults, START, 1).model
    assert isinstance(made, WaterModel)
    return made


def both(faults: tuple[Any, ...], hours: int, **world: Any) -> tuple[State, State]:
    """What the tables say, and what WNTR says, of the same hours."""
    out = []
    for mode in ("fast", "full"):
        made = model(faults, mode=mode, demand=150 * CUBIC, every=600.0, **world)
        t = START / NS + 600 * np.arange(1.0, 6 * hours + 1)
        tank, parts = made.init(START // NS).tank, []
        for k in range(hours):
            tank, state = made.engine.states(t[6 * k : 6 * k + 6], tank)
            parts.append(state)
        out.append(State(*(np.concatenate(x, axis=1) for x in zip(*parts, strict=True))))
    return out[0], out[1]


def rms(x: Floats) -> float:
    return float(np.sqrt((x**2).mean()))


@pytest.mark.parametrize(("hole", "flow"), [(5, 1.3), (10, 5.1), (20, 20.6), (50, 129.0)])
def test_a_hole_leaks_what_its_formula_says(hole: float, flow: float) -> None:
    """Q = 0.00939 d² √H in m³/h, mm and m; the figures are those at 30 m."""
    assert 0.00939 * hole**2 * np.sqrt(30) == pytest.approx(flow, rel=0.02)
    change = Change("hole", "121", np.pi * (hole * 1e-3) ** 2 / 4)
    solved, net = response(NET3, change), loaded(NET3)
    ends = net.ends[net.link.index("121")]
    head = (net.solved.head + solved.head[-1])[MEAN, ends]
    height = net.elevation[ends].mean()
    assert solved.lost[-1, MEAN] * HOUR == pytest.approx(0.00939 * hole**2 * np.sqrt(head.mean() - height), rel=0.02)


def test_what_reservoirs_and_tanks_give_is_what_is_drawn_and_lost() -> None:
    h = hydraulics((Burst(at=6 * HOUR, pipe="121"), Hydrant(at=8 * HOUR, lasts=HOUR, node="203")), demand=150 * CUBIC)
    t = START / NS + 300 * np.arange(1.0, 145.0)
    _, s = h.states(t, h.rest())
    drawn_ = (h.net.demand[:, None] * h.level(t) * (1 + h.scatter(t))).sum(axis=0) * h.size
    hydrant = np.where((t >= START / NS + 8 * HOUR) & (t < START / NS + 9 * HOUR), 40 * CUBIC, 0.0)
    edge = np.abs((t - START / NS) % HOUR) < 300  # it opens and shuts within half a minute
    np.testing.assert_allclose(s.out.sum(axis=0)[~edge], (drawn_ + s.lost.sum(axis=0) + hydrant)[~edge], rtol=4e-3)
    assert s.lost[0].max() * HOUR > 80


def test_tables_are_what_wntr_says_of_the_same_hours() -> None:
    """Inlets of steady head: within 0.1 m and 0.5 % of the area's demand in the root mean square, burst included."""
    fast, full = both((Burst(at=3 * HOUR, pipe="121", hole=0.05),), 6)
    assert rms(fast.pressure - full.pressure) < 0.1
    assert np.percentile(np.abs(fast.pressure - full.pressure), 95) < 0.2
    assert np.ptp(full.pressure, axis=1).max() > 15
    assert rms(fast.out - full.out) < 0.005 * 150 * CUBIC
    np.testing.assert_allclose(fast.lost[:, -6:], full.lost[:, -6:], rtol=0.02)


def test_tanks_fill_and_empty_as_wntr_says() -> None:
    """Their answer is linear in the tables: two or three metres of pressure, half a metre of level after half a day."""
    fast, full = both((), 12, tanks=True)
    assert np.ptp(full.level, axis=1).max() > 2
    assert rms(fast.level - full.level) < 0.8
    assert rms(fast.pressure - full.pressure) < 3.0


def test_a_metre_of_drop_follows_from_the_pipes_of_the_linearised_network() -> None:
    """Its matrix against a small flow taken in WNTR."""
    net = loaded(NET3)
    node = net.node.index("167")
    drop, share = net.sensitivity()
    more = response(NET3, Change("flow", "167", 0.02))
    np.testing.assert_allclose(share.sum(axis=0)[net.demand > 0], 1.0, rtol=2e-3)
    np.testing.assert_allclose(more.out[1, MEAN] / 0.002, share[:, node], atol=0.02)
    near = np.argsort(drop[:, node])[-20:]
    np.testing.assert_allclose(-more.head[1, MEAN, near] / 0.002, drop[near, node], rtol=0.1)


def test_a_network_of_another_size_keeps_its_pressures() -> None:
    """Hazen and Williams: flows go with the power 2.63 of bores."""
    large, small = hydraulics(), hydraulics(demand=15 * CUBIC)
    t = START / NS + 600 * np.arange(1.0, 20.0)
    (_, a), (_, b) = (h.states(t, h.rest(), noisy=False) for h in (large, small))
    np.testing.assert_allclose(a.pressure, b.pressure)
    np.testing.assert_allclose(a.out * small.size, b.out)
    assert b.out.sum() / t.size == pytest.approx(15 * CUBIC * small.level(t).mean(), rel=1e-3)


def test_demand_is_a_week_and_a_year_of_waves() -> None:
    d = drawn(1)
    t = START / NS + 900 * np.arange(52 * 672.0)
    level = d.level(t).reshape(52, 672)
    assert d.turn.size == TERMS
    assert level.mean() == pytest.approx(1.0, abs=0.03)
    share = level / level.mean(axis=1, keepdims=True)
    assert np.ptp(share, axis=0).max() < 0.06  # each week like the other, but for the season
    assert 1.05 < level.mean(axis=1).max() / level.mean() < 1.15
    assert np.abs(drawn(2).level(t) - level.ravel()).max() < 0.5


def test_a_node_that_is_many_households_is_steadier_than_one() -> None:
    np.testing.assert_allclose(spread(np.array([0.1, 0.5, 50.0]) * CUBIC), [SPREAD, SPREAD, SPREAD / 10])
    x = noise(START / NS + 60 * np.arange(5000.0), 4, 1)
    assert x.std() == pytest.approx(1.0, abs=0.05)
    assert np.abs(np.asarray(np.corrcoef(x))[np.triu_indices(4, 1)]).max() < 0.1


def test_a_leak_that_grows_does_so_in_diameter_and_then_stays() -> None:
    leak = Leak(grows=100.0, hole=0.012)
    np.testing.assert_allclose(leak.bore(np.array([-1.0, 25.0, 50.0, 100.0, 900.0])), [0, 0.003, 0.006, 0.012, 0.012])


def test_a_valve_that_no_longer_reduces_and_a_pump_that_stops_do_what_wntr_says() -> None:
    net = loaded(NET3)
    off = response(NET3, Change("pump", "335"))
    assert (off.out[-1, :, 0] + net.solved.out[:, 0]) == pytest.approx(np.zeros(LEVELS.size), abs=1e-6)
    np.testing.assert_allclose(off.out[-1, :9].sum(axis=1), 0.0, atol=0.01 * net.demand.sum())
    assert off.out[-1, -1].sum() < -0.1 * net.demand.sum()  # pressures too low to give all that is asked
    assert off.head[-1, MEAN].min() < -5
    stop, shift = Stop(pump="335", over=10.0), Shift(lasts=40_000.0)
    np.testing.assert_allclose(stop.share(np.array([-1.0, 5.0, 10.0, 99.0])), [0, 0.5, 1, 1])
    np.testing.assert_allclose(shift.changed(np.array([0.0, 5400.0, 20_000.0, 40_000.0])), [0, 0.5, 1, 0])
    assert Reducer(over=0.0).share(np.array([-1.0, 0.0])).tolist() == [0, 1]


def test_behind_a_valve_that_reduces_the_pressure_stands_still_and_its_water_is_drawn_before_it() -> None:
    base = Base("Net3", reducer="247", outlet=38.0, lift=25.0)
    net = loaded(base)
    behind = [net.node.index(n) for n in ("215", "217", "219", "225")]
    assert np.ptp(net.solved.head[:9, behind], axis=0).max() < 1.0
    drop, share = net.sensitivity()
    more = response(base, Change("flow", "217", 0.02))
    node, before = net.node.index("217"), [net.node.index(n) for n in ("213", "211", "166")]
    np.testing.assert_allclose(-more.head[1, MEAN, before] / 0.002, drop[before, node], rtol=0.1)
    np.testing.assert_allclose(-more.head[1, MEAN, behind] / 0.002, drop[behind, node], atol=0.5)
    np.testing.assert_allclose(more.out[1, MEAN] / 0.002, share[:, node], atol=0.02)
    failed = response(base, Change("setting", "247-valve", 20.0))
    np.testing.assert_allclose(failed.head[-1, :8, behind], 20.0, atol=0.2)
