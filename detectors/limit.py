"""Hard limit: how far a reading is beyond a fixed value."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lifeline.model import Floats


class LimitState(NamedTuple):
    """A limit remembers nothing."""


@dataclass(frozen=True)
class Limit:
    """Distance of the reading from `origin`, in units of `scale`.

    The plain comparison of every alarm standard (ISA-18.2-2016, 3.1: setpoint). It knows no distribution, so its false-alarm
    rate is that of the quantity itself crossing the bound; only the rule's hold stands against single wild readings.
    """

    origin: float = 0.0  # [SI] where the score begins; above the bounds for a lower limit
    scale: float = 1.0  # [SI] from `origin` to the bound; negative for a lower limit

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0  # [1]

    def init(self, n: int) -> LimitState:
        """State of n series that have seen nothing."""
        del n
        return LimitState()

    def step(self, s: LimitState, x: Floats) -> tuple[LimitState, Floats]:
        """x [m, k] [SI] -> state, score [m, k] [1]."""
        score = np.subtract(x, self.origin)
        score /= self.scale
        return s, np.maximum(score, 0.0, out=score)


default = Limit()
