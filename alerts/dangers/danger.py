"""A hidden danger as data, and the pure function that moves it. What stands is told again from its acts alone."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from alerts.dangers.life import ACCEPT, DUE, FINISH, LAPSE, NEEDS, REGISTER, RUNNING, STRUCK, Act, State, step
from alerts.lifecycle import Refused
from alerts.roles import Role, must
from lifeline.model import NS

YEAR: Final = 365 * 86_400 * NS
KEPT: Final = 2 * YEAR  # [ns] after it is struck off, at least (published ledger requirements); nothing here is ever deleted
LAST: Final = 2**63 - 1  # [ns]
NOBODY: Final = "desk"

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Short = Annotated[str, msgspec.Meta(max_length=500)]
Names = Annotated[tuple[Short, ...], msgspec.Meta(max_length=50)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST)]
Grade = Annotated[str, msgspec.Meta(pattern="^(general|major)$")]
Colour = Annotated[str, msgspec.Meta(pattern="^(BLUE|YELLOW|ORANGE|RED)$")]


class Danger(msgspec.Struct, frozen=True, kw_only=True):
    """One hidden danger. Fields are the columns of `dangers`; texts that nobody has given yet are empty."""

    id: str
    state: State
    version: int  # [1] acts so far
    source: str  # warning, patrol, public
    warning: str | None = None  # that it was taken over from
    receipt: str | None = None  # of a citizen's report
    made: int  # [ns] desk clock
    updated: int  # [ns] desk clock
    registered_by: str
    # where and what
    found: int  # [ns] UTC
    finder: str  # who found it, apart by commas
    signature: str = ""  # the signed paper: its number or picture
    place: str
    asset: str = ""
    district: str = ""
    domain: str = ""
    hazard: str = ""
    lat: float | None = None  # [°] WGS-84
    lon: float | None = None  # [°] WGS-84
    description: str
    photos: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()  # changes of level, papers
    # how bad
    grade: str = ""  # general, major
    colour: str = ""  # of the risk
    cause: str = ""
    # the five musts, and who checks them
    measures: str = ""
    unit: str = ""
    person: str = ""
    funds: str = ""
    deadline: int | None = None  # [ns] UTC
    plan: str = ""  # for the case that it becomes an emergency meanwhile
    rechecker: str = ""
    interim: str = ""  # controls until it is gone
    # how it went
    lapsed: int | None = None  # [ns] the deadline that was counted last
    overdue: int = 0  # [1] deadlines that passed
    supervisor: str = ""
    reported: str = ""  # upward, to whom
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    finished_by: str = ""
    result: str = ""  # of the acceptance
    accepted_by: str = ""
    struck: int | None = None  # [ns] desk clock
    kept: int | None = None  # [ns] at least until then
    reopened: int = 0  # [1] times


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What can be said of a danger; each act asks for some of it."""

    source: Annotated[str, msgspec.Meta(pattern="^(|warning|patrol|public)$")] = ""
    found: Instant | None = None
    finder: Short = ""
    signature: Short = ""
    place: Short = ""
    asset: Short = ""
    district: Short = ""
    domain: Short = ""
    hazard: Short = ""
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    description: Text = ""
    photos: Names = ()
    evidence: Names = ()
    grade: Grade | None = None
    colour: Colour | None = None
    cause: Text = ""
    measures: Text = ""
    unit: Short = ""
    person: Short = ""
    funds: Short = ""
    deadline: Instant | None = None
    plan: Text = ""
    rechecker: Short = ""
    interim: Text = ""
    supervisor: Short = ""
    reported: Short = ""
    before: Names = ()
    after: Names = ()
    result: Text = ""


class Deed(NamedTuple):
    """One act, as it is written down."""

    act: Act
    at: int  # [ns] desk clock
    by: str
    note: str = ""
    facts: Facts = Facts()


class Incomplete(Exception):
    """An act that lacks what it must say, or says what it may not; the text names the fields."""


WHERE: Final = ("found", "finder", "signature", "place", "asset", "district", "domain", "hazard", "lat", "lon")
FIVE: Final = ("measures", "unit", "person", "funds", "deadline", "plan", "rechecker")
MUSTS: Final[dict[Act, tuple[str, ...]]] = {  # fields that an act must say
    Act.REGISTER: ("place", "description", "finder"),
    Act.ASSESS: ("grade", "colour", "cause"),
    Act.DISMISS: ("result",),
    Act.ASSIGN: FIVE,
    Act.FINISH: ("after",),
    Act.ACCEPT: ("result",),
    Act.EXTEND: ("deadline",),
    Act.SUPERVISE: ("supervisor",),
}
MAY: Final[dict[Act, tuple[str, ...]]] = {  # fields that it may say besides; a deadline is moved by EXTEND only
    Act.REGISTER: ("source", *WHERE, "photos", "evidence", "colour", "interim"),
    Act.ASSESS: ("hazard", "interim", "evidence"),
    Act.ASSIGN: ("interim", "before"),
    Act.START: ("interim", "before"),
    Act.LOG: ("interim", "before", "after", "evidence"),
    Act.CORRECT: (
        *WHERE, "description", "grade", "colour", "cause", *(name for name in FIVE if name != "deadline"), "interim",
        "reported", "before", "after", "photos",
    ),
    Act.ACCEPT: ("after",),
    Act.SUPERVISE: ("reported", "deadline"),
}  # fmt: skip
NOTED: Final = frozenset({Act.LOG, Act.CORRECT, Act.REJECT, Act.EXTEND, Act.REOPEN})  # acts that must say why
LISTS: Final = ("photos", "evidence", "before", "after")  # what is said is added to what was there


