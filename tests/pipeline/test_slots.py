"""Series side by side on slots: what stands in a slot, and that no cut of the stream changes it."""

import numpy as np
import pytest

from lifeline.model import NS, Batch, Floats, Ints
from pipeline.slots import LONGEST, Slots


def opened(slot: float = 10.0, wait: float = 2.0, hold: tuple[float, ...] = (0.0, 0.0, 25.0)) -> Slots:
    """Catalog rows 1, 3 and 4 of five."""
    rows = np.array([1, 3, 4], np.int32)
    place = np.array([-1, 0, -1, 1, 2])
    return Slots(rows, round(slot * NS), round(wait * NS), np.array([round(h * NS) for h in hold]), place)


def batch(*said: tuple[int, float, float]) -> Batch:
    """(row, t [s], value)"""
    row, t, value = zip(*said, strict=True)
    return Batch(np.array(row, np.int32), np.array([round(x * NS) for x in t]), np.array(value), np.zeros(len(row), np.uint8))


def test_a_slot_has_the_mean_of_its_readings_and_nothing_of_others() -> None:
    s = opened()
    s.close(100 * NS)
    s.add(batch((1, 90.5, 1.0), (1, 100, 4.0), (1, 100.1, 100.0), (3, 95, np.nan), (0, 95, 7.0)))
    ends, x = s.close(102 * NS)
    assert ends.tolist() == [100 * NS]
    np.testing.assert_array_equal(x, [[2.5], [np.nan], [np.nan]])
    ends, x = s.close(112 * NS)
    np.testing.assert_array_equal(x, [[100.0], [np.nan], [np.nan]])


def test_a_state_stands_until_it_is_too_old() -> None:
    s = opened()
    s.close(100 * NS)
    s.add(batch((4, 101, 1.0), (4, 103, 0.0), (4, 119, 1.0)))
    x = s.close(152 * NS)[1]
    np.testing.assert_array_equal(x[2], [np.nan, 0.0, 1.0, 1.0, 1.0, np.nan])  # 119 + 25 holds at 140, not at 150


def test_a_slot_waits_for_its_readings_and_takes_none_after() -> None:
    s = opened()
    s.close(100 * NS)
    assert s.close(101 * NS)[0].size == 0
    s.add(batch((1, 99, 3.0)))
    assert s.close(102 * NS)[1][0].tolist() == [3.0]
    s.add(batch((1, 98, 5.0)))
    assert np.isnan(s.close(112 * NS)[1]).all()


def test_after_a_jump_of_the_clock_only_the_last_slots_are_judged() -> None:
    s = opened()
    s.close(100 * NS)
    s.add(batch((1, 95, 3.0), (4, 95, 1.0)))
    ends, x = s.close(10 * NS * (LONGEST + 1000))
    assert ends.size == LONGEST
    assert np.isnan(x).all()


def stream(seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(100 * NS, 400 * NS, 300))
    return Batch(rng.choice([0, 1, 3, 4], 300).astype(np.int32), t, rng.normal(size=300), np.zeros(300, np.uint8))


def told(s: Slots, b: Batch, cuts: Ints) -> Floats:
    """Second by second of the clock, or in one go between cuts."""
    found = []
    for clock in cuts.tolist():
        due = (b.t <= clock) & (b.t > clock - np.diff(cuts, prepend=0)[cuts == clock][0])
        s.add(b.take(due))
        found.append(s.close(clock)[1])
    return np.hstack(found)


@pytest.mark.parametrize("seed", range(5))
def test_any_cut_of_the_stream_gives_the_same_bits(seed: int) -> None:
    b, rng = stream(seed), np.random.default_rng(seed)
    fine = np.arange(100, 411) * NS
    coarse = np.unique(np.r_[100 * NS, rng.choice(fine, 7), 410 * NS])
    one, other = opened(), opened()
    np.testing.assert_array_equal(told(one, b, fine), told(other, b, coarse))
    for name, a in one.memory().items():
        np.testing.assert_array_equal(a, other.memory()[name], err_msg=name)


def standing(b: Batch, row: int, hold: float, ends: Ints) -> list[float]:
    """What a series said last at the end of each slot, where that is not too old, one reading after the other."""
    out = []
    for end in ends.tolist():
        said = [(t, v) for r, t, v in zip(b.row.tolist(), b.t.tolist(), b.value.tolist(), strict=True) if r == row and t <= end]
        t, v = max(said, key=lambda a: a[0], default=(0, np.nan))
        out.append(v if end - t <= hold * NS else np.nan)
    return out


@pytest.mark.parametrize("seed", range(5))
def test_what_stands_is_what_a_plain_loop_says(seed: int) -> None:
    rng, k = np.random.default_rng(seed), 60
    t = np.sort(rng.choice(600, k, replace=False) + 100) * NS
    b = Batch(rng.choice([3, 4], k).astype(np.int32), t, rng.normal(size=k), np.zeros(k, np.uint8))
    s = opened(hold=(0.0, 40.0, 25.0))
    s.close(100 * NS)
    s.add(b)
    for clock in (333, 702):
        ends, x = s.close(clock * NS)
        for place, (row, hold) in enumerate(((3, 40.0), (4, 25.0)), 1):
            np.testing.assert_array_equal(x[place], standing(b, row, hold, ends))


def test_memory_is_taken_over_by_the_rows_that_stayed() -> None:
    s = opened()
    s.close(102 * NS)
    s.add(batch((1, 105, 1.0), (3, 105, 2.0), (4, 105, 3.0)))
    after = Slots(np.array([0, 2], np.int32), 10 * NS, 2 * NS, np.array([0, 25 * NS]), np.array([0, -1, 1]))
    after.remember(s.memory(), np.array([-1, 0, -1, -1, 2]))  # row 1 is row 0 now, 4 is 2, and 3 is gone
    np.testing.assert_array_equal(after.close(112 * NS)[1], [[1.0], [3.0]])
