"""What every detector promises, run over all that are found; a new one is found by itself.

Those that are told the time, and those of panels: test_contract_timed.py.
"""

import io
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import known, named
from detectors.contact import Channel, Contact
from detectors.elevator import Elevator, Hazard
from detectors.travel import Fault, Travel
from lifeline.model import Detector, Floats, is_panel, is_timed

N, K = 6, 160
QUICK = {"warmup": 40, "window": 20, "every": 1.0, "patience": 5.0}  # so that a short frame is judged at all


def quick(detector: Detector) -> Detector:
    """The same detector with a short memory: what it promises does not depend on how long it learns."""
    own = {f.name for f in fields(detector)}  # type: ignore[arg-type]  # detectors are dataclasses
    names = {k: v for k, v in QUICK.items() if k in own}
    out: Detector = replace(detector, **names)  # type: ignore[type-var]  # detectors are dataclasses
    return out


def every() -> list[Detector]:
    """All detectors, and the lift with each of its scores."""
    lifts: list[Detector] = [Elevator(hazard=h, scale=5.0) for h in get_args(Hazard)]
    lifts += [Contact(channel=c) for c in get_args(Channel)] + [Travel(fault=f) for f in get_args(Fault)]
    plain = [d for d in known() if not (isinstance(d, Elevator | Contact | Travel) or is_timed(d) or is_panel(d))]
    return [quick(d) for d in plain] + lifts


@pytest.fixture(params=every(), ids=repr)
def detector(request: pytest.FixtureRequest) -> Detector:
    found: Detector = request.param
    return found


def frame(detector: Detector, seed: int, missing: float = 0.1) -> Floats:
    """Noise, a shift, a run of equal values and gaps; for a lift, states that last a while. [N, K] or [N, c, K]"""
    rng = np.random.default_rng(seed)
    if detector.channels:
        x = rng.integers(0, 2, (N, len(detector.channels), K // 8)).astype(float).repeat(8, axis=2)
        x[:, detector.channels.index("mode")] = (rng.random((N, K)) < 0.1).astype(float)  # maintenance now and then
    else:
        x = np.abs(rng.normal(5.0, 1.0, (N, K)))
        x[1, 90:] += 8.0
        x[2, 100:120] = 3.0
    hole = rng.random(x.shape) < missing
    hole[..., -1] = False
    x[hole] = np.nan
    return x


def run(detector: Detector, x: Floats, cuts: set[int] = frozenset()) -> tuple[Any, Floats]:  # type: ignore[assignment]
    """State and scores of a stream cut at these ticks."""
    s, said, edges = detector.init(x.shape[0]), [], [0, *sorted(cuts), x.shape[-1]]
    for a, b in pairwise(edges):
        s, score = detector.step(s, x[..., a:b])
        said.append(score)
    return s, np.concatenate(said, axis=1)


def unknown(detector: Detector, x: Floats) -> Any:
    """Where nothing can be judged: [N, K]."""
    return np.isnan(x).all(axis=1) if detector.channels else np.isnan(x)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, K - 1), max_size=5), missing=st.sampled_from([0.0, 0.02, 0.3]))
def test_cutting_the_stream_changes_nothing(seed: int, cuts: set[int], missing: float) -> None:
    for detector in every():
        x = frame(detector, seed, missing)
        (a, one), (b, many) = run(detector, x), run(detector, x, cuts)
        np.testing.assert_array_equal(one, many, err_msg=repr(detector))
        for name in a._fields:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=f"{detector!r} {name}")


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_series_alone_scores_the_same(detector: Detector, missing: float) -> None:
    x = frame(detector, 1, missing)
    alone = [run(detector, x[i : i + 1])[1][0] for i in range(N)]
    np.testing.assert_array_equal(run(detector, x)[1], alone)


def test_a_series_scores_the_same_in_any_memory_order(detector: Detector) -> None:
    x = frame(detector, 2, 0.0)
    np.testing.assert_array_equal(run(detector, np.asfortranarray(x))[1], run(detector, np.ascontiguousarray(x))[1])


def test_missing_values_are_never_judged_and_never_spread(detector: Detector) -> None:
    x = frame(detector, 4)
    if detector.channels:
        x[:, :, 70:75] = np.nan
        x[..., -1] = 0.0
    score = run(detector, x)[1]
    assert unknown(detector, x).any()
    assert np.isnan(score[unknown(detector, x)]).all()
    assert np.isfinite(score[:, -1]).all()


def test_state_stands_still_while_nothing_comes(detector: Detector) -> None:
    x = frame(detector, 5)
    s, _ = run(detector, x)
    after, score = detector.step(s, np.full_like(x, np.nan)[..., :7])
    assert np.isnan(score).all()
    for name in set(s._fields) - {"past", "seen"} if "window" in repr(detector) else s._fields:
        np.testing.assert_array_equal(getattr(after, name), getattr(s, name), err_msg=name)  # a window keeps its empty slots


def test_inputs_are_left_alone(detector: Detector) -> None:
    for missing in (0.0, 0.1):
        x = frame(detector, 6, missing)
        s, _ = run(detector, x)
        before = [x.copy(), *(a.copy() for a in s)]
        detector.step(s, x)
        for a, b in zip([x, *s], before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_scores_are_never_negative_and_none_is_finite_before_the_warm_up(detector: Detector) -> None:
    score = run(detector, frame(detector, 7, 0.0))[1]
    assert not (score < 0).any()
    assert np.isnan(score[:, : detector.warmup]).all()
    assert np.isfinite(score[:, detector.warmup :]).mean() > 0.8


def test_state_is_arrays_series_first_and_survives_a_restart(detector: Detector) -> None:
    x = frame(detector, 8)
    s, whole = run(detector, x)
    half, _ = run(detector, x[..., :70])
    file = io.BytesIO()
    np.savez(file, **half._asdict())
    file.seek(0)
    stored = np.load(file)
    assert all(a.shape[0] == N for a in s)
    again, score = detector.step(type(half)(**{k: stored[k] for k in half._fields}), x[..., 70:])
    np.testing.assert_array_equal(score, whole[:, 70:])
    for name in s._fields:
        np.testing.assert_array_equal(getattr(again, name), getattr(s, name))


def test_an_empty_step_is_no_step(detector: Detector) -> None:
    x = frame(detector, 9)
    s, _ = run(detector, x)
    after, score = detector.step(s, x[..., :0])
    assert score.shape == (N, 0)
    for name in s._fields:
        np.testing.assert_array_equal(getattr(after, name), getattr(s, name))


def test_a_detector_says_what_it_judges(detector: Detector) -> None:
    assert detector.judges in {"value", "age"}
    assert detector.warmup >= 0
    assert len(set(detector.channels)) == len(detector.channels)


def test_every_detector_has_a_page_and_cites_where_it_comes_from() -> None:
    pages = Path(__file__).parents[2] / "docs" / "detectors"
    for name, one in named().items():
        assert (pages / f"{name}.md").exists(), name
        assert len((type(one).__doc__ or "").split()) > 30, name
