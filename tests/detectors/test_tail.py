"""Tail: how improbable a series is by what it has done; against a plain loop, and counted on noise."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from detectors.tail import (
    ALIKE,
    BARELY,
    BATCH,
    FAINT,
    FEWEST,
    KEEN,
    LEAST,
    MOST,
    NEAR,
    PEAK,
    RAREST,
    RECORD,
    SHORTEST,
    SLOW,
    STIRS,
    TOLD,
    TOP,
    USUAL,
    WORSE,
    YOUNG,
    Tail,
    default,
)
from lifeline.model import Floats


class Way:
    """One measure: its threshold and the mean excess beyond it."""

    def __init__(self, since: int) -> None:
        self.since, self.number, self.first = since, 0, list[float]()
        self.above, self.excess = math.inf, LEAST

    def say(self, v: float, seen: int) -> float:
        if seen <= self.since:
            return 0.0
        self.number += 1
        n, strange, over = self.number, 0.0, self.number > FEWEST and v > self.above
        beyond = v - self.above if over else 0.0
        if beyond > BARELY * self.excess:
            strange = min(-math.log10(max(PEAK, TOP / n)) + beyond / self.excess / math.log(10), RAREST)
        if n <= BATCH:
            self.first = sorted([*self.first, v], reverse=True)[: TOP + 1]
            self.above = self.first[-1]
            self.excess = max(sum(self.first[:TOP]) / TOP - self.above, LEAST)
            return strange
        gain = max(1 / n, SLOW)
        above = self.above + 3 * self.excess * max(10 * gain, 20 * SLOW) * (over - PEAK)
        if over:
            pull = min(max(gain / PEAK, KEEN), 0.5)
            self.excess = max(self.excess + pull * (min(beyond, MOST * self.excess) - self.excess), LEAST)
        self.above = above
        return strange


class Record:
    """New least and greatest values: one of n is among them by 2 / n."""

    def __init__(self) -> None:
        self.excess = RECORD

    def say(self, v: float, seen: int) -> float:
        beyond = v - math.log(NEAR)
        if seen <= 2 or beyond <= ALIKE:
            return 0.0
        strange = min(beyond / self.excess / math.log(10) - math.log10(2 / seen), RAREST)
        self.excess = max(self.excess + TOLD * (beyond - self.excess), LEAST)
        return strange


class Moving:
    """A mean that forgets, the spread about it, and what is usual of the logarithm of that spread."""

    def __init__(self, memory: float) -> None:
        self.memory, self.mean, self.power, self.usual = memory, 0.0, 0.0, 0.0

    def take(self, x: float, seen: int, spread: float) -> float:
        """How far the logarithm of the spread is from what it was as a rule."""
        gain, before = max(1 / seen, 1 / self.memory), self.mean
        self.mean += gain * (x - before)
        self.power += gain * ((x - before) * (x - self.mean) - self.power)
        loud = math.log(math.sqrt(max(self.power, 0.0)) / spread + FAINT)
        far = abs(loud - self.usual)
        self.usual += max(1 / seen, 1 / (USUAL * self.memory)) * (loud - self.usual)
        return far


def plain(d: Tail, x: list[float]) -> list[float]:
    ways: list[Record | Way] = [Record(), *(Way(n) for n in (256, 64, 256, 16, 64))]
    means = [Moving(n) for n in (16.0, 64.0, 256.0)]
    past: list[float] = []
    rest, held, out = 0.0, 0.0, []
    for v in x:
        if math.isnan(v):
            out.append(math.nan)
            continue
        beyond = max(v - max(past), min(past) - v, 0.0) if past else 0.0
        past.append(v)
        mean = sum(past) / len(past)
        spread = max(math.sqrt(sum((p - mean) ** 2 for p in past) / len(past)), ALIKE * abs(mean), 1e-100)
        far = [m.take(v, len(past), spread) for m in means]
        a, b, c = (m.mean for m in means)
        values = [math.log(u / spread + NEAR) for u in (beyond, abs(a - c), abs(b - mean), abs(c - mean))] + far[:2]
        most = math.sqrt(sum(w.say(u, len(past)) ** 2 for w, u in zip(ways, values, strict=True)))
        heard = len(past) > d.warmup and (rest <= 0 or most > WORSE * held)
        rest -= 1
        if heard and most > STIRS:
            rest, held = min(max(YOUNG * len(past), SHORTEST), d.quiet), most
        out.append((most if heard else 0.0) / d.limit if len(past) > d.warmup else math.nan)
    return out


def told(x: Floats) -> Floats:
    return np.asarray(default.step(default.init(x.shape[0]), x, np.broadcast_to(np.arange(x.shape[1]), x.shape))[1])


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(50.0, 5.0, 1500)
    x[400] += 60
    x[900:] += 20
    x[1200:1240] = 70.0
    x[rng.random(1500) < 0.05] = np.nan
    np.testing.assert_allclose(told(x[None])[0], plain(default, x.tolist()), rtol=1e-6, atol=1e-9)


def test_a_series_of_whole_numbers_is_what_a_plain_loop_gives() -> None:
    x = np.random.default_rng(4).poisson(0.3, 1500).astype(float)
    x[[700, 1100]] = 5
    np.testing.assert_allclose(told(x[None])[0], plain(default, x.tolist()), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("grain", [0.3, 0.5, 1.0, 2.0])
def test_readings_in_coarse_steps_reach_the_limit_as_seldom_as_fine_ones(grain: float) -> None:
    noise = lfilter([0.6], [1.0, -0.8], np.random.default_rng(7).normal(size=(60, 20_000)))
    score = told(grain * np.round(noise / grain))
    assert (score >= 1).sum() <= 1
    coarse = grain * np.round(noise[:, :5000] / grain)
    coarse[:, 4000:] += 12 + 6 * grain
    assert (told(coarse)[:, 4000:4040] >= 0.5).any(axis=1).mean() > 0.8


@pytest.mark.parametrize(("what", "change"), [("a spike", 0), ("a shift", 1), ("a restless time", 2)])
def test_strange_times_stand_out_from_a_long_quiet(what: str, change: int) -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(50, 3000))
    late = slice(2500, 2530)
    if change == 0:
        x[:, 2500] += 15.0
    elif change == 1:
        x[:, 2500:] += 4.0
    else:
        x[:, late] *= 6.0
    score = told(x)
    before, after = score[:, 1000:2500].max(axis=1), score[:, late].max(axis=1)
    assert (after > before).mean() > 0.9, what


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_the_unit_of_a_series_changes_nothing(scale: float) -> None:
    x = np.random.default_rng(2).normal(3.0, 1.0, (5, 1200))
    np.testing.assert_allclose(told(x * scale), told(x), rtol=1e-6, atol=1e-9)


def test_its_like_is_not_heard_again_for_a_while_and_worse_is() -> None:
    x = np.random.default_rng(3).normal(size=(1, 5000))
    x[0, [4000, 4100]] += 8.0
    x[0, 4150:4200] += 200.0
    score = told(x)[0]
    assert score[4000] > 0.2
    assert score[4100] == 0.0
    assert score[4150:4200].max() > WORSE * score[4000]


def test_a_daily_rhythm_is_no_news_once_it_is_known() -> None:
    """A square wave of a day with a quiet night, in five-minute steps; on the thirteenth day it does not come."""
    rng, t = np.random.default_rng(6), np.arange(288 * 15)
    busy = (t % 288 > 100) & (t % 288 < 220)
    x = 20.0 + 60.0 * (busy & (t // 288 != 12)) + rng.normal(size=(40, t.size))
    score = told(x)
    known, missing = score[:, 288 * 4 : 288 * 12].max(axis=1), score[:, 288 * 12 + 100 : 288 * 13 + 50].max(axis=1)
    assert (missing > known).mean() > 0.8


def test_white_noise_reaches_the_limit_seldom() -> None:
    score = told(np.random.default_rng(5).normal(size=(400, 5000)))[:, 1000:]
    assert (score >= 1).mean() < 2e-6


def test_a_series_that_never_moved_is_judged_without_fault() -> None:
    assert (told(np.full((2, 900), 45.0))[:, 200:] == 0).all()
    assert (told(np.zeros((2, 900)))[:, 200:] == 0).all()


def test_series_that_have_all_begun_go_on_as_one_by_one_whatever_their_ages() -> None:
    """Together, without gaps and past their first values they take a shorter way: the same to the bit."""
    rng = np.random.default_rng(8)
    x = rng.standard_t(3, (24, 1400))
    x[:4] = 5.0
    x[4:8] = np.round(x[4:8])
    x[8:12, 900:] += 8.0
    x[12:18, 200:260:2] = np.nan
    d, t = default, np.zeros(x.shape, np.int64)
    s, said = d.step(d.init(24), x[:, :700], t[:, :700])
    whole, more = d.step(s, x[:, 700:], t[:, 700:])
    alone = [d.step(d.init(1), row[None], t[:1]) for row in x]
    np.testing.assert_array_equal(np.hstack([said, more]), np.concatenate([score for _, score in alone]))
    for name in whole._fields:
        np.testing.assert_array_equal(
            getattr(whole, name), np.concatenate([getattr(one, name) for one, _ in alone]), err_msg=name
        )
    slow, gone = d.step(s, np.insert(x[:, 700:], 1, np.nan, axis=1), t[:, 699:])
    np.testing.assert_array_equal(np.delete(gone, 1, axis=1), more)
    for name in whole._fields:
        np.testing.assert_array_equal(getattr(whole, name), getattr(slow, name), err_msg=name)
    assert (more > 1).any()
