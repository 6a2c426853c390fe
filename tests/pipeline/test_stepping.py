"""Stepping by rows is the plain path over all series, only quicker."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import grade
from detectors import known, rules
from detectors.cusum import Cusum
from detectors.limit import Limit
from detectors.rise import Rise
from detectors.stuck import Stuck
from lifeline.model import Detector, Floats, Ints, Limits, Rule, is_panel, is_timed
from pipeline import stepping
from pipeline.stepping import BadSnapshot, Standing, Steps

LIMITS = Limits(np.array([0.5, 1.0, np.inf, 2.0]), np.array([0.4, 0.7, np.inf, 1.5]), np.array([2, 3, 1, 2]))
METHANE = replace(next(r for r in rules() if r.id == "gas.methane.limit"), detector=Limit(scale=0.005))


def rule_of(detector: Detector) -> Rule:
    return replace(METHANE, detector=detector, limits=LIMITS)


def plain(rule: Rule, x: Floats) -> list[tuple[int, int, int, int]]:
    """The oracle: each series by itself, each tick graded: (tick, row, old, new)."""
    found = []
    for i in range(x.shape[0]):
        s, g = rule.detector.init(1), grade.init(1)
        for j in range(x.shape[-1]):
            s, score = rule.detector.step(s, x[i : i + 1, ..., j : j + 1])
            old = int(g.level[0])
            g = grade.step(rule.limits, g, score[:, 0])
            if g.level[0] != old:
                found.append((j, i, old, int(g.level[0])))
    return sorted(found)


def changes(steps: Steps, at: int = 0, rows: Any = None) -> list[tuple[int, int, int, int]]:
    which = steps.which if rows is None else rows[steps.which]
    return sorted(zip((steps.tick + at).tolist(), which.tolist(), steps.old.tolist(), steps.new.tolist(), strict=True))


def world(detector: Detector, seed: int, n: int, k: int) -> Floats:
    rng = np.random.default_rng(seed)
    if detector.channels:
        return rng.integers(0, 2, (n, len(detector.channels), k // 5 + 1)).astype(float).repeat(5, axis=2)[..., :k]
    x = rng.normal(0.0, 0.3, (n, k)).cumsum(axis=1)
    x[rng.random((n, k)) < 0.05] = np.nan
    return x


@pytest.mark.parametrize("detector", [d for d in known() if not (is_timed(d) or is_panel(d))], ids=repr)
def test_all_rows_in_tiles_change_levels_as_each_would_alone(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "ROWS", 8)
    monkeypatch.setattr(stepping, "TICKS", 5)
    small = {"warmup": 20} if isinstance(detector, Cusum | Stuck) else {}
    rule = rule_of(replace(detector, **small))  # type: ignore[type-var]
    x = world(detector, 1, 30, 60)
    steps = stepping.advance(rule, stepping.standing(rule, 30), slice(0, 30), x)
    assert changes(steps) == plain(rule, x)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_rows_in_any_order_at_any_time_change_as_each_would_alone(seed: int) -> None:
    rule, rng, n, k = rule_of(Cusum(warmup=10, limit=4.0, memory=100.0)), np.random.default_rng(seed), 9, 50
    x = world(rule.detector, seed, n, k)
    standing, at = stepping.standing(rule, n), np.zeros(n, np.int64)
    found: list[tuple[int, int, int, int]] = []
    while (at < k).any():
        start, wide = int(rng.choice(at[at < k])), int(rng.integers(1, 12))
        level = rng.permutation(np.flatnonzero(at == start))
        rows = np.arange(n) if level.size == n else level[: int(rng.integers(1, level.size + 1))]
        index: slice | Ints = slice(0, n) if level.size == n else rows
        steps = stepping.advance(rule, standing, index, x[rows, start : start + wide])
        found += changes(steps, start, rows)
        at[rows] = np.minimum(start + wide, k)
    assert sorted(found) == plain(rule, x)


def test_a_middle_slice_moves_its_own_rows_only() -> None:
    rule = METHANE
    standing = stepping.standing(rule, 10)
    steps = stepping.advance(rule, standing, slice(4, 7), np.full((3, 3), 0.06))
    assert standing.grade.level.tolist() == [0] * 4 + [4] * 3 + [0] * 3
    assert steps.which.tolist() == [0, 1, 2]
    assert steps.tick.tolist() == [1, 1, 1]  # RED after two of two
    assert (steps.score == 12).all()


def test_a_level_that_waits_is_neither_forgotten_nor_hurried_between_calls() -> None:
    rule = METHANE
    standing = stepping.standing(rule, 2)
    seen = [
        stepping.advance(rule, standing, slice(0, 2), np.array([[v], [0.0]])).new.tolist()
        for v in (0.02, 0.02, 0.0, 0.02, 0.02, 0.02)
    ]
    assert seen == [[], [], [], [], [], [2]]
    assert stepping.advance(rule, standing, slice(0, 2), np.zeros((2, 1))).old.tolist() == [2]


def test_scores_go_where_the_caller_wants_them() -> None:
    rule = METHANE
    x, out = np.full((5, 4), 0.005), np.zeros((4, 5)).T
    steps = stepping.advance(rule, stepping.standing(rule, 5), slice(0, 5), x, out)
    assert steps.score is out
    assert (out == 1).all()


def test_nothing_new_is_nothing() -> None:
    rule = METHANE
    standing = stepping.standing(rule, 5)
    for x in (np.empty((0, 3)), np.empty((5, 0))):
        steps = stepping.advance(rule, standing, slice(0, x.shape[0]), x)
        assert steps.score.shape == x.shape
        assert steps.which.size == 0


def test_a_rule_that_reckons_in_seconds_is_told_the_step_of_its_series() -> None:
    surge = stepping.fitted(rule_of(Rise(600.0)), 300.0)
    assert isinstance(surge.detector, Rise)
    assert surge.detector.every == 300.0
    assert stepping.fitted(METHANE, 300.0) is METHANE


@pytest.fixture
def lived() -> tuple[Rule, Standing, Floats]:
    rule = rule_of(Cusum(warmup=10, limit=4.0))
    standing, x = stepping.standing(rule, 6), world(rule.detector, 3, 6, 80)
    stepping.advance(rule, standing, slice(0, 6), x[:, :40])
    return rule, standing, x[:, 40:]


def test_a_restored_memory_goes_on_as_if_nothing_had_happened(lived: tuple[Rule, Standing, Floats]) -> None:
    rule, standing, x = lived
    file = io.BytesIO()
    np.savez(file, **stepping.arrays(standing))  # type: ignore[arg-type]
    file.seek(0)
    again = stepping.restore(rule, dict(np.load(file)))
    a, b = (stepping.advance(rule, s, slice(0, 6), x) for s in (standing, again))
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)
    assert a.which.size


def test_a_copy_is_left_alone_by_later_steps(lived: tuple[Rule, Standing, Floats]) -> None:
    rule, standing, x = lived
    kept = stepping.copy(standing)
    before = {k: v.copy() for k, v in stepping.arrays(kept).items()}
    stepping.advance(rule, standing, slice(0, 6), x)
    for k, v in stepping.arrays(kept).items():
        np.testing.assert_array_equal(v, before[k])


def test_memory_that_is_not_this_rules_is_refused_with_the_reason(lived: tuple[Rule, Standing, Floats]) -> None:
    rule, standing, _ = lived
    good = stepping.arrays(standing)
    bad = {
        "memory.up is missing": {k: v for k, v in good.items() if k != "memory.up"},
        "memory.extra is unknown": good | {"memory.extra": np.zeros(6)},
        r"memory.up is float64\[7\], wanted float64\[6\]": good | {"memory.up": np.zeros(7)},
        r"memory.up is float32\[6\], wanted float64\[6\]": good | {"memory.up": np.zeros(6, np.float32)},
        "no grade.level": {},
    }
    for why, stored in bad.items():
        with pytest.raises(BadSnapshot, match=why):
            stepping.restore(rule, stored)
