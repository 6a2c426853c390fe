"""Tables [[transport]] of a scenario: what the network does to readings on their way. Never what was measured.

A message is what one device says within one turn. Faults act one after the other, in the file's order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, NamedTuple, Protocol

import numpy as np

from lifeline.catalog import Catalog
from lifeline.kinds import Between
from lifeline.measures import Seconds, Share, measure, time
from lifeline.model import NS, Batch, Block, Floats, Ints
from simulators.dice import dice
from simulators.faults import Truth, ill
from simulators.sensors import FOREVER
from simulators.world import Turn, take

STREAM: Final = 6100
NEVER: Final = np.inf


class Mail(NamedTuple):
    """The messages of a turn that a fault touches, one a device."""

    second: int  # [s] of the epoch
    since: float  # [s] after the fault's onset
    left: float  # [s] until it ends
    chance: Floats  # [m] [1] a number of their own in [0, 1) for each device touched, the same for the same second or burst
    other: Floats  # [m] [1] another


class Slow(Protocol):
    """A fault that makes messages come later, or twice, or never."""

    def copies(self, mail: Mail) -> Sequence[Floats]:
        """How much later each copy of each message comes. [m] [s], whole; inf: never"""


@dataclass(frozen=True)
class Loss:
    """Messages that never arrive."""

    device: str  # pattern of devices, such as "laser-*"
    share: Share  # of the messages, or of the time
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    burst: Seconds = 0.0  # that a gap of one device lasts: a well under a parked car; 0s: messages are lost one by one

    def copies(self, mail: Mail) -> Sequence[Floats]:
        return [np.where(mail.chance < self.share, NEVER, 0.0)]


@dataclass(frozen=True)
class Duplicate:
    """Messages that arrive once more."""

    device: str  # pattern of devices
    share: Share  # of the messages
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    after: Annotated[float, time("0s", "1d")] = 5.0  # how much later

    def copies(self, mail: Mail) -> Sequence[Floats]:
        again = np.where(mail.chance < self.share, float(round(self.after)), NEVER)
        return [np.zeros(again.shape), again]


@dataclass(frozen=True)
class Reorder:
    """Messages that overtake one another: each up to so much late."""

    device: str  # pattern of devices
    within: Annotated[float, time("1s", "1d")]  # the latest
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    share: Share = 1.0  # of the messages

    def copies(self, mail: Mail) -> Sequence[Floats]:
        return [np.where(mail.other < self.share, np.floor(mail.chance * (self.within + 1)), 0.0)]


@dataclass(frozen=True)
class Store:
    """Store and forward: what a device has gathered is sent every so often, all at once."""

    device: str  # pattern of devices
    every: Annotated[float, time("1s", "7d")]  # from one batch to the next
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end

    def copies(self, mail: Mail) -> Sequence[Floats]:
        return [np.full(mail.chance.shape, min(np.ceil(-mail.since % self.every), mail.left))]


@dataclass(frozen=True)
class Outage:
    """No connection: devices keep what they measure, and send all of it when it is over."""

    device: str  # pattern of devices
    lasts: Annotated[float, time("1s")]  # how long
    at: Seconds = 0.0  # after the start

    def copies(self, mail: Mail) -> Sequence[Floats]:
        return [np.full(mail.chance.shape, np.ceil(mail.left))]


@dataclass(frozen=True)
class Skew:
    """The clock of whole devices is off."""

    device: str  # pattern of devices
    offset: Annotated[float, measure("s", -2e9, 2e9)]  # ahead is positive; 28800 s is local time of China sent as UTC
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end
    ppm: Annotated[float, Between(-10_000, 10_000)] = 0.0  # that it gains


@dataclass(frozen=True)
class Swap:
    """Two devices under one another's name; channels that only one of them has stay what they are."""

    device: str  # its name
    other: str  # its name
    at: Seconds = 0.0  # after the start
    lasts: Seconds = FOREVER  # the default: to the end


KINDS: Final[Mapping[str, type]] = {c.__name__.lower(): c for c in (Loss, Duplicate, Reorder, Store, Outage, Skew, Swap)}


def carried(turns: Iterator[Turn], faults: Sequence[Any], catalog: Catalog, start: int, seed: int) -> Iterator[Turn]:
    """The turns as they arrive. start [ns]; ValueError where a fault fits no device"""
    for i, fault in enumerate(faults):
        turns = _carriers(fault, catalog, start, seed, STREAM + i)(turns)
    return turns


def truth(faults: Sequence[Any], catalog: Catalog, start: int) -> list[Truth]:
    """What the network does is no fault of the city: nothing may be warned of it. start [ns]"""
    out = []
    for f in faults:
        rows = np.concatenate([_touched(name, catalog) for name in {f.device, getattr(f, "other", f.device)}])
        onset, end = start + round(f.at * NS), start + round((f.at + f.lasts) * NS)
        out += [ill(a, type(f).__name__.lower(), onset, end) for a in dict.fromkeys(catalog.asset[np.sort(rows)].tolist())]
    return out


