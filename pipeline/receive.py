"""receive: takes messages from the broker, journals them, acknowledges them; knows nothing else."""

import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from ingest.journal import Bounds, JournalFull, Writer
from ingest.ledger import Ledger
from ingest.mqtt import Session
from lifeline.clock import now
from lifeline.config import Config
from lifeline.model import NS
from lifeline.vitals import register
from pipeline.courier import Courier
from pipeline.health import Page, guard
from pipeline.receive_meters import Metrics
from pipeline.token import token

PULSE: Final = 5.0  # [s] between heartbeats
DEAF: Final = 300.0  # [s] without a packet: worth saying, though a quiet city is possible


class Receive:
    """The process: one session, one journal."""

    def __init__(self, config: Config) -> None:
        self._config = config
        data, j = config.city.data, config.journal
        self.writer = Writer(data / "journal.db", Bounds(j.retention, j.max_size, j.min_free))
        self._ledger = Ledger(data / "ledger.db")
        self.session = Session(config.broker, self.take, memory=data / "subscriptions.json", linger=j.linger, batch=j.batch)
        self.courier = Courier(config.watch.desk, token(config))
        self.metrics = Metrics()
        self.metrics.bind(self, config.broker, data, max_size=j.max_size, min_free=j.min_free)
        self._full = ""
        self._purge_at = 0.0

    def take(self, flat: list[bytes], t: int) -> None:
        """Journal a batch received at t [ns]; an empty one asks whether there would be room."""
        try:
            self._purge(t)
            if flat:
                self._journal(flat, t)
            else:
                self.writer.check()
        except JournalFull as why:
            self._full = str(why)
            self.metrics.refused.inc()
            raise
        self._full = ""

    def _journal(self, flat: list[bytes], t: int) -> None:
        with self.metrics.commit.time():
            self.writer.append(flat, t)
        self.metrics.messages.inc(len(flat) // 2)
        self.metrics.bytes.inc(sum(map(len, flat)))
        self.metrics.batch.observe(len(flat) // 2)
        self.metrics.head.set(self.writer.head)
        self.metrics.size.set(self.writer.size)

    def _purge(self, t: int) -> None:
        """Once a second let go of what every consumer has used and nobody may want again."""
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + 1.0
        consumed = self._ledger.consumed()
        self.writer.purge(consumed, t)
        self.metrics.size.set(self.writer.size)
        self.metrics.kept.set(self.writer.head - self.writer.first())
        self.metrics.unused.set(self.writer.head - consumed)

    def reasons(self) -> list[str]:
        """Why this process is not ready."""
        why = []
        if self._full:
            why.append(f"journal: {self._full}")
        if not self.session.connected:
            why.append(f"broker: {self.session.why}")
        elif self.session.heard < now() - DEAF * NS:
            why.append(f"broker: nothing heard for more than {DEAF:.0f} s")
        return why

    def status(self) -> dict[str, Any]:
        return {
            "process": "receive", "source": "receive", "at": now(), "pid": os.getpid(), "head": self.writer.head,
            "journal_bytes": self.writer.size, "connected": self.session.connected, "connects": self.session.connects,
            "forgotten": self.session.forgotten, "heard": self.session.heard, "not_ready": self.reasons(),
        }  # fmt: skip

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        health = self._config.health
        threading.Thread(target=guard, args=(lambda: self.session.beat, stop), name="watchdog", daemon=True).start()
        self.courier.start()
        threading.Thread(target=self._pulse, args=(stop,), name="pulse", daemon=True).start()
        with Page(health.host, health.receive_port, self.metrics.registry, self.reasons, self.status):
            self.session.run(stop)
        self.courier.close()
        self.writer.close()

    def _pulse(self, stop: threading.Event) -> None:
        """Tell the desk now and then how it goes: what stops here is heard of nowhere else."""
        while True:
            self.courier.beat(self.status())
            if stop.wait(PULSE):
                return


def run(config: Config, stop: threading.Event, path: Path | None = None) -> None:
    """The process. path: of its configuration"""
    receive = Receive(config)
    register(receive.metrics.registry, "receive", path)
    receive.run(stop)
