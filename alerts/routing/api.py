"""Alertmanager's API v2, so that amtool, Karma, Grafana and Prometheus work with the desk unchanged."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from alerts import alertmanager, queries
from alerts.case import to_row
from alerts.desk import Desk
from alerts.roles import Forbidden
from alerts.routing import external, seen, silences
from alerts.routing.inhibit import Gathered
from alerts.routing.matchers import BadMatcher, Matcher, Sign, fits, matcher, parse
from alerts.routing.router import Quiet
from alerts.routing.seen import Seen
from alerts.routing.silences import Ask, BadSilence, UnknownSilence
from alerts.routing.standin import configuration
from alerts.routing.tree import reached
from alerts.users.access import MACHINE, Who
from alerts.users.guard import who
from alerts.web import OurDesk, Problem, json_answer, whole
from lifeline.clock import iso

VERSION: Final = "0.28.0"  # of the API that is spoken here
router: Final = APIRouter(prefix="/api/v2")
T = TypeVar("T")
Asker = Annotated[Who, Depends(who)]
Filters = Annotated[list[str] | None, Query(alias="filter")]


class Shown(msgspec.Struct):
    """One alert, and what the filters look at."""

    one: Seen
    quiet: Quiet
    muted: list[str]
    receivers: list[str]

    def row(self, public_url: str, now: int) -> dict[str, Any]:
        """As the API gives it."""
        row = alertmanager.gettable(to_row(self.one.case), receivers=self.receivers, public_url=public_url, now=now)
        row["labels"] = self.one.labels
        row["annotations"] = {**row["annotations"], **self.one.annotations}
        row["generatorURL"] = self.one.generator or row["generatorURL"]
        row["status"] = {
            "state": "suppressed" if self.quiet else "active",
            "silencedBy": self.quiet.silences,
            "inhibitedBy": self.quiet.inhibitors,
            "mutedBy": self.muted,
        }
        return row


class Wish(msgspec.Struct):
    """Which alerts are asked for."""

    matchers: list[Matcher]
    receiver: Matcher | None
    active: bool
    silenced: bool
    inhibited: bool

    def wants(self, s: Shown) -> bool:
        if (s.quiet.silences and not self.silenced) or (s.quiet.inhibitors and not self.inhibited):
            return False
        if not s.quiet and not self.active:
            return False
        heard = self.receiver is None or any(self.receiver.fits({"receiver": r}) for r in s.receivers)
        return heard and fits(self.matchers, s.one.labels)


@router.get("/alerts")
def alerts(
    desk: OurDesk,
    filters: Filters = None,
    active: bool = True,  # noqa: FBT001, FBT002  query parameters
    silenced: bool = True,  # noqa: FBT001, FBT002
    inhibited: bool = True,  # noqa: FBT001, FBT002
    receiver: str | None = None,
) -> Response:
    """Warnings not closed. Those that are told to nobody say why in their status."""
    wish = Wish(_matchers(filters), _receiver(receiver), active, silenced, inhibited)
    now, url = desk.clock.now(), desk.settings.public_url
    return json_answer([s.row(url, now) for s in _shown(desk, now) if wish.wants(s)])


@router.post("/alerts")
async def post_alerts(request: Request, desk: OurDesk) -> Response:
    """Alerts of other systems. 200: all are on disk. 400: some are refused, the others are on disk."""
    items = await _read(request, list[msgspec.Raw])
    good, problems = external.read(items)
    notices, more = await asyncio.to_thread(desk.external.take, good, desk.clock.now())
    if notices:
        desk.outbox.wake()
    if problems or more:
        raise Problem(HTTPStatus.BAD_REQUEST, "; ".join([*problems, *more]))
    return Response(status_code=HTTPStatus.OK)


@router.get("/alerts/groups")
def groups(
    desk: OurDesk,
    filters: Filters = None,
    active: bool = True,  # noqa: FBT001, FBT002
    silenced: bool = True,  # noqa: FBT001, FBT002
    inhibited: bool = True,  # noqa: FBT001, FBT002
    receiver: str | None = None,
) -> Response:
    """The same, by receiver and by the labels that their routes group by; one may stand in several."""
    wish = Wish(_matchers(filters), None, active, silenced, inhibited)
    wanted = _receiver(receiver)
    now, url = desk.clock.now(), desk.settings.public_url
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for s in _shown(desk, now):
        for path, name, labels in _groups(desk, s):
            if wish.wants(s) and (wanted is None or wanted.fits({"receiver": name})):
                key = (path, name, msgspec.json.encode(labels).decode())
                group = found.setdefault(key, {"labels": labels, "receiver": {"name": name}, "alerts": []})
                group["alerts"].append(s.row(url, now))
    return json_answer([found[key] for key in sorted(found, key=lambda k: (k[2], k[1], k[0]))])


@router.get("/receivers")
def receivers(desk: OurDesk) -> Response:
    """Of the routing file; the channels where there is none."""
    plan = desk.router.plan
    return json_answer([{"name": name} for name in (plan.ways if plan else [r.channel for r in desk.router.calling.routes])])


@router.get("/status")
def status(desk: OurDesk) -> Response:
    """What speaks here, since when, by which configuration (its secrets hidden)."""
    plan = desk.router.plan
    about = {
        "version": VERSION,
        "revision": "lifeline",
        "branch": "lifeline",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }
    return json_answer(
        {
            "cluster": {"status": "disabled", "peers": []},
            "versionInfo": about,
            "config": {"original": plan.text if plan else configuration(desk.router.calling.routes)},
            "uptime": iso(desk.since),
        }
    )


@router.get("/silences")
def listed(desk: OurDesk, filters: Filters = None) -> Response:
    """Silences; those that are over for some days yet."""
    matchers, now = _matchers(filters), desk.clock.now()
    with desk.database.read() as db:
        known = silences.open_ones(db, now - silences.KEPT)
    order = (silences.State.ACTIVE, silences.State.PENDING, silences.State.EXPIRED)
    known.sort(key=lambda s: (order.index(s.state(now)), s.ends))
    return json_answer([silences.gettable(s, now) for s in known if all(_same(m, s) for m in matchers)])


@router.post("/silences")
async def silence(request: Request, desk: OurDesk, asker: Asker) -> Response:
    """A new one, or another in the place of `id`. Beside Alertmanager's fields: `red`, `during`."""
    ask, at = await _read(request, Ask), desk.clock.now()

    def work() -> str:
        made = silences.asked(ask, at, _name(asker, ask.createdBy), asker.role)
        with desk.database.write() as db:
            return silences.store(db, made, ask.id, at)

    try:
        id_ = await asyncio.to_thread(work)
    except BadSilence as why:
        raise Problem(HTTPStatus.BAD_REQUEST, str(why)) from why
    except UnknownSilence as why:
        raise _none(str(why)) from why
    except Forbidden as why:
        raise Problem(HTTPStatus.FORBIDDEN, str(why)) from why
    await desk.look()
    return json_answer({"silenceID": id_})


