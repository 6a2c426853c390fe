"""The command `lifeline record`: a recording cut out of what the system has taken, from the journal or, older, from the lake.

Both are only read, while the system runs. The journal has the messages as they came: what is replayed from it gives the levels
that were given live. The lake has readings by the time of their sensor, and not when they came.
"""

import fnmatch
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ingest.admit import Terms
from ingest.decode import decode
from ingest.journal import JournalBroken, Reader
from lifeline.catalog import Catalog, load
from lifeline.clock import iso
from lifeline.config import Config
from lifeline.model import NS, Batch, Block, Bools, Ints, Rows
from lifeline.words import Failed, Unusable
from pipeline.progress import bar, passing, stoppable
from pipeline.recording import Recorder, chosen
from simulators.world import Part, Turn, turns
from store.lake import Lake

Source = Literal["auto", "journal", "lake"]

SHORTEST, LONGEST = 60 * NS, 3600 * NS  # [ns] of the lake read at once
NONE: Final = np.empty(0, np.int64)
MANY: Final = 2_000_000  # readings at once above which less is read at a time, and a tenth of which more


class Cut:
    """What is to be recorded."""

    def __init__(
        self,
        config: Config,
        start: int,
        end: int,
        which: Sequence[str] | Bools,
        whole: Catalog | None = None,
        beside: Ints = NONE,
    ) -> None:
        """start, end [ns]

        which: patterns of keys, assets or domains, none: everything; or the series themselves [n]
        whole: the catalog, where it is loaded already
        beside: rows of other series that are read from the lake too, only to move the clock; from the journal all do
        """
        if start >= end:
            raise Unusable(f"nothing lies between {iso(start)} and {iso(end)}; --from must be before --to")
        self.config, self.start, self.end = config, start, end
        self.whole: Catalog = whole or load(config.city.catalog)
        fits = which if isinstance(which, np.ndarray) else _matching(self.whole, which)
        self._read = np.union1d(np.flatnonzero(fits), beside).astype(np.int32)
        self.place: Rows = np.where(fits, np.cumsum(fits) - 1, -1).astype(np.int32)  # [n] row in the catalog of the recording
        # of these alone: replayed, a series that was left out would be taken for silent
        self.catalog = Catalog(**{f.name: getattr(self.whole, f.name)[fits] for f in fields(Catalog)})
        self.terms = Terms(config.watch.skew, config.watch.oldest, config.broker.max_payload, config.watch.own_series)
        self.refused = 0  # readings and messages that could not be used

    def journal(self) -> Iterator[Turn]:
        """Commit by commit, as watch has it."""
        with closing(self.reader()) as reader:
            try:
                for entry in reader.between(self.start, self.end):
                    names = [topic.decode("utf-8", "replace") for topic in entry.topics]
                    said = list(zip(names, entry.payloads, strict=True))
                    found = decode(said, entry.t, self.whole, self.terms, self.config.city.name)
                    self.refused += sum(r.items for r in found.refused)
                    yield chosen(Turn(entry.t, found.batch, found.blocks, found.own), self.place)
            except JournalBroken as why:
                raise Failed(f"{why}; if they were purged meanwhile, take --source lake") from why

    def reader(self) -> Reader:
        path = self.config.city.data / "journal.db"
        if not path.exists():
            raise Unusable(f"{path}: there is no journal; is data = … in [city] right?")
        return Reader(path)

    def lake(self) -> Iterator[Turn]:
        """Second by second of the sensors' clocks."""
        lake = Lake(self.config.city.data / "lake", self.whole)
        at, length = self.start, SHORTEST
        while at < self.end:
            then = min((at // length + 1) * length, self.end)
            found = lake.scan(self._read, at, then)
            yield from (chosen(turn, self.place) for turn in turns(parts(found, self.whole)))
            at = then
            length = length // 2 if found.n > MANY else length * 2 if found.n < MANY // 10 else length
            length = min(max(length, SHORTEST), LONGEST)


def _matching(c: Catalog, patterns: Sequence[str]) -> Bools:
    """Series whose key, asset or domain fits any of the patterns. [n]"""
    if not patterns:
        return np.ones(c.n, np.bool_)
    fits = np.zeros(c.n, np.bool_)
    for pattern in patterns:
        here = np.zeros(c.n, np.bool_)
        for column in (c.key, c.asset, c.domain):
            names = {n: fnmatch.fnmatchcase(str(n), pattern) for n in set(column.tolist())}
            here |= np.array([names[n] for n in column.tolist()])
        if not here.any():
            raise Unusable(f"--only {pattern!r}: no series, asset or domain of the catalog is called so")
        fits |= here
    return fits


def parts(b: Batch, c: Catalog) -> list[Part]:
    """Readings in the order of row and time -> those by themselves, and runs of samples as the waveforms they were part of.

    A series that is read more often than once a second tells waveforms; where they were cut is not known any more: each ends
    with its second.
    """
    wave = c.step[b.row] < 1.0
    return [b.take(~wave), *waves(b.take(wave), c)]


def waves(b: Batch, c: Catalog) -> Iterator[Block]:
    step = np.rint(c.step[b.row] * NS).astype(np.int64)
    broken = np.diff(b.row, prepend=-1) != 0
    broken[1:] |= (np.diff(b.t) != step[1:]) | (np.diff(-(-b.t // NS)) != 0)
    first: Ints = np.flatnonzero(broken)
    size = np.diff(first, append=b.n)
    nth = _nth(b.row[first])
    for k, width, i in np.unique(np.stack([size, step[first], nth], axis=1), axis=0).tolist():
        mine = first[(size == k) & (step[first] == width) & (nth == i)]
        samples = mine[:, None] + np.arange(k)
        yield Block(b.row[mine], b.t[mine], width, b.value[samples], b.quality[samples])


def _nth(row: Rows) -> Ints:
    """How often the series of each waveform, in order, has told one before. row [n] sorted; [n]"""
    begin = np.flatnonzero(np.diff(row, prepend=-1))
    return np.asarray(np.arange(row.size) - np.repeat(begin, np.diff(begin, append=row.size)))


def run(config: Config, start: int, end: int, path: Path, which: Sequence[str], source: Source) -> dict[str, Any]:
    """What was recorded of (start, end] [ns]."""
    cut = Cut(config, start, end, which)
    chosen_source = source if source != "auto" else reaching(cut)
    info = {
        "source": chosen_source, "city": config.city.name, "from": iso(start), "to": iso(end), "only": list(which),
        "terms": [cut.terms.skew, cut.terms.oldest, cut.terms.max_payload],
    }  # fmt: skip
    with stoppable() as stop, Recorder(path, cut.catalog, info) as to, bar((end - start) / NS, "recording") as told:
        _written(to, cut.journal() if chosen_source == "journal" else cut.lake(), passing(told, start), stop)
        if not to.readings and not to.held:
            raise Failed(_nothing(cut, chosen_source))
    return {
        "recording": str(path), "source": chosen_source, "from": iso(start), "to": iso(end),
        "series": cut.catalog.n, "readings": to.readings, "refused": cut.refused, "bytes": path.stat().st_size,
        "whole": not stop.is_set(),
    }  # fmt: skip


def _written(to: Recorder, told: Iterator[Turn], passed: Callable[[Turn], None], stop: threading.Event) -> None:
    for turn in told:
        to.add(turn)
        passed(turn)
        if stop.is_set():
            return


def _nothing(cut: Cut, source: str) -> str:
    held = ""
    if source == "journal":
        with closing(cut.reader()) as reader:
            kept = reader.stat()
        if kept["oldest"] is not None and kept["newest"] is not None:
            held = f"; it holds what was received from {iso(kept['oldest'])} to {iso(kept['newest'])}"
    return f"the {source} holds nothing of these series from {iso(cut.start)} to {iso(cut.end)}{held}"


def reaching(cut: Cut) -> Literal["journal", "lake"]:
    """The journal, if it still reaches back so far."""
    if not (cut.config.city.data / "journal.db").exists():
        return "lake"
    kept = cut.reader().stat()
    complete = kept["oldest"] is not None and (kept["oldest"] <= cut.start or kept["messages"] == kept["head"])
    return "journal" if complete else "lake"
