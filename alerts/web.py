"""What the desk's routers share: the desk itself, bodies in, JSON and problems out."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from alerts.desk import Desk
from alerts.users.guard import problem

ALERTMANAGER: Final = "/api/v2/"  # paths that speak as Alertmanager does
LARGEST: Final = 32_000_000  # [byte] of a request
T = TypeVar("T")


class Grade(StrEnum):
    """A level by its name, in a question."""

    NORMAL = "NORMAL"
    BLUE = "BLUE"
    YELLOW = "YELLOW"
    ORANGE = "ORANGE"
    RED = "RED"


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


def json_answer(content: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """JSON, by msgspec."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


async def tell(request: Request, why: Exception) -> Response:
    """The handler of Problems."""
    assert isinstance(why, Problem)
    if request.url.path.startswith(ALERTMANAGER):  # its errors are texts; amtool can read nothing else
        return json_answer(why.body["detail"], why.status)
    return Response(msgspec.json.encode(why.body), why.status, media_type="application/problem+json")


async def invalid(request: Request, why: Exception) -> Response:
    """A path, query or header that says what it cannot."""
    assert isinstance(why, RequestValidationError)
    problems = [{"place": ".".join(map(str, e["loc"])), "reason": str(e["msg"])} for e in why.errors()]
    said = "; ".join(f"{p['place']}: {p['reason']}" for p in problems)
    return await tell(request, Problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, problems=problems))


async def refused(request: Request, why: Exception) -> Response:
    """No such route, or not by this method."""
    assert isinstance(why, HTTPException)
    answer = await tell(request, Problem(HTTPStatus(why.status_code), str(why.detail)))
    answer.headers.update(why.headers or {})
    return answer


async def unnamed(_: Request, _why: Exception) -> Response:
    """The system's own token does things in somebody's name only."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "say who does it - at `$.by`")


async def unavailable(_: Request, why: Exception) -> Response:
    """The database would not: nothing was taken; say it again later."""
    body = {"title": "Service Unavailable", "status": 503, "detail": f"database: {why}"}
    return Response(msgspec.json.encode(body), 503, {"Retry-After": "1"}, media_type="application/problem+json")
