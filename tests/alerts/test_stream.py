"""The stream of events: in one order, without loss, and nobody who is slow costs anything."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import event, select

from alerts.api import app
from alerts.book import Book
from alerts.desk import Desk, Settings
from alerts.events import Stream
from alerts.roles import Role
from alerts.route import Route
from alerts.seals import Sealer, verify
from alerts.stream import ALL, Event, Feed, Wanted, read
from alerts.tables import Database, audit
from lifeline.catalog import Catalog
from lifeline.clock import FastClock, WallClock
from lifeline.model import NS, Change, Domain, Level
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
AT = 1_767_000_100 * NS
PATIENCE = 30.0  # [s]
Say = Callable[..., Change]


def feed(database: Database, **more: Any) -> Feed:
    return Feed(database, FastClock(AT), **more)


async def first(n: int, of: Feed, after: int | None, wanted: Wanted = ALL) -> list[Event]:
    """The next n events that fit."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        async for said in of.follow(after, wanted):
            if isinstance(said, Event):
                found.append(said)
            if len(found) == n:
                break
    return found


def acts(found: list[Event]) -> list[str]:
    return [e.act for e in found]


def test_what_was_written_comes_in_order_and_with_the_warning_it_is_about(book: Book, say: Say) -> None:
    book.take([say(Y), say(O, 1)], AT)
    (warning,) = {e["warning"] for e in _trail(book.database)}
    book.acknowledge(warning, "Li Na", "on my way", AT)

    async def work() -> list[Event]:
        stream = feed(book.database)
        await stream.turn()
        return await first(3, stream, 0)

    found = asyncio.run(work())
    assert acts(found) == ["raised", "worse", "acknowledged"]
    assert [e.id for e in found] == [1, 2, 3]
    assert {(e.warning, e.asset, e.district, e.level, e.peak) for e in found} == {
        (warning, "W-1", "Fenglu", "ORANGE", "ORANGE")
    }
    assert found[2].detail["comment"] == "on my way"
    assert verify(book.database, AT).wrong == ""


def _trail(database: Database) -> list[Any]:
    with database.read() as db:
        return list(db.execute(select(audit).order_by(audit.c.id)).mappings())


def test_who_comes_again_misses_nothing_and_hears_nothing_twice(book: Book, say: Say) -> None:
    async def work() -> list[int]:
        stream, heard = feed(book.database, kept=3), list[int]()
        for i in range(6):
            book.take([say(Y, 3 * i), say(O, 3 * i + 1), say(N, 3 * i + 2)], AT)
            await stream.turn()
            if i % 2:  # away for a while, further behind than what is kept in memory
                heard += [e.id for e in await first(6, stream, heard[-1] if heard else 0)]
        return heard

    assert asyncio.run(work()) == list(range(1, 19))


def test_a_desk_that_is_behind_another_tells_nothing_again(book: Book, say: Say) -> None:
    clock = WallClock()
    ahead, behind = Feed(book.database, clock), Feed(book.database, clock)

    async def work() -> None:
        assert await behind.last() == 0
        book.take([say(Y), say(O, 1)], AT)
        await ahead.turn()
        seen = await ahead.last()
        assert seen > 0
        following = behind.follow(seen, beat=0.01)
        assert await anext(following) == seen
        await behind.turn()
        book.take([say(R, 2)], AT + NS)
        await behind.turn()
        told = await anext(following)
        assert isinstance(told, Event)
        assert told.id == seen + 1
        beyond = behind.follow(10**9, beat=0.01)
        assert await anext(beyond) == await behind.last()

    asyncio.run(work())


def test_filters_choose_by_domain_district_and_how_grave_it_has_been(book: Book, say: Say) -> None:
    book.take([say(Y), say(R, 1, "d2"), say(Y, 2, "d3", "W-2", district="Longjie", domain=Domain.WATER), say(N, 3)], AT)
    seen = _read(book.database)

    def chosen(wanted: Wanted) -> list[tuple[str, str | None]]:
        return [(e.act, e.asset) for e in seen if wanted.fits(e)]

    assert len(chosen(ALL)) == 4
    assert {a for _, a in chosen(Wanted(domain=frozenset({"water"})))} == {"W-2"}
    assert {a for _, a in chosen(Wanted(district=frozenset({"Fenglu"})))} == {"W-1"}
    grave = chosen(Wanted(level=R))
    assert {a for _, a in grave} == {"W-1"}
    assert [act for act, _ in grave][-1] in {"eased", "resolved", "worse"}


def _read(database: Database) -> list[Event]:
    Sealer(database).seal(AT)
    return read(database, 0)


def test_what_is_done_to_users_is_for_those_who_administer_them(database: Database, catalog: Catalog) -> None:
    desk = Desk.of(Settings("c"), database, catalog, [], {}, FastClock(AT))
    desk.access.add("li", Role.VIEWER, "", "root", AT)
    (made,) = _read(database)
    assert made.act == "user_added"
    assert not ALL.fits(made)
    assert Wanted(users=True).fits(made)


