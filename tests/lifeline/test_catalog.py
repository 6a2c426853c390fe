import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeline.catalog import OPTIONAL, REQUIRED, Catalog, CatalogRefused, load, write
from lifeline.model import Domain
from lifeline.units import QUANTITIES, UNITS, akin

GOOD = {
    "key": "well-1-a/methane", "asset": "well-1", "device": "well-1-a", "domain": "gas", "district": "凤麓",
    "quantity": "methane", "unit": "%VOL", "step": "60", "low": "0", "high": "20", "lat": "24.67", "lon": "102.91",
    "owner": "gas company", "hold": "", "rated": "", "report": "", "asset_type": "",
}  # fmt: skip


def sheet(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = (*REQUIRED, *OPTIONAL)) -> Path:
    """A catalog file whose rows are GOOD but for what is said; keys differ unless said."""
    filled = [{**GOOD, "key": f"{GOOD['key']}-{i}", **row} for i, row in enumerate(rows)]
    lines = [",".join(columns), *(",".join(row[c] for c in columns) for row in filled)]
    return text(path, "\n".join(lines) + "\n")


def text(path: Path, content: str | bytes) -> Path:
    file = path / "catalog.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refusal(file: Path) -> list[str]:
    """Problems without the path: `line: reason`."""
    with pytest.raises(CatalogRefused) as refused:
        load(file)
    assert refused.value.count >= len(refused.value.problems) > 0
    assert all(p in str(refused.value) for p in refused.value.problems)
    return [p.removeprefix(f"{file}:") for p in refused.value.problems]


def same(a: Catalog, b: Catalog) -> None:
    for f in fields(Catalog):
        np.testing.assert_array_equal(getattr(a, f.name), getattr(b, f.name), err_msg=f.name)


