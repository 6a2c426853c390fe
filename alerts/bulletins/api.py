"""Reports over HTTP: which there are, and each as a page, a workbook or JSON."""

import asyncio
from datetime import date
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from alerts.bulletins import page, sheets
from alerts.bulletins.bulletin import Bulletin
from alerts.bulletins.press import Press
from alerts.bulletins.span import Every, span
from alerts.bulletins.tables import bulletins
from alerts.bulletins.words import Language
from alerts.dangers.export import XLSX
from alerts.desk import Desk
from alerts.roles import Role
from alerts.users.guard import Asker
from alerts.web import OurDesk, Problem, json_answer

SHOWN: Final = ("every", "day", "due", "made", "mail", "words")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
}
router: Final = APIRouter()


@router.get("/api/v1/reports")
def listed(desk: OurDesk, asker: Asker) -> Response:
    """Those that are made or due, the youngest first. Role analyst."""
    _may(asker.role)
    query = select(*(bulletins.c[name] for name in SHOWN)).order_by(bulletins.c.day.desc(), bulletins.c.every)
    with desk.database.read() as db:
        return json_answer([dict(r) for r in db.execute(query).mappings()])


@router.get("/api/v1/reports/{every}/{day}")
async def one(
    desk: OurDesk,
    asker: Asker,
    every: Every,
    day: str,
    format: Literal["html", "xlsx", "json"] = "html",  # noqa: A002  as the query is spelled
    language: Language = "zh",
) -> Response:
    """A report as it was made; of a day that is not over, or was before the desk's first, as things stand. Role analyst."""
    _may(asker.role)
    made = await asyncio.to_thread(_found, desk, every, _day(day))
    zone = desk.book.zone
    if format == "json":
        return json_answer(made)
    if format == "html":
        return HTMLResponse(await asyncio.to_thread(page.page, made, zone, language), headers=HEADERS)
    book = await asyncio.to_thread(sheets.xlsx, made, zone, language)
    name = f'attachment; filename="{made.name}.{language}.xlsx"'
    return Response(book, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


def _may(role: Role) -> None:
    """Reports name who was called and did not answer."""
    if role < Role.ANALYST:
        raise Problem(HTTPStatus.FORBIDDEN, f"this needs the role analyst; you are {role.name.lower()}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError as why:
        raise Problem(HTTPStatus.NOT_FOUND, f"{text!r} is no date; write 2026-01-31, or 2026-01 for a month") from why


def _found(desk: Desk, every: Every, day: date) -> Bulletin:
    press, at = desk.press or Press(desk.database, desk.settings.city, desk.book.zone), desk.clock.now()
    try:
        begin = span(every, day, desk.book.zone).begin
    except (OverflowError, ValueError) as why:
        raise Problem(HTTPStatus.NOT_FOUND, f"{day} is beyond any calendar") from why
    if begin > at:
        raise Problem(HTTPStatus.NOT_FOUND, f"{day} has not begun")
    return press.kept(every, day) or press.made(every, day, at)
