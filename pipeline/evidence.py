"""The last readings of every series, so that a warning carries its own evidence."""

from typing import NamedTuple

import numpy as np

from lifeline.model import Floats, Ints, Rows

KEPT = 32  # readings a series


class Recent(NamedTuple):
    """Rings, one a series."""

    t: Ints  # [n, KEPT] [ns] UTC
    value: Floats  # [n, KEPT] [SI]
    written: Ints  # [n] readings ever written

    @classmethod
    def empty(cls, n: int) -> "Recent":
        return cls(np.zeros((n, KEPT), np.int64), np.full((n, KEPT), np.nan), np.zeros(n, np.int64))

    def add(self, rows: Rows, t: Ints, x: Floats) -> None:
        """rows [m] unique, t [m, k], x [m, k]: the newest readings replace the oldest."""
        t, x = t[:, -KEPT:], x[:, -KEPT:]
        k = x.shape[1]
        slot = (self.written[rows, None] + np.arange(k)) % KEPT
        self.t[rows[:, None], slot] = t
        self.value[rows[:, None], slot] = x
        self.written[rows] += k

    def of(self, row: int) -> tuple[list[int], list[float]]:
        """The last readings of a series, oldest first."""
        n = min(int(self.written[row]), KEPT)
        order = (int(self.written[row]) - n + np.arange(n)) % KEPT
        return self.t[row, order].tolist(), self.value[row, order].tolist()
