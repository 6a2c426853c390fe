"""Citizens' reports that nobody has assessed, told to whoever is on duty: together, and not more often than people can bear.

The first report is told at once; those that come within the next ten minutes wait and are told as one. A bundle is a row, and
a warning (hazard `citizen_report`, BLUE) that ends when somebody has assessed all of its reports in the ledger.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update

from alerts import rows
from alerts.book import Book
from alerts.dangers.life import State
from alerts.dangers.tables import bundles, dangers, reports
from alerts.tables import insert_new
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

RULE: Final = "desk.citizens"
HAZARD: Final = "citizen_report"
QUANTITY: Final = "report"
WINDOW: Final = 600 * NS  # [ns] between two bundles
NAMED: Final = 5  # [1] reports of a bundle that a notice quotes
QUOTED: Final = 60  # [character] of each

_HERE: Final = reports.join(dangers, dangers.c.id == reports.c.danger)
_WAITS: Final = (
    select(reports.c.danger)
    .select_from(_HERE)
    .where(reports.c.bundle == "", dangers.c.state == State.REGISTERED.value)
    .order_by(reports.c.at, reports.c.danger)
)
_LAST: Final = select(func.max(bundles.c.at))
_UNSAID: Final = select(bundles.c.id, bundles.c.at).where(bundles.c.said.is_(None)).order_by(bundles.c.at)
_OPEN: Final = (
    select(reports.c.bundle).select_from(_HERE).where(dangers.c.state == State.REGISTERED.value, reports.c.bundle != "")
)
_DONE: Final = select(bundles.c.id, bundles.c.at).where(
    bundles.c.said.is_not(None), bundles.c.ended.is_(None), bundles.c.id.not_in(_OPEN)
)
_OF: Final = (
    select(dangers.c.place, dangers.c.description, dangers.c.lat, dangers.c.lon)
    .select_from(_HERE)
    .where(reports.c.bundle == bindparam("of"))
    .order_by(reports.c.at, reports.c.danger)
)


class Bundle(NamedTuple):
    """Reports that are told together."""

    id: str  # of the first of them in the ledger
    at: int  # [ns] desk clock


@dataclass(frozen=True)
class Crier:
    """Looks now and then. All it knows is in the database: killed between any two steps, it goes on where it was."""

    book: Book
    city: str
    owner: str
    lat: float  # [°] WGS-84, of reports that name no place on the map
    lon: float  # [°] WGS-84

    def look(self, at: int) -> bool:
        """Tell what waits and end what is assessed; whether anything is to be sent. Blocks. at [ns] desk clock"""
        with self.book.database.read() as db:
            waits = db.execute(_WAITS.limit(1)).first() is not None and _may(db, at)
            unsaid, done = db.execute(_UNSAID).first() is not None, db.execute(_DONE).first() is not None
        if waits:
            self._gather(at)
        told = self._say(at) if waits or unsaid else 0
        return told + (self._end(at) if done else 0) > 0

    def _gather(self, at: int) -> None:
        """Put what waits into one bundle; of several desks one does."""
        with self.book.database.write() as db:
            waits = list(db.execute(_WAITS).scalars()) if _may(db, at) else []
            if waits and insert_new(db, bundles, id=waits[0], at=at):
                mine = (reports.c.danger.in_(waits), reports.c.bundle == "")
                db.execute(update(reports).where(*mine).values(bundle=waits[0]))

    def _say(self, at: int) -> int:
        """Raise a warning for each bundle that has none; said twice it is one, for the change has the same id."""
        with self.book.database.read() as db:
            found = [(bundle, self._raised(db, bundle)) for bundle in _bundles(db, _UNSAID)]
        return sum(self._take(bundle, change, at, "said") for bundle, change in found)

    def _end(self, at: int) -> int:
        with self.book.database.read() as db:
            found = [(bundle, self._raised(db, bundle)) for bundle in _bundles(db, _DONE)]
        return sum(self._take(bundle, _ended(change, at), at, "ended") for bundle, change in found)

    def _take(self, bundle: Bundle, change: Change, at: int, mark: str) -> int:
        """notices. The row is marked when the warning is on disk."""
        taken = self.book.take([change], at)
        with self.book.database.write() as db:
            db.execute(update(bundles).where(bundles.c.id == bundle.id).values({mark: at}))
            rows.record(db, at, f"reports_{mark}", by="desk", warning=None, bundle=bundle.id)
        return taken.notices

    def _raised(self, db: Connection, bundle: Bundle) -> Change:
        told = db.execute(_OF, {"of": bundle.id}).all()
        lat, lon = next(((r.lat, r.lon) for r in told if r.lat is not None), (self.lat, self.lon))
        more = f"；+{len(told) - NAMED}" if len(told) > NAMED else ""
        note = f"{len(told)}：{'；'.join(f'{_quoted(r.place)} {_quoted(r.description)}' for r in told[:NAMED])}{more}"
        return Change(
            id=change_id(RULE, bundle.id, bundle.at, Level.BLUE), t=bundle.at, city=self.city, district=self.city,
            domain=Domain.OTHER, asset=bundle.id, device="report", key=f"{bundle.id}/{QUANTITY}", quantity=QUANTITY,
            rule=RULE, hazard=HAZARD, kind=Kind.HAZARD, mode=Mode.ACTIVE, hard=True, old=Level.NORMAL.name,
            new=Level.BLUE.name, score=None, lat=lat, lon=lon, owner=self.owner,
            evidence=Evidence([bundle.at], [None], "", {}, "", note=note),
        )  # fmt: skip


def _bundles(db: Connection, query: Any) -> list[Bundle]:
    return [Bundle(r.id, r.at) for r in db.execute(query)]


def _may(db: Connection, at: int) -> bool:
    """Whether the last bundle is long enough ago."""
    last: int | None = db.execute(_LAST).scalar_one()
    return last is None or at >= last + WINDOW


def _ended(change: Change, at: int) -> Change:
    t = max(at, change.t + 1)
    name = change_id(RULE, change.asset, t, Level.NORMAL)
    return msgspec.structs.replace(change, id=name, t=t, old=change.new, new=Level.NORMAL.name)


def _quoted(text: str) -> str:
    """The beginning of what a citizen wrote, in one line and without anything that a chat makes a link of."""
    plain = " ".join(text.replace("://", " ").replace("www.", " ").split())
    return plain if len(plain) <= QUOTED else f"{plain[:QUOTED]}…"
