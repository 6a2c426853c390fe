"""What wears: each class is a table [[fault]]; what it changes is told at each stop."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from lifeline.measures import Seconds, measure, time
from lifeline.model import Floats
from simulators.sensors import FOREVER


@dataclass(frozen=True)
class BrakeWear:
    """Stopping distances that grow by a share of the usual one each day."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 0.0  # when it begins
    lasts: Seconds = FOREVER  # until the brake is set again; the default: to the end
    rate: Annotated[float, measure("%/d", 0.0, 100.0)] = 0.01 / 86_400  # growth

    feature = "brake_distance"

    def grown(self, since: Floats, usual: Floats) -> Floats:
        return usual * (1 + self.rate * since)


@dataclass(frozen=True)
class LevellingDrift:
    """Stops ever farther off the landing, in a straight line up to a worst, which stays."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 0.0  # when it begins
    lasts: Seconds = FOREVER  # until it is set right; the default: to the end
    to: Annotated[float, measure("mm", -200.0, 200.0)] = 0.025  # worst
    over: Annotated[float, time("1m")] = 60 * 86_400.0  # until then

    feature = "levelling"

    def grown(self, since: Floats, usual: Floats) -> Floats:
        return usual + self.to * np.minimum(since / self.over, 1.0)


@dataclass(frozen=True)
class RailDefect:
    """A rail joint or a roller that goes bad: the car shakes more and more."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 0.0  # when it begins
    lasts: Seconds = FOREVER  # until it is mended; the default: to the end
    factor: Annotated[float, measure("1", 1.0, 50.0)] = 2.0  # of the usual shaking, in the end
    over: Annotated[float, time("1m")] = 10 * 86_400.0  # until then

    feature = "vibration"

    def grown(self, since: Floats, usual: Floats) -> Floats:
        return usual * (1 + (self.factor - 1) * np.minimum(since / self.over, 1.0))
