"""The desk's HTTP interface.

Requests and answers are JSON. A change is taken when the answer is 200: it is on the disk then. Items that cannot be read or
judged are refused with 422 and their place; their neighbours in the same request are taken all the same, for what is said
again is recognised by its id.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from alerts import acts, events, exercises, feeds, following, lists, pages, queries, reports
from alerts.beat import Heartbeat
from alerts.book import writable
from alerts.bulletins import api as bulletins_api
from alerts.case import mark
from alerts.dangers import api as dangers_api
from alerts.dangers import report
from alerts.desk import Desk
from alerts.duty import api as duty_api
from alerts.etags import Tagged, quoted
from alerts.openapi import described
from alerts.plans import api as plans_api
from alerts.routing import api as v2
from alerts.users import api as users_api
from alerts.users import signin
from alerts.users.guard import Guard, Unnamed
from alerts.web import OurDesk, Problem, decoded, invalid, json_answer, refused, tell, unavailable, unnamed, whole
from lifeline.model import Change, Level

LAST: Final = 2**63 - 1  # [ns]
router: Final = APIRouter()


class Read(NamedTuple):
    """The changes of a request, and what could not be read."""

    changes: list[Change]
    places: list[int]  # of each change in the request
    problems: list[dict[str, str]]


def app(desk: Desk) -> FastAPI:
    """The application; while it lives, notices are sent and heartbeats listened for."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(desk.run())
        work.add_done_callback(_ended)
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    made = FastAPI(title="Lifeline desk", lifespan=lifespan)
    made.state.desk = desk
    desk_ = (
        router,
        acts.router,
        events.router,
        lists.router,
        exercises.router,
        users_api.router,
        signin.router,
        duty_api.router,
        v2.router,
    )
    out = (feeds.router, pages.router, reports.router, following.router)
    for part in (*desk_, *out, dangers_api.router, report.router, plans_api.router, bulletins_api.router):
        made.include_router(part)
    made.add_exception_handler(Problem, tell)
    made.add_exception_handler(RequestValidationError, invalid)
    made.add_exception_handler(HTTPException, refused)
    made.add_exception_handler(Unnamed, unnamed)
    made.add_exception_handler(OperationalError, unavailable)
    made.add_middleware(Tagged)
    made.add_middleware(Guard, access=desk.access, now=desk.clock.now)
    made.openapi = described(made)  # type: ignore[method-assign]
    return made


@router.post("/changes")
async def changes(request: Request, desk: OurDesk) -> Response:
    """Changes of level, as a list. 200: all are on disk. 422: those named are refused, the others are on disk."""
    said = read(await whole(request))
    taken = await asyncio.to_thread(desk.take, said.changes)
    if taken.notices:
        desk.outbox.wake()
    counts = {name: n for name, n in taken._asdict().items() if name != "refused"}
    if said.problems:
        desk.meters.refused(len(said.problems))
        await asyncio.to_thread(desk.book.refuse, said.problems, desk.clock.now())
    problems = [*said.problems, *(_unjudged(said, i, reason) for i, reason in taken.refused)]
    if problems:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, problems[0]["reason"], problems=problems, taken=counts)
    return json_answer(counts)


def _unjudged(said: Read, i: int, reason: str) -> dict[str, str]:
    """A change that could be read but not judged. i: its place among those that could be read"""
    place = f"$[{said.places[i]}]"
    return {"place": place, "reason": f"{place}: {reason}", "item": writable(str(said.changes[i]))}


def read(body: bytes) -> Read:
    """Changes out of JSON, one by one, so that a bad one costs only itself."""
    try:
        items = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"not a list of changes: {why}", problems=[]) from why
    good: list[Change] = []
    places: list[int] = []
    bad: list[dict[str, str]] = []
    for i, item in enumerate(items):
        try:
            good.append(_change(item))
            places.append(i)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as why:
            bad.append({"place": f"$[{i}]", "reason": f"$[{i}]: {why}", "item": bytes(item)[:1000].decode(errors="replace")})
    return Read(good, places, bad)


def _change(item: msgspec.Raw) -> Change:
    """One change; ValueError names the field."""
    change = msgspec.json.decode(item, type=Change)
    for name in ("old", "new"):
        if getattr(change, name) not in Level.__members__:
            raise ValueError(
                f"{getattr(change, name)!r} is no level; write one of {', '.join(Level.__members__)} - at `$.{name}`"
            )
    if not 0 <= change.t <= LAST:
        raise ValueError(f"{change.t} is no instant in nanoseconds since 1970 - at `$.t`")
    return change


@router.post("/heartbeat")
async def heartbeat(request: Request, desk: OurDesk) -> Response:
    """A process says that it lives: {"source": "watch", "lag_s": 0.1, ...}."""
    body = await whole(request)
    beat = decoded(body, Heartbeat)
    await asyncio.to_thread(desk.book.heard, beat.source, body.decode(), desk.clock.now())
    await desk.look()
    return json_answer({"silence_s": desk.settings.silence})


@router.get("/api/v1/warnings/{warning}")
def one(desk: OurDesk, warning: str) -> Response:
    """All that is known of one: levels, evidence, who was told when and what the provider said, who answered."""
    known = queries.history(desk.database, warning, desk.clock.now())
    if known is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no warning has the id {warning}")
    return json_answer(known, headers=quoted(mark(known)))


@router.get("/api/v1/map")
def chart(desk: OurDesk) -> Response:
    """Level of every asset, and how many of each a district has; UNKNOWN where nothing is heard."""
    unheard = queries.unheard(desk.database, desk.settings.blind)
    blind = bool(desk.deadman.wrong(desk.clock.now()))
    return json_answer(desk.map.told(desk.map.painted(queries.everything_live(desk.database), unheard, blind=blind)))


@router.get("/-/healthy")
@router.get("/healthz")
async def healthy() -> Response:
    return PlainTextResponse("healthy")


@router.get("/-/ready")
@router.get("/readyz")
def ready(desk: OurDesk) -> Response:
    """503 with the reasons, one a line."""
    why = desk.reasons()
    return PlainTextResponse("\n".join(why) or "ready", HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK)


@router.get("/metrics")
def metrics(desk: OurDesk) -> Response:
    return Response(desk.meters.page(desk.clock.now()), media_type=CONTENT_TYPE_LATEST)


def _ended(work: asyncio.Task[None]) -> None:
    """A bug in the desk's own tasks ends the process, to be started again: it must not take changes and tell nobody."""
    if not work.cancelled() and (why := work.exception()) is not None:
        raise SystemExit(1) from why
