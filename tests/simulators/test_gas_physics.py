"""Equations of the gas world against figures and solvers that know nothing of it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from lifeline.model import Floats
from simulators.gas.box import chamber, mixed, time_to
from simulators.gas.faults import Acting, Biogas, Leak, Rain, Seep, Vent
from simulators.gas.laser import FLOOR, LAG, RANGE, VOL, Cadence, laser
from simulators.gas.mains import LENGTH, demand, laid, peaks, resistance
from simulators.gas.rates import rates, water
from simulators.gas.truth import history
from simulators.gas.wells import HOUR, Wells
from simulators.orifice import AIR, gas_flow
from simulators.weather import Weather

T0 = 1_795_420_800.0  # [s]
NEVER = np.inf


@pytest.mark.parametrize(
    ("hole", "flows"),
    [(1, (0.20, 1.8, 3.0)), (3, (1.8, 16, 27)), (5, (5.0, 45, 75)), (10, (20, 181, 300))],
)
def test_a_hole_leaks_what_the_table_says(hole: float, flows: tuple[float, ...]) -> None:
    """Free flow [m³/h] at 2.5 kPa, 0.2 MPa and 0.4 MPa."""
    told = gas_flow(hole * 1e-3, np.array([2.5e3, 0.2e6, 0.4e6])) * HOUR
    np.testing.assert_allclose(told, flows, rtol=0.025)


def test_choked_and_free_flow_meet() -> None:
    edge = np.diff(gas_flow(0.01, np.linspace(84e3, 88e3, 200)))
    assert edge.min() > 0
    assert edge.max() < 2 * edge.mean()


@pytest.mark.parametrize(
    ("inflow", "air", "rest", "minutes"),
    [
        (0.02, 0.2, 0.032, (108, 432, NEVER)),
        (0.05, 0.2, 0.077, (38.4, 108, 294)),
        (0.2, 0.2, 0.25, (9, 24, 50)),
        (1.0, 0.2, 0.62, (1.8, 4.8, 9.6)),
        (0.02, 1.0, 0.007, (NEVER, NEVER, NEVER)),
        (0.05, 1.0, 0.016, (55.8, NEVER, NEVER)),
        (0.2, 1.0, 0.062, (10, 29, 91)),
        (1.0, 1.0, 0.25, (1.8, 4.8, 10)),
    ],
)
def test_a_well_fills_as_the_table_says(inflow: float, air: float, rest: float, minutes: tuple[float, ...]) -> None:
    """3 m³; until 1, 2.5 and 5 %VOL."""
    supply, loss = inflow / 3 / HOUR, (inflow / 3 + air) / HOUR
    assert supply / loss == pytest.approx(rest, rel=0.06)
    told = [time_to(level * VOL, supply, loss) / 60 for level in (1, 2.5, 5)]
    np.testing.assert_allclose(told, minutes, rtol=0.05)
    for level, t in zip((1, 2.5, 5), told, strict=True):
        assert t == NEVER or mixed(0.0, supply, loss, t * 60) == pytest.approx(level * VOL)


def street(n: int = 3) -> Wells:
    """Wells 20 m apart, beside the main."""
    one, zero = np.ones(n), np.zeros(n)
    along = np.linspace(20.0, 20.0 * n, n)
    return Wells(
        tuple(f"well-{i + 1}" for i in range(n)),
        3 * one, 0.4 / HOUR * one, 0.2 / HOUR * one, 0.002 / HOUR * one, along, zero, one, one, zero,
    )  # fmt: skip


def acting(*faults: Leak | Seep | Biogas | Vent | Rain) -> list[Acting]:
    return [Acting(f, T0 + f.at, T0 + f.at + f.lasts) for f in faults]


def test_wells_in_wind_and_weather_are_what_an_integrator_makes_of_the_equation() -> None:
    wells, weather = street(1), Weather(3)
    acts = acting(Seep(0.0, 7200.0, "well-1", 0.2 / HOUR, 0.5 / HOUR, 3600.0), Vent(5400.0, 1800.0, "well-1", 5.0))

    def slope(t: float, c: Floats) -> Floats:
        supply, loss = rates(wells, np.array([t]), acts, weather)
        return np.asarray(supply[:, 0] - loss[:, 0] * c)

    t = T0 + np.arange(0.0, 3 * HOUR, 5.0)
    mine = history(wells, t, acts, weather)[0]
    true = solve_ivp(slope, (t[0], t[-1]), mine[:1], t_eval=t, max_step=10.0, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine, true.y[0], atol=2e-5)
    assert mine.max() > 10 * VOL


def test_the_chamber_of_a_sensor_follows_its_well_exactly_and_answers_in_fifteen_seconds() -> None:
    supply, loss, c0 = 2e-4, 3e-3, 0.01
    true = solve_ivp(
        lambda _, x: [supply - loss * x[0], (x[0] - x[1]) / LAG], (0, 60), [c0, 0.0], t_eval=[7.0, 60.0], rtol=1e-10, atol=1e-13
    )
    for t, y in zip(true.t, true.y[1], strict=True):
        assert chamber(0.0, c0, supply, loss, LAG, t) == pytest.approx(y, rel=1e-6)
    assert chamber(0.0, 0.05, 0.05e-9, 1e-9, LAG, 15.0) == pytest.approx(0.9 * 0.05, rel=1e-3)


def test_the_laser_sees_nothing_below_its_floor_and_nothing_above_its_range() -> None:
    np.testing.assert_array_equal(laser(np.array([0.0, 0.9 * FLOOR, 0.9])), [0.0, 0.0, RANGE])
    assert laser(np.array([1.234 * VOL])) == pytest.approx(1.23 * VOL)


def test_only_a_terminal_that_read_much_reports_often() -> None:
    cadence, hot = Cadence(1800, 60), np.array([True, False])
    assert cadence.due(3600, hot).all()
    np.testing.assert_array_equal(cadence.due(3660, hot), hot)
    assert not cadence.due(3661, hot).any()


@pytest.mark.parametrize(("way", "delay"), [("duct", 20 / (5 / HOUR)), ("ground", 20**2 / 1e-2)])
def test_gas_reaches_wells_in_order_and_less_of_it_the_farther(way: str, delay: float) -> None:
    leak = Leak(0.0, 1e9, 0.005, speed=5 / HOUR, diffusion=1e-2, reach=20.0, way=way)  # type: ignore[arg-type]
    late = leak.delay(leak.paths(street()))
    assert late[0] == pytest.approx(delay)
    assert (np.diff(late) > 0).all()
    for i, t in enumerate(late):
        before, after = leak.inflow(np.array([t - 1, t + 1]), street())[i]
        assert (before, after > 0) == (0.0, True)
    final = leak.inflow(np.array([1e8]), street())[:, 0]
    np.testing.assert_allclose(final[1:] / final[:-1], np.exp(-1.0))
    assert final[0] * HOUR == pytest.approx(75 * 0.1 * np.exp(-1.0), rel=0.02)


def test_biogas_grows_by_eight_percent_a_kelvin_and_rain_holds_it_down() -> None:
    wells, weather = street(), Weather(1)
    winter, summer = T0 + np.arange(0.0, 86_400.0, HOUR), T0 + 200 * 86_400 + np.arange(0.0, 86_400.0, HOUR)
    cold, warm = (wells.sediment(t, weather).mean() for t in (winter, summer))
    kelvin = weather.ground(summer).mean() - weather.ground(winter).mean()
    assert np.log(warm / cold) == pytest.approx(np.log(1.08) * kelvin, rel=1e-3)
    rain = acting(Rain(0.0, HOUR, 40e-3 / HOUR, 50.0, 3 * HOUR))
    dry, wet = (rates(wells, T0 + np.array([HOUR]), some, weather)[0] for some in ([], rain))
    assert (wet < 0.15 * dry).all()


def test_a_leak_is_unsteadier_than_biogas_of_the_same_level() -> None:
    wells, weather, t = street(1), Weather(1), T0 + np.arange(0.0, 4 * 86_400.0, 300.0)
    leak = history(wells, t, acting(Seep(0.0, 1e9, "well-1", 0.05 / HOUR, 0.05 / HOUR)), weather)[0, 600:]
    sewer = history(wells, t, acting(Biogas(0.0, 1e9, "well-1", 0.05 / HOUR, 0.0)), weather)[0, 600:]
    assert leak.mean() == pytest.approx(0.02, rel=0.5)
    rough = [np.diff(x).std() / x.mean() for x in (leak, sewer)]
    assert rough[0] > 2 * rough[1]


def test_water_in_wells_is_the_balance_of_rain_and_drain() -> None:
    rain = Rain(0.0, HOUR, 40e-3 / HOUR, 50.0, 3 * HOUR)
    t = np.array([1800.0, 3600.0, 10_000.0])
    true = solve_ivp(lambda t, h: 50 * 40e-3 / HOUR * (t < HOUR) - h / (3 * HOUR), (0, 10_000), [0.0], t_eval=t, max_step=20.0)
    np.testing.assert_allclose(water(T0 + t, acting(rain)), true.y[0], rtol=5e-3)


def test_pipes_lose_about_what_renouard_found() -> None:
    """p₁² - p₂² [bar²] = 48,600·s·L[km]·Q[m³/h]^1.82·D[mm]^-4.82 (P. Renouard, 1952), s = 0.58."""
    for bore, flow in ((0.090, 300.0), (0.131, 900.0), (0.205, 3000.0)):
        mine = float(resistance(np.array(bore))) * (flow / HOUR) ** 2 / 1e10
        assert mine == pytest.approx(48_600 * 0.58 * LENGTH / 1000 * flow**1.82 * (bore * 1e3) ** -4.82, rel=0.35)


def test_mains_with_a_hole_balance_at_every_node() -> None:
    """Four pressures solved from four balances by another hand."""
    mains = laid(("a", "b", "c", "d"), peaks(4, 1), 0.3e6)
    burnt, holes = 0.6 * mains.peak[:, :, None], np.zeros((1, 4, 1))
    holes[0, 2] = 0.02

    def balance(square: Floats) -> Floats:
        before = np.concatenate([[1.0], square])
        fall = (before[:-1] - square) * (0.3e6 + AIR) ** 2 / mains.loss[0]
        flow = np.sign(fall) * np.sqrt(np.abs(fall))
        leak = gas_flow(holes[0, :, 0], np.sqrt(square) * (0.3e6 + AIR) - AIR)
        return np.asarray(flow - np.append(flow[1:], 0.0) - burnt[0, :, 0] - leak)

    true = np.sqrt(fsolve(balance, np.linspace(0.95, 0.6, 4), xtol=1e-12)) * (0.3e6 + AIR) - AIR
    taken = burnt + mains.holed(burnt, holes)
    np.testing.assert_allclose(mains.pressures(taken)[0, :, 0], true, rtol=1e-5)
    assert mains.flows(taken)[0, 0, 0] == pytest.approx(taken.sum())
    assert (np.diff(mains.pressures(burnt)[0, :, 0]) < 0).all()


def test_what_enters_a_main_and_is_not_taken_is_stored() -> None:
    """The line pack, second by second, against the lumped equation: entering = taken·√f."""
    mains = laid(("a", "b", "c", "d"), peaks(4, 1), 0.3e6)
    low, high = 0.2 * mains.peak, 0.9 * mains.peak
    before, final = (mains.pressures(x[:, :, None])[:, :, 0] for x in (low, high))
    now = mains.followed(before, final, high.sum(axis=1), 0.01)
    entered = high.sum() + float((mains.stored(now) - mains.stored(before))[0]) / 0.01
    assert entered == pytest.approx(low.sum(), rel=0.15)
    settled = mains.followed(before, final, high.sum(axis=1), 1e6)
    np.testing.assert_allclose(settled, final)


def test_houses_burn_gas_at_breakfast_lunch_and_supper() -> None:
    """Local hours; the epoch's day begins at eight."""
    hours = np.arange(0.0, 24.0, 0.25)
    share = demand((hours - 8) % 24 * 3600)
    busy = hours[share > 0.7]
    assert all(((lo <= busy) & (busy <= hi)).any() for lo, hi in ((6, 8), (11, 13), (17, 20)))
    assert (((busy >= 6) & (busy <= 8)) | ((busy >= 11) & (busy <= 13)) | ((busy >= 17) & (busy <= 20))).all()
    assert share[hours == 3] == pytest.approx(0.15, abs=0.01)
