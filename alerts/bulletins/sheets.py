"""A report as a workbook: a sheet for each of its tables, numbers as numbers."""

import io
from datetime import tzinfo
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from alerts.bulletins.bulletin import Bulletin
from alerts.bulletins.sections import Section, sections
from alerts.bulletins.words import NOTES, Language, say
from alerts.dangers.export import defused

WIDEST = 60  # [character] of a column


def xlsx(b: Bulletin, zone: tzinfo, language: Language) -> bytes:
    """The first sheet is that at a glance. Sheets are named as the tables of the interface are, so that programs find them."""
    book = Workbook(write_only=True)
    for section in sections(b, zone, language):
        _write(book.create_sheet(section.name), section)
    notes = book.create_sheet("notes")
    for note in NOTES:
        notes.append([defused(say(note, language))])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(sheet: Any, s: Section) -> None:
    table: list[list[Any]] = [list(s.columns), *s.rows]
    for i, column in enumerate(zip(*table, strict=True)):
        widest = max(sum(2 if ord(c) > 0x2E80 else 1 for c in str(v)) for v in column)
        sheet.column_dimensions[chr(ord("A") + i)].width = min(widest + 3, WIDEST)
    sheet.freeze_panes = "A3"
    sheet.append([_bold(sheet, defused(s.title))])
    sheet.append([_bold(sheet, c) for c in s.columns])
    for row in s.rows:
        sheet.append([defused(v) if isinstance(v, str) else v for v in row])
    if s.note:
        sheet.append([])
        sheet.append([defused(s.note)])


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell
