"""Trips go on; terminals tell what changes when it changes, everything once a heartbeat, and what they make of each stop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Batch, Block, Bools, Floats, Ints, Quality, Rows
from simulators.dice import dice
from simulators.elevator.acting import Acting, Channels, Misreading
from simulators.elevator.calls import Ahead, begun, first, homing
from simulators.elevator.cars import ENTER, PAUSE, STREAM, Cars
from simulators.elevator.ride import RATE, felt
from simulators.elevator.sight import sight
from simulators.elevator.stops import features, stops
from simulators.elevator.trips import HERE, Trips, ended, timeline
from simulators.elevator.truth import truths
from simulators.faults import Truth
from simulators.weather import Weather
from simulators.world import Part, batch

BARO: Final = 3.0  # [Pa] noise of a barometer
PACE: Final = 0.002  # [1] noise of a speed
RIDDEN: Final = ("speed", "sheave_speed", "rope_speed")  # told each second while the car moves
SLOW: Final = ("air_pressure",)  # told at heartbeats only


class LiftState(NamedTuple):
    ahead: Ahead
    told: Floats  # [c, n] [SI] last values sent of each channel; NaN: none


class Looks(NamedTuple):
    """Instants at which terminals look, car by car, each in order of time."""

    car: Ints  # [k]
    t: Ints  # [k] [ns]
    trip: Ints  # [k] which of the trips
    beat: Bools  # [k] whether everything is told then


@dataclass(frozen=True)
class Lifts:
    """Cars as their terminals tell of them."""

    cars: Cars
    rows: Mapping[str, Rows]  # channel -> [n] catalog rows; what is not in it is not measured
    seed: int
    beat: int  # [s] between heartbeats
    riding: bool = True  # speed is told each second while a car moves
    span: int = 60  # [s]
    acts: tuple[Acting, ...] = ()
    features: Mapping[str, Rows] = field(default_factory=dict)  # feature -> [n] catalog rows
    wave: Rows | None = None  # [n] catalog rows of accelerometers on the cars' roofs

    @cached_property
    def late(self) -> Ints:
        """How long before each whole second a terminal looks, so that cars do not speak at once. [n] [ns]"""
        return np.asarray(dice(self.seed, STREAM + 200).integers(0, 1000, self.cars.n) * 1_000_000)

    @cached_property
    def weather(self) -> Weather:
        return Weather(self.seed)

    @cached_property
    def forced(self) -> list[Trips]:
        """Trips that faults need, and those that bring their cars there."""
        made = [a.trip for a in self.acts if a.trip is not None]
        home = [homing(trip, self.cars) for trip in made if trip.origin[0] != HERE]
        return sorted([*home, *made], key=lambda trip: int(trip.start[0]))

    @cached_property
    def watched(self) -> Ints:
        """Cars that something happens to: their terminals look each second of a trip. [m]"""
        return np.unique([a.car for a in self.acts])

    def init(self, second: int) -> LiftState:
        ahead = first(self.cars, second, self.forced, dice(self.seed, STREAM + 100, second))
        return LiftState(ahead, np.full((len(self.rows), self.cars.n), np.nan))

    def step(self, s: LiftState, second: int) -> tuple[LiftState, list[Part]]:
        draw, parts = dice(self.seed, STREAM + 1, second), list[Part]()
        ahead, new = begun(s.ahead, self.cars, second * NS, self.forced, draw)
        trips, told = Trips.joined([s.ahead.last, new]), s.told
        if self.rows:
            told, part = self._states(trips, told, second, draw)
            parts.append(part)
        if self.features:
            parts.append(self._stops(trips, second, draw))
        if self.wave is not None:
            parts += self._waves(trips, second, draw)
        return LiftState(ahead, told), parts

    def truth(self) -> list[Truth]:
        return truths(self.cars, self.acts, self.weather)

    def _stops(self, trips: Trips, second: int, draw: np.random.Generator) -> Batch:
        s = stops(trips, self.cars, (second - self.span) * NS, second * NS)
        made = features(s, self.cars, self.acts, list(self.features), draw)
        row = np.concatenate([rows[s.trips.car] for rows in self.features.values()])
        value = np.concatenate([made[name] for name in self.features])
        there = np.flatnonzero(~np.isnan(value))
        return batch(row[there], np.tile(s.at, len(self.features))[there], value[there])

    def _states(self, trips: Trips, told: Floats, second: int, draw: np.random.Generator) -> tuple[Floats, Batch]:
        k = self._looks(trips, second)
        x = self._seen(trips, k, draw)
        value = np.stack([x[name] for name in self.rows])  # [c, k]
        fresh = np.diff(k.car, prepend=-1) != 0  # [k] the car's first look of the slot
        before = np.concatenate([value[:, :1], value[:, :-1]], axis=1)
        before[:, fresh] = told[:, k.car[fresh]]
        due = (value != before) | k.beat
        for c, name in enumerate(self.rows):
            if name in SLOW:
                due[c] = k.beat
            elif name in RIDDEN and self.riding:
                due[c] |= value[c] > 0
        last = np.flatnonzero(np.diff(k.car, append=-1) != 0)
        told = told.copy()
        told[:, k.car[last]] = value[:, last]
        row = np.stack([rows[k.car] for rows in self.rows.values()])
        at = np.nonzero(due.T)  # in order of car and time
        return told, batch(row.T[at], k.t[at[0]], value.T[at])

    def _looks(self, trips: Trips, second: int) -> Looks:
        """Each second of a trip, or those after which something is otherwise; heartbeats; onset and end of what happens."""
        begin, n = second - self.span + 1, self.cars.n
        due = np.zeros((n, self.span), np.bool_)
        first_beat = -(np.arange(n) + begin) % self.beat  # [n]
        for j in range(0, self.span, self.beat):
            mine = np.flatnonzero(first_beat + j < self.span)
            due[mine, first_beat[mine] + j] = True
        every = np.ones(trips.car.size, np.bool_) if self.riding else np.isin(trips.car, self.watched)
        for of, when in (self._throughout(trips.take(every), begin, second), self._moments(trips.take(~every))):
            now = (when >= begin) & (when <= second)
            due[of[now], when[now] - begin] = True
        for a in self.acts:
            car = np.array([a.car]) if a.car >= 0 else np.arange(n)
            for instant in (a.onset, a.end):
                k = (instant + self.late[car]) // NS + 1 - begin
                now = (k >= 0) & (k < self.span)
                due[car[now], k[now]] = True
        car, k = np.nonzero(due)
        k += begin
        t = k * NS - self.late[car]
        return Looks(car, t, self._present(trips, car, t, begin), (car + k) % self.beat == 0)

    def _throughout(self, trips: Trips, begin: int, second: int) -> tuple[Ints, Ints]:
        """Each second of trips, as far as they lie in the slot. [k], [k] [s]"""
        end = ended(trips, self.cars)
        one = np.clip(-((-trips.start - self.late[trips.car]) // NS), begin, second + 1)
        two = np.clip((end + self.late[trips.car]) // NS + 1, begin - 1, second)
        many = np.maximum(two - one + 1, 0)
        of = np.repeat(np.arange(many.size), many)
        return trips.car[of], np.arange(of.size) - np.repeat(np.cumsum(many) - many, many) + one[of]

    def _moments(self, trips: Trips) -> tuple[Ints, Ints]:
        """The seconds of trips after which something is otherwise: doors, passengers, motion, door zones. [k], [k] [s]"""
        at = timeline(trips, self.cars)
        stop, none = at.move + at.way.duration, np.zeros(at.move.size)
        when = np.stack([
            none, none + ENTER, at.move - PAUSE, at.move, at.move + 1, at.move + 2, stop - 1, stop, at.there,
            at.there + ENTER, at.end,
        ])  # fmt: skip
        due = trips.start + (when * NS).astype(np.int64) + self.late[trips.car]
        return np.tile(trips.car, len(when)), (due // NS + 1).ravel()

    def _present(self, trips: Trips, car: Ints, t: Ints, begin: int) -> Ints:
        """Which trip a car is on, or was on last, at an instant; before its first that one. car [k], t [k] [ns]; [k]"""
        base, wide = (begin - 2) * NS, 4 * self.span * NS
        order = np.lexsort((trips.start, trips.car))
        key = trips.car[order] * wide + np.maximum(trips.start[order] - base, 0)
        last = np.searchsorted(key, car * wide + t - base, side="right") - 1
        return np.asarray(order[np.maximum(last, np.searchsorted(key, car * wide))])

    def _seen(self, trips: Trips, k: Looks, draw: np.random.Generator) -> Channels:
        """Channel -> what the sensors see. [k] [SI]"""
        x = sight(trips.take(k.trip), self.cars, self.acts, k.t, self.rows, self.weather)
        for a in self.acts:
            if isinstance(a.fault, Misreading):
                _misread(a, x, k)
        for name in RIDDEN:
            if name in x:
                x[name] = np.round(x[name] * (1 + PACE * draw.standard_normal(k.t.size)), 3)
        x["motion"] = (x["speed"] > 0).astype(float)
        if "air_pressure" in self.rows:
            x["air_pressure"] += BARO * draw.standard_normal(k.t.size)
        return x

    def _waves(self, trips: Trips, second: int, draw: np.random.Generator) -> list[Part]:
        """A second of vertical acceleration of every car's roof for each second of the slot."""
        assert self.wave is not None
        n, step = self.cars.n, NS // RATE
        t = (second - self.span) * NS + step * np.arange(-1, self.span * RATE + 1)  # two more, for the differences
        car, at = np.repeat(np.arange(n), t.size), np.tile(t, n)
        of = trips.take(self._present(trips, car, at, second - self.span + 1))
        height = sight(of, self.cars, self.acts, at, (), self.weather)["height"].reshape(n, t.size)
        value = felt(height, self._rough(np.tile(t[2:], (n, 1))), draw)
        good = np.full((n, RATE), Quality.GOOD, np.uint8)
        cuts = range(0, self.span * RATE, RATE)
        return [Block(self.wave, np.full(n, t[2 + j]), step, value[:, j : j + RATE], good) for j in cuts]

    def _rough(self, t: Ints) -> Floats:
        """A95 of each car, as it wears. t [n, m] [ns]; [n, m] [m/s²]"""
        rough = np.repeat(self.cars.rough[:, None], t.shape[1], axis=1)
        for a in self.acts:
            if getattr(a.fault, "feature", "") == "vibration":
                mine = (t[a.car] >= a.onset) & (t[a.car] < a.end)
                rough[a.car, mine] = a.fault.grown(a.since(t[a.car, mine]), rough[a.car, mine])
        return rough


def _misread(a: Acting, x: Channels, k: Looks) -> None:
    mine = np.flatnonzero((k.car == a.car) & (k.t >= a.onset) & (k.t < a.end))
    if mine.size:
        part = {name: v[mine] for name, v in x.items()}
        a.fault.misread(a.since(k.t[mine]), part)
        for name, v in part.items():
            x[name][mine] = v
