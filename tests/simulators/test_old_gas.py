import numpy as np
import pytest

from lifeline.model import NS, Batch, Floats, Level
from simulators.old_gas import FLOOR, HOUR, RANGE, VOL, Gas, Leak, Misregulation, laser, mixed, regulators, time_to, wells
from simulators.orifice import gas_flow, yielding_flow
from simulators.world import Run

START = 1_795_420_800 * NS


def stepwise(supply: float, loss: float, hours: float) -> float:
    """The same box by small Euler steps."""
    c, dt = 0.0, 1.0
    for _ in range(round(hours * HOUR / dt)):
        c += dt * (supply - loss * c)
    return c


def box(inflow: float, air: float, volume: float = 3.0) -> tuple[float, float]:
    """inflow [m³/h], air [1/h] -> supply, loss [1/s]"""
    return inflow / volume / HOUR, (inflow / volume + air) / HOUR


def small(faults: tuple[Leak | Misregulation, ...] = (), seed: int = 1) -> Gas:
    well = wells(["well-a", "well-b", "well-c"], np.arange(3, dtype=np.int32), seed)
    at = np.arange(3, 11, dtype=np.int32).reshape(2, 4)
    return Gas(well, regulators(["reg-a", "reg-b"], at[:, 0], at[:, 1:3], at[:, 3], seed), seed, 5, faults)


def told(faults: tuple[Leak | Misregulation, ...], row: int, seconds: int = 300) -> tuple[Floats, Floats]:
    parts = Run(small(faults), START).emit(START, START + seconds * NS)
    b = Batch.joined([p for p in parts if isinstance(p, Batch)])
    mine = b.row == row
    return (b.t[mine] - START) / NS, b.value[mine]


@pytest.mark.parametrize(
    ("hole", "gauge", "flow"),
    [
        (1, 2.5e3, 0.20),
        (1, 0.2e6, 1.8),
        (1, 0.4e6, 3.0),
        (3, 2.5e3, 1.8),
        (3, 0.2e6, 16),
        (5, 0.4e6, 75),
        (10, 2.5e3, 20),
        (10, 0.2e6, 181),
    ],
)
def test_a_hole_leaks_what_the_nozzle_formula_says(hole: float, gauge: float, flow: float) -> None:
    assert gas_flow(hole * 1e-3, gauge) * HOUR == pytest.approx(flow, rel=0.035)


def test_choked_and_free_flow_meet() -> None:
    edge = [gas_flow(0.01, p) for p in np.linspace(84e3, 88e3, 200)]
    assert np.diff(edge).min() > 0
    assert np.diff(edge).max() < 2 * np.diff(edge).mean()


@pytest.mark.parametrize(
    ("inflow", "air", "rest", "one", "explosive"),
    [
        (0.02, 0.2, 0.032, 1.8, np.inf),
        (0.05, 0.2, 0.077, 0.64, 4.9),
        (0.05, 1.0, 0.016, 0.93, np.inf),
        (0.2, 0.2, 0.25, 9 / 60, 50 / 60),
    ],
)
def test_a_well_fills_as_the_closed_form_says(inflow: float, air: float, rest: float, one: float, explosive: float) -> None:
    supply, loss = box(inflow, air)
    assert supply / loss == pytest.approx(rest, rel=0.03)
    assert time_to(1 * VOL, supply, loss) / HOUR == pytest.approx(one, rel=0.03)
    assert time_to(5 * VOL, supply, loss) / HOUR == pytest.approx(explosive, rel=0.03)
    assert mixed(0.0, supply, loss, time_to(1 * VOL, supply, loss)) == pytest.approx(1 * VOL)
    assert mixed(0.0, supply, loss, HOUR) == pytest.approx(stepwise(supply, loss, 1.0), rel=1e-3)


def test_many_short_steps_are_one_long_step() -> None:
    c = np.zeros(1)
    for _ in range(3600):
        c = mixed(c, *box(0.2, 0.5), 1.0)
    np.testing.assert_allclose(c, mixed(0.0, *box(0.2, 0.5), HOUR), rtol=1e-9)


def test_the_laser_sees_nothing_below_its_floor_and_nothing_above_its_range() -> None:
    np.testing.assert_array_equal(laser(np.array([0.0, 0.9 * FLOOR, 0.9])), [0.0, 0.0, RANGE])
    assert laser(np.array([1.234 * VOL])) == pytest.approx(1.23 * VOL)


def test_a_struck_main_fills_the_nearest_well_first_and_the_readings_agree_with_the_truth() -> None:
    leak = Leak(("well-a", "well-b"), (2.0, 14.0), START + 20 * NS, START + 300 * NS, hole=0.02, starved=("reg-b",))
    near, far, low = small((leak,)).truth()
    assert (near.asset, far.asset, low.asset) == ("well-a", "well-b", "reg-b")
    assert near.onset < far.onset
    for row, true in ((0, near), (1, far)):
        t, x = told((leak,), row)
        assert (x[t < (true.onset - START) / NS] < 0.5 * VOL).all()
        assert (x[t > (true.detectable - START) / NS + 30] >= 0.5 * VOL).all()
        assert true.min_level is Level.RED
        assert x.max() >= 5 * VOL
    assert told((leak,), 2)[1].max() < 0.5 * VOL
    t, x = told((leak,), 7)
    assert x[t >= 20].max() < 0.6 * x[t < 20].min()


def test_a_leak_too_small_to_matter_claims_no_hazard() -> None:
    assert small((Leak(("well-a",), (60.0,), START, START + 300 * NS, hole=0.001),)).truth() == []


def test_a_failed_regulator_shows_at_both_its_transmitters_and_nowhere_else() -> None:
    fault = Misregulation("reg-a", START + 60 * NS, START + 200 * NS)
    (true,) = small((fault,)).truth()
    assert (true.hazard, true.min_level) == ("gas_overpressure", Level.RED)
    for row in (4, 5):
        t, x = told((fault,), row)
        wrong = (t >= (true.detectable - START) / NS) & (t < 200)
        assert (x[wrong] > 3000).all()
        assert (x[(t < 60) | (t >= 200)] < 2050).all()
    assert told((fault,), 8)[1].max() < 2050


def test_what_leaves_a_burst_is_what_its_own_head_drives() -> None:
    q = yielding_flow(0.05, 30.0, 0.0)
    assert q * 3600 == pytest.approx(129, rel=0.01)
    eased = yielding_flow(0.05, 30.0, 200.0)
    assert eased == pytest.approx(yielding_flow(0.05, 30.0 - 200.0 * eased, 0.0))
