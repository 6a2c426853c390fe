"""What the mirror has done and has still to do, on disk: how far it is, its counts, its dead letters, what waits to be written.

How far it is, the counts, and what is carried from one file to the next change in one transaction.
"""

import io
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.journal import connect, transaction
from lifeline.clock import now
from lifeline.model import NS, Floats
from store.features import Sums
from store.follow import Place
from store.influx import Dead

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS state (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  era    INTEGER NOT NULL,  -- number of the journal
  next   INTEGER NOT NULL,  -- everything below is done
  fill   INTEGER NOT NULL,  -- what lay in the lake when the mirror first ran: below this it fills, and does not lag
  done   TEXT NOT NULL,     -- JSON: files done that reach above `next`
  counts TEXT NOT NULL,     -- JSON: cumulative counts of the fates of readings
  carry  BLOB,              -- sums of each waveform's newest second
  rows   TEXT NOT NULL      -- of which catalog: its rows are numbers in what is carried
)""",
    "CREATE TABLE IF NOT EXISTS seen (next INTEGER PRIMARY KEY, t INTEGER NOT NULL)",  # when offsets were first seen committed
    """CREATE TABLE IF NOT EXISTS dead (
  id    INTEGER PRIMARY KEY,
  t     INTEGER NOT NULL,  -- [ns] UTC
  code  INTEGER NOT NULL,  -- HTTP status
  words TEXT NOT NULL,     -- of the server
  line  BLOB NOT NULL UNIQUE
)""",
    "CREATE TABLE IF NOT EXISTS spool (id INTEGER PRIMARY KEY, line BLOB NOT NULL)",  # lines of levels and warnings
    "CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, next INTEGER NOT NULL)",  # [ns] of the desk's clock
    # stretches of time whose means have to be made anew
    """CREATE TABLE IF NOT EXISTS stale (
  tier TEXT NOT NULL, domain TEXT NOT NULL, start INTEGER NOT NULL, PRIMARY KEY (tier, domain, start)
) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS modes (asset TEXT PRIMARY KEY, body BLOB NOT NULL)",  # of bridges, as they were first found
)
KEPT: Final = 100_000  # dead letters, the newest; older ones are counted and forgotten
APART: Final = 10 * NS  # [ns] between two sightings that are kept


class Span(NamedTuple):
    """A stretch of time of one domain whose means are to be made anew; or of one bridge, whose spectra are."""

    tier: str
    domain: str  # of spectra the asset
    start: int  # [ns]


class Reference(NamedTuple):
    """The modes of a bridge as they were numbered: as first found."""

    keys: tuple[str, ...]  # [p] of the series
    first: Floats  # [modes] [Hz]
    shape: NDArray[np.complex128]  # [modes, p] [1] 0: that sensor was not heard


@dataclass
class State:
    """How far the mirror is."""

    place: Place = field(default_factory=Place)
    fill: int = -1  # -1: it has never run
    done: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    carry: Sums = field(default_factory=Sums.empty)


