"""A warning as data and the pure functions that move it. The book writes down what they return."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from alerts.judge import Verdict
from alerts.lifecycle import ACK, ACTIVE, CLOSE, Act, State, act_of, step
from alerts.notice import Grounds, Pair, Story, What
from lifeline.model import Change, Kind, Level, warning_id


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One warning: a hazard at an asset from its onset until it is closed. Fields are the columns of `warnings`."""

    id: str
    asset: str
    hazard: str
    kind: Kind
    domain: str
    city: str
    district: str
    owner: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    level: Level
    peak: Level  # the gravest it has been
    answered: Level  # the gravest that somebody has acknowledged while it stood
    state: State
    why: str
    voices: int  # [1]
    zh: str  # title
    en: str  # title
    version: int  # [1] changes of level so far
    risen: int  # [1] version of the latest rise
    onset: int  # [ns] sensor clock
    t: int  # [ns] sensor clock, of the latest change of level
    raised: int  # [ns] desk clock
    updated: int  # [ns] desk clock
    pushed: int | None = None  # [ns] desk clock: the latest rise was first delivered
    latency: float | None = None  # [s] from the sensor's instant of that rise to `pushed`
    cleared: int | None = None  # [ns] sensor clock
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None  # [ns] desk clock
    comment: str | None = None
    asked: int | None = None  # [ns] desk clock: since when it asks for an answer; None: it asks for none
    closed_by: str | None = None
    closed_at: int | None = None  # [ns] desk clock


LEVELS: Final = ("level", "peak", "answered")


def from_row(row: Mapping[str, Any]) -> Case:
    """A case from the database."""
    named = {name: Level[row[name]] for name in LEVELS}
    return Case(**{**row, **named, "kind": Kind(row["kind"]), "state": State(row["state"])})


def to_row(case: Case) -> dict[str, Any]:
    """A case for the database and the API: levels by name."""
    return {**msgspec.structs.asdict(case), **{name: getattr(case, name).name for name in LEVELS}}


ACTED_ON: Final = ("id", "version", "level", "state", "answered", "acknowledged_by", "acknowledged_at", "closed_at")


def mark(row: Mapping[str, Any]) -> str:
    """Changes with all that people act on; not with what was delivered. row: as for the API. [hex digits]"""
    return sha256(msgspec.json.encode([row[name] for name in ACTED_ON])).hexdigest()[:20]


def opened(change: Change, at: int) -> Case:
    """A case before its first level. at [ns] desk clock"""
    return Case(
        id=warning_id(change.asset, change.hazard, change.t),
        asset=change.asset,
        hazard=change.hazard,
        kind=change.kind,
        domain=change.domain,
        city=change.city,
        district=change.district,
        owner=change.owner,
        lat=change.lat,
        lon=change.lon,
        level=Level.NORMAL,
        peak=Level.NORMAL,
        answered=Level.NORMAL,
        state=State.QUIET,
        why="",
        voices=0,
        zh="",
        en="",
        version=0,
        risen=0,
        onset=change.t,
        t=change.t,
        raised=at,
        updated=at,
    )


def weight(level: Level, kind: Kind) -> tuple[bool, Level]:
    """How grave it is: any hazard more than any ticket."""
    return level > Level.NORMAL and kind is Kind.HAZARD, level


def moved(case: Case, verdict: Verdict, t: int, at: int) -> tuple[Case, Act]:
    """The case at the verdict's level, and the act that took it there. t [ns] sensor clock; at [ns] desk clock"""
    rise = weight(verdict.level, verdict.kind) > weight(case.level, case.kind)
    anew = rise and verdict.kind is not case.kind  # a hazard where a ticket stood: who answered that has not answered this
    act = act_of(Level.NORMAL, verdict.level, Level.NORMAL) if anew else act_of(case.level, verdict.level, case.answered)
    state, version = step(case.state, act), case.version + 1
    after = msgspec.structs.replace(
        case,
        level=verdict.level,
        peak=max(case.peak, verdict.level),
        state=state,
        answered=case.answered if state in ACTIVE and not anew else Level.NORMAL,  # should it come back, it asks again
        kind=verdict.kind if verdict.level else case.kind,
        why=verdict.why,
        voices=verdict.voices,
        version=version,
        t=t,
        updated=at,
        cleared=None if state in ACTIVE else t,
        risen=version if rise else case.risen,
        asked=at if act in {Act.RAISE, Act.REDDEN} else case.asked,
        pushed=None if rise else case.pushed,
        latency=None if rise else case.latency,
    )
    return after, act


def answered(case: Case, by: str, comment: str, at: int) -> Case:
    """The case after somebody has acknowledged the level that stands. at [ns] desk clock"""
    state = step(case.state, ACK)
    level = max(case.answered, case.level) if state in ACTIVE else Level.NORMAL
    return msgspec.structs.replace(
        case, state=state, answered=level, acknowledged_by=by, acknowledged_at=at, comment=comment, updated=at, asked=None
    )


def closed(case: Case, by: str, at: int) -> Case:
    """The case after somebody has closed it. at [ns] desk clock"""
    return msgspec.structs.replace(case, state=step(case.state, CLOSE), closed_by=by, closed_at=at, updated=at, asked=None)


def story(case: Case, before: Level, was: Kind, made: int, grounds: list[Grounds], belongs: Pair | None = None) -> Story:
    """What is told of the latest change of level or kind. before, was: the level and kind it had; made [ns] desk clock

    belongs: what it is joined to.
    """
    return Story(
        warning=case.id,
        version=case.version,
        what=_what(before, was, case),
        level=case.level.name,
        before=before.name,
        kind=case.kind,
        was=was,
        why=case.why,
        voices=case.voices,
        domain=case.domain,
        hazard=case.hazard,
        city=case.city,
        district=case.district,
        asset=case.asset,
        owner=case.owner,
        lat=case.lat,
        lon=case.lon,
        onset=case.onset,
        t=case.t,
        made=made,
        ended=case.cleared,
        grounds=grounds,
        belongs=belongs,
    )


def _what(before: Level, was: Kind, case: Case) -> What:
    if before is Level.NORMAL:
        return What.RAISED
    if case.level is Level.NORMAL:
        return What.RESOLVED
    return What.WORSE if weight(case.level, case.kind) > weight(before, was) else What.EASED
