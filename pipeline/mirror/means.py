"""Means of minutes and hours, made of the lake: what servers cannot make, or have not made because readings came late.

A slot begins at its time, as InfluxDB's do; the readings judged are those that are fit to be judged. Waveforms have none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import JUDGED, NS, Batch, Bools, Floats, Ints, Rows
from pipeline.mirror.book import Span
from store.lake import Lake
from store.protocol import Encoder, Lines

MANY: Final = 20_000  # [1] series scanned at a time


@dataclass(frozen=True)
class Tier:
    """Means of slots of one length."""

    suffix: str  # of the database's name
    step: int  # [ns] of a slot
    span: int  # [ns] made anew in one go; whole slots
    window: int  # [ns] that the server's own query looks back over
    every: int  # [ns] between two runs of the server's own query


MINUTE: Final = 60 * NS
HOUR: Final = 60 * MINUTE
TIERS: Final = (
    Tier("_1m", MINUTE, 10 * MINUTE, 10 * MINUTE, MINUTE),
    Tier("_1h", HOUR, HOUR, 3 * HOUR, 10 * MINUTE),
)
BY_SUFFIX: Final = {t.suffix: t for t in TIERS}


def touched(domain: str, t: Ints, tiers: Iterable[Tier], at: int | None) -> Iterator[Span]:
    """Whose means change when readings of times t [n] [ns] come.

    at [ns]: when they come, where the server makes means by itself: only what its next run does not look back to.
    """
    for tier in tiers:
        for start in np.unique(t // tier.span * tier.span).tolist():
            if at is None or start < at + tier.every - tier.window:
                yield Span(tier.suffix, domain, int(start))


def lines(lake: Lake, encoder: Encoder, span: Span, rows: Rows, oldest: int) -> Iterator[Lines]:
    """The means of a span. rows: its series; oldest [ns]: from there on they are kept"""
    tier = BY_SUFFIX[span.tier]
    start = max(span.start, -(-oldest // tier.step) * tier.step)
    stop = span.start + tier.span
    for a in range(0, rows.size if start < stop else 0, MANY):
        b = lake.scan(rows[a : a + MANY], start - 1, stop - 1)
        row, t, columns = means(b, tier.step)
        if row.size:
            yield encoder.fields(row, t, columns)


def means(b: Batch, step: int) -> tuple[Rows, Ints, dict[str, Floats | Ints]]:
    """Of readings in the order of row and time: row and beginning [ns] of each slot, and its mean, min, max and count."""
    fit: Bools = np.isin(b.quality, JUDGED) & np.isfinite(b.value)
    b = b.take(fit)
    if not b.n:
        return b.row, b.t, {}
    slot = b.t // step * step
    first = np.flatnonzero((np.diff(b.row, prepend=-1) != 0) | (np.diff(slot, prepend=-1) != 0))
    count = np.diff(first, append=b.n)
    total = np.add.reduceat(b.value, first)
    low, high = np.minimum.reduceat(b.value, first), np.maximum.reduceat(b.value, first)
    return b.row[first], slot[first], {"mean": total / count, "min": low, "max": high, "count": count}