class Book:
    """A connection for one thread. rows: names the catalog whose rows are carried"""

    def __init__(self, path: Path, *, rows: str = "", readonly: bool = False) -> None:
        self._rows = rows
        self._db = connect(path, readonly=readonly)
        if not readonly:
            for table in SCHEMA:
                self._db.execute(table)

    def state(self) -> State:
        row = self._db.execute("SELECT era, next, fill, done, counts, carry, rows FROM state").fetchone()
        if row is None:
            return State()
        era, next_, fill, done, counts, carry, rows = row
        held = unpacked(carry if rows == self._rows else None)
        return State(Place(era, next_), fill, msgspec.json.decode(done), msgspec.json.decode(counts), held)

    def fill(self) -> int:
        """Below this it fills; -1: it has never run, or shall begin again."""
        row = self._db.execute("SELECT fill FROM state").fetchone()
        return int(row[0]) if row else -1

    def commit(self, s: State, stale: Iterable[Span] = ()) -> None:
        """All at once."""
        with transaction(self._db):
            self._put(s)
            self._db.executemany("INSERT OR IGNORE INTO stale VALUES (?, ?, ?)", stale)
            self._db.execute("DELETE FROM seen WHERE next <= ?", (s.place.next,))

    def _put(self, s: State) -> None:
        said = [msgspec.json.encode(x).decode() for x in (s.done, s.counts)]
        row = (*s.place, s.fill, *said, packed(s.carry) if s.carry.row.size else None, self._rows)
        self._db.execute("INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?)", row)

    def refill(self) -> None:
        """Begin again with the oldest reading; the counts go on."""
        s = self.state()
        with transaction(self._db):
            self._put(State(Place(), -1, [], s.counts))
            self._db.execute("DELETE FROM cursor")
            self._db.execute("DELETE FROM seen")

    # since when something waits

    def saw(self, committed: int, t: int) -> None:
        """Note that all below this offset is committed, by t [ns] at the latest."""
        newest, at = self._db.execute("SELECT coalesce(max(next), -1), coalesce(max(t), 0) FROM seen").fetchone()
        if committed > newest and t - at >= APART:
            self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (committed, t))

    def since(self, next_: int) -> int | None:
        """Since when something above the offset has been committed. [ns]; None: nothing is known to be"""
        (t,) = self._db.execute("SELECT min(t) FROM seen WHERE next > ?", (next_,)).fetchone()
        return None if t is None else int(t)

    # dead letters

    def bury(self, letters: Iterable[Dead]) -> None:
        t = now()
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO dead (t, code, words, line) VALUES (?, ?, ?, ?)",
                [(t, d.code, d.words, d.line) for d in letters],
            )
            self._db.execute("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", (KEPT,))

    def dead(self, most: int) -> list[tuple[int, Dead]]:
        """When, and what; the newest first."""
        rows = self._db.execute("SELECT t, line, code, words FROM dead ORDER BY id DESC LIMIT ?", (most,))
        return [(t, Dead(*rest)) for t, *rest in rows]

    def reasons(self) -> list[tuple[int, str, int]]:
        """(status, the server's words, lines), most first."""
        return self._db.execute(
            "SELECT code, words, count(*) FROM dead GROUP BY code, words ORDER BY 3 DESC LIMIT 20"
        ).fetchall()

    # levels and warnings

    def cursor(self, name: str) -> int:
        row = self._db.execute("SELECT next FROM cursor WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def spool(self, name: str, lines: Iterable[bytes], next_: int) -> None:
        """Keep lines until they are written, and go on from there."""
        with transaction(self._db):
            self._db.executemany("INSERT INTO spool (line) VALUES (?)", [(line,) for line in lines])
            self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, next_))

    def spooled(self, most: int = 10_000) -> tuple[int, list[bytes]]:
        """The oldest lines that wait, and the number of the last of them."""
        rows = self._db.execute("SELECT id, line FROM spool ORDER BY id LIMIT ?", (most,)).fetchall()
        return (rows[-1][0] if rows else 0), [line for _, line in rows]

    def written(self, last: int) -> None:
        """Lines up to this number are written."""
        self._db.execute("DELETE FROM spool WHERE id <= ?", (last,))

    def waiting(self) -> int:
        """Lines of levels and warnings."""
        return int(self._db.execute("SELECT count(*) FROM spool").fetchone()[0])

    # means

    def stale(self, most: int = 10_000, *, but: str = "", tier: str = "") -> list[Span]:
        """The oldest: all, or of one tier, or of all but one."""
        which, given = ("tier = ?", tier) if tier else ("tier != ?", but)
        asked = f"SELECT tier, domain, start FROM stale WHERE {which} ORDER BY start LIMIT ?"  # noqa: S608  words of ours
        return [Span(*r) for r in self._db.execute(asked, (given, most))]

    def fresh(self, spans: Iterable[Span]) -> None:
        with transaction(self._db):
            self._db.executemany("DELETE FROM stale WHERE tier = ? AND domain = ? AND start = ?", spans)

    # modes of bridges

    def modes(self, asset: str) -> Reference | None:
        """As they were numbered; None: not yet."""
        row = self._db.execute("SELECT body FROM modes WHERE asset = ?", (asset,)).fetchone()
        if row is None:
            return None
        with np.load(io.BytesIO(row[0])) as held:
            return Reference(tuple(held["keys"].tolist()), held["first"], held["shape"])

    def number(self, asset: str, modes: Reference) -> None:
        """Number them, or anew where other series tell of them."""
        with transaction(self._db):
            body = bytes_of({**modes._asdict(), "keys": np.array(modes.keys)})
            self._db.execute("INSERT OR REPLACE INTO modes VALUES (?, ?)", (asset, body))

    def close(self) -> None:
        self._db.close()


def opened(data: Path) -> Book | None:
    """To look at; None where there is none."""
    try:
        return Book(data / "mirror.db", readonly=True)
    except sqlite3.OperationalError:
        return None


def packed(s: Sums) -> bytes:
    return bytes_of(s._asdict())


def bytes_of(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **columns)
    return out.getvalue()


def unpacked(body: bytes | None) -> Sums:
    if not body:
        return Sums.empty()
    with np.load(io.BytesIO(body)) as held:
        return Sums(*(held[name] for name in Sums._fields))
