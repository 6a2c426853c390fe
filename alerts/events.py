"""The stream over HTTP, as server-sent events (HTML Living Standard, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Query, Response
from starlette.types import Receive, Scope, Send

from alerts.roles import Role
from alerts.stream import Event, Feed, Wanted
from alerts.users.guard import Asker
from alerts.web import Grade, OurDesk, Problem
from lifeline.model import Domain, Level

BEAT: Final = 15.0  # [s] without an event, after which a comment is sent
SLOW: Final = 10.0  # [s] within which a reader has to take what is sent
LONGEST: Final = 600.0  # [s] of one connection; the next one shows its credential anew
RETRY: Final = 1000  # [ms] that a browser waits before it connects again
LAST: Final = 2**63 - 1
router: Final = APIRouter()
Names = Annotated[list[str] | None, Query()]


@router.get("/api/v1/events", response_class=Response)
async def events(
    desk: OurDesk,
    asker: Asker,
    domain: Annotated[list[Domain] | None, Query()] = None,
    district: Names = None,
    level: Grade = Grade.NORMAL,
    after: Annotated[int | None, Query(ge=0, le=LAST)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """What happens, as it happens (text/event-stream). `Last-Event-ID` (or `after`): go on after that event; else from now on.

    A connection lasts for ten minutes at most, and is cut where its reader takes nothing for 10 s; go on with the last id.
    """
    wanted = Wanted(frozenset(domain or ()), frozenset(district or ()), Level[level], asker.role >= Role.ADMIN)
    return Stream(desk.feed, _place(last_event_id, after), wanted)


def _place(said: str | None, after: int | None) -> int | None:
    """Where to go on; None: from now on. A browser's header counts more than the address that it was given once."""
    if said is None or not said.strip():
        return after
    if not said.strip().isdecimal() or (place := int(said[:20])) > LAST:
        raise Problem(HTTPStatus.BAD_REQUEST, f"Last-Event-ID: {said[:50]!r} is no id of an event")
    return place


class Slow(Exception):
    """The reader takes nothing."""


class Stream(Response):
    """An answer that does not end. Nothing is kept for its reader: who is slow is cut off, and may come again."""

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: Feed,
        after: int | None,
        wanted: Wanted,
        *,
        beat: float = BEAT,
        slow: float = SLOW,
        longest: float = LONGEST,
    ) -> None:
        """beat, slow, longest [s]."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed, self._after, self._wanted = feed, after, wanted
        self._beat, self._slow, self._longest = beat, slow, longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's
        """Until the reader leaves, is too slow, or has had its time."""
        leaving = asyncio.create_task(_left(receive))
        telling = asyncio.create_task(self._tell(send))
        try:
            await asyncio.wait({leaving, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            telling.cancel()
        with suppress(asyncio.CancelledError, Slow):
            await telling

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(TimeoutError):
            async with asyncio.timeout(self._longest):
                async for text in self._lines():
                    await self._push(send, text)
        await send({"type": "http.response.body", "body": b""})

    async def _push(self, send: Send, text: str) -> None:
        try:
            async with asyncio.timeout(self._slow):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        except TimeoutError:
            raise Slow from None  # without the last piece the reader knows that this was not the end

    async def _lines(self) -> AsyncIterator[str]:
        place = await self._feed.last() if self._after is None else self._after
        yield f"id: {place}\nretry: {RETRY}\n\n"
        async for said in self._feed.follow(place, self._wanted, self._beat):
            yield written(said) if isinstance(said, Event) else f": nothing new\nid: {said}\n\n"


def written(event: Event) -> str:
    """One event. JSON of msgspec holds no line break."""
    return f"id: {event.id}\ndata: {msgspec.json.encode(event).decode()}\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
