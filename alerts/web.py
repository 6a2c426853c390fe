"""What the desk's HTTP routes share: the desk, bodies with a bound, answers as JSON, problems."""

from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Request, Response

from alerts.desk import Desk

LARGEST: Final = 32_000_000  # [byte] of a request
T = TypeVar("T")


class Problem(Exception):
    """Turned into application/problem+json (RFC 9457)."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        self.status, self.body = status, {"title": status.phrase, "status": status.value, "detail": detail, **more}


async def the_desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


OurDesk = Annotated[Desk, Depends(the_desk)]


async def body(request: Request) -> bytes:
    """The whole of a request."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > LARGEST:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST} bytes; send fewer at a time")
    return bytes(whole)


def decoded(content: bytes, kind: type[T], status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY) -> T:
    """A body as JSON of a type; a problem of this status when it is not."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Problem(status, str(why)) from why


def json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
