"""A page that the desk cannot give is asked for again by itself, and tells nobody that all is well."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from alerts.console.door import FENCE, Fence


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise OSError("the database is away")


def get(app: ASGIApp, path: str) -> httpx.Response:
    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(Fence(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
            return await http.get(path)

    return asyncio.run(work())


@pytest.mark.parametrize("app", [broken, PlainTextResponse("a page that was not made in time", 500)])
def test_a_wall_whose_page_fails_asks_again(app: ASGIApp) -> None:
    answer = get(app, "/console/wall")
    assert answer.status_code >= 500
    assert answer.headers["refresh"] == "5"
    assert answer.headers["content-security-policy"] == dict(FENCE)[b"content-security-policy"].decode()
    assert "database" not in answer.text


def test_a_page_that_is_there_is_not_asked_for_again() -> None:
    assert "refresh" not in get(PlainTextResponse("a page"), "/console/").headers


def test_other_paths_are_left_alone() -> None:
    assert get(PlainTextResponse("x", 500), "/api/v1/warnings").headers.keys().isdisjoint({"refresh", "x-frame-options"})