Carrier = Callable[[Iterator[Turn]], Iterator[Turn]]


def _carriers(fault: Any, c: Catalog, start: int, seed: int, stream: int) -> Carrier:
    onset = start + round(fault.at * NS)
    end = onset + round(fault.lasts * NS)
    rows = _touched(fault.device, c)
    if isinstance(fault, Swap):
        to = _exchange(fault, c)
        return lambda turns: (_swapped(t, to, onset, end) for t in turns)
    mine = np.zeros(c.n, bool)
    mine[rows] = True
    if isinstance(fault, Skew):
        return lambda turns: (_skewed(t, fault, mine, onset, end) for t in turns)
    number = np.full(c.n, -1)
    number[rows] = np.unique(c.device[rows].astype(str), return_inverse=True)[1]
    return lambda turns: _late(turns, fault, number, onset, end, seed, stream)


def _touched(pattern: str, c: Catalog) -> Ints:
    """Rows of the devices that fit a pattern. [k]"""
    rows = np.array([i for i, d in enumerate(c.device) if fnmatchcase(str(d), pattern)], np.int64)
    if not rows.size:
        some = ", ".join(dict.fromkeys(map(str, c.device[:20])))
        raise ValueError(f"device: no device fits {pattern!r}; there are such as {some}")
    return rows


def _exchange(f: Swap, c: Catalog) -> Ints:
    """Row -> the row it is told under. [n]"""
    to = np.arange(c.n)
    for i in _touched(f.device, c).tolist():
        twin = c.row.get(str(c.key[i]).replace(f"{f.device}/", f"{f.other}/", 1))
        if twin is not None:
            to[i], to[twin] = twin, i
    if (to == np.arange(c.n)).all():
        raise ValueError(f"other: {f.other} has no channel in common with {f.device}")
    return to


def _swapped(turn: Turn, to: Ints, onset: int, end: int) -> Turn:
    if not onset <= turn.at < end:
        return turn
    b = turn.batch
    blocks = [Block(to[k.row].astype(np.int32), k.t, k.step, k.value, k.quality) for k in turn.blocks]
    return Turn(turn.at, Batch(to[b.row].astype(np.int32), b.t, b.value, b.quality), blocks)


def _skewed(turn: Turn, f: Skew, mine: Any, onset: int, end: int) -> Turn:
    if not onset <= turn.at < end:
        return turn

    def told(row: Any, t: Ints) -> Ints:
        off = f.offset + 1e-6 * f.ppm * (t - onset) / NS
        return np.where(mine[row], t + np.round(off * NS).astype(np.int64), t)

    b = turn.batch
    blocks = [Block(k.row, told(k.row, k.t), k.step, k.value, k.quality) for k in turn.blocks]
    return Turn(turn.at, Batch(b.row, told(b.row, b.t), b.value, b.quality), blocks)


def _late(turns: Iterator[Turn], f: Slow, number: Ints, onset: int, end: int, seed: int, stream: int) -> Iterator[Turn]:
    """number [n]: of the device among those touched, -1: untouched."""
    kept: dict[int, list[Turn]] = {}  # when -> what arrives then, in the order in which it was sent
    m = int(number.max()) + 1
    for turn in turns:
        yield from _due(kept, turn.at - 1)
        if not onset <= turn.at < end:
            kept.setdefault(turn.at, []).append(turn)
        else:
            draw = dice(seed, stream, turn.at // NS // max(round(getattr(f, "burst", 0.0)), 1))
            mail = Mail(turn.at // NS, (turn.at - onset) / NS, (end - turn.at) / NS, draw.random(m), draw.random(m))
            for i, later in enumerate(f.copies(mail)):
                _posted(kept, turn, np.append(later, NEVER if i else 0.0)[number])  # [n] [s]; number -1 takes the last
        yield from _due(kept, turn.at)
    yield from _due(kept, max(kept, default=0))


def _posted(kept: dict[int, list[Turn]], turn: Turn, later: Floats) -> None:
    """Set down each reading of a turn under the second of its arrival. later [n] [s]; untouched readings come but once."""
    away = [later[turn.batch.row], *(later[b.row] for b in turn.blocks)]
    for d in np.unique(np.concatenate(away)):
        if np.isfinite(d):
            batch = turn.batch.take(away[0] == d)
            blocks = [take(b, w == d) for b, w in zip(turn.blocks, away[1:], strict=True) if (w == d).any()]
            kept.setdefault(turn.at + round(d) * NS, []).append(Turn(turn.at, batch, blocks))  # type: ignore[arg-type]


def _due(kept: dict[int, list[Turn]], until: int) -> Iterator[Turn]:
    """What has arrived by then, one turn a second. until [ns]"""
    for at in sorted(k for k in kept if k <= until):
        those = kept.pop(at)
        yield Turn(at, Batch.joined([t.batch for t in those]), [b for t in those for b in t.blocks])
