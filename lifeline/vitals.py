"""What every process tells of itself to Prometheus: how it was built, whether its configuration is in force, what it costs."""

import os
import platform
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from lifeline.build import ConfigRefused
from lifeline.clock import now
from lifeline.config import load
from lifeline.model import NS

BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)  # [s] from sensor to person
DISTRIBUTION: Final = "city-lifeline"

Rows = Callable[[], Iterable[tuple[tuple[str, ...], float]]]  # (labels, value)


class Asked(Collector):
    """Figures that somebody else keeps: asked for when the page is read, so that they cost nothing meanwhile."""

    def __init__(self, kind: type[Metric], name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self._kind, self._name, self._text, self._labels = kind, name, text, labels
        self.rows: Rows = lambda: ()

    def _family(self) -> Metric:
        return self._kind(self._name, self._text, labels=self._labels)  # type: ignore[call-arg]  # all families take them

    def describe(self) -> Iterable[Metric]:
        """Its name and labels, without a value."""
        yield self._family()

    def collect(self) -> Iterable[Metric]:
        """As it is now."""
        family = self._family()
        for labels, value in self.rows():
            family.add_metric(list(labels), value)  # type: ignore[attr-defined]
        yield family


def counter(registry: CollectorRegistry, name: str, text: str, labels: tuple[str, ...] = ()) -> Asked:
    """A counter that somebody else counts."""
    made = Asked(CounterMetricFamily, name, text, labels)
    registry.register(made)
    return made


def gauge(registry: CollectorRegistry, name: str, text: str, labels: tuple[str, ...] = ()) -> Asked:
    """Gauges that somebody else keeps."""
    made = Asked(GaugeMetricFamily, name, text, labels)
    registry.register(made)
    return made


class Settings:
    """The file a process was started with: whether it is still what is in force, and whether it would be taken."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.hash = self.seen = self._digest()
        self.loaded = now()  # [ns]
        self.valid = True

    def _digest(self) -> int:
        """[48 bits], as Alertmanager tells its own; 0: there is no file."""
        try:
            return int.from_bytes(sha256(self._path.read_bytes()).digest()[:6]) if self._path else 0
        except OSError:
            return 0

    def look(self) -> bool:
        """Whether the file on the disk is another than the one in force; where it is new to us, try it."""
        found = self._digest()
        if found != self.seen and self._path is not None:
            self.seen = found
            try:
                load(self._path, os.environ)
                self.valid = True
            except ConfigRefused:
                self.valid = False
        return found != self.hash

    def good(self) -> float:
        """1 unless the file as it is now would be refused."""
        self.look()
        return float(self.valid)


def installed() -> str:
    """The version of this program."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


class _Build(Collector):
    def describe(self) -> Iterable[Metric]:
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        told = {"version": installed(), "python": platform.python_version()}
        family = InfoMetricFamily("lifeline_build", "Version of this program and of Python; always 1", labels=())
        family.add_metric([], told)
        yield family


def register(registry: CollectorRegistry, process: str, config: Path | None = None) -> None:
    """Add them to a process's page. config: the file it was started with; None: none."""
    ProcessCollector(registry=registry)
    registry.register(_Build())
    settings, name = Settings(config), f"lifeline_{process}_config"
    Gauge(f"{name}_hash", "First 48 bits of SHA-256 of the file in force; 0: none", registry=registry).set(settings.hash)
    loaded = Gauge(f"{name}_loaded_timestamp_seconds", "When the configuration was read", registry=registry)
    loaded.set(settings.loaded / NS)
    pending = Gauge(f"{name}_pending", "1: the file has changed since it was read; it needs a restart", registry=registry)
    pending.set_function(lambda: float(settings.look()))
    valid = Gauge(f"{name}_valid", "0: the file as it is now would be refused at the next start", registry=registry)
    valid.set_function(settings.good)
