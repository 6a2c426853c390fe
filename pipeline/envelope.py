"""Readings of a whole scenario in few numbers: the smallest, the largest and the last of each slice of its time.

A spike of a single sample stays visible, and ninety days of 50 Hz take no more memory than an hour.
"""

from typing import Final

import numpy as np

from lifeline.model import Block, Floats, Ints, Rows
from simulators.world import Turn, ends

SLICES: Final = 480


class Envelope:
    """Of some series of a catalog from `start` to `end` [ns]."""

    def __init__(self, rows: Rows, n: int, start: int, end: int) -> None:
        """rows [m] kept; n: series of the catalog."""
        self._place = np.full(n, -1)
        self._place[rows] = np.arange(rows.size)
        self._start, self._width = start, max(-((start - end) // SLICES), 1)
        self.low = np.full((rows.size, SLICES), np.inf)  # [m, SLICES] [SI]; +inf: nothing came
        self.high = np.full((rows.size, SLICES), -np.inf)  # [m, SLICES] [SI]
        self.last = np.full((rows.size, SLICES), np.nan)  # [m, SLICES] [SI]

    def add(self, turn: Turn) -> None:
        b = turn.batch
        if b.n:
            self._put(b.row, b.t, b.value, b.value, b.value)
        for block in turn.blocks:
            if (self._place[block.row] >= 0).any():
                self._wave(block)

    def _wave(self, b: Block) -> None:
        """A waveform shorter than a slice counts as a whole, at its end."""
        if (ends(b) - b.t).max(initial=0) > self._width:
            loose = b.flat()
            self._put(loose.row, loose.t, loose.value, loose.value, loose.value)
        else:
            self._put(b.row, ends(b), np.fmin.reduce(b.value, axis=1), np.fmax.reduce(b.value, axis=1), b.value[:, -1])

    def _put(self, row: Rows, t: Ints, low: Floats, high: Floats, last: Floats) -> None:
        """Each [n]."""
        place, piece = self._place[row], (t - self._start) // self._width
        mine = (place >= 0) & (piece >= 0) & (piece < SLICES) & np.isfinite(low) & np.isfinite(last)
        at = place[mine] * SLICES + piece[mine]
        np.minimum.at(self.low.reshape(-1), at, low[mine])
        np.maximum.at(self.high.reshape(-1), at, high[mine])
        self.last.reshape(-1)[at] = last[mine]

    def of(self, row: int) -> tuple[Ints, Floats, Floats, Floats]:
        """Of the slices in which anything came: which [k], and their smallest, largest and last readings [k] [SI]."""
        i = int(self._place[row])
        some = np.flatnonzero(np.isfinite(self.last[i])) if i >= 0 else np.empty(0, np.int64)
        return some, self.low[i, some], self.high[i, some], self.last[i, some]
