"""What the desk's routers share: the desk itself, bodies in, JSON and problems out."""

from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Request, Response

from alerts.desk import Desk
from alerts.users.guard import problem

LARGEST: Final = 32_000_000  # [byte] of a request
T = TypeVar("T")


class Problem(Exception):
    """Turned into application/problem+json (RFC 9457)."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        self.status, self.body = status, {"title": status.phrase, "status": status.value, "detail": detail, **more}


async def the_desk(request: Request) -> Desk:
    """The desk that answers."""
    desk: Desk = request.app.state.desk
    return desk


OurDesk = Annotated[Desk, Depends(the_desk)]


async def whole(request: Request) -> bytes:
    """The body of a request; a Problem where it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST} bytes; send fewer at a time")
    return bytes(body)


def decoded(body: bytes, kind: type[T]) -> T:
    """JSON as a type; a Problem that names the field where it does not fit."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(why)) from why


async def body_as(request: Request, kind: type[T]) -> T:
    """The body of a request as a type."""
    return decoded(await whole(request), kind)


def json_answer(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """JSON, by msgspec."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def tell(_: Request, why: Exception) -> Response:
    """The handler of Problems."""
    assert isinstance(why, Problem)
    return Response(msgspec.json.encode(why.body), why.status, media_type="application/problem+json")


async def unnamed(_: Request, _why: Exception) -> Response:
    """The system's own token does things in somebody's name only."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "say who does it - at `$.by`")


async def unavailable(_: Request, why: Exception) -> Response:
    """The database would not: nothing was taken; say it again later."""
    body = {"title": "Service Unavailable", "status": 503, "detail": f"database: {why}"}
    return Response(msgspec.json.encode(body), 503, {"Retry-After": "1"}, media_type="application/problem+json")
