"""The warnings about ourselves: a process that is not heard, or that says for long that it cannot work.

Judged in the desk, so that nothing else need run.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, cast

from alerts import queries
from alerts.book import Book
from alerts.canary import Canary, heard
from alerts.listening import Listening
from alerts.queries import Beat
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

ASSET: Final = "pipeline"
SOURCES: Final = ("watch", "receive")
CANARY: Final = "canary"
PATIENCE: Final = 60.0  # [s] for which a process may say that it cannot work


class Fault(NamedTuple):
    """What can be wrong with a process."""

    hazard: str
    rule: str
    quantity: str


SILENT: Final = Fault("pipeline_silent", "pipeline.heartbeat", "heartbeat")
UNPROVEN: Final = Fault("pipeline_canary", "pipeline.round_trip", "round_trip")
FAILING: Final = Fault("pipeline_failing", "pipeline.readiness", "readiness")


class Finding(NamedTuple):
    """How one process is, in one respect."""

    source: str
    fault: Fault
    onset: int | None  # [ns] desk clock, when patience ended; None: nothing is wrong
    heard: int  # [ns] desk clock, the last heartbeat; before all times if there was none
    evidence: Evidence
    words: str

    @property
    def key(self) -> str:
        return f"{self.source}/{self.fault.quantity}"


@dataclass(frozen=True)
class Deadman:
    """Who must be heard, how often, and where the warnings stand on the map."""

    book: Book
    since: int  # [ns] desk clock, when the desk began to listen: nobody can be overdue before
    city: str
    owner: str  # who looks after the monitoring itself
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    sources: Collection[str] = SOURCES
    limit: float = 30.0  # [s]
    patience: float = PATIENCE
    canary: Canary | None = None  # what must come back now and then; None: it is not sent

    @cached_property
    def listening(self) -> Listening:
        """Begun when the desk began; anew when its clock was set, or the machine slept."""
        return Listening(self.since, self.limit)

    def wrong(self, at: int) -> list[str]:
        """What is wrong, or was and is not known to be mended: one line each. at [ns]"""
        return [f"{f.source}: {f.words}" for f in self._findings(at) if f.onset is not None or self._unmended(f)]

    def check(self, at: int) -> bool:
        """Raise or clear what has changed since the last look; whether anything did. at [ns]"""
        said = [change for f in self._findings(at) if (change := self._said(f)) is not None]
        return bool(said) and self.book.take(said, at).accepted > 0

    def _findings(self, at: int) -> list[Finding]:
        since = self.listening.at(at)
        beats = queries.beats(self.book.database)
        found = [find for s in self.sources for find in (self._silence(s, beats, since, at), self._failure(s, beats, since))]
        return [*found, self._round_trip(found, since, at)]

    def _round_trip(self, found: Sequence[Finding], began: int, at: int) -> Finding:
        """The way as a whole, where nothing else that is known to be wrong explains that it is broken."""
        way = self.canary
        if way is None:  # not watched any more: whatever stood ends
            return Finding(CANARY, UNPROVEN, None, at, Evidence([at], [None], "", {}, "", note="no canary is sent"), "")
        if any(f.onset is not None or self._unmended(f) for f in found):
            way.excused = at
        last = heard(self.book.database)
        since = max(began, *(self.listening.heard(t, at) for t in (last, way.excused)))
        onset = since + round(way.silence * NS)
        seen = Evidence([at], [(at - since) / NS], "s", {Level.ORANGE.name: way.silence}, "s")
        words = f"no reading has come all the way from the broker to a push for more than {way.silence:g} s"
        return Finding(CANARY, UNPROVEN, onset if at > onset else None, last, seen, words)

    def _silence(self, source: str, beats: Mapping[str, Beat], began: int, at: int) -> Finding:
        heard = beats[source].at if source in beats else -1
        since = max(began, self.listening.heard(heard, at))
        onset = since + round(self.limit * NS)
        seen = Evidence([at], [(at - since) / NS], "s", {Level.ORANGE.name: self.limit}, "s")
        words = f"not heard for more than {self.limit:g} s"
        return Finding(source, SILENT, onset if at > onset else None, heard, seen, words)

    def _failure(self, source: str, beats: Mapping[str, Beat], began: int) -> Finding:
        beat = beats.get(source, Beat(-1, None, None, []))
        since, because = beat.at if beat.failing is None else beat.failing, "; ".join(beat.reasons)
        since = began if since > beat.at >= began else since
        onset = since + round(self.patience * NS)
        seen = Evidence([beat.at], [None], "", {}, "", note=because)
        words = f"not ready for more than {self.patience:g} s: {because}"
        return Finding(source, FAILING, onset if beat.at > onset else None, beat.at, seen, words)

    def _unmended(self, f: Finding) -> bool:
        """It was warned of, and nothing has been heard since: that the desk began anew mends nothing."""
        level, t = queries.stands(self.book.database, f.key, f.fault.rule)
        return level > Level.NORMAL and f.heard <= t

    def _said(self, f: Finding) -> Change | None:
        level, t = queries.stands(self.book.database, f.key, f.fault.rule)
        if f.onset is not None and level is Level.NORMAL:
            return self._change(f, max(f.onset, t), Level.ORANGE)
        if f.onset is None and level > Level.NORMAL and f.heard > t:
            return self._change(f, f.heard, Level.NORMAL)
        return None

    def _change(self, f: Finding, t: int, new: Level) -> Change:
        old = Level.NORMAL if new else Level.ORANGE
        return Change(
            id=change_id(f.fault.rule, f.key, t, new), t=t, city=self.city, district=self.city,
            domain=cast("Domain", ASSET),  # of no domain: it concerns all of them
            asset=ASSET, device=f.source, key=f.key, quantity=f.fault.quantity, rule=f.fault.rule, hazard=f.fault.hazard,
            kind=Kind.HAZARD, mode=Mode.ACTIVE, hard=True, old=old.name, new=new.name, score=None, lat=self.lat, lon=self.lon,
            owner=self.owner, evidence=f.evidence,
        )  # fmt: skip