def test_a_row_that_was_committed_late_is_sealed_after_those_before_it(database: Database, book: Book, say: Say) -> None:
    sealer = Sealer(database)
    book.take([say(Y)], AT)
    assert (sealer.seal(AT), sealer.seal(AT)) == (1, 0)
    book.take([say(O, 1)], AT)
    with database.write() as db:  # as if another desk had taken the number before, and committed after
        (row,) = [dict(r) for r in _trail(database) if r["act"] == "worse"]
        db.execute(audit.insert().values({**row, "id": 500, "act": "late"}))
    assert sealer.seal(AT) == 2
    with database.write() as db:
        db.execute(audit.insert().values({**row, "id": 300, "act": "later"}))
    assert sealer.seal(AT) == 1
    assert acts(read(database, 0)) == ["raised", "worse", "late", "later"]


def test_the_end_of_the_trail_is_looked_at_each_time_and_all_of_it_now_and_then(
    database: Database, book: Book, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.seals.RECENT", 2)
    sealer = Sealer(database)
    book.take([say(Y, i, f"d{i}", f"W-{i}") for i in range(8)], AT)
    with database.write() as db:
        row = dict(_trail(database)[0])
        db.execute(audit.insert().values({**row, "id": 1000}))
    written = len(_trail(database))
    assert (sealer.seal(AT), sealer.seal(AT)) == (written, 0)
    with database.write() as db:
        db.execute(audit.insert().values({**row, "id": 500, "act": "old"}))
    assert sealer.seal(AT + NS) == 0
    assert sealer.seal(AT + 31 * NS) == 1
    assert acts(read(database, written)) == ["old"]


def test_followers_cost_no_questions_and_a_feed_one_each_look(book: Book, say: Say) -> None:
    asked: list[str] = []

    async def work() -> None:
        stream = feed(book.database)
        await stream.turn()
        event.listen(book.database.engine, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))
        waiting = [asyncio.create_task(first(2, stream, None)) for _ in range(50)]
        await asyncio.sleep(0)
        await stream.turn()
        idle = len([text for text in asked if text.startswith("SELECT")])
        book.take([say(Y), say(O, 1)], AT)
        asked.clear()
        await stream.turn()
        assert all(acts(found) == ["raised", "worse"] for found in await asyncio.gather(*waiting))
        busy = len([text for text in asked if text.startswith("SELECT")])
        assert idle <= 3
        assert busy <= 8

    asyncio.run(work())


class Reader:
    """Takes what a stream sends, until it does not."""

    def __init__(self, takes: int) -> None:
        self.takes, self.got = takes, list[dict[str, Any]]()

    async def send(self, message: Any) -> None:
        if len(self.got) == self.takes:
            await asyncio.Event().wait()
        self.got.append(message)

    async def receive(self) -> Any:
        await asyncio.Event().wait()


def test_a_reader_who_takes_nothing_is_cut_off_and_one_who_was_long_here_is_let_go(book: Book, say: Say) -> None:
    async def work() -> None:
        stream = feed(book.database)
        book.take([say(Y), say(O, 1)], AT)
        await stream.turn()
        slow, long = Reader(2), Reader(1000)
        async with asyncio.timeout(PATIENCE):
            await Stream(stream, 0, ALL, slow=0.05)({}, slow.receive, slow.send)
            await Stream(stream, 0, ALL, longest=0.2, beat=0.02)({}, long.receive, long.send)
        assert [m["type"] for m in slow.got] == ["http.response.start", "http.response.body"]
        assert slow.got[-1]["more_body"]
        text = b"".join(m.get("body", b"") for m in long.got).decode()
        assert text.count("data: ") == 2
        assert ": nothing new\nid: 2\n\n" in text
        assert not long.got[-1].get("more_body")

    asyncio.run(work())


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    """The desk as it runs in service -> its URL."""
    config = uvicorn.Config(app(desk), log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn tells it no other way
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def told(http: httpx.AsyncClient, n: int, **headers: str) -> list[dict[str, Any]]:
    """The next n events, as a browser would read them."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE), http.stream("GET", "/api/v1/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == n:
                break
    return found


def test_what_another_desk_on_the_same_database_books_is_told_here_too(database: Database, catalog: Catalog, say: Say) -> None:
    here, there = (
        Desk.of(Settings("c", name=name, token=TOKEN, sources=()), database, catalog, [Route("phone")], {}, WallClock())
        for name in ("here", "there")
    )

    async def work() -> None:
        async with (
            served(here) as url,
            served(there) as other,
            httpx.AsyncClient(base_url=url, headers=BEARER, trust_env=False) as http,
            httpx.AsyncClient(base_url=other, headers=BEARER, trust_env=False) as away,
        ):
            assert (await http.get("/api/v1/events", headers={"Authorization": ""})).status_code == 401
            listening = asyncio.create_task(told(http, 2))
            await asyncio.sleep(0.1)
            there.take([say(Y), say(O, 1)])
            heard = await listening
            assert [e["act"] for e in heard] == ["raised", "worse"]
            assert {e["asset"] for e in heard} == {"W-1"}
            here.take([say(R, 2)])  # while nobody listens
            later = await told(away, 1, **{"Last-Event-ID": str(heard[-1]["id"])})  # and the other desk knows the place too
            assert later[0]["id"] == heard[-1]["id"] + 1
            assert later[0]["level"] == "RED"
            assert (await http.get("/api/v1/events", headers={"Last-Event-ID": "x"})).status_code == 400
            assert (await http.get("/api/v1/events", params={"level": "PINK"})).status_code == 422

    asyncio.run(work())
