"""An InfluxDB as a store of readings, with the questions that the lake answers. What it is given must be committed: it takes
nothing back.
"""

import time

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import JUDGED, Batch, Bools, Ints, Rows
from store.influx import Dead, Sink, Target, Writer
from store.influx_read import Reader, newest, readings
from store.protocol import Encoder
from store.read import Slots, Stored, nanoseconds

EARLIEST = -(2**63) + 1  # [ns]


class LinesRefused(RuntimeError):
    """The server will not have some lines. Says the first of them, and its words."""


class InfluxStore:
    """The readings of a catalog's series."""

    def __init__(self, target: Target, catalog: Catalog, city: str, most: int = 10_000) -> None:
        self.catalog = catalog
        self._encoder = Encoder(catalog, city)
        self._sink = Sink(Writer(target), most=most, bury=_refuse, rest=_sleep)
        self.reader = Reader(target)

    def write(self, batch: Batch, start: int, stop: int) -> None:
        """Store the readings of the journal's [start, stop); may be done any number of times."""
        if not 0 <= start < stop:
            raise ValueError(f"journal offsets [{start}, {stop}): no range")
        if batch.n and not (batch.row.min() >= 0 and batch.row.max() < self.catalog.n):
            raise IndexError("a row outside the catalog")
        self._sink.write(self._encoder.readings(batch))

    def scan(self, rows: Rows, t0: int, t1: int, every: float | None = None) -> Batch | Slots:
        """The readings of (t0, t1] [ns], or their slots of `every` [s], in the order of row and time."""
        if every is None:
            return readings(self.reader, self.catalog, rows, t0, t1)
        step = nanoseconds(every)
        return slotted(readings(self.reader, self.catalog, rows, t0, t1), step)

    def latest(self, rows: Rows, since: int = EARLIEST) -> Batch:
        """The last reading of each series after `since` [ns], in the order of row; a series that has none is not there."""
        return newest(self.reader, self.catalog, rows, since)

    def stored(self, rows: Rows, t: Ints) -> Stored:
        """Which of some readings are there, and with which value. rows [n], t [n] [ns]"""
        found = Stored(np.zeros(rows.size, bool), np.full(rows.size, np.nan))
        if not rows.size:
            return found
        held = readings(self.reader, self.catalog, rows, int(t.min()) - 1, int(t.max()))
        kept = {(r, at): x for r, at, x in zip(held.row.tolist(), held.t.tolist(), held.value.tolist(), strict=True)}
        for i, at in enumerate(zip(rows.tolist(), t.tolist(), strict=True)):
            if at in kept:
                found.found[i], found.value[i] = True, kept[at]
        return found

    def known(self, batch: Batch) -> Bools:
        """[n] which readings of a batch are there, whatever their value."""
        return self.stored(batch.row, batch.t).found


def slotted(b: Batch, step: int) -> Slots:
    """Readings in the order of row and time as slots. A slot t covers (t - step, t]. step [ns]"""
    end = -(-b.t // step) * step
    first = np.flatnonzero((np.diff(b.row, prepend=-1) != 0) | (np.diff(end, prepend=np.iinfo(np.int64).min + 1) != 0))
    if not first.size:
        none = np.empty(0)
        return Slots(b.row, b.t, none, none, none, b.t, b.t)
    fit = np.isin(b.quality, JUDGED) & np.isfinite(b.value)
    judged = np.add.reduceat(fit.astype(np.int64), first)
    total = np.add.reduceat(np.where(fit, b.value, 0.0), first)
    low = np.minimum.reduceat(np.where(fit, b.value, np.inf), first)
    high = np.maximum.reduceat(np.where(fit, b.value, -np.inf), first)
    some = judged > 0
    mean = np.divide(total, judged, out=np.full(first.size, np.nan), where=some)
    counts = np.diff(first, append=b.n)
    return Slots(b.row[first], end[first], mean, np.where(some, low, np.nan), np.where(some, high, np.nan), judged, counts)


def _refuse(dead: list[Dead]) -> None:
    raise LinesRefused(f"{dead[0].code}: {dead[0].words}: {dead[0].line!r}")


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
