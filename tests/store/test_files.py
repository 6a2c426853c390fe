from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import files
from store.files import HOUR

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=12, unique=True)


def laid(where: Path, spans: set[tuple[int, int, int]]) -> list[files.File]:
    where.mkdir(parents=True, exist_ok=True)
    for era, start, stop in spans:
        (where / files.name(era, start, stop)).touch()
    return files.listed(where)


@given(spans=SPANS, eras=st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_a_file_counts_unless_another_of_its_era_holds_its_whole_range(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], eras: list[int]
) -> None:
    laid_out = {(era, start, start + n) for era, (start, n) in zip(eras, spans, strict=False)}
    listed = laid(tmp_path_factory.mktemp("folder"), laid_out)
    count, merged = files.parted(listed)
    within = {(e, a, b) for e, a, b in laid_out for f, c, d in laid_out if e == f and c <= a and b <= d and (a, b) != (c, d)}
    assert {f[:3] for f in count} == laid_out - within
    assert {f[:3] for f, _ in merged} == within
    assert all(into.era == f.era and into.start <= f.start and f.stop <= into.stop for f, into in merged)


@pytest.mark.parametrize("hour", [0, 497_000, -1, 10**6])
def test_a_folder_says_its_hour(hour: int) -> None:
    assert files.hour_of(files.folder(Path("lake"), "gas", hour)) == hour


def test_a_folder_is_named_by_the_hour_in_utc() -> None:
    assert files.folder(Path("lake"), "gas", 1_795_446_000 * 10**9 // HOUR).name == "hour=2026-11-23T15"


def test_files_of_others_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "notes.parquet").touch()
    (tmp_path / ".hidden.tmp").touch()
    assert laid(tmp_path, {(0, 3, 4), (2, 3, 4)}) == [
        files.File(0, 3, 4, tmp_path / "00000000000000000003-00000000000000000004.parquet"),
        files.File(2, 3, 4, tmp_path / "00000000000000000003-00000000000000000004.s0002.parquet"),
    ]


def test_one_file_that_cannot_be_written_leaves_none(tmp_path: Path) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        files.put([(tmp_path / "a" / "one.parquet", lambda _: None), (tmp_path / "b" / "two.parquet", broken)])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
