"""Methane by value and origin, against the same thing as a plain loop over the readings of one well."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import manhole
from detectors.manhole import Manhole
from detectors.still import Still
from lifeline.model import NS, Floats, Ints

START = 1_795_420_800 * NS
HOUR = 3600.0
VOL = 0.01  # [1] of one %VOL


class Slot(NamedTuple):
    at: int
    mean: float
    noise: float
    fell: bool  # the mean before it is not to be compared with


def plain(d: Manhole, x: Floats, t: Ints) -> list[float]:
    """The oracle, without the stillness, which has a loop of its own."""
    out: list[float] = []
    done: list[Slot] = []
    open_: list[float] = []
    last, at, belief, leak = 0.0, 0, 0.0, d.prior >= 0
    for y, when in zip(x.tolist(), t.tolist(), strict=True):
        score = max((y - d.origin) / d.scale, 0.0) if math.isfinite(y) else math.nan
        if math.isfinite(y) and y > d.least:
            slot = when // d.length
            if slot > at:
                if open_:
                    done.append(closed(d, at, open_, done))
                    belief = min(max(belief + says(d, done), -manhole.SURE - d.prior), manhole.SURE - d.prior)
                    if abs(belief + d.prior) >= manhole.TURN:
                        leak = belief + d.prior > 0
                at, open_ = slot, []
            open_.append(y)
            if d.of != "any" and leak != (d.of == "leak"):
                score = 0.0
            if y == last and y < d.hard:
                score = math.nan
            last = y
        out.append(score)
    return out


def closed(d: Manhole, at: int, readings: list[float], done: list[Slot]) -> Slot:
    mean = sum(readings) / len(readings)
    near = bool(done) and done[-1].at == at - 1
    return Slot(at, mean, d.sigma**2 / len(readings), near and mean < manhole.FALL * done[-1].mean)


def says(d: Manhole, done: list[Slot]) -> float:
    """What the last mean says, beside the two before it."""
    if len(done) < 3:
        return 0.0
    two, one, now = done[-3:]
    if (two.at, one.at) != (now.at - 2, now.at - 1) or one.fell or now.fell:
        return 0.0
    level = max(one.mean, d.least)
    v0 = now.noise + 4 * one.noise + two.noise + (d.swing * level) ** 2
    v1 = v0 + (d.rough * level) ** 2
    d2 = (now.mean - 2 * one.mean + two.mean) ** 2
    return min(0.5 * manhole.TOGETHER * (math.log(v0 / v1) + d2 * (1 / v0 - 1 / v1)), manhole.MOST)


def wells(seed: int, k: int = 900, every: float = 300.0) -> tuple[Floats, Ints]:
    """Six wells: puffs, a smooth day, noise about the least that is seen, repeated values, gaps, a fall. [6, k]"""
    rng = np.random.default_rng(seed)
    t = START + (np.arange(1, k + 1) * every * NS).astype(np.int64) + np.arange(6)[:, None] * NS
    hours = np.arange(k) * every / HOUR
    x = 1.0 + 0.03 * rng.standard_normal((6, k))
    x[0] *= 1 + 0.2 * np.sin(2 * np.pi * hours / 0.9) * np.sin(2 * np.pi * hours / 2.3)
    x[1] += 0.4 * np.sin(2 * np.pi * hours / 24)
    x[2] = 0.2 + 0.03 * rng.standard_normal(k)
    x[3] = np.round(x[3], 1)
    x[4, rng.random(k) < 0.3] = np.nan
    x[4, 300:340] = np.nan
    x[5, 400:] *= 0.5
    return x * VOL, t


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), of=st.sampled_from(["any", "leak", "biogas"]), prior=st.sampled_from([-2.0, 0.0, 1.0]))
def test_all_wells_at_once_score_as_one_by_one_in_a_loop(seed: int, of: str, prior: float) -> None:
    x, t = wells(seed)
    d = Manhole(of=of, prior=prior, scale=0.005, every=300.0)  # type: ignore[arg-type]  # one of the three
    score = d.step(d.init(6), x, t)[1]
    np.testing.assert_allclose(score, [plain(d, a, b) for a, b in zip(x, t, strict=True)], rtol=1e-12)


@pytest.mark.parametrize(("every", "length"), [(60.0, 1200), (1200.0, 1200), (1500.0, 1500), (1800.0, 1800), (3600.0, 1200)])
def test_a_slow_device_has_single_readings_for_means_and_a_slower_one_none(every: float, length: int) -> None:
    assert Manhole(every=every).length == length * NS


def test_what_puffs_is_a_leak_and_what_goes_with_the_day_is_biogas() -> None:
    for seed in range(5):
        x, t = wells(seed, 3000)
        for prior in (-2.0, 0.0):
            d = Manhole(of="leak", prior=prior)
            s, score = d.step(d.init(6), x, t)
            assert s.leak[:2].tolist() == [True, False]
            assert np.nanmax(score[1, 2000:]) == 0 < np.nanmin(score[0, 2000:])


def test_one_wild_mean_does_not_turn_an_opinion() -> None:
    x, t = wells(1)
    d = Manhole(of="leak", prior=-2.5)
    x = np.broadcast_to(x[1], x.shape).copy()
    x[:, 600:604] *= 3.0
    assert not d.step(d.init(6), x, t)[0].leak.any()


def test_a_leak_and_biogas_share_what_is_seen_between_them() -> None:
    x, t = wells(2)
    one, other, both = (Manhole(of=of, prior=-2.0) for of in ("leak", "biogas", "any"))
    a, b, c = (d.step(d.init(6), x, t)[1] for d in (one, other, both))
    seen = x > one.least
    np.testing.assert_array_equal((a + b)[seen], c[seen])
    assert (np.nan_to_num(a) * np.nan_to_num(b))[seen].max() == 0


def test_a_value_that_is_said_again_is_judged_from_half_the_explosive_limit_on() -> None:
    d = Manhole(scale=0.005)
    t = START + np.arange(1, 6)[None] * 300 * NS
    low, high = (d.step(d.init(1), np.full((1, 5), x), t)[1][0] for x in (0.012, 0.026))
    np.testing.assert_allclose(low, [2.4, *[np.nan] * 4])
    np.testing.assert_allclose(high, np.full(5, 5.2))


def test_a_still_reading_is_judged_from_half_the_explosive_limit_on() -> None:
    rng = np.random.default_rng(4)
    t = START + np.arange(1, 24 * 12 + 1)[None] * 3600 * NS
    for level, judged in ((0.008, False), (0.03, True)):
        x = level + 0.0003 * rng.standard_normal((1, t.size))
        d, still = Manhole(every=3600.0), Still(every=3600.0)
        called = still.step(still.init(1), x, t)[1][0] == 1
        assert called[-24:].all()
        np.testing.assert_array_equal(np.isfinite(d.step(d.init(1), x, t)[1][0][called]), judged)


def test_an_origin_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="of: 'swamp' is none of"):
        replace(Manhole(), of="swamp")  # type: ignore[arg-type]  # that is the point


def test_the_probability_is_that_of_the_belief_and_none_where_origins_are_not_told_apart() -> None:
    x, t = wells(3, 3000)
    d = Manhole(of="leak", prior=-2.0)
    s, _ = d.step(d.init(6), x, t)
    said = d.likely(s)
    assert said is not None
    assert said[0] > 0.9
    assert said[1] < 0.1
    np.testing.assert_allclose(np.log(said / (1 - said)), s.belief - 2.0)
    assert Manhole().likely(Manhole().init(6)) is None
