"""What stops where it should not, and doors that open when they should not: each class is a table [[fault]]."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure, time
from lifeline.model import Floats
from simulators.elevator.acting import Channels, between, halfway, reaching, upwards
from simulators.elevator.cars import DWELL, PAUSE, SWING
from simulators.elevator.pace import Pace, standing
from simulators.elevator.trips import Timeline

Persons = Annotated[int, Between(0, 20)]
Lasts = Annotated[float, time("1s")]
Cause = Literal["unknown", "power", "safety", "lock"]

OPENED: Final = {"power": ("power", 0.0), "safety": ("safety_circuit", 0.0), "lock": ("lock_circuit", 0.0)}  # what it shows in
CYCLE: Final = SWING + DWELL  # [s] of a re-opening: half of a door's way there and back, and wide open


@dataclass(frozen=True)
class Entrapment:
    """A car that stops with people shut in: between landings, or at a landing whose door does not open."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it stops
    lasts: Lasts = 3600.0  # until it goes on and the door opens
    place: Literal["between", "landing"] = "between"  # where it stops
    passengers: Persons = 2  # shut in
    alarm: Seconds = 15.0  # after which somebody presses the button, if anybody is there; between landings only
    cause: Cause = "unknown"  # a power cut, the safety circuit or that of the locks: what its channel shows

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return between(at) if self.place == "between" else float(at.there[0]) - PAUSE / 2

    def pace(self, stop: float) -> Pace:
        return standing(self.lasts, stop)

    def see(self, since: Floats, x: Channels) -> None:
        opened(self.cause, x)
        if self.place == "between" and self.passengers:
            x["alarm_button"][:] = since >= self.alarm


@dataclass(frozen=True)
class StopOutside:
    """An empty car that stops between landings."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it stops
    lasts: Lasts = 3600.0  # until it goes on
    cause: Cause = "unknown"  # a power cut, the safety circuit or that of the locks: what its channel shows

    passengers = 0

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return between(at)

    def pace(self, stop: float) -> Pace:
        return standing(self.lasts, stop)

    def see(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        opened(self.cause, x)


@dataclass(frozen=True)
class PowerLoss:
    """No power for a car that rests; its terminal lives on its battery."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it goes
    lasts: Lasts = 3600.0  # until it is back

    passengers = 0

    @property
    def held(self) -> float:
        return self.lasts

    def see(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["power"][:] = 0.0
        x["door"][:] = 0.0


@dataclass(frozen=True)
class DoorMoving:
    """The door opens under way: a lock that is bypassed."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it opens
    lasts: Lasts = 12.0  # until it is closed again
    passengers: Persons = 1  # aboard
    speed: Annotated[float, measure("m/s", 0.0, 10.0)] = 0.0  # at which it opens; 0 m/s: half-way

    def between(self, floors: int) -> tuple[int, int]:
        return upwards(floors)

    def moment(self, at: Timeline) -> float:
        return reaching(at, self.speed) if self.speed else halfway(at)

    def see(self, since: Floats, x: Channels) -> None:  # noqa: ARG002
        x["door"][:] = 1.0


@dataclass(frozen=True)
class Drifting:
    """Unintended movement: a car that leaves its landing with the door open, and is stopped."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when it sets off
    lasts: Lasts = 600.0  # until it is put right
    passengers: Persons = 1  # inside
    gain: Annotated[float, measure("m/s²", 0.01, 10.0)] = 0.3  # its acceleration: a brake that slips
    far: Annotated[float, measure("m", 0.01, 3.0)] = 1.1  # until it is stopped; GB/T 7588.1 allows 1.20 m

    @property
    def held(self) -> float:
        return self.lasts

    def see(self, since: Floats, x: Channels) -> None:
        going = since < np.sqrt(2 * self.far / self.gain)
        x["passengers"][:] = self.passengers
        x["height"] += np.minimum(self.gain * since**2 / 2, self.far)
        x["speed"][:] = self.gain * since * going
        x["direction"][:] = going


@dataclass(frozen=True)
class BlockedDoor:
    """Something lies in the door: it closes until it meets it, and opens again, over and over."""

    asset: str = "elevator-001"  # name of the lift
    at: Seconds = 600.0  # when the door opens
    cycles: Annotated[int, Between(1, 1000)] = 30  # re-openings
    passengers: Persons = 0  # inside meanwhile
    landing: Annotated[int, Between(0, 120)] = 0  # where, 1 being the lowest; 0: wherever the car stands

    feature = "reopenings"

    @property
    def held(self) -> float:
        """Half-way closed and open again, and wide open for as long as ever."""
        return self.cycles * CYCLE

    @property
    def lasts(self) -> float:
        return self.held

    def grown(self, since: Floats, usual: Floats) -> Floats:  # noqa: ARG002
        return usual + self.cycles


def opened(cause: Cause, x: Channels) -> None:
    """What the cause of a stop shows in."""
    if cause in OPENED:
        name, value = OPENED[cause]
        x[name][:] = value
