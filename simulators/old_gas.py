"""The gas world: wells as well-mixed boxes with ventilation and biogas, leaks that find their way there, regulators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np

from lifeline.model import NS, Batch, Floats, Level, Rows
from simulators import rhythm
from simulators.dice import dice
from simulators.faults import Truth
from simulators.orifice import gas_flow
from simulators.world import Part, batch, graded, turn

STREAM: Final = 1
HOUR: Final = 3600.0  # [s]
VOL: Final = 0.01  # [1] of one %VOL
ALARM: Final = (0.5 * VOL, 1.0 * VOL, 2.5 * VOL, 5.0 * VOL)  # [1] methane, BLUE to RED
RANGE: Final = 20 * VOL  # [1] end of the laser's range
FLOOR: Final = 0.2 * VOL  # [1] below it the laser reports 0
RESOLUTION: Final = 0.01 * VOL  # [1]
LAG: Final = 6.5  # [s] of the sensing chamber: 90 % after 15 s
STARVED: Final = (0.15, 0.15, 0.2, 0.4)  # [1] of the inlet pressure lost, BLUE to RED
UNDER, OVER = "gas_underpressure", "gas_overpressure"  # hazards
NOMINAL: Final = 2000.0  # [Pa] gauge, at the appliance
MEDIUM: Final = 0.3e6  # [Pa] gauge, medium-pressure main


@dataclass(frozen=True)
class Wells:
    """Underground spaces beside gas mains: power, telecom, rain and sewage wells."""

    asset: tuple[str, ...]  # [n]
    row: Rows  # [n]
    volume: Floats  # [n] [m³]
    ventilation: Floats  # [n] [1/s] air changes in still air
    biogas: Floats  # [n] [m³/s] methane from sediment at 20 °C
    gain: Floats  # [n] [1] of the sensor
    place: Floats  # [n] [rad] phase of the wind


@dataclass(frozen=True)
class Regulators:
    """Stations that take gas from the medium-pressure main to the houses."""

    asset: tuple[str, ...]  # [n]
    inlet: Rows  # [n]
    outlet: Rows  # [n, 2] two independent transmitters
    flow: Rows  # [n]
    peak: Floats  # [n] [m³/s] flow at full demand
    droop: Floats  # [n] [1] of the outlet pressure lost at full demand


@dataclass(frozen=True)
class Leak:
    """A hole in a main; gas travels along ground and ducts into the wells around, less the farther they are."""

    well: tuple[str, ...]  # [m] assets reached
    distance: tuple[float, ...]  # [m] [m] from the hole
    onset: int  # [ns]
    end: int  # [ns]
    hole: float  # [m] diameter
    gauge: float = MEDIUM  # [Pa]
    soil: float = 0.1  # [1] share of the free outflow that the ground lets through
    speed: float = 2.0  # [m/s] along ducts
    reach: float = 10.0  # [m] distance over which the share that arrives falls to 1/e
    starved: tuple[str, ...] = ()  # regulators whose inlet pressure falls
    drop: float = 0.45  # [1] of their inlet pressure

    def inflow(self, at: int) -> Floats:
        """Gas entering each of its wells. at [ns]; [m] [m³/s]"""
        away = np.asarray(self.distance)
        there = (at >= self.onset + away / self.speed * NS) & (at < self.end)
        return np.where(there, self.soil * gas_flow(self.hole, self.gauge) * np.exp(-away / self.reach), 0.0)


@dataclass(frozen=True)
class Misregulation:
    """A regulator that no longer holds its outlet: lock-up failure (factor > 1) or freezing (factor < 1)."""

    asset: str
    onset: int  # [ns]
    end: int  # [ns]
    factor: float = 1.7  # [1] of the outlet pressure
    rise: float = 10.0  # [s]

    def share(self, at: int) -> float:
        """Factor on the outlet pressure. at [ns]; [1]"""
        grown = min(max((at - self.onset) / NS / self.rise, 0.0), 1.0)
        return 1 + (self.factor - 1) * grown if at < self.end else 1.0


GasFault = Leak | Misregulation


class GasState(NamedTuple):
    inside: Floats  # [n] [1] methane in each well
    seen: Floats  # [n] [1] methane in each sensing chamber


@dataclass(frozen=True)
class Gas:
    """Wells and regulators of a city."""

    span: ClassVar[int] = 1  # [s]
    wells: Wells
    regulators: Regulators
    seed: int
    step_s: int  # [s] between reports of a device
    faults: tuple[GasFault, ...] = ()

    def init(self, second: int) -> GasState:
        supply, loss = self._rates(second, np.zeros(len(self.wells.asset)))
        return GasState(supply / loss, supply / loss)

    def step(self, s: GasState, second: int) -> tuple[GasState, list[Part]]:
        draw = dice(self.seed, STREAM, second)
        inside = mixed(s.inside, *self._rates(second, self._inflow(second * NS)), 1.0)
        seen = inside + (s.seen - inside) * np.exp(-1 / LAG)
        return GasState(inside, seen), [self._report_wells(seen, second, draw), self._report_regulators(second, draw)]

    def truth(self) -> list[Truth]:
        return [true for f in self.faults for true in (self._truth_leak(f) if isinstance(f, Leak) else _truth_regulator(f))]

    def _rates(self, second: int, inflow: Floats) -> tuple[Floats, Floats]:
        """What comes in and what share goes out, per second. inflow [n] [m³/s]; [n] [1/s], [n] [1/s]"""
        w = self.wells
        air = w.ventilation * (1 + 0.5 * rhythm.wind(second, w.place) / 3)
        warm = 1.08 ** (rhythm.underground(second) - 293.15)
        return (inflow + w.biogas * warm) / w.volume, inflow / w.volume + air

    def _inflow(self, at: int) -> Floats:
        """[n] [m³/s]"""
        q = np.zeros(len(self.wells.asset))
        for f in self.faults:
            if isinstance(f, Leak):
                q[[self.wells.asset.index(a) for a in f.well]] += f.inflow(at)
        return q

    def _report_wells(self, seen: Floats, second: int, draw: np.random.Generator) -> Batch:
        told = laser(seen * self.wells.gain + 0.03 * VOL * draw.standard_normal(seen.shape))
        due = turn(second, seen.size, self.step_s)
        return batch(self.wells.row[due], second * NS, told[due])

    def _report_regulators(self, second: int, draw: np.random.Generator) -> Batch:
        r, demand, due = self.regulators, rhythm.gas_demand(second), turn(second, len(self.regulators.asset), self.step_s)
        share, starved = np.ones(len(r.asset)), np.ones(len(r.asset))
        for f in self.faults:
            if isinstance(f, Misregulation):
                share[r.asset.index(f.asset)] *= f.share(second * NS)
            elif f.onset <= second * NS < f.end:
                starved[[r.asset.index(a) for a in f.starved]] *= 1 - f.drop
        noise = draw.standard_normal((4, len(r.asset)))
        outlet = NOMINAL * (1 - r.droop * demand) * share + 10.0 * noise[:2]
        inlet = MEDIUM * (1 - 0.05 * demand) * starved + 600.0 * noise[2]
        flow = r.peak * demand * (1 + 0.01 * noise[3])
        row = np.concatenate([r.inlet[due], r.outlet[due, 0], r.outlet[due, 1], r.flow[due]])
        return batch(row, second * NS, np.concatenate([inlet[due], outlet[0, due], outlet[1, due], flow[due]]))

    def _truth_leak(self, leak: Leak) -> list[Truth]:
        """From the closed form of each box, in the ventilation of the onset."""
        out = []
        for asset, away, q in zip(leak.well, leak.distance, leak.inflow(leak.end - 1), strict=True):
            inflow = np.zeros(len(self.wells.asset))
            i = self.wells.asset.index(asset)
            inflow[i] = q
            supply, loss = (float(x[i]) for x in self._rates(leak.onset // NS, inflow))
            onset = leak.onset + round(away / leak.speed * NS)
            reached = mixed(0.0, supply, loss, (leak.end - onset) / NS)
            if reached < ALARM[0]:
                continue
            worst = graded(float(1.2 * reached), ALARM)
            seen = onset + round(time_to(ALARM[0], supply, loss) * NS)
            out.append(
                Truth(asset, "gas_accumulation", None, onset, seen, leak.end, graded(float(0.8 * reached), ALARM), worst)
            )
        low = graded(leak.drop, STARVED)  # a lone transmitter warns no higher than YELLOW
        return out + [
            Truth(a, UNDER, None, leak.onset, leak.onset, leak.end, min(low, Level.YELLOW), low) for a in leak.starved
        ]


def _truth_regulator(f: Misregulation) -> list[Truth]:
    hazard = OVER if f.factor > 1 else UNDER
    gone = f.factor > 1.5 or f.factor < 0.75  # [1] of nominal that an appliance stands
    level = Level.RED if gone else Level.ORANGE if abs(f.factor - 1) >= 0.2 else Level.NORMAL
    return [Truth(f.asset, hazard, None, f.onset, f.onset + round(f.rise * NS), f.end, level, Level.RED)]


def mixed(before: "Floats | float", supply: "Floats | float", loss: "Floats | float", dt: float) -> Floats:
    """A well-mixed box dt [s] later, exactly: dC/dt = supply - loss·C.

    before [n] [1], supply [n] [1/s], loss [n] [1/s]; [n] [1]
    With inflow Q and volume V: supply = (Q + biogas)/V, loss = Q/V + air changes, for what enters drives out what is inside.
    """
    rest = np.asarray(supply) / loss
    return np.asarray(rest + (before - rest) * np.exp(-np.asarray(loss) * dt))


def time_to(level: float, supply: float, loss: float) -> float:
    """Until a clean box reaches a level [1]; inf: never. [s]"""
    share = level * loss / supply
    return float(-np.log1p(-share) / loss) if share < 1 else float("inf")


def laser(x: Floats) -> Floats:
    """What the instrument makes of a concentration: quantised, 0 below its detection limit, pegged at its range. x [n] [1]"""
    steps = np.round(x / RESOLUTION) * RESOLUTION
    return np.where(steps < FLOOR, 0.0, np.minimum(steps, RANGE))


def wells(asset: Sequence[str], row: Rows, seed: int) -> Wells:
    """Wells drawn at random: most are dry; one in twenty holds biogas that the laser sees, below any warning."""
    draw, n = dice(seed, STREAM), len(asset)
    volume = draw.uniform(1.5, 10.0, n)
    air = np.maximum(np.exp(np.log(0.4) + 0.6 * draw.standard_normal(n)), 0.08) / HOUR
    level = np.where(np.arange(n) % 20 == 7, draw.uniform(0.28, 0.32, n), draw.uniform(0.0, 0.06, n)) * VOL
    gain = 1 + 0.03 * draw.uniform(-1, 1, n)
    return Wells(tuple(asset), row, volume, air, level * air * volume * 1.4, gain, draw.uniform(0, 2 * np.pi, n))


def regulators(asset: Sequence[str], inlet: Rows, outlet: Rows, flow: Rows, seed: int) -> Regulators:
    draw, n = dice(seed, STREAM + 100), len(asset)
    return Regulators(tuple(asset), inlet, outlet, flow, draw.uniform(80, 300, n) / HOUR, draw.uniform(0.03, 0.05, n))
