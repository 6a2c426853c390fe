"""What every fault of the bridge world has in common: when it acts, where, and how it grows."""

from typing import Annotated, Final, NamedTuple, Protocol

import numpy as np

from lifeline.measures import time
from lifeline.model import Floats

Lasts = Annotated[float, time("1s")]
Over = Annotated[float, time("1s")]

EVERYWHERE: Final = 0  # the bridge of what is over all of them


class Acting(NamedTuple):
    """A fault set into a world."""

    fault: "Happening"
    bridge: int
    onset: float  # [s of the epoch]
    end: float  # [s of the epoch]

    def since(self, t: Floats) -> Floats:
        """t [k] [s]; [k] [s]"""
        return np.asarray(t - self.onset)


class Happening(Protocol):
    """A table [[fault]]."""

    @property
    def at(self) -> float: ...  # [s]

    @property
    def lasts(self) -> float: ...  # [s]


def grown(since: Floats, over: float, lasts: float) -> Floats:
    """From 0 to 1 within `over`, and back to 0 when it is repaired after `lasts`. [k] [1]"""
    share = np.clip(since / over, 0.0, 1.0) if over else np.ones_like(since)
    return np.where((since >= 0) & (since < lasts), share, 0.0)
