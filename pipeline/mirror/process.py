"""mirror: what watch has committed to the lake, and what the desk knows, written to an InfluxDB for boards.

It reads committed checkpoints and nothing else, so that it is never ahead of what a crash takes back; it is a process of its
own, so that an InfluxDB that is slow or away costs nobody anything but itself.
"""

import hashlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.ledger import Ledger
from lifeline.catalog import Catalog, load
from lifeline.clock import now
from lifeline.config import Config
from lifeline.model import NS, Batch
from lifeline.vitals import register
from pipeline.courier import Courier
from pipeline.health import Page, guard
from pipeline.mirror.boards import Boards
from pipeline.mirror.book import Book, Span, State
from pipeline.mirror.means import BY_SUFFIX, TIERS, lines, touched
from pipeline.mirror.meters import Metrics
from pipeline.mirror.patient import Patient, target
from pipeline.mirror.vibration import TIER, Vibration
from pipeline.token import token
from store import damage, follow
from store.features import carried, summed, waves
from store.files import File
from store.follow import Follower, Place
from store.influx import Sink, Stopped, Writer, tallied
from store.kinds import Kind, kind
from store.lake import Lake
from store.protocol import Encoder

log = logging.getLogger("lifeline.mirror")

NAME: Final = "watch"  # of the consumer whose checkpoints are followed
PULSE: Final = 5.0  # [s] between heartbeats
LAG: Final = 60.0  # [s] behind watch's checkpoints before it is worth saying
GLANCE: Final = 10.0  # [s] between looks at what waits while nothing can be written
MEANS: Final = 5.0  # [s] that means may take before readings have their turn again
SPECTRA: Final = 2.0  # [s] likewise


