"""The ledger as a sheet: XLSX, and CSV that Excel reads (UTF-8 with a byte order mark)."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from alerts.dangers.danger import Danger
from alerts.dangers.names import COLUMNS, GRADES, SOURCES, STATES
from alerts.texts import LEVELS, hazard, local

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
INSTANTS: Final = frozenset({"found", "deadline", "struck", "kept"})
WORDS: Final[dict[str, Mapping[Any, tuple[str, str]]]] = {"state": STATES, "grade": GRADES, "source": SOURCES, "colour": LEVELS}
LONGEST: Final = 32_000  # [1] characters of a cell; Excel takes 32,767
FORMULA: Final = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]")  # full-width signs too: some spreadsheets read them alike
FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 has no place for them


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    clean = FORBIDDEN.sub("", text)[:LONGEST]
    return f"'{clean}" if FORMULA.match(clean) else clean


def headings() -> list[str]:
    """Both languages in each."""
    return [f"{zh} {en}" for zh, en in COLUMNS.values()]


def cells(danger: Danger, zone: tzinfo) -> list[str | float]:
    """One row; times in `zone`."""
    return [_cell(name, getattr(danger, name), zone) for name in COLUMNS]


def _cell(name: str, value: Any, zone: tzinfo) -> str | float:
    if value is None or value == "":
        return ""
    if name in INSTANTS:
        return local(value, zone)
    if name in WORDS:
        return defused(" ".join(WORDS[name].get(value, (str(value),))))
    if name == "hazard":
        return defused(" ".join(hazard(value)))
    if isinstance(value, tuple):
        return defused("\n".join(value))
    return value if isinstance(value, int | float) else defused(value)


def as_csv(dangers: Iterable[Danger], zone: tzinfo) -> bytes:
    """RFC 4180 with a byte order mark."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(headings())
    sheet.writerows(cells(d, zone) for d in dangers)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(dangers: Iterable[Danger], zone: tzinfo) -> bytes:
    """One sheet, its first row in bold and fixed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("隐患台账 Ledger")
    sheet.freeze_panes = "A2"
    sheet.append(list(_bold(sheet)))
    for danger in dangers:
        sheet.append(cells(danger, zone))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _bold(sheet: Any) -> Iterator[Any]:
    for name in headings():
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        yield cell
