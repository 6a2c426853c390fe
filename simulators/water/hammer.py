"""Pressure waves in a long main after a valve slams or a pump trips: the method of characteristics along one pipe.

V. L. Streeter & E. B. Wylie, Hydraulic Transients, 1967, ch. 3: dp = ρ·a·dv along the lines dx = ±a·dt, and Darcy friction.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal

import numpy as np

from lifeline.kinds import Between
from lifeline.measures import Seconds, measure
from lifeline.model import Floats
from lifeline.units import G

BULK: Final = 2.19e9  # [Pa] of water
DENSITY: Final = 1000.0  # [kg/m³]
YOUNG: Final = {"steel": 200e9, "iron": 165e9, "PE": 0.9e9}  # [Pa]
FRICTION: Final = 0.02  # [1] Darcy
REACHES: Final = 100
LASTING: Final = 300.0  # [s] of a wave that is looked at


@dataclass(frozen=True)
class Line:
    """A long main with loggers that follow pressure waves: line-1 with logger-1-1, …/wave, evenly from its head to its end."""

    length: Annotated[float, measure("m", 1, 100_000)] = 1200.0
    bore: Annotated[float, measure("mm", 10, 5000)] = 0.4
    wall: Annotated[float, measure("mm", 0.5, 200)] = 0.009  # thickness
    material: Literal["steel", "iron", "PE"] = "iron"
    flow: Annotated[float, measure("m³/h", 0.0, 1e6)] = 150 / 3600  # through it
    head: Annotated[float, measure("mH2O", 0.0, 500.0)] = 40 * 9806.65  # pressure in it while all is steady
    rating: Annotated[float, measure("mH2O", 1.0, 1000.0)] = 100 * 9806.65  # pressure that it is made for
    loggers: Annotated[int, Between(1, 20)] = 2

    @property
    def celerity(self) -> float:
        """Of waves: a = √(K/ρ) / √(1 + K·D/(E·e)). [m/s]"""
        return celerity(self.bore, self.wall, self.material)

    @property
    def speed(self) -> float:
        """Of the water. [m/s]"""
        return self.flow / (np.pi * self.bore**2 / 4)

    @property
    def places(self) -> Floats:
        """Of the loggers, from the head of the line. [g] [m]"""
        return np.linspace(0.0, self.length, self.loggers + 2)[1:-1] if self.loggers > 1 else np.array([self.length / 2])


def celerity(bore: float, wall: float, material: str) -> float:
    """[m], [m]; [m/s]"""
    return float(np.sqrt(BULK / DENSITY / (1 + BULK * bore / (YOUNG[material] * wall))))


@dataclass(frozen=True)
class Slam:
    """A valve at the end of a line slams, or the pump at its head trips: a wave runs along it and back. No leak."""

    at: Seconds = 3600.0  # when it begins
    lasts: Seconds = LASTING  # until all is steady again
    line: Annotated[int, Between(1, 99)] = 1  # which of the world's lines
    cause: Literal["valve", "pump"] = "valve"
    over: Seconds = 0.5  # until the flow is stopped
    left: Annotated[float, Between(0.0, 0.99)] = 0.0  # of the flow, what goes on


@dataclass(frozen=True)
class Wave:
    """What a stopped flow does to one line."""

    line: Line
    slam: Slam

    @cached_property
    def solved(self) -> tuple[Floats, Floats]:
        """Instants after the onset [k] [s], and heads above the steady ones [k, REACHES + 1] [m] from the valve's side on."""
        a, length = self.line.celerity, self.line.length
        dt, v0 = length / REACHES / a, self.line.speed
        steps = round(min(LASTING, self.slam.lasts) / dt) + 1
        v = np.full(REACHES + 1, v0)
        steady = -FRICTION * np.linspace(0.0, length, REACHES + 1) / self.line.bore * v0**2 / (2 * G)
        h, out = steady.copy(), np.zeros((steps, REACHES + 1))
        rub = FRICTION * dt / (2 * self.line.bore)
        for k in range(1, steps):
            plus = v[:-1] + G / a * h[:-1] - rub * v[:-1] * np.abs(v[:-1])
            minus = v[1:] - G / a * h[1:] - rub * v[1:] * np.abs(v[1:])
            v, h = np.empty_like(v), np.empty_like(h)
            v[1:-1], h[1:-1] = (plus[:-1] + minus[1:]) / 2, (plus[:-1] - minus[1:]) / 2 * a / G
            h[0], v[0] = 0.0, minus[0]
            v[-1] = v0 * self._open(k * dt)
            h[-1] = (plus[-1] - v[-1]) * a / G
            out[k] = h - steady
        return np.arange(steps, dtype=np.float64) * dt, out[:, ::-1]

    def _open(self, since: float) -> float:
        shut = min(since / self.slam.over, 1.0) if self.slam.over else 1.0
        return 1 - (1 - self.slam.left) * shut

    def heads(self, since: Floats) -> Floats:
        """At the loggers, above the steady ones; a pump that trips pulls where a valve pushes. since [k] [s]; [g, k] [m]"""
        t, h = self.solved
        x = self.line.places if self.slam.cause == "pump" else self.line.length - self.line.places
        at = x / self.line.length * REACHES
        i = np.minimum(at.astype(int), REACHES - 1)
        here = h[:, i] * (1 - at + i) + h[:, i + 1] * (at - i)  # [k, g]
        sign = -1.0 if self.slam.cause == "pump" else 1.0
        return sign * np.stack([np.interp(since, t, c, left=0.0, right=0.0) for c in here.T])
