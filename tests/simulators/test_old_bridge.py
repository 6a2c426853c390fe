import numpy as np
import pytest

from lifeline.model import NS, Batch, Block, Floats, Level
from lifeline.units import G
from simulators.dice import dice
from simulators.old_bridge import SHAPE, SHOCK, Bridge, BridgeFault, Channels, Impact, Spans, Vortices, ride, transition
from simulators.traffic import masses, nobody
from simulators.world import Run

START = 1_795_420_800 * NS
L, M, EI = np.array([30.0, 60.0]), np.array([12e3, 18e3]), np.array([6.3e10, 4.1e11])


def pair(faults: tuple[BridgeFault, ...] = (), daily: float = 0.0) -> Bridge:
    n = np.full(2, 1.0)
    spans = Spans(("short", "long"), L, M, EI, 0.015 * n, 6.0 * n, daily * n, 0.1 * n, 4e-3 * n)
    row = np.arange(16, dtype=np.int32)
    return Bridge(spans, Channels(row[:8].reshape(2, 4), row[8:10], row[10:14].reshape(2, 2), row[14:]), 1, 5, faults)


def waves(world: Bridge, seconds: int) -> Floats:
    parts = Run(world, START).emit(START, START + seconds * NS)
    return np.concatenate([p.value for p in parts if isinstance(p, Block)], axis=1)


def test_first_frequencies_are_those_of_a_simple_beam() -> None:
    first = np.pi / 2 / L**2 * np.sqrt(EI / M)
    np.testing.assert_allclose(pair().omega[:, 0] / 2 / np.pi, first)
    np.testing.assert_allclose(first, [4.0, 2.1], rtol=0.02)


def test_a_load_that_stays_bends_the_span_by_the_closed_form() -> None:
    world, weight = pair(), 55e3 * G
    load = np.zeros((2, 4, 4000))
    load[:, :3] = (2 * weight / (M * L))[:, None, None] * SHAPE[0][None, :3, None]
    rest = np.zeros((2, 4))
    place, speed, felt = ride(world.move, world.omega, world.zeta, rest, rest, rest, load)
    three_modes = 96 / np.pi**4 * (1 + 1 / 3**4)  # of the whole deflection
    np.testing.assert_allclose(place @ SHAPE[0], three_modes * weight * L**3 / 48 / EI, rtol=1e-6)
    assert three_modes > 0.997
    assert np.abs(speed).max() < 1e-6
    assert np.abs(felt[:, :, -1]).max() < 1e-4


def test_a_mode_rings_down_as_the_exact_solution() -> None:
    omega, zeta, dt = np.array([[2 * np.pi * 3]]), np.array([[0.02]]), 0.02
    rest = np.zeros((1, 1))
    place, _, _ = ride(transition(omega, zeta, dt), omega, zeta, np.ones((1, 1)), rest, rest, np.zeros((1, 1, 150)))
    t, w, z = 3.0, omega[0, 0], 0.02
    d = w * np.sqrt(1 - z**2)
    assert place[0, 0] == pytest.approx(np.exp(-z * w * t) * (np.cos(d * t) + z * w / d * np.sin(d * t)), abs=1e-9)


def test_a_still_bridge_trembles_as_much_as_it_should() -> None:
    x = waves(pair(), 900)[:, 1000:]
    np.testing.assert_allclose(x[[0, 4]].std(axis=1), np.hypot(4e-3, 1.2e-3), rtol=0.1)


def test_the_spectrum_peaks_at_the_first_frequency() -> None:
    x = waves(pair(), 300)[[0, 4]]
    power = np.abs(np.fft.rfft(x - x.mean(axis=1, keepdims=True))) ** 2
    f = np.fft.rfftfreq(x.shape[1], 0.02)
    band = f < 6
    np.testing.assert_allclose(f[band][power[:, band].argmax(axis=1)], pair().omega[:, 0] / 2 / np.pi, rtol=0.05)


def test_vehicles_come_and_go() -> None:
    world = pair(daily=20_000)
    state, crowd = world.init(START // NS), []
    for second in range(START // NS + 1, START // NS + 301):
        state, _ = world.step(state, second)
        crowd.append(np.bincount(state.on.bridge, minlength=2))
    rate = np.mean([0.25, 3.2]) * 20_000 / 86_400
    assert 0 < np.mean(crowd, axis=0)[0] < 10 * rate
    assert np.max(crowd) < 40
    m = masses(np.full(100_000, 0.1), dice(1, 99))
    assert (m < 4e3).mean() == pytest.approx(0.9, abs=0.01)
    assert m.mean() == pytest.approx(0.9 * 1600 + 0.1 * (0.5 * 18e3 + 0.5 * 40.3e3), rel=0.03)
    assert nobody().mass.size == 0


def test_an_impact_shakes_both_sensors_of_its_pier_and_leaves_a_tilt() -> None:
    hit = Impact("long", START + 20 * NS + NS // 2)
    world = pair((hit,))
    said = [(t.asset, t.hazard, t.min_level) for t in world.truth()]
    assert said == [("long", "bridge_impact", Level.ORANGE), ("long", "bridge_tilt", Level.YELLOW)]
    x = waves(world, 40)
    peak = np.abs(x[:, 1000:1100]).max(axis=1)
    assert (peak[6:8] > SHOCK[2]).all()
    assert peak[:6].max() < SHOCK[0]
    assert np.abs(x[:, :1000]).max() < SHOCK[0]
    b = Batch.joined([p for p in Run(world, START).emit(START, START + 40 * NS) if isinstance(p, Batch)])
    for row in (12, 13):
        lean, late = b.value[b.row == row], b.t[b.row == row] > hit.onset
        assert lean[late].mean() - lean[~late].mean() == pytest.approx(hit.residual, rel=0.05)


def test_vortices_make_one_mode_swing_as_much_as_they_say() -> None:
    blow = Vortices("long", START, START + 600 * NS, mode=0)
    world = pair((blow,))
    assert world.truth()[0].min_level is Level.YELLOW
    assert waves(world, 300)[4, -5000:].std() == pytest.approx(blow.rms, rel=0.05)
