"""watch: turns the journal into stored readings and changes of level."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

import detectors
from ingest.admit import Terms
from ingest.decode import decode
from ingest.journal import Entry, JournalBroken, Reader, prepare
from ingest.ledger import DeadLetter, Ledger
from ingest.quality import gate, settings
from lifeline.catalog import Catalog, load
from lifeline.clock import now
from lifeline.config import Config
from lifeline.model import NS, Change, Evidence, Level, Quality, change_id
from lifeline.vitals import register
from pipeline import canary
from pipeline.checkpoint import Checkpoints, Known, Span
from pipeline.courier import Courier
from pipeline.engine import TICK, Blocks, Engine, Part
from pipeline.health import Page, guard
from pipeline.letters import forget
from pipeline.memory import give_back, settle
from pipeline.token import token
from pipeline.upkeep import Upkeep
from pipeline.watch_meters import Metrics
from store.lake import Lake

log = logging.getLogger("lifeline.watch")

READINGS: Final = 4_000_000  # in memory before a checkpoint is due early; twice that, and watch waits for the disk
REST: Final = 0.05  # [s] that messages may gather at most
BEHIND: Final = 0.5  # [s] of lag from which on there is no rest
GONE: Final = Evidence([], [], "1", {}, "1", "the series has left the catalog, or the rule the rules")
PIECE: Final = 1 << 22  # [byte] of payloads judged between two beats
MOSTLY: Final = 0.5  # [1] of the readings; single devices with a wrong clock are no matter of this machine
PULSE: Final = 2.5  # [s] between heartbeats
LAG: Final = 30.0  # [s] behind the journal before it is worth saying


@dataclass
class Segment:
    """Entries that are judged in one step: up to the first that moves the data's clock into another second."""

    parts: list[Part] = field(default_factory=list)
    blocks: list[Blocks] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


