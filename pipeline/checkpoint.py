"""A checkpoint: readings in the lake, memory, counts and dead letters, all true at one journal offset.

Order of writing: the lake's files, the snapshot, then one transaction that moves the offset. Killed before it, the next start
takes the files back and reads the same messages again; killed after it, nothing is left to do.
"""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from zipfile import BadZipFile, ZipFile

import msgspec
import numpy as np

from ingest.journal import DAMAGED
from ingest.ledger import DeadLetter, Ledger, Mark
from lifeline.clock import now
from lifeline.model import Batch, Change, Ints, Level
from pipeline.engine import Engine, Outcome, Part
from pipeline.fates import Fate, sort_late, tally
from pipeline.snapshot import Arrays, gather, load, save, scatter
from store.damage import SUFFIX
from store.lake import Lake

log = logging.getLogger("lifeline.checkpoint")

NAME: Final = "watch"  # of this consumer in the ledger
RETRY: Final = 2.0  # [s]
ROOM: Final = 32  # [byte] that a reading takes in memory, or so
CONFLICT: Final = "another value is stored for the same series and time"


class Extra(msgspec.Struct):
    """What else is true at the offset."""

    snapshot: str
    unsent: list[Change]
    raised: list[Change]  # the changes that made the levels that stand


class Known(NamedTuple):
    """What watch knows of the desk."""

    unsent: list[Change]  # what the desk has not confirmed
    raised: list[Change]  # what stands there, but for its evidence


@dataclass
class Span:
    """What was made of the messages [first, end) and is not yet on the disk."""

    first: int
    end: int
    fresh: list[Batch] = field(default_factory=list)
    used: list[Ints] = field(default_factory=list)
    late: list[Part] = field(default_factory=list)
    refused: list[DeadLetter] = field(default_factory=list)
    raw: dict[int, tuple[int, bytes, bytes]] = field(default_factory=dict)  # late messages: number -> received, topic, payload
    _readings: int = 0  # judged
    _bytes: int = 0  # of the letters counted so far
    _counted: int = 0  # letters

    @property
    def readings(self) -> int:
        """How much is held, as so many readings: a refused message takes the room of those that fit into its payload."""
        self._bytes += sum(len(d.payload) + len(d.topic) for d in self.refused[self._counted :])
        self._counted = len(self.refused)
        return self._readings + self._counted + self._bytes // ROOM

    def add(self, out: Outcome) -> None:
        self.fresh += out.fresh
        self.used += out.used
        self.late += out.late
        self._readings += sum(b.n for b in out.fresh) + sum(p.batch.n for p in out.late)


def named(letter: DeadLetter) -> DeadLetter:
    """With the true reason, where the journal itself has lost what was said."""
    return letter._replace(reason="damaged in the journal", places="") if letter.topic == DAMAGED else letter


