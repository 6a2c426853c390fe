"""How a car travels between landings: jerk, acceleration and speed limited, in seven phases."""

from typing import NamedTuple

import numpy as np

from lifeline.model import Floats


class Curve(NamedTuple):
    """One journey a row."""

    jerk: Floats  # [n] [m/s³]
    ramp: Floats  # [n] [s] of each phase of jerk
    hold: Floats  # [n] [s] of constant acceleration
    cruise: Floats  # [n] [s] at full speed

    @property
    def duration(self) -> Floats:
        """[n] [s]"""
        return 4 * self.ramp + 2 * self.hold + self.cruise


def curve(distance: Floats, speed: Floats, acceleration: float = 0.8, jerk: float = 1.0) -> Curve:
    """The quickest journey within the limits: T = H/v + v/a + a/j where full speed is reached.

    distance [n] [m], speed [n] [m/s], acceleration [m/s²], jerk [m/s³]
    """
    a, j = acceleration, jerk
    both = (-(a**2) / j + np.sqrt(a**4 / j**2 + 4 * a * distance)) / 2  # [m/s] peak when a is reached: H = v²/a + v·a/j
    brief = np.cbrt(distance**2 * j / 4)  # [m/s] peak when it is not: H = 2·v·√(v/j)
    peak = np.minimum(np.where(both >= a**2 / j, both, brief), speed)
    most = np.minimum(a, np.sqrt(peak * j))
    ramp = most / j
    hold = peak / np.where(most > 0, most, 1.0) - ramp
    away = np.where(peak > 0, distance / np.where(peak > 0, peak, 1.0), 0.0)
    return Curve(np.full_like(distance, j), ramp, np.maximum(hold, 0.0), np.maximum(away - 2 * ramp - hold, 0.0))


def travel(c: Curve, t: Floats) -> tuple[Floats, Floats]:
    """Distance and speed after t [n] [s]; at rest before the start and after the end. [n] [m], [n] [m/s]"""
    s, v, a = np.zeros_like(t), np.zeros_like(t), np.zeros_like(t)
    left = np.clip(t, 0.0, c.duration)
    for sign, length in ((1, c.ramp), (0, c.hold), (-1, c.ramp), (0, c.cruise), (-1, c.ramp), (0, c.hold), (1, c.ramp)):
        dt, j = np.minimum(left, length), sign * c.jerk
        s, v, a = s + v * dt + a * dt**2 / 2 + j * dt**3 / 6, v + a * dt + j * dt**2 / 2, a + j * dt
        left = left - dt
    moving = (t > 0) & (t < c.duration)
    return s, np.where(moving, np.maximum(v, 0.0), 0.0)
