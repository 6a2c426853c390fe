"""What the desk tells those who keep a copy of it, and the ticket about the one that does."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.route import Route
from alerts.tables import Database
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Level
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


@pytest.fixture
def desk(database: Database, catalog: Catalog, clock: FastClock) -> Desk:
    settings = Settings("chengjiang", token=TOKEN, sources=(), mirrored=True)
    return Desk.of(settings, database, catalog, [Route("phone")], {}, clock)


def ask(desk: Desk, method: str, path: str, body: Any = None) -> Any:
    async def work() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk", headers=BEARER) as http:
            return await http.request(method, path, content=msgspec.json.encode(body) if body is not None else None)

    answer = asyncio.run(work())
    assert answer.status_code == 200, answer.text
    return answer.json()


def tell(desk: Desk, clock: FastClock, at: float, *said: Change) -> None:
    asyncio.run(clock.until(T0 + round(at * NS)))
    ask(desk, "POST", "/changes", list(said))


def test_levels_are_given_once_each_in_the_order_in_which_they_were_written(desk: Desk, clock: FastClock, say: Say) -> None:
    tell(desk, clock, 1, say(Y))
    tell(desk, clock, 2, say(O, 1), say(Y, 1.5, "d3", "W-2"))
    tell(desk, clock, 400, say(N, 390))
    levels = ask(desk, "GET", "/api/v1/following/levels")
    assert [(x["asset"], x["level"], x["t"] - T0) for x in levels if x["asset"] == "W-1"][:2] == [
        ("W-1", "YELLOW", 0),
        ("W-1", "ORANGE", NS),
    ]
    assert [x["at"] for x in levels] == sorted(x["at"] for x in levels)
    after = ask(desk, "GET", f"/api/v1/following/levels?after={levels[0]['at']}")
    assert after == levels[1:]
    page = ask(desk, "GET", f"/api/v1/following/levels?limit=2&after={levels[1]['at'] - 1}")  # two of one instant
    assert page == levels[1:3]


def test_warnings_are_given_as_they_stand_when_they_change(desk: Desk, clock: FastClock, say: Say) -> None:
    tell(desk, clock, 1, say(O))
    (first,) = ask(desk, "GET", "/api/v1/following/warnings")
    assert (first["level"], first["state"], first["asset"]) == ("ORANGE", "open", "W-1")
    assert first["id"] in first["url"]
    assert "W-1" in first["zh"]
    assert ask(desk, "GET", f"/api/v1/following/warnings?after={first['updated']}") == []
    asyncio.run(clock.until(T0 + 60 * NS))
    ask(desk, "POST", f"/api/v1/warnings/{first['id']}/ack", {"by": "Li", "comment": "seen"})
    (again,) = ask(desk, "GET", f"/api/v1/following/warnings?after={first['updated']}")
    assert (again["id"], again["state"]) == (first["id"], "taken")
    assert again["updated"] == T0 + 60 * NS


def tickets(desk: Desk) -> list[tuple[str, str, str, str]]:
    return [(w["hazard"], w["kind"], w["level"], w["state"]) for w in ask(desk, "GET", "/api/v1/warnings")]


def beat(desk: Desk, clock: FastClock, at: float, *why: str) -> None:
    asyncio.run(clock.until(T0 + round(at * NS)))
    ask(desk, "POST", "/heartbeat", {"source": "mirror", "not_ready": list(why)})


def test_a_mirror_that_is_not_heard_is_a_ticket_and_blinds_nobody(desk: Desk, clock: FastClock) -> None:
    beat(desk, clock, 0)
    asyncio.run(clock.until(T0 + 61 * NS))
    asyncio.run(desk.look())
    assert tickets(desk) == [("mirror_failing", "ticket", "BLUE", "open")]
    assert set(ask(desk, "GET", "/api/v1/map")["assets"].values()) == {"NORMAL"}
    assert desk.reasons() == []
    beat(desk, clock, 70)
    assert tickets(desk)[0][2] == "NORMAL"


def test_a_mirror_may_fail_for_minutes_before_it_is_a_ticket(desk: Desk, clock: FastClock) -> None:
    for s in range(0, 301, 30):
        beat(desk, clock, s, "influx: away")
    assert tickets(desk) == []
    beat(desk, clock, 330, "influx: away")
    assert tickets(desk) == [("mirror_failing", "ticket", "BLUE", "open")]
    beat(desk, clock, 360)
    assert tickets(desk)[0][2] == "NORMAL"


def test_without_a_mirror_nobody_waits_for_one(database: Database, catalog: Catalog, clock: FastClock) -> None:
    desk = Desk.of(Settings("chengjiang", token=TOKEN, sources=()), database, catalog, [Route("phone")], {}, clock)
    asyncio.run(clock.until(T0 + 3600 * NS))
    asyncio.run(desk.look())
    assert tickets(desk) == []
