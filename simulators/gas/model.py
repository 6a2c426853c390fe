"""The gas world as it goes on: wells fill and empty, lasers and transmitters report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Rows
from simulators.dice import dice
from simulators.faults import Truth
from simulators.gas.box import chamber, mixed
from simulators.gas.faults import Acting
from simulators.gas.laser import LAG, NOISE, Cadence, laser
from simulators.gas.rates import drowned, rates
from simulators.gas.stations import Stations
from simulators.gas.truth import truths
from simulators.gas.wells import HOUR, Wells, settled
from simulators.weather import Weather
from simulators.world import Part, batch

READ, PIPED, AIRED = 1001, 1002, 1003  # streams


@dataclass(frozen=True)
class Lasers:
    """The sensors of the wells."""

    methane: Rows  # [n]
    others: Mapping[str, Rows]  # what else a terminal tells -> [n]
    late: Ints  # [n] [s] by which each reports before the end of a tick, so that not all speak at once
    cadence: Cadence


class GasState(NamedTuple):
    inside: Floats  # [n] [1] methane in each well
    seen: Floats  # [n] [1] methane in each sensing chamber
    hot: Bools  # [n] whether its last reading was high
    inlet: Floats  # [z, m] [Pa] gauge, before each regulator


@dataclass(frozen=True)
class GasModel:
    """Wells and regulators, tick by tick."""

    wells: Wells
    lasers: Lasers
    stations: Stations
    every: int  # [s] between reports of the stations
    tick: int  # [s] from one state to the next
    ticks: int  # in a slot
    acts: tuple[Acting, ...]
    weather: Weather
    seed: int

    @property
    def span(self) -> int:
        return self.tick * self.ticks

    def init(self, second: int) -> GasState:
        """Two days of the same weather have gone before."""
        past = second - HOUR * np.arange(48.0, 0.0, -1.0) + HOUR / 2
        inside = settled(*rates(self.wells, past, self.acts, self.weather), HOUR)
        inlet = self.stations.supply(np.array([float(second)]), self.acts)[:, :, 0]
        return GasState(inside, inside, np.zeros(inside.size, bool), inlet)

    def step(self, s: GasState, second: int) -> tuple[GasState, list[Part]]:
        t = second - self.span + self.tick * np.arange(1.0, self.ticks + 1)  # [k] ends of the ticks
        wells, spoken = self._wells(s, t)
        inlet, piped = self._piped(s.inlet, t)
        return GasState(*wells, inlet), [*spoken, *piped]

    def truth(self) -> list[Truth]:
        return truths(self.wells, self.stations, self.acts, self.weather, max(self.lasers.cadence.slow, 1))

    def _wells(self, s: GasState, t: Floats) -> tuple[tuple[Floats, Floats, Bools], list[Part]]:
        """What is inside, seen and hot at the end of the slot, and what was reported in it."""
        if not self.wells.n:
            return (s.inside, s.seen, s.hot), []
        supply, loss = rates(self.wells, t - self.tick / 2, self.acts, self.weather)
        wet = drowned(self.wells, t, self.acts)
        noise = NOISE * dice(self.seed, READ, round(t[-1])).standard_normal(supply.shape)
        inside, seen, hot, parts = s.inside, s.seen, s.hot, list[Part]()
        until = self.tick - self.lasers.late.astype(float)  # [n] [s] when each reports within a tick
        for j, end in enumerate(t.astype(np.int64).tolist()):
            flow = (inside, supply[:, j], loss[:, j])
            due = self.lasers.cadence.due(end, hot) & ~wet[:, j]
            if due.any():
                told = laser(chamber(seen, *flow, LAG, until) * self.wells.gain + noise[:, j])
                hot = np.where(due, told >= self.lasers.cadence.above, hot)
                parts += self._told(due, end, told)
            parts += self._dipped(wet[:, j], end) if wet[:, j].any() else []
            seen = chamber(seen, *flow, LAG, self.tick)
            inside = mixed(*flow, self.tick)
        return (inside, seen, hot), parts

    def _told(self, due: Bools, end: int, methane: Floats) -> list[Part]:
        at = (end - self.lasers.late[due]) * NS
        parts: list[Part] = [batch(self.lasers.methane[due], at, methane[due])]
        return parts + (self._others(due, end, at) if self.lasers.others else [])

    def _others(self, due: Bools, end: int, at: Ints) -> list[Part]:
        """Temperature and humidity of a well, and its dry contact."""
        noise = dice(self.seed, AIRED, end).standard_normal((2, due.size))
        warm = np.round(self.weather.ground(np.array([float(end)])) + 0.2 * noise[0], 1)
        damp = np.round(np.clip(0.88 + 0.03 * noise[1], 0.0, 1.0), 3)
        told = {"temperature": warm, "humidity": damp, "immersion": np.zeros(due.size)}
        return [batch(row[due], at, told[name][due]) for name, row in self.lasers.others.items()]

    def _dipped(self, wet: Bools, end: int) -> list[Part]:
        """A terminal under water tells nothing but that, as long as its radio comes through."""
        due = wet & self.lasers.cadence.due(end, np.zeros_like(wet))
        if not due.any() or "immersion" not in self.lasers.others:
            return []
        return [batch(self.lasers.others["immersion"][due], (end - self.lasers.late[due]) * NS, np.ones(int(due.sum())))]

    def _piped(self, before: Floats, t: Floats) -> tuple[Floats, list[Part]]:
        """Inlet pressures follow what they settle to as the line pack allows; reports of stations and gates."""
        if not self.stations.n:
            return before, []
        mains, taken = self.stations.mains, self.stations.taken(t, self.acts)
        final, total = mains.pressures(taken), taken.sum(axis=1)
        inlet = np.empty((*before.shape, t.size + 1))
        inlet[:, :, 0] = before
        for j in range(t.size):
            inlet[:, :, j + 1] = mains.followed(inlet[:, :, j], final[:, :, j], total[:, j], self.tick)
        entered = total + np.diff(mains.stored(inlet)) / self.tick
        due = t.astype(np.int64) % self.every == 0
        seen = self.stations.seen(t[due], self.acts, inlet[:, :, 1:][:, :, due])
        draw = dice(self.seed, PIPED, round(t[-1]))
        row, x, late = self.stations.told(seen, entered[:, due], draw)
        at = (t[due].astype(np.int64) - late[:, None]) * NS
        return inlet[:, :, -1], [batch(np.repeat(row, at.shape[1]), at.ravel(), x.ravel())]
