"""Entity tags: who has a resource already is not sent it again, and who changes one may say which they have seen.

A tag is "MARK.BODY": the mark is what an act depends on, and the same wherever the resource is shown; the body is a digest of
this very answer. What an act is asked to find unchanged (If-Match) is the mark: that a notice was delivered meanwhile does not
stand in anybody's way. Lists have no mark. RFC 9110, sections 8.8.3 and 13.1.
"""

import re
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNDER: Final = "/api/v1/"  # of what is tagged
TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')  # that a proxy has made it weak changes nothing for us
ANY: Final = "*"
LENGTH: Final = 20  # [1] hex digits


def digest(body: bytes) -> str:
    """[hex digits]"""
    return sha256(body).hexdigest()[:LENGTH]


def quoted(mark: str) -> dict[str, str]:
    """The header that gives an answer's mark."""
    return {"ETag": f'"{mark}"'}


async def seen(request: Request) -> frozenset[str]:
    """The marks of which the resource must have one (If-Match); empty: it may have any."""
    said = ",".join(request.headers.getlist("if-match"))
    if not said.strip() or said.strip() == ANY:
        return frozenset()
    return frozenset(tag.partition(".")[0] for tag in TAG.findall(said)) or frozenset({""})


Seen = Annotated[frozenset[str], Depends(seen)]


class Tagged:
    """A layer that tags what is read as JSON, and answers 304 to who has it already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(UNDER):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(Headers(scope=scope).get("if-none-match", ""), send).send)


class _Answer:
    """One answer on its way out."""

    def __init__(self, known: str, send: Send) -> None:
        self._known, self._send = known, send
        self._start: Message | None = None  # held back until its body is there

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _taggable(message):
            self._start = message
        elif self._start is not None and not message.get("more_body"):
            await self._whole(self._start, message)
        else:
            await self._let_go()
            await self._send(message)

    async def _let_go(self) -> None:
        """What comes in pieces is not tagged."""
        if self._start is not None:
            start, self._start = self._start, None
            await self._send(start)

    async def _whole(self, start: Message, end: Message) -> None:
        self._start = None
        headers = MutableHeaders(raw=start["headers"])
        mark = headers.get("etag", "").strip('"')
        headers["ETag"] = tag = f'"{mark}.{digest(end.get("body", b""))}"'
        headers["Cache-Control"], headers["Vary"] = "private, no-cache", "Authorization, Cookie"
        if self._known.strip() == ANY or tag.strip('"') in TAG.findall(self._known):
            start["status"], end["body"] = HTTPStatus.NOT_MODIFIED.value, b""
            for name in ("content-length", "content-type"):
                del headers[name]
        start["headers"] = headers.raw
        await self._send(start)
        await self._send(end)


def _taggable(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == HTTPStatus.OK and kind.startswith("application/json")
