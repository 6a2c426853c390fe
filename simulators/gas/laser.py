"""The methane sensor of a well (tunable diode laser): what it makes of a concentration, and when it reports."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import Bools, Floats

VOL: Final = 0.01  # [1] of one %VOL
RANGE: Final = 20 * VOL  # [1] end of the range
FLOOR: Final = 0.2 * VOL  # [1] limit of detection: below it, 0 is reported
RESOLUTION: Final = 0.01 * VOL  # [1]
NOISE: Final = 0.03 * VOL  # [1] standard deviation of a reading
GAIN: Final = 0.03  # [1] largest error of the gain
LAG: Final = 15.0 / np.log(10.0)  # [s] of the sensing chamber: 90 % after 15 s


@dataclass(frozen=True)
class Cadence:
    """How often a terminal reports."""

    slow: int  # [s]
    fast: int  # [s] while its last reading was at least `above`
    above: float = 0.5 * VOL  # [1]

    def due(self, second: int, hot: Bools) -> Bools:
        """Which terminals report at this second of the epoch. hot [n]: those whose last reading was high. [n]"""
        if second % self.slow == 0:
            return np.ones_like(hot)
        return hot if second % self.fast == 0 else np.zeros_like(hot)


def laser(x: Floats) -> Floats:
    """Quantised, 0 below the limit of detection, pegged at the end of the range. x [n] [1]; [n] [1]"""
    steps = np.round(x / RESOLUTION) * RESOLUTION
    return np.where(steps < FLOOR, 0.0, np.minimum(steps, RANGE))
