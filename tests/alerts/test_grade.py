"""Grading, against tables in Prometheus notation and against a plain loop."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import grade
from lifeline.model import Floats, Level, Limits

NORMAL, BLUE, YELLOW, ORANGE, RED = Level
INF = np.inf


def spread(text: str) -> list[float]:
    """'1+0.5x2 _x3 2' -> 1, 1.5, 2, three missing, 2: the notation of Prometheus' rule tests."""
    out: list[float] = []
    for word in text.split():
        if ramp := re.fullmatch(r"(-?[\d.]+)([+-][\d.]+)x(\d+)", word):
            first, step, times = float(ramp[1]), float(ramp[2]), int(ramp[3])
            out += [first + step * i for i in range(times + 1)]
        else:
            value, _, times_ = word.partition("x")
            out += [np.nan if value == "_" else float(value)] * int(times_ or 1)
    return out


def bounds(hold: list[int], enter: tuple[float, ...] = (1, 2, 3, 4), share: float = 0.8) -> Limits:
    up = np.array(enter, dtype=float)
    return Limits(up, up * share, np.array(hold))


def levels(limits: Limits, scores: Floats) -> list[list[int]]:
    """scores [m, k] -> levels [k][m]."""
    s, out = grade.init(scores.shape[0]), []
    for j in range(scores.shape[1]):
        s = grade.step(limits, s, scores[:, j])
        out.append(s.level.tolist())
    return out


def plain(limits: Limits, scores: list[float]) -> list[int]:
    """The oracle: one series, one sample, one level at a time."""
    level, wait, out = 0, [0, 0, 0, 0], []
    for x in scores:
        if not np.isnan(x):
            asked = kept = 0
            for i in range(4):
                if limits.enter[i] == INF:
                    continue
                wait[i] = wait[i] + 1 if x >= limits.enter[i] else 0
                if wait[i] >= limits.hold[i]:
                    asked = i + 1
                if x >= limits.leave[i]:
                    kept = i + 1
            level = max(asked, min(level, kept))
        out.append(level)
    return out


@pytest.mark.parametrize(
    ("hold", "scores", "expected"),
    [
        ([1] * 4, "0 1 0.9 0.7", [NORMAL, BLUE, BLUE, NORMAL]),  # leaves only below its own lower bound
        ([3] * 4, "1 1 0 1 1 1", [NORMAL] * 5 + [BLUE]),  # a short spike is no warning
        ([1] * 4, "3 _ _ 3", [ORANGE] * 4),  # silence neither raises nor clears
        ([3] * 4, "1 1 _x2 1", [NORMAL] * 4 + [BLUE]),  # a gap does not undo what was seen before it
        ([1] * 4, "0+1x4", [NORMAL, BLUE, YELLOW, ORANGE, RED]),
        ([1] * 4, "5 3.1 2.3 1.5 0.5", [RED, ORANGE, YELLOW, BLUE, NORMAL]),  # comes down as it went up
        ([1] * 4, "4 3.2 3.1", [RED, RED, ORANGE]),
        ([3, 3, 3, 2], "9 9 9", [NORMAL, RED, RED]),  # the worst level may skip the others and be quicker
        ([3, 3, 3, 9], "9x4", [NORMAL, NORMAL, ORANGE, ORANGE]),  # what is worse still waits for its own hold
        ([1, 1, 2, 1], "2 3 3", [YELLOW, YELLOW, ORANGE]),
        ([2] * 4, "1 1 0.9 0.5 1 1", [NORMAL, BLUE, BLUE, NORMAL, NORMAL, BLUE]),
    ],
)
def test_levels_are_entered_high_held_and_left_low(hold: list[int], scores: str, expected: list[Level]) -> None:
    assert [row[0] for row in levels(bounds(hold), np.array([spread(scores)]))] == expected


def test_a_level_without_a_bound_is_never_taken_not_even_by_an_infinite_score() -> None:
    limits = bounds([1] * 4, enter=(INF, 1, INF, 2))
    assert [r[0] for r in levels(limits, np.array([[1, INF, 1.7, 1.5, 0.1]]))] == [YELLOW, RED, RED, YELLOW, NORMAL]
    assert [r[0] for r in levels(bounds([1] * 4, enter=(1, 2, INF, INF)), np.array([[INF]]))] == [YELLOW]


score = st.one_of(st.just(np.nan), st.sampled_from([0.0, 0.8, 1.0, 1.6, 2.0, 2.4, 3.0, 3.2, 4.0, INF]), st.floats(0, 6))


@given(
    rows=st.integers(1, 30).flatmap(lambda k: st.lists(st.lists(score, min_size=k, max_size=k), min_size=1, max_size=4)),
    hold=st.lists(st.integers(1, 4), min_size=4, max_size=4),
    unused=st.sets(st.integers(0, 3), max_size=3),
    share=st.sampled_from([0.5, 0.8, 1.0]),
)
def test_all_series_at_once_are_graded_as_a_plain_loop_grades_each(
    rows: list[list[float]], hold: list[int], unused: set[int], share: float
) -> None:
    limits = bounds(hold, tuple(INF if i in unused else i + 1.0 for i in range(4)), share)
    together = np.array(levels(limits, np.array(rows))).T.tolist()
    assert together == [plain(limits, row) for row in rows]


@given(x=st.lists(score, min_size=1, max_size=30))
def test_grading_writes_to_nothing_it_is_given(x: list[float]) -> None:
    s = grade.step(bounds([2] * 4), grade.init(len(x)), np.array(x))
    before = [a.copy() for a in s]
    grade.step(bounds([2] * 4), s, np.array(x))
    for a, b in zip(s, before, strict=True):
        np.testing.assert_array_equal(a, b)
