"""Still: a sensor in an underground space that sees gas which never breathes."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from detectors import breath
from lifeline.model import Floats, Ints


class StillState(NamedTuple):
    breath: Floats  # [n, breath.COLUMNS]


@dataclass(frozen=True)
class Still:
    """1 while a reading above `least` stays where a week without breath has left it: a zero that drifts.

    Gas in a well is thinned by air that wind, warmth and falling pressure draw through the cover, each with its day; drift
    knows no day (zero drift of laser sensors: 0.05 to 0.2 %VOL a year and more). The variance of the day's four means
    of six hours is held against that of the noise of the readings and a hundredth of the level, as a mean of a week. For a
    zero that drifts this ratio is 1 with a spread of 0.23; it is taken for one below 1.7. A sensor whose noise is several
    times `sigma` is never called still.
    """

    least: float = 0.003  # [1] methane from which a sensor is looked at
    sigma: float = 0.0003  # [1] noise of a reading
    every: float = 300.0  # [s] between readings

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[Literal[True]] = True
    warmup: ClassVar[int] = 0  # [1]

    def init(self, n: int) -> StillState:
        """State of n series that have seen nothing."""
        return StillState(breath.fresh(n))

    def step(self, s: StillState, x: Floats, t: Ints) -> tuple[StillState, Floats]:
        """x [m, k] [1], t [m, k] [ns] -> new state, score [m, k] [1]."""
        score = np.where(np.isfinite(x), 0.0, np.nan)
        high = x > self.least
        if not high.any():
            return s, score
        b = s.breath.copy()
        for j in np.flatnonzero(high.any(axis=0)).tolist():
            rows = np.flatnonzero(high[:, j])
            breath.heard(b, rows, x[rows, j], t[rows, j], self.sigma, self.every)
            score[rows, j] = breath.still(b, rows, x[rows, j], self.sigma)
        return StillState(b), score


default = Still()
