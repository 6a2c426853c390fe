"""Signing in and out: plain HTML that works without scripts, and the headers that keep everything else out."""

import asyncio
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.console.html import Html, el, join
from alerts.console.words import WORDS
from alerts.desk import Desk
from alerts.users.access import Wrong, tokens_of
from alerts.users.api import seated
from alerts.users.guard import CONSOLE, COOKIE, own
from alerts.users.tables import users
from alerts.web import OurDesk

router: Final = APIRouter(include_in_schema=False)
OIDC: Final = "/api/v1/oidc/login"
HOME: Final = "/console/"
LARGEST: Final = 10_000  # [byte] of a form
WALL: Final = 400 * 86_400  # [s] that a browser keeps a token; whether it holds is asked each time
POLICY: Final = (  # Vue compiles its templates in the browser ('unsafe-eval'); nothing is ever fetched from elsewhere
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
FENCE: Final = (
    (b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)  # fmt: skip
AGAIN: Final = ((b"refresh", b"5"),)  # [s]: nobody stands at a wall to ask again
STYLE: Final = (
    "body{font:17px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;"
    "background:#0e151d;color:#e6edf3}main{width:min(22em,100vw - 3em)}h1{font-size:1.25em;margin:0 0 1em}label{display:block;"
    "margin:.8em 0 .2em;color:#a9b6c3;font-size:.9em}input{font:inherit;width:100%;box-sizing:border-box;padding:.6em;border:"
    "1px solid #5b6875;border-radius:.4em;background:#18222d;color:inherit}button{font:inherit;font-weight:600;width:100%;"
    "margin-top:1.2em;padding:.7em;border:0;border-radius:.4em;background:#3d8bfd;color:#06121f}details{margin-top:1.2em;"
    "color:#a9b6c3}.bad{background:#4a1518;border-left:4px solid #ff6b61;padding:.6em .8em}code{color:#ffd54a}:focus-visible"
    "{outline:3px solid #ffd54a;outline-offset:2px}a{color:#6db3ff}"
)


class Fence:
    """A layer around the pages of the console: what a browser may load, and where it may stand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"].startswith(CONSOLE) or scope["path"] == "/login"):
            await self._app(scope, receive, send)
            return

        begun = False

        async def fenced(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                again = AGAIN if message["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR else ()
                message["headers"] = [*message.get("headers", []), *FENCE, *again]
            await send(message)

        try:
            await self._app(scope, receive, fenced)
        except Exception:
            if not begun:
                said = "".join(el("p", text) for text in WORDS["no_answer"])
                await HTMLResponse(said, HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, fenced)
            raise


@router.get("/")
@router.get("/console")
async def home() -> Response:
    return RedirectResponse(HOME, HTTPStatus.SEE_OTHER)


@router.get("/login")
async def ask(desk: OurDesk, next: str = HOME) -> Response:  # noqa: A002  the parameter's name
    """The form; it says so where nobody could sign in yet."""
    empty = await asyncio.to_thread(_empty, desk)
    return _form(desk, next, "no_users" if empty else "")


@router.post("/login")
async def enter(request: Request, desk: OurDesk) -> Response:
    """Name and password for a session, or a token that the browser keeps: for a wall that nobody signs in at."""
    if not own(request.headers):
        return _form(desk, HOME, "wrong", HTTPStatus.FORBIDDEN)
    form = {k: v[0] for k, v in parse_qs((await _read(request)).decode("utf-8", "replace")).items()}
    at = desk.clock.now()
    if token := form.get("token", "").strip():
        holds = await asyncio.to_thread(desk.access.bearer, token, at)
        return _kept(desk, form, token) if holds else _form(desk, form.get("next", HOME), "wrong", HTTPStatus.UNAUTHORIZED)
    found = await asyncio.to_thread(desk.access.password, form.get("name", ""), form.get("password", ""), at)
    if found is None:
        return _form(desk, form.get("next", HOME), "wrong", HTTPStatus.UNAUTHORIZED)
    return await seated(desk, found, _there(form), note="console")


@router.post("/console/logout")
async def leave(request: Request, desk: OurDesk) -> Response:
    """The session holds no more; a token is only forgotten by this browser."""
    who = request.scope["state"]["who"]
    token = request.cookies.get(COOKIE, "")
    if token.startswith("ll_"):
        await asyncio.to_thread(_ended, desk, token, who.name)
    answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE)
    return answer


def _ended(desk: Desk, token: str, by: str) -> None:
    mine = {t["id"]: t["kind"] for t in tokens_of(desk.database, by)}
    if mine.get(token.split("_")[1]) == "session":
        try:
            desk.access.revoke(token, by, desk.clock.now())
        except Wrong:
            return


def _empty(desk: Desk) -> bool:
    with desk.database.read() as db:
        return db.execute(select(func.count()).select_from(users)).scalar_one() == 0


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part[: LARGEST - len(body)]
    return bytes(body)


def _there(form: dict[str, str]) -> Response:
    """Back to where somebody wanted to go."""
    there = form.get("next", HOME)
    return RedirectResponse(there if there.startswith(HOME) else HOME, HTTPStatus.SEE_OTHER)


def _kept(desk: Desk, form: dict[str, str], token: str) -> Response:
    """With a token that the browser keeps."""
    answer = _there(form)
    secure = desk.settings.public_url.startswith("https:")
    answer.set_cookie(COOKIE, token, max_age=WALL, httponly=True, samesite="lax", secure=secure)
    return answer


def _form(desk: Desk, there: str, said: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Both languages: nobody has chosen one yet."""
    told = [el("p", *(el("span", text, el("br")) for text in WORDS[said]), class_="bad", role="alert")] if said else []
    there = there if there.startswith(HOME) else HOME
    hidden = el("input", type="hidden", name="next", value=there)
    body = el(
        "main", el("h1", "城市生命线 · Lifeline"), *told,
        el("form", hidden, _field("name", autocomplete="username", autofocus=True, required=True),
           _field("password", type="password", autocomplete="current-password", required=True),
           el("button", _both("sign_in")), method="post", action="/login"),
        el("p", el("a", _both("provider"), href=f"{OIDC}?{urlencode({'to': there})}")) if desk.provider else None,
        el("details", el("summary", _both("token")),
           el("form", hidden, _field("token", type="password", autocomplete="off", required=True),
              el("button", _both("sign_in")), method="post", action="/login")),
    )  # fmt: skip
    head = join(
        Html("<meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"),
        el("link", rel="icon", href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"),
        el("title", _both("sign_in")), el("style", Html(STYLE)),
    )  # fmt: skip
    html = f'<!doctype html><html lang="zh-CN"><head>{head}</head><body>{body}</body></html>'
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def _both(key: str) -> str:
    return " · ".join(WORDS[key])


def _field(key: str, **more: Any) -> Html:
    return join(el("label", _both(key), for_=key), el("input", name=key, id=key, **more))