def said(facts: Facts) -> dict[str, Any]:
    """The fields that were given."""
    given: dict[str, Any] = {k: getattr(facts, k) for k in facts.__struct_fields__}
    return {k: v for k, v in given.items() if v not in ("", None, ())}


def check(deed: Deed) -> None:
    """Incomplete unless an act says all that it must, and nothing that is not its business."""
    given = said(deed.facts)
    missing = [name for name in MUSTS.get(deed.act, ()) if not str(given.get(name, "")).strip()]
    missing += ["note"] if deed.act in NOTED and not deed.note.strip() else []
    if missing:
        raise Incomplete(f"{deed.act} must say {', '.join(missing)}")
    foreign = given.keys() - {*MUSTS.get(deed.act, ()), *MAY.get(deed.act, ())}
    if foreign:
        raise Incomplete(f"{deed.act} cannot say {', '.join(sorted(foreign))}")
    until = given.get("deadline")
    if until is not None and until <= deed.at:
        raise Incomplete("deadline: is over already")
    if "\\u0000" in msgspec.json.encode((deed.note, deed.facts)).decode():
        raise Incomplete("a text holds the character NUL")


def opened(danger: str, deed: Deed, warning: str | None = None, receipt: str | None = None) -> Danger:
    """A danger as it is registered."""
    facts = {"source": "patrol", "found": deed.at, **said(deed.facts)}
    return Danger(
        id=danger, state=State.REGISTERED, version=1, warning=warning, receipt=receipt, made=deed.at, updated=deed.at,
        registered_by=deed.by, **facts,
    )  # fmt: skip


def allowed(danger: Danger, deed: Deed, role: Role, person: str = "") -> None:
    """Forbidden, Incomplete or Refused unless this may be done now by this person. person: the user's in the file of people"""
    must(role, _least(danger, deed), f"{deed.act} of a {danger.grade or 'new'} danger")
    step(danger.state, deed.act)
    check(deed)
    major = danger.grade == "major"
    if deed.act is ACCEPT and {deed.by, person} & {danger.person, danger.finished_by}:
        raise Refused("whoever did the work does not accept it: another person re-checks")
    if deed.act is ACCEPT and major and not (danger.supervisor and danger.reported):
        raise Refused("a major danger is supervised and reported upward before it is struck off")
    if deed.act is Act.SUPERVISE and major and not deed.facts.reported and not danger.reported:
        raise Incomplete("supervise of a major danger must say reported: to whom upward")
    if deed.act is Act.ASSIGN and major and not (deed.facts.interim or danger.interim):
        raise Incomplete("assign of a major danger must say interim: what holds it until it is gone")


def _least(danger: Danger, deed: Deed) -> Role:
    weighty = danger.state is STRUCK or deed.facts.grade is not None
    leaders = (deed.act is ACCEPT and danger.grade == "major") or (deed.act is Act.CORRECT and weighty)
    return Role.LEADER if leaders else NEEDS[deed.act]


def moved(danger: Danger, deed: Deed) -> Danger:
    """The danger after an act; Refused where its state knows no such act."""
    after = step(danger.state, deed.act)
    facts = said(deed.facts)
    facts |= {k: tuple(dict.fromkeys((*getattr(danger, k), *facts[k]))) for k in LISTS if k in facts}
    return msgspec.structs.replace(
        danger, state=after, version=danger.version + 1, updated=deed.at, **facts, **_effect(danger, deed)
    )


def _effect(danger: Danger, deed: Deed) -> dict[str, Any]:
    """What an act changes besides what it says."""
    if deed.act is LAPSE:
        return {"overdue": danger.overdue + (danger.lapsed != danger.deadline), "lapsed": danger.deadline}
    if deed.act is FINISH:
        return {"finished_by": deed.by}
    if deed.act in {ACCEPT, Act.DISMISS}:
        return {"accepted_by": deed.by, "struck": deed.at, "kept": deed.at + KEPT}
    if deed.act is Act.REOPEN:
        again = {"result": "", "accepted_by": "", "struck": None, "kept": None, "finished_by": "", "deadline": None}
        return {"reopened": danger.reopened + 1, "supervisor": "", "reported": "", "lapsed": None, **again}
    return {}


def late(danger: Danger, at: int) -> bool:
    """Whether its deadline has passed and this is not written down yet. at [ns]"""
    if danger.state not in RUNNING or danger.deadline is None or danger.deadline >= at:
        return False
    return danger.state is not State.SUPERVISED or danger.lapsed != danger.deadline


def retold(danger: str, deeds: Iterable[Deed], warning: str | None = None, receipt: str | None = None) -> Danger:
    """What stands, from the acts alone, the first of which registers it."""
    first, *rest = deeds
    assert first.act is REGISTER
    return reduce(moved, rest, opened(danger, first, warning, receipt))


def to_row(danger: Danger) -> dict[str, Any]:
    """For the table: lists as JSON."""
    row = msgspec.structs.asdict(danger)
    return row | {k: msgspec.json.encode(row[k]).decode() for k in LISTS} | {"state": danger.state.value}


def from_row(row: Mapping[str, Any]) -> Danger:
    """From the table."""
    lists = {k: tuple(msgspec.json.decode(row[k])) for k in LISTS}
    return Danger(**{**row, **lists, "state": State(row["state"])})


def told(danger: Danger, at: int) -> dict[str, Any]:
    """For JSON, with whether it is late. at [ns] desk clock"""
    past = danger.state in DUE and danger.deadline is not None and danger.deadline < at
    return {**msgspec.to_builtins(danger), "late": past}
