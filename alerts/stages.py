"""The six steps of city practice, for each warning: find, assess, warn, prevent, dispose, account.

查找、研判、预警、防范、处置、责任. Each has a deadline that follows from the level, and is done by somebody, with a proof.
A rise moves the deadlines of what is not done yet nearer, never further away. Nothing here is ever taken back: a step that is
done again is done by whoever did it last, and the audit trail keeps both.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from alerts import rows
from alerts.case import Case
from alerts.roles import Role
from alerts.tables import insert_new, stages
from alerts.terms import Terms
from lifeline.model import NS


class Stage(StrEnum):
    FIND = "find"
    ASSESS = "assess"
    WARN = "warn"
    PREVENT = "prevent"
    DISPOSE = "dispose"
    ACCOUNT = "account"


class Verdict(StrEnum):
    """What an analyst says it was."""

    HAZARD = "hazard"
    FAULT = "sensor_fault"
    OPERATION = "operation"  # somebody did that, and knew of it
    UNKNOWN = "unknown"


NAMES: Final[dict[Stage, tuple[str, str]]] = {
    Stage.FIND: ("查找", "find"),
    Stage.ASSESS: ("研判", "assess"),
    Stage.WARN: ("预警", "warn"),
    Stage.PREVENT: ("防范", "prevent"),
    Stage.DISPOSE: ("处置", "dispose"),
    Stage.ACCOUNT: ("责任", "account"),
}
VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    Verdict.HAZARD: ("险情属实", "a hazard"),
    Verdict.FAULT: ("传感器故障", "a fault of the sensor"),
    Verdict.OPERATION: ("人为作业", "an operation"),
    Verdict.UNKNOWN: ("原因不明", "unknown"),
}
NEEDS: Final[dict[Stage, Role]] = {  # who may say that a step is done; the first is done by the system itself
    Stage.ASSESS: Role.ANALYST,
    Stage.WARN: Role.OPERATOR,
    Stage.PREVENT: Role.OPERATOR,
    Stage.DISPOSE: Role.OPERATOR,
    Stage.ACCOUNT: Role.ANALYST,
}


class Done(msgspec.Struct, frozen=True):
    """What is written down of a step."""

    by: str
    note: str = ""
    proof: tuple[str, ...] = ()  # names of pictures and papers, readings on the spot
    verdict: str = ""  # of the assessment, and of the account


_NEW: Final = stages.insert()
_NEARER: Final = (
    update(stages)
    .where(stages.c.warning == bindparam("of"), stages.c.stage == bindparam("one"))
    .where(stages.c.done.is_(None), stages.c.due > bindparam("then"))
    .values(due=bindparam("then"))
)
_DONE: Final = (
    update(stages)
    .where(stages.c.warning == bindparam("of"), stages.c.stage == bindparam("one"))
    .values(done=bindparam("when"), by=bindparam("who"), body=bindparam("what"))
)
_FIRST: Final = _DONE.where(stages.c.done.is_(None))
_OF: Final = select(stages).where(stages.c.warning == bindparam("of"))


def deadlines(terms: Terms) -> dict[Stage, float]:
    """How long each step may take from the rise on. [s]"""
    return {
        Stage.FIND: 0.0,
        Stage.ASSESS: terms.assess,
        Stage.WARN: terms.answer,
        Stage.PREVENT: terms.arrive,
        Stage.DISPOSE: terms.report,
        Stage.ACCOUNT: terms.account,
    }


def begin(db: Connection, case: Case, terms: Terms, found: str, at: int) -> None:
    """All six steps of a new warning, or nearer deadlines for one that has risen. found: the change that raised it; at [ns]"""
    due = {stage: at + round(patience * NS) for stage, patience in deadlines(terms).items()}
    if case.version == 1:
        db.execute(_NEW, [{"warning": case.id, "stage": stage, "due": then} for stage, then in due.items()])
    else:
        for stage, then in due.items():
            insert_new(db, stages, warning=case.id, stage=stage, due=then)  # one of an older desk may have none
        db.execute(_NEARER, [{"of": case.id, "one": stage, "then": then} for stage, then in due.items()])
    first_done(db, case.id, Stage.FIND, Done("desk", proof=(found,)), at)


def first_done(db: Connection, warning: str, stage: Stage, what: Done, at: int) -> None:
    """Done, unless it was done before. at [ns] desk clock"""
    db.execute(_FIRST, _moment(warning, stage, what, at))


def done(db: Connection, warning: str, stage: Stage, what: Done, at: int) -> None:
    """Done, and said so in the audit trail. at [ns] desk clock"""
    db.execute(_DONE, _moment(warning, stage, what, at))
    facts = {k: v for k, v in msgspec.to_builtins(what).items() if k != "by" and v}
    rows.record(db, at, stage, by=what.by, warning=warning, **facts)


def _moment(warning: str, stage: Stage, what: Done, at: int) -> dict[str, Any]:
    return {"of": warning, "one": stage, "when": at, "who": what.by, "what": msgspec.json.encode(what).decode()}


def of(db: Connection, warning: str, at: int) -> list[dict[str, Any]]:
    """The steps of a warning in their order, with what was done and whether they are late. at [ns] desk clock"""
    found = {r["stage"]: dict(r) for r in db.execute(_OF, {"of": warning}).mappings()}
    return [_told(found[stage], at) for stage in Stage if stage in found]


def _told(row: dict[str, Any], at: int) -> dict[str, Any]:
    body = msgspec.json.decode(row.pop("body")) if row["body"] else row.pop("body")
    zh, en = NAMES[Stage(row["stage"])]
    late = (row["done"] or at) > row["due"]
    return {**row, "zh": zh, "en": en, "late": late, **({} if body is None else {k: v for k, v in body.items() if k != "by"})}


def overdue(db: Connection, at: int, wanted: Sequence[Stage] = tuple(Stage)) -> list[dict[str, Any]]:
    """Steps that should be done and are not, the longest overdue first. at [ns] desk clock"""
    late = select(stages.c.warning, stages.c.stage, stages.c.due).where(stages.c.done.is_(None), stages.c.due < at)
    return [dict(r) for r in db.execute(late.where(stages.c.stage.in_(wanted)).order_by(stages.c.due)).mappings()]
