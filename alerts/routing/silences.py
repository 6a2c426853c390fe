"""Silences: what is not told for a while, by whose order, and why. Each has an end."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, bindparam, select

from alerts.roles import Role, must
from alerts.routing import intervals
from alerts.routing.inhibit import grave
from alerts.routing.intervals import BadInterval, Spec, within
from alerts.routing.matchers import BadMatcher, Matcher, Sign, fits, matcher
from alerts.routing.seen import Seen
from alerts.routing.tables import silences
from alerts.rows import record
from alerts.tables import put
from lifeline.clock import iso, parse
from lifeline.model import NS

DAY: Final = 86400  # [s]
LONGEST: Final = 7 * DAY  # [s] of a silence, and of what one that recurs may be silent on end
LAST: Final = 366 * DAY  # [s] until which one may recur
KEPT: Final = 5 * DAY * NS  # [ns] for which one that is over is still shown
_OPEN: Final = select(silences).where(silences.c.ends > bindparam("after")).order_by(silences.c.starts, silences.c.id)
_ONE: Final = select(silences).where(silences.c.id == bindparam("id"))


class BadSilence(Exception):
    """What is wrong with a silence that was asked for, in one line."""


class UnknownSilence(Exception):
    """No silence has this id."""


class State(StrEnum):
    PENDING = "pending"  # not yet; or one that recurs, between two of its times
    ACTIVE = "active"
    EXPIRED = "expired"


class Window(msgspec.Struct, forbid_unknown_fields=True):
    """Times at which a silence recurs, in the words of Alertmanager's time intervals."""

    times: list[dict[str, str]] = []
    weekdays: list[str] = []
    days_of_month: list[str] = []
    months: list[str] = []
    years: list[str] = []
    location: str = ""

    def spec(self) -> Spec:
        """The same, read; BadInterval says what is wrong."""
        return Spec(
            tuple(intervals.hours(t.get("start_time", ""), t.get("end_time", "")) for t in self.times),
            tuple(map(intervals.weekdays, self.weekdays)),
            tuple(map(intervals.days, self.days_of_month)),
            tuple(map(intervals.months, self.months)),
            tuple(map(intervals.years, self.years)),
            intervals.place(self.location),
        )


class Silence(NamedTuple):
    """One order to be quiet."""

    id: str
    matchers: tuple[Matcher, ...]
    starts: int  # [ns]
    ends: int  # [ns]
    during: tuple[Spec, ...]  # empty: all the time from start to end
    windows: tuple[Window, ...]  # the same as they were written
    red: bool  # also hides RED hazards
    by: str
    comment: str
    updated: int  # [ns]

    def state(self, t: int) -> State:
        """Whether it holds at an instant. t [ns]"""
        if t >= self.ends:
            return State.EXPIRED
        return State.ACTIVE if t >= self.starts and (not self.during or within(self.during, t)) else State.PENDING

    def hides(self, one: Seen, t: int) -> bool:
        """Whether a warning is not told because of it. t [ns]"""
        return self.state(t) is State.ACTIVE and (self.red or not grave(one.case)) and fits(self.matchers, one.labels)


class Ask(msgspec.Struct):
    """A silence as it is asked for: Alertmanager's fields, and ours: red, during."""

    matchers: list[dict[str, Any]]
    startsAt: str  # noqa: N815  the API's spelling
    endsAt: str  # noqa: N815
    createdBy: str = ""  # noqa: N815
    comment: str = ""
    id: str = ""
    red: bool = False
    during: list[Window] = []


def open_ones(db: Connection, after: int) -> list[Silence]:
    """Those whose end is later than `after`. [ns]"""
    return [_read(dict(row)) for row in db.execute(_OPEN, {"after": after}).mappings()]


def find(db: Connection, id_: str) -> Silence:
    """One by its id."""
    row = db.execute(_ONE, {"id": id_}).mappings().one_or_none()
    if row is None:
        raise UnknownSilence(id_)
    return _read(dict(row))


def hiding(those: Iterable[Silence], one: Seen, t: int) -> list[str]:
    """The silences because of which a warning is not told. t [ns]"""
    return [s.id for s in those if s.hides(one, t)]


def asked(ask: Ask, at: int, by: str, role: Role) -> Silence:
    """What was asked for, checked. Forbidden where somebody less than a leader would hide RED hazards.

    by, role: of whoever asks.
    at [ns]
    """
    try:
        matchers = tuple(sorted(_matcher(m) for m in ask.matchers))
        during = tuple(w.spec() for w in ask.during)
        starts, ends = parse(ask.startsAt), parse(ask.endsAt)
    except (BadMatcher, BadInterval, ValueError) as why:
        raise BadSilence(str(why)) from why
    comment = ask.comment.strip()
    made = Silence("", matchers, max(starts, at), ends, during, tuple(ask.during), ask.red, by, comment, at)
    if ask.red:
        must(role, Role.LEADER, "hiding RED hazards")
    if wrong := _wrong(made, at):
        raise BadSilence(wrong)
    return made


