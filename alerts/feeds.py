"""The CAP messages of a channel as an Atom feed, and each by itself. Open to everybody who can reach the desk."""

from http import HTTPStatus
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from alerts import cap
from alerts.channels.cap import Cap
from alerts.claim import recalled
from alerts.desk import Desk
from alerts.notice import Notice
from alerts.tables import Database, outbox
from alerts.web import Problem
from lifeline.model import NS

router: Final = APIRouter()
ATOM: Final = "http://www.w3.org/2005/Atom"
MOST: Final = 200  # [1] messages
AGE: Final = 7 * 86_400 * NS  # [ns] of the oldest


class Issue(NamedTuple):
    """One message that was published."""

    name: str
    notice: Notice


@router.get("/f/{channel}/cap.atom")
def feed(request: Request, channel: str) -> Response:
    """The latest messages, the youngest first."""
    desk: Desk = request.app.state.desk
    way = _way(desk, channel)
    at = desk.clock.now()
    return Response(_atom(way, channel, _issues(desk.database, channel, at - AGE), at), media_type="application/atom+xml")


@router.get("/f/{channel}/{name}.xml")
def one(request: Request, channel: str, name: str) -> Response:
    """One message."""
    desk: Desk = request.app.state.desk
    way = _way(desk, channel)
    warning = name.rpartition(".")[0]
    found = next((i.notice for i in _issues(desk.database, channel, 0, warning) if i.name == name), None)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no message {name} was published")
    return Response(cap.message(found, way.office), media_type="application/cap+xml")


def _way(desk: Desk, channel: str) -> Cap:
    way = desk.outbox.channels.get(channel)
    if not isinstance(way, Cap):
        raise Problem(HTTPStatus.NOT_FOUND, f"{channel!r} is no channel of the type cap")
    return way


def _issues(database: Database, channel: str, after: int, warning: str | None = None) -> list[Issue]:
    """What was published, the youngest first. after [ns] desk clock"""
    query = select(outbox.c.body).where(outbox.c.channel == channel, outbox.c.state == "sent", outbox.c.person == "")
    query = query.where(outbox.c.made > after) if warning is None else query.where(outbox.c.warning == warning)
    with database.read() as db:
        bodies = db.execute(query.order_by(outbox.c.made.desc(), outbox.c.id.desc()).limit(MOST)).scalars().all()
        notices = [recalled(db, msgspec.json.decode(body, type=Notice)) for body in bodies]
    return [Issue(cap.identifier(n.story.warning, n.story.version), n) for n in notices if cap.publishable(n)]


def _atom(way: Cap, channel: str, issues: list[Issue], at: int) -> bytes:
    root = ET.Element("feed", xmlns=ATOM)
    here = f"{way.public_url.rstrip('/')}/f/{channel}"
    latest = max((i.notice.story.made for i in issues), default=at)
    for name, text in (("id", f"{here}/cap.atom"), ("title", way.name), ("updated", cap.when(latest))):
        ET.SubElement(root, name).text = text
    ET.SubElement(ET.SubElement(root, "author"), "name").text = way.name
    ET.SubElement(root, "link", rel="self", href=f"{here}/cap.atom", type="application/atom+xml")
    for issue in issues:
        s, entry = issue.notice.story, ET.SubElement(root, "entry")
        url, made = f"{here}/{issue.name}.xml", cap.when(s.made)
        for name, text in (("id", url), ("title", issue.notice.texts.zh_title), ("updated", made), ("published", made)):
            ET.SubElement(entry, name).text = cap.clean(text)
        ET.SubElement(entry, "link", rel="alternate", href=url, type="application/cap+xml")
        ET.SubElement(entry, "category", term=s.level)
        ET.SubElement(entry, "summary").text = cap.clean(issue.notice.texts.en_title)
    return cap.written(root)
