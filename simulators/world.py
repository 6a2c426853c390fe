"""What a simulated world is: a model stepped slot by slot, seen through its sensors, with faults whose truth is known.

The same seed gives the same bits, however the time axis is cut: models keep their state on a grid of slots of whole seconds,
and every random number is drawn from a generator keyed by (seed, stream, slot).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Bools, Ints, Level, Quality
from simulators.faults import Fault, Truth, spoil

Part = Batch | Block


class World(Protocol):
    """A source of readings as a function of time."""

    def emit(self, t0: int, t1: int) -> list[Part]:
        """Readings completed in (t0, t1] [ns]; a block is complete with its last sample."""

    def truth(self) -> list[Truth]:
        """What is wrong in it, when, and how bad it may be called."""


class Model(Protocol):
    """A pair of pure functions, as a detector is: a state at a second, and the step over one slot."""

    @property
    def span(self) -> int:
        """Length of a slot. Slots begin at its multiples. [s]"""

    def init(self, second: int) -> Any:
        """State at a second of the epoch, the beginning of a slot. [s]"""

    def step(self, s: Any, second: int) -> tuple[Any, list[Part]]:
        """State at `second`, the end of a slot, and the readings of (second - span, second]. [s]

        Blocks are in order of time; a row stands in a block once.
        """

    def truth(self) -> list[Truth]: ...


class Scene(NamedTuple):
    """A world whole: what its sensors are called, and how it goes on. Rows of the model's readings are rows of the catalog."""

    catalog: Catalog
    model: Model
    maps: Mapping[str, Path] = MappingProxyType({})  # asset, district or domain -> file of its pipes or its network


class Turn(NamedTuple):
    """What arrives within one second."""

    at: int  # [ns] end of that second
    batch: Batch  # in order of arrival
    blocks: list[Block]
    own: Bools | None = None  # [n] whether the time of each reading of the batch is its device's own; None: all are
    clock: int = 0  # [ns] newest trusted time among readings that arrived too and were left out; 0: none


class Run:
    """One model from `start` [ns] on, seen through sensors that may be at fault. Runs forward only.

    shift: added to every row; faults speak of shifted rows.
    """

    def __init__(self, model: Model, start: int, faults: Sequence[Fault] = (), shift: int = 0) -> None:
        self._model, self._faults, self._shift = model, tuple(faults), shift
        self._second = start // NS // model.span * model.span
        self._state = model.init(self._second)
        self._held: list[Any] = [None] * len(self._faults)
        self._made: list[Part] = []  # of the slots stepped so far, not yet told
        self._told = start  # [ns]

    def emit(self, t0: int, t1: int) -> list[Part]:
        if t0 < self._told:
            raise ValueError(
                f"asked for readings after {t0} ns, but the world has told those up to {self._told} ns; make a new one"
            )
        while self._second * NS < t1:
            self._second += self._model.span
            self._state, parts = self._model.step(self._state, self._second)
            parts = [moved(p, self._shift) for p in parts]
            for i, fault in enumerate(self._faults):
                self._held[i], parts = spoil(fault, self._held[i], parts)
            self._made += parts
        self._told = t1
        due: list[Part] = []
        rest: list[Part] = []
        for part in self._made:
            now, later = parted(part, t0, t1)
            due += now
            rest += later
        self._made = rest
        return due

    def truth(self) -> list[Truth]:
        return [*self._model.truth(), *(t for f in self._faults for t in f.truth())]


class City:
    """Several worlds as one."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self.worlds = tuple(worlds)

    def emit(self, t0: int, t1: int) -> list[Part]:
        return [part for w in self.worlds for part in w.emit(t0, t1)]

    def truth(self) -> list[Truth]:
        return [true for w in self.worlds for true in w.truth()]


def parted(part: Part, t0: int, t1: int) -> tuple[list[Part], list[Part]]:
    """What of a part is complete in (t0, t1], and what comes later [ns]; what came earlier is gone."""
    end = ends(part)
    due, rest = (end > t0) & (end <= t1), end > t1
    return [take(part, due)] if due.any() else [], [take(part, rest)] if rest.any() else []


def ends(part: Part) -> Ints:
    """When each row of a part is complete. [n] [ns]"""
    return part.t + part.step * (part.value.shape[1] - 1) if isinstance(part, Block) else part.t


def take(part: Part, which: Any) -> Part:
    """Some rows of a part; all of them are the part itself."""
    if which.dtype == np.bool_ and which.all():
        return part
    if isinstance(part, Batch):
        return part.take(which)
    return Block(part.row[which], part.t[which], part.step, part.value[which], part.quality[which])


def moved(part: Part, shift: int) -> Part:
    """The same readings of other rows."""
    if not shift:
        return part
    row = part.row + np.int32(shift)
    if isinstance(part, Batch):
        return Batch(row, part.t, part.value, part.quality)
    return Block(row, part.t, part.step, part.value, part.quality)


def readings(turn: Turn) -> int:
    return turn.batch.n + sum(b.value.size for b in turn.blocks)


def turns(parts: Sequence[Part]) -> Iterator[Turn]:
    """Readings as they arrive by themselves: second by second, each when it is complete."""
    loose = Batch.joined([p for p in parts if isinstance(p, Batch)])
    loose = loose.take(np.argsort(loose.t, kind="stable"))
    second = -(-loose.t // NS)
    waves = [(p, -(-ends(p) // NS)) for p in parts if isinstance(p, Block)]
    found = np.unique(np.concatenate([second, *(at for _, at in waves)]))
    cut = np.searchsorted(second, found, side="left"), np.searchsorted(second, found, side="right")
    by_second: dict[int, list[Block]] = {}
    for block, at in waves:
        for s in np.unique(at).tolist():
            by_second.setdefault(s, []).append(take(block, at == s))  # type: ignore[arg-type]  # a block's rows are a block
    for s, a, b in zip(found.tolist(), cut[0].tolist(), cut[1].tolist(), strict=True):
        yield Turn(s * NS, loose.take(slice(a, b)), by_second.get(s, []))


def batch(row: Any, t: Any, value: Any) -> Batch:
    """Readings that their device does not doubt. row [n], t [n] or one instant [ns], value [n] [SI]"""
    row = np.asarray(row, np.int32)
    at = np.broadcast_to(np.asarray(t, np.int64), row.shape).copy()
    return Batch(row, at, np.asarray(value, float), np.full(row.shape, Quality.GOOD, np.uint8))


def graded(value: float, bounds: Sequence[float]) -> Level:
    """The level of a value under four rising bounds, BLUE to RED."""
    return Level(int(np.searchsorted(bounds, value, side="right")))
