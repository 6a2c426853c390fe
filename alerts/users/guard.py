"""Nothing but health and signed links is answered without a credential: a layer around the whole application.

A credential is a bearer token, a name and password (HTTP Basic, for tools that know no tokens), or the cookie of a login. Who
it is travels in the request's scope; what a role may do at all is decided here, finer questions where the act is done.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from alerts.roles import Role
from alerts.users.access import MACHINE, Access, Who

COOKIE: Final = "lifeline_session"
SIGN_IN: Final = frozenset({"/api/v1/login", "/login", "/api/v1/oidc/login", "/api/v1/oidc/callback"})
OPEN: Final = frozenset({"/-/healthy", "/healthz", "/-/ready", "/readyz", *SIGN_IN})
SIGNED: Final = ("/a/", "/report/", "/api/v1/receipts/")  # links in notices, the citizens' form, what gateways prove themselves
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MACHINES: Final = frozenset({"/changes", "/heartbeat"})
ADMINS: Final = ("/api/v1/users",)
LEADERS: Final = ("/api/v1/people",)
CONSOLE: Final = "/console/"


class Guard:
    """The layer."""

    def __init__(self, app: ASGIApp, access: Access, now: Callable[[], int]) -> None:
        self._app, self._access, self._now = app, access, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or free(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        who, cookie = await asyncio.to_thread(recognised, self._access, headers, self._now())
        refusal = _refusal(scope, headers, who, cookie=cookie)
        if refusal is None:
            scope.setdefault("state", {})["who"] = who
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4401})
        else:
            await refusal(scope, receive, send)


def recognised(access: Access, headers: Headers, at: int) -> tuple[Who | None, bool]:
    """Who asks, and whether a cookie says so. Blocks. at [ns] desk clock"""
    kind, _, said = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return access.bearer(said.strip(), at), False
    if kind.lower() == "basic":
        return _basic(access, said.strip(), at), False
    token = _cookie(headers)
    return (access.bearer(token, at), True) if token else (None, False)


def _basic(access: Access, said: str, at: int) -> Who | None:
    try:
        name, _, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return access.password(name, password, at)


def who(request: Request) -> Who:
    """Who asks. For routes behind the guard."""
    found: Who = request.scope["state"]["who"]
    return found


Asker = Annotated[Who, Depends(who)]


def named(asker: Who, said: str) -> str:
    """In whose name something is done: a user's own, whatever they say; for the system's token it must be said."""
    if asker.name != MACHINE:
        return asker.name
    if not said.strip():
        raise Unnamed
    return said


class Unnamed(Exception):
    """Nobody is said to do it."""


def _page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser asks for a page of the console: it is sent to the login."""
    page = scope["path"] == "/" or scope["path"].startswith(CONSOLE)
    return page and scope.get("method") == "GET" and "text/html" in headers.get("accept", "")


def free(path: str) -> bool:
    """Whether a path is answered without a credential."""
    return path in OPEN or path.startswith(SIGNED)


def _cookie(headers: Headers) -> str:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def _refusal(scope: Scope, headers: Headers, who: Who | None, *, cookie: bool) -> Response | None:
    """Why this is not answered; None where it is."""
    if who is None and _page(scope, headers):
        return RedirectResponse(f"/login?{urlencode({'next': scope['path']})}", HTTPStatus.SEE_OTHER)
    if who is None:
        return problem(HTTPStatus.UNAUTHORIZED, "say who you are: a bearer token, a name and password, or log in")
    method, path = scope.get("method", "GET"), scope["path"]
    if cookie and (method not in SAFE or scope["type"] == "websocket") and not own(headers):
        return problem(HTTPStatus.FORBIDDEN, "this request comes from another site")
    least = needs(method, path)
    if path in MACHINES and who.name != MACHINE and who.role < Role.ADMIN:
        return problem(HTTPStatus.FORBIDDEN, "only the system's own processes say this")
    if who.role < least:
        return problem(HTTPStatus.FORBIDDEN, f"this needs the role {least.name.lower()}; you are {who.role.name.lower()}")
    return None


def needs(method: str, path: str) -> Role:
    """The least role that is let through to a route."""
    if path.startswith(ADMINS):
        return Role.ADMIN
    if path.startswith(LEADERS) and method not in SAFE:  # who could turn warnings away from those they are for
        return Role.LEADER
    if path == "/api/v1/logout" or path.startswith(CONSOLE):  # the console asks again before each act
        return Role.VIEWER
    return Role.VIEWER if method in SAFE else Role.OPERATOR


def own(headers: Headers) -> bool:
    """Whether a request that changes something comes from our own pages (a browser says where it comes from)."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host", "")


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """RFC 9457."""
    body = {"title": status.phrase, "status": status.value, "detail": detail, **more}
    headers = (
        {"WWW-Authenticate": 'Bearer realm="lifeline", Basic realm="lifeline"'} if status is HTTPStatus.UNAUTHORIZED else {}
    )
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")
