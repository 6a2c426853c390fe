"""A CSV file as columns of text, where each row knows the line it stands on. What is wrong with it is collected, not raised."""

import csv
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from lifeline.model import Bools, Ints
from lifeline.words import suggestion

SHOWN: Final = 200  # problems told in full; the rest are counted

NEWLINE, QUOTE, RETURN = b"\n"[0], b'"'[0], b"\r"[0]


class Problems:
    """What is wrong with a file, by line: the first ones as text, all of them counted."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._kept: list[tuple[int, str]] = []

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        self._kept.append((line, reason))

    def where(self, bad: Bools, line: Ints, reason: Callable[[int], str]) -> None:
        """One problem for each row that is bad [n]."""
        rows = np.flatnonzero(bad)
        self.count += rows.size
        self._kept += [(int(line[i]), reason(int(i))) for i in rows[:SHOWN]]

    def told(self) -> list[str]:
        """`file:line: reason`, in the order of the file."""
        return [f"{self._path}:{line}: {reason}" for line, reason in sorted(self._kept, key=itemgetter(0))[:SHOWN]]


@dataclass(frozen=True)
class Words:
    """A column of text as its distinct words."""

    word: list[str]
    code: Ints  # [n] which word stands in each row

    def check(self, wrong: Callable[[str], str], line: Ints, problems: Problems) -> None:
        """`wrong` says what is wrong with a word, or "". Asked once for each word; empty cells are not its business."""
        reason = [wrong(w) if w else "" for w in self.word]
        bad = np.array([bool(r) for r in reason], dtype=bool)
        problems.where(bad[self.code], line, lambda i: reason[self.code[i]])


@dataclass(frozen=True)
class Sheet:
    """Every cell of the columns asked for; a column that the file lacks is all empty cells."""

    cell: dict[str, Any]  # column -> pyarrow array of text [n], trimmed
    line: Ints  # [n] line of the file, from 1
    present: frozenset[str]  # columns that the file has

    def words(self, column: str) -> Words:
        encoded = pc.dictionary_encode(self.cell[column])
        return Words(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64))

    def empty(self, column: str) -> Bools:
        blank: Bools = pc.equal(self.cell[column], "").to_numpy(zero_copy_only=False)
        return blank


def read(path: Path, required: Sequence[str], optional: Sequence[str], problems: Problems) -> Sheet | None:
    """The sheet, or None where the file is too broken to be cut into rows."""
    data = _utf8(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), problems)
    lines = _lines(data, problems)
    if lines is None:
        return None
    header = _header(data, int(lines[0]), problems, required, optional)
    if header is None:
        return None
    return _rows(data, lines, header, (*required, *optional), problems)


def _utf8(data: bytes, problems: Problems) -> bytes:
    """The same bytes when they are UTF-8; else each wrong line is named, and the rest is still checked."""
    try:
        data.decode()
    except UnicodeDecodeError:
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.decode(errors="ignore").encode() != line:
                problems.add(number, "is not UTF-8; save the file as 'CSV UTF-8' (spreadsheets in China often write GB 18030)")
        return data.decode(errors="replace").encode()
    return data


def _lines(data: bytes, problems: Problems) -> Ints | None:
    """Numbers of the lines that are not blank; None where a line is not a row."""
    if not data.strip():
        problems.add(1, "the file is empty")
        return None
    raw = np.frombuffer(data, np.uint8)
    ends = np.append(np.flatnonzero(raw == NEWLINE), raw.size)
    length = np.diff(ends, prepend=-1) - 1
    returns = (length > 0) & (raw[ends - 1] == RETURN)
    if data.count(b"\r") != int(returns.sum()):
        problems.add(1, "holds carriage returns that end no line; save it with line ends LF or CRLF")
        return None
    unclosed = np.searchsorted(np.flatnonzero(raw == QUOTE), ends) % 2 == 1
    if unclosed.any():
        problems.add(
            int(np.argmax(unclosed)) + 1, "a quoted cell does not end on its line: a quote too many, or a line break in it"
        )
        return None
    return np.flatnonzero(length > returns) + 1


def _header(data: bytes, line: int, problems: Problems, required: Sequence[str], optional: Sequence[str]) -> list[str] | None:
    """Names of the columns as they stand in the file; None where it has none of those asked for."""
    text = data.split(b"\n", line)[line - 1].decode()
    names = [name.strip() for name in next(csv.reader(io.StringIO(text)))]
    known = (*required, *optional)
    if not set(names) & set(known):
        split = next((repr(s) for s in (";", "\t", "|") if s in text), None)
        hint = f"cells are separated by {split}; separate them by commas" if split else "line 1 names the columns"
        problems.add(line, f"no column is known; {hint}: {','.join(known)}")
        return None
    free = [k for k in known if k not in names]
    for name in dict.fromkeys(names):
        if name not in known:
            problems.add(line, f"column {name!r} is unknown; {suggestion(name, free or known)}")
        elif names.count(name) > 1:
            problems.add(line, f"column {name!r} stands here {names.count(name)} times; keep one")
    for name in required:
        if name not in names:
            problems.add(line, f"column {name!r} is missing")
    return names


def _rows(data: bytes, lines: Ints, header: list[str], wanted: Sequence[str], problems: Problems) -> Sheet:
    """Cut into cells. A row with too many or too few is named and left out; so is one of empty cells only."""
    place = [str(i) for i in range(len(header))]  # the file's own names may repeat
    table, ragged = _cut(data, lines, place, problems)
    line = np.delete(lines, ragged)[1:]
    cells = [pc.utf8_trim_whitespace(column.combine_chunks())[1:] for column in table.columns]
    missing = pa.array([""] * line.size, pa.string())
    cell = dict.fromkeys(wanted, missing) | {n: c for n, c in zip(header, cells, strict=True) if n in wanted}
    filled = pc.not_equal(cells[0], "")
    if not pc.all(filled, min_count=0).as_py():
        filled = functools.reduce(pc.or_, [pc.not_equal(c, "") for c in cells])
        keep = filled.to_numpy(zero_copy_only=False)
        problems.where(~keep, line, lambda _: "all cells are empty; delete the line")
        cell, line = {n: c.filter(filled) for n, c in cell.items()}, line[keep]
    return Sheet(cell, line, frozenset(header))


def _cut(data: bytes, lines: Ints, place: list[str], problems: Problems) -> tuple[Any, list[int]]:
    """The file as a table of text, header included; which of `lines` it had to leave out."""
    ragged: list[int] = []

    def leave_out(row: Any) -> str:
        ragged.append(row.number - 1)
        reason = f"{row.actual_columns} cells, but line {lines[0]} names {row.expected_columns} columns"
        problems.add(int(lines[row.number - 1]), reason)
        return "skip"

    table = arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=place, block_size=1 << 24),
        parse_options=arrow_csv.ParseOptions(invalid_row_handler=leave_out),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(place, pa.string()), strings_can_be_null=False),
    )
    return table, ragged
