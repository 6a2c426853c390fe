"""What only looks like a hazard: each class is a table [[fault]]."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure, time
from lifeline.model import Floats
from simulators.elevator.acting import Channels
from simulators.elevator.hazards import Lasts, Persons
from simulators.sensors import FOREVER


@dataclass(frozen=True)
class HoldDoor:
    """Somebody holds the door: a mover with furniture, a person who stands or sleeps in it."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when the door opens
    lasts: Lasts = 480.0  # that it stays open
    passengers: Persons = 0  # seen inside meanwhile
    landing: Annotated[int, Between(0, 120)] = 0  # where, 1 being the lowest; 0: wherever the car stands

    @property
    def held(self) -> float:
        return self.lasts

    def see(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["passengers"][:] = self.passengers


@dataclass(frozen=True)
class Maintenance:
    """A fitter at work: the mode says so; the car creeps up and down with its door open."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it begins
    lasts: Lasts = 1800.0  # how long it takes
    speed: Annotated[float, measure("m/s", 0.0, 0.63)] = 0.3  # of the inspection runs

    passengers = 1

    @property
    def held(self) -> float:
        return self.lasts

    def see(self, since: Floats, x: Channels) -> None:
        """A minute up, half a minute's rest, a minute down, and so on."""
        turn = since % 180
        x["mode"][:] = 1.0
        x["door"][:] = 1.0
        x["passengers"][:] = self.passengers
        x["speed"][:] = self.speed * (turn % 90 < 60)
        x["direction"][:] = np.where(turn % 90 < 60, np.where(turn < 90, 1.0, -1.0), 0.0)
        x["height"] += self.speed * np.where(turn < 90, np.minimum(turn, 60.0), np.maximum(150.0 - turn, 0.0))


@dataclass(frozen=True)
class PhantomMotion:
    """A biased inertial sensor: motion is told for a moment while the door stands open."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it begins
    lasts: Seconds = FOREVER  # the default: to the end
    width: Annotated[float, time("1s", "5s")] = 3.0  # of each moment
    every: Annotated[float, time("5s", "1h")] = 8.0  # from one to the next
    speed: Annotated[float, measure("m/s", 0.0, 1.0)] = 0.1  # that it tells

    def misread(self, since: Floats, x: Channels) -> None:
        moving = (x["door"] > 0) & (since % self.every < self.width)
        x["speed"] = np.where(moving, self.speed, x["speed"])


@dataclass(frozen=True)
class Poster:
    """A poster, or a reflection, that the camera takes for a passenger."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it is put up
    lasts: Seconds = FOREVER  # until it is taken down; the default: to the end

    def misread(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["passengers"] = np.maximum(x["passengers"], 1.0)


@dataclass(frozen=True)
class ButtonStuck:
    """A landing button that stays pressed."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it sticks
    lasts: Seconds = FOREVER  # the default: to the end

    def misread(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["landing_button"] = np.ones_like(x["door"])


@dataclass(frozen=True)
class WeatherFront:
    """Air pressure that falls for a while and comes back: every barometer sees it."""

    at: Seconds = 600.0  # when it begins
    lasts: Lasts = 6 * 3600.0  # until it has passed
    drop: Annotated[float, measure("hPa", 0.0, 50.0)] = 800.0  # at its middle

    asset = ""

    def see(self, since: Floats, x: Channels) -> None:
        x["weather"] -= self.drop * np.sin(np.pi * np.clip(since / self.lasts, 0.0, 1.0)) ** 2
