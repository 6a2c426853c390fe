"""Line protocol, whole columns at a time: a reading becomes

    methane,asset=well-1,city=kunming,device=laser-1,district=Fenglu,domain=gas,key=laser-1/ch4 value=0.01,quality=0i 17954208…

What stands before the fields is made once for each series; numbers are written by Arrow, in the shortest text that reads back
as the same number; the columns are joined by Arrow too, so that no Python runs for a single reading.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifeline.catalog import Catalog
from lifeline.model import Batch, Bools, Floats, Ints, Quality, Rows

TAGS: Final = ("asset", "district", "domain", "device", "key")  # of a series, besides its city
CODES: Final = pa.array([f",quality={int(q)}i ".encode() for q in Quality], pa.binary())
ALONE: Final = pa.array([f"quality={int(q)}i ".encode() for q in Quality], pa.binary())
PIECE: Final = 65_536  # [1] lines joined at a time: what is touched stays in the processor's cache
NAME: Final = {",": r"\,", " ": r"\ "}  # in the name of a measurement
WORD: Final = NAME | {"=": r"\="}  # in the name or value of a tag, in the name of a field
TRAP: Final = re.compile(r"\\(?=[, =]|$)")  # a backslash here would itself be read as an escape
TRAP_OF_NAMES: Final = re.compile(r'\\(?=[, ="]|$)')  # 1.x drops the one before a quotation mark, in names alone
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class Unwritable(ValueError):
    """Line protocol has no way to say this text. Says why."""


@dataclass(frozen=True)
class Lines:
    """Lines of line protocol in one piece, and where each begins."""

    text: bytes
    ends: Ints  # [n] [byte] behind the newline of each

    @property
    def n(self) -> int:
        return len(self.ends)

    def part(self, a: int, b: int) -> "Lines":
        """Lines a to b, b not among them."""
        begin = int(self.ends[a - 1]) if a else 0
        return Lines(self.text[begin : int(self.ends[b - 1]) if b else 0], self.ends[a:b] - begin)

    @staticmethod
    def of(lines: Iterable[bytes]) -> "Lines":
        """lines: each with its newline, or empty and then none"""
        each = [line for line in lines if line]
        return Lines(b"".join(each), np.cumsum(np.fromiter(map(len, each), np.int64, len(each))))


def name(text: str) -> str:
    """A measurement's name, escaped."""
    if text.startswith("#"):
        raise Unwritable(f"{text!r}: a line that begins with '#' is a comment")
    return _escaped(text, NAME, TRAP_OF_NAMES)


def word(text: str) -> str:
    """A tag's name or value, escaped."""
    return _escaped(text, WORD, TRAP)


def _escaped(text: str, escapes: Mapping[str, str], trap: re.Pattern[str]) -> str:
    if not text:
        raise Unwritable("empty: a tag without a value is left out, a measurement must have a name")
    if CONTROL.search(text):
        raise Unwritable(f"{text!r}: a control character; a line ends at a newline, whatever stands before it")
    if trap.search(text):
        raise Unwritable(f"{text!r}: a backslash before a comma, a space, '=', '\"' or the end cannot be told from an escape")
    try:
        text.encode()
    except UnicodeEncodeError as why:
        raise Unwritable(f"{text!r}: no text of UTF-8") from why
    return "".join(escapes.get(c, c) for c in text)


