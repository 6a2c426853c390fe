"""The desk's own figures, for Prometheus. docs/metrics.md is made of this."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from alerts import queries, spool
from alerts.book import Fate, Taken
from alerts.dangers import ledger
from alerts.routing.router import standing
from alerts.tables import Database
from lifeline.model import NS, Change, Mode

LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)  # [s]


class Meters:
    """Counters that count as things happen, gauges that are read from the database when asked."""

    def __init__(self, database: Database) -> None:
        self.registry = r = CollectorRegistry()
        self._database = database
        self._changes = Counter("lifeline_desk_changes", "Changes of level handed in", ["fate"], registry=r)
        self._passive = Counter(
            "lifeline_desk_passive_changes", "Changes by rules that only watch", ["rule", "level"], registry=r
        )
        self._refused = Counter("lifeline_desk_refused", "Items that could not be read or judged", registry=r)
        self._sent = Counter("lifeline_desk_notifications", "Notices delivered", ["integration"], registry=r)
        self._failed = Counter(
            "lifeline_desk_notifications_failed", "Attempts that failed", ["integration", "reason"], registry=r
        )
        self._lost = Counter("lifeline_desk_notifications_given_up", "Notices given up", ["integration"], registry=r)
        text = "From the sensor's instant to the first delivery of a rise of level"
        self._latency = Histogram("lifeline_desk_notification_latency_seconds", text, registry=r, buckets=LATENCY)
        self._live = Gauge("lifeline_desk_warnings", "Warnings not closed", ["domain", "level", "state"], registry=r)
        self._quiet = Gauge("lifeline_desk_suppressed", "Warnings told to nobody, by reason", ["reason"], registry=r)
        self._waiting = Gauge("lifeline_desk_outbox_waiting", "Notices not delivered yet", registry=r)
        self._oldest = Gauge("lifeline_desk_outbox_oldest_seconds", "Age of the oldest of them", registry=r)
        self._dangers = Gauge("lifeline_desk_dangers", "Dangers on the ledger", ["state", "source"], registry=r)
        self._unseen = Gauge("lifeline_desk_dangers_unseen_seconds", "Age of the oldest nobody has assessed", registry=r)
        self._beat = Gauge("lifeline_desk_heartbeat_age_seconds", "Since a process was last heard", ["source"], registry=r)
        self._lag = Gauge("lifeline_desk_heartbeat_lag_seconds", "How far behind it said to be", ["source"], registry=r)

        text = "Our clock less the process's when it was last heard, the way here included"
        self._skew = Gauge("lifeline_desk_clock_skew_seconds", text, ["source"], registry=r)
        self.more: list[Callable[[int], None]] = []  # what else is looked up when the page is read; given the time [ns]

    def took(self, taken: Taken, said: list[Change]) -> None:
        for fate, n in zip(
            (Fate.ACCEPTED, Fate.DUPLICATE, Fate.LATE), (taken.accepted, taken.duplicates, taken.out_of_order), strict=True
        ):
            self._changes.labels(fate).inc(n)
        if taken.duplicates == 0:  # what is said again is not counted again
            for change in said:
                if change.mode is Mode.PASSIVE:
                    self._passive.labels(change.rule, change.new).inc()

    def refused(self, n: int) -> None:
        self._refused.inc(n)

    def sent(self, channel: str, latency: float | None) -> None:
        self._sent.labels(channel).inc()
        if latency is not None:
            self._latency.observe(latency)

    def failed(self, channel: str, reason: str, *, final: bool) -> None:
        self._failed.labels(channel, reason).inc()
        if final:
            self._lost.labels(channel).inc()

    def page(self, now: int) -> bytes:
        """The text that Prometheus reads. now [ns]"""
        self._live.clear()
        for (domain, level, state), n in queries.counts(self._database).items():
            self._live.labels(domain, level, state).set(n)
        with self._database.read() as db:
            quiet = standing(db).values()
        self._quiet.labels("silence").set(sum(bool(q.silences) for q in quiet))
        self._quiet.labels("inhibition").set(sum(bool(q.inhibitors) for q in quiet))
        waiting, oldest = spool.backlog(self._database)
        self._waiting.set(waiting)
        self._oldest.set(0.0 if oldest is None else max(0.0, (now - oldest) / NS))
        self._dangers.clear()
        for (state, source), n in ledger.counts(self._database).items():
            self._dangers.labels(state, source).set(n)
        self._unseen.set(ledger.unseen(self._database, now))
        for source, beat in queries.beats(self._database).items():
            self._beat.labels(source).set((now - beat.at) / NS)
            if beat.lag is not None:
                self._lag.labels(source).set(beat.lag)
            if beat.said is not None:
                self._skew.labels(source).set((beat.at - beat.said) / NS)
        for more in self.more:
            more(now)
        return generate_latest(self.registry)
