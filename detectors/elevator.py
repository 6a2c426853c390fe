"""Elevator: what the car, its door and its passengers do together, second by second."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.latch import before, lasted, latch
from lifeline.model import Bools, Floats

SLOT: Final = 1.0  # [s] of the grid
MAINTENANCE: Final = 1.0  # the words of `mode` in lifeline/units.py
FIRE: Final = 2.0

Hazard = Literal[
    "entrapment_landing", "entrapment_between", "door_open_moving", "door_standing", "overspeed", "stop_outside_zone",
    "phantom_passenger",
]  # fmt: skip


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
    """The seconds of cars, as facts."""

    open: Bools  # [k, m]
    moving: Bools  # [k, m]
    inside: Bools  # [k, m] somebody seen
    out: Bools  # [k, m] of the door zone
    pressed: Bools  # [k, m]
    fast: Floats  # [k, m] speed over rated speed, or NaN [1]
    service: Bools  # [k, m] no maintenance
    fire: Bools  # [k, m] fire service
    shown: Bools  # [k, m] the door is known
    placed: Bools  # [k, m] the door zone is known
    felt: Bools  # [k, m] motion is known
    sighted: Bools  # [k, m] passengers are known


@dataclass(frozen=True)
class Elevator:
    """Timers on the state of a lift (fault classes of GB/T 24476-2017; unintended movement and overspeed as in GB/T
    7588.1-2020).

    hazard: which score comes out. Time lasted for a stop or a door, speed over rated speed for `overspeed`.
        A person is shut in at a landing (stopped, closed, in the door zone) or between landings (stopped, out of it,
        whatever the door) when a passenger is seen and the car moved at most `recent` seconds before. A passenger seen
        without a break for `credible` seconds, or left over after the door has opened without anyone seen to come in, is a
        poster before the camera and not believed when a clock begins; how long one is seen without a break is the score of
        `phantom_passenger`. A door that stands open with nobody seen (`door_standing`) is one that does not close; in fire
        service it is meant to, and not judged. The alarm button is always believed and puts the clock forward by `button`.
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
        if not x.shape[2]:
            return s, np.empty((x.shape[0], 0))
        now = facts(x.transpose(1, 2, 0))
        if self.hazard == "overspeed":
            return s, self._score(now.fast, now.service)
        if self.hazard.startswith("entrapment"):
            return self._shut_in(s, now)
        return self._plain(s, *self._alone(now))

    def _score(self, value: Floats, judge: Bools) -> Floats:
        """value [k, m] [s] or [1], where it may be judged -> [m, k] [1]"""
        return np.where(judge, np.maximum((value - self.origin) / self.scale, 0.0), np.nan).T

    def _alone(self, now: Seen) -> tuple[Bools, Bools]:
        """Where it can be judged, and where it is so, of what this second alone tells. [k, m]"""
        match self.hazard:
            case "door_open_moving":
                return now.service & now.felt & now.shown, now.moving & now.open
            case "door_standing":
                return now.service & now.felt & now.shown & ~now.fire, now.open & ~now.moving & ~now.inside
            case "stop_outside_zone":
                return now.service & now.felt & now.placed, ~now.moving & now.out
            case _:
                return now.service & now.sighted, now.inside

    def _plain(self, s: ElevatorState, judge: Bools, true: Bools) -> tuple[ElevatorState, Floats]:
        """Only the clock runs. judge, true [k, m]"""
        clock = lasted(judge, judge & ~true, s.clock)
        return s._replace(clock=clock[-1]), self._score(clock * SLOT, judge)

    def _shut_in(self, s: ElevatorState, now: Seen) -> tuple[ElevatorState, Floats]:
        """Somebody inside who cannot get out."""
        free = now.moving | (now.open & ~now.out)
        known = now.service & now.felt & now.placed & now.shown
        called = latch(known & now.pressed & ~free, known & now.sighted & free, s.called)
        judge = known & (now.sighted | (called & ~free))
        kept = remember(s, now, judge)._replace(called=called)
        credit = self._credit(kept)
        placed = now.out if self.hazard == "entrapment_between" else ~now.out & ~now.open
        may = judge & ~now.moving & placed & (called | (kept.gone <= self.grace))
        running = s.clock > 0
        caller = may & called  # runs for the button's sake: nobody seen is believed until it stops
        free_to = ~before(latch(caller, judge & ~caller, running), running)
        believed = latch(may & credit & free_to, judge & ~may, running & s.believed)
        true = may & (called | believed)
        clock = lasted(judge, judge & ~true, s.clock)
        ran = before(clock, s.clock) > 0
        faith = np.where(may, believed, np.where(ran, before(believed, s.believed), credit))
        kept = kept._replace(clock=clock, believed=latch(judge & faith, judge & ~faith, s.believed))
        value = clock * SLOT + np.where(called & true, self.button, 0.0)
        return ElevatorState._make(a[-1] for a in kept), self._score(value, judge)

    def _credit(self, s: ElevatorState) -> Bools:
        """Would a passenger seen now be believed? [k, m]"""
        person = np.where(s.opened, s.entered, s.aboard < self.credible)
        return person & (s.still <= self.recent)


def facts(x: Floats) -> Seen:
    """The channels as facts; what is unknown is not so. x [7, k, m]"""
    door, zone, motion, passengers, speed, mode, button = x
    shown, placed, felt, sighted = np.isfinite(x[:4])
    return Seen(
        door > 0.5, motion > 0.5, passengers > 0.5, zone < 0.5, button > 0.5, np.abs(speed),
        mode != MAINTENANCE, mode == FIRE, shown, placed, felt, sighted,
    )  # fmt: skip


def remember(s: ElevatorState, now: Seen, judge: Bools) -> ElevatorState:
    """What is known after each second that is judged, but for the hazard's own clock and the button. [k, m]"""
    gone = lasted(judge, judge & now.inside, s.gone)
    opened = latch(judge & ~now.moving & now.open, judge & now.moving, s.opened)
    came = judge & opened & now.inside & (before(gone, s.gone) > 0)
    return s._replace(
        still=lasted(judge, judge & now.moving, s.still),
        gone=gone,
        aboard=lasted(judge, judge & ~now.inside, s.aboard),
        opened=opened,
        entered=latch(came, judge & ~opened, s.entered),
    )


default = Elevator()
