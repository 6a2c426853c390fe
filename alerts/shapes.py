"""What the desk answers, as types, for the description of its interface only: the answers are made where they are known.

Instants are [ns] UTC. Where a type says nothing of a field, the field may be there all the same.
"""

from typing import Any, Final, Literal

import msgspec

from alerts.book import Taken
from alerts.case import LEVELS, Case
from alerts.dangers.danger import Danger
from alerts.lifecycle import State
from lifeline.model import Kind

LevelName = Literal["NORMAL", "BLUE", "YELLOW", "ORANGE", "RED"]
Colour = Literal["UNKNOWN", "NORMAL", "BLUE", "YELLOW", "ORANGE", "RED"]
Row = dict[str, Any]
_FIELDS: Final = [
    (f.name, LevelName if f.name in LEVELS else f.type) if f.required else (f.name, f.type, f.default)
    for f in msgspec.structs.fields(Case)
]
Warning_ = msgspec.defstruct("Warning", _FIELDS, kw_only=True, namespace={"__doc__": Case.__doc__})


class Trouble(msgspec.Struct):
    """What is wrong (RFC 9457)."""

    title: str
    status: int
    detail: str
    problems: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET  # each with its place and reason


class History(msgspec.Struct):
    """All that is known of a warning: beside its own fields, these."""

    id: str
    level: LevelName
    state: State
    incident: Row | None  # who leads, and its members
    stages: list[Row]  # the six steps
    steps: list[Row]  # every change of its level, with the change that made it
    notices: list[Row]  # who was told, when, and what the provider said
    audit: list[Row]


class Member(msgspec.Struct):
    """A warning of an incident."""

    id: str
    asset: str
    hazard: str
    kind: Kind
    domain: str
    district: str
    level: LevelName
    peak: LevelName
    state: State
    onset: int
    zh: str
    en: str


class Incident(msgspec.Struct):
    """Warnings that belong together."""

    lead: str  # the id of the oldest
    level: LevelName  # the gravest that stands
    peak: LevelName
    live: bool  # somebody still has to do something
    members: list[Member]


class Deed(msgspec.Struct):
    """A row of the audit trail."""

    id: int
    at: int
    act: str
    by: str
    warning: str | None
    detail: Row


class StageDone(msgspec.Struct):
    """A step that is done. offers: silences that may be asked for with POST /api/v2/silences."""

    warning: str
    stage: str
    done: int
    offers: list[dict[str, Any]]


class Report(msgspec.Struct):
    """A report by day or month: when it is due, when it was made, what became of its mail. Instants in ns."""

    every: str
    day: str
    due: int
    made: int | None
    mail: str
    words: str


class Alike(msgspec.Struct):
    """A past case."""

    id: str
    asset: str
    hazard: str
    peak: LevelName
    onset: int
    cleared: int | None
    zh: str
    en: str
    likeness: float  # [1]
    verdict: str
    note: str


class Overdue(msgspec.Struct):
    """A step that should be done and is not."""

    warning: str
    stage: str
    due: int


class Count(msgspec.Struct):
    """The assets of a district."""

    district: str
    total: int
    levels: dict[Colour, int]


class Chart(msgspec.Struct):
    """The level of every asset."""

    districts: list[Count]
    assets: dict[str, Colour]


class Me(msgspec.Struct):
    """Who asks."""

    name: str
    role: Literal["viewer", "operator", "analyst", "leader", "admin"]
    person: str


class User(msgspec.Struct):
    """Somebody who may use the desk."""

    name: str
    role: Literal["VIEWER", "OPERATOR", "ANALYST", "LEADER", "ADMIN"]
    person: str
    made: int
    ended: int | None
    subject: str  # at a provider of identities; "": of our own


class Token(msgspec.Struct):
    """A credential, without its secret."""

    id: str
    user: str
    kind: Literal["token", "session"]
    note: str
    made: int
    expires: int | None
    ended: int | None


class TokenMade(msgspec.Struct):
    """A token, shown this once."""

    token: str


class Named(msgspec.Struct):
    """The user that was made or changed."""

    name: str


class Silence(msgspec.Struct):
    """How long a process may be silent. [s]"""

    silence_s: float


class Counts(msgspec.Struct):
    """What became of the changes. [1]"""

    accepted: int
    duplicates: int
    out_of_order: int
    notices: int


assert set(Counts.__struct_fields__) == set(Taken._fields) - {"refused"}

Known = msgspec.defstruct(
    "Danger",
    [(f.name, f.type) if f.required else (f.name, f.type, f.default) for f in msgspec.structs.fields(Danger)]
    + [("late", bool)],
    kw_only=True,
    namespace={"__doc__": "A hidden danger, and whether it is late."},
)


class Dangers(msgspec.Struct):
    """A page of the ledger."""

    total: int  # that fit
    dangers: list[Known]  # type: ignore[valid-type]


class Picture(msgspec.Struct):
    """The name of a picture."""

    id: str
