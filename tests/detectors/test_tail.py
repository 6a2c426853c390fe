"""Tail: how improbable a reading is by what its series has done; against a plain loop, and counted on noise."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import lfilter

from detectors.tail import FAINT, FIRST, KEPT, LONG, MOST, PEAK, RARER, SLOW, STIRS, WORSE, Tail, default
from lifeline.model import Floats


class Way:
    """One measure: its threshold and the mean excess beyond it."""

    def __init__(self) -> None:
        self.above, self.excess, self.number = 0.0, 0.0, 0

    def say(self, v: float, least: float) -> float:
        if math.isnan(v):
            return 0.0
        if not self.number:
            self.above, self.excess = v, abs(v) * FIRST + 1e-12
        self.number += 1
        over = v > self.above
        beyond = v - self.above if over else 0.0
        strange = -math.log10(PEAK) + beyond / max(self.excess, least, 1e-12) / math.log(10) if over else 0.0
        gain = max(1 / self.number, SLOW)
        self.above += 3 * self.excess * max(10 * gain, 20 * SLOW) * (over - PEAK)
        if over:
            pull = min(max(gain / PEAK, PEAK), 0.5)
            self.excess = max(self.excess + pull * (min(beyond, MOST * self.excess) - self.excess), 1e-12)
        return strange


def plain(d: Tail, x: list[float]) -> list[float]:
    past: list[float] = []
    ways, rest, held, out = [Way() for _ in range(4)], 0, 0.0, []
    for v in x:
        if math.isnan(v):
            out.append(math.nan)
            continue
        past.append(v)
        mean = sum(past) / len(past)
        spread = math.sqrt(max(sum((p - mean) ** 2 for p in past) / len(past), 1e-12))
        full = len(past) >= KEPT
        last, before = past[-20:], past[-KEPT:-20]
        values = [
            abs(v - past[-2]) if len(past) > 1 else math.nan,
            abs(v - mean) / spread,
            abs(sum(last) / 20 - sum(before) / LONG) / spread if full else math.nan,
            math.log(float(np.std(last)) + FAINT * spread) if len(last) == 20 else math.nan,
        ]
        steps = [abs(b - a) for a, b in pairwise(past[:-1]) if a != b]
        least = min(steps) / RARER if steps else 0.0
        most = max(w.say(a, b) for w, a, b in zip(ways, values, [least, least / spread, 0.0, 0.0], strict=True))
        ripe = len(past) > d.warmup
        most = most if ripe and (rest <= 0 or most > WORSE * held) else 0.0
        rest, held = (d.quiet, most) if most > STIRS else (rest - 1, held)
        out.append(most / d.limit if ripe else math.nan)
    return out


def told(x: Floats) -> Floats:
    return np.asarray(default.step(default.init(x.shape[0]), x)[1])


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(50.0, 5.0, 700)
    x[400] += 60
    x[500:] += 20
    x[rng.random(700) < 0.05] = np.nan
    np.testing.assert_allclose(told(x[None])[0], plain(default, x.tolist()), rtol=1e-6, atol=1e-9)


def test_a_series_of_whole_numbers_is_what_a_plain_loop_gives() -> None:
    x = np.random.default_rng(4).poisson(0.3, 700).astype(float)
    x[[400, 600]] = 5
    np.testing.assert_allclose(told(x[None])[0], plain(default, x.tolist()), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("grain", [0.3, 0.5, 1.0, 2.0])
def test_readings_in_coarse_steps_reach_the_limit_as_seldom_as_fine_ones(grain: float) -> None:
    noise = lfilter([0.6], [1.0, -0.8], np.random.default_rng(7).normal(size=(60, 20_000)))
    score = told(grain * np.round(noise / grain))
    assert (score >= 1).sum() <= 1
    coarse = grain * np.round(noise[:, :5000] / grain)
    coarse[:, 4000:] += 12 + 6 * grain
    assert (told(coarse)[:, 4000:4020] >= 1).any(axis=1).mean() > 0.9


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


def test_its_like_is_not_heard_again_for_a_while_and_worse_is() -> None:
    x = np.random.default_rng(3).normal(size=(1, 3000))
    x[0, [2000, 2050, 2400]] += [20.0, 20.0, 20.0]
    score = told(x)[0]
    assert score[2000] > 0.5
    assert score[2050] == 0.0
    assert score[2400] > 0


def test_white_noise_reaches_the_limit_seldom() -> None:
    score = told(np.random.default_rng(5).normal(size=(400, 5000)))[:, 1000:]
    assert (score >= 1).mean() < 2e-6
