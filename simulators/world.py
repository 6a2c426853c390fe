"""What a simulated world is: a model stepped second by second, seen through its sensors, with faults whose truth is known.

The same seed gives the same bits, however the time axis is cut: models keep their state on a grid of whole seconds, and every
random number is drawn from a generator keyed by (seed, stream, second).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from lifeline.model import NS, Batch, Block, Level, Quality
from simulators.faults import SensorFault, Truth, spoil

Part = Batch | Block

FIXED: Final = 2**40  # slot of draws that belong to no second: the properties of assets


class World(Protocol):
    """A source of readings as a function of time."""

    def emit(self, t0: int, t1: int) -> list[Part]:
        """Readings completed in (t0, t1] [ns]; a block is complete with its last sample."""

    def truth(self) -> list[Truth]:
        """What is wrong in it, when, and how bad it may be called."""


class Model(Protocol):
    """A pair of pure functions, as a detector is: a state at a second, and the step to the next."""

    def init(self, second: int) -> Any:
        """State at a second of the epoch. [s]"""

    def step(self, s: Any, second: int) -> tuple[Any, list[Part]]:
        """State at `second` and the readings of (second - 1, second]. [s]"""

    def truth(self) -> list[Truth]: ...


class Run:
    """One model from `start` [ns] on, seen through sensors that may be at fault. Runs forward only."""

    def __init__(self, model: Model, start: int, faults: Sequence[SensorFault] = ()) -> None:
        self._model, self._faults = model, tuple(faults)
        self._second = -(-start // NS)
        self._state = model.init(self._second)
        self._held = [np.nan] * len(self._faults)

    def emit(self, t0: int, t1: int) -> list[Part]:
        if t0 // NS < self._second - 1:
            raise ValueError(
                f"asked for readings after {t0} ns, but the world already stands at {self._second} s; make a new one"
            )
        out: list[Part] = []
        for second in range(self._second + 1, t1 // NS + 1):
            self._state, parts = self._model.step(self._state, second)
            for i, fault in enumerate(self._faults):
                self._held[i], parts = spoil(fault, self._held[i], parts)
            out += parts if second * NS > t0 else []
        self._second = max(self._second, t1 // NS)
        return out

    def truth(self) -> list[Truth]:
        return [*self._model.truth(), *(f.truth() for f in self._faults)]


@dataclass(frozen=True)
class City:
    """Several worlds as one."""

    worlds: tuple[World, ...]

    def emit(self, t0: int, t1: int) -> list[Part]:
        return [part for w in self.worlds for part in w.emit(t0, t1)]

    def truth(self) -> list[Truth]:
        return [true for w in self.worlds for true in w.truth()]


def dice(seed: int, stream: int, slot: int = FIXED) -> np.random.Generator:
    """The generator of one stream in one slot: always the same numbers, whoever asks and in whatever order.

    J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC'11.
    """
    key, counter = np.array([seed, stream], np.uint64), np.array([0, 0, 0, slot], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def batch(row: Any, t: Any, value: Any) -> Batch:
    """Readings that their device does not doubt. row [n], t [n] or one instant [ns], value [n] [SI]"""
    row = np.asarray(row, np.int32)
    at = np.broadcast_to(np.asarray(t, np.int64), row.shape).copy()
    return Batch(row, at, np.asarray(value, float), np.full(row.shape, Quality.GOOD, np.uint8))


def turn(second: int, n: int, step: int) -> Any:
    """Which of n devices report in this second: each every `step` seconds, in turn, not all at once. [n]"""
    return (np.arange(n) + second) % step == 0


def graded(value: float, bounds: Sequence[float]) -> Level:
    """The level of a value under four rising bounds, BLUE to RED."""
    return Level(int(np.searchsorted(bounds, value, side="right")))
