"""Equations of the bridge world against closed forms and solvers that know nothing of it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import welch

from lifeline.model import NS, Block, Floats
from lifeline.units import G
from simulators.bridge import behaviour as of
from simulators.bridge import loads
from simulators.bridge.climate import LAG, Climate, Snap
from simulators.bridge.faults import Stiffness, Vortices
from simulators.bridge.happening import Acting
from simulators.bridge.modes import Swing, ended, felt, placed, ride, shaken, stationary, step_of
from simulators.bridge.passing import Crowd, Overload
from simulators.bridge.scene import BridgeWorld, maker
from simulators.bridge.spans import Spans, bent, borne, drawn, sagged
from simulators.bridge.station import Station, uncertain
from simulators.bridge.vehicles import Crossings, flow, met
from simulators.dice import dice
from simulators.rhythm import YEAR
from simulators.weather import ZERO, Weather
from simulators.world import Run

START = 1_795_420_800 * NS
T0 = START / NS
SHORT = BridgeWorld(daily=0.0)
LONG = BridgeWorld(length=60.0, mass=18e3, stiffness=4.1e11, depth=3.0, daily=0.0)
REST = np.zeros((3, 1))


def station(world: BridgeWorld, *faults: object) -> Station:
    made: Station = maker.scene(world, faults, START, 1).model.station  # type: ignore[attr-defined]
    return made


def spans(world: BridgeWorld = SHORT) -> Spans:
    return station(world).spans


def heard(world: BridgeWorld, seconds: int) -> Floats:
    parts = Run(maker.scene(world, (), START, 1).model, START).emit(START, START + seconds * NS)
    return np.concatenate([p.value for p in parts if isinstance(p, Block)], axis=1)


@pytest.mark.parametrize(("world", "first"), [(SHORT, 4.0), (LONG, 2.1)])
def test_a_span_trembles_at_the_frequency_of_a_simple_beam(world: BridgeWorld, first: float) -> None:
    closed = np.pi / 2 / world.length**2 * np.sqrt(world.stiffness / world.mass)
    assert closed == pytest.approx(first, rel=0.02)
    warm = of.warmed(spans(world), Climate(1).structure(np.array([T0 + 600])))[0, 0]
    f, power = welch(heard(world, 1200)[0], 50.0, nperseg=4096)
    band = (f > 0.7 * first) & (f < 1.3 * first)
    assert f[band][power[band].argmax()] == pytest.approx(closed * warm, rel=0.012)


def test_a_still_span_trembles_as_much_as_it_should() -> None:
    x = heard(SHORT, 1200)
    assert x[0].std() == pytest.approx(np.hypot(5e-3, 1.2e-3), rel=0.06)
    assert x[2].std() == pytest.approx(np.hypot(2.5e-3, 1.2e-3), rel=0.06)


def test_a_lorry_that_stands_bends_the_span_by_the_closed_form() -> None:
    s, weight = spans(), 55e3 * G
    closed = weight * 30**3 / (48 * 6.3e10)
    assert closed == pytest.approx(4.8e-3, rel=0.01)
    assert weight * sagged(np.array([0.5]), s.length, s.stiffness)[0] == pytest.approx(closed)
    stands = Crossings(*(np.array([v]) for v in (0, T0, T0 + 1e3, 15.0, 0.0, 55e3, 0.0, 0.0)))
    load = loads.weighed(spans(BridgeWorld(modes=6)), T0 + np.arange(1.0, 2.0), stands)[0, :, 0]
    order = np.arange(1.0, 7)
    omega = (order * np.pi / 30) ** 2 * np.sqrt(6.3e10 / 12e3)
    assert (load / omega**2) @ np.sin(order * np.pi / 2) == pytest.approx(closed, rel=2e-3)
    curved = (load / omega**2 * (order * np.pi / 30) ** 2) @ np.sin(order * np.pi / 2)
    assert curved == pytest.approx(weight * bent(np.array([0.5]), s.length)[0] / 6.3e10, rel=0.08)


@pytest.mark.parametrize("x", [0.1, 0.37, 0.5, 0.8])
def test_influence_lines_are_the_sums_of_many_modes(x: float) -> None:
    n = np.arange(1, 4001)
    both = np.sin(n * np.pi * x) * np.sin(n * np.pi / 2)
    one, length = np.array([x]), np.array([30.0])
    assert sagged(one, length, np.array([6.3e10]))[0] == pytest.approx((2 * 30**3 / (np.pi * n) ** 4 / 6.3e10 * both).sum())
    assert bent(one, length)[0] == pytest.approx((2 * 30 / (np.pi * n) ** 2 * both).sum(), rel=1e-3)


def test_a_moving_lorry_swings_the_modes_as_an_integrator_finds() -> None:
    s, v, weight = spans(), 22.0, 40e3 * G
    lorry = Crossings(*(np.array([x]) for x in (0, T0, T0 + 30 / v, 0.0, v, 40e3, 0.0, 0.0)))
    t = np.arange(1, 126) / 50
    load = loads.weighed(s, T0 + t, lorry)[0]
    step = step_of(s.omega[0, :-1], s.zeta[0, :-1], 1 / 50)
    told = placed(step, ride(step, Swing(*np.zeros((3, 4))), load))

    def motion(at: float, y: Floats) -> Floats:
        on = 2 * weight / (12e3 * 30) * np.sin(np.arange(1, 5) * np.pi * v * at / 30) * (v * at <= 30)
        return np.concatenate([y[4:], on - 2 * step.decay * y[4:] - step.omega**2 * y[:4]])

    true = solve_ivp(motion, (0, t[-1]), np.zeros(8), t_eval=t, rtol=1e-9, atol=1e-12, max_step=2e-3).y[:4]
    assert np.abs(told[0] - true[0]).max() < 2e-3 * np.abs(true[0]).max()
    mid = np.array([1.0, 0, -1, 0])
    assert np.abs(mid @ told - mid @ true).max() < 5e-3 * np.abs(mid @ true).max()


def test_a_mode_rings_down_as_the_exact_solution_however_it_is_cut() -> None:
    omega, zeta = np.array([2 * np.pi * 3, 40.0]), np.array([0.02, 0.01])
    step, t = step_of(omega, zeta, 0.02), 0.02 * np.arange(1, 500)
    w = omega * np.sqrt(1 - zeta**2)
    decay = np.exp(-(zeta * omega)[:, None] * t)
    true = decay * (np.cos(np.outer(w, t)) + (zeta * omega / w)[:, None] * np.sin(np.outer(w, t)))
    at = Swing(np.ones(2), np.zeros(2), np.zeros(2))
    np.testing.assert_allclose(placed(step, ride(step, at, np.zeros((2, t.size)))), true, atol=1e-12)
    first, rest = np.zeros((2, 123)), np.zeros((2, t.size - 123))
    half = ended(step, ride(step, at, first), first)
    np.testing.assert_allclose(placed(step, ride(step, half, rest)), true[:, 123:], atol=1e-12)


def test_what_an_accelerometer_feels_is_the_second_derivative() -> None:
    step = step_of(np.array([12.0]), np.array([0.05]), 1e-3)
    load = np.sin(7e-3 * np.arange(1, 4001))[None]
    s = ride(step, Swing(*REST), load)
    np.testing.assert_allclose(felt(step, s, load)[0, 1:-1], np.diff(placed(step, s)[0], 2) * 1e6, atol=2e-5)


def test_modes_drawn_at_rest_are_as_restless_as_those_shaken_for_long() -> None:
    omega, zeta = np.array([8.0, 25.0, 100.0]), np.array([0.02, 0.01, 0.02])
    step, draw = step_of(omega, zeta, 0.02), dice(1, 7)
    load = draw.standard_normal((3, 400_000))
    s = ride(step, Swing(*np.zeros((3, 3))), load)
    np.testing.assert_allclose(felt(step, s, load)[:, 5000:].std(axis=1), shaken(step), rtol=0.05)
    some = [stationary(step, np.ones(3), draw) for _ in range(4000)]
    long = s[:, 5000:].imag / step.damped[:, None]
    np.testing.assert_allclose(np.std([x.place for x in some], axis=0), long.std(axis=1), rtol=0.06)
    speed = s[:, 5000:].real - step.decay[:, None] * long
    np.testing.assert_allclose(np.std([x.speed for x in some], axis=0), speed.std(axis=1), rtol=0.06)
    np.testing.assert_allclose(
        np.mean([x.speed * x.force for x in some], axis=0), (speed * load[:, 5000:]).mean(axis=1), atol=0.02
    )


def test_the_sun_lifts_a_span_by_the_closed_form() -> None:
    s = spans(BridgeWorld(heat=10.0))
    t = T0 + 8 * 3600 + 600 * np.arange(144.0 * 30)  # from midnight on
    sun = Climate(1).sun(t)
    assert pytest.approx(6.3e-3, rel=0.01) == 1e-5 * 10 * 30**2 / (8 * 1.8)
    np.testing.assert_allclose(of.hogged(s, t, Climate(1))[0], 6.25e-3 * sun)
    assert np.all((sun <= 1) & (sun >= -0.15))
    hour = (t[sun.reshape(30, 144).argmax(axis=1) + 144 * np.arange(30)] + 8 * 3600) % 86_400 / 3600
    np.testing.assert_allclose(hour, 15.0, atol=0.1)


def test_a_joint_closes_as_the_deck_grows() -> None:
    s, t = spans(), T0 + 600 * np.arange(1000.0)
    gap, warm = of.opened(s, t, (), Climate(1))[0], Climate(1).structure(t)
    np.testing.assert_allclose(np.diff(gap), -1e-5 * 120 * np.diff(warm), atol=1e-12)


def test_the_structure_follows_the_air_as_an_integrator_finds() -> None:
    c = Climate(3, snaps=(Snap(T0 + 20e3, T0 + 200e3, 15.0, 40e3),))
    t = T0 + np.arange(0.0, 400e3, 4e3)
    start = c.structure(t[:1])
    true = solve_ivp(
        lambda at, y: (c.air(np.array([at])) - y) / LAG, (t[0], t[-1]), start, t_eval=t, rtol=1e-8, max_step=1800.0
    )
    np.testing.assert_allclose(c.structure(t), true.y[0], atol=2e-4)
    calm = Climate(3, snaps=())
    assert (calm.air(t) - c.air(t)).max() == pytest.approx(15.0)
    year = T0 + np.linspace(0, YEAR, 1000)
    np.testing.assert_allclose(Climate(3, fronts=0.0).air(year), Weather(3).air(year), atol=1e-6)


def test_frequencies_fall_with_warmth_and_rise_with_frost() -> None:
    s = spans()
    f = of.warmed(s, ZERO + np.array([15.0, 25.0, 0.0, -10.0, -20.0]))[0]
    np.testing.assert_allclose(f, [1.0, 0.985, 1.0225, 1.0875, 1.1025])
    steel = of.warmed(spans(BridgeWorld(material="steel")), ZERO + np.array([15.0, 25.0]))[0]
    np.testing.assert_allclose(steel, [1.0, 0.998])


def test_stiffness_lost_shows_in_frequency_and_deflection() -> None:
    st = station(SHORT, Stiffness(600.0, loss=0.08, over=1.0))
    t = T0 + np.array([300.0, 900.0])
    share = of.pitched(st.spans, t, st.acts, st.climate) / of.pitched(st.spans, t, (), st.climate)
    np.testing.assert_allclose(share[0, 0], [1.0, np.sqrt(0.92)])
    assert 1 - np.sqrt(0.92) == pytest.approx(0.04, abs=1e-3)
    lorry = Crossings(*(np.array([x]) for x in (0, T0, T0 + 1e3, 15.0, 0.0, 40e3, 0.0, 0.0)))
    sag = of.carried(st.spans, t, lorry, st.acts).sag[0]
    assert sag[1] / sag[0] == pytest.approx(1 / 0.92)


def test_a_cable_sings_as_a_string_and_tells_its_force() -> None:
    cables = station(BridgeWorld(cables=2, fitted=("cable",), daily=0.0)).cables
    f = cables.pitch(cables.force[:, None])
    np.testing.assert_allclose(f[:, 0], np.sqrt(cables.force / cables.mass) / (2 * cables.length))
    np.testing.assert_allclose(cables.weighed(f)[:, 0], cables.force)
    assert cables.weighed(0.94 * f)[0, 0] / cables.force[0] == pytest.approx(0.8836)


def test_bearings_bear_all_there_is_and_lift_under_a_load_beside_them() -> None:
    share = borne(np.array([0.0, 0.3, 1.0]), np.array([0.0, 1.0, -2.0]), np.array([6.0]))
    np.testing.assert_allclose(share.sum(axis=0), 1.0)
    np.testing.assert_allclose(share[:, 0], [0.5, 0.5, 0, 0])
    st = station(BridgeWorld(base=2.0, daily=0.0, fitted=("bearing",)), Overload(10.0, mass=158e3, count=2, side=3.5))
    t = T0 + np.arange(0.0, 30.0, 0.1)
    live = of.carried(st.spans, t, st.own, ())
    r = of.reactions(st.spans, t, live.bearing, ())[0]
    assert r[0, 0] == pytest.approx(12e3 * G * 30 / 4)
    assert r[[0, 2]].min() == 0.0
    wide = station(BridgeWorld(base=8.0, daily=0.0, fitted=("bearing",)), Overload(10.0, mass=158e3, count=2, side=3.5))
    assert of.reactions(wide.spans, t, live.bearing / 4, ())[0].min() > 0


def test_vortices_swing_their_mode_as_much_as_they_say() -> None:
    st = station(LONG, Vortices(10.0, 600.0, mode=1, rms=0.35))
    s, t = st.spans, T0 + np.arange(1, 50 * 200) / 50
    load = loads.pushed(s, t, st.acts, s.omega)[0, :1]
    step = step_of(s.omega[0, :1], s.zeta[0, :1], 1 / 50)
    states = ride(step, Swing(*REST), load)
    assert felt(step, states, load)[0, -2500:].std() == pytest.approx(0.35, rel=0.02)
    place, speed = loads.swinging(s, float(t[-1]), st.acts, s.omega)
    last = ended(step, states, load)
    size = 0.35 * np.sqrt(2) / s.omega[0, 0] ** 2
    assert place[0, 0] == pytest.approx(last.place[0], abs=0.03 * size)
    assert speed[0, 0] == pytest.approx(last.speed[0], abs=0.03 * size * s.omega[0, 0])


def test_a_crowd_pushes_as_the_root_of_its_number() -> None:
    s, t = spans(LONG), T0 + 60 + np.arange(0.0, 600.0, 0.05)
    a = Acting(Crowd(0.0, 900.0, people=500), 0, T0, T0 + 900)
    load = loads.trodden(s, t, a, a.fault)[0]  # type: ignore[arg-type]
    force = load.std() * 18e3 * 60 / 2
    assert force == pytest.approx(280 * np.sqrt(500 / 2) * np.sqrt(0.5), rel=0.25)
    f, power = welch(load, 20.0, nperseg=2048)
    assert (f * power).sum() / power.sum() == pytest.approx(2.0, abs=0.06)


def test_traffic_weighs_what_the_field_weighs() -> None:
    city = drawn(("a", "b", "c"), 1)
    at = int(T0) // 30
    some = [flow(city, 1, at + i) for i in range(2880)]  # a day
    count = np.sum([np.bincount(x.bridge, minlength=3) for x in some], axis=0)
    np.testing.assert_allclose(count, city.daily, rtol=0.06)
    mass = np.concatenate([x.mass for x in some])
    assert mass.max() <= 55e3
    assert (mass > 4e3).mean() == pytest.approx(np.average(city.heavy, weights=city.daily), rel=0.06)
    speed = np.concatenate([x.speed for x in some])
    assert 10 <= speed.min() < speed.max() <= 25
    rush, night = (np.mean([x.mass.size for x in some[i : i + 120]]) for i in (16 * 120, 10 * 120))  # 8 and 2 o'clock
    assert rush > 4 * night
    loose = spans(BridgeWorld(daily=100_000.0, heavy=1.0, overload=0.01))
    heavy = np.concatenate([flow(loose, 1, at + i).mass for i in range(2880)])
    assert 3e-4 < (heavy > 82.5e3).mean() < 3e-3


def test_two_in_a_lane_keep_their_distance_and_lorries_keep_to_the_outer_lanes() -> None:
    road = spans(BridgeWorld(daily=30_000.0, lanes=4))
    for block in range(int(T0) // 30 + 1000, int(T0) // 30 + 1100):
        on = flow(road, 1, block)
        for lane in np.unique(on.side):
            assert np.diff(np.sort(on.enter[on.side == lane])).min(initial=9.0) > 1.999
        assert np.all(on.enter >= 30 * block)
        assert np.all(np.abs(on.side[on.mass > 4e3]) > 5)


def test_who_is_on_the_span_is_who_has_come_and_not_left() -> None:
    on = flow(drawn(("a", "b"), 1), 1, int(T0) // 30)
    t = T0 + np.arange(0.0, 40.0, 0.25)
    m = met(on, t, np.array([60.0, 60.0]))
    there = (t >= on.enter[:, None]) & (t <= on.leave[:, None])
    np.testing.assert_array_equal(there, np.isin(np.arange(there.size), m.who * t.size + m.when).reshape(there.shape))
    assert np.all((m.x >= 0) & (m.x <= 1))


def test_a_frequency_found_in_a_record_is_about_as_uncertain_as_the_law_says() -> None:
    """Whittle's likelihood over a grid of frequencies, on 60 records of 600 s; the law is the least that any may do."""
    f0, zeta, rate, n = 2.0, 0.015, 10, 6000
    step, draw = step_of(np.array([2 * np.pi * f0]), np.array([zeta]), 1 / rate), dice(1, 9)
    f = np.fft.rfftfreq(n, 1 / rate)
    band = (f > 1.6) & (f < 2.4)
    tried = f0 * (1 + np.linspace(-0.02, 0.02, 401))
    r = f[band] / tried[:, None]
    shape = r**4 / ((1 - r**2) ** 2 + (2 * zeta * r) ** 2)
    found = []
    for _ in range(60):
        load = draw.standard_normal((1, n + 600))
        x = felt(step, ride(step, Swing(*REST), load), load)[0, 600:]
        power = np.abs(np.fft.rfft(x))[band] ** 2
        size = (power / shape).mean(axis=1)
        found.append(tried[(band.sum() * np.log(size) + np.log(shape).sum(axis=1)).argmin()])
    law = float(uncertain(zeta, np.array([f0]), n / rate)[0])
    assert 0.8 * law < np.std(found) / f0 < 1.5 * law
