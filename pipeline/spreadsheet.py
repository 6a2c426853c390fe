"""CSV of anybody's making -> columns: its code, its separator, its decimal sign and where its header stands are guessed."""

import codecs
import csv as text_csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import csv

from lifeline.words import Unusable

MISSING: Final = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", "*")
SAMPLE: Final = 1 << 16  # [byte] of a file from which its kind is guessed
BLOCK: Final = 1 << 24  # [byte] read at once; the first tells the types of columns, until a later one refutes it
MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CODES: Final = ("utf-8", "gb18030", "latin-1")
FOREIGN: Final = {
    b"PK\x03\x04": "is a ZIP or Excel file; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Excel file; save the sheet as CSV",
    b"\x89HDF": "is an HDF5 file; write it as Parquet or CSV",
    b"MATLAB": "is a MATLAB file; write it as Parquet or CSV",
}
SPLITS: Final = ",;\t|"
LINES: Final = 50  # from which the form is guessed
FEW: Final = 4  # lines that tell nothing of how many cells are usual
REMARKS: Final = ("#", "//", "sep=")
TRIED: Final = 200  # times that the type of some column may be refuted


class Form(NamedTuple):
    """How a file is written."""

    code: str
    header: int  # lines before it
    split: str
    comma: bool  # the decimal sign


def head_of(path: Path) -> bytes:
    """The first bytes, unpacked."""
    try:
        with _opened(path) as file:
            return bytes(file.read(SAMPLE))
    except (OSError, EOFError, zlib.error) as why:
        raise Unusable(f"{path}: cannot be read: {getattr(why, 'strerror', None) or why}") from why


def read(path: Path, notes: list[str]) -> Any:
    """All columns; numbers where a whole column is numbers, text elsewhere. notes: what must be said of it is added"""
    head = head_of(path)
    for mark, what in FOREIGN.items():
        if head.startswith(mark):
            raise Unusable(f"{path}: {what}")
    for code in codes(head):
        form = formed(head.decode(code, "replace"), code)
        if form is None:
            raise Unusable(f"{path}: the file is empty")
        table = _read(path, form, notes)
        if table is not None:
            return table
    raise Unusable(f"{path}: is neither CSV nor Parquet; write it in UTF-8, a header with the names of the columns first")


def codes(head: bytes) -> Iterator[str]:
    """Those that a file may be written in, the likeliest first."""
    for mark, code in MARKS:
        if head.startswith(mark):
            yield code
            return
    if b"\0" in head:
        return
    for code in CODES:
        try:
            codecs.getincrementaldecoder(code)().decode(head)  # a character may be cut at the end
        except UnicodeDecodeError:
            continue
        yield code


def formed(text: str, code: str) -> Form | None:
    """Guessed from the first lines; None where there are none. The header is the first that has as many cells as most have."""
    lines = text.removeprefix("\ufeff").splitlines()[:LINES]
    plain = [i for i, x in enumerate(lines) if x.strip() and not x.lower().startswith(REMARKS)]
    if not plain:
        return None
    split = max(SPLITS, key=lambda c: sum(c in lines[i] for i in plain) * 1000 + lines[plain[-1]].count(c))
    count = [len(next(text_csv.reader([lines[i]], delimiter=split), [])) for i in plain]
    usual = Counter(count).most_common(1)[0][0]
    header = plain[count.index(usual)] if len(plain) > FEW else plain[0]
    cells = [c for line in lines[header + 1 :] for c in line.split(split)]
    return Form(code, header, split, split != "," and any(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", c) for c in cells))


def _read(path: Path, form: Form, notes: list[str]) -> Any:
    """None where the file is not written in that code. A type that a later block refutes becomes a wider one."""
    types: dict[str, Any] = {}
    for _ in range(TRIED):
        skipped: list[int] = []
        try:
            table = _columns(path, form, types, skipped)
        except UnicodeDecodeError:
            return None
        except pa.ArrowInvalid as why:
            wrong = re.search(r"In CSV column #(\d+)", str(why))
            if not wrong:
                raise Unusable(f"{path}: is no CSV file that can be read: {why}") from why
            name = _names(path, form)[int(wrong[1])]
            types[name] = pa.string() if types.get(name) == pa.float64() else pa.float64()
            continue
        if any(pa.types.is_binary(f.type) for f in table.schema):
            return None
        if skipped:
            cells = f"rows with another number of cells than the header's {table.num_columns}"
            notes.append(f"{path.name}: {cells}, left out: {len(skipped)}")
        return table
    raise Unusable(f"{path}: is no CSV file that can be read: too many columns change their kind")


def _columns(path: Path, form: Form, types: dict[str, Any], skipped: list[int]) -> Any:
    def leave_out(row: Any) -> str:
        skipped.append(row.actual_columns)
        return "skip"

    with _opened(path) as plain:
        return csv.read_csv(
            plain,
            read_options=csv.ReadOptions(block_size=BLOCK, encoding=form.code, skip_rows=form.header),
            parse_options=csv.ParseOptions(delimiter=form.split, invalid_row_handler=leave_out),
            convert_options=csv.ConvertOptions(
                null_values=[m for w in MISSING for m in {w, w.upper(), w.title(), "NaN"}],
                strings_can_be_null=True,
                timestamp_parsers=["%no-parser"],
                decimal_point="," if form.comma else ".",
                column_types=types,
            ),
        )


def _names(path: Path, form: Form) -> list[str]:
    """Of the columns."""
    with (
        _opened(path) as plain,
        csv.open_csv(
            plain,
            read_options=csv.ReadOptions(encoding=form.code, skip_rows=form.header),
            parse_options=csv.ParseOptions(delimiter=form.split, invalid_row_handler=lambda _: "skip"),
            convert_options=csv.ConvertOptions(timestamp_parsers=["%no-parser"]),
        ) as rows,
    ):
        return list(rows.schema.names)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, unpacked."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with gzip.open(raw) if packed else nullcontext(raw) as plain:
            yield plain
