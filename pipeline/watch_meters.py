"""What watch tells of itself to Prometheus. docs/metrics.md is made of this."""

from collections import Counter as Tally
from typing import TYPE_CHECKING, Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.ledger import balance
from lifeline.clock import now
from lifeline.model import NS, Batch, Quality
from lifeline.vitals import BUCKETS, counter
from pipeline.stopwatch import spent

if TYPE_CHECKING:
    from pipeline.watch import Watch

REASONS: Final = 40  # [1] told apart; what is refused for yet another reason is counted as "other"
SHORT: Final = 60  # [characters] of a reason


class Metrics:
    """Counters that count as things happen; what the process keeps anyhow is asked for when the page is read."""

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        self.readings = Counter("lifeline_watch_readings", "Readings judged", registry=r)
        self.late = Counter("lifeline_watch_late", "Readings not newer than the last of their series", registry=r)
        self._refused = Counter("lifeline_watch_refused", "Readings refused, by reason", ["reason"], registry=r)
        self._quality = Counter("lifeline_watch_quality", "Readings stored, by what is known of them", ["quality"], registry=r)
        self.changes = Counter("lifeline_watch_changes", "Changes of level, by the new level", ["level"], registry=r)
        self.canaries = Counter("lifeline_watch_canaries", "Canary messages judged", registry=r)
        self.step = Histogram("lifeline_watch_step_seconds", "One step of the engine", registry=r)
        self.delay = Histogram(
            "lifeline_watch_delay_seconds", "From receipt to judgement, newest message of a turn", registry=r, buckets=BUCKETS
        )
        self._lag = Gauge("lifeline_watch_lag_seconds", "Age of the newest message judged, while others wait", registry=r)
        self._behind = Gauge("lifeline_watch_lag_messages", "Messages in the journal that are not judged yet", registry=r)
        self.offset = Gauge("lifeline_watch_offset", "Number of the next message to judge", registry=r)
        self._fates = counter(r, "lifeline_watch_messages", "Messages by what became of them, on disk", ("fate",))
        self._flying = Gauge("lifeline_watch_in_flight_messages", "Acknowledged, their fate not on disk yet", registry=r)
        self._unsent = Gauge("lifeline_watch_unsent_changes", "Changes the desk has not confirmed", registry=r)
        self._unmade = Gauge("lifeline_watch_refused_changes", "Changes that the desk will not have", registry=r)
        self._age = Gauge("lifeline_watch_checkpoint_age_seconds", "Since the last checkpoint", registry=r)
        self._ahead = Gauge("lifeline_watch_ahead_ratio", "Share of the last readings dated ahead of our clock", registry=r)
        self._series = Gauge("lifeline_watch_series", "Series of the catalog", registry=r)
        self._ready = Gauge("lifeline_watch_ready", "1: ready; 0: /-/ready says why not", registry=r)
        self._steps = counter(r, "lifeline_watch_rule_steps", "Steps of a rule over series with new readings", ("rule",))
        self._time = counter(r, "lifeline_watch_rule_seconds", "Time that a rule has taken", ("rule",))
        self._known: set[str] = set()

    def bind(self, watch: "Watch") -> None:
        """From now on ask this process."""
        self._lag.set_function(watch.lag)
        self._behind.set_function(lambda: watch.head - watch.at)
        self._fates.rows = lambda: [
            ((fate,), n) for fate, n in _books(watch).items() if fate not in {"acknowledged", "in_flight"}
        ]
        self._flying.set_function(lambda: _books(watch)["in_flight"])
        self._unsent.set_function(lambda: len(watch.courier.unsent()))
        self._unmade.set_function(lambda: watch.courier.refused)
        self._age.set_function(lambda: max(0.0, (now() - watch.checkpoints.mark.t) / NS) if watch.checkpoints.mark.t else 0.0)
        self._ahead.set_function(watch.ahead)
        self._series.set(watch.catalog.n)
        self._ready.set_function(lambda: float(not watch.reasons()))
        self._steps.rows = lambda: spent(0)
        self._time.rows = lambda: spent(1)

    def refused(self, reason: str, n: int) -> None:
        """Readings of one message, refused for a reason; there are only so many that are told apart."""
        first = reason.partition(";")[0][:SHORT]
        if first not in self._known:
            first = first if len(self._known) < REASONS else "other"
            self._known.add(first)
        self._refused.labels(first).inc(n)

    def stored(self, batches: list[Batch]) -> None:
        """Count fresh readings by quality."""
        tally = Tally[int]()
        for b in batches:
            tally.update({int(q): int(n) for q, n in enumerate(np.bincount(b.quality)) if n})
        for code, n in tally.items():
            self._quality.labels(Quality(code).name).inc(n)


def _books(watch: "Watch") -> dict[str, int]:
    mark = watch.checkpoints.mark
    return balance(watch.head, mark.counts or {}, mark.next)