class Watch:
    """The process: journal in, lake and changes out."""

    def __init__(self, config: Config, catalog: Catalog | None = None) -> None:
        self._config = config
        data = config.city.data
        data.mkdir(parents=True, exist_ok=True)
        self.catalog = catalog or load(config.city.catalog)
        rules, told = detectors.rules(config.watch.rules), gate(self.catalog, settings())
        self.engine = Engine(self.catalog, rules, told, config.city.name, maps=config.maps)
        self.lake = Lake(data / "lake", self.catalog)
        self.checkpoints = Checkpoints(self.lake, lambda: Ledger(data / "ledger.db"), data)
        self.upkeep = Upkeep(
            self.lake, config.lake, lambda: self.checkpoints.mark.next, partial(forget, data, config.journal.dead)
        )
        self.courier = Courier(config.watch.desk, token(config))
        n = max(self.catalog.n, 1)
        self._canary = canary.Judge(config.city.name, float(self.catalog.lat.sum()) / n, float(self.catalog.lon.sum()) / n)
        unsent, raised = self.checkpoints.restore(self.engine)
        self.raised = {(c.key, c.rule): c for c in raised}  # what stands at the desk
        self.courier.send([*unsent, *self._withdrawn()])
        settle()
        prepare(data / "journal.db")
        self._reader = Reader(data / "journal.db")
        self.at = self.head = self.checkpoints.mark.next
        self._span = Span(self.at, self.at)
        self._terms = Terms(config.watch.skew, config.watch.oldest, config.broker.max_payload, config.watch.own_series)
        self._flushed = time.monotonic()
        self._caught_up, self._recovering = True, True
        self._looked, self._ahead = 0, 0  # readings of late, and those among them dated ahead of their receipt
        self._newest = 0  # [ns] receipt of the newest message judged
        self.readings = 0  # judged since the start of the process
        self.beat = time.monotonic()
        self.metrics = Metrics()
        self.metrics.bind(self)

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; ends with a checkpoint."""
        health = self._config.health
        self.courier.start()
        self.upkeep.start()
        with Page(health.host, health.watch_port, self.metrics.registry, self.reasons, self.status):
            pulse = 0.0
            while not stop.is_set():
                self.beat = time.monotonic()
                some = self.turn()
                stop.wait(self._rest(time.monotonic() - self.beat) if some else self._config.watch.poll)
                if self.beat >= pulse:
                    pulse = self.beat + PULSE
                    self.courier.beat(self.status())
                    self._looked, self._ahead = self._looked // 2, self._ahead // 2  # mostly the last seconds
                    give_back()  # what checkpoints took to write their files
            self.checkpoints.hurry()
            self.flush(wait=True)
        self.courier.close()
        self.upkeep.close()
        self.checkpoints.close()

    def turn(self, most: int = 256) -> bool:
        """Judge what the journal holds next, up to so many batches; says whether there was anything."""
        if self._span.readings >= 2 * READINGS and self.checkpoints.busy:
            return False  # the disk is behind: the journal waits, not the memory grows
        entries = self._reader.read(self.at, most)
        for piece in pieces(entries):
            self.judge(piece)
            self.beat = time.monotonic()
        self.head = head = self._reader.head()
        if head < self.at:
            raise JournalBroken(
                f"the journal ends at message {head}, but {self.at} are judged: bring it back, or say that it begins anew: "
                "lifeline seal"
            )
        self._caught_up = head == self.at
        self._flush_when_due()
        return bool(entries)

    def _rest(self, took: float) -> float:
        """How long to let messages gather after a turn [s]: a step of many costs little more than one of few."""
        return min(took, REST) if self.lag() < BEHIND else 0.0

    def judge(self, entries: list[Entry]) -> None:
        """Decode and step; entries are merged as long as the data's clock stays within its second."""
        segment, clock = Segment(), self.engine.clock
        for entry in entries:
            clock = max(clock, self._take(entry, segment))
            if clock // TICK > self.engine.clock // TICK:
                self._step(segment, clock)
                segment = Segment()
        self._step(segment, clock)
        if entries:
            self._newest = entries[-1].t
            self.metrics.offset.set(self.at)
            self.metrics.delay.observe(max(0.0, (now() - self._newest) / NS))

    def _take(self, entry: Entry, segment: Segment) -> int:
        """Decode one entry into the segment -> where it moves the data's clock [ns]; 0: nowhere."""
        messages = [
            (topic.decode("utf-8", "replace"), payload) for topic, payload in zip(entry.topics, entry.payloads, strict=True)
        ]
        decoded = decode(messages, entry.t, self.catalog, self._terms, self._config.city.name)
        for r in decoded.refused:
            at = r.message
            letter = DeadLetter(entry.first + at, entry.t, r.items, r.reason, r.places, entry.topics[at], entry.payloads[at])
            self._span.refused.append(letter)
            self.metrics.refused(r.reason, r.items)
        for at in decoded.canary:
            self._take_canary(entry.first + at, *messages[at], entry.t)
        b = decoded.batch
        if b.n:
            segment.parts.append(Part(b, entry.first + decoded.message, entry.t))
        own = int(b.t[decoded.own & (b.quality != Quality.CLOCK)].max(initial=0))  # times to be trusted
        newest = int(b.t.max(initial=0))
        self._looked += b.n
        self._ahead += int((b.quality == Quality.CLOCK).sum())
        for block, message in zip(decoded.blocks, decoded.block_message, strict=True):
            segment.blocks.append(Blocks(block, entry.first + message, entry.t))
            ends = block.t + block.step * (block.value.shape[1] - 1)
            own = max(own, int(ends[~(block.quality == Quality.CLOCK).any(axis=1)].max(initial=0)))
            newest = max(newest, int(ends.max(initial=0)))
        segment.entries.append(entry)
        self.at = self._span.end = entry.end
        return self.engine.moved(own, newest, entry.t)

    def _take_canary(self, number: int, topic: str, payload: bytes, at: int) -> None:
        """Judge a message that no device sent; it counts as stored, and nothing of it is kept. at [ns]"""
        changes, dead = self._canary.judge(number, topic, payload, at, self._terms)
        self.courier.send(changes)
        self.metrics.canaries.inc()
        self._span.refused += dead
        if not dead:
            self._span.used.append(np.array([number], np.int64))

    def _step(self, segment: Segment, clock: int) -> None:
        if not segment.parts and not segment.blocks:
            return
        with self.metrics.step.time():
            out = self.engine.step(segment.parts, segment.blocks, clock)
        self._tell(out.changes)
        self._span.add(out)
        for part in out.late:
            self._keep(segment, part)
        fresh = sum(b.n for b in out.fresh)
        self.readings += fresh
        self.metrics.readings.inc(fresh)
        self.metrics.stored(out.fresh)
        for change in out.changes:
            self.metrics.changes.labels(change.new).inc()

    def _tell(self, changes: list[Change]) -> None:
        """Send changes to the desk, and remember what stands there."""
        self.courier.send(changes)
        for c in changes:
            if c.new == Level.NORMAL.name:
                self.raised.pop((c.key, c.rule), None)
            else:
                self.raised[c.key, c.rule] = msgspec.structs.replace(c, evidence=GONE)

    def _withdrawn(self) -> list[Change]:
        """Levels that stand at the desk and not here: their series has left the catalog, or their rule the rules."""
        changes = []
        for at, c in list(self.raised.items()):
            level, t = self.engine.level(*at), max(self.engine.clock, c.t)
            if level.name == c.new:
                continue
            new = msgspec.structs.replace(
                c, id=change_id(c.rule, c.key, t, level), t=t, old=c.new, new=level.name, score=None, evidence=GONE
            )
            changes.append(new)
            self.raised[at] = new
            if level == Level.NORMAL:
                del self.raised[at]
        return changes

    def _keep(self, segment: Segment, part: Part) -> None:
        """Late readings may turn out to contradict what is stored: keep their messages until that is known."""
        self.metrics.late.inc(part.batch.n)
        firsts = np.array([e.first for e in segment.entries])
        for number in np.unique(part.number).tolist():
            entry = segment.entries[int(np.searchsorted(firsts, number, side="right")) - 1]
            at = number - entry.first
            self._span.raw[number] = (entry.t, entry.topics[at], entry.payloads[at])

    def _flush_when_due(self) -> None:
        """Every few seconds, or earlier when much has come, but never while another is being written."""
        readings = self._span.readings
        due = time.monotonic() - self._flushed >= self._config.watch.flush or readings >= READINGS
        if self._caught_up and self._recovering:  # what was read again after a start is soon behind us for good
            self._recovering, due = False, True
        if due and not self.checkpoints.busy:
            self.flush()

    def flush(self, *, wait: bool = False) -> None:
        """Checkpoint what has been judged."""
        span = self._span
        if span.end > span.first:
            self.checkpoints.start(span, self.engine, Known(self.courier.unsent(), list(self.raised.values())))
            self._span = Span(span.end, span.end)
        self._flushed = time.monotonic()
        if wait:
            self.checkpoints.wait()

    def reasons(self) -> list[str]:
        """Why this process is not ready."""
        why = []
        if self.checkpoints.why:
            why.append(f"checkpoint: {self.checkpoints.why}")
        if self._ahead > MOSTLY * self._looked > 0:
            why.append(
                f"clock: {self._ahead} of the last {self._looked} readings are dated ahead; is this machine's clock slow?"
            )
        if self.courier.why:
            why.append(f"desk: {self.courier.why}")
        if self.courier.refused:
            why.append(f"desk: refuses {self.courier.refused} changes; the log has them; are watch and desk of one version?")
        if (lag := self.lag()) > LAG:
            why.append(f"journal: {lag:.0f} s behind")
        return why

    def lag(self) -> float:
        """[s] age of the newest message judged, while there are others; 0 when all are judged."""
        return 0.0 if self._caught_up else max(0.0, (now() - self._newest) / NS)

    def ahead(self) -> float:
        """[1] share of the last readings that are dated ahead of their receipt."""
        return self._ahead / self._looked if self._looked else 0.0

    def status(self) -> dict[str, Any]:
        """For the health page, the heartbeat and the terminal view."""
        mark = self.checkpoints.mark
        return {
            "process": "watch", "source": "watch", "at": now(), "pid": os.getpid(), "offset": self.at, "checkpoint": mark.next,
            "readings": self.readings, "clock": self.engine.clock, "lag_s": self.lag(),
            "series": self.catalog.n, "counts": mark.counts, "not_ready": self.reasons(),
        }  # fmt: skip


def pieces(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Entries in runs of a few megabytes, so that no step takes longer than the watchdog waits."""
    piece: list[Entry] = []
    size = 0
    for entry in entries:
        piece.append(entry)
        size += sum(map(len, entry.payloads))
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def run(config: Config, stop: threading.Event, path: Path | None = None) -> None:
    """The process, with its watchdog. path: of its configuration"""
    watch = Watch(config)
    register(watch.metrics.registry, "watch", path)
    threading.Thread(target=guard, args=(lambda: watch.beat, stop), name="watchdog", daemon=True).start()
    watch.run(stop)
