"""Latches and clocks over all ticks at once, against plain loops."""

import math

import numpy as np
import pytest

from detectors.latch import before, lasted, latch
from lifeline.model import Bools, Floats


def plain_latch(on: list[bool], off: list[bool], start: bool) -> list[bool]:  # noqa: FBT001  the oracle
    out = []
    for a, b in zip(on, off, strict=True):
        start = True if a else False if b else start
        out.append(start)
    return out


def plain_lasted(counts: list[bool], reset: list[bool], start: float) -> list[float]:
    out = []
    for a, b in zip(counts, reset, strict=True):
        start = 0.0 if b else start + a
        out.append(start)
    return out


@pytest.fixture
def flips() -> Bools:
    flips: Bools = np.random.default_rng(1).random((2, 80, 20)) < 0.2
    return flips


def test_a_latch_keeps_what_was_said_last(flips: Bools) -> None:
    start = np.arange(20) % 2 > 0
    expected = [plain_latch(flips[0, :, i].tolist(), flips[1, :, i].tolist(), bool(start[i])) for i in range(20)]
    np.testing.assert_array_equal(latch(flips[0], flips[1], start).T, expected)


def test_a_clock_counts_on_from_where_it_stood_and_starts_anew_at_each_reset(flips: Bools) -> None:
    start: Floats = np.arange(20.0)
    start[3] = math.inf
    expected = [plain_lasted(flips[0, :, i].tolist(), flips[1, :, i].tolist(), float(start[i])) for i in range(20)]
    np.testing.assert_array_equal(lasted(flips[0], flips[1], start).T, expected)


def test_what_stood_a_tick_before_begins_with_what_stood_before_the_block() -> None:
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(before(x, np.array([-2.0, -1.0])), [[-2, -1], [0, 1], [2, 3]])
