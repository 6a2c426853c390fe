"""The concord detector against a plain loop, and what it makes of areas with leaks, broken gauges and other people's demand."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from scipy.special import chdtri

from detectors.concord import Concord, default
from lifeline.model import NS, Floats, Ints, Members
from tests.areas import DAY

GAUGES, METERS = 6, 2
N = GAUGES + METERS
SLOT = 900 * NS
START = 1_767_225_600 * NS
METRE = 9806.65  # [Pa]
TAU = 96  # slots a day


def members() -> Members:
    quantity = np.array(["water_pressure"] * GAUGES + ["water_flow"] * METERS, object)
    name = np.array([f"device-{i}" for i in range(N)], object)
    flat, none = np.ones(N), np.full(N, np.nan)
    return Members(
        name,
        quantity,
        name,
        np.array(["dma"] * N, object),
        flat,
        flat,
        none,
        none,
        none,
        300 * flat,
        np.ones(N, np.bool_),
        900.0,
    )


def times(k: int) -> Ints:
    return START + SLOT * np.arange(1, k + 1)


def area(days: int, seed: int, *, local: float = 0.03, lasting: float = 0.8, more: Floats | None = None) -> Floats:
    """Pressures [Pa] and inflows [m³/s] of an area of 100 m³/h, quarter by quarter.

    local: spread of a node's own demand about its share [1], correlated by `lasting` from slot to slot; more [GAUGES, k] [m³/h]
    is taken besides at each node
    """
    rng, k = np.random.default_rng(seed), days * TAU
    feed, loop = rng.uniform(4, 6), rng.uniform(4, 8, GAUGES)  # [m³/h per m]
    lap = np.diag(loop + np.roll(loop, 1)) - np.diag(loop[:-1], 1) - np.diag(loop[:-1], -1)
    lap[0, -1] -= loop[-1]
    lap[-1, 0] -= loop[-1]
    lap[0, 0] += feed
    lap[3, 3] += feed / 2
    drop = np.linalg.inv(lap)  # [m per m³/h]
    share = rng.uniform(0.75, 1.25, GAUGES) / GAUGES
    hour = np.arange(k) / 4
    week = np.where(hour // 24 % 7 >= 5, 0.95, 1.0) * (1 + 0.01 * np.repeat(rng.normal(size=days), TAU))
    level = np.interp(hour % 24, np.arange(25), np.r_[DAY, DAY[0]]) * week
    e = rng.normal(size=(GAUGES, k))
    for j in range(1, k):
        e[:, j] = lasting * e[:, j - 1] + np.sqrt(1 - lasting**2) * e[:, j]
    q = 100 * share[:, None] * level * (1 + local * e) + (0.0 if more is None else more)
    total = q.sum(axis=0)
    head = (drop @ q) * (total / 100) ** 0.85
    inflow = np.stack([feed * head[0], feed / 2 * head[3]])
    inflow *= total / inflow.sum(axis=0)
    p = 45.0 - head + 0.06 * rng.normal(size=head.shape)
    return np.vstack([p * METRE, inflow / 3600 * (1 + 0.006 * rng.normal(size=inflow.shape))])


def leak(days: int, at: int, node: int, flow: float, lasts: int = 10**9) -> Floats:
    out = np.zeros((GAUGES, days * TAU))
    out[node, at : at + lasts] = flow
    return out


def run(x: Floats, asks: Literal["network", "sensor"] = "network") -> Floats:
    d = replace(default, asks=asks, teaches=14.0 if asks == "sensor" else 28.0).settled(members())
    assert d is not None
    return d.step(d.init(N), x, times(x.shape[1]))[1]


def held(score: Floats, slots: int, bound: float = 1.0) -> Ints:
    """When a series has stood over a bound for so many slots, in the order of time."""
    over = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(score) >= bound, slots, axis=1).all(axis=2).any(axis=0)
    return np.flatnonzero(over) + slots - 1


class Plain:
    """Slot by slot, all that taught kept in a list, and each series left out in truth."""

    def __init__(self, d: Concord, x: Floats) -> None:
        self.d, self.x, self.n = d, x, x.shape[0]
        self.blend = np.full(self.n, np.nan)
        self.fresh = [0] * self.n
        self.taught: list[Floats] = []
        self.low, self.high = np.full(self.n, np.inf), np.full(self.n, -np.inf)
        self.known: list[Floats] = []
        self.strange: list[Floats] = []
        self.since, self.lead = -1, -1

    def teach(self) -> None:
        y = np.array([b if f >= 2 else np.nan for b, f in zip(self.blend, self.fresh, strict=True)])
        self.taught.append(y)
        for i in range(self.n):
            if np.isfinite(y[i]):
                slow = 1 / (self.d.teaches * TAU) if np.isfinite(self.low[i]) else 0.0
                low = self.low[i] + slow * (y[i] - self.low[i]) if slow else self.low[i]
                high = self.high[i] + slow * (y[i] - self.high[i]) if slow else self.high[i]
                self.low[i], self.high[i] = min(low, y[i]), max(high, y[i])

    def distance(self, z: Floats, c: Floats) -> float:
        return float(z @ np.linalg.solve(c, z))

    def slot(self, j: int) -> Floats:
        x = self.x[:, j]
        for i in range(self.n):
            old = self.blend[i]
            self.fresh[i] = 0 if np.isnan(x[i]) else self.fresh[i] + 1 if np.isfinite(old) else 1
            self.blend[i] = x[i] if np.isnan(old) else (old + x[i]) / 2
        out = np.full(self.n, np.nan)
        y = np.array(self.taught).reshape(-1, self.n)
        there = np.isfinite(y)
        here = [i for i in range(self.n) if there[:, i].sum() >= self.d.warmup and self.fresh[i] >= 2]
        if len(here) < 4:
            self.teach()
            return out
        p = len(here)
        pairs = np.array([[(there[:, a] & there[:, b]).sum() for b in here] for a in here])
        mean = np.array([np.nanmean(y[:, a]) for a in here])
        origin = self.x[here, 0]
        v = y[:, here] - origin
        cov = np.array([[np.nanmean(v[:, a] * v[:, b]) for b in range(p)] for a in range(p)]) - np.outer(
            mean - origin, mean - origin
        )
        size = np.sqrt(np.diag(cov))
        value, vector = np.linalg.eigh(cov / np.outer(size, size))
        plain = sum(max(w, 1e-5) * np.outer(u, u) for w, u in zip(value, vector.T, strict=True))
        plain = plain + sum(np.outer(k[here] / size, k[here] / size) for k in self.known)
        c = plain + 100 * value[-1] * np.outer(vector[:, -1], vector[:, -1])
        z = (self.blend[here] - mean) / size
        m = pairs.min() / 3
        doubt = (m**2 - 1) / (m * (m - p)) if m > p + 1 else np.inf
        whole = self.distance(z, c)
        without = [self.distance(np.delete(z, i), np.delete(np.delete(c, i, 0), i, 1)) for i in range(p)]
        one = int(np.argmin(without))
        all_, rest = (np.sqrt(a / (doubt * chdtri(b, 1e-7))) for a, b in ((whole, p), (min(without), p - 1)))
        k = np.linalg.inv(c)
        off = np.where(np.arange(p) == one, (k @ z)[one] / k[one, one], 0.0)
        i = int(np.argmax(np.abs(vector[:, -1])))
        expected = mean[i] + size[i] * vector[i, -1] * (vector[:, -1] @ (z - off))
        slack = 0.05 * (self.high[here[i]] - self.low[here[i]])
        if not self.low[here[i]] - slack <= expected <= self.high[here[i]] + slack:
            return out
        self.say(out, j, here, all_, rest, whole - np.array(without), self.sure(plain, k @ z, vector[:, -1], value[-1]))
        if max(all_, rest) < 1:
            self.teach()
            self.since, self.strange = -1, []
        else:
            self.since = j if self.since < 0 else self.since
            deviation = np.zeros(self.n)
            deviation[here] = z * size
            self.strange.append(deviation)
            if self.d.asks == "network" and j - self.since >= 72 and 2 * len(self.strange) >= 72:
                self.known = [*self.known, np.mean(self.strange, axis=0)][-4:]
                self.since, self.strange = -1, []
        return out

    def sure(self, plain: Any, g: Floats, demand: Floats, value: float) -> Floats:
        return np.asarray((plain @ g) / np.sqrt(np.maximum(np.diag(plain) - demand**2 * value, 1e-5)))

    def say(self, out: Floats, j: int, here: list[int], all_: float, rest: float, share: Floats, sure: Floats) -> None:
        there = [i for i in here if np.isfinite(self.x[i, j])]
        out[there] = 0.0
        sensor = self.d.asks == "sensor"
        said = (all_ if rest < 1 else 0.0) if sensor else rest
        leads = self.lead in there and (not sensor or 2 * share[here.index(self.lead)] >= share.max())
        if said < 0.8 or not leads:
            weight = {
                i: share[a] if sensor else abs(sure[a]) for a, i in enumerate(here) if i in there and (sensor or i < GAUGES)
            }
            self.lead = max(weight, key=lambda i: weight[i]) if weight else -1
        if self.lead >= 0:
            out[self.lead] = said


@pytest.mark.parametrize("asks", ["network", "sensor"])
def test_it_is_the_plain_loop(asks: Literal["network", "sensor"]) -> None:
    x = area(5, 3, more=leak(5, 250, 2, 12.0))
    x[4, 430:] += 3 * METRE
    x[1, 150:155] = np.nan
    x[np.random.default_rng(1).random(x.shape) < 0.01] = np.nan
    x[:, 0] = area(5, 3)[:, 0]
    d = replace(default, asks=asks).settled(members())
    assert d is not None
    oracle = Plain(d, x)
    score = d.step(d.init(N), x, times(x.shape[1]))[1]
    assert np.nanmax(score) > 1
    np.testing.assert_allclose(score, np.column_stack([oracle.slot(j) for j in range(x.shape[1])]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("node", range(GAUGES))
def test_a_leak_of_an_eighth_is_known_within_a_day_wherever_it_is(node: int) -> None:
    at = 5 * TAU + 28
    score = run(area(8, 10 + node, more=leak(8, at, node, 12.0)))
    when = held(score, 8, 1.2)
    assert at <= when[0] <= at + TAU


def test_a_second_leak_is_heard_while_the_first_runs() -> None:
    first, second = 5 * TAU + 20, 6 * TAU + 20
    score = run(area(9, 4, more=leak(9, first, 2, 15.0) + leak(9, second, 5, 15.0)))
    when = held(score, 8, 1.2)
    calm = np.flatnonzero(np.nanmax(np.nan_to_num(score), axis=0) < 1)
    assert first <= when[0] <= first + 72
    assert ((calm > first + 72) & (calm < second)).any()
    assert ((when >= second) & (when <= second + 48)).any()


def test_a_hydrant_is_no_leak() -> None:
    at = 5 * TAU + 40
    assert held(run(area(7, 5, more=leak(7, at, 2, 40.0, 2))), 8, 1.2).size == 0


@pytest.mark.parametrize(("row", "broken"), [(2, -0.7), (6, -1.0), (0, 2.0)])
def test_a_sensor_that_is_wrong_is_told_as_such_and_no_leak(row: int, broken: float) -> None:
    x = area(8, 6)
    at = 5 * TAU
    x[row, at:] = -x[row, at:] if row >= GAUGES else x[row, at:] + broken * METRE
    told = run(x, "sensor")
    assert held(run(x), 4).size == 0
    assert held(told[row : row + 1], 12)[0] <= at + 32
    assert held(np.delete(told, row, axis=0), 12).size == 0


def test_a_gauge_that_drifts_is_known_before_it_is_a_metre_off() -> None:
    x = area(60, 7)
    off = 0.5 / 30 / TAU * np.arange(x.shape[1])  # [m]
    x[3] -= off * METRE
    when = held(run(x, "sensor")[3:4], 12)
    assert off[when[0]] < 1.0
    assert held(run(x), 4).size == 0


def test_of_demand_that_was_never_seen_nothing_is_said() -> None:
    more = np.zeros((GAUGES, 8 * TAU))
    more[:, 6 * TAU + 32 : 6 * TAU + 40] = 10.0
    score = run(area(8, 8, more=more))
    assert np.isnan(score[:, 6 * TAU + 33 : 6 * TAU + 40]).all()


def test_an_area_of_two_gauges_is_left_to_others() -> None:
    m = members()
    few = replace(m, judged=np.arange(N) < 2)
    assert default.settled(few) is None


def test_quiet_areas_are_quiet() -> None:
    """No warning in 40 area-weeks; docs/detectors/concord.md counts more."""
    wrong = 0
    for seed in range(10):
        wrong += held(run(area(28, 100 + seed)), 4).size > 0
    assert wrong == 0


@pytest.mark.parametrize(("row", "still", "step"), [(1, 40 * METRE, 0.1 * METRE), (1, 0.0, METRE), (7, 0.0, 0.01)])
def test_a_series_that_moves_for_the_first_time_is_no_leak(row: int, still: float, step: float) -> None:
    x = area(12, 9)
    x[row] = still
    x[row, 900:] += step
    assert not held(run(x), 1).size
    assert (run(x, "sensor")[row, 910:950] > 1).all()