def words(text: str) -> str:
    """A field's text, in its quotes. Any text of UTF-8 may stand there."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def head(measurement: str, tags: Mapping[str, str]) -> bytes:
    """What stands before the fields. Tags without a value are left out; the others stand in the order of their names."""
    said = [f",{word(k)}={word(v)}" for k, v in sorted(tags.items()) if v]
    return (name(measurement) + "".join(said) + " ").encode()


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, float | int | str], t: int) -> bytes:
    """One line, with its newline; for what comes seldom. Numbers that are none are left out. t [ns]"""
    said = [f"{word(k)}={_field(v)}" for k, v in fields.items() if not isinstance(v, float) or np.isfinite(v)]
    return head(measurement, tags) + f"{','.join(said)} {t}\n".encode() if said else b""


def _field(value: float | str) -> str:
    if isinstance(value, str):
        return words(value)
    return f"{value}i" if isinstance(value, int) else repr(value)


@dataclass(frozen=True)
class Encoder:
    """Readings of a catalog's series as lines. more: tags that all of them bear"""

    catalog: Catalog
    city: str
    more: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _made(self) -> tuple[list[bytes], dict[int, str]]:
        """What stands before the fields of each row, and why some rows have none."""
        c, heads, refused = self.catalog, list[bytes](), dict[int, str]()
        columns = [getattr(c, tag).tolist() for tag in TAGS]
        for i, (quantity, *said) in enumerate(zip(c.quantity.tolist(), *columns, strict=True)):
            try:
                heads.append(head(quantity, {"city": self.city, **self.more, **dict(zip(TAGS, said, strict=True))}))
            except Unwritable as why:
                heads.append(b"")
                refused[i] = str(why)
        return heads, refused

    @property
    def refused(self) -> dict[int, str]:
        """Rows that cannot be written, and why."""
        return self._made[1]

    @cached_property
    def writable(self) -> Bools:
        """[rows]"""
        good = np.ones(self.catalog.n, np.bool_)
        good[list(self.refused)] = False
        return good

    @cached_property
    def _head(self) -> Any:
        return pa.array(self._made[0], pa.large_binary())

    @cached_property
    def _valued(self) -> Any:
        return pa.array([h + b"value=" for h in self._made[0]], pa.large_binary())

    def readings(self, b: Batch) -> Lines:
        """One line each, but for rows that are `refused`. A value that is no number goes as its quality alone."""
        if self.refused:
            b = b.take(self.writable[b.row])
        number = np.isfinite(b.value)
        if number.all():
            return pieces(b.n, lambda p: self._valued_lines(b.take(p)))
        parts = [pieces(x.n, partly) for x, partly in self._parted(b, number)]
        return joined(parts)

    def _parted(self, b: Batch, number: Bools) -> Iterator[tuple[Batch, Callable[[slice], list[Any]]]]:
        good, bad = b.take(number), b.take(~number)
        yield good, lambda p: self._valued_lines(good.take(p))
        yield bad, lambda p: self._bare_lines(bad.take(p))

    def _valued_lines(self, b: Batch) -> list[Any]:
        return [self._valued.take(pa.array(b.row)), written(b.value), CODES.take(pa.array(b.quality)), written(b.t)]

    def _bare_lines(self, b: Batch) -> list[Any]:
        return [self._head.take(pa.array(b.row)), ALONE.take(pa.array(b.quality)), written(b.t)]

    def fields(self, row: Rows, t: Ints, columns: Mapping[str, Floats | Ints]) -> Lines:
        """Lines of several fields, such as features of waveforms: all rows `writable`, all floats finite. row, t [n]

        columns: name of the field -> [n]
        """
        names = [f"{',' if i else ''}{name}=".encode() for i, name in enumerate(columns)]

        def parts(p: slice) -> list[Any]:
            made = [self._head.take(pa.array(row[p]))]
            for said, values in zip(names, columns.values(), strict=True):
                mark = b"" if values.dtype.kind == "f" else b"i"
                made += [pa.scalar(said, pa.large_binary()), written(values[p]), pa.scalar(mark, pa.large_binary())]
            return [*made, pa.scalar(b" ", pa.large_binary()), written(t[p])]

        return pieces(row.size, parts)


def written(x: Floats | Ints) -> Any:
    """Numbers as text, the shortest that reads as the same number. x [n] finite"""
    return pc.cast(pa.array(x), pa.large_string()).cast(pa.large_binary())


NEWLINE: Final = pa.scalar(b"\n", pa.large_binary())
NONE: Final = pa.scalar(b"", pa.large_binary())


def pieces(n: int, parts: Callable[[slice], list[Any]]) -> Lines:
    """n lines out of the columns that each is put together of."""
    return joined([_lines(parts(slice(a, a + PIECE))) for a in range(0, n, PIECE)])


def _lines(columns: list[Any]) -> Lines:
    large = [c.cast(pa.large_binary()) for c in columns]
    made = pc.binary_join_element_wise(*large, NEWLINE, NONE)
    _, offsets, text = made.buffers()
    ends = np.frombuffer(offsets, np.int64)[made.offset : made.offset + len(made) + 1]
    return Lines(text.to_pybytes()[int(ends[0]) : int(ends[-1])], ends[1:] - ends[0])


def joined(parts: list[Lines]) -> Lines:
    """All of them, in order."""
    if len(parts) == 1:
        return parts[0]
    ends = [p.ends for p in parts]
    shift = np.cumsum([0, *(len(p.text) for p in parts)])
    return Lines(
        b"".join(p.text for p in parts),
        np.concatenate([np.empty(0, np.int64), *(e + s for e, s in zip(ends, shift, strict=False))]),
    )
