"""The quality gate."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.quality import FEWEST, Gate, QualityState, Setting, combined, gate, settings
from lifeline.catalog import Catalog, load
from lifeline.model import JUDGED, NS, Codes, Floats, Ints, Quality
from lifeline.units import QUANTITIES, UNITS

GOOD, SUSPECT, RANGE, STUCK, SPIKE, TOP = (
    Quality.GOOD, Quality.SUSPECT, Quality.BAD_RANGE, Quality.BAD_STUCK, Quality.BAD_SPIKE, Quality.SATURATED,
)  # fmt: skip
SMALL = Setting(
    unit="%VOL", max_step=1.0, noise=0.5, stuck=20.0, repeats=[0.0, 0.2], pegged=True, source="for this test", confidence="D"
)


def by_loop(g: Gate, row: int, t: Ints, x: Floats) -> list[int]:
    """The gate for one series, sample by sample: the oracle."""
    codes: list[int] = []
    value, time, spiked, last, run = np.nan, 0, False, np.nan, 0
    for when, v in zip(t.tolist(), x.tolist(), strict=True):
        if not np.isfinite(v):
            codes.append(SUSPECT)
            continue
        run = run + 1 if v == last else 1
        last = v
        if not g.low[row] <= v <= g.high[row]:
            codes.append(RANGE)
            continue
        spiked = not spiked and abs(v - value) > g.noise[row] + g.max_step[row] * abs(when - time) / NS
        if not spiked:
            value, time = v, when
        repeats = g.rest[row] <= v <= g.rise[row]
        codes.append(SPIKE if spiked else TOP if v >= g.peg[row] else STUCK if run >= g.stuck[row] and not repeats else GOOD)
    return codes


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Path(__file__).parent / "catalog.csv")


@pytest.fixture(scope="module")
def judge(catalog: Catalog) -> Gate:
    return gate(catalog, settings() | {"methane": SMALL})


def graded(judge: Gate, row: int, percent: list[float], t: list[float] | None = None) -> list[int]:
    """Codes of one series of methane. percent [%VOL]; t [s], one a second unless given."""
    x = np.array([percent]) / 100
    when = np.array([t if t is not None else list(range(len(percent)))]) * NS
    _, codes = judge.step(judge.init(1), np.array([row], np.int32), when.astype(np.int64), x)
    return codes[0].tolist()  # type: ignore[no-any-return]


@pytest.fixture
def well(catalog: Catalog) -> int:
    return catalog.row["W-2/methane"]  # one reading a second, range 0 to 5 %VOL


def test_a_jump_faster_than_physics_is_a_spike_for_one_sample(judge: Gate, well: int) -> None:
    assert graded(judge, well, [0.3, 0.31, 3.0, 0.32, 0.33]) == [GOOD, GOOD, SPIKE, GOOD, GOOD]


def test_a_step_that_lasts_was_real(judge: Gate, well: int) -> None:
    assert graded(judge, well, [0.3, 3.0, 3.1, 3.2]) == [GOOD, SPIKE, GOOD, GOOD]


def test_a_real_hazard_is_never_hidden_for_longer_than_one_sample(judge: Gate, well: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        rise = [0.1, *rng.uniform(0.0, 4.9, 12)]  # as wild as it may be
        codes = graded(judge, well, rise)
        assert not any(a == b == SPIKE for a, b in pairwise(codes))
    leak = [0.1, 0.1, *np.linspace(1.7, 5.0, 4)]  # each sample a jump from the one before
    assert [c in JUDGED for c in graded(judge, well, leak)] == [True, True, False, True, True, True]


def test_a_change_that_had_time_is_no_spike(judge: Gate, well: int) -> None:
    assert graded(judge, well, [0.3, 3.0], t=[0, 60]) == [GOOD, GOOD]
    assert graded(judge, well, [0.3, 3.0], t=[60, 0]) == [GOOD, GOOD]  # late data: which came first does not matter


def test_the_first_sample_of_all_is_no_spike(judge: Gate, well: int) -> None:
    assert graded(judge, well, [4.0]) == [GOOD]


def test_beyond_the_range_is_bad_and_no_reference(judge: Gate, well: int) -> None:
    assert graded(judge, well, [0.3, -1.0, 99.0, 0.4]) == [GOOD, RANGE, RANGE, GOOD]


def test_the_end_of_the_range_is_saturated_for_as_long_as_it_lasts(judge: Gate, well: int) -> None:
    assert graded(judge, well, [4.89, 4.9, 5.0, *[5.0] * 60]) == [GOOD, *[TOP] * 62]


def test_a_pegged_sensor_may_say_a_little_more_than_all_and_is_still_judged(judge: Gate, well: int) -> None:
    assert graded(judge, well, [4.9, 5.2, 5.5, 5.6]) == [TOP, TOP, TOP, RANGE]


def test_single_precision_at_the_end_of_the_range_is_within_it(judge: Gate, well: int) -> None:
    assert graded(judge, well, [float(np.float32(0.05)) * 100]) == [TOP]


def test_states_are_never_saturated_or_stuck(catalog: Catalog, judge: Gate) -> None:
    row = np.array([catalog.row["E-1/door"]], np.int32)
    _, codes = judge.step(judge.init(1), row, np.arange(500)[None] * NS, np.ones((1, 500)))
    assert (codes == GOOD).all()


def test_equal_values_are_stuck_after_the_stated_time_unless_they_are_normal_to_repeat(judge: Gate, well: int) -> None:
    assert graded(judge, well, [1.0] * 22 + [1.01]) == [*[GOOD] * 19, *[STUCK] * 3, GOOD]
    assert graded(judge, well, [0.1] * 30) == [GOOD] * 30


def test_a_missing_sample_neither_counts_nor_breaks_nor_moves_anything(judge: Gate, well: int) -> None:
    nan = float("nan")
    assert graded(judge, well, [1.0] * 19 + [nan, 1.0]) == [*[GOOD] * 19, SUSPECT, STUCK]
    assert graded(judge, well, [0.3, nan, 4.0, nan, 0.3], t=[0, 1, 2, 3, 4]) == [GOOD, SUSPECT, SPIKE, SUSPECT, GOOD]


def test_the_time_to_be_stuck_is_counted_in_samples_of_each_series(catalog: Catalog) -> None:
    g = gate(catalog, settings())
    assert g.stuck[catalog.row["W-1/methane"]] == 86400 / 60
    assert g.stuck[catalog.row["W-2/methane"]] == 86400
    assert g.stuck[catalog.row["B-1/a"]] == 1000
    assert gate(catalog, {"methane": SMALL}).stuck[catalog.row["W-1/methane"]] == FEWEST


def test_a_quantity_without_setting_is_judged_by_its_range_alone(catalog: Catalog) -> None:
    g = gate(catalog, {})
    x = np.array([[1.0] * 50 + [5.0, 1.0, 99.0]]) / 100
    _, codes = g.step(g.init(1), np.array([catalog.row["W-2/methane"]], np.int32), np.arange(53)[None] * NS, x)
    assert codes[0].tolist() == [*[GOOD] * 52, RANGE]


def test_what_was_said_before_stands() -> None:
    said = combined(np.array([Quality.CLOCK, GOOD, GOOD], np.uint8), np.array([SPIKE, SPIKE, GOOD], np.uint8))
    assert said.tolist() == [Quality.CLOCK, SPIKE, GOOD]


# against the loop, and the contract of everything that steps

K = 40


def stream(seed: int, n: int) -> tuple[Ints, Floats]:
    """Methane that jumps, repeats, misses, leaves its range, at irregular times, some out of order."""
    rng = np.random.default_rng(seed)
    x = np.round(np.cumsum(rng.normal(0, 0.002, (n, K)), axis=1) + 0.01, 3)
    x += np.where(rng.random((n, K)) < 0.1, rng.uniform(-0.06, 0.08, (n, K)), 0)
    same = rng.random((n, K)) < 0.5
    for j in range(1, K):
        x[:, j] = np.where(same[:, j], x[:, j - 1], x[:, j])
    x[:, 10 : 10 + 4 * (seed % 7)] = 0.03
    x[rng.random((n, K)) < 0.1] = np.nan
    x[rng.random((n, K)) < 0.01] = np.inf
    t = np.cumsum(rng.integers(1, 4 * NS, (n, K)), axis=1) + rng.integers(-NS, NS, (n, K))
    return t, x


def run(judge: Gate, rows: Ints, t: Ints, x: Floats, cuts: set[int] = frozenset()) -> tuple[QualityState, Codes]:  # type: ignore[assignment]
    s, parts = judge.init(len(x)), []
    for a, b in pairwise([0, *sorted(cuts), K]):
        s, codes = judge.step(s, rows.astype(np.int32), t[:, a:b], x[:, a:b])
        parts.append(codes)
    return s, np.concatenate(parts, axis=1)


@pytest.mark.parametrize("seed", range(30))
def test_the_gate_says_what_the_plain_loop_says(catalog: Catalog, judge: Gate, seed: int) -> None:
    rows = np.arange(catalog.n)
    t, x = stream(seed, catalog.n)
    np.testing.assert_array_equal(run(judge, rows, t, x)[1], [by_loop(judge, i, t[i], x[i]) for i in range(catalog.n)])


def test_the_stream_of_the_tests_holds_every_code(judge: Gate, catalog: Catalog) -> None:
    rows = np.full(30, catalog.row["W-2/methane"])
    seen = {c for seed in range(10) for c in run(judge, rows, *stream(seed, 30))[1].ravel().tolist()}
    assert seen == {GOOD, SUSPECT, RANGE, STUCK, SPIKE, TOP}


@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(0, K), max_size=5))
def test_cutting_the_stream_changes_nothing(catalog: Catalog, judge: Gate, seed: int, cuts: set[int]) -> None:
    rows = np.full(5, catalog.row["W-2/methane"])
    t, x = stream(seed, 5)
    (whole, codes), (cut, same) = run(judge, rows, t, x), run(judge, rows, t, x, cuts)
    np.testing.assert_array_equal(codes, same)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(5))
def test_a_series_alone_is_graded_the_same(catalog: Catalog, judge: Gate, seed: int) -> None:
    rows = np.arange(catalog.n)
    t, x = stream(seed, catalog.n)
    alone = [run(judge, rows[i : i + 1], t[i : i + 1], x[i : i + 1])[1][0] for i in rows]
    np.testing.assert_array_equal(run(judge, rows, t, x)[1], alone)


def test_memory_survives_a_restart_and_inputs_are_left_alone(catalog: Catalog, judge: Gate, tmp_path: Path) -> None:
    rows = np.full(6, catalog.row["W-2/methane"], np.int32)
    t, x = stream(3, 6)
    s, _ = judge.step(judge.init(6), rows, t[:, :20], x[:, :20])
    before, was = x.copy(), [a.copy() for a in s]
    np.savez(tmp_path / "s.npz", **s._asdict())
    with np.load(tmp_path / "s.npz") as file:
        again = QualityState(**{k: file[k] for k in QualityState._fields})
    np.testing.assert_array_equal(
        judge.step(s, rows, t[:, 20:], x[:, 20:])[1], judge.step(again, rows, t[:, 20:], x[:, 20:])[1]
    )
    np.testing.assert_array_equal(x, before)
    for a, b in zip(s, was, strict=True):
        np.testing.assert_array_equal(a, b)


# the settings that are shipped


def test_every_quantity_has_a_setting_in_its_own_dimension() -> None:
    known = settings()
    assert set(known) == set(QUANTITIES)
    for quantity, setting in known.items():
        assert UNITS[setting.unit].si == QUANTITIES[quantity].si
        assert setting.source
        assert setting.confidence in {"V", "X", "H", "M", "L", "C", "D"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('unit = "furlong"', "furlong"), ("repeats = [1.0]", "repeats"), ("repeats = [2.0, 1.0]", "repeats"),
        ("max_step = -1.0", "max_step"), ("stuck = 0.0", "stuck"), ("speed = 1", "speed"), ('pegged = "yes"', "pegged"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_by_file_and_key(tmp_path: Path, line: str, reason: str) -> None:
    sound = dict.fromkeys(('unit = "%VOL"', "max_step = 1.0", "noise = 0.5", "stuck = 20.0", "repeats = []", "pegged = true"))
    key = line.partition(" ")[0]
    lines = [line if known.startswith(key + " ") else known for known in sound]
    lines += [] if line in lines else [line]
    path = tmp_path / "quality.toml"
    path.write_text("\n".join(["[methane]", *lines, 'source = "x"', 'confidence = "D"']))
    with pytest.raises(ValueError, match=reason) as refused:
        settings(path)
    assert str(path) in str(refused.value)
