"""CUSUM and EWMA against plain loops, and their false alarms against what their pages say."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors.cusum import Cusum
from detectors.ewma import Ewma
from lifeline.model import Floats


class Plain:
    """The oracle's baseline: one series, one sample at a time, by the same formulas in words of their own."""

    def __init__(self, warmup: int, memory: float, clip: float, least: float = 0.0) -> None:
        self.warmup, self.gain, self.clip, self.least = warmup, 1 / memory, clip, least
        self.taught: list[float] = []
        self.last = self.mean = self.power = self.lag = 0.0
        self.phi = self.level = self.pace = 0.0
        self.ready = False

    def z(self, x: float) -> float:
        self.e = x - self.phi * self.last - self.level
        return min(max(self.e * self.pace, -self.clip), self.clip)

    def teach(self, x: float) -> None:
        self.taught.append(x)
        n = len(self.taught)
        before, self.mean = self.mean, self.mean + (x - self.mean) / n
        self.power += ((x - before) * (x - self.mean) - self.power) / n
        self.lag += (((x - self.mean) * (self.last - self.mean) if n > 1 else 0.0) - self.lag) / n
        if n == self.warmup:
            r = self.lag / self.power
            self.phi = min(max(r + (1 + 3 * r) / n + 2 * math.sqrt((1 - r * r) / n), -0.9), 0.999)
            spread = math.sqrt(self.power * (1 - 2 * self.phi * r + self.phi**2))
            self.level, self.pace, self.ready = (1 - self.phi) * self.mean, 1 / max(spread, self.least), True

    def learn(self, z: float) -> None:
        self.level += self.gain * self.e
        self.pace *= 1 + 0.5 * self.gain * (1 - z * z)
        if self.least:
            self.pace = min(self.pace, 1 / self.least)


def plain_cusum(d: Cusum, xs: Floats) -> list[float]:
    b, up, down, out = Plain(d.warmup, d.memory, d.clip, d.least), 0.0, 0.0, []
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        if b.ready:
            z = b.z(x)
            up, down = min(2 * d.limit, max(0.0, up + z - d.slack)), min(2 * d.limit, max(0.0, down - z - d.slack))
            total = {"both": max(up, down), "up": up, "down": down}[d.side]
            if total < d.limit and abs(z) < d.clip:
                b.learn(z)
            out.append(total / d.limit)
        else:
            b.teach(x)
            out.append(math.nan)
        b.last = x
    return out


def plain_ewma(d: Ewma, xs: Floats) -> list[float]:
    b, drift, out = Plain(d.warmup, d.memory, d.clip, d.least), 0.0, []
    bound = d.width * math.sqrt(d.weight / (2 - d.weight))
    for x in xs.tolist():
        if math.isnan(x):
            out.append(math.nan)
            continue
        if b.ready:
            z = b.z(x)
            drift = (1 - d.weight) * drift + d.weight * z
            if abs(drift) < bound and abs(z) < d.clip:
                b.learn(z)
            out.append(abs(drift) / bound)
        else:
            b.teach(x)
            out.append(math.nan)
        b.last = x
    return out


CHARTS: list[tuple[Any, Callable[..., list[float]]]] = [
    (Cusum(warmup=60, memory=200.0, limit=6.0), plain_cusum),
    (Cusum(warmup=60, memory=200.0, limit=6.0, side="up"), plain_cusum),
    (Cusum(warmup=60, memory=200.0, limit=6.0, side="down", least=2.0), plain_cusum),
    (Ewma(warmup=60, memory=200.0, width=3.0), plain_ewma),
    (Ewma(warmup=60, memory=200.0, width=3.0, least=2.0), plain_ewma),
]


def correlated(rng: np.random.Generator, m: int, k: int, phi: float) -> Floats:
    """AR(1) of m series and k samples with innovations of spread 1."""
    x = rng.normal(size=(m, k))
    for j in range(1, k):
        x[:, j] += phi * x[:, j - 1]
    return x


