"""Since when the desk has listened by a clock that may be set, and on a machine that may sleep."""

from dataclasses import dataclass
from typing import Final

from lifeline.model import NS

SET_BACK: Final = 2 * NS  # [ns] that looks of several threads may come out of order


@dataclass
class Listening:
    """Who was not heard before this instant is not overdue. since, last: [ns] desk clock; gap [s] between looks: longer, and
    the machine slept, or its clock was set forward: whoever is there has to be heard first.
    """

    since: int
    gap: float
    last: int = -1  # when it was looked at last

    def at(self, t: int) -> int:
        """Since when, as of a look at t [ns]. Looks that are always far apart put nothing off: only the first does."""
        set_back = t < max(self.since, self.last - SET_BACK)
        slept = 0 <= self.last < t - round(self.gap * NS) and self.since < self.last
        if set_back or slept:
            self.since = t
        self.last = t
        return self.since

    def heard(self, t: int, at: int) -> int:
        """An instant that something was heard at; one that is still to come was named by another clock, and says nothing."""
        return t if t <= at else -1
