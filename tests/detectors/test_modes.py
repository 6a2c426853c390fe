"""Modes: out of vibration as by a plain loop, and as they truly are; a softer bridge is told of, a cold one is not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from detectors.modes import FEW, MANY, Modes, ModesState, default
from detectors.spectra import DOUBT, SIDE, TWIN, Complexes, mac, paired, placed, twins
from lifeline.model import NS, Floats, Ints
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS  # midnight UTC
SLOT = round(default.slot * NS)
WINDOW = default.window
HERTZ = (1.3, 2.9)
SHAPES = np.array([[1.0, 0.8, 0.6], [0.9, -0.2, -0.8]])  # [modes, sensors]
MILD = 288.15


def settled(n: int = 3) -> Modes:
    return replace(default, looked=tuple(range(n)), warm=(n,))


def times(first: int, k: int) -> Ints:
    """Ends of k slots after so many. [k] [ns]"""
    return START + SLOT * (first + np.arange(1, k + 1))


def mode(hertz: float, damping: float, k: int, rng: np.random.Generator) -> Floats:
    """Acceleration of a mode under white force, of spread 1. [k]"""
    w = 2 * np.pi * hertz
    pole = np.exp(default.slot * (-damping * w + 1j * w * np.sqrt(1 - damping**2)))
    lead = 400
    x = signal.lfilter([1.0, -2.0, 1.0], np.poly([pole, pole.conjugate()]).real, rng.normal(size=k + lead))[lead:]
    return np.asarray(x / x.std())


def shaken(k: int, rng: np.random.Generator, factor: float = 1.0, noise: float = 0.3) -> Floats:
    """Three accelerometers of a bridge of two modes, whose frequencies are so many times theirs. [3, k]"""
    q = np.stack([mode(factor * f, 0.012, k, rng) for f in HERTZ])
    return np.asarray(1e-2 * (SHAPES.T @ q + noise * rng.normal(size=(3, k))))


def fed(d: Modes, s: ModesState, x: Floats, first: int, kelvin: float = MILD) -> tuple[ModesState, Floats]:
    """Steps from so many slots after the start; x [n, k]"""
    return d.step(s, np.vstack([x, np.full(x.shape[1], kelvin)]), times(first, x.shape[1]))


def plain(x: Floats) -> tuple[list[float], list[Complexes]]:
    """Frequencies and shapes out of all that was said, with scipy's csd and numpy's svd, bin by bin."""
    n, low, high = len(x), round(default.band[0] * 60), round(default.band[1] * 60)
    hertz = np.arange(low, high + 1) / 60
    total = np.zeros((hertz.size, n, n), complex)
    for a in range(0, x.shape[1] - WINDOW + 1, WINDOW // 2):
        one = np.zeros((hertz.size, n, n), complex)
        for i in range(n):
            for j in range(n):
                one[:, i, j] = signal.csd(x[j, a : a + WINDOW], x[i, a : a + WINDOW], 10.0, nperseg=WINDOW)[1][low : high + 1]
        total += one / np.mean([one[:, i, i].real.mean() for i in range(n)])
    value, shape = [], []
    for g in total:
        u, v, _ = np.linalg.svd(g)
        value.append(float(v[0]))
        shape.append(u[:, 0])
    found, shapes = [], []
    for b in range(2, hertz.size - 2):
        near = value[max(b - SIDE, 0) : b + SIDE + 1]
        around = [value[min(max(c, 0), hertz.size - 1)] for c in range(b - 45, b + 46)]
        if value[b] < max(near) or value[b] < 5 * sorted(around)[45]:
            continue
        h = np.array([(np.conj(shape[b]) @ g @ shape[b]).real for g in total])
        side = max(3, round(0.03 * hertz[b] * 60))
        some = slice(b - side, b + side + 1)
        terms = np.column_stack([hertz[some] ** 4, hertz[some] ** 2, np.ones(2 * side + 1)])
        y = hertz[some] ** 4 / h[some]
        c = np.linalg.lstsq(terms / y[:, None], np.ones(y.size), rcond=None)[0]
        found.append(float(np.sqrt(-c[1] / (2 * c[0]))))
        shapes.append(np.asarray(shape[b], np.complex128))
    return found, shapes


def test_it_is_what_a_plain_loop_gives() -> None:
    x = shaken(2 * 36_000 + 1, np.random.default_rng(1))
    d = settled()
    s, _ = fed(d, d.init(3 + 1), x, 0)
    found, shapes = plain(x[:, :-1])
    assert len(found) == len(HERTZ)
    np.testing.assert_allclose(s.found[:2], found, rtol=1e-8)
    assert np.isnan(s.found[2:]).all()
    for m, shape in enumerate(shapes):
        assert mac(s.shape[m : m + 1], shape)[0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_frequencies_and_shapes_are_the_true_ones(seed: int) -> None:
    d = settled()
    s, _ = fed(d, d.init(4), shaken(4 * 36_000 + 1, np.random.default_rng(seed)), 0)
    np.testing.assert_allclose(s.found[:2], HERTZ, rtol=4e-3)  # six spreads of S.-K. Au's law for an hour
    assert (mac(s.shape[:1], SHAPES[0].astype(complex)) > 0.99).all()
    assert (mac(s.shape[1:2], SHAPES[1].astype(complex)) > 0.99).all()


def test_an_oscillator_is_placed_between_bins() -> None:
    hertz = np.arange(12, 271) / 60
    for f in np.linspace(1.0, 4.0, 31):
        h = hertz**4 / ((hertz**2 - f**2) ** 2 + (2 * 0.01 * f * hertz) ** 2)
        assert placed(h, hertz, int(h.argmax())) == pytest.approx(f, rel=2e-4)


def test_a_peak_of_another_shape_is_not_the_mode() -> None:
    rng, d = np.random.default_rng(2), settled()
    s, _ = fed(d, d.init(4), shaken(3 * 36_000, rng), 0)
    k = 36_001
    alien = np.outer([1.0, -1.0, 0.3], mode(1.25, 0.005, k, rng)) + 0.3 * rng.normal(size=(3, k))
    s, _ = fed(d, s, alien, 3 * 36_000)
    assert np.isnan(s.found[0])


FIRST = np.array([1.0, 1.2])


def test_modes_are_paired_by_shape_and_not_by_order() -> None:
    none, at, no = np.zeros((2, 2), np.bool_), np.array([1.0, 1.2]), -np.inf
    assert paired(np.array([[0.99, no], [no, 0.98]]), none, FIRST, at) == [(0, 0), (1, 1)]
    assert paired(np.array([[no, 0.99], [0.98, no]]), none, FIRST, at) == [(0, 1), (1, 0)]  # they have crossed
    assert paired(np.array([[0.95, 0.93], [0.94, no]]), none, FIRST, at) == [(0, 1), (1, 0)]  # the sum decides: no peak is two
    assert paired(np.array([[0.95], [0.99]]), none, FIRST, at[:1]) == [(1, 0)]


def test_a_mode_in_doubt_is_not_found() -> None:
    none, both, no = np.zeros((2, 2), np.bool_), ~np.eye(2, dtype=np.bool_), -np.inf
    at = np.array([1.0, 1.05, 1.2])
    assert paired(np.array([[0.95, 0.95 - DOUBT / 2, no], [no, no, 0.99]]), none, FIRST, at) == [(1, 2)]
    assert paired(np.array([[0.95, 0.95 - 2 * DOUBT, no], [no, no, 0.99]]), none, FIRST, at) == [(0, 0), (1, 2)]
    assert paired(np.array([[0.97, no], [0.96, no]]), both, FIRST, at[1:]) == []  # it may be its twin
    fit = np.array([[0.97, 0.9], [0.9, 0.96]])
    assert paired(fit, both, FIRST, np.array([0.96, 1.16])) == [(0, 0), (1, 1)]  # both are a little softer
    assert paired(fit, both, FIRST, np.array([1.0, 1.1])) == []  # a bump on the skirt of one is not the other


def test_twins_are_those_whom_shape_does_not_tell_apart_within_reach() -> None:
    shape = np.array([[1.0, 1.0, 0.9], [1.0, 0.9, 1.0], [1.0, -1.0, 0.3], [1.0, 1.0, 1.0]], np.complex128)
    assert (np.array([mac(shape, one) for one in shape])[0] >= TWIN).tolist() == [True, True, False, True]
    assert np.argwhere(twins(np.array([1.0, 1.2, 1.1, 2.9]), shape, 0.2)).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("seed", range(2))
def test_of_two_like_modes_one_that_falls_silent_is_not_taken_for_the_other(seed: int) -> None:
    rng, d, k = np.random.default_rng(seed), settled(), 36_000
    shapes = np.array([[1.0, 0.8, 0.6], [1.0, 0.7, 0.75]])
    both = shapes.T @ np.stack([mode(1.3, 0.008, 3 * k, rng), mode(1.5, 0.008, 3 * k, rng)])
    s, _ = fed(d, d.init(4), both + 0.2 * rng.normal(size=both.shape), 0)
    s, _ = fed(d, s, shapes[1][:, None] * mode(1.5, 0.008, k + 1, rng) + 0.2 * rng.normal(size=(3, k + 1)), 3 * k)
    assert np.isfinite(s.first[:2]).all()
    assert np.isnan(s.found).all()


@pytest.mark.parametrize("other", [1.5, 1.16])
def test_another_of_its_shape_that_is_not_followed_is_not_taken_for_it(other: float) -> None:
    rng, d, k = np.random.default_rng(3), replace(settled(), modes=1), 36_000
    shapes = np.array([[1.0, 0.8, 0.6], [1.0, 0.7, 0.75]])
    both = shapes.T @ np.stack([1.5 * mode(1.3, 0.008, 3 * k, rng), mode(other, 0.008, 3 * k, rng)])
    s, _ = fed(d, d.init(4), both + 0.2 * rng.normal(size=both.shape), 0)
    assert s.found[0] == pytest.approx(1.3, rel=0.01)
    s, _ = fed(d, s, shapes[1][:, None] * mode(other, 0.008, k + 1, rng) + 0.2 * rng.normal(size=(3, k + 1)), 3 * k)
    assert np.isnan(s.found[0])
    s, _ = fed(d, s, shapes[0][:, None] * mode(1.24, 0.008, k, rng) + 0.2 * rng.normal(size=(3, k)), 4 * k + 1)
    assert s.found[0] == pytest.approx(1.24, rel=0.01)  # a loss to where no other has been seen is found
    assert s.stood[0] == pytest.approx(1.24, rel=0.02)


def test_one_sensor_that_stands_still_or_is_silent_does_not_hide_the_modes() -> None:
    for dead in (np.nan, 0.02):
        rng, d = np.random.default_rng(3), settled()
        s, _ = fed(d, d.init(4), shaken(3 * 36_000, rng), 0)
        x = shaken(36_001, rng)
        x[1] = dead
        s, _ = fed(d, s, x, 3 * 36_000)
        np.testing.assert_allclose(s.found[:2], HERTZ, rtol=4e-3)


def test_without_windows_enough_nothing_is_looked_for() -> None:
    d, rng = settled(), np.random.default_rng(4)
    s, _ = fed(d, d.init(4), shaken((FEW - 1) * WINDOW // 2, rng), 0)
    s, _ = fed(d, s, np.full((3, 1), np.nan), 36_000)
    assert np.isnan(s.first).all()
    assert FEW <= s.windows[0, 0] + 3 < MANY


def bursts(factor: Floats, kelvin: Floats, seed: int) -> tuple[ModesState, Floats]:
    """A minute of vibration in every ten; factor, kelvin [hours]; scores by day and sensor [days, 3], NaN: none."""
    d, rng, out = settled(), np.random.default_rng(seed), np.full((factor.size // 24, 3), np.nan)
    s = d.init(4)
    for h in range(factor.size // 24 * 24):
        for tenth in range(6):
            x = shaken(WINDOW, rng, factor[h])
            s, score = fed(d, s, x, h * 36_000 + tenth * 6_000, kelvin[h])
            said = np.isfinite(score[:3])
            if said.any():
                out[h // 24] = np.where(said.any(axis=1), np.nansum(score[:3], axis=1), np.nan)
    return s, out


def weather(days: int) -> Floats:
    """[hours] [K]"""
    h = np.arange(24.0 * days)
    return np.asarray(MILD + 5 * np.sin(2 * np.pi * h / 24) + 4 * np.sin(2 * np.pi * h / 24 / 9))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_loss_of_stiffness_is_told_of_and_weather_is_not(seed: int) -> None:
    kelvin = weather(32)
    factor = 1 - 0.0015 * (kelvin - MILD)
    factor[26 * 24 :] *= np.sqrt(0.92)
    _, score = bursts(factor, kelvin, seed)
    known = np.asarray(np.isfinite(score).any(axis=1))
    assert not known[:15].any()
    assert known[20:].all()
    assert np.nanmax(score[:26]) < 1
    late = score[28:]
    np.testing.assert_allclose(late[np.isfinite(late)], 0.041 / default.share, rtol=0.25)
    assert np.isfinite(late[:, 0]).all()  # the sensor that both modes move


def test_a_sure_loss_below_the_bound_has_its_size() -> None:
    kelvin = weather(32)
    factor = 1 - 0.0015 * (kelvin - MILD)
    factor[24 * 24 :] *= 0.994
    s, score = bursts(factor, kelvin, 4)
    assert s.sum_[:2, 1].max() > settled().thermal.limit
    assert 0.3 < np.nanmax(score[29:]) < 0.7


def test_a_cold_snap_is_not_told_of() -> None:
    kelvin = weather(27)
    kelvin[22 * 24 : 24 * 24] -= 15
    factor = 1 - 0.0015 * (kelvin - MILD) + 0.005 * np.clip(273.15 - kelvin, 0, 10)
    _, score = bursts(factor, kelvin, 3)
    assert np.nanmax(score) < 1


def test_a_bridge_needs_two_accelerometers_and_a_temperature() -> None:
    m = members(default)
    assert default.settled(replace(m, judged=np.ones(m.n, np.bool_))) is None
    assert default.settled(replace(m, judged=np.arange(m.n) == 0, step=np.full(m.n, 1.0))) is None
    made = default.settled(m)
    assert made is not None
    assert made.looked == (0, 1, 2, 3, 4)
    assert made.warm == (5,)
