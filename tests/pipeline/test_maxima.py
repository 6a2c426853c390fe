"""The greatest score of each block, as a hold lets it through, against a plain loop."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lifeline.model import NS, Domain, Floats
from pipeline.maxima import NOTHING, Maxima
from tests.panel import Apart, rule

N, K, BLOCK = 3, 60, 10


def plain(score: Floats, hold: int) -> list[dict[int, float]]:
    """Sample by sample. A score that is not judged is as if it had not come."""
    out: list[dict[int, float]] = []
    for i in range(N):
        seen: list[float] = []
        most: dict[int, float] = {}
        for k in range(K):
            if np.isnan(score[i, k]):
                continue
            seen.append(score[i, k])
            if len(seen) >= hold:
                block = (k + 1) // BLOCK
                most[block] = max(most.get(block, NOTHING), min(seen[-hold:]))
        out.append(most)
    return out


def heard(score: Floats, hold: int, cuts: Sequence[int]) -> Maxima:
    one = rule(Apart(), "methane", Domain.GAS, 1.0, name="x")
    held = np.full(4, hold, np.int64)
    one = replace(one, limits=replace(one.limits, hold=held))
    maxima = Maxima(N, [one], BLOCK * NS)
    t = np.arange(1, K + 1) * NS
    for a, b in zip([0, *cuts], [*cuts, K], strict=True):
        rows = np.array([2, 0, 1], np.int32)
        maxima(one, rows, np.broadcast_to(t[a:b], (N, b - a)), score[rows, a:b])
    return maxima


@pytest.mark.parametrize("hold", [1, 2, 5])
@pytest.mark.parametrize("cuts", [[], [7, 8, 31]], ids=str)
def test_it_is_the_least_of_as_many_scores_in_a_row(hold: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(hold)
    score = rng.exponential(size=(N, K))
    score[rng.random((N, K)) < 0.2] = np.nan
    found, wanted = heard(score, hold, cuts).most["test.x"], plain(score, hold)
    for i in range(N):
        assert {b: m[i] for b, m in found.items() if m[i] > NOTHING} == wanted[i]


def test_values_are_of_the_blocks_that_begin_within() -> None:
    score = np.arange(1.0, K + 1)[None, :] * np.ones((N, 1))
    values = heard(score, 1, []).values("test.x", 10 * NS, 30 * NS)
    assert sorted(values.tolist()) == [19.0] * N + [29.0] * N
