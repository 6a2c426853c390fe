"""Channels of one asset side by side on a grid of one-second slots, for detectors that judge them together.

A slot stamped T covers (T - 1 s, T]. It closes when the data's clock has passed it by the allowance; what comes later still
moves the state that stands, but the closed slot is not judged again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Floats, Ints, Rows

ALLOWANCE: Final = 1 * NS  # [ns] readings of one asset may be apart by this much
LONGEST: Final = 3600  # slots judged after a jump of the clock; before that nothing that is held still stands
CELLS: Final = 1 << 19  # slots of channels looked at together: measured; fewer pay for calls of numpy, more leave the cache
TICKS: Final = 16  # [1] slots of them, where there are many assets


class Piece(NamedTuple):
    """Some assets in some slots."""

    assets: slice
    first: int  # place of the first slot among those that are closed
    ends: Ints  # [k] [ns] of the slots
    x: Floats  # [a, c, k] what stands, the assets of one slot and channel side by side in memory


class Said(NamedTuple):
    """What was said of channels [n], in order of time."""

    slot: Ints  # [n]
    place: Ints  # [n]
    t: Ints  # [n] [ns]
    value: Floats  # [n]

    def take(self, which: Any) -> "Said":
        return Said._make(a[which] for a in self)


@dataclass
class Grid:
    """What stands in each channel of each asset, and what waits for its slot."""

    channels: tuple[str, ...]
    assets: list[str]  # [a]
    rows: Rows  # [a, c] catalog row of each channel; -1: the asset lacks it
    place: Ints  # [n catalog] flat position a * C + c; -1: not of this grid
    hold: Floats  # [a, c] [ns] how long a state stands
    value: Floats = field(init=False)  # [a, c] what stands
    since: Ints = field(init=False)  # [a, c] [ns] when it was said
    closed: int = 0  # [ns] end of the last closed slot; 0 before the first reading
    waiting: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)  # (flat place, t, value) for slots still open

    def __post_init__(self) -> None:
        self.value = np.full(self.rows.shape, np.nan)
        self.since = np.zeros(self.rows.shape, np.int64)

    def memory(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of all that must survive a restart."""
        place, t, value = self._take()
        if t.size:
            self.waiting = [(place, t, value)]
        return {
            "value": self.value.copy(), "since": self.since.copy(), "closed": np.array([self.closed]),
            "place": place, "t": t, "waiting": value,
        }  # fmt: skip

    def remember(self, kept: dict[str, np.ndarray[Any, Any]], moved: Ints) -> None:
        """Take over a memory; moved [a]: the position each asset had in it, -1: none."""
        stayed = moved >= 0
        self.value[stayed], self.since[stayed] = kept["value"][moved[stayed]], kept["since"][moved[stayed]]
        lacking = self.rows < 0  # a channel that the catalog no longer has says nothing any more
        self.value[lacking], self.since[lacking] = np.nan, 0
        self.closed = int(kept["closed"][0])
        now = np.full(kept["value"].shape[0], -1, np.int64)
        now[moved[stayed]] = np.flatnonzero(stayed)
        asset, channel = np.divmod(kept["place"], len(self.channels))
        there = (now[asset] >= 0) & ~lacking[now[asset], channel]
        self.waiting = [((now[asset] * len(self.channels) + channel)[there], kept["t"][there], kept["waiting"][there])]

    def add(self, batch: Batch) -> None:
        """Keep the readings of this grid for their slots; the batch is in order of arrival."""
        place = self.place[batch.row]
        mine = place >= 0
        if mine.any():
            self.waiting.append((place[mine], batch.t[mine], batch.value[mine]))

    def close(self, clock: int) -> tuple[Ints, Floats]:
        """Close what the data's clock [ns] allows -> ends of the slots [k] [ns], x [a, c, k]."""
        ends, pieces = self.pieces(clock)
        x = np.empty((*self.rows.shape, ends.size))
        for p in pieces:
            x[p.assets, :, p.first : p.first + p.ends.size] = p.x
        return ends, x

    def pieces(self, clock: int) -> tuple[Ints, Iterator[Piece]]:
        """The same piece by piece, the slots of an asset one after another; all of them must be asked for."""
        until = (clock - ALLOWANCE) // NS * NS
        if self.closed == 0:
            self.closed = until
        first = max(self.closed, until - LONGEST * NS)
        ends = np.arange(first + NS, until + 1, NS)
        said = self._due(ends)
        self.closed = max(self.closed, until)
        return ends, self._cut(ends, said)

    def _due(self, ends: Ints) -> Said:
        """What waits for these slots; what is older moves the state that stands, before the first of them."""
        place, t, value = self._take()
        slot = np.searchsorted(ends, t)  # the first slot that ends at or after t
        later = slot >= ends.size
        if later.any():
            self.waiting = [(place[later], t[later], value[later])]
        due = ~later & (t >= self.since.ravel()[place])  # an older one than what stands changes nothing
        return Said(slot[due], place[due], t[due], value[due])

    def _cut(self, ends: Ints, said: Said) -> Iterator[Piece]:
        """Pieces of such a size that they stay in the cache."""
        a, c = self.rows.shape
        ticks = min(max(ends.size, 1), max(TICKS, CELLS // max(a * c, 1)))
        size = max(CELLS // (c * ticks), 1)
        spans = -(-ends.size // ticks)
        number = said.place // (c * size) * spans + said.slot // ticks
        order = np.argsort(number, kind="stable")
        cuts = np.searchsorted(number[order], np.arange(-(-a // size) * spans + 1))
        for i, (begin, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
            assets = slice(i // spans * size, min((i // spans + 1) * size, a))
            first = i % spans * ticks
            mine = said.take(order[begin:end])
            own = mine._replace(slot=mine.slot - first, place=mine.place - assets.start * c)
            some = ends[first : first + ticks]
            yield Piece(assets, first, some, self._stands(assets, some, own))

    def _stands(self, assets: slice, ends: Ints, said: Said) -> Floats:
        """What stands of some assets at the end of each slot [a, c, k], after sayings of them; the last of a channel stays."""
        value, since, hold = self.value[assets], self.since[assets], self.hold[assets].ravel()
        a, c = value.shape
        x = np.empty((ends.size, c, a))
        x[:] = value.T
        spoken = said.place
        lapses = np.flatnonzero((ends[-1] - since.ravel() > hold) & np.isfinite(value.ravel()))
        if lapses.size:
            stands = ends[:, None] - since.ravel()[lapses] <= hold[lapses]
            x[:, lapses % c, lapses // c] = np.where(stands, value.ravel()[lapses], np.nan)
        if spoken.size:
            which, where = np.unique(spoken, return_inverse=True)
            last = np.full((ends.size, which.size), -1)  # [k, which] which saying stands; -1: what stood before
            last[said.slot, where] = np.arange(spoken.size)
            for before, now in pairwise(last):
                np.maximum(before, now, out=now)
            none = last < 0
            told = np.where(none, since.ravel()[which], said.t[last])
            stood = np.where(none, value.ravel()[which], said.value[last])
            x[:, which % c, which // c] = np.where(ends[:, None] - told <= hold[which], stood, np.nan)
            since[spoken // c, spoken % c] = said.t
            value[spoken // c, spoken % c] = said.value
        return x.transpose(2, 1, 0)

    def _take(self) -> tuple[Ints, Ints, Floats]:
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        place, t, value = (np.concatenate(c) for c in zip(*waiting, strict=True))
        order = np.argsort(t, kind="stable")
        return place[order], t[order], value[order]


def grid(catalog: Catalog, domain: str | None, channels: tuple[str, ...]) -> Grid:
    """The assets that have the first of the channels, and whichever of the others they have."""
    mine = np.isin(catalog.quantity, channels)
    if domain is not None:
        mine &= catalog.domain == domain
    lead = np.flatnonzero(mine & (catalog.quantity == channels[0]))
    assets = list(dict.fromkeys(catalog.asset[lead].tolist()))
    number = {a: i for i, a in enumerate(assets)}
    rows = np.full((len(assets), len(channels)), -1, np.int32)
    place = np.full(catalog.n, -1, np.int64)
    hold = np.full(rows.shape, np.inf)
    for row in np.flatnonzero(mine).tolist():
        a, c = number.get(catalog.asset[row], -1), channels.index(catalog.quantity[row])
        if a >= 0:
            rows[a, c], place[row] = row, a * len(channels) + c
            limit = catalog.hold[row] if np.isfinite(catalog.hold[row]) else 3 * catalog.step[row]
            hold[a, c] = limit * NS
    return Grid(channels, assets, rows, place, hold)
