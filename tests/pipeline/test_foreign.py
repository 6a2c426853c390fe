"""Files of anybody's making: the same readings, however they were written down."""

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifeline.words import Unusable
from pipeline import spreadsheet
from pipeline.foreign import found
from pipeline.instants import instants
from pipeline.tables import Found

WORDS: dict[str, dict[str, float]] = {"a/p": {}, "b/q": {}}
AT = pd.date_range("2026-07-15T00:00:00Z", periods=50, freq="60s", unit="ns")
T = AT.to_numpy(dtype="datetime64[ns]").astype(np.int64)
VALUE = np.round(np.random.default_rng(7).normal(100.0, 3.0, (2, 50)), 3)
VALUE[1, 7:11] = np.nan
FRAME = pd.DataFrame({"time": AT, "a/p": VALUE[0], "b/q": VALUE[1]})


def long(frame: pd.DataFrame = FRAME) -> pd.DataFrame:
    return frame.melt(id_vars="time", var_name="key", value_name="value").dropna()


def texts(form: str) -> pd.DataFrame:
    return FRAME.assign(time=AT.strftime(form))


def typed(path: Path, time: pa.DataType, number: pa.DataType) -> None:
    columns = [pa.array(T // (10**9 if time == pa.timestamp("s") else 1)).cast(time)]
    columns += [pa.array(v, pa.float64(), from_pandas=True).cast(number, safe=False) for v in VALUE]
    pq.write_table(pa.table(columns, ["time", "a/p", "b/q"]), path)


def by_duckdb(path: Path, query: str) -> None:
    frame = FRAME.assign(time=AT.tz_localize(None))
    melted = long(frame)
    con = duckdb.connect()
    con.register("wide_frame", frame)
    con.register("long_frame", melted)
    con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def excel(path: Path, coding: str) -> None:
    lines = ["时间;a/p;b/q"]
    lines += [
        f"{t:%Y/%m/%d %H:%M:%S};{a:.3f};{'' if np.isnan(b) else f'{b:.3f}'}".replace(".", ",")
        for t, a, b in zip(AT, *VALUE, strict=True)
    ]
    path.write_text("\r\n".join(lines) + "\r\n", encoding=coding)


WRITERS: dict[str, Callable[[Path], object]] = {
    "wide csv": lambda p: FRAME.to_csv(p, index=False),
    "wide csv with an unnamed index of times": lambda p: FRAME.set_index(AT).drop(columns="time").to_csv(p),
    "wide csv with a counter in front": FRAME.to_csv,
    "wide csv gzipped": lambda p: p.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode())),
    "wide csv, tabs": lambda p: FRAME.to_csv(p, index=False, sep="\t"),
    "wide csv, quoted": lambda p: FRAME.to_csv(p, index=False, quoting=1),
    "wide csv, utf-16": lambda p: FRAME.to_csv(p, index=False, encoding="utf-16"),
    "wide csv, utf-8 with a mark": lambda p: FRAME.to_csv(p, index=False, encoding="utf-8-sig"),
    "wide csv, blank lines and sep= in front": lambda p: p.write_text("sep=;\n" + FRAME.to_csv(index=False, sep=";") + "\n\n"),
    "wide csv, remarks in front": lambda p: p.write_text("# made by hand\n# twice\n" + FRAME.to_csv(index=False)),
    "wide csv, a title and its author in front": lambda p: p.write_text("Report, of us\nby hand\n" + FRAME.to_csv(index=False)),
    "month first with milliseconds": lambda p: texts("%m/%d/%Y %H:%M:%S.%f").to_csv(p, index=False),
    "names of months": lambda p: texts("%d-%b-%Y %H:%M:%S").to_csv(p, index=False),
    "wide csv, NaN in words": lambda p: FRAME.to_csv(p, index=False, na_rep="NaN"),
    "wide csv, Bad in words": lambda p: FRAME.to_csv(p, index=False, na_rep="Bad"),
    "excel csv, utf-8": lambda p: excel(p, "utf-8-sig"),
    "excel csv, gbk": lambda p: excel(p, "gbk"),
    "day first": lambda p: texts("%d.%m.%Y %H:%M:%S").to_csv(p, index=False),
    "date and time with offset": lambda p: FRAME.assign(time=AT.tz_convert("Asia/Shanghai")).to_csv(p, index=False),
    "date and time in two columns": lambda p: pd.concat(
        [pd.DataFrame({"Date": AT.strftime("%Y-%m-%d"), "Time": AT.strftime("%H:%M:%S")}), FRAME[["a/p", "b/q"]]], axis=1
    ).to_csv(p, index=False),
    "epoch seconds": lambda p: FRAME.assign(time=T // 10**9).to_csv(p, index=False),
    "epoch milliseconds": lambda p: FRAME.assign(time=T // 10**6).to_csv(p, index=False),
    "epoch seconds with a point": lambda p: FRAME.assign(time=T / 1e9).to_csv(p, index=False, float_format="%.3f"),
    "long csv": lambda p: long().to_csv(p, index=False),
    "long csv by key": lambda p: long().rename(columns={"time": "timestamp", "key": "tag"}).to_csv(p, index=False),
    "long csv in no order": lambda p: long().sample(frac=1.0, random_state=3).to_csv(p, index=False),
    "wide csv in no order": lambda p: FRAME.sample(frac=1.0, random_state=3).to_csv(p, index=False),
    "rows twice": lambda p: pd.concat([FRAME, FRAME[10:20]]).to_csv(p, index=False),
    "wide parquet": lambda p: FRAME.to_parquet(p, index=False),
    "parquet with an index of times": lambda p: FRAME.set_index("time").to_parquet(p),
    "parquet with a nameless index of times": lambda p: FRAME.set_index(AT.rename(None)).drop(columns="time").to_parquet(p),
    "parquet of Shanghai": lambda p: FRAME.assign(time=AT.tz_convert("Asia/Shanghai")).to_parquet(p, index=False),
    "parquet without a zone": lambda p: FRAME.assign(time=AT.tz_localize(None)).to_parquet(p, index=False),
    "parquet in seconds and doubles": lambda p: typed(p, pa.timestamp("s"), pa.float64()),
    "long parquet": lambda p: long().to_parquet(p, index=False),
    "long parquet of categories": lambda p: long().astype({"key": "category"}).to_parquet(p, index=False),
    "long parquet by duckdb": lambda p: by_duckdb(p, 'SELECT "time" AS t, key, value FROM long_frame'),
    "wide parquet by duckdb": lambda p: by_duckdb(p, "SELECT * FROM wide_frame"),
    "long parquet of large strings": lambda p: pq.write_table(
        pa.table({"t": pa.array(AT), "key": pa.array(["a/p"] * 50, pa.large_string()), "value": VALUE[0]}).cast(
            pa.schema([("t", pa.timestamp("ns", "UTC")), ("key", pa.large_string()), ("value", pa.float64())])
        ),
        p,
    ),
    "parquet of text": lambda p: FRAME.astype(str).to_parquet(p, index=False),
    "parquet of large text": lambda p: pq.write_table(
        pa.Table.from_pandas(FRAME.astype(str), preserve_index=False).cast(
            pa.schema([(n, pa.large_string()) for n in FRAME.columns])
        ),
        p,
    ),
}


def series(said: Found) -> dict[str, tuple[list[int], list[float]]]:
    """Of each key its readings."""
    return {
        k: (t.t[np.isfinite(x)].tolist(), x[np.isfinite(x)].tolist())
        for t in said.tables
        for k, x in zip(t.key, t.value, strict=True)
    }


EXPECTED = {
    "a/p": (T.tolist(), VALUE[0].tolist()),
    "b/q": (T[np.isfinite(VALUE[1])].tolist(), VALUE[1][np.isfinite(VALUE[1])].tolist()),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_readings_are_found_however_they_were_written_down(name: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    WRITERS[name](path)
    said = series(found(path, WORDS))
    assert said == {k: EXPECTED[k] for k in (["a/p"] if "large strings" in name else EXPECTED)}


def test_what_was_ignored_unreadable_twice_and_out_of_order_is_said(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("time,a/p,other\n" + "2026-07-15 00:01:00,1,5\n2026-07-15 00:00:00,x,5\n" * 20 + "yesterday,3,5\n")
    said = found(path, WORDS)
    assert said.ignored == ["other"]
    assert said.unreadable == {"time": 1, "a/p": 20}
    assert said.unsorted
    assert said.duplicates == 19


BROKEN = {
    "empty": (b"", "empty"),
    "spaces": (b"\n\n  \n", "empty"),
    "header": (b"time,a/p\n", "holds no row"),
    "no times": (b"x,a/p\n1.5,2\nred,3\n", "no column holds times"),
    "cut parquet": (b"PAR1" + bytes(200), "no Parquet file"),
    "zip": (b"PK\x03\x04" + bytes(300), "Excel"),
    "gzip": (b"\x1f\x8b" + bytes(300), "cannot be read"),
    "binary": (bytes(range(256)) * 8, "neither"),
    "hdf": (b"\x89HDF\r\n\x1a\n" + bytes(300), "HDF5"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_table_is_refused_in_words_that_name_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    data, word = BROKEN[name]
    path.write_bytes(data)
    with pytest.raises(Unusable, match=word) as refused:
        found(path, WORDS)
    assert "data.csv" in str(refused.value)


@pytest.mark.parametrize("where", ["nowhere.csv", "."])
def test_a_file_that_is_not_there_is_refused(where: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"cannot be read|a folder without"):
        found(tmp_path / where, WORDS)


def test_a_folder_or_a_pattern_of_files_is_read_as_one(tmp_path: Path) -> None:
    FRAME[:20].to_parquet(tmp_path / "1.parquet", index=False)
    FRAME[18:].to_parquet(tmp_path / "2.parquet", index=False)
    for path in (tmp_path, tmp_path / "*.parquet"):
        said = found(path, WORDS)
        assert series(said) == EXPECTED
        assert said.duplicates == 4


def test_a_file_for_each_series_is_read_as_one(tmp_path: Path) -> None:
    FRAME[["time", "a/p"]].to_csv(tmp_path / "a.csv", index=False)
    FRAME[["time", "b/q"]].to_csv(tmp_path / "b.csv", index=False)
    assert series(found(tmp_path, WORDS)) == EXPECTED


def test_a_column_that_holds_the_keys_is_known_by_its_cells(tmp_path: Path) -> None:
    long().rename(columns={"key": "Messstelle", "value": "Messwert"}).to_csv(tmp_path / "data.csv", index=False)
    assert series(found(tmp_path / "data.csv", WORDS)) == EXPECTED


def test_rows_that_are_cut_short_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("time,a/p,b/q\n2026-07-15,1,2\n2026-07-16,1\n2026-07-17,3,4\n")
    said = found(tmp_path / "data.csv", WORDS)
    assert [t.value.tolist() for t in said.tables] == [[[1.0, 3.0], [2.0, 4.0]]]
    assert "left out: 1" in said.notes[0]


def test_a_column_that_turns_from_whole_numbers_to_others_to_words_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "BLOCK", 4096)
    cells = ["1"] * 900 + ["1.5"] * 900 + ["Bad"] * 900 + ["2"] * 900
    rows = [f"{1_784_073_600 + i},{c}" for i, c in enumerate(cells)]
    (tmp_path / "data.csv").write_text("\n".join(["time,a/p", *rows]))
    said = found(tmp_path / "data.csv", WORDS)
    assert np.nansum(said.tables[0].value) == 900 * 4.5
    assert said.unreadable == {"a/p": 900}


def test_times_without_offset_are_utc_and_that_is_said() -> None:
    read = instants(pa.array(["2026-07-15 08:00:00", "2026-07-15 08:00:01"]))
    assert read.t[0] == 1_784_102_400 * 10**9
    assert "UTC" in read.form


@pytest.mark.parametrize(("form", "named"), [("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M"), ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M")])
def test_of_two_orders_of_day_and_month_the_one_counts_in_which_times_lie_close_together(form: str, named: str) -> None:
    at = pd.date_range("2026-02-03", "2026-02-08", freq="10min")
    read = instants(pa.array(at.strftime(form).tolist()))
    assert read.form.startswith(named)
    np.testing.assert_array_equal(read.t, at.to_numpy(dtype="datetime64[ns]").astype(np.int64))
