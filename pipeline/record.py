"""The command `lifeline record`: a recording cut out of what the system has taken, from the journal or, older, from the lake.

Both are only read, while the system runs. The journal has the messages as they came: what is replayed from it gives the levels
that were given live. The lake has readings by the time of their sensor, and not when they came.
"""

import fnmatch
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ingest.admit import Terms
from ingest.decode import decode
from ingest.journal import Reader
from lifeline.catalog import Catalog, load
from lifeline.clock import iso
from lifeline.config import Config
from lifeline.model import NS, Batch, Block, Bools, Ints, Rows
from lifeline.words import Unusable
from pipeline.progress import bar, passing
from pipeline.recording import Recorder, chosen
from simulators.world import Part, Turn, turns
from store.lake import Lake

Source = Literal["auto", "journal", "lake"]

PIECE: Final = 600  # [s] of the lake read at once


class Cut:
    """What is to be recorded."""

    def __init__(self, config: Config, start: int, end: int, which: Sequence[str]) -> None:
        """start, end [ns]; which: patterns of keys, assets or domains; none: everything"""
        if start >= end:
            raise Unusable(f"nothing lies between {iso(start)} and {iso(end)}; --from must be before --to")
        self.config, self.start, self.end = config, start, end
        self.catalog: Catalog = load(config.city.catalog)
        self.which: Bools = _matching(self.catalog, which)
        self.terms = Terms(config.watch.skew, config.watch.oldest, config.broker.max_payload)
        self.refused = 0  # readings and messages that could not be used

    def journal(self) -> Iterator[Turn]:
        """Commit by commit, as watch has it."""
        for entry in self.reader().between(self.start, self.end):
            names = [topic.decode("utf-8", "replace") for topic in entry.topics]
            said = list(zip(names, entry.payloads, strict=True))
            found = decode(said, entry.t, self.catalog, self.terms, self.config.city.name)
            self.refused += sum(r.items for r in found.refused)
            turn = chosen(Turn(entry.t, found.batch, found.blocks, found.own), self.which)
            if turn.batch.n or turn.blocks:
                yield turn

    def reader(self) -> Reader:
        path = self.config.city.data / "journal.db"
        if not path.exists():
            raise Unusable(f"{path}: there is no journal; is data = … in [city] right?")
        return Reader(path)

    def lake(self) -> Iterator[Turn]:
        """Second by second of the sensors' clocks."""
        lake = Lake(self.config.city.data / "lake", self.catalog)
        rows = np.flatnonzero(self.which).astype(np.int32)
        at = self.start
        while at < self.end:
            then = min(at + PIECE * NS, self.end)
            yield from turns(parts(lake.scan(rows, at, then), self.catalog))
            at = then


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
    chosen_source = source if source != "auto" else _reaching(cut)
    info = {
        "source": chosen_source, "city": config.city.name, "from": iso(start), "to": iso(end), "only": list(which),
        "terms": [cut.terms.skew, cut.terms.oldest, cut.terms.max_payload],
    }  # fmt: skip
    with Recorder(path, cut.catalog, info) as to, bar((end - start) / NS, "recording") as told:
        passed = passing(told, start)
        for turn in cut.journal() if chosen_source == "journal" else cut.lake():
            to.add(turn)
            passed(turn)
    return {
        "recording": str(path), "source": chosen_source, "from": iso(start), "to": iso(end),
        "series": int(cut.which.sum()), "readings": to.readings, "refused": cut.refused, "bytes": path.stat().st_size,
    }  # fmt: skip


def _reaching(cut: Cut) -> Literal["journal", "lake"]:
    """The journal, if it still reaches back so far."""
    if not (cut.config.city.data / "journal.db").exists():
        return "lake"
    kept = cut.reader().stat()
    complete = kept["oldest"] is not None and (kept["oldest"] <= cut.start or kept["messages"] == kept["head"])
    return "journal" if complete else "lake"
