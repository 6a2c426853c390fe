"""Travel: a car that turns round under way, passes its landing, or crawls."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.elevator import MAINTENANCE, Elevator
from detectors.latch import before, lasted, latch
from lifeline.model import Bools, Floats

REST: Final = 2.0  # [s] that a car stands when it has stopped
LONG: Final = 10.0  # [s] a trip in which the speed is told each second, and a car that is well reaches `brisk`
SURE: Final = 8  # [1] such trips in a row; of 20 s and told once a minute, one in three is seen to be brisk: all in 1 of 6,500

Fault = Literal["reversal", "overtravel", "slow"]


class TravelState(NamedTuple):
    clock: Floats  # [n] [s] the fault's condition has lasted
    still: Floats  # [n] [s] the car has stood
    ran: Bools  # [n] it has run fast, out of a zone, since it last stopped
    near: Bools  # [n] it has then crept in a door zone
    up: Bools  # [n] it last went up
    under: Bools  # [n] it has gone somewhere since it last stopped
    turned: Bools  # [n] it has turned round since then
    way: Floats  # [n] [s] it has moved since it last stopped
    quick: Bools  # [n] it has been brisk since it last stopped
    proven: Floats  # [n] [1] long trips in a row in which it was


class Going(NamedTuple):
    """The seconds of cars, as facts."""

    moving: Bools  # [k, m]
    open: Bools  # [k, m]
    out: Bools  # [k, m] of the door zone
    fast: Bools  # [k, m]
    up: Bools  # [k, m]
    down: Bools  # [k, m]


@dataclass(frozen=True)
class Travel:
    """Timers on the motion of a car between two stops (codes 15, 18 and 19 of fielded terminals). A stop ends with `REST`
    seconds of standing or an open door.

    fault: `reversal`: its direction changes under way, and it runs faster than `creep` out of a door zone after that (what
        turns at a creep is being levelled). `overtravel`: it has run, crept in a door zone, and is out of it again, its door
        shut. `slow`: it has moved for so long below `brisk`, which it reached in each of its last `SURE` trips of `LONG`
        seconds or more.
    Speeds are over the rated speed. Maintenance is not judged: score NaN, all memory stands still. What is unknown is not
    judged either, save the mode: service is assumed. The terminal must tell the speed each second; one that tells it at the
    start of a trip only does not prove that its car is brisk. Timed limits on facts have no statistics: false alarms are those
    of the sensors.
    """

    fault: Fault = "reversal"
    creep: float = 0.25  # [1]
    brisk: float = 0.7  # [1]
    origin: float = 0.0  # [s] where the score begins
    scale: float = 2.0  # [s] from `origin` to the bound

    dimension: ClassVar[str] = "time"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    warmup: ClassVar[int] = 0  # [1]

    @property
    def channels(self) -> tuple[str, ...]:
        """What is looked at together; assets without the first are not judged. Without a direction those of `Elevator`, so that
        both share a grid.
        """
        return (*(("direction",) if self.fault == "reversal" else ()), *Elevator.channels)

    def init(self, n: int) -> TravelState:
        """State of n lifts that have stopped."""
        ran, near, up, under, turned, quick = np.zeros((6, n), np.bool_)
        return TravelState(np.zeros(n), np.full(n, np.inf), ran, near, up, under, turned, np.zeros(n), quick, np.zeros(n))

    def step(self, s: TravelState, x: Floats) -> tuple[TravelState, Floats]:
        """x [m, c, k] -> new state, score [m, k] [1]."""
        if not x.shape[2]:
            return s, np.empty((x.shape[0], 0))
        *ways, door, zone, motion, _, speed, mode, _ = x.transpose(1, 2, 0)
        judge = np.isfinite([*ways, door, zone, motion, speed]).all(axis=0) & (mode != MAINTENANCE)
        way = ways[0] if ways else np.zeros_like(speed)
        now = Going(motion > 0.5, door > 0.5, zone < 0.5, np.abs(speed) >= self.creep, way > 0.5, way < -0.5)
        still = lasted(judge, judge & now.moving, s.still)
        stopped = judge & (now.open | (still >= REST))
        kept = s._replace(still=still)
        if self.fault == "slow":
            kept, true = self._crawling(kept, judge & now.moving & ~now.open, np.abs(speed) >= self.brisk, stopped)
        else:
            of = self._reversed if self.fault == "reversal" else self._passed
            kept, true = of(kept, now, judge, stopped)
        clock = lasted(judge, judge & ~true, s.clock)
        score = np.where(judge, np.maximum((clock - self.origin) / self.scale, 0.0), np.nan)
        kept = kept._replace(clock=clock)
        return TravelState._make(a[-1] if a.ndim == 2 else a for a in kept), score.T

    def _crawling(self, s: TravelState, moves: Bools, brisk: Bools, stopped: Bools) -> tuple[TravelState, Bools]:
        """Which cars move slower than they have been seen to. [k, m]"""
        way, quick = lasted(moves, stopped, s.way), latch(moves & brisk, stopped, s.quick)
        ends = stopped & (before(way, s.way) >= LONG)
        was = before(quick, s.quick)
        proven = lasted(ends & was, ends & ~was, s.proven)
        return s._replace(way=way, quick=quick, proven=proven), moves & ~brisk & (proven >= SURE)

    def _reversed(self, s: TravelState, now: Going, judge: Bools, stopped: Bools) -> tuple[TravelState, Bools]:
        """Which cars run the other way than they set out. [k, m]"""
        goes = judge & now.moving & (now.up | now.down) & ~stopped
        up, under = latch(goes & now.up, goes & now.down, s.up), latch(goes, stopped, s.under)
        turns = goes & before(under, s.under) & (up != before(up, s.up))
        turned = latch(turns, stopped, s.turned)
        again = s._replace(up=up, under=under, turned=turned)
        return again, judge & turned & now.moving & now.out & now.fast

    def _passed(self, s: TravelState, now: Going, judge: Bools, stopped: Bools) -> tuple[TravelState, Bools]:
        """Which cars have left the zone in which they should have stopped. [k, m]"""
        runs = judge & now.moving & now.out & now.fast & ~stopped
        ran = latch(runs, stopped, s.ran)
        creeps = judge & ran & ~now.out & ~now.fast & ~stopped
        near = latch(creeps, stopped | (judge & now.fast), s.near)
        return s._replace(ran=ran, near=near), judge & near & now.out


default = Travel()
