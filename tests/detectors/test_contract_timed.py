"""What every detector promises that is told the time: of single series, and of panels; a new one is found by itself."""

import io
import tempfile
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import known
from lifeline.model import NS, Bools, Detector, Floats, Ints, Members, is_panel, is_timed
from tests.panel import Apart, Gap
from tests.tree import written

N: Final = 6  # members, the last of which only helps where the detector wants such
K: Final = 240
STEP: Final = 300.0  # [s]
START: Final = 1_795_420_800 * NS
QUICK: Final = {"warmup": 40, "window": 20, "every": STEP}


def quick(detector: Detector) -> Detector:
    """With a short memory where it has such a field, and a panel settled for its members."""
    own = {f.name for f in fields(detector)}  # type: ignore[arg-type]  # detectors are dataclasses
    out: Detector = replace(detector, **{k: v for k, v in QUICK.items() if k in own})  # type: ignore[type-var]
    if is_panel(out):
        made = out.settled(members(out))
        assert made is not None, f"{detector!r} judges no panel of {N}"
        return made
    return out


def members(detector: Detector) -> Members:
    assert is_panel(detector)
    over, beside = detector.over or ("deflection",), detector.beside
    quantity = [over[i % len(over)] for i in range(N)]
    if beside:
        quantity[-len(beside) :] = beside
    key = np.array([f"device-{i}/{q}" for i, q in enumerate(quantity)], object)
    flat, none = np.ones(N), np.full(N, np.nan)
    return Members(
        key, np.array(quantity, object), np.array([f"device-{i}" for i in range(N)], object), np.array(["asset"] * N, object),
        31.8 + 1e-4 * np.arange(float(N)), 117.2 * flat, none, -1e3 * flat, 1e3 * flat, (detector.slot or STEP) / 100 * flat,
        np.array([q in over for q in quantity]), STEP, network() if hasattr(detector, "map") else None,
        np.array(["gate", *[""] * (N - 1)], object),
    )  # fmt: skip


@cache
def network() -> Path:
    """A file that knows the members, for those who want one."""
    return written(Path(tempfile.mkdtemp()), {str(i): f"device-{i}" for i in range(1, N)})


def every() -> list[Detector]:
    """All that are told the time, and those of the tests."""
    return [quick(d) for d in [*known(), Gap(), Apart()] if is_timed(d) or is_panel(d)]


@pytest.fixture(params=every(), ids=lambda d: type(d).__name__)
def detector(request: pytest.FixtureRequest) -> Detector:
    found: Detector = request.param
    return found


def frame(seed: int, missing: float = 0.1) -> Floats:
    """Noise about a common wave, a shift of one, a run of equal values, gaps. [N, K]"""
    rng = np.random.default_rng(seed)
    x = 5.0 + np.sin(np.arange(K) / 20) * np.linspace(0.5, 1.5, N)[:, None] + rng.normal(0, 0.2, (N, K))
    x[1, 150:] += 8.0
    x[2, 100:120] = 3.0
    hole = rng.random(x.shape) < missing
    hole[:, -1] = False
    x[hole] = np.nan
    return x


def times(detector: Detector) -> Ints:
    """[N, K] for single series, each with a moment of its own; [K] for panels."""
    t = START + np.arange(1, K + 1) * step(detector)
    return t if is_panel(detector) else t + np.arange(N)[:, None] * NS


def step(detector: Detector) -> int:
    """[ns]"""
    return round((detector.slot or STEP if is_panel(detector) else STEP) * NS)


def run(detector: Detector, x: Floats, t: Ints, cuts: set[int] = frozenset()) -> tuple[Any, Floats]:  # type: ignore[assignment]
    """State and scores of a stream cut at these ticks."""
    s, said, edges = detector.init(x.shape[0]), [], [0, *sorted(cuts), x.shape[1]]
    for a, b in pairwise(edges):
        s, score = detector.step(s, x[:, a:b], t[..., a:b])
        said.append(score)
    return s, np.concatenate(said, axis=1)


def judged(detector: Detector) -> Bools:
    """[N]"""
    return members(detector).judged if is_panel(detector) else np.ones(N, np.bool_)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, K - 1), max_size=5), missing=st.sampled_from([0.0, 0.02, 0.3]))
def test_cutting_the_stream_changes_nothing(seed: int, cuts: set[int], missing: float) -> None:
    for detector in every():
        x, t = frame(seed, missing), times(detector)
        (a, one), (b, many) = run(detector, x, t), run(detector, x, t, cuts)
        np.testing.assert_array_equal(one, many, err_msg=repr(detector))
        for name in a._fields:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=f"{detector!r} {name}")


def test_a_single_series_alone_scores_the_same(detector: Detector) -> None:
    if is_panel(detector):
        return  # its members are judged by one another
    x, t = frame(1), times(detector)
    alone = [run(detector, x[i : i + 1], t[i : i + 1])[1][0] for i in range(N)]
    np.testing.assert_array_equal(run(detector, x, t)[1], alone)


def test_missing_values_are_never_judged(detector: Detector) -> None:
    x, t = frame(4), times(detector)
    x[:, 70:75] = np.nan
    score = run(detector, x, t)[1]
    assert np.isnan(score[np.isnan(x) & judged(detector)[:, None]]).all()


def test_inputs_are_left_alone(detector: Detector) -> None:
    x, t = frame(6), times(detector)
    s, _ = run(detector, x, t)
    before = [x.copy(), t.copy(), *(a.copy() for a in s)]
    later = t + K * step(detector)
    detector.step(s, x, later)
    for a, b in zip([x, t, *s], before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_scores_are_never_negative_and_none_is_finite_before_the_warm_up(detector: Detector) -> None:
    score = run(detector, frame(7, 0.0), times(detector))[1][judged(detector)]
    assert not (score < 0).any()
    assert np.isnan(score[:, : detector.warmup]).all()


def test_a_state_survives_a_restart(detector: Detector) -> None:
    x, t = frame(8), times(detector)
    s, whole = run(detector, x, t)
    half, _ = run(detector, x[:, :170], t[..., :170])
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **half._asdict())
    file.seek(0)
    stored = np.load(file, allow_pickle=False)
    again, score = detector.step(type(half)(**{k: stored[k] for k in half._fields}), x[:, 170:], t[..., 170:])
    np.testing.assert_array_equal(score, whole[:, 170:])
    for name in s._fields:
        np.testing.assert_array_equal(getattr(again, name), getattr(s, name))
        assert getattr(again, name).dtype == getattr(detector.init(N), name).dtype, name


def test_an_empty_step_is_no_step(detector: Detector) -> None:
    x, t = frame(9), times(detector)
    s, _ = run(detector, x, t)
    after, score = detector.step(s, x[:, :0], t[..., :0])
    assert score.shape == (N, 0)
    for name in s._fields:
        np.testing.assert_array_equal(getattr(after, name), getattr(s, name))


def test_a_state_of_single_series_has_them_first(detector: Detector) -> None:
    if not is_panel(detector):
        assert all(a.shape[0] == N for a in detector.init(N))


def test_a_detector_says_what_it_judges(detector: Detector) -> None:
    assert detector.judges == "value"
    assert detector.warmup >= 0
    assert detector.channels == ()
    if is_panel(detector):
        assert set(detector.over).isdisjoint(detector.beside)
