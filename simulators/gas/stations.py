"""Regulator stations: what their transmitters read of the mains before them and the houses behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Floats, Ints, Rows
from simulators.gas.faults import Acting, ColdSnap, Holed, Regulating
from simulators.gas.mains import STRING, Mains, demand

NOMINAL: Final = 2000.0  # [Pa] gauge, at the appliance
NOISE: Final = (600.0, 10.0, 10.0, 0.01)  # [Pa] of the inlet, [Pa] of either outlet transmitter, [1] of the flow


class Seen(NamedTuple):
    """What is true at the regulators. All [n, k]."""

    inlet: Floats  # [Pa] gauge
    outlet: Floats  # [Pa] gauge
    flow: Floats  # [m³/s]


@dataclass(frozen=True)
class Stations:
    """Regulators with two independent transmitters behind each."""

    mains: Mains
    inlet: Rows  # [n]
    outlet: Rows  # [n, 2]
    flow: Rows  # [n]
    gate: Rows  # [z] or [0] meters of what enters each main
    droop: Floats  # [n] [1] of the outlet pressure lost at full demand
    late: Ints  # [n] [s] by which each reports before the end of a tick

    @property
    def n(self) -> int:
        return len(self.mains.asset)

    def taken(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """By the houses behind each regulator and by holes beside it. t [k] [s]; [z, m, k] [m³/s]"""
        burnt = self.mains.peak[:, :, None] * self.burnt(t, acts)
        burnt.reshape(-1, t.size)[: self.n] *= self.served(t, acts)
        holes = self._holes(t, acts)
        return burnt + self.mains.holed(burnt, holes) if holes.any() else burnt

    def supply(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """Inlet pressures as they settle. t [k] [s]; [z, m, k] [Pa] gauge"""
        return self.mains.pressures(self.taken(t, acts))

    def burnt(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """Share of the peak. [k] [1]"""
        share = demand(t)
        for a in acts:
            if isinstance(a.fault, ColdSnap):
                share = share * a.fault.burnt(a.since(t))
        return share

    def seen(self, t: Floats, acts: Sequence[Acting], inlet: Floats) -> Seen:
        """inlet [z, m, k] [Pa]"""
        share = self.burnt(t, acts)
        before = inlet.reshape(self.mains.peak.size, t.size)[: self.n]
        flow = self.mains.peak.reshape(-1)[: self.n, None] * share * self.served(t, acts)
        return Seen(before, np.minimum(self.regulated(t, acts), before), flow)

    def regulated(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """Outlet pressures as they are set. [n, k] [Pa] gauge"""
        outlet = NOMINAL * (1 - self.droop[:, None] * self.burnt(t, acts))
        for a in acts:
            if isinstance(a.fault, Regulating):
                i = self.mains.asset.index(a.fault.regulator)
                outlet[i] = a.fault.outlet(a.since(t), outlet[i])
        return outlet

    def served(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """What is burnt of what would be: burners are holes, whose flow goes as the root of the pressure. [n, k] [1]"""
        others = [a for a in acts if not isinstance(a.fault, Regulating)]
        if len(others) == len(acts):
            return np.ones((self.n, t.size))
        return np.asarray(np.sqrt(self.regulated(t, acts) / self.regulated(t, others)))

    def told(self, seen: Seen, entered: Floats, draw: np.random.Generator) -> tuple[Rows, Floats, Ints]:
        """What the transmitters read, and how late each reports. entered [z, k] [m³/s]; rows [r], readings [r, k], [r] [s]"""
        noise = draw.standard_normal((4, *seen.inlet.shape))
        inlet, one, two = (x + s * e for x, s, e in zip((seen.inlet, seen.outlet, seen.outlet), NOISE, noise, strict=False))
        flow = seen.flow * (1 + NOISE[3] * noise[3])
        gate = (entered * (1 + NOISE[3] * draw.standard_normal(entered.shape)))[: self.gate.size]
        row = np.concatenate([self.inlet, self.outlet[:, 0], self.outlet[:, 1], self.flow, self.gate])
        late = np.concatenate([np.tile(self.late, 4), np.zeros(self.gate.size, np.int64)])
        return row, np.concatenate([np.maximum(inlet, 0.0), one, two, flow, np.maximum(gate, 0.0)]), late

    def _holes(self, t: Floats, acts: Sequence[Acting]) -> Floats:
        """[z, m, k] [m]; two beside one regulator leak as one of their joint area"""
        square = np.zeros((*self.mains.peak.shape, t.size))
        for a in acts:
            if isinstance(a.fault, Holed) and a.fault.regulator:
                square[self.mains.where(a.fault.regulator)] += a.fault.bore(a.since(t)) ** 2
        return np.sqrt(square)


def starved(mains: Mains, regulator: str) -> range:
    """All regulators on the main of one."""
    z = mains.where(regulator)[0]
    return range(z * STRING, min((z + 1) * STRING, len(mains.asset)))
