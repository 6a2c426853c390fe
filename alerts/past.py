"""What the desk has written down of one warning: its steps, and all that was said of its case meanwhile. Nothing is written."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import func, select

from alerts.case import Case, from_row
from alerts.tables import Database, changes, steps, warnings
from lifeline.model import Change, Kind, Level, Mode

LATEST: Final = 2**62  # [ns]


class Spoken(NamedTuple):
    """A change as it was handed in."""

    change: Change
    fate: str  # accepted, late
    at: int  # [ns] desk clock


class Moved(NamedTuple):
    """One change of a warning's level."""

    version: int
    t: int  # [ns] sensor clock
    at: int  # [ns] desk clock
    level: Level
    why: str
    change: str  # id of the change that made it


class Past(NamedTuple):
    """A warning and what was said of its case from its onset on."""

    case: Case
    steps: list[Moved]
    spoken: list[Spoken]  # by instant, those of passive rules and the late ones too
    until: int  # [ns] sensor clock: before the next warning of the same case, and as far as is looked at

    def upto(self, end: int) -> "Past":
        """The same, as far as an instant. [ns]"""
        end = min(end, self.until)
        return self._replace(spoken=[s for s in self.spoken if s.change.t <= end], until=end)


def named(database: Database, name: str) -> list[Case]:
    """The warning of this id; else those whose id begins so; else the youngest of the case "ASSET/HAZARD"."""
    youngest = select(warnings).order_by(warnings.c.onset.desc(), warnings.c.id)
    asset, _, hazard = name.rpartition("/")
    questions = (
        youngest.where(warnings.c.id == name),
        youngest.where(warnings.c.id.startswith(name, autoescape=True)).limit(20),
        youngest.where(warnings.c.asset == asset, warnings.c.hazard == hazard).limit(1),
    )
    with database.read() as db:
        for question in questions:
            if found := [from_row(dict(r)) for r in db.execute(question).mappings()]:
                return found
    return []


def past(database: Database, case: Case) -> Past:
    """All of it in one view of the database."""
    moves = select(steps).where(steps.c.warning == case.id).order_by(steps.c.version)
    here = changes.c.body.contains(msgspec.json.encode(case.asset).decode(), autoescape=True)
    said = select(changes.c.body, changes.c.fate, changes.c.at).where(changes.c.t >= case.onset, here)
    same = (warnings.c.asset == case.asset, warnings.c.hazard == case.hazard)
    following = select(func.min(warnings.c.onset)).where(*same, warnings.c.onset > case.onset)
    with database.read() as db:
        until = (db.execute(following).scalar_one() or LATEST) - 1
        rows = db.execute(moves).mappings().all()
        told = [Spoken(msgspec.json.decode(r.body, type=Change), r.fate, r.at) for r in db.execute(said)]
    moved = [Moved(r["version"], r["t"], r["at"], Level[r["level"]], r["why"], r["change"]) for r in rows]
    mine = [s for s in told if (s.change.asset, s.change.hazard) == (case.asset, case.hazard)]
    return Past(case, moved, sorted(mine, key=lambda s: (s.change.t, s.at)), LATEST).upto(until)


def standing(spoken: Sequence[Spoken], step: Moved) -> list[Change]:
    """What stood above NORMAL in a case once a step was made, the gravest first; passive rules last."""
    stood: dict[tuple[str, str], Change] = {}
    for s in spoken:
        if s.fate == "accepted" and s.change.t <= step.t:
            stood[s.change.key, s.change.rule] = s.change
        if s.change.id == step.change:
            break
    raised = [c for c in stood.values() if c.new != Level.NORMAL.name]
    return sorted(raised, key=lambda c: (c.mode is Mode.PASSIVE, c.kind is not Kind.HAZARD, -Level[c.new], c.key, c.rule))


class Said(msgspec.Struct, frozen=True):
    """The part of a change that counts."""

    t: int  # [ns] sensor clock
    asset: str
    device: str
    key: str
    quantity: str
    rule: str
    hazard: str
    kind: Kind
    mode: Mode
    hard: bool
    old: str  # Level name
    new: str  # Level name


def said(database: Database, t0: int, t1: int) -> list[Said]:
    """What was said in (t0, t1] [ns], by instant; late changes are left out."""
    query = select(changes.c.body).where(changes.c.t > t0, changes.c.t <= t1, changes.c.fate == "accepted")
    decode = msgspec.json.Decoder(Said).decode
    with database.read() as db:
        return sorted((decode(body) for body in db.execute(query).scalars()), key=lambda c: c.t)


def answered(database: Database, t0: int, t1: int) -> list[Case]:
    """Warnings that stood at some time in (t0, t1] [ns] and that a person has acknowledged."""
    stood = (warnings.c.onset <= t1, (warnings.c.cleared > t0) | warnings.c.cleared.is_(None))
    query = select(warnings).where(*stood, warnings.c.acknowledged_by.is_not(None))
    with database.read() as db:
        return [from_row(dict(r)) for r in db.execute(query).mappings()]
