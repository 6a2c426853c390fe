"""Silence: a series that has not spoken for longer than it should."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lifeline.model import Floats


class SilenceState(NamedTuple):
    """The age carries all there is to know."""


@dataclass(frozen=True)
class Silence:
    """Age of the last reading over the age that is allowed: the dead-man's switch of every supervisory system.

    tolerance: steps that may pass. With independent losses of a share p of the messages, a false alarm needs `tolerance`
    losses in
        a row: one in p^-tolerance / (1 - p) steps; 3 at p = 1 %: a million steps between false alarms.
    """

    tolerance: float = 3.0  # [1] steps of the series

    judges: ClassVar[Literal["age"]] = "age"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0  # [1]

    def init(self, n: int) -> SilenceState:
        """State of n series that have seen nothing."""
        del n
        return SilenceState()

    def step(self, s: SilenceState, x: Floats) -> tuple[SilenceState, Floats]:
        """x [m, k] [1] age in steps -> state, score [m, k] [1]."""
        score = np.maximum(x, 0.0)
        score /= self.tolerance
        return s, score


default = Silence()