def test_a_row_is_read_with_its_range_in_si(tmp_path: Path) -> None:
    c = load(sheet(tmp_path, {}, {"quantity": "temperature", "unit": "°C", "low": "-40", "high": "70", "rated": "20"}))
    assert (c.n, c.row) == (2, {"well-1-a/methane-0": 0, "well-1-a/methane-1": 1})
    assert (c.district[0], c.owner[1], c.step[0]) == ("凤麓", "gas company", 60.0)
    np.testing.assert_allclose(c.high, [0.2, 343.15], rtol=1e-15)
    np.testing.assert_allclose(c.rated, [np.nan, 293.15], rtol=1e-15)
    np.testing.assert_array_equal(c.scale, [0.01, 1.0])
    np.testing.assert_array_equal(c.offset, [0.0, 273.15])
    assert np.isnan(c.hold).all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"unit": "%vol"}, "2: unit: '%vol' is unknown; did you mean '%VOL'?"),
        ({"unit": "°"}, "2: unit: '°' does not measure methane; write one of 1, %, %VOL,"),
        ({"quantity": "tilt", "unit": "ppm"}, "2: unit: 'ppm' does not measure tilt; write one of 1, /, rad, °, deg"),
        ({"quantity": "turbidity", "unit": "pH"}, "2: unit: 'pH' does not measure turbidity; write one of 1, /, NTU"),
        ({"unit": "kPa"}, "2: unit: 'kPa' does not measure methane; write one of 1, %, %VOL,"),
        ({"quantity": "water_pressure", "unit": "m"}, "2: unit: 'm' does not measure water_pressure; write one of Pa,"),
        ({"domain": "watr"}, "2: domain: 'watr' is unknown; did you mean 'water'?"),
        ({"domain": "tram"}, "2: domain: 'tram' is unknown; known are gas, water, bridge, elevator"),
        ({"step": "1m"}, "2: step: '1m' is not a finite number"),
        ({"high": "inf"}, "2: high: 'inf' is not a finite number"),
        ({"high": "1e999"}, "2: high: '1e999' is not a finite number"),
        ({"low": "nan"}, "2: low: 'nan' is not a finite number"),
        ({"low": "20"}, "2: low: 20 is not below high, which is 20"),
        ({"low": "21"}, "2: low: 21 is not below high, which is 20"),
        ({"step": "0"}, "2: step: 0 s is not above 0"),
        ({"hold": "-5"}, "2: hold: -5 s is not above 0"),
        ({"lat": "95", "lon": "102"}, "2: lat: 95° is not in -90…90"),
        ({"lat": "102.91", "lon": "24.67"}, "2: lat: 102.91° is not in -90…90; lat and lon look swapped"),
        ({"lon": "190"}, "2: lon: 190° is not in -180…180"),
        ({"owner": "", "lat": " "}, "2: empty: lat, owner"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line_and_what_is_right(tmp_path: Path, change: dict[str, str], problem: str) -> None:
    (said,) = refusal(sheet(tmp_path, change, {}))
    assert said.startswith(problem)


def test_a_latitude_out_of_range_is_called_swapped_only_where_it_could_be(tmp_path: Path) -> None:
    (said,) = refusal(sheet(tmp_path, {"lat": "95", "lon": "102"}))
    assert "swapped" not in said


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = sheet(tmp_path, {}, {"unit": "ppt", "lat": "x"}, {"key": "well-1-a/methane-0"}, {"owner": "", "step": "-1"})
    said = refusal(file)
    assert [int(p.split(":")[0]) for p in said] == [3, 3, 4, 5, 5]
    assert "4: key: 'well-1-a/methane-0' stands already in line 2" in said


def test_ten_thousand_mistakes_are_counted_and_two_hundred_told(tmp_path: Path) -> None:
    file = sheet(tmp_path, *[{"unit": "ppt"}] * 10_000)
    with pytest.raises(CatalogRefused, match=r"problems: 10000\n") as refused:
        load(file)
    assert (len(refused.value.problems), refused.value.count) == (200, 10_000)
    assert refused.value.problems[0].startswith(f"{file}:2:")
    assert str(refused.value).endswith("… and 9800 more")


def test_columns_may_stand_in_any_order_and_optional_ones_be_left_out(tmp_path: Path) -> None:
    assert np.isnan(load(sheet(tmp_path, {}, columns=REQUIRED[::-1])).rated).all()


def test_a_mistyped_column_is_named_with_the_right_one_and_the_rest_still_checked(tmp_path: Path) -> None:
    file = sheet(tmp_path, {"unit": "ppt"})
    text(tmp_path, file.read_text().replace("district", "distrikt", 1))
    said = refusal(file)
    assert said[0] == "1: column 'distrikt' is unknown; did you mean 'district'?"
    assert said[1] == "1: column 'district' is missing"
    assert said[2].startswith("2: unit: 'ppt' is unknown")
    assert len(said) == 3


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = sheet(tmp_path, {}, columns=(*REQUIRED, "unit"))
    assert refusal(file) == ["1: column 'unit' stands here 2 times; keep one"]


def test_a_semicolon_file_is_told_to_use_commas(tmp_path: Path) -> None:
    file = sheet(tmp_path, {})
    (said,) = refusal(text(tmp_path, file.read_text().replace(",", ";")))
    assert said.startswith("1: no column is known; cells are separated by ';'; separate them by commas")


def test_ragged_rows_and_blank_lines_do_not_shift_the_line_numbers(tmp_path: Path) -> None:
    lines = sheet(tmp_path, {}, {}, {"unit": "ppt"}).read_text().splitlines()
    header, one, two, wrong = lines
    content = "\n".join(["", header, one, "", "a,b,c", two + ",more", "," * 16, "\t", wrong, ""])
    said = refusal(text(tmp_path, content))
    assert said[0] == "5: 3 cells, but line 2 names 17 columns"
    assert said[1] == "6: 18 cells, but line 2 names 17 columns"
    assert said[2] == "7: all cells are empty; delete the line"
    assert said[3] == "8: 1 cells, but line 2 names 17 columns"
    assert said[4].startswith("9: unit: 'ppt' is unknown")
    assert len(said) == 5


def test_spreadsheet_habits_are_understood(tmp_path: Path) -> None:
    """Byte order mark, CRLF, quotes, spaces round the cells."""
    plain = sheet(tmp_path, {"owner": "gas company"}, {}).read_text()
    expected = load(tmp_path / "catalog.csv")
    quoted = plain.replace("gas company", '"gas company"').replace(",60,", ", 60 ,").replace("\n", "\r\n")
    same(load(text(tmp_path, b"\xef\xbb\xbf" + quoted.encode())), expected)


def test_a_quoted_cell_may_hold_a_comma_and_a_quote(tmp_path: Path) -> None:
    file = sheet(tmp_path, {"owner": '"gas, ""east"""'})
    assert load(file).owner[0] == 'gas, "east"'


@pytest.mark.parametrize("owner", ['"gas\ncompany"', '"gas company', 'gas 5" pipes'])
def test_a_cell_that_goes_on_over_the_line_end_is_refused_where_it_begins(tmp_path: Path, owner: str) -> None:
    (said,) = refusal(sheet(tmp_path, {}, {"owner": owner}, {}))
    assert said.startswith("3: a quoted cell does not end on its line")


def test_each_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    lines = sheet(tmp_path, {}, {"unit": "ppt"}, {"district": "wells"}).read_bytes().split(b"\n")
    lines[1], lines[3] = (
        line.replace("凤麓".encode(), "凤麓".encode("gb18030")).replace(b"wells", b"\xff") for line in lines[1:4:2]
    )
    said = refusal(text(tmp_path, b"\n".join(lines)))
    assert [p.split(";")[0] for p in said] == ["2: is not UTF-8", "3: unit: 'ppt' is unknown", "4: is not UTF-8"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "1: the file is empty"),
        (b"\xef\xbb\xbf \r\n\n", "1: the file is empty"),
        (",".join(REQUIRED).encode(), "1: holds no series; write one line for each"),
        (b"a,b\n1,2\n", "1: no column is known; line 1 names the columns: key,"),
        (b"key,unit\rx,Pa\r", "1: holds carriage returns that end no line"),
    ],
)
def test_a_file_without_series_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    (said,) = refusal(text(tmp_path, content))
    assert said.startswith(problem)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogRefused, match=re.escape(f"{tmp_path / 'none.csv'}: cannot be read: No such file")):
        load(tmp_path / "none.csv")