class Checkpoints:
    """Writes one span at a time in a thread of its own, beside the judging of the next."""

    def __init__(self, lake: Lake, ledger: Callable[[], Ledger], folder: Path) -> None:
        self._lake, self._open_ledger, self._folder = lake, ledger, folder
        self._pool = ThreadPoolExecutor(1, "checkpoint")
        self._running: Future[None] | None = None
        self._closing = threading.Event()
        self.mark = Mark(counts={})
        self._failure = ""  # the last one; empty while it works

    def restore(self, engine: Engine) -> Known:
        """Bring the engine to the last checkpoint -> what the desk may not know yet, and what stands there."""
        ledger = self._open_ledger()
        self.mark = ledger.mark(NAME)
        if self.mark.t == 0:
            ledger.commit(NAME, self.mark)  # from now on the journal keeps everything for us
        ledger.close()
        self._lake.rollback(self.mark.next)
        for half in self._folder.glob("state-*.tmp"):
            half.unlink()
        if not self.mark.extra:
            return Known([], [])
        extra = msgspec.json.decode(self.mark.extra, type=Extra)
        if memory := self._memory(self._folder / extra.snapshot):
            scatter(engine, memory)
        else:
            for c in extra.raised:  # what stands must be cleared by readings, not by the loss
                engine.take_over(c.key, c.rule, Level[c.new])
        return Known(extra.unsent, extra.raised)

    def _memory(self, path: Path) -> Arrays | None:
        """What the engine remembered; None where that is lost: readings and counts are right all the same."""
        try:
            ZipFile(path).close()  # where this fails numpy would leave the file open
            return load(path)
        except (FileNotFoundError, BadZipFile, ValueError, EOFError) as why:
            log.error(  # noqa: TRY400  it is said whole
                "the detectors start anew: their memory is lost", extra={"path": path, "why": f"{type(why).__name__}: {why}"}
            )
            with suppress(FileNotFoundError):
                path.rename(path.with_name(path.name + SUFFIX))
            return None

    @property
    def why(self) -> str:
        """What is wrong with what is kept; empty while it is well."""
        if self._failure or not (damaged := self._lake.damaged):
            return self._failure
        return f"{len(damaged)} damaged files of the lake were set aside, the first is {damaged[0]}: mend or remove it"

    @property
    def busy(self) -> bool:
        return self._running is not None and not self._running.done()

    def start(self, span: Span, engine: Engine, known: Known) -> None:
        """Begin to write; the engine may go on at once. Raises what the one before failed of."""
        self.wait()
        self._running = self._pool.submit(self._insist, span, gather(engine), known)

    def wait(self) -> None:
        """Until the one under way is done; raises what it failed of."""
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def _insist(self, span: Span, memory: Arrays, known: Known) -> None:
        """Write; when the disk will not have it, take back what was written and try again: judging goes on meanwhile."""
        while True:
            try:
                self._write(span, memory, known)
            except (OSError, sqlite3.Error) as why:
                self._failure = f"{type(why).__name__}: {why}"
                log.exception("a checkpoint could not be written; trying again")
                if self._closing.wait(RETRY):
                    raise
                self._lake.rollback(span.first)
            else:
                self._failure = ""
                return

    def _write(self, span: Span, memory: Arrays, known: Known) -> None:
        fresh, counts = Batch.joined(span.fresh), Counter(self.mark.counts)
        fate = np.zeros(span.end - span.first, np.uint8)
        for letter in span.refused:
            fate[letter.number - span.first] = Fate.DEAD
        late, dead = self._late(span, fresh, fate, counts)
        for used in span.used:
            fate[used - span.first] = Fate.STORED
        counts.update(tally(fate))
        counts.update(readings_stored=fresh.n + late.n, readings_refused=sum(d.items for d in span.refused))
        self._lake.write(Batch.joined([fresh, late]), span.first, span.end)
        snapshot = self._folder / f"state-{span.end:020d}.npz"
        save(snapshot, memory)
        mark = Mark(span.end, now(), dict(counts), msgspec.json.encode(Extra(snapshot.name, *known)))
        ledger = self._open_ledger()
        ledger.commit(NAME, mark, [*map(named, span.refused), *dead])
        ledger.close()
        self.mark = mark
        for old in self._folder.glob("state-*.npz"):
            if old.name != snapshot.name:
                old.unlink()

    def _late(
        self, span: Span, fresh: Batch, fate: np.ndarray[tuple[int], np.dtype[np.uint8]], counts: "Counter[str]"
    ) -> tuple[Batch, list[DeadLetter]]:
        """Decide about late readings -> those to store, and letters for those that contradict what is stored."""
        late, number = (
            Batch.joined([p.batch for p in span.late]),
            np.concatenate([np.empty(0, np.int64), *(p.number for p in span.late)]),
        )
        fates = sort_late(late, fresh, self._lake)
        for mask, what in ((fates.conflict, Fate.DEAD), (fates.duplicate, Fate.DUPLICATE), (fates.new, Fate.STORED)):
            place = number[mask] - span.first
            fate[place] = np.maximum(fate[place], what)
        counts.update(
            readings_late=int(fates.new.sum()),
            readings_duplicate=int(fates.duplicate.sum()),
            readings_conflict=int(fates.conflict.sum()),
        )
        dead = [
            DeadLetter(int(n), span.raw[int(n)][0], int(items), CONFLICT, "", *span.raw[int(n)][1:])
            for n, items in zip(*np.unique(number[fates.conflict], return_counts=True), strict=True)
        ]
        return late.take(fates.new), dead

    def hurry(self) -> None:
        """From now on what cannot be written is given up instead of tried again: the journal still has it."""
        self._closing.set()

    def close(self) -> None:
        """Give up what cannot be written: the journal still has it."""
        self._closing.set()
        self._pool.shutdown()
