"""What every store of readings keeps to. Another store joins by a line in STORES.

What is of record (RECORD) can also take back a checkpoint that was not committed; a mirror is given none.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import JUDGED, NS, Batch
from store.influx import Target
from store.influx_store import InfluxStore
from store.lake import Lake
from tests.influxes import Given, Influx, server

STORES: dict[str, Callable[[pytest.FixtureRequest], Callable[[Path, Catalog], Any]]] = {
    "lake": lambda _: Lake,
    "influx": lambda request: over(request.getfixturevalue("influx")),
}
RECORD = ["lake"]
Measured = Callable[..., Batch]


@pytest.fixture(scope="module")
def influx() -> Iterator[Influx | Given]:
    with server() as made:
        yield made


def over(server: Influx | Given) -> Callable[[Path, Catalog], Any]:
    """A kind of store: a folder is as good a name of a database as any."""

    class Store(InfluxStore):
        def __init__(self, root: Path, catalog: Catalog) -> None:
            name = f"contract{zlib.crc32(str(root).encode())}"
            super().__init__(Target(server.url, server.token, "lifeline", name), catalog, "town")
            self.reader.ask(f'CREATE DATABASE "{name}"', change=True)

    return Store


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path, city: Callable[[], Catalog]) -> Any:
    return STORES[request.param](request)(tmp_path, city())


def filled(store: Any, measured: Measured, parts: int = 5) -> Batch:
    """The readings of [0, 10 * parts), in the order in which a store gives them back."""
    batches = [measured(seed) for seed in range(parts)]
    for i, batch in enumerate(batches):
        store.write(batch, 10 * i, 10 * i + 10)
    return ordered(Batch.joined(batches))


def ordered(b: Batch) -> Batch:
    return b.take(np.lexsort((b.t, b.row)))


def same(a: Batch, b: Batch) -> None:
    for column in ("row", "t", "value", "quality"):
        np.testing.assert_array_equal(getattr(a, column), getattr(b, column), err_msg=column, strict=True)


def rows(store: Any) -> Any:
    return np.arange(store.catalog.n, dtype=np.int32)


def test_what_was_written_is_read_back_bit_for_bit_in_the_order_of_row_and_time(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    same(store.scan(rows(store), all_.t.min() - 1, all_.t.max()), all_)


def test_a_span_leaves_out_its_start_and_holds_its_end(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    t0, t1 = np.sort(all_.t)[[40, 1100]].tolist()
    same(store.scan(rows(store), t0, t1), all_.take((all_.t > t0) & (all_.t <= t1)))


def test_only_the_series_asked_for_are_given(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    asked = np.array([17, 2, 5, 2], np.int32)
    same(store.scan(asked, all_.t.min() - 1, all_.t.max()), all_.take(np.isin(all_.row, asked)))


def test_an_empty_store_answers_with_nothing(store: Any) -> None:
    assert store.scan(rows(store), 0, 2**62).n == 0
    assert store.scan(rows(store), 0, 2**62, 60.0).t.size == 0
    assert store.latest(rows(store)).n == 0
    assert not store.stored(rows(store), np.zeros(store.catalog.n, np.int64)).found.any()


def test_nobody_asked_for_is_nothing_given(store: Any, measured: Measured) -> None:
    filled(store, measured)
    nobody = np.empty(0, np.int32)
    assert (
        store.scan(nobody, 0, 2**62).n
        == store.latest(nobody).n
        == store.stored(nobody, nobody.astype(np.int64)).found.size
        == 0
    )


@pytest.mark.parametrize("every", [0.1, 7.0, 60.0, 3600.0])
def test_slots_are_those_of_a_plain_loop(store: Any, measured: Measured, every: float) -> None:
    all_ = filled(store, measured)
    t0, t1 = np.sort(all_.t)[[40, 1100]].tolist()
    slots = store.scan(rows(store), t0, t1, every)
    step = round(every * NS)
    seen: dict[tuple[int, int], list[tuple[float, bool]]] = {}
    for r, t, v, q in zip(all_.row.tolist(), all_.t.tolist(), all_.value.tolist(), all_.quality.tolist(), strict=True):
        if t0 < t <= t1:
            seen.setdefault((r, -(-t // step) * step), []).append((v, q in JUDGED and math.isfinite(v)))
    assert list(zip(slots.row.tolist(), slots.t.tolist(), strict=True)) == sorted(seen)
    good = [[v for v, judged in seen[slot] if judged] for slot in sorted(seen)]
    np.testing.assert_allclose(slots.mean, [float(np.mean(v)) if v else np.nan for v in good], rtol=1e-12)
    np.testing.assert_array_equal(slots.low, [min(v, default=np.nan) for v in good])
    np.testing.assert_array_equal(slots.high, [max(v, default=np.nan) for v in good])
    np.testing.assert_array_equal(slots.judged, [len(v) for v in good])
    np.testing.assert_array_equal(slots.total, [len(seen[slot]) for slot in sorted(seen)])


def test_a_slot_must_have_a_length(store: Any) -> None:
    for every in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="slot"):
            store.scan(rows(store), 0, 1, every)


def test_the_latest_reading_is_that_of_the_latest_instant_not_of_the_latest_arrival(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    same(store.latest(rows(store)), all_.take(np.append(np.diff(all_.row) > 0, True)))
    since = int(np.median(all_.t))
    late = all_.take((all_.t > since) & (all_.row < 3))
    same(store.latest(np.array([2, 0, 1], np.int32), since), late.take(np.append(np.diff(late.row) > 0, True)))


def test_a_series_silent_for_a_year_still_has_a_latest_reading(store: Any, measured: Measured) -> None:
    old = Batch(np.array([3], np.int32), np.array([1_758_000_000 * NS]), np.array([4.5]), np.zeros(1, np.uint8))
    store.write(old, 0, 1)
    store.write(measured(1).take(measured(1).row != 3), 1, 2)
    assert store.latest(np.array([3], np.int32)).value.tolist() == [4.5]


def test_what_is_stored_is_known_with_its_value_and_what_is_not_is_not(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    shuffled = all_.take(np.random.default_rng(0).permutation(all_.n))
    other = shuffled.t + (np.arange(all_.n) % 2) * 7  # [ns] every second one was never stored
    stored = store.stored(shuffled.row, other)
    np.testing.assert_array_equal(stored.found, other == shuffled.t)
    np.testing.assert_array_equal(stored.value, np.where(other == shuffled.t, shuffled.value, np.nan))
    np.testing.assert_array_equal(store.known(shuffled), True)


@pytest.mark.parametrize("store", RECORD, indirect=True)
def test_a_checkpoint_not_committed_is_taken_back_and_may_come_again(store: Any, measured: Measured) -> None:
    before = filled(store, measured)
    late = measured(99, span=30 * 3600)
    store.write(late, 50, 60)
    assert store.rollback(50)
    same(store.scan(rows(store), 0, 2**62), before)
    store.write(late, 50, 61)
    assert not store.rollback(61)
    same(store.scan(rows(store), 0, 2**62), ordered(Batch.joined([before, late])))


def test_a_checkpoint_that_is_written_twice_is_there_once(store: Any, measured: Measured) -> None:
    all_ = filled(store, measured)
    if isinstance(store, Lake):
        store.rollback(40)  # what was written of [40, 50) goes before it comes again
    store.write(measured(4), 40, 50)
    same(store.scan(rows(store), 0, 2**62), all_)


def test_another_process_that_opens_the_store_reads_the_same(store: Any, measured: Measured, tmp_path: Path) -> None:
    all_ = filled(store, measured)
    same(type(store)(tmp_path, store.catalog).scan(rows(store), 0, 2**62), all_)


def test_a_new_order_of_the_catalog_relabels_nothing(
    store: Any, measured: Measured, tmp_path: Path, city: Callable[..., Catalog]
) -> None:
    filled(store, measured)
    order = np.random.default_rng(3).permutation(store.catalog.n)[:10]
    found = type(store)(tmp_path, city(order.tolist())).scan(np.arange(10, dtype=np.int32), 0, 2**62)
    for new, old in enumerate(order.tolist()):
        mine, before = found.take(found.row == new), store.scan(np.array([old], np.int32), 0, 2**62)
        np.testing.assert_array_equal(mine.t, before.t)
        np.testing.assert_array_equal(mine.value, before.value)


def test_an_empty_checkpoint_is_nothing_and_a_range_that_is_none_is_refused(store: Any, measured: Measured) -> None:
    store.write(Batch.empty(), 0, 5)
    assert store.scan(rows(store), 0, 2**62).n == 0
    for start, stop in ((5, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="journal offsets"):
            store.write(measured(1), start, stop)


def test_a_row_outside_the_catalog_is_refused_and_nothing_is_kept(store: Any, measured: Measured) -> None:
    for row in (-1, store.catalog.n):
        bad = measured(1)
        bad.row[7] = row
        with pytest.raises(IndexError):
            store.write(bad, 0, 10)
    assert store.scan(rows(store), 0, 2**62).n == 0
