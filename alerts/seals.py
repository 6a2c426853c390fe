"""The audit trail shows tampering: every row is sealed into a chain of SHA-256, each seal over the one before and the row.

Rows are sealed a moment after they are committed, in an order of their own, by one desk at a time; what is changed, taken out
or put in between afterwards no longer fits. The last seal, noted elsewhere, proves that nothing was cut off at the end either.
"""

from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from alerts.tables import Database, audit, insert_new, seals
from lifeline.model import NS

BEGIN: Final = "0" * 64  # before the first seal
BATCH: Final = 1000  # [1] rows sealed in one transaction
LATE: Final = 60.0  # [s] after which a row should have been sealed
WHOLE: Final = 30.0  # [s] between looks at the whole trail
RECENT: Final = 10_000  # [1] rows at its end that every look goes through: what is written at this moment lies there

_LAST: Final = select(seals.c.seq, seals.c.seal).order_by(seals.c.seq.desc()).limit(1).with_for_update()
_OPEN: Final = (
    select(audit)
    .where(audit.c.id > bindparam("floor"), ~select(seals.c.seq).where(seals.c.audit == audit.c.id).exists())
    .order_by(audit.c.id)
    .limit(bindparam("most"))
)


class Checked(NamedTuple):
    """How the chain is."""

    sealed: int  # [1] rows that fit
    unsealed: int  # [1] rows that wait for their seal
    head: str  # the last seal; note it elsewhere
    wrong: str  # what does not fit first; "" where all does


class Crossed(Exception):
    """Another desk sealed at the same time."""


class Sealer:
    """Seals again and again. Only the end of the trail is looked at each time, the whole of it now and then."""

    def __init__(self, database: Database) -> None:
        self._database, self._floor, self._whole = database, 0, 0

    def seal(self, at: int) -> int:
        """Seal what is not sealed yet -> how many rows. at [ns] desk clock"""
        if at - self._whole >= WHOLE * NS:
            self._floor = 0
        with self._database.read() as db:  # a look holds up no writer
            if db.execute(_OPEN, {"most": 1, "floor": self._floor}).first() is None:
                return self._done(db, at)
        return seal(self._database, at, self._floor)

    def _done(self, db: Connection, at: int) -> int:
        """All was sealed: from here on only the end is looked at."""
        if self._floor == 0:
            last = db.execute(select(func.max(audit.c.id))).scalar_one() or 0
            self._floor, self._whole = max(0, last - RECENT), at
        return 0


def seal(database: Database, at: int, floor: int = 0) -> int:
    """Seal what is not sealed yet, of the rows after `floor` -> how many. at [ns] desk clock"""
    try:
        with database.write() as db:
            return _seal(db, at, floor)
    except Crossed:
        return 0  # nothing of it is kept; the next look goes on where the other has ended


def _seal(db: Connection, at: int, floor: int) -> int:
    rows = db.execute(_OPEN, {"most": BATCH, "floor": floor}).mappings().all()
    if not rows:
        return 0
    last = db.execute(_LAST).one_or_none()
    seq, head = (last.seq, last.seal) if last else (0, BEGIN)
    for n, row in enumerate(rows, seq + 1):
        head = _sealed(head, n, row)
        if not insert_new(db, seals, seq=n, audit=row["id"], seal=head, at=at):
            raise Crossed
    return len(rows)


def verify(database: Database, at: int, head: str = "") -> Checked:
    """Walk the chain from its beginning. head: a seal that was noted before, which must be in it. at [ns] desk clock"""
    with database.read() as db:
        return _walked(db, at, head)


def _walked(db: Connection, at: int, noted: str) -> Checked:
    chain = (
        select(seals.c.seq, seals.c.seal, audit).join(audit, audit.c.id == seals.c.audit, isouter=True).order_by(seals.c.seq)
    )
    head, n, met = BEGIN, 0, not noted
    for row in db.execute(chain.order_by(seals.c.seq)).mappings():
        n += 1
        if row["seq"] != n:
            return Checked(n - 1, 0, head, f"the seal {n} is missing: {row['seq']} comes next")
        if row["id"] is None:
            return Checked(n - 1, 0, head, f"the row that seal {n} was made of is gone")
        if (should := _sealed(head, n, row)) != row["seal"]:
            return Checked(n - 1, 0, head, f"row {row['id']} ({row['act']}) is not what was sealed, or seal {n} was changed")
        head, met = should, met or should == noted
    waiting = select(func.count(), func.min(audit.c.at)).where(~select(seals.c.seq).where(seals.c.audit == audit.c.id).exists())
    unsealed, oldest = db.execute(waiting).one()
    wrong = "" if met else "the noted seal is not in the chain: its end was cut off, or it is another desk's"
    if not wrong and oldest is not None and oldest < at - LATE * NS:
        wrong = (
            f"{unsealed} rows wait for their seal, the oldest for {(at - oldest) / NS:.0f} s: no desk runs, or rows were put in"
        )
    return Checked(n, unsealed, head, wrong)


def _sealed(before: str, seq: int, row: Any) -> str:
    """The seal over a row and the seal before it. [64 hex digits]"""
    facts = [row[name] for name in ("id", "at", "act", "by", "warning", "detail")]
    return sha256(before.encode() + msgspec.json.encode([seq, *facts])).hexdigest()
