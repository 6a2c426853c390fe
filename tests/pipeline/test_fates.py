"""What becomes of late readings, against a plain loop."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeline.model import Batch, Bools, Floats, Ints, Rows
from pipeline.fates import Fate, sort_late, tally

Reading = tuple[int, int, float]  # row, t, value


class Shelf:
    """A store of a few readings."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._held = {(r, t): v for r, t, v in readings}

    def stored(self, row: Rows, t: Ints) -> tuple[Bools, Floats]:
        at = list(zip(row.tolist(), t.tolist(), strict=True))
        return np.array([x in self._held for x in at], bool), np.array([self._held.get(x, np.nan) for x in at])


def batch(readings: list[Reading]) -> Batch:
    row, t, value = zip(*readings, strict=True) if readings else ((), (), ())
    n = len(readings)
    return Batch(np.array(row, np.int32), np.array(t, np.int64), np.array(value, float), np.zeros(n, np.uint8))


def one_by_one(late: list[Reading], fresh: list[Reading], held: list[Reading]) -> list[str]:
    """The oracle: who spoke first of a series and instant is right; the store spoke before all."""
    said = {(r, t): v for r, t, v in held}
    for r, t, v in fresh:
        said.setdefault((r, t), v)
    fates = []
    for r, t, v in late:
        if (r, t) not in said:
            said[r, t] = v
            fates.append("new")
        else:
            fates.append("duplicate" if said[r, t] == v else "conflict")
    return fates


def unique(readings: list[Reading]) -> list[Reading]:
    return list({x[:2]: x for x in readings}.values())


some = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([1.0, 2.0])), max_size=12)


@given(some, some.map(unique), some.map(unique))
def test_each_late_reading_is_new_known_or_contradicts(late: list[Reading], fresh: list[Reading], held: list[Reading]) -> None:
    fresh = [x for x in fresh if x[:2] not in {h[:2] for h in held}]  # what is fresh is newer than all that is stored
    got = sort_late(batch(late), batch(fresh), Shelf(held))
    masks = {"new": got.new, "duplicate": got.duplicate, "conflict": got.conflict}
    assert [[name for name, mask in masks.items() if mask[i]] for i in range(len(late))] == [
        [fate] for fate in one_by_one(late, fresh, held)
    ]


@given(st.lists(st.sampled_from([Fate.DEAD, Fate.DUPLICATE, Fate.STORED])))
def test_every_message_is_counted_once(fates: list[Fate]) -> None:
    counts = tally(np.array(fates, np.uint8))
    assert counts == {
        "stored": fates.count(Fate.STORED), "duplicate": fates.count(Fate.DUPLICATE), "dead_lettered": fates.count(Fate.DEAD),
    }  # fmt: skip


def test_a_message_without_a_fate_is_a_defect_and_is_said() -> None:
    with pytest.raises(AssertionError, match="1 messages have no fate; the first is at place 1"):
        tally(np.array([Fate.STORED, Fate.NONE, Fate.DEAD], np.uint8))
