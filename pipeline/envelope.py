"""Readings of a whole scenario in few numbers: the smallest, the largest and the last of each slice of its time.

A spike of a single sample stays visible, and ninety days of 50 Hz take no more memory than an hour.
"""

from typing import Final

import numpy as np

from lifeline.model import NS, Batch, Floats, Ints, Rows
from simulators.world import Turn

SLICES: Final = 480


class Envelope:
    """Of some series of a catalog from `start` to `end` [ns]."""

    def __init__(self, rows: Rows, n: int, start: int, end: int) -> None:
        """rows [m] kept; n: series of the catalog."""
        self._place = np.full(n, -1)
        self._place[rows] = np.arange(rows.size)
        self._start, self._width = start, max((end - start) // SLICES, NS)
        self.low = np.full((rows.size, SLICES), np.inf)  # [m, SLICES] [SI]; +inf: nothing came
        self.high = np.full((rows.size, SLICES), -np.inf)  # [m, SLICES] [SI]
        self.last = np.full((rows.size, SLICES), np.nan)  # [m, SLICES] [SI]

    def add(self, turn: Turn) -> None:
        if turn.batch.n:
            self._batch(turn.batch)
        for block in turn.blocks:
            if (self._place[block.row] >= 0).any():
                self._batch(block.flat())

    def _batch(self, b: Batch) -> None:
        place = self._place[b.row]
        piece = (b.t - self._start) // self._width
        mine = (place >= 0) & (piece >= 0) & (piece < SLICES) & np.isfinite(b.value)
        at, x = place[mine] * SLICES + piece[mine], b.value[mine]
        np.minimum.at(self.low.reshape(-1), at, x)
        np.maximum.at(self.high.reshape(-1), at, x)
        self.last.reshape(-1)[at] = x

    def of(self, row: int) -> tuple[Ints, Floats, Floats, Floats]:
        """Of the slices in which anything came: which [k], and their smallest, largest and last readings [k] [SI]."""
        i = int(self._place[row])
        some = np.flatnonzero(np.isfinite(self.last[i])) if i >= 0 else np.empty(0, np.int64)
        return some, self.low[i, some], self.high[i, some], self.last[i, some]
