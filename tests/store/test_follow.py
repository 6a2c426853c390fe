"""Following a lake by journal offset while it is written, merged, sealed and emptied."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch
from store import follow
from store.follow import Follower, Place
from store.lake import Lake

START = 1_790_000_000 * NS
N = 24


def part(offset: int, hours: int = 0) -> Batch:
    """Each series once. hours: so much earlier"""
    t = START + offset * NS - hours * 3600 * NS
    return Batch(np.arange(N, dtype=np.int32), np.full(N, t), np.full(N, float(offset)), np.zeros(N, np.uint8))


class Reader:
    """One that follows, and remembers which offsets it has read how often."""

    def __init__(self, lake: Lake, at: Place = Place()) -> None:  # noqa: B008
        self.lake, self.at, self.read = lake, at, list[tuple[int, float]]()
        self.follower = Follower(lake.root, grace=lake.grace)

    def go(self, committed: int, most: int = 10**9) -> None:
        self.at, pending = self.follower.pending(self.at, committed)
        done = set[Path]()
        for file in pending[:most]:
            for batch, unknown in follow.batches(file, self.lake.catalog):
                self.read += [(self.at.era, x) for x in np.unique(batch.value).tolist()]
                assert unknown == 0
            done.add(file.path)
        last = committed if self.at.era == self.follower.present else max([f.stop for f in pending], default=0)
        self.at = follow.after(pending, done, self.at, last)


@pytest.fixture
def lake(tmp_path: Path, city: Callable[[], Catalog]) -> Lake:
    return Lake(tmp_path, city(), grace=5.0)


def test_what_is_committed_is_read_once_and_what_is_not_is_not(lake: Lake) -> None:
    r = Reader(lake)
    r.go(0)
    for i in range(5):
        lake.write(part(i), i, i + 1)
        r.go(i)
        assert {x for _, x in r.read} == set(range(i))
        assert r.at == Place(1, i)
    r.go(5)
    assert sorted(r.read) == [(1, float(i)) for i in range(5) for _ in range(4)]  # four domains


def test_a_checkpoint_that_is_taken_back_was_never_read(lake: Lake) -> None:
    r = Reader(lake)
    lake.write(part(0), 0, 1)
    lake.write(part(1), 1, 2)
    r.go(1)
    assert lake.rollback(1)
    lake.write(part(7), 1, 3)
    r.go(3)
    assert {x for _, x in r.read} == {0.0, 7.0}


def test_merging_hides_nothing_from_one_who_is_behind(lake: Lake) -> None:
    r = Reader(lake)
    for i in range(10):
        lake.write(part(i, hours=i % 3), i, i + 1)
        if i == 4:
            r.go(5)
    assert lake.compact(10, closed=2**62)
    r.go(10)
    assert {x for _, x in r.read} == set(range(10))
    assert r.at == Place(1, 10)
    before = len(r.read)
    r.go(10)
    assert len(r.read) == before


def test_one_who_stops_in_between_goes_on_where_it_stopped(lake: Lake) -> None:
    for i in range(6):
        lake.write(part(i, hours=i % 2), i, i + 1)
    at = Place()
    seen = set[float]()
    while at != Place(1, 6):
        r = Reader(lake, at)  # anew each time
        r.go(6, most=5)
        assert r.at > at
        at, seen = r.at, seen | {x for _, x in r.read}
    assert seen == set(range(6))


def test_a_sealed_journal_is_read_to_its_end_before_the_next(lake: Lake) -> None:
    r = Reader(lake)
    for i in range(4):
        lake.write(part(i), i, i + 1)
    r.go(2)
    lake.seal()
    lake.write(part(50), 0, 1)
    for _ in range(3):
        r.go(1)
    assert [x for e, x in r.read if e == 1] == sorted([0.0, 1.0, 2.0, 3.0] * 4)
    assert {x for e, x in r.read if e == 2} == {50.0}
    assert r.at == Place(2, 1)
    new = Reader(lake)
    for _ in range(3):
        new.go(1)
    assert {x for _, x in new.read} == {0.0, 1.0, 2.0, 3.0, 50.0}


def test_what_has_expired_is_not_waited_for(lake: Lake) -> None:
    r = Reader(lake)
    lake.write(part(0, hours=500), 0, 1)
    lake.write(part(1), 1, 2)
    lake.expire(START - 3600 * NS)
    r.go(2)
    assert ({x for _, x in r.read}, r.at) == ({1.0}, Place(1, 2))


def test_series_that_have_left_the_catalog_are_counted(lake: Lake, city: Callable[..., Catalog]) -> None:
    lake.write(part(0), 0, 1)
    smaller = city([0, 1, 2, 3])
    _, pending = Follower(lake.root).pending(Place(), 1)
    found = [x for f in pending for x in follow.batches(f, smaller)]
    assert (sum(b.n for b, _ in found), sum(n for _, n in found)) == (4, N - 4)
    assert sum(map(follow.rows, pending)) == N
