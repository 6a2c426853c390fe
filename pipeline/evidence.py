"""The last readings of every series, so that a warning carries its own evidence."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Floats, Ints, Rows

KEPT: Final = 24  # readings a series; with their times 288 bytes, the largest part of its memory


class Recent(NamedTuple):
    """Rings, one a series."""

    t: Ints  # [n, KEPT] [ns] UTC
    value: NDArray[np.float32]  # [n, KEPT] [SI] seven digits are enough to look at
    written: Ints  # [n] readings ever written

    @classmethod
    def empty(cls, n: int) -> "Recent":
        return cls(np.zeros((n, KEPT), np.int64), np.full((n, KEPT), np.nan, np.float32), np.zeros(n, np.int64))

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
