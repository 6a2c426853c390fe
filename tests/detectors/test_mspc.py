"""Series that move together, against the textbook's matrices over all usual slots; and whom it calls."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from detectors import mspc
from detectors.mspc import Mspc
from lifeline.model import NS, Floats, Ints, Members

N = 8


def plant(seed: int, k: int) -> Floats:
    """Two causes move eight series. [8, k]"""
    rng = np.random.default_rng(seed)
    ways = rng.normal(0, 1, (N, 2))
    causes = np.vstack([np.sin(np.arange(k) / 12), np.cos(np.arange(k) / 7)]) + 0.2 * rng.standard_normal((2, k))
    return 20 + np.arange(N)[:, None] + 3 * ways @ causes + 0.5 * rng.standard_normal((N, k))


def times(k: int) -> Ints:
    return np.arange(1, k + 1) * 60 * NS


def members(n: int, judged: int) -> Members:
    name, none = np.array([f"d-{i}" for i in range(n)], object), np.full(n, np.nan)
    return Members(name, name, name, name, none, none, none, none, none, none, np.arange(n) < judged, 60.0)


def plain(d: Mspc, x: Floats) -> list[list[float]]:
    """The oracle: weighted means and products anew from all slots that taught; projections by the directions one by one."""
    n, keep = len(x), 1 - 1 / d.memory
    taught: list[Floats] = []
    errors: list[float] = []
    out: list[Floats] = []
    ways: list[Floats] = []
    values: list[float] = []
    spread, smooth, odd = np.ones(n), np.zeros(n), 0
    weight, mean, cross = 0.0, np.zeros(n), np.zeros((n, n))
    for now in x.T:
        said = np.full(n, math.nan)
        if not np.isfinite(now).all():
            out.append(said)
            continue
        usual, ready = True, len(taught) >= d.learn
        if ways:
            z = (now - mean) / spread
            along = [float(w @ z) for w in ways]
            smooth = (1 - d.share) * smooth + d.share * (z - sum(a * w for a, w in zip(along, ways, strict=True)))
            spe = float(smooth @ smooth)
            if ready:
                m, v = np.mean(errors), np.var(errors)
                limit = v / (2 * m) * chi2.isf(d.odds, 2 * m * m / v)
                t2 = sum(a * a / b for a, b in zip(along, values, strict=True))
                over = max(spe / limit, t2 / chi2.isf(d.odds, len(ways)))
                free = [1 - sum(w[i] ** 2 for w in ways) for i in range(n)]
                without = [spe - smooth[i] ** 2 / free[i] for i in range(n)]
                alone = int(np.argmin(without))
                lone = spe > limit and without[alone] <= limit
                several = [not lone and smooth[i] ** 2 >= mspc.MOVES * spe for i in range(n)]
                mine = several if d.of == "several" else [lone and i == alone for i in range(n)]
                said = np.array([over if yes else 0.0 for yes in mine])
                usual = over < mspc.USUAL
            if usual:
                errors.append(spe)
        odd = 0 if usual else odd + 1
        assert odd < d.learn
        if usual:
            taught.append(now)
            weight = keep * weight + 1
            before = mean
            mean = mean + (now - mean) / weight
            cross = keep * cross + np.outer(now - before, now - mean)
            if len(taught) == d.learn // 2 or (len(taught) > d.learn and len(taught) % d.learn == 0):
                spread = np.sqrt(np.diag(cross) / weight)
                value, way = np.linalg.eigh(cross / weight / np.outer(spread, spread))
                count, total = 0, 0.0
                while total <= d.kept * value.sum():
                    count, total = count + 1, total + value[-1 - count]
                ways, values = [way[:, -1 - c] for c in range(count)], [value[-1 - c] for c in range(count)]
        out.append(said)
    made: list[list[float]] = np.array(out).T.tolist()
    return made


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 99), of=st.sampled_from(["several", "lone"]))
def test_every_slot_scores_as_the_textbook_has_it(seed: int, of: str) -> None:
    x = plant(seed, 700)
    x[2, 400:430] += 4.0
    x[[1, 4, 6], 500:520] -= 5.0
    x[3, 250:260] = np.nan
    d = Mspc(of=of, learn=200, odds=1e-3)  # type: ignore[arg-type]  # one of the two
    score = d.step(d.init(N), x, times(700))[1]
    np.testing.assert_allclose(score, plain(d, x), rtol=1e-6, atol=1e-9)


def test_one_sensor_is_called_by_name_and_a_plant_by_several() -> None:
    lone, several = Mspc(of="lone", learn=300), Mspc(of="several", learn=300)
    named = called = 0
    for seed in range(10):
        x = plant(seed, 900)
        x[2, 800:] += 6.0
        score = lone.step(lone.init(N), x, times(900))[1]
        named += bool(np.nanmax(score[2, 820:]) > 1 and np.nanmax(np.delete(score, 2, axis=0)) == 0)
        x = plant(seed, 900)
        x[[1, 3, 4, 6], 800:] += np.array([[6.0], [-6.0], [6.0], [6.0]])
        score = several.step(several.init(N), x, times(900))[1]
        called += int((np.nanmax(score[:, 830:], axis=1) > 1).sum() >= 2)
    assert named >= 8
    assert called >= 9


def test_usual_days_are_not_called() -> None:
    for d in (Mspc(of="lone", learn=300), Mspc(of="several", learn=300)):
        worst = max(float(np.nanmax(d.step(d.init(N), plant(seed, 3000), times(3000))[1])) for seed in range(6))
        assert worst < 1


def test_what_stays_is_learned_anew() -> None:
    d = Mspc(learn=150)
    x = plant(1, 1500)
    x[[1, 3, 4, 6], 600:] += np.array([[16.0], [-16.0], [16.0], [16.0]])
    score = d.step(d.init(N), x, times(1500))[1].max(axis=0)
    assert np.nanmin(score[610:740]) > 1
    assert np.isnan(score[760:890]).all()
    assert np.nanmax(score[910:]) < 1


@pytest.mark.parametrize(("n", "judged"), [(2, 2), (5, 4)])
def test_a_plane_needs_three_series_that_are_all_judged(n: int, judged: int) -> None:
    assert Mspc().settled(members(n, judged)) is None


def test_a_series_that_never_moves_spoils_nothing() -> None:
    x = plant(2, 900)
    x[5] = 7.0
    x[2, 800:] += 8.0
    d = Mspc(of="lone", learn=300)
    score = d.step(d.init(N), x, times(900))[1]
    assert np.isfinite(score[:, 300:]).all()
    assert np.nanmax(score[2, 820:]) > 1


@pytest.mark.parametrize("still", [0.0, 5.0, 0.1, 1e9])
def test_a_series_that_moves_for_the_first_time_stands_alone(still: float) -> None:
    x = np.vstack([plant(1, 2400), np.full(2400, still)])
    x[-1, 2000:] = 1.2 * still + 1
    several, lone = (d.step(d.init(N + 1), x, times(2400))[1] for d in (Mspc(), Mspc(of="lone")))
    assert np.nanmax(several) < 1
    assert np.nanmax(lone[:N]) < 1
    assert (lone[N, 2000:] > 1).all()


@pytest.mark.parametrize("x", [np.zeros((4, 3000)), np.full((4, 3000), 7.3), np.tile(plant(2, 3000)[:1], (4, 1))])
def test_series_that_never_differ_are_usual(x: Floats) -> None:
    for of in ("several", "lone"):
        d = Mspc(of=of)
        score = d.step(d.init(4), x, times(3000))[1]
        assert np.isfinite(score[:, d.learn :]).all()
        assert score[:, d.learn :].max() < 1
