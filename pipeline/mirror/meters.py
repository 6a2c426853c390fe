"""The mirror's figures."""

from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from store.influx import Tally

FATES: Final = ("written", "condensed", "dead", "expired", "unknown", "unwritable")


class Metrics(Collector):
    """Made of what is counted elsewhere, when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shown: list[Metric] = []
        self.registry.register(self)

    def collect(self) -> Any:
        """As prometheus_client asks for it."""
        return list(self._shown)

    def show(
        self,
        done: Tally,
        counts: Mapping[str, int],
        *,
        offset: int,
        lag: float,
        waiting: int,
        spooled: int,
        refused: int,
        missed: Mapping[str, int],
    ) -> None:
        """What is to be told from now on."""
        fates = CounterMetricFamily(
            "lifeline_mirror_readings", "Readings taken from the lake, by what became of them", labels=["fate"]
        )
        for fate in FATES:
            fates.add_metric([fate], counts.get(fate, 0))
        asked = CounterMetricFamily(
            "lifeline_mirror_requests", "Writes to InfluxDB, by what became of them", labels=["fate", "code"]
        )
        for (fate, code), n in sorted(done.requests.items()):
            asked.add_metric([fate, str(code)], n)
        failed = CounterMetricFamily("lifeline_mirror_scrape_failures", "Pages of figures not read", labels=["of"])
        for process, n in missed.items():
            failed.add_metric([process], n)
        self._shown = [
            fates, asked, failed,
            CounterMetricFamily("lifeline_mirror_taken", "Readings taken from the lake", value=counts.get("taken", 0)),
            CounterMetricFamily("lifeline_mirror_lines", "Lines written since the start", value=done.lines),
            CounterMetricFamily("lifeline_mirror_bytes", "Bytes of line protocol written since the start", value=done.bytes),
            CounterMetricFamily("lifeline_mirror_dead_letters", "Lines that InfluxDB refused since the start", value=done.dead),
            GaugeMetricFamily("lifeline_mirror_offset", "Everything below this journal offset is written", value=offset),
            GaugeMetricFamily("lifeline_mirror_lag_seconds", "Since when the oldest reading not written is stored", value=lag),
            GaugeMetricFamily("lifeline_mirror_waiting_readings", "Readings stored and not yet written", value=waiting),
            GaugeMetricFamily("lifeline_mirror_waiting_lines", "Lines of levels and warnings not yet written", value=spooled),
            GaugeMetricFamily("lifeline_mirror_refused_series", "Series that cannot be written", value=refused),
        ]  # fmt: skip
