"""Pages for people who hold a link: acknowledge with one tap, look at the plot. No login and no script; the link is the key.

A GET only shows: mail scanners and chat programs fetch what they find. Only the button's POST acknowledges.
"""

import asyncio
import hashlib
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from alerts import plot, rows, texts
from alerts.book import UnknownWarning
from alerts.case import Case
from alerts.desk import Desk
from alerts.lifecycle import NEXT, Act, Refused
from alerts.links import BadLink, Pass
from alerts.notice import Notice
from alerts.tables import Database, insert_new, outbox
from alerts.texts import LEVELS, local
from alerts.ways import taps

router: Final = APIRouter()
PAINT: Final = {"RED": "#b3261e", "ORANGE": "#b85300", "YELLOW": "#7a5c00", "BLUE": "#1f5fae", "NORMAL": "#2e7d32"}
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is a key
    "X-Frame-Options": "DENY",  # nobody taps on it unseen
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}
PATIENCE: Final = 30.0  # [s] for a plot that a provider fetches
LARGEST: Final = 1000  # [byte] of a form
Said = tuple[str, str]  # Chinese, English

BAD: Final = ("链接无效或不完整，请从通知中重新打开。", "This link is not valid or not whole; open it again from the notice.")
GONE: Final = ("链接已过期，请联系值班室确认。", "This link has expired; call the duty room to acknowledge.")
USED: Final = ("此链接已经用过。", "This link has been used.")
DONE: Final = ("已确认，谢谢。", "Acknowledged. Thank you.")
NONE: Final = ("该预警目前无需确认。", "There is nothing to acknowledge at present.")
RISEN: Final = ("预警等级已升高，请看清后再次确认。", "It has become worse meanwhile: look, then acknowledge again.")


@router.get("/a/{token}")
async def show(request: Request, token: str) -> Response:
    """What it is about, and a button."""
    desk: Desk = request.app.state.desk
    return await asyncio.to_thread(_shown, desk, token)


@router.post("/a/{token}")
async def tap(request: Request, token: str) -> Response:
    """The button: once, before it expires, for the level that the person saw."""
    desk: Desk = request.app.state.desk
    form = parse_qs((await _form(request)).decode("ascii", "replace"))
    seen = form.get("seen", [""])[0]
    return await asyncio.to_thread(_tapped, desk, token, int(seen) if seen.isascii() and seen.isdigit() else 0)


@router.get("/a/{token}/plot.png")
async def picture(request: Request, token: str) -> Response:
    """The plot of the evidence, for providers that fetch it."""
    desk: Desk = request.app.state.desk
    try:
        allowed = desk.outbox.links.read(token)
    except BadLink:
        return _page(BAD, status=HTTPStatus.NOT_FOUND)
    if allowed.act != "p" or allowed.expired(desk.clock.now()):
        return _page(GONE, status=HTTPStatus.GONE)
    notice = await asyncio.to_thread(_told, desk.database, allowed)
    png = await plot.png(notice.story, PATIENCE) if notice else None
    if png is None:
        return _page(BAD, status=HTTPStatus.NOT_FOUND)
    return Response(png, media_type="image/png", headers={"Cache-Control": "max-age=3600", "Referrer-Policy": "no-referrer"})