class Mirror:
    """The process."""

    def __init__(self, config: Config, catalog: Catalog | None = None) -> None:
        self._config, data = config, config.city.data
        data.mkdir(parents=True, exist_ok=True)
        self.catalog = catalog or load(config.city.catalog)
        self.lake = Lake(data / "lake", self.catalog)
        rows = hashlib.sha256("\n".join(self.catalog.key.tolist()).encode("utf-8", "replace")).hexdigest()
        self.book = Book(data / "mirror.db", rows=rows)
        self._follower = Follower(data / "lake")
        self._encoder = Encoder(self.catalog, config.city.name)
        self._waves = waves(self.catalog)
        self._vibration = Vibration(self.catalog, self._encoder, config.city.name, config.influx.spectra)
        self._room = np.ceil(1 / np.maximum(self.catalog.step, 1e-9)).astype(np.int64) + 1  # [n] samples of a second
        self._stop = threading.Event()
        self._boards = Boards(config, self.catalog)
        writer, most = Writer(target(config.influx)), config.influx.batch
        self._sink = Sink(writer, most=most, bury=self.book.bury, rest=self._rest, beat=self._turned)
        self._means_sink = Patient(writer, most, self.book.bury)
        self.courier = Courier(config.watch.desk, token(config))
        self.metrics = Metrics()
        self.state = self.book.state()
        self._kind: Kind | None = None  # nobody has answered yet
        self._made: dict[str, float] = {}  # tier -> [s] monotonic when its means were last made
        self._waiting = 0  # readings that are committed and not done
        self._sizes: dict[Path, int] = {}  # [1] readings of the files that wait
        self._behind = False
        self._glance = 0.0  # [s] monotonic: when to look again while nothing can be written
        self.beat = time.monotonic()
        for row, reason in self._encoder.refused.items():
            log.error("a series cannot be written to InfluxDB", extra={"key": self.catalog.key[row], "why": reason})

    def _turned(self) -> None:
        self.beat = time.monotonic()

    def _rest(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            self._turned()
            if time.monotonic() >= self._glance:
                self._glance = time.monotonic() + GLANCE
                self._see(self._committed())
            self._stop.wait(min(left, 1.0))
        return self._stop.is_set()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        self._stop = stop
        health = self._config.health
        self.courier.start()
        self._boards.start(stop)
        threading.Thread(target=self._pulse, args=(stop,), name="pulse", daemon=True).start()
        with Page(health.host, health.mirror_port, self.metrics.registry, self.reasons, self.status):
            while not stop.is_set():
                self._turned()
                began = time.monotonic()
                try:
                    some = self.turn()
                    looked = time.monotonic() - began
                    some |= self.spectra()
                except Stopped:
                    break
                stop.wait(0.0 if some else max(self._config.influx.poll, 10 * min(looked, 6.0)))
        self._boards.close()
        self.courier.close()
        self.book.close()

    def turn(self) -> bool:
        """Write what is committed and new; says whether there was anything."""
        self._find_kind()
        committed, pending = self._look()
        for file in pending:
            self._turned()
            if not self._take(file, pending, committed):
                return True  # it is not there any more: look again
        if not pending and self.state.place.next < committed:
            self.state.place = self.state.place._replace(next=committed)
            self.book.commit(self.state)
        self._means()
        return bool(pending)

    def _look(self) -> tuple[int, list[File]]:
        """What is committed, and which files of it are not done."""
        committed = self._committed()
        if self.book.fill() < 0:  # it runs for the first time, or shall begin again
            self._begin(committed)
        place, pending = self._see(committed)
        if place.era == self._follower.present and committed < place.next:
            log.warning("watch is further back than the mirror, as after a restore: all is written again")
            self._begin(committed)
            place, pending = self._see(committed)
        if place != self.state.place:
            self.state.place, self.state.done = place, []
            self.book.commit(self.state)
        return committed, pending

    def _begin(self, committed: int) -> None:
        """With the oldest reading."""
        self.state = State(fill=committed, counts=self.state.counts)
        self.book.commit(self.state)

    def _see(self, committed: int) -> tuple[Place, list[File]]:
        """Where the mirror stands by what is there, and what waits."""
        place, found = self._follower.pending(self.state.place, committed)
        pending = [f for f in found if str(f.path) not in self.state.done]
        self._sizes = {f.path: self._sizes.get(f.path) or _rows(f) for f in pending}
        self._waiting = sum(self._sizes.values())
        self._behind = bool(pending)
        if committed > place.next:
            self.book.saw(committed, now())
        return place, pending

    def _committed(self) -> int:
        """Below this offset watch is done; while nothing is known of it, where the mirror stands."""
        path = self._config.city.data / "ledger.db"
        if not path.exists():
            return self.state.place.next
        ledger = Ledger(path, readonly=True)
        try:
            mark = ledger.mark(NAME)
        finally:
            ledger.close()
        return mark.next if mark.t else self.state.place.next

    def _take(self, file: File, pending: list[File], committed: int) -> bool:
        """Write a file's readings, and remember that; false: it is gone, merged into another or expired."""
        domain = file.path.parent.parent.name.removeprefix("domain=")
        counts, stale = dict(self.state.counts), set[Span]()
        dead, carry = self._sink.tally.dead, self.state.carry
        try:
            with damage.blamed([file.path]):
                for batch, unknown in follow.batches(file, self.catalog):
                    stale.update(self._stale(domain, batch), self._vibration.touched(batch))
                    _add(counts, unknown=unknown, taken=batch.n + unknown)
                    self._write(batch, counts)
        except (FileNotFoundError, damage.Damaged) as why:
            if isinstance(why, damage.Damaged):
                damage.set_aside(why.paths)
            self.state.carry = carry
            return False
        _add(counts, dead=self._sink.tally.dead - dead, written=dead - self._sink.tally.dead)
        self.state.counts = counts
        self.state.done.append(str(file.path))
        done = {f.path for f in pending if str(f.path) in self.state.done}
        last = committed if self.state.place.era == self._follower.present else max(f.stop for f in pending)
        self.state.place = follow.after(pending, done, self.state.place, last)
        self.state.done = [str(f.path) for f in pending if f.path in done and f.stop > self.state.place.next]
        self.book.commit(self.state, sorted(stale))
        return True

    def _write(self, b: Batch, counts: dict[str, int]) -> None:
        """Readings as lines; waveforms as features."""
        keep = self._config.influx.retention
        good, fresh = self._encoder.writable[b.row], b.t > (now() - round(keep * NS) if keep else -(2**63))
        _add(counts, unwritable=int((~good).sum()), expired=int((good & ~fresh).sum()))
        b = b.take(good & fresh)
        wave = self._waves[b.row]
        plain = b.take(~wave)
        _add(counts, written=plain.n, condensed=int(wave.sum()))
        self._sink.write(self._encoder.readings(plain))
        if wave.any():
            whole, self.state.carry = carried(self.state.carry, summed(b.take(wave)), self._room)
            self._sink.write(self._encoder.fields(whole.row, whole.t, whole.features))

    # means

    def _find_kind(self) -> None:
        """What server it is; asked until it answers."""
        if self._kind is None:
            self._kind = kind(target(self._config.influx))

    @property
    def _by_server(self) -> bool:
        tiers = self._config.influx.tiers
        return tiers == "server" or (tiers == "auto" and self._kind is not None and self._kind.trusted)

    def _stale(self, domain: str, b: Batch) -> set[Span]:
        """Stretches whose means have to be made by us."""
        if self._config.influx.tiers == "none":
            return set()
        t = np.unique(b.t[~self._waves[b.row]] // NS) * NS
        return set(touched(domain, t, TIERS, now() if self._by_server else None))

    def _means(self) -> None:
        """Make the means that are due: of a tier once in its time, of what is over at once."""
        end = time.monotonic() + MEANS
        due = [s for s in self.book.stale(but=TIER) if self._due(s)]
        made = set()
        for span in due:
            if time.monotonic() > end or not self._make(span):
                break
            made.add(span.tier)
        for tier in made:
            self._made[tier] = time.monotonic()

    def _make(self, span: Span) -> bool:
        """Make a stretch's means anew; whether the server took them."""
        bucket = f"{self._config.influx.database}{span.tier}"
        for part in lines(self.lake, self._tier_encoder(span.tier), span, self._rows(span.domain), self._kept(span.tier)):
            self._turned()
            if not self._means_sink.write(part, bucket):
                return False
        self.book.fresh([span])
        return True

    def spectra(self) -> bool:
        """Make the spectra and natural frequencies of stretches that are over; whether there are more, and can be written."""
        end = time.monotonic() + SPECTRA
        for span in self.book.stale(tier=TIER):  # the oldest come first
            if not self._means_sink.ready or not self._vibration.due(span, now()):
                return False
            if time.monotonic() > end:
                return True
            if not self._tell_vibration(span):
                return False
            self.book.fresh([span])
        return False

    def _tell_vibration(self, span: Span) -> bool:
        """Write a bridge's stretch; whether the server took all. Natural frequencies stay as long as means of an hour."""
        self._turned()
        told, keep = self._vibration.told(self.lake, self.book, span), self._config.influx.retention
        written = True
        if not keep or span.start > now() - round(keep * NS):
            written = self._means_sink.write(told.spectra) and self._means_sink.write(told.naturals)
        if written and self._config.influx.tiers != "none" and (self._kind is None or self._kind.buckets):
            written = self._means_sink.write(told.naturals, f"{self._config.influx.database}{TIERS[1].suffix}")
        return written

    def _due(self, span: Span) -> bool:
        tier = BY_SUFFIX[span.tier]
        waited = time.monotonic() - self._made.get(span.tier, -1e9) >= tier.every / NS
        return waited or span.start + tier.span < now() - tier.span

    def _rows(self, domain: str) -> Any:
        mine = (self.catalog.domain == domain) & ~self._waves & self._encoder.writable
        return np.flatnonzero(mine).astype(np.int32)

    def _kept(self, suffix: str) -> int:
        """[ns] from when on a tier keeps its means"""
        keep = self._config.influx.minutes if suffix == TIERS[0].suffix else self._config.influx.hours
        return now() - round(keep * NS) if keep else -(2**62)

    def _tier_encoder(self, suffix: str) -> Encoder:
        """VictoriaMetrics has one database for all: there a tag tells the tiers apart."""
        if self._kind is None or self._kind.buckets:
            return self._encoder
        return Encoder(self.catalog, self._config.city.name, {"db": f"{self._config.influx.database}{suffix}"})

    # what it says of itself

    def lag(self) -> float:
        """[s] since what is not written has been committed; 0 when all is, and while all is written for the first time."""
        if not self._behind or self._filling():
            return 0.0
        since = self._since
        return 0.0 if since is None else max(0.0, (now() - since) / NS)

    @property
    def _since(self) -> int | None:
        book = Book(self._config.city.data / "mirror.db", readonly=True)
        try:
            return book.since(self.state.place.next)
        finally:
            book.close()

    def _filling(self) -> bool:
        place = self.state.place
        return place.era < self._follower.present or place.next < self.state.fill

    def reasons(self) -> list[str]:
        """Why this process is not ready."""
        why = [f"influx: {x}" for x in (self._sink.why, self._means_sink.why, self._boards.why) if x][:1]
        if self._boards.desk.why:
            why.append(self._boards.desk.why)
        if (lag := self.lag()) > LAG:
            why.append(f"lake: {lag:.0f} s behind, {self._waiting} readings to be written")
        if n := len(self._encoder.refused):
            first = next(iter(self._encoder.refused))
            why.append(
                f"catalog: {n} series cannot be written, the first is {self.catalog.key[first]}: {self._encoder.refused[first]}"
            )
        return why

    def status(self) -> dict[str, Any]:
        place, counts = self.state.place, self.state.counts
        done = tallied([self._sink, self._means_sink.sink, *self._boards.sinks])
        self.metrics.show(
            done, counts, offset=place.next, lag=self.lag(), waiting=self._waiting, spooled=self._boards.waiting,
            refused=len(self._encoder.refused), missed=self._boards.scrape.failures,
        )  # fmt: skip
        return {
            "process": "mirror", "source": "mirror", "at": now(), "pid": os.getpid(), "journal": place.era,
            "offset": place.next, "lag_s": self.lag(), "waiting": self._waiting, "filling": self._filling(),
            "lines_waiting": self._boards.waiting, "counts": counts, "not_ready": self.reasons(),
        }  # fmt: skip

    def _pulse(self, stop: threading.Event) -> None:
        while True:
            self.courier.beat(self.status())
            if stop.wait(PULSE):
                return


def _rows(file: File) -> int:
    try:
        return follow.rows(file)
    except (OSError, ValueError):
        return 0


def _add(counts: dict[str, int], **more: int) -> None:
    for name, n in more.items():
        counts[name] = counts.get(name, 0) + n


def run(config: Config, stop: threading.Event, path: Path | None = None) -> None:
    """The process, with its watchdog. path: of its configuration"""
    mirror = Mirror(config)
    register(mirror.metrics.registry, "mirror", path)
    threading.Thread(target=guard, args=(lambda: mirror.beat, stop), name="watchdog", daemon=True).start()
    mirror.run(stop)
