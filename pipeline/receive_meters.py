"""What receive tells of itself to Prometheus. docs/metrics.md is made of this."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lifeline.clock import now
from lifeline.config import Broker
from lifeline.model import NS
from lifeline.vitals import counter, gauge

if TYPE_CHECKING:
    from pipeline.receive import Receive


class Metrics:
    """Counters that count as things happen; what the process keeps anyhow is asked for when the page is read."""

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        self.messages = Counter("lifeline_receive_messages", "Messages journaled and acknowledged", registry=r)
        self.bytes = Counter("lifeline_receive_bytes", "Bytes journaled", registry=r)
        self.refused = Counter("lifeline_receive_journal_refused", "Batches the journal had no room for", registry=r)
        self.commit = Histogram("lifeline_receive_commit_seconds", "One commit of the journal", registry=r)
        self.batch = Histogram(
            "lifeline_receive_batch_messages",
            "Messages in one commit",
            registry=r,
            buckets=(1, 3, 10, 30, 100, 300, 1000, 3000),
        )
        self.head = Gauge("lifeline_receive_journal_head", "Number of the next message: all before it acknowledged", registry=r)
        self.size = Gauge("lifeline_receive_journal_bytes", "Bytes kept in the journal", registry=r)
        self.kept = Gauge("lifeline_receive_journal_messages", "Messages kept in the journal", registry=r)
        self.unused = Gauge("lifeline_receive_journal_unused_messages", "Of these, not used by every consumer", registry=r)
        self._room = Gauge("lifeline_receive_journal_max_bytes", "[journal] max_size: receiving stops there", registry=r)
        self._free = Gauge("lifeline_receive_disk_free_bytes", "Free on the journal's disk", registry=r)
        self._least = Gauge("lifeline_receive_disk_min_free_bytes", "[journal] min_free: receiving stops there", registry=r)
        self._connected = Gauge("lifeline_receive_connected", "1 while the session with the broker stands", registry=r)
        self._connects = counter(r, "lifeline_receive_connects", "Sessions begun with the broker")
        self._forgotten = counter(r, "lifeline_receive_forgotten", "Sessions the broker had forgotten: what it held is lost")
        self._silence = Gauge("lifeline_receive_silence_seconds", "Since the last packet of the broker", registry=r)
        text = "When a certificate ends: of the broker, or a file of [broker]"
        self._ends = gauge(r, "lifeline_receive_certificate_expiry_timestamp_seconds", text, ("certificate",))
        self._ready = Gauge("lifeline_receive_ready", "1: ready; 0: /-/ready says why not", registry=r)

    def bind(self, receive: "Receive", broker: Broker, folder: Path, *, max_size: int, min_free: int) -> None:
        """From now on ask this process. folder: of the journal"""
        session = receive.session
        self._room.set(max_size)
        self._least.set(min_free)
        self._free.set_function(lambda: shutil.disk_usage(folder).free)
        self._connected.set_function(lambda: float(session.connected))
        self._connects.rows = lambda: [((), session.connects)]
        self._forgotten.rows = lambda: [((), session.forgotten)]
        self._silence.set_function(lambda: max(0.0, (now() - session.heard) / NS) if session.heard else 0.0)
        self._ends.rows = lambda: [*([(("broker",), session.expires)] if session.expires else []), *expiries(broker)]
        self._ready.set_function(lambda: float(not receive.reasons()))


def expiries(broker: Broker) -> Iterable[tuple[tuple[str, ...], float]]:
    """When the certificates in the files of [broker] end; one that cannot be read is left out. [s] since 1970"""
    for name in ("ca_file", "cert_file"):
        path: Path | None = getattr(broker, name)
        try:
            found = x509.load_pem_x509_certificates(path.read_bytes()) if path else []
        except (OSError, ValueError):
            continue
        if found:
            yield (name,), min(c.not_valid_after_utc.timestamp() for c in found)