def test_a_quantity_of_ones_own_may_have_any_unit(tmp_path: Path) -> None:
    assert load(sheet(tmp_path, {"quantity": "odorant", "unit": "mg/m³"})).quantity[0] == "odorant"


def number(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high, allow_nan=False).map(repr)


@st.composite
def row(draw: st.DrawFn) -> dict[str, str]:
    quantity = draw(st.sampled_from(sorted(QUANTITIES)))
    units = [u for u in UNITS if akin(u, QUANTITIES[quantity].shown)]
    low = draw(st.floats(-1e6, 1e6))
    name = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Z"), exclude_characters='",'), min_size=1)
    return {
        "quantity": quantity, "unit": draw(st.sampled_from(units)), "domain": draw(st.sampled_from(Domain)).value,
        "low": repr(low), "high": repr(low + draw(st.floats(0.1, 1e6))), "step": draw(number(1e-3, 1e6)), "owner": draw(name),
        "lat": draw(number(-90, 90)), "lon": draw(number(-180, 180)), "district": draw(name), "asset": draw(name),
        "hold": draw(st.just("") | number(1, 1e5)), "rated": draw(st.just("") | number(-1e5, 1e5)),
        "report": draw(st.just("") | number(1, 1e5)),
    }  # fmt: skip


@given(rows=st.lists(row(), min_size=1, max_size=8))
def test_what_was_loaded_and_written_loads_the_same_to_the_last_bit(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    first = load(sheet(folder, *rows))
    write(first, folder / "again.csv")
    same(load(folder / "again.csv"), first)


def test_a_written_catalog_reads_as_people_wrote_it(tmp_path: Path) -> None:
    file = sheet(tmp_path, {"rated": "0.3"}, {"quantity": "temperature", "unit": "°C", "low": "-40", "high": "70.5"})
    before = file.read_text()
    write(load(file), file)
    assert file.read_text() == before
    assert [f.name for f in tmp_path.iterdir()] == ["catalog.csv"]


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_and_never_crashes(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    refusal(text(folder, junk))
    refusal(text(folder, ",".join(REQUIRED).encode() + b"\n" + junk))
