"""What is the lake's own: merging, sealing, expiry, a full disk, and files that others can open."""

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch
from store import merge
from store.files import HOUR, LakeFull
from store.lake import Foreign, Lake
from store.read import READINGS, batch
from store.table import order

City = Callable[..., Catalog]
Measured = Callable[..., Batch]
FOREVER = 2**62


def everything(lake: Lake) -> Batch:
    """As stored, without the reader's own care for doubles."""
    rows = np.arange(lake.catalog.n, dtype=np.int32)
    joined = Batch.joined([batch(part) for part in lake._answers(READINGS, rows, 0, FOREVER)])
    return joined.take(np.lexsort((joined.t, joined.row)))


def same(a: Batch, b: Batch) -> None:
    for column in ("row", "t", "value", "quality"):
        np.testing.assert_array_equal(getattr(a, column), getattr(b, column), err_msg=column)


def written(lake: Lake, measured: Measured, parts: int, **how: int) -> Batch:
    batches = [measured(seed, **how) for seed in range(parts)]
    for i, each in enumerate(batches):
        lake.write(each, i, i + 1)
    joined = Batch.joined(batches)
    return joined.take(np.lexsort((joined.t, joined.row)))


@given(data=st.data())
@settings(max_examples=8, deadline=timedelta(seconds=20))
def test_no_merge_loses_a_reading_or_shows_it_twice(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, city: City, measured: Measured
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"), city(), grace=data.draw(st.sampled_from([1e-3, 30.0])))
    parts = data.draw(st.integers(1, 12))
    all_ = written(lake, measured, parts, n=40)
    for _ in range(3):
        below, hours, fan = data.draw(st.integers(0, parts)), data.draw(st.integers(0, 4)), data.draw(st.integers(2, 6))
        lake.compact(below, closed=(int(all_.t.min()) // HOUR + hours) * HOUR, fan=fan)
        same(everything(lake), all_)


def test_a_closed_hour_ends_as_one_file_and_its_sources_go_after_the_grace(
    tmp_path: Path, city: City, measured: Measured
) -> None:
    lake = Lake(tmp_path, city(), grace=0.05)
    all_ = written(lake, measured, 20)
    lake.compact(20, closed=FOREVER)
    folders = {path.parent for path in tmp_path.rglob("*.parquet")}
    assert len(list(tmp_path.rglob("*.parquet"))) == 21 * len(folders)
    wait_until(lambda: not lake.compact(20, closed=FOREVER) and len(list(tmp_path.rglob("*.parquet"))) == len(folders))
    same(everything(lake), all_)


def wait_until(done: Callable[[], bool]) -> None:
    while not done():
        pass  # the test's own time limit ends this


def test_a_merge_in_slabs_of_few_keys_is_the_same(
    tmp_path: Path, city: City, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path, city())
    monkeypatch.setattr(merge, "SLAB", 10)
    monkeypatch.setattr(merge, "ROWS", 1)
    monkeypatch.setattr("store.table.ROWS", 7)
    all_ = written(lake, measured, 9)
    assert lake.compact(9, closed=FOREVER)
    same(everything(lake), all_)
    for path in lake.files("gas"):
        t = pq.read_table(path)
        keys, at = t["key"].to_pylist(), t["t"].to_numpy().tolist()
        assert list(zip(keys, at, strict=True)) == sorted(zip(keys, at, strict=True))


def test_what_is_not_committed_is_not_merged(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city())
    written(lake, measured, 8)
    lake.compact(6, closed=FOREVER)
    assert {path.name[:41] for path in lake.files("gas")} == {f"{a:020d}-{b:020d}" for a, b in ((0, 6), (6, 7), (7, 8))}
    assert len(lake.rollback(7)) == len({path.parent for path in tmp_path.rglob("*.parquet")})


def test_an_open_hour_rewrites_a_reading_once_a_tier(tmp_path: Path, city: City, measured: Measured) -> None:
    lake, stored, rewritten = Lake(tmp_path, city()), 0, 0
    for i in range(64):
        lake.write(measured(i, n=8000, span=2000), i, i + 1)
        stored += 8000
        rewritten += sum(pq.read_metadata(path).num_rows for path in lake.compact(i + 1, fan=4))
    assert stored <= rewritten <= 3 * stored  # 64 files by fours: three tiers; merging all each time would be 11


def test_merging_goes_on_where_a_crash_left_it(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city(), grace=1e-3)
    all_ = written(lake, measured, 6)
    lake.compact(6, closed=FOREVER)  # the merged file is there, and so are its sources: as after a kill between the two
    (lake.files("gas")[0].parent / ".00000000000000000000-00000000000000000009.parquet.tmp").write_bytes(b"half")
    again = Lake(tmp_path, city(), grace=1e-3)
    assert [path.name for path in again.rollback(6)] == [".00000000000000000000-00000000000000000009.parquet.tmp"]
    again.compact(6, closed=FOREVER)
    same(everything(again), all_)


def test_a_database_older_than_the_lake_is_refused_and_nothing_is_removed(
    tmp_path: Path, city: City, measured: Measured
) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 6)
    with pytest.raises(Foreign, match=r"up to 6, but 0 is committed"):
        lake.rollback(0)
    lake.compact(6, closed=FOREVER)
    with pytest.raises(Foreign, match="lifeline seal"):
        lake.rollback(3)
    same(everything(lake), all_)


def test_a_sealed_lake_keeps_all_and_goes_on_with_a_new_journal(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city(), grace=1e-3)
    all_ = written(lake, measured, 6)
    lake.compact(4, closed=FOREVER)
    assert lake.seal()
    assert lake.seal() == lake.rollback(0) == []
    more = measured(77)
    lake.write(more, 0, 2)
    lake.compact(2, closed=FOREVER)
    joined = Batch.joined([all_, more])
    same(everything(lake), joined.take(order(joined.row, joined.t)))


def test_expired_hours_are_gone_and_no_others(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 3)
    before = int(np.median(all_.t))
    assert lake.expire(before)
    same(everything(lake), all_.take(all_.t // HOUR >= before // HOUR))
    assert lake.expire(before) == []


@contextmanager
def small_files_only(size: int) -> Iterator[None]:
    """No file may grow beyond `size`. [B]"""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_leaves_nothing_half_written_and_the_next_write_works(
    tmp_path: Path, city: City, measured: Measured
) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 2, n=3000)
    before = sorted(tmp_path.rglob("*.*"))
    with small_files_only(3000):
        with pytest.raises(LakeFull, match="no room"):
            lake.write(measured(5, n=20_000), 2, 3)
        with pytest.raises(LakeFull, match="no room"):
            lake.compact(2, closed=FOREVER)
    assert sorted(tmp_path.rglob("*.*")) == before
    same(everything(lake), all_)
    more = measured(5, n=20_000)
    lake.write(more, 2, 3)
    assert lake.known(more).all()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """256 kB of memory as a file system; only root may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "lake", disk], capture_output=True, check=False).returncode
    ):
        pytest.skip("no right to mount a file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_and_the_lake_goes_on_when_there_is_room(tiny_disk: Path, city: City, measured: Measured) -> None:
    lake, large = Lake(tiny_disk, city()), measured(1, n=60_000)
    kept = measured(0, n=500)
    lake.write(kept, 0, 1)
    for _ in range(3):
        with pytest.raises(LakeFull, match="No space left"):
            lake.write(large, 1, 2)
        assert not list(tiny_disk.rglob("*.tmp"))
    lake.write(measured(2, n=500), 1, 2)
    assert everything(lake).n == 1000


def test_the_files_say_to_other_tools_what_they_hold(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 2)
    question = "SELECT domain, key, epoch_ns(t) AS t, value FROM read_parquet($files) ORDER BY ALL"
    found = duckdb.connect().execute(question, {"files": f"{tmp_path}/readings/*/*/*.parquet"}).fetchnumpy()
    by = np.lexsort((all_.t, lake.catalog.key[all_.row].astype(str), lake.catalog.domain[all_.row].astype(str)))
    for column, expected in (
        ("domain", lake.catalog.domain[all_.row]),
        ("key", lake.catalog.key[all_.row]),
        ("t", all_.t),
        ("value", all_.value),
    ):
        np.testing.assert_array_equal(np.asarray(found[column]), expected[by])
    assert str(pq.read_schema(lake.files("water")[0]).field("t").type) == "timestamp[ns, tz=UTC]"


@given(st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 3 * NS)), max_size=60))
def test_the_order_is_that_of_a_plain_sort(pairs: list[tuple[int, int]]) -> None:
    series, t = np.array(pairs, np.int64).reshape(-1, 2).T
    assert [pairs[i] for i in order(series, t)] == sorted(pairs)


def spoilt(path: Path, how: str) -> Path:
    """path: of a file; -> the name it gets when it is set aside."""
    raw = path.read_bytes()
    path.write_bytes({"zeros": bytes(len(raw)), "half": raw[: len(raw) // 2], "body": raw[:8] + bytes(400) + raw[408:]}[how])
    return path.with_name(path.name + ".corrupt")


@pytest.mark.parametrize("how", ["zeros", "half", "body"])
def test_a_damaged_file_is_set_aside_and_the_answer_goes_on_without_it(
    tmp_path: Path, city: City, measured: Measured, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 6)
    path = lake.files("gas")[3]
    aside = spoilt(path, how)
    lost = all_.n - lake.known(all_).sum()
    assert lost > 0
    assert everything(lake).n == all_.n - lost
    assert lake.damaged == [aside]
    assert aside.exists()
    assert str(aside) in [vars(r)["path"] for r in caplog.records if r.levelname == "ERROR"]
    again = Lake(tmp_path, city())
    again.rollback(6)
    assert again.damaged == [aside]
    aside.unlink()
    assert lake.damaged == again.damaged == []


def test_the_last_reading_is_found_beside_a_damaged_file(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 6)
    for path in lake.files("gas")[::2]:
        spoilt(path, "zeros")
    latest = lake.latest(np.arange(24, dtype=np.int32))
    assert 0 < latest.n <= np.unique(all_.row).size
    assert lake.damaged


def test_merging_sets_damaged_files_aside_and_goes_on(tmp_path: Path, city: City, measured: Measured) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 20)
    path = lake.files("gas")[5]
    aside = spoilt(path, "zeros")
    assert lake.compact(20, closed=FOREVER)
    assert lake.damaged == [aside]
    assert len(lake.files("gas")) == len({each.parent for each in lake.files("gas")})
    assert 0 < everything(lake).n < all_.n


def test_a_folder_that_cannot_be_merged_costs_no_other(
    tmp_path: Path, city: City, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 5)
    merged = merge.merged

    def fails(paths: list[Path]) -> Iterator[object]:
        if "domain=gas" in str(paths[0]):
            raise ZeroDivisionError
        return merged(paths)

    monkeypatch.setattr(merge, "merged", fails)
    made = lake.compact(5, closed=FOREVER)
    assert made
    assert not any("domain=gas" in str(path) for path in made)
    same(everything(lake), all_)


def test_a_file_that_may_not_be_read_is_not_set_aside(
    tmp_path: Path, city: City, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path, city())
    all_ = written(lake, measured, 2)

    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    spoilt(lake.files("gas")[0], "zeros")
    monkeypatch.setattr(pq, "ParquetFile", closed)
    with pytest.raises(duckdb.Error):
        lake.known(all_)
    assert lake.damaged == []
