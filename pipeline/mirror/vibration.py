"""What the mirror writes of bridges' accelerometers besides their seconds: spectra and natural frequencies, of whole stretches.

A stretch is made of the lake once it is over, and again when readings of it came later; the book keeps which have to be made.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from detectors.modes import Modes
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Domain, Floats, Rows
from pipeline.mirror.book import Book, Reference, Span
from pipeline.mirror.naturals import SLOWEST, Cross, begun, crossed, enough, followed, looked
from pipeline.mirror.spectra import NAMES, WINDOW, Windows, spectrum, windows
from store.features import waves
from store.lake import Lake
from store.protocol import Encoder, Lines, line

log = logging.getLogger("lifeline.mirror")

TIER: Final = "spectra"  # under which the book keeps stretches; their `domain` is the bridge
GRACE: Final = 30 * NS  # [ns] after a stretch, for what is still on its way
HOUR: Final = 3600 * NS
LEAST: Final = 6  # [min] of a stretch: its windows must suffice to find modes again


class Told(NamedTuple):
    """Of one stretch of one bridge."""

    spectra: Lines
    naturals: Lines


class Vibration:
    """Bridges of a catalog that have accelerometers. every [s]: a stretch, rounded to minutes, six at least; 0: none is told"""

    def __init__(self, catalog: Catalog, encoder: Encoder, city: str, every: float) -> None:
        self._catalog, self._city, self._every = catalog, city, max(LEAST, round(every / WINDOW)) * round(WINDOW * NS)
        fast = waves(catalog) & np.isin(catalog.quantity, Modes().over) & (catalog.domain == str(Domain.BRIDGE))
        mine = np.flatnonzero(fast & encoder.writable) if every else np.empty(0, np.int64)
        self._bridges = sorted(set(catalog.asset[mine].tolist()))
        self._bridge = np.full(catalog.n, -1)  # [rows] number of a row's bridge; -1: no accelerometer
        self._bridge[mine] = [self._bridges.index(a) for a in catalog.asset[mine].tolist()]

    def touched(self, b: Batch) -> set[Span]:
        """Stretches that readings are of."""
        bridge = self._bridge[b.row]
        some = bridge >= 0
        if not some.any():
            return set()
        found = np.unique(np.stack([bridge[some], b.t[some] // self._every]), axis=1)
        return {Span(TIER, self._bridges[i], n * self._every) for i, n in found.T.tolist()}

    def due(self, span: Span, at: int) -> bool:
        """Whether a stretch is over. at [ns]"""
        return span.start + self._every + GRACE <= at

    def told(self, lake: Lake, book: Book, span: Span) -> Told:
        """What is to be written of a stretch: nothing of a series with gaps, nor of modes that are in doubt."""
        rows = self._rows(span.domain)
        heard = self._heard(lake, rows, span.start)
        spectra = [self._spectrum(row, spectrum(w), span.start) for row, w in heard.items() if w.enough]
        return Told(Lines.of(x for part in spectra for x in part), Lines.of(self._naturals(lake, book, span, heard)))

    def _rows(self, bridge: str) -> Rows:
        """[p] its accelerometers; none where the catalog knows the bridge no more"""
        known = self._bridges.index(bridge) if bridge in self._bridges else -2
        return np.flatnonzero(self._bridge == known).astype(np.int32)

    def _heard(self, lake: Lake, rows: Rows, start: int) -> Mapping[int, Windows]:
        """Catalog row -> its windows, of a stretch from start [ns] on."""
        b = lake.scan(rows, start - 1, start + self._every - 1) if rows.size else Batch.empty()
        first = np.searchsorted(b.row, rows)
        last = np.searchsorted(b.row, rows, "right")
        step = self._catalog.step[rows].tolist()
        return {
            row: windows(b.take(slice(i, j)), start, self._every, s)
            for row, i, j, s in zip(rows.tolist(), first.tolist(), last.tolist(), step, strict=True)
        }

    def _tags(self, row: int) -> dict[str, str]:
        c = self._catalog
        said = {name: str(getattr(c, name)[row]) for name in ("asset", "district", "domain", "device", "key")}
        return {"city": self._city, **said}

    def _spectrum(self, row: int, density: Floats, t: int) -> Iterator[bytes]:
        tags = self._tags(row)
        for name, x in zip(NAMES, density.tolist(), strict=True):
            yield line("spectrum", {**tags, "frequency": name}, {"value": x}, t)

    def _naturals(self, lake: Lake, book: Book, span: Span, heard: Mapping[int, Windows]) -> Iterator[bytes]:
        rows = np.array([row for row, w in heard.items() if w.step <= SLOWEST], np.int32)
        if not rows.size:
            return
        rows = rows[looked(rows.tolist())]
        cross = crossed([heard[r] for r in rows.tolist()])
        reference = self._reference(lake, book, span, rows) if enough(cross) else None
        if reference is None:
            return
        tags = {k: v for k, v in self._tags(int(rows[0])).items() if k not in {"device", "key"}}
        found = followed(reference, cross)
        for i, hertz in enumerate(found.tolist(), 1):
            yield line("natural_frequency", {**tags, "mode": str(i)}, {"value": hertz}, span.start)

    def _reference(self, lake: Lake, book: Book, span: Span, rows: Rows) -> Reference | None:
        """The bridge's modes as first found; looked for now where they are not yet, or were of other series."""
        keys = self._catalog.key[rows].tolist()
        known = book.modes(span.domain)
        if known is not None and known.keys == tuple(keys):
            return known
        total = self._hour(lake, rows, span.start)
        made = begun(keys, total)
        if made is not None:
            book.number(span.domain, made)
            told = ", ".join(f"{f:.2f}" for f in made.first.tolist())
            log.info("the modes of a bridge are numbered", extra={"asset": span.domain, "hertz": told})
        return made

    def _hour(self, lake: Lake, rows: Rows, start: int) -> Cross:
        """Of the hour that ends with a stretch."""
        total: Cross | None = None
        for i in range(max(1, HOUR // self._every)):
            heard = self._heard(lake, rows, start - i * self._every)
            c = crossed([heard[r] for r in rows.tolist()])
            total = c if total is None else total + c
        assert total is not None
        return total
