"""Figures that the desk looks up when its page is read: the map, the chase, the size of the database, its readiness."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Gauge

from alerts.chain import audit
from alerts.colours import NAMES
from alerts.tables import Database
from lifeline.catalog import Catalog

Painted = Callable[[int], NDArray[np.int8]]  # at [ns] -> position in NAMES of every asset, as alerts.colours.Map orders them

SIZE: Final = "SELECT pg_database_size(current_database())"


class Sights:
    """Gauges that are set in one go."""

    def __init__(self, registry: CollectorRegistry) -> None:
        r = registry
        self._assets = Gauge(
            "lifeline_desk_assets", "Assets by their level, UNKNOWN among them", ["domain", "level"], registry=r
        )
        self._overdue = Gauge("lifeline_desk_chains_overdue", "Steps of escalation that were missed", registry=r)
        self._forgotten = Gauge("lifeline_desk_chains_forgotten", "Warnings whose answer nobody chases", registry=r)
        self._bytes = Gauge("lifeline_desk_database_bytes", "Size of the desk's database, its log included", registry=r)
        self._ready = Gauge("lifeline_desk_ready", "1: ready; 0: /-/ready says why not", registry=r)

    def bind(self, database: Database, catalog: Catalog, painted: Painted, reasons: Callable[[], list[str]]) -> None:
        """From now on look there."""
        self._database, self._painted, self._reasons = database, painted, reasons
        _, first = np.unique(catalog.asset.astype(str), return_index=True)
        domains, at = np.unique(catalog.domain[first].astype(str), return_inverse=True)
        self._domains: list[str] = domains.tolist()
        self._of: NDArray[np.intp] = at  # [a] domain of each asset

    def look(self, at: int) -> None:
        """Set them all. at [ns]"""
        counts = np.zeros((len(self._domains), len(NAMES)), np.int64)
        np.add.at(counts, (self._of, self._painted(at)), 1)
        for domain, row in zip(self._domains, counts.tolist(), strict=True):
            for level, n in zip(NAMES, row, strict=True):
                self._assets.labels(domain, level).set(n)
        missed = audit(self._database, at)
        self._overdue.set(missed.overdue)
        self._forgotten.set(len(missed.forgotten))
        self._bytes.set(size(self._database))
        self._ready.set(not self._reasons())


def size(database: Database) -> int:
    """[byte] on the disk."""
    url = database.engine.url
    if url.get_backend_name() == "postgresql":
        with database.read() as db:
            return int(db.exec_driver_sql(SIZE).scalar_one())
    files = [Path(f"{url.database}{end}") for end in ("", "-wal")]
    return sum(f.stat().st_size for f in files if f.exists())
