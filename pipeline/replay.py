"""Readings that arrive turn by turn -> changes of level, by the very engine that runs live, on the clock of the data.

A turn is what a commit of the journal is to watch: what arrived together. The changes do not depend on who asks, or when.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from ingest.admit import Terms, clocked, untimely
from ingest.quality import gate, settings
from lifeline.catalog import Catalog
from lifeline.config import Broker, Watch
from lifeline.model import Batch, Block, Bools, Change, Quality, Rule
from pipeline.engine import Blocks, Engine, Heed, Part
from pipeline.panels import Maps
from pipeline.stretch import stretches
from simulators.world import Turn, ends, take

TERMS: Final = Terms(Watch.skew, Watch.oldest, Broker.max_payload)


class Replay:
    """One telling of a stream, from its beginning."""

    def __init__(
        self,
        catalog: Catalog,
        rules: Sequence[Rule],
        city: str = "replay",
        terms: Terms = TERMS,
        heed: Heed | None = None,
        maps: Maps | None = None,
        *,
        dated: bool = True,
    ) -> None:
        """heed: is told every score of readings and slots; those of silence are the ages themselves. maps: as configured

        dated: turns say when they were received; else nothing in them is old.
        """
        self.engine = Engine(catalog, list(rules), gate(catalog, settings()), city, heed, maps)
        self._terms, self._dated = terms, dated
        self.readings = 0
        self.refused = 0  # readings whose date is beyond what is permitted

    def step(self, *arrived: Turn) -> list[Change]:
        """Judge what arrived in one turn, or in a stretch of them (pipeline/stretch.py); changes by their instants."""
        parts, waves, clock = list[Part](), list[Blocks](), self.engine.clock
        for i, turn in enumerate(arrived):  # as number: series sent both ways stay in order of arrival
            batch, own, blocks = self._admitted(turn)
            at = turn.at if self._dated else 0
            parts += [Part(batch, np.full(batch.n, i, np.int64), at)] if batch.n else []
            waves += [Blocks(b, np.full(b.row.size, i, np.int64), at) for b in blocks]
            clock = max(clock, self._moved(batch, own, blocks, turn))
        return sorted(self.engine.step(parts, waves, clock).changes, key=lambda c: c.t)

    def _moved(self, batch: Batch, own: Bools, blocks: list[Block], turn: Turn) -> int:
        """Where a turn moves the data's clock. [ns]"""
        last = [batch.t[own & (batch.quality != Quality.CLOCK)], *(ends(b)[b.quality[:, -1] != Quality.CLOCK] for b in blocks)]
        trusted = max(turn.clock, *(int(t.max(initial=0)) for t in last))
        newest = max(turn.clock, *(int(t.max(initial=0)) for t in (batch.t, *map(ends, blocks))))
        self.readings += batch.n + sum(b.value.size for b in blocks)
        return self.engine.moved(trusted, newest, turn.at)

    def _admitted(self, turn: Turn) -> tuple[Batch, Bools, list[Block]]:
        """What would be taken at that instant, its clocks marked, as the decoder does it; of the batch, whose times are own."""
        b = turn.batch
        ahead, old = untimely(b.t, b.t, turn.at, self._terms)
        code = np.where(b.quality == Quality.GOOD, clocked(b.t, turn.at), b.quality)
        fit = ~(ahead | old)
        batch = Batch(b.row, b.t, b.value, code).take(fit)
        own = np.ones(batch.n, np.bool_) if turn.own is None else turn.own[fit]
        blocks = []
        for block in turn.blocks:
            ahead, old = untimely(block.t, ends(block), turn.at, self._terms)
            kept = take(block, ~(ahead | old))
            assert isinstance(kept, Block)
            mark = np.where(kept.quality == Quality.GOOD, clocked(ends(kept), turn.at)[:, None], kept.quality)
            blocks.append(Block(kept.row, kept.t, kept.step, kept.value, mark))
            self.refused += int((ahead | old).sum()) * block.value.shape[1]
        self.refused += b.n - batch.n
        return batch, own, [x for x in blocks if x.row.size]


def changes(catalog: Catalog, rules: Sequence[Rule], turns: Iterable[Turn], city: str = "replay") -> Iterator[Change]:
    """Every change of level that a stream gives."""
    replay = Replay(catalog, rules, city)
    for run in stretches(turns, replay.engine):
        yield from replay.step(*run)