def _wrong(s: Silence, at: int) -> str:
    """Why it is refused; empty when it is not."""
    longest = (LAST if s.during else LONGEST) // DAY
    wrong = {
        "matchers: at least one is needed": not s.matchers,
        "matchers: one of them must not fit the empty text; such a silence would hide everything": all(
            m.fits({}) for m in s.matchers
        ),
        "createdBy: who wants nobody to be told must be known": not s.by,
        "comment: why nobody shall be told must be known": not s.comment,
        "endsAt: must be later than startsAt, and than now": s.ends <= s.starts or s.ends <= at,
        f"endsAt: it may last {longest} days; ask for it anew then": s.ends - s.starts > longest * DAY * NS,
    }
    found = next((reason for reason, so in wrong.items() if so), "")
    if not found and s.during and _on_end(s) > LONGEST // DAY:
        return f"during: leaves no pause within {LONGEST // DAY} days"
    return found


def _on_end(s: Silence) -> int:
    """Days in a row that it is silent from midnight to midnight, at most; in the zone of its first window. [d]"""
    zone = s.during[0].zone
    day = datetime.fromtimestamp(s.starts // NS, UTC).astimezone(zone).replace(hour=12)
    run = most = 0
    while day.timestamp() < s.ends / NS:
        run = run + 1 if any(w.whole_day and w.on(day) for w in s.during) else 0
        most = max(most, run)
        day += timedelta(days=1)
    return most


def store(db: Connection, new: Silence, of: str, at: int) -> str:
    """Write a silence -> its id. of: one that it takes the place of; the same silence if only its end or reason differ."""
    id_ = str(uuid4())
    if of:
        old = find(db, of)
        if old.state(at) is State.EXPIRED and old.ends <= at:
            of = ""  # what is over is not called back: a new one
        elif (old.matchers, old.windows, old.red) == (new.matchers, new.windows, new.red):
            id_ = old.id
            new = new._replace(starts=old.starts if old.starts <= at else new.starts)
        else:
            _write(db, old._replace(ends=at, starts=min(old.starts, at), updated=at))
    made = new._replace(id=id_)
    _write(db, made)
    act = "silence_red" if new.red else "silence"
    record(db, at, act, by=new.by, warning=None, silence=id_, instead_of=of, **_told(made))
    return id_


def expire(db: Connection, id_: str, by: str, at: int) -> None:
    """End it now; UnknownSilence, BadSilence when it is over already."""
    old = find(db, id_)
    if old.ends <= at:
        raise BadSilence(f"silence {id_} already expired")
    _write(db, old._replace(ends=at, starts=min(old.starts, at), updated=at))
    record(db, at, "silence_expired", by=by, warning=None, silence=id_)


def gettable(s: Silence, t: int) -> dict[str, Any]:
    """As GET /api/v2/silences gives it. t [ns]"""
    return {
        "id": s.id,
        "status": {"state": s.state(t)},
        "updatedAt": iso(s.updated),
        "matchers": [_said(m) for m in s.matchers],
        "startsAt": iso(s.starts),
        "endsAt": iso(s.ends),
        "createdBy": s.by,
        "comment": s.comment,
        **({"red": True} if s.red else {}),
        **({"during": [_window(w) for w in s.windows]} if s.windows else {}),
    }


def valid(id_: str) -> bool:
    """Whether it has the form of an id."""
    try:
        UUID(id_)
    except ValueError:
        return False
    return True


def _told(s: Silence) -> dict[str, Any]:
    return {"matchers": [str(m) for m in s.matchers], "starts": s.starts, "ends": s.ends, "comment": s.comment} | (
        {"during": [_window(w) for w in s.windows]} if s.windows else {}
    )


def _window(w: Window) -> dict[str, Any]:
    return {k: v for k, v in msgspec.structs.asdict(w).items() if v}


def _matcher(m: Mapping[str, Any]) -> Matcher:
    name, value, regex, equal = m.get("name"), m.get("value"), m.get("isRegex", False), m.get("isEqual", True)
    if (
        not isinstance(name, str)
        or not isinstance(value, str)
        or not isinstance(regex, bool)
        or not isinstance(equal, bool | None)
    ):
        raise BadMatcher(f"{m!r} is no matcher; it has name, value, isRegex and isEqual")
    signs = {(False, True): Sign.IS, (False, False): Sign.IS_NOT, (True, True): Sign.LIKE, (True, False): Sign.UNLIKE}
    return matcher(str(name), signs[bool(regex), equal is not False], str(value))


def _said(m: Matcher) -> dict[str, Any]:
    return {"name": m.name, "value": m.value, "isRegex": m.sign.regex, "isEqual": m.sign.equal}


def _write(db: Connection, s: Silence) -> None:
    put(
        db, silences, id=s.id, matchers=_json([_said(m) for m in s.matchers]), starts=s.starts, ends=s.ends,
        during=_json([_window(w) for w in s.windows]), red=s.red, by=s.by, comment=s.comment, updated=s.updated,
    )  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _read(row: Mapping[str, Any]) -> Silence:
    windows = tuple(msgspec.json.decode(row["during"], type=list[Window]))
    matchers = tuple(_matcher(m) for m in msgspec.json.decode(row["matchers"]))
    return Silence(
        row["id"], matchers, row["starts"], row["ends"], tuple(w.spec() for w in windows), windows, row["red"], row["by"],
        row["comment"], row["updated"],
    )  # fmt: skip
