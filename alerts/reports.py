"""Where gateways report: POST /api/v1/receipts/CHANNEL, with the proof that its table asks for."""

import asyncio
import hashlib
import hmac
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, select, update

from alerts import receipts, spool
from alerts.claim import Claim
from alerts.desk import Desk
from alerts.gateway import Reports, matches, pick
from alerts.notice import Drop, Notice
from alerts.outbox import rescue_of
from alerts.receipts import DELIVERED, FAILED, NEVER, Report
from alerts.rows import record
from alerts.spool import Ended
from alerts.tables import outbox
from alerts.web import Problem, json_answer, whole

router: Final = APIRouter()


@router.post("/api/v1/receipts/{channel}")
async def report(request: Request, channel: str) -> Response:
    """One report or many. 200: all are on disk. 401: the proof is missing or wrong. 404: this channel expects none."""
    desk: Desk = request.app.state.desk
    asked: Reports | None = getattr(desk.outbox.channels.get(channel), "reports", None)
    if asked is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"the channel {channel!r} expects no receipts")
    body = await whole(request)
    if not proven(asked, request, body):
        raise Problem(HTTPStatus.UNAUTHORIZED, "the secret or the signature is not that of the channel's table")
    found = read(asked, body, request.headers.get("content-type", ""))
    known = await asyncio.to_thread(_take, desk, channel, found)
    desk.outbox.wake()
    return json_answer({"code": 0, "msg": "ok", "result": 0, "errmsg": "OK", "taken": len(found), "known": known})


def proven(asked: Reports, request: Request, body: bytes) -> bool:
    """Whether the sender knows the secret."""
    headers, secret = request.headers, asked.secret.encode()
    if asked.proof == "hmac":
        said = headers.get(asked.header, "").removeprefix("sha256=").lower()
        return hmac.compare_digest(said.encode(), hmac.new(secret, body, hashlib.sha256).hexdigest().encode())
    if asked.proof == "query":
        return hmac.compare_digest(request.query_params.get("secret", "").encode(), secret)
    kind, _, said = headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(said.strip().encode(), secret)


def read(asked: Reports, body: bytes, kind: str) -> list[Report]:
    """The reports of a body; a Problem where it holds none. What is neither delivered nor failed is on its way: left out."""
    items = _items(asked, body, kind)
    return [r for r in (_report(asked, item) for item in items) if r is not None]


def _items(asked: Reports, body: bytes, kind: str) -> list[Any]:
    if "form" in kind:
        return [dict(parse_qsl(body.decode("utf-8", "replace")))]
    try:
        whole_ = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"not JSON: {why}") from why
    inner = pick(whole_, asked.many) if asked.many else whole_
    return inner if isinstance(inner, list) else [inner]


def _report(asked: Reports, item: Any) -> Report | None:
    name, status = pick(item, asked.name), pick(item, asked.status)
    if name is None or status is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"a report without {asked.name} or {asked.status}: {str(item)[:200]}")
    fates = {DELIVERED: asked.delivered, NEVER: asked.never, FAILED: asked.failed}
    fate = next((fate for fate, patterns in fates.items() if matches(status, patterns)), None)
    words = " ".join(str(x) for x in (status, pick(item, asked.words) if asked.words else None) if x is not None)
    return Report(str(name), fate, words, msgspec.json.encode(item).decode()) if fate else None


def _take(desk: Desk, channel: str, found: list[Report]) -> int:
    """Write reports down and judge those that speak of a known notice -> how many did. [1]"""
    at, rescue = desk.clock.now(), rescue_of(channel, desk.outbox.channels)
    with desk.database.write() as db:
        ended = [take(db, channel, r, at, rescue) for r in found if receipts.keep(db, channel, r, at)]
    for one in ended:
        if one is not None and not isinstance(one, str):
            desk.meters.failed(channel, "undelivered", final=isinstance(one.outcome, Drop))
    return sum(one is not None for one in ended)


def take(db: Connection, channel: str, r: Report, at: int, rescue: str | None) -> Ended | str | None:
    """What a report changes: how its notice ended anew, or a word where nothing is to be done; None: no notice known."""
    notice = receipts.notice_of(db, channel, r.name)
    row = db.execute(select(outbox).where(outbox.c.id == notice, outbox.c.channel == channel)).mappings().one_or_none()
    if row is None or row["state"] != "sent":
        return None
    receipts.found(db, channel, r, notice)
    said = msgspec.json.decode(row["body"], type=Notice)
    words = f"{row['words']}; {r.fate}: {r.words}"[: spool.WORDS]
    mine = outbox.c.id == notice
    if r.fate == DELIVERED:
        db.execute(update(outbox).where(mine).values(delivered=at, words=words))
        record(db, at, "delivered", by=channel, warning=said.story.warning, notice=notice, words=r.words)
        return DELIVERED
    if _outrun(db, said):
        db.execute(update(outbox).where(mine).values(state="superseded", words=words))
        record(db, at, "undelivered", by=channel, warning=said.story.warning, notice=notice, words=r.words)
        return "outrun"
    claim = Claim(said, row["attempts"], row["made"])
    ended = Ended(claim, receipts.outcome(r, row["attempts"], said.story.level), at, at + receipts.wait(row["attempts"]))
    record(db, at, "undelivered", by=channel, warning=said.story.warning, notice=notice, words=r.words)
    spool.settle(db, ended, rescue)
    return ended


def _outrun(db: Connection, notice: Notice) -> bool:
    """Whether the same receiver has been sent later news of the warning: then this is not sent again."""
    whom = (outbox.c.warning == notice.story.warning, outbox.c.channel == notice.channel, outbox.c.person == notice.person)
    later = select(outbox.c.id).where(*whom, outbox.c.version > notice.story.version, outbox.c.state == "sent")
    return db.execute(later.limit(1)).one_or_none() is not None
