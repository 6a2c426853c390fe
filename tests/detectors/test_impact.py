"""Impact: a blow after which two devices stand elsewhere is told of; a blow or a step alone is not; against a plain loop."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

import detectors
from detectors.impact import EACH, SLOT, Impact, default
from detectors.medians import NORMAL
from lifeline.model import NS, Floats, Level
from pipeline.replay import Replay
from pipeline.stretch import stretches
from simulators.scenario import find, load
from simulators.stage import stage
from tests.detectors.test_contract_timed import members

START = 1_795_420_800 * NS
BLOW = 200  # [s]
FLOOR = 1e-4


def settled(piers: int = 2, devices: tuple[int, ...] = (0, 1, 2), large: float = math.inf) -> Impact:
    """Accelerometers at the pier of one bridge, then what stands."""
    m = len(devices)
    return replace(
        default, piers=np.arange(piers), pier_of=np.zeros(piers, np.int64), rows=piers + np.arange(m), device=np.array(devices),
        bridge=np.zeros(m, np.int64), large=np.full(m, large), floor=np.full(m, FLOOR),
    )  # fmt: skip


def told(d: Impact, x: Floats) -> Floats:
    """Scores of what stands. [m, k]"""
    t = START + round(SLOT * NS) * np.arange(1, x.shape[1] + 1)
    return np.asarray(d.step(d.init(len(x)), x, t)[1][d.rows])


def pier(seconds: int, seed: int, *, piers: int = 2, stands: int = 3, blow: float = 3.0) -> Floats:
    """A pier that is hit at BLOW [m/s²], and readings of spread 1 about it, a reading a second. [piers + stands, slots]"""
    rng, k = np.random.default_rng(seed), seconds * EACH
    x = rng.normal(0, 1e-3, (piers + stands, k))
    since = np.arange(k - BLOW * EACH) * SLOT
    x[:piers, BLOW * EACH :] += blow * np.exp(-since / 0.7) * np.cos(2 * np.pi * 2.3 * since)
    x[piers:] = np.repeat(rng.normal(size=(stands, seconds)), EACH, axis=1)
    return x


def stepped(x: Floats, *rows: int, size: float = 10.0) -> Floats:
    """These stand elsewhere from BLOW on, in place."""
    x[list(rows), BLOW * EACH :] += size
    return x


def standing(a: list[float]) -> tuple[float, float]:
    """Median and spread of the last minute of readings."""
    a = a[-default.window :]
    if len(a) < default.window / 2:
        return math.nan, math.nan
    middle = statistics.median(a)
    return middle, NORMAL * statistics.median([abs(v - middle) for v in a])


def plain(d: Impact, x: list[list[float]]) -> list[list[float]]:
    """Scores of what stands, two accelerometers, without missing values."""
    p, m = 2, len(x) - 2
    mean, short, long, last = [0.0] * p, [0.0] * p, [0.0] * p, [-math.inf] * p
    struck, before, spread = -1, [0.0] * m, [0.0] * m
    score, until, out = [math.nan] * m, 0, [list[float]() for _ in range(m)]
    seconds: list[list[float]] = [[] for _ in range(m)]

    for j in range(len(x[0])):
        for i in range(p):
            away, n = abs(x[i][j] - mean[i]), j + 1
            short[i] += (away - short[i]) / min(n, 5)
            if j >= 300 and short[i] >= max(d.ratio * long[i], d.least):
                last[i] = j
            long[i] += (away - long[i]) / min(n, 300)
            mean[i] += (x[i][j] - mean[i]) / min(n, 300)
        if struck < 0 and all(j - v <= 10 for v in last) and any(v == j for v in last):
            struck = j
            before, spread = (list(v) for v in zip(*[standing(a) for a in seconds], strict=True))
        if (j + 1) % EACH == 0:
            for i in range(m):
                seconds[i].append(x[p + i][j])
            if struck >= 0 and j - struck >= (d.window + d.ring) * EACH:
                struck = -1
                now = [standing(a) for a in seconds]
                step = [abs(a - b) for (a, _), b in zip(now, before, strict=True)]
                sure = [v >= max(d.sure * max(w, u), FLOOR) for v, (_, w), u in zip(step, now, spread, strict=True)]
                some = len({d.device[i] for i in range(m) if sure[i]}) >= 2
                score = [max(2 * step[i] / d.large[i], 1.0) if sure[i] and some else 0.0 for i in range(m)]
                until = j + round(d.stays / SLOT)
        for i in range(m):
            out[i].append(score[i] if math.isnan(score[i]) or j < until else 0.0)
    return out


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_plain_loop_gives(seed: int) -> None:
    x, d = stepped(pier(500, seed), 2, 4, size=6.0 + seed), settled(large=20.0)
    if seed == 2:
        x[:2, 3500:] += x[:2, BLOW * EACH : BLOW * EACH + 1500]  # once more
    np.testing.assert_allclose(told(d, x), plain(d, x.tolist()), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_blow_after_which_two_stand_elsewhere_is_told_of_within_seventy_seconds(seed: int) -> None:
    score = told(settled(), stepped(pier(400, seed), 2, 3))
    assert not (np.nan_to_num(score[:, : (BLOW + 65) * EACH]) > 0).any()
    assert (score[:2, (BLOW + 70) * EACH :] >= 1).all()
    assert (score[2, (BLOW + 70) * EACH :] == 0).all()


def test_a_blow_of_which_nothing_stays_or_at_one_device_only_is_an_event() -> None:
    for x, d in (
        (pier(400, 1), settled()),
        (stepped(pier(400, 2), 2), settled()),
        (stepped(pier(400, 3), 2, 3), settled(devices=(0, 0, 1))),  # two channels of one device
    ):
        score = told(d, x)
        assert (score[:, -1] == 0).all()
        assert not (np.nan_to_num(score) > 0).any()


def test_a_step_without_a_blow_says_nothing() -> None:
    for x in (stepped(pier(400, 4, blow=0.0), 2, 3, 4), stepped(pier(400, 5, blow=0.05), 2, 3, 4)):
        assert np.isnan(told(settled(), x)).all()
    x = stepped(pier(400, 6), 2, 3)
    x[1] = np.random.default_rng(6).normal(0, 1e-3, x.shape[1])  # only one of two accelerometers felt it
    assert np.isnan(told(settled(), x)).all()


def test_a_lorry_that_passes_at_the_blow_is_no_residual() -> None:
    x = pier(400, 7)
    x[2:, (BLOW - 3) * EACH : (BLOW + 12) * EACH] += 20.0
    assert (told(settled(), x)[:, -1] == 0).all()


def test_what_stays_is_graver_the_larger_it_is_and_fades_after_an_hour() -> None:
    d = replace(settled(large=10.0), stays=60.0)
    score = told(d, stepped(pier(400, 8), 2, 3, size=15.0))
    assert score[0, (BLOW + 70) * EACH] == pytest.approx(3.0, rel=0.1)
    assert (score[:, -1] == 0).all()


def test_a_bridge_needs_an_accelerometer_and_two_devices_that_stand() -> None:
    m = members(default)
    made = default.settled(m)
    assert made is not None
    assert (made.piers.tolist(), made.rows.tolist()) == ([5], [0, 1, 2, 3, 4])
    assert default.settled(replace(m, judged=np.ones(m.n, np.bool_))) is None
    assert default.settled(replace(m, device=np.array(["one"] * m.n, object))) is None
    assert default.settled(replace(m, step=np.full(m.n, 60.0))) is None
    late = np.array([3600.0, *[np.nan] * (m.n - 1)])
    made = default.settled(replace(m, report=late))
    assert made is not None
    assert made.rows.tolist() == [1, 2, 3, 4]  # nobody waits for one that keeps its readings
    assert made.awaited.tolist() == [False, True, True, True, True, True]


@pytest.mark.parametrize(("residual", "level"), [(0.08, Level.ORANGE), (0.02, Level.YELLOW), (0.0, Level.NORMAL)])
def test_a_ship_at_the_pier_is_graver_for_what_stays(residual: float, level: Level) -> None:
    s = load(find("B6"))
    fault = tuple((w, replace(f, residual=float(np.deg2rad(residual)))) for w, f in s.fault)
    on = stage(replace(s, fault=fault, expect=()), 1)
    replay = Replay(on.catalog, [r for r in detectors.rules() if r.id == "bridge.impact.residual"])
    said = [c for run in stretches(on.turns(), replay.engine) for c in replay.step(*run)]
    assert {c.key for c in said} == ({"tilt-1-a/pier", "tilt-1-b/pier"} if level else set())
    assert max((Level[c.new] for c in said), default=Level.NORMAL) == level
    assert all(60 <= (c.t - s.start) / NS - 600 <= 80 for c in said if Level[c.new])
