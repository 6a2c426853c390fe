"""Gas that never breathes, against the same thing as a plain loop over days; and how often it is wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import breath
from detectors.still import Still
from lifeline.model import NS, Floats, Ints

DAY = 24 * 3600 * NS
START = 1_795_392_000 * NS  # a midnight
SIGMA = 0.0003


def plain(d: Still, x: Floats, t: Ints) -> list[float]:
    """The oracle: at each reading all days before it are gone through anew."""
    out = []
    blocks: dict[int, list[float]] = {}
    for y, when in zip(x.tolist(), t.tolist(), strict=True):
        if not math.isfinite(y):
            out.append(math.nan)
            continue
        if y <= d.least:
            out.append(0.0)
            continue
        blocks.setdefault(when // breath.BLOCK, []).append(y)
        out.append(float(still(d, blocks, when // DAY, y)))
    return out


def still(d: Still, blocks: dict[int, list[float]], today: int, y: float) -> bool:
    """Whether reading y of today is still, after these readings by block."""
    spoken = sorted({b // breath.BLOCKS for b in blocks} - {today})
    count, ratio, level = 0, 0.0, 0.0
    for i, day in enumerate(spoken):
        mine = [blocks.get(day * breath.BLOCKS + j, []) for j in range(breath.BLOCKS)]
        least = max(breath.WHOLE * breath.BLOCK / NS / d.every, 2)
        whole = [b for b in mine if len(b) >= least]
        means = [sum(b) / len(b) for b in whole]
        level = sum(means) / breath.BLOCKS
        noise = sum(d.sigma**2 / len(b) for b in whole) / breath.BLOCKS
        got = sum(m * m for m in means) - breath.BLOCKS * level**2
        this = got / max(3 * (noise + (breath.FLOOR * level) ** 2), np.finfo(float).tiny)
        ratio = this if count == 0 else ratio + (this - ratio) / breath.DAYS
        after = [*spoken[i + 1 :], today][0]
        count = count + 1 if len(whole) == breath.BLOCKS and after == day + 1 else 0
    return count >= breath.DAYS and ratio < breath.LIMIT and abs(y - level) < breath.NEAR * d.sigma


def sensors(seed: int, days: int = 12, every: float = 3600.0) -> tuple[Floats, Ints]:
    """A drifting zero, one with a day, one with gaps, one that jumps, one below what it sees. [5, k]"""
    rng = np.random.default_rng(seed)
    k = round(days * 86_400 / every)
    t = START + (np.arange(1, k + 1) * every * NS).astype(np.int64)
    x = 0.006 + SIGMA * rng.standard_normal((5, k)) + 5e-5 * np.arange(k) * every / 86_400
    x[1] *= 1 + 0.08 * np.sin(2 * np.pi * np.arange(k) * every / 86_400)
    x[2, rng.random(k) < 0.15] = np.nan
    x[3, k * 9 // 10 :] += 0.004
    x[4] -= 0.0032
    return x, np.broadcast_to(t, x.shape)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), every=st.sampled_from([1800.0, 3600.0, 7200.0]))
def test_all_sensors_at_once_score_as_one_by_one_in_a_loop(seed: int, every: float) -> None:
    x, t = sensors(seed, every=every)
    d = Still(every=every)
    np.testing.assert_array_equal(d.step(d.init(5), x, t)[1], [plain(d, a, b) for a, b in zip(x, t, strict=True)])


def test_a_drifting_zero_is_told_after_a_week_and_gas_that_breathes_never_is() -> None:
    x, t = sensors(1)
    d = Still(every=3600.0)
    score = d.step(d.init(5), x, t)[1]
    assert (score[0, : 7 * 24 - 1] == 0).all()
    assert (score[0, 7 * 24 :] == 1).all()
    assert (score[1] == 0).all()


def test_what_begins_is_no_longer_still_at_its_first_reading() -> None:
    x, t = sensors(2)
    d = Still(every=3600.0)
    score = d.step(d.init(5), x, t)[1][3]
    begin = x.shape[1] * 9 // 10
    assert score[begin - 1] == 1
    assert (score[begin:] == 0).all()


@pytest.mark.parametrize(("sigma", "share"), [(1.0, 0.99), (3.0, 0.0)])
def test_noise_as_it_is_said_to_be_is_still_and_greater_noise_never_is(sigma: float, share: float) -> None:
    rng = np.random.default_rng(5)
    k = 24 * 20
    t = np.broadcast_to(START + np.arange(1, k + 1) * 3600 * NS, (300, k))
    x = 0.008 + sigma * SIGMA * rng.standard_normal((300, k))
    d = Still(every=3600.0)
    score = d.step(d.init(300), x, t)[1][:, 24 * 8 :]
    assert share <= score.mean() <= share + 0.01
