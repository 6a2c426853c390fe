"""Login, users and tokens over HTTP."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response

from alerts.desk import Desk
from alerts.roles import Role
from alerts.users import access
from alerts.users.access import SESSION, Who, Wrong
from alerts.users.guard import COOKIE, Asker
from alerts.web import OurDesk, Problem, body_as, json_answer

router = APIRouter()
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
RoleName = Annotated[str, msgspec.Meta(pattern="^(viewer|operator|analyst|leader|admin)$")]


class Login(msgspec.Struct):
    name: Name
    password: Annotated[str, msgspec.Meta(max_length=1000)]


class NewUser(msgspec.Struct):
    name: Name
    role: RoleName
    password: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    person: str = ""


class NewToken(msgspec.Struct):
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] | None = None


class Changed(msgspec.Struct):
    role: RoleName | None = None
    password: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    person: str | None = None
    ended: bool = False


@router.post("/api/v1/login")
async def login(request: Request, desk: OurDesk) -> Response:
    """Name and password for a cookie; 401 where they are wrong, or were too often."""
    said, at = await body_as(request, Login), desk.clock.now()
    found = await asyncio.to_thread(desk.access.password, said.name, said.password, at)
    if found is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "the name or the password is wrong, or was wrong too often: wait a minute")
    return await seated(desk, found, json_answer(_told(found)))


async def seated(desk: Desk, found: Who, answer: Response, note: str = "") -> Response:
    """An answer that gives a session to somebody who has proven who they are."""
    days, at = SESSION / 86_400, desk.clock.now()
    token = await asyncio.to_thread(lambda: desk.access.token(found.name, found.name, at, days=days, note=note, kind="session"))
    secure = desk.settings.public_url.startswith("https:")
    answer.set_cookie(COOKIE, token, max_age=SESSION, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post("/api/v1/logout")
async def logout(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """The cookie holds no more."""
    if token := request.cookies.get(COOKIE):
        await asyncio.to_thread(desk.access.revoke, token, asker.name, desk.clock.now())
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/api/v1/me")
async def me(asker: Asker) -> Response:
    """Who asks."""
    return json_answer(_told(asker))


@router.get("/api/v1/users")
def users(desk: OurDesk) -> Response:
    """All users, without their secrets."""
    return json_answer(access.listed(desk.database))


@router.post("/api/v1/users")
async def add(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """A new user; 409 where there is one of this name."""
    said = await body_as(request, NewUser)
    role, at = Role[said.role.upper()], desk.clock.now()
    await _do(desk.access.add, said.name, role, said.password, asker.name, at, said.person)
    return json_answer({"name": said.name}, HTTPStatus.CREATED)


@router.patch("/api/v1/users/{name}")
async def change(request: Request, desk: OurDesk, asker: Asker, name: str) -> Response:
    """Another role, password or person, or the end of a user."""
    said, at = await body_as(request, Changed), desk.clock.now()
    what: dict[str, Any] = {"password": said.password, "person": said.person, "role": said.role and Role[said.role.upper()]}
    what |= {"ended": at if said.ended else None}
    await _do(lambda: desk.access.change(name, asker.name, at, **{k: v for k, v in what.items() if v is not None}))
    return json_answer({"name": name})


@router.get("/api/v1/users/{name}/tokens")
def tokens(desk: OurDesk, name: str) -> Response:
    """A user's tokens and sessions, without their secrets."""
    return json_answer(access.tokens_of(desk.database, name))


@router.post("/api/v1/users/{name}/tokens")
async def token(request: Request, desk: OurDesk, asker: Asker, name: str) -> Response:
    """A new token; it is shown this once."""
    said, at = await body_as(request, NewToken), desk.clock.now()
    made = await _do(lambda: desk.access.token(name, asker.name, at, days=said.days, note=said.note))
    return json_answer({"token": made}, HTTPStatus.CREATED)


@router.delete("/api/v1/users/{name}/tokens/{token}")
async def revoke(desk: OurDesk, asker: Asker, name: str, token: str) -> Response:  # noqa: ARG001  the path's
    """A token holds no more."""
    await _do(desk.access.revoke, token, asker.name, desk.clock.now())
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _told(found: Who) -> dict[str, str]:
    return {"name": found.name, "role": found.role.name.lower(), "person": found.person}


async def _do(work: Any, *args: Any) -> Any:
    try:
        return await asyncio.to_thread(work, *args)
    except Wrong as why:
        raise Problem(HTTPStatus.CONFLICT, str(why)) from why
