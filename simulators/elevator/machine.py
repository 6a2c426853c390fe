"""What the machine does wrong: each class is a table [[fault]] and what it does at once."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure, time
from lifeline.model import Floats
from simulators.elevator.acting import Channels, halfway, upwards
from simulators.elevator.cars import PAUSE
from simulators.elevator.hazards import Lasts, Persons
from simulators.elevator.pace import Pace, pace, standing
from simulators.elevator.trips import Timeline

CAUGHT: Final = 1.0  # [s] in which a car that raced is slow again
BACK: Final = 2.0  # [1] of the time that a stop takes, to run the other way
LIMIT: Final = 0.05  # [m] beyond a last landing, where the limit switch is
BUFFER: Final = 0.2  # [m] beyond it, where the buffer of the car or of its counterweight begins


@dataclass(frozen=True)
class Overspeed:
    """A car that runs away, to so many times its rated speed."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it begins
    lasts: Lasts = 6.0  # until it is caught
    factor: Annotated[float, Between(1.0, 3.0)] = 1.25  # of the rated speed
    ramp: Seconds = 0.0  # until it is that fast
    passengers: Persons = 1  # aboard

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        """Half a second after the car has come to full speed."""
        return float(at.move[0] + 2 * at.way.ramp[0] + at.way.hold[0]) + 0.5

    def pace(self, stop: float) -> Pace:  # noqa: ARG002
        ramp = min(self.ramp, self.lasts)
        return pace((0.0, 1.0), (ramp, self.factor), (self.lasts, self.factor), (self.lasts + CAUGHT, 1.0))


@dataclass(frozen=True)
class Reversal:
    """A car that turns round under way, runs back for a while, and turns again."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it turns
    lasts: Annotated[float, time("4s", "20s")] = 8.0  # until it begins to turn again
    passengers: Persons = 1  # aboard

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return halfway(at)

    def pace(self, stop: float) -> Pace:
        turn = BACK * stop
        return pace((0.0, 1.0), (turn, -1.0), (max(self.lasts, turn), -1.0), (max(self.lasts, turn) + turn, 1.0))


@dataclass(frozen=True)
class Overrun:
    """A car that passes its last landing: its limit switch opens the safety circuit, and in the end the buffer stops it."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it should have stopped
    lasts: Lasts = 1800.0  # until it is put right
    side: Literal["top", "bottom"] = "top"  # which last landing
    passengers: Persons = 0  # aboard
    far: Annotated[float, measure("mm", 20, 2000)] = 0.3  # beyond the landing, where it comes to rest
    speed: Annotated[float, measure("m/s", 0.01, 3.0)] = 0.3  # with which it goes there

    def between(self, floors: int) -> tuple[int, int]:
        return (0, floors - 1) if self.side == "top" else (floors - 1, 0)

    def moment(self, at: Timeline) -> float:
        return float(at.there[0]) - PAUSE / 2

    def pace(self, stop: float) -> Pace:
        return standing(self.lasts, stop)

    def see(self, since: Floats, x: Channels) -> None:
        gone, sign = np.minimum(self.speed * since, self.far), 1.0 if self.side == "top" else -1.0
        x["height"] += sign * gone
        x["speed"][:] = self.speed * (gone < self.far)
        x["direction"][:] = sign * (gone < self.far)
        x["limit_switch"][:] = gone >= LIMIT
        x["buffer_switch"][:] = gone >= BUFFER
        x["safety_circuit"][:] = gone < LIMIT


@dataclass(frozen=True)
class Overtravel:
    """A stop that comes too late: the car passes its landing and creeps back, the door still shut."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it should have stopped
    lasts: Lasts = 20.0  # until it stands level
    passengers: Persons = 1  # aboard
    far: Annotated[float, measure("mm", 1, 1000)] = 0.3  # beyond the landing, at the worst

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return float(at.there[0]) - PAUSE / 2

    def pace(self, stop: float) -> Pace:
        return standing(self.lasts, stop)

    def see(self, since: Floats, x: Channels) -> None:
        x["height"] += self.far * np.sin(np.pi * np.clip(since / self.lasts, 0.0, 1.0))
        x["speed"][:] = np.abs(self.far * np.pi / self.lasts * np.cos(np.pi * since / self.lasts))
        x["direction"][:] = np.sign(self.lasts / 2 - since)


@dataclass(frozen=True)
class BrakeDrag:
    """A brake that does not open: the machine pulls against it, slowly and with much current."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it begins to drag
    lasts: Lasts = 20.0  # until it opens
    passengers: Persons = 1  # aboard
    factor: Annotated[float, Between(0.1, 1.0)] = 0.6  # of the usual speed
    current: Annotated[float, measure("A", 0, 500)] = 25.0  # more than usual

    feature = "motor_current"

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return float(at.move[0])

    def pace(self, stop: float) -> Pace:  # noqa: ARG002
        return pace((0.0, self.factor), (self.lasts, self.factor), (self.lasts + CAUGHT, 1.0))

    def grown(self, since: Floats, usual: Floats) -> Floats:  # noqa: ARG002
        return usual + self.current


@dataclass(frozen=True)
class RopeSlip:
    """Ropes that slip on the sheave while a full car is stopped."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when they begin to slip
    slip: Annotated[float, measure("mm", 0.0, 1000.0)] = 0.060  # in that trip
    passengers: Annotated[int, Between(1, 20)] = 13  # a full car

    feature = "rope_slip"
    lasts = 2.0  # [s] of slipping

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        """While it slows down."""
        return float(at.there[0]) - PAUSE - self.lasts

    def see(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["slip"][:] = self.slip / self.lasts

    def grown(self, since: Floats, usual: Floats) -> Floats:  # noqa: ARG002
        return usual + self.slip
