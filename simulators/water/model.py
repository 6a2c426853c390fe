"""The water world as it goes on: heads and flows from an engine, and what the sensors make of them."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from lifeline.model import NS, Floats, Ints, Rows
from lifeline.units import WATER_HEAD
from simulators.dice import dice
from simulators.faults import Truth
from simulators.water.hydraulics import Hydraulics, State
from simulators.water.loggers import Loggers
from simulators.water.stations import Stations
from simulators.water.truth import truths
from simulators.world import Part, batch

READ: Final = 1203  # stream
QUANTUM: Final = 0.01  # [m] of a pressure gauge
MILLIMETRE: Final = 0.001  # [m] of a level gauge
LEVEL: Final = 0.005  # [m] its noise
CUSTOMER: Final = 0.02  # [1] noise of a customer's meter
SPIN: Final = 2 * 86_400  # [s] that have gone before
COARSE: Final = 1800.0  # [s]


class Engine(Protocol):
    """Steps the hydraulics over instants that follow one another."""

    def states(self, t: Floats, tank: Floats) -> tuple[Floats, State]:
        """t [t] [s of the epoch], tank [q] [m] before the first; levels at the last, and what is true."""


class WaterState(NamedTuple):
    tank: Floats  # [q] [m] levels


@dataclass(frozen=True)
class Sensors:
    """Rows of the catalog, and how exact they are."""

    gauge: Rows  # [g]
    meter: Rows  # [m]
    source: Ints  # [m] which of reservoirs and tanks each meters
    level: Rows  # [q]
    customer: Rows  # [c]
    pressure: float  # [m] noise of a gauge
    flow: float  # [1] noise of a meter
    hourly: int  # [s] between reports of the customers' meters


@dataclass(frozen=True)
class WaterModel:
    """Gauges, meters, tanks and customers of one network."""

    hydraulics: Hydraulics
    engine: Engine
    sensors: Sensors
    stations: Stations
    loggers: Loggers
    tick: int  # [s] between reports
    ticks: int  # in a slot
    seed: int

    @property
    def span(self) -> int:
        return self.tick * self.ticks

    def init(self, second: int) -> WaterState:
        """Two days of the same demand have gone before, with nothing wrong."""
        return WaterState(self.hydraulics.settled(second - COARSE * np.arange(SPIN / COARSE - 1, -1, -1), COARSE))

    def step(self, s: WaterState, second: int) -> tuple[WaterState, list[Part]]:
        t = second - self.span + self.tick * np.arange(1.0, self.ticks + 1)
        tank, true = self.engine.states(t, s.tank)
        ends = t.astype(np.int64)
        waves = [b for end in ends.tolist() for b in self.loggers.told(end, self.tick)] if self.loggers.lines else []
        return WaterState(tank), [*self._told(true, ends), *self.stations.told(ends), *waves]

    def truth(self) -> list[Truth]:
        piped = truths(self.hydraulics, self.sensors.pressure, self.sensors.flow, self.tick)
        return [*piped, *self.stations.truth(self.tick), *self.loggers.truth()]

    def _told(self, true: State, t: Ints) -> list[Part]:
        draw, x = dice(self.seed, READ, int(t[-1])), self.sensors
        pressure = true.pressure + x.pressure * draw.standard_normal(true.pressure.shape)
        pressure = np.maximum(np.round(pressure / QUANTUM) * QUANTUM, 0.0) * WATER_HEAD
        flow = true.out[x.source] * (1 + x.flow * draw.standard_normal((x.meter.size, t.size)))
        level = np.round((true.level + LEVEL * draw.standard_normal(true.level.shape)) / MILLIMETRE) * MILLIMETRE
        taken = true.taken * (1 + CUSTOMER * draw.standard_normal(true.taken.shape))
        parts = [_part(x.gauge, t, pressure), _part(x.meter, t, flow), _part(x.level, t, level[: x.level.size])]
        due = t % x.hourly < self.tick
        if due.any() and x.customer.size:
            parts.append(_part(x.customer, t[due], taken[:, due]))
        return parts


def _part(row: Rows, t: Ints, value: Floats) -> Part:
    """row [n], t [k], value [n, k]; instant by instant"""
    return batch(np.tile(row, t.size), np.repeat(t, row.size) * NS, value.T.ravel())
