"""What people do with a warning, over HTTP: answer it, say what it was and what was done, close it."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from alerts import rows, stages
from alerts.alike import alike, told
from alerts.book import Changed, UnknownWarning
from alerts.case import Case, mark, to_row
from alerts.etags import Seen, quoted
from alerts.lifecycle import Refused
from alerts.roles import Forbidden
from alerts.stages import Done, Stage
from alerts.users.guard import Asker, named
from alerts.verdicts import Followed
from alerts.web import OurDesk, Problem, body_as, json_answer

router: Final = APIRouter()


class Answer(msgspec.Struct):
    """What somebody says. by: who, where the system's own token is used; a user answers in their own name."""

    by: Annotated[str, msgspec.Meta(max_length=200)] = ""
    comment: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


class Step(msgspec.Struct):
    """What was done."""

    by: Annotated[str, msgspec.Meta(max_length=200)] = ""
    note: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    proof: Annotated[list[Annotated[str, msgspec.Meta(max_length=1000)]], msgspec.Meta(max_length=100)] = []
    verdict: Annotated[str, msgspec.Meta(max_length=100)] = ""


@router.post("/api/v1/warnings/{warning}/ack")
async def acknowledge(request: Request, desk: OurDesk, asker: Asker, warning: str, seen: Seen) -> Response:
    """Somebody takes it. 409 when there is nothing to answer, 412 when it is not what `If-Match` names."""
    said, at = await body_as(request, Answer), desk.clock.now()
    case = await _do(desk.book.acknowledge, warning, named(asker, said.by), said.comment, at, seen)
    return _answered(case)


@router.post("/api/v1/warnings/{warning}/close")
async def close(request: Request, desk: OurDesk, asker: Asker, warning: str, seen: Seen) -> Response:
    """What was RED is over. 403 to the wrong role, 409 while it stands."""
    said, at = await body_as(request, Answer), desk.clock.now()
    case = await _do(desk.book.close, warning, named(asker, said.by), asker.role, said.comment, at, seen)
    return _answered(case)


@router.post("/api/v1/warnings/{warning}/stages/{stage}")
async def done(request: Request, desk: OurDesk, asker: Asker, warning: str, stage: Stage, seen: Seen) -> Response:
    """A step is done: assess (with a verdict), prevent, dispose, account."""
    said, at = await body_as(request, Step), desk.clock.now()
    what = Done(named(asker, said.by), said.note, tuple(said.proof), said.verdict)
    followed: Followed = await _do(desk.book.done, warning, stage, what, asker.role, at, seen)
    if followed.notices:
        desk.outbox.wake()
    return json_answer({"warning": warning, "stage": stage, "done": at, "offers": followed.offers})


@router.get("/api/v1/warnings/{warning}/alike")
def past(desk: OurDesk, warning: str) -> Response:
    """The past cases most like this one, and what became of them."""
    with desk.database.read() as db:
        case = rows.find(db, warning)
        if case is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"no warning has the id {warning}")
        return json_answer(told(alike(db, case)))


@router.get("/api/v1/overdue")
def overdue(desk: OurDesk) -> Response:
    """Steps whose deadline has passed, the longest overdue first."""
    with desk.database.read() as db:
        return json_answer(stages.overdue(db, desk.clock.now()))


def _answered(case: Case) -> Response:
    row = to_row(case)
    return json_answer(row, headers=quoted(mark(row)))


async def _do(work: Callable[..., Any], warning: str, *args: Any) -> Any:
    try:
        return await asyncio.to_thread(work, warning, *args)
    except UnknownWarning as why:
        raise Problem(HTTPStatus.NOT_FOUND, f"no warning has the id {warning}") from why
    except Changed as why:
        raise Problem(HTTPStatus.PRECONDITION_FAILED, str(why)) from why
    except Refused as why:
        raise Problem(HTTPStatus.CONFLICT, str(why)) from why
    except Forbidden as why:
        raise Problem(HTTPStatus.FORBIDDEN, str(why)) from why
