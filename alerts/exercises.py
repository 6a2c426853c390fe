"""Exercises: warnings that go every way a real one would go, and say everywhere that nothing of them is real."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Request, Response

from alerts.desk import Desk
from alerts.notice import EXERCISE
from alerts.roles import Role
from alerts.texts import HAZARDS
from alerts.users.guard import Asker, named
from alerts.web import OurDesk, Problem, body_as, json_answer
from lifeline.model import Change, Evidence, Kind, Level, Mode, change_id
from lifeline.words import suggestion

RULE: Final = "desk.exercise"
router: Final = APIRouter()
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Exercise(msgspec.Struct):
    """What is supposed to have happened."""

    asset: Word
    hazard: Word
    level: Annotated[str, msgspec.Meta(pattern="^(BLUE|YELLOW|ORANGE|RED)$")] = "RED"
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    by: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Ended(msgspec.Struct):
    """Which exercise is over."""

    asset: Word
    hazard: Word
    by: Annotated[str, msgspec.Meta(max_length=200)] = ""


@router.post("/api/v1/exercises")
async def begin(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """Raise one. 404 for an asset that the catalog does not name."""
    said = await body_as(request, Exercise)
    return await _say(desk, asker, said.asset, said.hazard, Level[said.level], named(asker, said.by), said.note)


@router.post("/api/v1/exercises/end")
async def end(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """End one."""
    said = await body_as(request, Ended)
    return await _say(desk, asker, said.asset, said.hazard, Level.NORMAL, named(asker, said.by), "")


async def _say(desk: Desk, asker: Asker, asset: str, hazard: str, new: Level, by: str, note: str) -> Response:
    if asker.role < Role.LEADER:
        raise Problem(HTTPStatus.FORBIDDEN, f"this needs the role leader; you are {asker.role.name.lower()}")
    if hazard not in HAZARDS:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"there is no hazard {hazard!r}; {suggestion(hazard, HAZARDS)}")
    said = change(desk, asset, hazard, new, f"{by}: {note}" if note else by)
    taken = await asyncio.to_thread(desk.take, [said])
    if taken.notices:
        desk.outbox.wake()
    return json_answer({"asset": asset, "hazard": said.hazard, "notices": taken.notices}, HTTPStatus.CREATED)


def change(desk: Desk, asset: str, hazard: str, new: Level, note: str) -> Change:
    """The change that a sensor would have said."""
    rows = np.flatnonzero(desk.catalog.asset == asset)
    if rows.size == 0:
        raise Problem(HTTPStatus.NOT_FOUND, f"the catalog names no asset {asset!r}")
    c, i, at = desk.catalog, int(rows[0]), desk.clock.now()
    key = f"{EXERCISE}{asset}/{hazard}"
    place = {
        "district": c.district[i],
        "domain": c.domain[i],
        "owner": c.owner[i],
        "lat": float(c.lat[i]),
        "lon": float(c.lon[i]),
    }
    who: dict[str, Any] = {
        "city": desk.settings.city,
        "asset": asset,
        "device": RULE,
        "key": key,
        "quantity": "exercise",
        "rule": RULE,
    }
    said: dict[str, Any] = {
        "hazard": f"{EXERCISE}{hazard}",
        "kind": Kind.HAZARD,
        "mode": Mode.ACTIVE,
        "hard": True,
        "score": None,
    }
    seen = Evidence([at], [None], "", {}, "", note=note)
    moved: dict[str, Any] = {
        "id": change_id(RULE, key, at, new),
        "t": at,
        "old": Level.NORMAL.name,
        "new": new.name,
        "evidence": seen,
    }
    return Change(**place, **who, **said, **moved)
