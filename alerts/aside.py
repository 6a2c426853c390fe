"""The ticket about the mirror for boards: it is not heard, or says for long that it cannot work.

Nobody is in danger while boards are old, and detection does not know of it: so this is a ticket, whose owner is who looks after
the monitoring, and nothing turns UNKNOWN for it. The processes that detection needs are judged in deadman.py.
"""

from dataclasses import dataclass
from typing import Final, cast

from alerts import queries
from alerts.book import Book
from alerts.deadman import ASSET
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

SOURCE: Final = "mirror"
HAZARD: Final = "mirror_failing"
RULE: Final = "pipeline.mirror"
KEY: Final = f"{SOURCE}/readiness"
SILENCE: Final = 60.0  # [s] without a heartbeat
PATIENCE: Final = 300.0  # [s] for which it may say that it cannot work


@dataclass(frozen=True)
class Aside:
    """Where it stands, and since when the desk listens."""

    book: Book
    since: int  # [ns] desk clock: it cannot be overdue before
    city: str
    owner: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84

    def check(self, at: int) -> bool:
        """Raise or clear the ticket; whether anything changed. at [ns]"""
        onset, heard, why = self._judged(at)
        level, t = queries.stands(self.book.database, KEY, RULE)
        if onset is not None and level is Level.NORMAL:
            change = self._change(max(onset, t), Level.BLUE, why)
        elif onset is None and level > Level.NORMAL and heard > t:
            change = self._change(heard, Level.NORMAL, why)
        else:
            return False
        return self.book.take([change], at).accepted > 0

    def _judged(self, at: int) -> tuple[int | None, int, str]:
        """When patience ended (None: nothing is wrong), when it was last heard [ns], and why."""
        beat = queries.beats(self.book.database).get(SOURCE)
        heard = beat.at if beat else -1
        silent = max(self.since, heard) + round(SILENCE * NS)
        if at > silent:
            return silent, heard, f"not heard for more than {SILENCE:g} s"
        if beat and beat.failing is not None and beat.at > beat.failing + round(PATIENCE * NS):
            return beat.failing + round(PATIENCE * NS), heard, "; ".join(beat.reasons)
        return None, heard, "it works again"

    def _change(self, t: int, new: Level, why: str) -> Change:
        old = Level.NORMAL if new else Level.BLUE
        return Change(
            id=change_id(RULE, KEY, t, new), t=t, city=self.city, district=self.city, domain=cast("Domain", ASSET), asset=ASSET,
            device=SOURCE, key=KEY, quantity="readiness", rule=RULE, hazard=HAZARD, kind=Kind.TICKET, mode=Mode.ACTIVE,
            hard=False, old=old.name, new=new.name, score=None, lat=self.lat, lon=self.lon, owner=self.owner,
            evidence=Evidence([t], [None], "", {}, "", note=why),
        )  # fmt: skip
