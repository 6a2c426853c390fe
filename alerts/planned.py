"""The planned steps of the chase, as rows: see alerts/chain.py."""

from typing import Final

from sqlalchemy import Connection, bindparam, update

from alerts.case import Case
from alerts.tables import chains, insert_new
from alerts.terms import Terms
from lifeline.model import NS

WAITING: Final = "waiting"

_STOP: Final = (
    update(chains)
    .where(chains.c.warning == bindparam("of"), chains.c.fate == WAITING)
    .values(fate=bindparam("is"), done=bindparam("when"))
)


def begin(db: Connection, case: Case, terms: Terms, at: int) -> None:
    """Plan the first step of a rise; what was planned for an earlier one is over. at [ns] desk clock"""
    if case.version > 1:
        stop(db, case.id, "outrun", at)
    plan(db, case, step=1, due=at + round(terms.climb_after * NS))


def plan(db: Connection, case: Case, *, step: int, due: int) -> None:
    """One row; the same one twice is one. due [ns] desk clock"""
    insert_new(db, chains, warning=case.id, version=case.risen, step=step, level=case.level.name, due=due, fate=WAITING)


def stop(db: Connection, warning: str, why: str, at: int) -> None:
    """Nothing more is to be done. why: answered, over, outrun; at [ns] desk clock"""
    db.execute(_STOP, {"of": warning, "is": why, "when": at})