async def _form(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part[: LARGEST - len(body)]
    return bytes(body)


def _allowed(desk: Desk, token: str) -> tuple[Pass, Case] | Response:
    """Whom a link stands for, and the warning as it is now."""
    try:
        allowed = desk.outbox.links.read(token)
    except BadLink:
        return _page(BAD, status=HTTPStatus.NOT_FOUND)
    with desk.database.read() as db:
        case = rows.find(db, allowed.warning)
    if allowed.act != "a" or case is None:
        return _page(BAD, status=HTTPStatus.NOT_FOUND)
    if allowed.expired(desk.clock.now()):
        return _page(GONE, case, status=HTTPStatus.GONE)
    return allowed, case


def _shown(desk: Desk, token: str) -> Response:
    found = _allowed(desk, token)
    if isinstance(found, Response):
        return found
    allowed, case = found
    if _used(desk.database, token):
        return _page(USED, case)
    return _page(("", ""), case, ask=allowed.person) if _asks(case) else _page(NONE, case)


def _tapped(desk: Desk, token: str, seen: int) -> Response:
    found = _allowed(desk, token)
    if isinstance(found, Response):
        return found
    allowed, case = found
    if _used(desk.database, token):
        return _page(USED, case, status=HTTPStatus.CONFLICT)
    if case.risen > seen:
        ask = allowed.person if _asks(case) else ""
        return _page(RISEN if seen else ("", ""), case, ask=ask, status=HTTPStatus.CONFLICT)
    at = desk.clock.now()
    try:
        after = desk.book.acknowledge(case.id, allowed.person, "link", at)
    except (Refused, UnknownWarning):
        return _page(NONE, case, status=HTTPStatus.CONFLICT)
    with desk.database.write() as db:
        insert_new(db, taps, id=_name(token), at=at)
    return _page(DONE, after)


def _asks(case: Case) -> bool:
    return (case.state, Act.ACK) in NEXT


def _name(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _used(database: Database, token: str) -> bool:
    with database.read() as db:
        return db.execute(select(taps.c.id).where(taps.c.id == _name(token))).one_or_none() is not None


def _told(database: Database, allowed: Pass) -> Notice | None:
    """Any notice of that version: they all tell the same story."""
    query = select(outbox.c.body).where(outbox.c.warning == allowed.warning, outbox.c.version == allowed.version)
    with database.read() as db:
        body = db.execute(query.order_by(outbox.c.made, outbox.c.id).limit(1)).scalar_one_or_none()
    return msgspec.json.decode(body, type=Notice) if body else None


def _page(said: Said, case: Case | None = None, *, ask: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Both languages, the level's colour, what and where; the button for the person who is asked."""
    colour = PAINT.get(case.level.name if case else "", "#444")
    parts = [f"<p class=said>{escape(said[0])}</p><p class=said lang=en>{escape(said[1])}</p>"] if said[0] else []
    if case is not None:
        parts.insert(0, _facts(case))
    if ask and case is not None:
        name = escape(f"以 {ask} 的名义 · as {ask}")
        button = f"<button>确认收到 · Acknowledge</button><p>{name}</p>"
        parts.append(f'<form method=post><input type=hidden name=seen value="{case.version}">{button}</form>')
    style = (
        "body{font:17px/1.5 system-ui,sans-serif;margin:0;color:#222;background:#f4f4f4}main{max-width:34em;margin:auto;"
        "padding:1em;background:#fff;min-height:100vh;box-sizing:border-box}h1{font-size:1.2em;margin:-.8em -.8em 1em;padding:"
        f".8em;color:#fff;background:{colour}}}button{{font:inherit;font-weight:600;width:100%;padding:1em;border:0;"
        f"border-radius:.5em;color:#fff;background:{colour}}}.said{{font-weight:600}}dt{{color:#666;font-size:.85em}}"
        "dd{margin:0 0 .6em}"
    )
    html = (
        "<!doctype html><html lang=zh-CN><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>预警确认 · Acknowledge</title><style>{style}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )
    return HTMLResponse(html, status, HEADERS)


def _facts(case: Case) -> str:
    level, named = LEVELS[case.level.name], texts.hazard(case.hazard)
    facts = [
        ("等级 Level", f"{level[0]} {level[1]}"),
        ("隐患 Hazard", f"{named[0]} / {named[1]}"),
        ("位置 Place", f"{case.city}{case.district} {case.asset}（{case.lat:.5f}，{case.lon:.5f}）"),
        ("权属 Owner", case.owner),
        ("始于 Since", local(case.onset, plot.ZONE)),
        ("确认人 Acknowledged by", case.acknowledged_by or ""),
        ("编号 Id", case.id),
    ]
    list_ = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts if v)
    return f"<h1>{escape(case.zh)}<br><span lang=en>{escape(case.en)}</span></h1><dl>{list_}</dl>"
