"""Citizens' reports: an open form at /report/. What is answered with a receipt is on the disk, in the ledger.

A report and its pictures are one transaction. The form carries a number of its own, so that the same form sent twice (a phone
that loses the network) is one report and gets the same receipt.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from alerts.dangers import ledger, pages, pictures
from alerts.dangers.danger import Deed, Facts, from_row
from alerts.dangers.gate import Crowded
from alerts.dangers.life import REGISTER
from alerts.dangers.pictures import NoPicture
from alerts.dangers.tables import dangers, reports
from alerts.desk import Desk
from alerts.web import OurDesk

LARGEST: Final = pages.MOST * pictures.LARGEST + 100_000  # [byte] of a report
SLOWEST: Final = 120.0  # [s] that a report may take to come in
BY: Final = "citizen"
router: Final = APIRouter()


class Wrong(Exception):
    """A report that is not taken: why, in Chinese and English."""

    def __init__(self, zh: str, en: str, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        self.zh, self.en, self.status = zh, en, status


class Report(NamedTuple):
    """A form as it was filled in."""

    once: str
    fields: dict[str, str]
    photos: list[bytes]


BUSY: Final = ("目前举报过多，未能受理，请稍后再试", "too many reports just now: this one was NOT taken; try again later")
FULL: Final = ("系统暂时无法保存，未能受理，请稍后再试", "it cannot be kept just now and was NOT taken; try again later")
LARGE: Final = ("内容过大，请减少照片", "too large; send fewer pictures")


@router.get("/report/")
async def form() -> Response:
    """The form."""
    return _page(pages.form(secrets.token_hex(16)))


@router.get("/report/state")
async def look(receipt: str = "") -> Response:
    """To the page of a receipt."""
    plain = "".join(c for c in receipt.upper() if c in ledger.ALPHABET)
    return _to(spaced(plain[:40]) or "-")


@router.get("/report/{receipt}")
def state(desk: OurDesk, receipt: str) -> Response:
    """What became of a report."""
    query = select(dangers).where(dangers.c.receipt == _text(receipt))
    with desk.database.read() as db:
        row = db.execute(query).mappings().one_or_none()
    if row is None:
        return _page(pages.refusal("没有此受理编号", "there is no such receipt number"), HTTPStatus.NOT_FOUND)
    return _page(pages.state(receipt, from_row(dict(row)), desk.book.zone))


@router.post("/report/")
async def take(request: Request, desk: OurDesk) -> Response:
    """A report. 303 to its receipt when it is on disk; 422 with the form where it cannot be taken."""
    report = Report("", {}, [])
    try:
        filled = await _form(request, desk)
        async with desk.gate:
            report = await asyncio.to_thread(read, filled)
            check(report)
            receipt = await asyncio.to_thread(keep, desk, report)
    except Wrong as why:
        page = pages.form(report.once, report.fields, (why.zh, why.en)) if report.once else pages.refusal(why.zh, why.en)
        return _page(page, why.status)
    except Crowded:
        return _page(pages.refusal(*BUSY), HTTPStatus.SERVICE_UNAVAILABLE, **{"Retry-After": "10"})
    except OperationalError:
        return _page(pages.refusal(*FULL), HTTPStatus.SERVICE_UNAVAILABLE, **{"Retry-After": "60"})
    return _to(receipt)


async def _form(request: Request, desk: Desk) -> FormData:
    """The form, let in by its size before it is read."""
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise Wrong("请求没有长度", "the request does not say its length", HTTPStatus.LENGTH_REQUIRED)
    if len(length) > 12 or int(length) > LARGEST:
        raise Wrong(*LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    address = request.client.host if request.client else ""
    if not desk.gate.opens(address, int(length), desk.clock.now()):
        raise Wrong(*BUSY, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        async with asyncio.timeout(SLOWEST):
            parser = MultiPartParser(
                request.headers, _limited(request), max_files=pages.MOST, max_fields=20, max_part_size=50_000
            )
            return await parser.parse()
    except (MultiPartException, UnicodeDecodeError, LookupError, KeyError) as why:
        more = (f"请检查照片数量（最多 {pages.MOST} 张）", f"at most {pages.MOST} pictures, and from this form only")
        raise Wrong(*more, HTTPStatus.BAD_REQUEST) from why
    except TimeoutError as why:
        raise Wrong("传输超时", "it came too slowly", HTTPStatus.REQUEST_TIMEOUT) from why


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise MultiPartException("too large")  # closes what the parser has open
        yield part


def read(form: FormData) -> Report:
    """What a form says."""
    known = {name: most for name, _, _, most, _ in pages.FIELDS}
    texts = {name: _text(form.get(name))[:most] for name, most in known.items()}
    bodies = []
    for part in [value for _, value in form.multi_items() if isinstance(value, UploadFile)]:
        with part.file as file:
            bodies.append(file.read())
    return Report(_text(form.get("once"))[:64], texts, [body for body in bodies if body])


def _text(value: object) -> str:
    """Without what a database or a sheet has no place for."""
    return value.replace("\0", "").encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def check(report: Report) -> None:
    """Wrong unless it can be taken."""
    if len(report.once) < 16:
        raise Wrong("请从本页表格提交", "send it from the form on this page")
    if not report.fields["description"] or not report.fields["place"]:
        raise Wrong("请填写所见情况和地点", "say what you have seen, and where")
    _spot(report.fields)
    for body in report.photos:
        try:
            pictures.kind(body)
        except NoPicture as why:
            more = "照片须为 JPEG、PNG 或 WebP，且不超过限制；请重新选择照片"
            raise Wrong(more, f"a picture cannot be taken: {why}; choose the pictures anew") from why


def _spot(fields: dict[str, str]) -> dict[str, Any]:
    """Latitude and longitude, both or none. [°] WGS-84"""
    if not fields["lat"] and not fields["lon"]:
        return {}
    try:
        lat, lon = float(fields["lat"]), float(fields["lon"])
    except ValueError:
        lat = lon = float("nan")
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise Wrong("经纬度有误，可以不填", "latitude and longitude are no place; both may be left out")
    return {"lat": lat, "lon": lon}


def keep(desk: Desk, report: Report) -> str:
    """On the disk -> its receipt; the same form again gets the receipt it got. Blocks."""
    try:
        with desk.database.write() as db:
            return _known(db, report) or _kept(db, report, desk.clock.now())
    except IntegrityError:  # the same form came to another desk at the same moment
        with desk.database.read() as db:
            if receipt := _known(db, report):
                return receipt
        raise


def _known(db: Connection, report: Report) -> str:
    return db.execute(select(reports.c.receipt).where(reports.c.once == report.once)).scalar() or ""


def _kept(db: Connection, report: Report, at: int) -> str:
    fields, receipt = report.fields, spaced(ledger.code(12))
    photos = tuple(pictures.keep(db, body, BY, at) for body in report.photos)
    facts = Facts(
        source="public", found=at, finder=fields["name"] or "市民 citizen", place=fields["place"],
        description=fields["description"], photos=tuple(dict.fromkeys(photos)), **_spot(fields),
    )  # fmt: skip
    ledger.reported(db, receipt, report.once, fields["contact"], Deed(REGISTER, at, BY, facts=facts))
    return receipt


def spaced(code: str) -> str:
    """ABCD-EFGH-JKLM: easier to write down."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def _to(receipt: str) -> Response:
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={**pages.HEADERS, "Location": f"/report/{receipt}"})


def _page(text: str, status: HTTPStatus = HTTPStatus.OK, **more: str) -> Response:
    return HTMLResponse(text, status, {**pages.HEADERS, **more})
