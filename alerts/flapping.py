"""What comes and goes is held: after a few rises within an hour a case falls no more until it has been lower for half an hour.

Rises pass at once, always. While a case is held its people are not told of every fall and return, and the owner of the device
has a ticket. Holds are rows: a desk that dies forgets none.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from alerts.case import Case
from alerts.lifecycle import Act
from alerts.tables import changes, holds, put, standings, steps, warnings
from lifeline.model import NS, Change, Evidence, Kind, Level, Mode, change_id

RULE: Final = "desk.flapping"
HAZARD: Final = "flapping"
BATCH: Final = 100  # [1] cases let go in one transaction

_RISES: Final = (
    select(func.count())
    .select_from(steps.join(warnings, warnings.c.id == steps.c.warning))
    .where(warnings.c.asset == bindparam("asset"), warnings.c.hazard == bindparam("hazard"))
    .where(steps.c.act.in_([Act.RAISE, Act.REDDEN]), steps.c.t > bindparam("since"), steps.c.t <= bindparam("until"))
)
_HERE: Final = (holds.c.asset == bindparam("of_asset"), holds.c.hazard == bindparam("of_hazard"))
_HELD: Final = select(holds.c.due).where(*_HERE)
_FREE: Final = holds.delete().where(*_HERE)
_TICKET: Final = select(standings.c.key).where(
    standings.c.key == bindparam("ticket"), standings.c.rule == RULE, standings.c.level != Level.NORMAL.name
)
_DUE: Final = (
    select(holds.c.asset, holds.c.hazard, changes.c.body)
    .join(changes, changes.c.id == holds.c.change)
    .where(holds.c.due <= bindparam("at"))
    .order_by(holds.c.due)
    .limit(BATCH)
    .with_for_update(of=holds, skip_locked=True)
)


@dataclass(frozen=True)
class Flapping:
    """When a case counts as coming and going."""

    rises: int = 3  # [1] within `window`
    window: float = 3600.0  # [s] sensor clock
    quiet: float = 1800.0  # [s] desk clock, for which it must be lower before it falls

    def flaps(self, db: Connection, case: Case, t: int) -> bool:
        """Whether it has risen too often of late. t [ns] sensor clock"""
        span = {"since": t - round(self.window * NS), "until": t}
        n: int = db.execute(_RISES, {"asset": case.asset, "hazard": case.hazard, **span}).scalar_one()
        return n >= self.rises


def hold(db: Connection, case: Case, change: Change, quiet: float, at: int) -> bool:
    """Keep the case where it is -> whether it was free before. at [ns] desk clock"""
    free = db.execute(_HELD, _of(case.asset, case.hazard)).first() is None
    put(db, holds, asset=case.asset, hazard=case.hazard, due=at + round(quiet * NS), change=change.id)
    return free


def free(db: Connection, asset: str, hazard: str) -> None:
    """Let a case move again."""
    db.execute(_FREE, _of(asset, hazard))


def stands(db: Connection, asset: str, hazard: str) -> bool:
    """Whether the owner has a ticket for a case that comes and goes."""
    return db.execute(_TICKET, {"ticket": _key(asset, hazard)}).first() is not None


def due(db: Connection, at: int) -> list[Change]:
    """The changes that would have let held cases fall, and have stood long enough. at [ns] desk clock"""
    return [msgspec.json.decode(body, type=Change) for _, _, body in db.execute(_DUE, {"at": at})]


def ticket(change: Change, new: Level) -> Change:
    """What is said of the device that makes a case come and go, or, NORMAL, no longer does."""
    key = _key(change.asset, change.hazard)
    note = f"{change.hazard}: {change.device}"
    return msgspec.structs.replace(
        change, id=change_id(RULE, key, change.t, new), key=key, rule=RULE, hazard=HAZARD, kind=Kind.TICKET, mode=Mode.ACTIVE,
        hard=False, old=(Level.NORMAL if new else Level.YELLOW).name, new=new.name, score=None,
        evidence=Evidence([], [], "", {}, "", note=note),
    )  # fmt: skip


def _key(asset: str, hazard: str) -> str:
    return f"{asset}/{hazard}"


def _of(asset: str, hazard: str) -> dict[str, str]:
    return {"of_asset": asset, "of_hazard": hazard}
