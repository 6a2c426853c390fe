"""The journal: raw messages on disk before anyone is told that they arrived.

One SQLite row is one commit: a batch of (topic, payload) in the order of arrival. A message's number is its place in the whole
journal, counted from 0 for ever; consumers keep the number of the next message they want (ingest/ledger.py). One process
appends (and now and then a command that sends dead letters again); any number read at the same time.
"""

import contextlib
import logging
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from lifeline.model import NS

log = logging.getLogger("lifeline.journal")

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
  first INTEGER PRIMARY KEY,  -- number of its first message
  n     INTEGER NOT NULL,     -- messages
  t     INTEGER NOT NULL,     -- [ns] UTC when received
  crc   INTEGER NOT NULL,     -- CRC-32 of the body
  size  INTEGER NOT NULL,     -- [byte] of the body
  body  BLOB    NOT NULL      -- MessagePack: [topic, payload, topic, payload, ...]
)"""

# the number is decided by the statement that writes it, so that another process may append too (dead letters sent again)
APPEND = """
INSERT INTO batch SELECT coalesce((SELECT first + n FROM batch ORDER BY first DESC LIMIT 1), 0), ?, ?, ?, ?, ?
RETURNING first"""

USED = """
SELECT first, t, size FROM batch WHERE first + n <= ? AND first < (SELECT max(first) FROM batch) ORDER BY first LIMIT ?"""

DAMAGED: Final = b"\0damaged in the journal"  # no MQTT topic holds NUL
ENOUGH: Final = 1 << 25  # [byte] of bodies read at once

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class Message(NamedTuple):
    """What a device said, untouched."""

    topic: bytes
    payload: bytes


class Entry(NamedTuple):
    """One batch as it was committed."""

    first: int  # number of its first message
    t: int  # [ns] UTC when received
    topics: list[bytes]  # [n]
    payloads: list[bytes]  # [n]

    @property
    def end(self) -> int:
        """Number of the message after its last."""
        return self.first + len(self.topics)


class JournalFull(Exception):
    """No room, or no way to write: nothing may be acknowledged until there is."""


class JournalBroken(Exception):
    """The journal lacks something that it held."""


@dataclass(frozen=True)
class Bounds:
    """How much is kept, and for how long."""

    retention: float  # [s] consumed messages are kept this long
    max_size: int  # [byte] of bodies; consumed ones go early, unconsumed ones never
    min_free: int  # [byte] of the disk left to others


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection that commits to the disk, waits for others, and can be used from one thread at a time."""
    mode = "ro" if readonly else "rwc"
    db = sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA busy_timeout = 30000")
    if not readonly:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All at once, or nothing: no failure, not even of the commit itself, leaves it open for what comes next."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite itself may have undone it
            db.execute("ROLLBACK")
        raise


