"""docs/metrics.md, made from the metrics themselves: what each is called, its labels, what it means."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry

from alerts.canary import Figures
from alerts.meters import Meters
from alerts.sights import Sights
from alerts.tables import Database
from lifeline.vitals import register
from pipeline import receive_meters, watch_meters
from pipeline.mirror import meters as mirror_meters
from store.influx import Tally

HEAD: Final = """\
# Metrics

What the processes tell Prometheus under `/metrics`, by process. receive, watch and mirror answer on the ports of `[health]`,
the desk on its own port and only to who has a credential. This page is made from the code
(`.venv/bin/python tests/pipeline/test_figures.py`); what to make of the figures stands in [observing.md](observing.md). No
label names a series, a device or an asset: there are never more lines than rules, channels, reasons and levels. A histogram has
`_bucket` (label `le`), `_sum` and `_count`.
"""

TYPES: Final = {"counter": "_total", "info": "_info"}  # what Prometheus hangs on to the name
MEANING: Final = {
    "process_virtual_memory_bytes": "Virtual memory of the process",
    "process_resident_memory_bytes": "Memory that the process holds",
    "process_start_time_seconds": "When the process began, in seconds since 1970",
    "process_cpu_seconds_total": "Processor time spent",
    "process_open_fds": "Open file descriptors",
    "process_max_fds": "File descriptors that may be open",
}


class Figure(NamedTuple):
    """One metric."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


def registries() -> dict[str, CollectorRegistry]:
    """Process -> its metrics, with nothing measured."""
    desk = Meters(Database("sqlite://")).registry
    Sights(desk)
    Figures(desk)
    made = {"receive": receive_meters.Metrics().registry, "watch": watch_meters.Metrics().registry, "desk": desk}
    mirror = mirror_meters.Metrics()
    mirror.show(Tally(), {}, offset=0, lag=0.0, waiting=0, spooled=0, refused=0, missed={})
    made["mirror"] = mirror.registry
    for process, registry in made.items():
        register(registry, process)
    return made


def figures(registry: CollectorRegistry) -> list[Figure]:
    """All of a process, by name."""
    found: list[Figure] = []
    for collector in list(registry._collector_to_names):  # noqa: SLF001  the library tells them nowhere else
        found += _of(collector)
    return sorted(found)


def _of(collector: Any) -> Iterable[Figure]:
    for family in collector.describe() if hasattr(collector, "describe") else collector.collect():
        labels: Iterable[str] = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
        if family.type == "info":
            labels = tuple(family.samples[0].labels)
        name = family.name + TYPES.get(family.type, "")
        yield Figure(name, family.type, tuple(labels), MEANING.get(name, family.documentation))


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for process, registry in registries().items():
        parts += [f"## {process}", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
        parts += [f"| `{f.name}` | {f.kind} | {', '.join(f'`{x}`' for x in f.labels)} | {f.text} |" for f in figures(registry)]
        parts.append("")
    return "\n".join(parts)
