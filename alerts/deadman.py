"""The warning about ourselves: a process that is not heard for too long. Judged in the desk, so that nothing else need run."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, cast

from alerts import queries
from alerts.book import Book
from alerts.tables import Database
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

ASSET: Final = "pipeline"
HAZARD: Final = "pipeline_silent"
RULE: Final = "pipeline.heartbeat"


@dataclass(frozen=True)
class Deadman:
    """Who must be heard, how often, and where the warning stands on the map."""

    book: Book
    since: int  # [ns] desk clock, when the desk began to listen: nobody can be overdue before
    city: str
    owner: str  # who looks after the monitoring itself
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    sources: Collection[str] = ("watch",)
    limit: float = 30.0  # [s]

    def overdue(self, at: int) -> list[str]:
        """Those not heard for longer than the limit. at [ns]"""
        heard = self._heard()
        return [source for source, t in heard.items() if at - t > self.limit * NS]

    def check(self, at: int) -> bool:
        """Raise or clear what has changed since the last look; whether anything did. at [ns]"""
        said = []
        for source, heard in self._heard().items():
            late = at - heard > self.limit * NS
            if late != (queries.stands(self._database, _key(source), RULE) > Level.NORMAL):
                t = heard + round(self.limit * NS) if late else heard
                said.append(self._change(source, t, heard, Level.ORANGE if late else Level.NORMAL))
        return bool(said) and self.book.take(said, at).accepted > 0

    @property
    def _database(self) -> Database:
        return self.book.database

    def _heard(self) -> dict[str, int]:
        """Source -> when it was last heard, but not before we listened. [ns]"""
        beats = queries.beats(self._database)
        return {s: max(self.since, beats[s].at) if s in beats else self.since for s in self.sources}

    def _change(self, source: str, t: int, heard: int, new: Level) -> Change:
        old = Level.NORMAL if new else Level.ORANGE
        bounds = {Level.ORANGE.name: self.limit}
        silence: dict[str, Any] = {"t": [t], "value": [(t - heard) / NS], "unit": "s", "bounds": bounds, "bounds_unit": "s"}
        return Change(
            id=change_id(RULE, _key(source), t, new), t=t, city=self.city, district=self.city,
            domain=cast("Domain", ASSET),  # of no domain: it concerns all of them
            asset=ASSET, device=source, key=_key(source), quantity="heartbeat", rule=RULE, hazard=HAZARD, kind=Kind.HAZARD,
            mode=Mode.ACTIVE, hard=True, old=old.name, new=new.name, score=None, lat=self.lat, lon=self.lon, owner=self.owner,
            evidence=Evidence(**silence),
        )  # fmt: skip


def _key(source: str) -> str:
    return f"{source}/heartbeat"