@pytest.mark.parametrize(("chart", "oracle"), CHARTS, ids=[repr(chart) for chart, _ in CHARTS])
@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_all_series_at_once_score_as_a_plain_loop_scores_each(
    chart: Any, oracle: Callable[..., list[float]], phi: float
) -> None:
    rng = np.random.default_rng(3)
    x = 40 + correlated(rng, 5, 400, phi)
    x[1, 200:] += 3.0  # a shift that stays
    x[2, 250] += 1e6  # a wild reading
    x[3, rng.random(400) < 0.2] = np.nan
    _, score = chart.step(chart.init(5), x)
    np.testing.assert_allclose(score, [oracle(chart, row) for row in x], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
def test_a_shift_of_three_spreads_is_found_and_never_learned(chart: Any) -> None:
    x = np.random.default_rng(5).normal(size=(20, 6000))
    x[:, 2000:] += 3.0
    score = chart.step(chart.init(20), x)[1]
    assert (score[:, 1000:2000] < 1).all()
    assert (score[:, 2040:] >= 1).all()  # found within forty samples, and still there at the end


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
def test_a_long_shift_that_ends_is_soon_forgotten(chart: Any) -> None:
    x = np.random.default_rng(5).normal(size=(20, 5000))
    x[:, 1500:4500] += 3.0
    score = chart.step(chart.init(20), x)[1]
    assert (score[:, 4499] >= 1).all()
    assert (score[:, 4700:] < 1).all()


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
def test_one_wild_reading_is_no_shift_and_teaches_nothing(chart: Any) -> None:
    x = np.random.default_rng(6).normal(size=(20, 3000))
    wild = x.copy()
    wild[:, 1500] = 1e9
    calm, score = chart.step(chart.init(20), x)[1], chart.step(chart.init(20), wild)[1]
    assert (score[:, 1000:] < 1).all()
    assert (np.abs(score[:, 2000:] - calm[:, 2000:]) < 0.1).all()


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
def test_a_series_that_never_varied_is_not_judged_unless_its_least_spread_is_given(chart: Any) -> None:
    x = np.full((1, 1500), 7.0)
    assert np.isnan(chart.step(chart.init(1), x)[1]).all()
    told = type(chart)(least=0.1)
    score = told.step(told.init(1), np.concatenate([x, x[:, :50] + 1.0], axis=1))[1]
    assert (score[0, 1000:1500] == 0).all()
    assert score[0, -1] >= 1


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
def test_a_baseline_that_wanders_slowly_is_followed(chart: Any) -> None:
    k = 30_000
    x = np.random.default_rng(7).normal(size=(8, k)) + np.linspace(0, 0.75, k)
    assert (np.nan_to_num(chart.step(chart.init(8), np.asfortranarray(x))[1]) < 1).all()


def alarms(chart: Any, seed: int, m: int, k: int, phi: float) -> tuple[float, int]:
    """Mean samples between runs of scores at or above 1, in correlated normal noise after the warm-up, and how many runs."""
    x = np.asfortranarray(correlated(np.random.default_rng(seed), m, chart.warmup + k, phi))
    over = np.nan_to_num(chart.step(chart.init(m), x)[1][:, chart.warmup :]) >= 1
    near = np.lib.stride_tricks.sliding_window_view(np.pad(over, ((0, 0), (60, 0))), 60, axis=1)[:, :-1].any(axis=2)
    starts = int((over & ~near).sum())
    return m * k / max(starts, 1), starts


def siegmund(limit: float, slack: float) -> float:
    """Mean run of a two-sided CUSUM (D. Siegmund, Sequential Analysis, 1985, eq. 2.57 with the 1.166 of its section 10)."""
    b = limit + 1.166
    return (math.exp(2 * slack * b) - 2 * slack * b - 1) / (2 * slack**2) / 2


def test_a_known_baseline_gives_siegmunds_run_length() -> None:
    chart = Cusum(limit=6.0, warmup=8000, memory=1e9)
    mean, starts = alarms(chart, 11, 250, 8000, 0.0)
    assert starts > 500
    assert 0.8 < mean / siegmund(6.0, 0.5) < 1.6  # the runs are counted apart, and the correlation is taken warily


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_a_baseline_learned_from_a_thousand_samples_is_nowhere_much_worse_than_a_known_one(phi: float) -> None:
    mean, starts = alarms(Cusum(limit=8.0), 12, 1000, 4000, phi)
    assert starts > 20
    assert mean > 0.5 * siegmund(8.0, 0.5)


@pytest.mark.parametrize("chart", [Cusum(), Ewma()], ids=repr)
@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_four_million_samples_of_quiet_noise_are_quiet(chart: Any, phi: float) -> None:
    assert alarms(chart, 13, 1000, 4000, phi)[1] == 0
