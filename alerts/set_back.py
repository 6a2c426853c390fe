"""Instants that are too far ahead, because the clock by which they were written has been set back since: drawn near.

What shall be done at an instant is done late by as much as the clock was set back; of a chase that is a silence. Nothing is
remembered for it: who waits can wait no longer than the terms allow, whatever a clock says.
"""

from typing import Final

from sqlalchemy import Connection, case, literal, select, update

from alerts.lane import Patience
from alerts.lifecycle import BEEN_RED
from alerts.planned import WAITING
from alerts.tables import Database, chains, outbox, warnings
from alerts.terms import TICKET, Deadlines
from lifeline.model import NS, Kind, Level

APART: Final = 10 * NS  # [ns] that the clocks of two desks may differ


def draw_near(database: Database, deadlines: Deadlines, patience: Patience, at: int) -> int:
    """Steps of the chase and notices that waited too long -> how many. at [ns] desk clock"""
    with database.write() as db:
        steps = sum(_steps(db, name, round(max(t.climb_after, t.again) * NS), at) for name, t in deadlines.terms.items())
        return steps + _notices(db, patience, at)


def _steps(db: Connection, terms: str, longest: int, at: int) -> int:
    """Of warnings that these terms hold for. longest [ns]"""
    tickets = chains.c.warning.in_(select(warnings.c.id).where(warnings.c.kind == Kind.TICKET))
    ours = tickets if terms == TICKET else ~tickets & (chains.c.level == terms)
    if terms == Level.RED.name:  # holds for what has been RED, whatever it is now
        ours |= ~tickets & chains.c.warning.in_(select(warnings.c.id).where(warnings.c.state.in_(sorted(BEEN_RED))))
    far = update(chains).where(chains.c.fate == WAITING, chains.c.due > at + longest + APART, ours)
    return db.execute(far.values(due=at + longest)).rowcount


def _notices(db: Connection, patience: Patience, at: int) -> int:
    """Written in the future: as if now. Tried before, or held by a desk: no longer than that lasts."""
    waits = update(outbox).where(outbox.c.state == WAITING)
    held = outbox.c.due - outbox.c.made  # as for a night
    due = case((held > 0, at + held), else_=literal(at))
    n = db.execute(waits.where(outbox.c.made > at + APART).values(made=at, due=due)).rowcount
    again = at + round(patience.cap * NS)
    n += db.execute(waits.where(outbox.c.attempts > 0, outbox.c.due > again + APART).values(due=again)).rowcount
    lease = at + round(patience.lease * NS)
    return n + db.execute(waits.where(outbox.c.lease > lease + APART).values(lease=lease)).rowcount