def prepare(path: Path) -> None:
    """Make an empty journal where there is none, so that it can be read before the first message."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = connect(path)
    db.execute(SCHEMA)
    db.close()


class Writer:
    """Appends."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._bounds = path, bounds
        self._db = connect(path)
        self._db.execute(SCHEMA)
        self.head, self.size = head(self._db), size(self._db)

    def append(self, messages: list[bytes], t: int) -> int:
        """Commit [topic, payload, topic, payload, ...] received at t [ns] -> number of the first; they are on the disk then."""
        body = _pack(messages)
        self.check(len(body))
        n = len(messages) // 2
        try:
            first: int = self._db.execute(APPEND, (n, t, zlib.crc32(body), len(body), body)).fetchall()[0][0]
        except sqlite3.OperationalError as why:
            raise JournalFull(f"{self._path}: {why}; nothing is acknowledged until it can be written again") from why
        self.head = first + n
        self.size += len(body)
        return first

    def check(self, more: int = 0) -> None:
        """Refuse, with the reason, when `more` bytes have no place."""
        if self.size + more > self._bounds.max_size:
            self.size = size(self._db)  # another process may have made room
        if self.size + more > self._bounds.max_size:
            raise JournalFull(
                f"{self._path}: {self.size + more} bytes wait for their consumers, [journal] max_size is "
                f"{self._bounds.max_size}; is watch running and keeping up?"
            )
        free = shutil.disk_usage(self._path.parent).free
        if free < self._bounds.min_free + 2 * more:
            raise JournalFull(
                f"{self._path}: {free} bytes left on the disk, [journal] min_free keeps {self._bounds.min_free}; make room"
            )

    def purge(self, consumed: int, now: int, most: int = 200) -> int:
        """Delete batches below `consumed` that are too old or too many, at most so many at once; returns how many.

        The newest batch always stays: it carries the count of messages.
        """
        old = self._db.execute(USED, (consumed, most)).fetchall()
        doomed, left = [], self.size
        for first, t, size_ in old:
            if t >= now - self._bounds.retention * NS and left <= 0.9 * self._bounds.max_size:
                break
            doomed.append((first,))
            left -= size_
        if doomed:
            try:
                with transaction(self._db):
                    self._db.executemany("DELETE FROM batch WHERE first = ?", doomed)
            except sqlite3.DatabaseError as why:
                raise JournalFull(f"{self._path}: {why}; what was used cannot be deleted, nothing is acknowledged") from why
            self.size = left
        return len(doomed)

    def first(self) -> int:
        """Number of the oldest message that is kept; the head where none is."""
        row = self._db.execute("SELECT first FROM batch ORDER BY first LIMIT 1").fetchone()
        return int(row[0]) if row else self.head

    def close(self) -> None:
        self._db.close()


class Reader:
    """Reads while the writer writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect(path, readonly=True)

    def read(self, at: int, most: int = 64) -> list[Entry]:
        """Batches from message number `at` on, at most so many and within memory; empty when there is nothing new."""
        entries, held = [], 0
        found = self._db.execute("SELECT first, n, t, crc, body FROM batch WHERE first >= ? ORDER BY first LIMIT ?", (at, most))
        with contextlib.closing(found) as rows:  # one not read to its end would keep the journal's log from being emptied
            for first, n, t, crc, body in rows:
                entries.append(self._entry(at, first, n, t, crc, body))
                at, held = first + n, held + len(body)
                if held >= ENOUGH:
                    break
        return entries

    def _entry(self, at: int, first: int, n: int, t: int, crc: int, body: bytes) -> Entry:
        """A row as it was committed, the next after message `at`.

        What the disk has altered since comes as so many messages under the topic DAMAGED, the first with what is left of all.
        """
        if first != at:
            raise JournalBroken(f"{self._path}: messages {at} to {first - 1} are missing; restore them or move the offset")
        if zlib.crc32(body) != crc:
            log.error("a batch of the journal does not match its checksum", extra={"first": first, "messages": n})
            return Entry(first, t, [DAMAGED] * n, [body, *[b""] * (n - 1)])
        flat = _unpack(body)
        return Entry(first, t, flat[::2], flat[1::2])

    def head(self) -> int:
        """Number of the message after the last one."""
        return head(self._db)

    def stat(self) -> dict[str, int | None]:
        """Batches, messages, bytes and the age range of what is kept."""
        batches, messages, size_, t0, t1 = self._db.execute(
            "SELECT count(*), sum(n), sum(size), min(t), max(t) FROM batch"
        ).fetchone()
        return {
            "head": self.head(),
            "batches": batches,
            "messages": messages or 0,
            "bytes": size_ or 0,
            "oldest": t0,
            "newest": t1,
        }

    def between(self, t0: int, t1: int) -> Iterator[Entry]:
        """Batches received in (t0, t1] [ns]."""
        row = self._db.execute("SELECT min(first) FROM batch WHERE t > ? AND t <= ?", (t0, t1)).fetchone()
        at = row[0]
        while at is not None and (entries := self.read(at)):
            for e in entries:
                if e.t > t1:
                    return
                yield e
            at = entries[-1].end

    def close(self) -> None:
        self._db.close()


def head(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT first + n FROM batch ORDER BY first DESC LIMIT 1").fetchone()
    return int(row[0]) if row else 0


def size(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(sum(size), 0) FROM batch").fetchone()[0])
