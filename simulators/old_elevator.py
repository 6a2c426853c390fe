"""The elevator world: trips between landings as calls come, doors and passengers, and what goes wrong on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

import numpy as np

from lifeline.model import NS, Floats, Ints, Level, Rows
from simulators import rhythm
from simulators.dice import dice
from simulators.faults import Truth
from simulators.rhythm import DAY
from simulators.scurve import Curve, curve, travel
from simulators.world import Part, batch, turn

STREAM: Final = 4
FLOOR: Final = 3.0  # [m]
ZONE: Final = 0.2  # [m] from a landing within which doors may open
SWING: Final = 2.5  # [s] of a door
DWELL: Final = 4.0  # [s] wide open
ENTER: Final = SWING + 2.0  # [s] into a visit to a landing, passengers pass the door
VISIT: Final = 2 * SWING + DWELL  # [s] from opening to closed
PAUSE: Final = 0.5  # [s] between doors and motion
MOVE: Final = VISIT + PAUSE  # [s] into a trip the car moves
CHANNELS: Final = ("door", "door_zone", "motion", "passengers", "speed", "mode", "alarm_button")


@dataclass(frozen=True)
class Lifts:
    """Cars of a city."""

    asset: tuple[str, ...]  # [n]
    row: Rows  # [7, n] in the order of CHANNELS
    floors: Ints  # [n] [1] landings
    rated: Floats  # [n] [m/s]
    daily: Floats  # [n] [1] trips a day


class Kind(StrEnum):
    """What goes wrong."""

    BETWEEN = "between"  # stops between landings, with passengers
    LANDING = "landing"  # arrives, and the door stays shut, with passengers
    OUTSIDE = "outside"  # stops between landings, empty
    DOOR = "door"  # the door opens under way
    OVERSPEED = "overspeed"


HAZARD: Final = {
    Kind.BETWEEN: "entrapment",
    Kind.LANDING: "entrapment",
    Kind.OUTSIDE: "stop_outside_zone",
    Kind.DOOR: "door_open_moving",
    Kind.OVERSPEED: "overspeed",
}
PACE: Final = {
    Kind.BETWEEN: 0.0,
    Kind.LANDING: 0.0,
    Kind.OUTSIDE: 0.0,
    Kind.DOOR: 1.0,
    Kind.OVERSPEED: 1.25,
}  # [1] of a trip's own
TIMER: Final = {
    Kind.BETWEEN: 60.0,
    Kind.LANDING: 60.0,
    Kind.OUTSIDE: 60.0,
    Kind.DOOR: 5.0,
    Kind.OVERSPEED: 1.0,
}  # [s] until it counts
LEVELS: Final = {
    Kind.BETWEEN: (Level.RED, Level.RED),
    Kind.LANDING: (Level.ORANGE, Level.RED),
    Kind.OUTSIDE: (Level.YELLOW, Level.YELLOW),
    Kind.DOOR: (Level.RED, Level.RED),
    Kind.OVERSPEED: (Level.RED, Level.RED),
}


@dataclass(frozen=True)
class Trouble:
    """A trip over the whole height that goes wrong half-way (at a landing: on arrival). While it lasts the trip runs at PACE.

    The trip begins at the lowest landing, wherever the car stood before: height is not reported.
    """

    asset: str
    kind: Kind
    onset: int  # [ns]
    end: int  # [ns]
    passengers: int = 2
    alarm: float = 15.0  # [s] after onset somebody presses the button, if anybody is shut in

    def truth(self) -> list[Truth]:
        """A car between landings is also one outside the door zone: that may be said too."""
        out = []
        for kind in (self.kind, Kind.OUTSIDE) if self.kind is Kind.BETWEEN else (self.kind,):
            least, most = LEVELS[kind]
            wait = min(TIMER[kind], self.alarm if kind is Kind.BETWEEN else np.inf)
            seen = self.onset + round(wait * NS)
            out.append(
                Truth(
                    self.asset,
                    HAZARD[kind],
                    None,
                    self.onset,
                    seen,
                    self.end,
                    least if kind is self.kind else Level.NORMAL,
                    most,
                )
            )
        return out


class Trips(NamedTuple):
    """The present trip of each car, or the last one."""

    start: Ints  # [n] [ns] the doors begin to open at the landing of departure
    origin: Ints  # [n] [1] landing, from 0
    target: Ints  # [n] [1]
    passengers: Ints  # [n] [1]
    next: Ints  # [n] [ns] start of the next one


class LiftState(NamedTuple):
    trips: Trips
    told: Floats  # [7, n] [SI] last values sent; NaN: none


@dataclass(frozen=True)
class Elevator:
    """Cars as their terminals tell of them: what changes, when it changes; everything once a heartbeat."""

    span: ClassVar[int] = 1  # [s]
    lifts: Lifts
    seed: int
    step_s: int  # [s] between heartbeats
    faults: tuple[Trouble, ...] = ()

    @cached_property
    def _late(self) -> Ints:
        """How long before each whole second a terminal looks, so that cars do not speak at once. [n] [ns]"""
        return dice(self.seed, STREAM + 200).integers(0, 1000, len(self.lifts.asset)) * 1_000_000

    @cached_property
    def _forced(self) -> list[tuple[int, int, Trouble]]:
        """Car, start [ns] of the trip that goes wrong, fault."""
        return [
            (i, f.onset - round(self._moment(i, f) * NS), f) for f in self.faults for i in [self.lifts.asset.index(f.asset)]
        ]

    def _moment(self, i: int, f: Trouble) -> float:
        """How long after its start the trip goes wrong. [s]"""
        way = float(self._curve(np.zeros(1, int), np.array([_odd(self.lifts.floors[i])]), self.lifts.rated[[i]]).duration[0])
        return MOVE + way + PAUSE / 2 if f.kind is Kind.LANDING else MOVE + way / 2

    def _curve(self, origin: Ints, target: Ints, rated: Floats) -> Curve:
        return curve(FLOOR * np.abs(target - origin), rated)

    def init(self, second: int) -> LiftState:
        """All at rest at their lowest landing, with the next trips ahead."""
        n = len(self.lifts.asset)
        rest, draw = np.zeros(n, np.int64), dice(self.seed, STREAM + 100, second)
        wait = draw.exponential(self._gap(second)) * NS
        past = np.full(n, second * NS - 3600 * NS)
        trips = Trips(past, rest, rest, rest, second * NS + wait.astype(np.int64))
        return LiftState(self._yield_way(trips), np.full((len(CHANNELS), n), np.nan))

    def step(self, s: LiftState, second: int) -> tuple[LiftState, list[Part]]:
        draw, t = dice(self.seed, STREAM, second), second * NS - self._late
        trips = self._plan(s.trips, t, draw)
        now = self.look(trips, t)
        now[4] = np.round(now[4] * (1 + 0.002 * draw.standard_normal(now[4].shape)), 3)
        due = (
            (now != s.told) | (now[4] > 0)[None] * (np.arange(len(CHANNELS)) == 4)[:, None] | turn(second, t.size, self.step_s)
        )
        told = batch(self.lifts.row[due], np.broadcast_to(t, due.shape)[due], now[due])
        return LiftState(trips, now), [told]

    def look(self, trips: Trips, t: Ints) -> Floats:
        """What the sensors of each car see. t [n] [ns]; [7, n] [SI]"""
        on, pace, wrong = self._clock(trips, t)
        way = self._curve(trips.origin, trips.target, self.lifts.rated)
        gone, speed = travel(way, on - MOVE)
        height = FLOOR * trips.origin + np.sign(trips.target - trips.origin) * gone
        there = MOVE + way.duration + PAUSE
        inside = ((on >= ENTER) & (on < there + ENTER)) * trips.passengers
        door = ((on >= 0) & (on < VISIT)) | ((on >= there) & (on < there + VISIT))
        zone = np.abs(height / FLOOR - np.round(height / FLOOR)) * FLOOR <= ZONE
        alarm = np.zeros(t.size)
        for i, f in wrong:
            door[i] |= f.kind is Kind.DOOR
            alarm[i] = f.passengers > 0 and f.kind is Kind.BETWEEN and t[i] >= f.onset + f.alarm * NS
        speed = speed * pace
        return np.array([door, zone, speed > 0, inside, speed, np.zeros(t.size), alarm], dtype=float)

    def _clock(self, trips: Trips, t: Ints) -> tuple[Floats, Floats, list[tuple[int, Trouble]]]:
        """Time into each trip by its own clock [n] [s], that clock's pace [n] [1], and what is wrong now.

        A car that stops is a clock that stands.
        """
        on, pace, wrong = (t - trips.start) / NS, np.ones(t.size), []
        for i, start, f in self._forced:
            if trips.start[i] == start and t[i] >= f.onset:
                on[i] += (PACE[f.kind] - 1) * (min(int(t[i]), f.end) - f.onset) / NS
                if t[i] < f.end:
                    pace[i] = PACE[f.kind]
                    wrong.append((i, f))
        return on, pace, wrong

    def _plan(self, trips: Trips, t: Ints, draw: np.random.Generator) -> Trips:
        """Trips with the next begun where its time has come."""
        n = t.size
        drawn = draw.integers(0, self.lifts.floors), draw.poisson(1.2, n), draw.exponential(self._gap(int(t[0]) // NS))
        begin = t >= trips.next
        if not begin.any():
            return trips
        target = np.where(drawn[0] == trips.target, (drawn[0] + 1) % self.lifts.floors, drawn[0])
        full = self._end(Trips(trips.next, trips.target, target, trips.passengers, trips.next))
        new = Trips(trips.next, trips.target.copy(), target, drawn[1], full + (drawn[2] * NS).astype(np.int64))
        for i, start, f in self._forced:
            if new.start[i] == start:
                new.origin[i], new.target[i] = 0, _odd(self.lifts.floors[i])
                new.passengers[i] = 0 if f.kind is Kind.OUTSIDE else f.passengers
                new.next[i] = self._end(new)[i] + (f.end - f.onset) + NS
        return self._yield_way(Trips(*(np.where(begin, b, a) for a, b in zip(trips, new, strict=True))))

    def _yield_way(self, trips: Trips) -> Trips:
        """Trips after which those that go wrong can begin on time: what would overlap waits until afterwards."""
        start = trips.next.copy()
        for i, forced, _ in self._forced:
            longest = self.lifts.floors[i] * FLOOR / self.lifts.rated[i] + 2 * VISIT + 20
            if trips.start[i] < forced and trips.next[i] + longest * NS > forced:
                start[i] = forced
        return trips._replace(next=start)

    def _end(self, trips: Trips) -> Ints:
        """When the doors have closed after each trip. [n] [ns]"""
        way = self._curve(trips.origin, trips.target, self.lifts.rated).duration
        return trips.start + ((MOVE + way + PAUSE + VISIT) * NS).astype(np.int64)

    def _gap(self, second: int) -> Floats:
        """Mean rest between trips. [n] [s]"""
        return DAY / (self.lifts.daily * rhythm.lift_calls(second))

    def truth(self) -> list[Truth]:
        return [true for f in self.faults for true in f.truth()]


def _odd(floors: "int | np.integer") -> int:
    """The highest landing whose half-way point lies between landings. [1]"""
    return int(floors) - 1 - int(floors) % 2


def lifts(asset: Sequence[str], row: Rows, seed: int) -> Lifts:
    """Cars drawn at random: low houses with slow ones, towers with fast ones."""
    draw, n = dice(seed, STREAM), len(asset)
    floors = draw.integers(6, 34, n)
    rated = np.where(floors <= 11, 1.0, np.where(floors <= 20, 1.75, 2.5))
    return Lifts(tuple(asset), row, floors, rated, draw.uniform(100, 400, n))
