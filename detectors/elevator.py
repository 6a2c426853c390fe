"""Elevator: what the car, its door and its passengers do together, second by second."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats

SLOT: Final = 1.0  # [s] of the grid
MAINTENANCE: Final = 1.0  # the word of `mode` in lifeline/units.py

Hazard = Literal["entrapment_landing", "entrapment_between", "door_open_moving", "overspeed", "stop_outside_zone"]


class ElevatorState(NamedTuple):
    clock: Floats  # [n] [s] the hazard's condition has lasted
    still: Floats  # [n] [s] since the car last moved; infinite: never seen to move
    gone: Floats  # [n] [s] since a passenger was last seen; infinite: never
    aboard: Floats  # [n] [s] a passenger has been seen without a break
    opened: Bools  # [n] the door has opened since the car last moved
    entered: Bools  # [n] somebody came in since then
    called: Bools  # [n] the alarm button was pressed and nothing has freed the caller since
    believed: Bools  # [n] when the clock began, the passenger was one


class Seen(NamedTuple):
    """One second of the car, as facts."""

    open: Bools  # [m]
    moving: Bools  # [m]
    inside: Bools  # [m] somebody seen
    out: Bools  # [m] of the door zone
    pressed: Bools  # [m]
    fast: Floats  # [m] speed over rated speed, or NaN [1]


@dataclass(frozen=True)
class Elevator:
    """Timers on the state of a lift (fault classes of GB/T 24476-2017; unintended movement and overspeed as in GB/T
    7588.1-2020).

    hazard: which score comes out. Time lasted for a stop or a door, speed over rated speed for `overspeed`.
        A person is shut in at a landing (stopped, closed, in the door zone) or between landings (stopped, out of it,
        whatever the door) when a passenger is seen and the car moved at most `recent` seconds before. A passenger seen
        without a break for `credible` seconds, or left over after the door has opened without anyone seen to come in, is a
        poster before the camera and not believed when a clock begins. The alarm button is always believed and puts the
        clock forward by `button`.
    Maintenance is not judged: the score is NaN and all clocks stand still, so that a warning on its way stays as it is and
    a fitter raises none. A channel that this hazard needs and that is unknown is not judged either; of an unknown mode,
    service is assumed, of an unknown button, that nobody pressed it. Timed limits on facts have no statistics: false alarms
    are those of the switches and cameras.
    """

    hazard: Hazard = "entrapment_landing"
    recent: float = 300.0  # [s]
    credible: float = 7200.0  # [s]
    grace: float = 10.0  # [s] a passenger may be lost from sight
    button: float = 1740.0  # [s]
    origin: float = 0.0  # [s], overspeed [1]: where the score begins
    scale: float = 60.0  # [s], overspeed [1]: from `origin` to the bound

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ("door", "door_zone", "motion", "passengers", "speed", "mode", "alarm_button")
    warmup: ClassVar[int] = 0  # [1]

    @property
    def dimension(self) -> str:
        """What the bounds of its rules are."""
        return "ratio" if self.hazard == "overspeed" else "time"

    def init(self, n: int) -> ElevatorState:
        """State of n lifts that have been seen doing nothing."""
        no = np.zeros((4, n), np.bool_)
        return ElevatorState(np.zeros(n), np.full(n, np.inf), np.full(n, np.inf), np.zeros(n), *no)

    def step(self, s: ElevatorState, x: Floats) -> tuple[ElevatorState, Floats]:
        """x [m, 7, k] -> new state, score [m, k] [1]."""
        score = np.empty((x.shape[2], x.shape[0]))
        for j in range(x.shape[2]):
            s, score[j] = self._tick(s, x[:, :, j])
        return s, score.T

    def _tick(self, s: ElevatorState, x: Floats) -> tuple[ElevatorState, Floats]:
        """One second: x [m, 7]."""
        now = facts(x)
        next_ = remember(s, now)
        judge = self._known(x, next_.called) & (x[:, 5] != MAINTENANCE)
        true = self._condition(s, next_, now)
        next_ = next_._replace(
            clock=np.where(true, s.clock + SLOT, 0.0), believed=np.where(s.clock > 0, s.believed, self._credit(next_))
        )
        value = now.fast if self.hazard == "overspeed" else self._lasted(next_, true)
        score = np.where(judge, np.maximum((value - self.origin) / self.scale, 0.0), np.nan)
        return ElevatorState(*(np.where(judge, new, old) for new, old in zip(next_, s, strict=True))), score

    def _known(self, x: Floats, called: Bools) -> Bools:
        """Are the channels there that this hazard needs? x [m, 7] -> [m]"""
        door, zone, motion, passengers, speed, *_ = np.isfinite(x).T
        shut_in: Bools = door & zone & motion & (passengers | called)
        wanted: dict[str, Bools] = {"overspeed": speed, "door_open_moving": door & motion, "stop_outside_zone": zone & motion}
        return wanted.get(self.hazard, shut_in)

    def _condition(self, s: ElevatorState, next_: ElevatorState, now: Seen) -> Bools:
        """Is it so in this second? [m]"""
        match self.hazard:
            case "overspeed":
                return np.zeros_like(now.open)
            case "door_open_moving":
                return now.moving & now.open
            case "stop_outside_zone":
                return ~now.moving & now.out
            case "entrapment_between":
                return ~now.moving & now.out & self._person(s, next_)
            case _:
                return ~now.moving & ~now.out & ~now.open & self._person(s, next_)

    def _person(self, s: ElevatorState, next_: ElevatorState) -> Bools:
        """Is there somebody to be shut in? [m]"""
        believed = np.where(s.clock > 0, s.believed, self._credit(next_))
        return next_.called | (believed & (next_.gone <= self.grace))

    def _credit(self, s: ElevatorState) -> Bools:
        """Would a passenger seen now be believed? [m]"""
        person = np.where(s.opened, s.entered, s.aboard < self.credible)
        return person & (s.still <= self.recent)

    def _lasted(self, s: ElevatorState, true: Bools) -> Floats:
        """Time on the clock, put forward by the alarm button. [m] [s]"""
        pressed = s.called & true & self.hazard.startswith("entrapment")
        return s.clock + np.where(pressed, self.button, 0.0)


def facts(x: Floats) -> Seen:
    """The channels as facts; what is unknown is not so. x [m, 7]"""
    door, zone, motion, passengers, speed, _, button = x.T
    return Seen(door > 0.5, motion > 0.5, passengers > 0.5, zone < 0.5, button > 0.5, np.abs(speed))


def remember(s: ElevatorState, now: Seen) -> ElevatorState:
    """What is known after this second, but for the hazard's own clock."""
    opened = ~now.moving & (s.opened | now.open)
    return s._replace(
        still=np.where(now.moving, 0.0, s.still + SLOT),
        gone=np.where(now.inside, 0.0, s.gone + SLOT),
        aboard=np.where(now.inside, s.aboard + SLOT, 0.0),
        opened=opened,
        entered=opened & (s.entered | (now.inside & (s.gone > 0))),
        called=(s.called | now.pressed) & ~now.moving & ~(now.open & ~now.out),
    )


default = Elevator()