@router.get("/silence/{id_}")
def one_silence(desk: OurDesk, id_: str) -> Response:
    try:
        with desk.database.read() as db:
            return json_answer(silences.gettable(silences.find(db, id_), desk.clock.now()))
    except UnknownSilence as why:
        raise _none(id_) from why


@router.delete("/silence/{id_}")
async def expire(desk: OurDesk, asker: Asker, id_: str) -> Response:
    """End it now: what still stands is told at once."""

    def work() -> None:
        with desk.database.write() as db:
            silences.expire(db, id_, asker.name, desk.clock.now())

    try:
        await asyncio.to_thread(work)
    except UnknownSilence as why:
        raise _none(id_) from why
    except BadSilence as why:  # over already; Alertmanager has no other status for it, and amtool reads no other
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(why)) from why
    await desk.look()
    return Response(status_code=HTTPStatus.OK)


def _shown(desk: Desk, now: int) -> list[Shown]:
    """Everything that is not closed, with why it is quiet and who hears of it."""
    told = queries.told(desk.database)
    with desk.database.read() as db:
        known, crowd, live = silences.open_ones(db, now), Gathered(seen.active(db)), seen.live(db)
    return [_one(desk, one, desk.router.quiet(crowd, one, known, now), told.get(one.id, []), now) for one in live]


def _one(desk: Desk, one: Seen, quiet: Quiet, told: list[str], now: int) -> Shown:
    plan = desk.router.plan
    if plan is None:
        return Shown(one, quiet, [], told)
    nodes = reached(plan.root, one.labels)
    muted = sorted({name for node in nodes for name in node.muted(plan.times, now)})
    return Shown(one, quiet, muted, list(dict.fromkeys(node.receiver for node in nodes)))


def _groups(desk: Desk, s: Shown) -> Iterable[tuple[str, str, dict[str, str]]]:
    """(route, receiver, labels) of the groups of an alert."""
    plan = desk.router.plan
    if plan is None:
        return [("", name, {}) for name in s.receivers] or [("", "none", {})]
    return [(node.path, node.receiver, node.group(s.one.labels)) for node in reached(plan.root, s.one.labels)]


def _same(wanted: Matcher, s: silences.Silence) -> bool:
    """Whether a silence has a matcher on that label whose value fits."""
    return wanted.fits({m.name: m.value for m in s.matchers})


def _name(asker: Who, said: str) -> str:
    """In whose name a silence is: a user's own, whatever they say; with the system's token, as it is said."""
    return said.strip() if asker.name == MACHINE else asker.name


async def _read(request: Request, kind: type[T]) -> T:
    """A body as a type."""
    try:
        return msgspec.json.decode(await whole(request), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Problem(HTTPStatus.BAD_REQUEST, str(why)) from why


def _matchers(filters: list[str] | None) -> list[Matcher]:
    try:
        return [m for text in filters or [] for m in parse(text)]
    except BadMatcher as why:
        raise Problem(HTTPStatus.BAD_REQUEST, str(why)) from why


def _receiver(text: str | None) -> Matcher | None:
    try:
        return matcher("receiver", Sign.LIKE, text) if text else None
    except BadMatcher as why:
        raise Problem(HTTPStatus.BAD_REQUEST, str(why)) from why


def _none(id_: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"no silence has the id {id_}")
