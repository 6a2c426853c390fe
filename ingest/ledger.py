"""What became of every message: offsets of the consumers, counts of fates, dead letters.

A consumer commits its offset, its counts and its dead letters in one transaction, so that the books always balance:
head of the journal = stored + duplicate + dead_lettered + in flight, under a kill at any instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from ingest.journal import connect, transaction

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS consumer (
  name   TEXT PRIMARY KEY,
  next   INTEGER NOT NULL,  -- number of the next message wanted
  t      INTEGER NOT NULL,  -- [ns] UTC of this commit
  counts TEXT NOT NULL,     -- JSON: cumulative counts of fates
  extra  BLOB               -- what else must be true at exactly this offset
)""",
    """CREATE TABLE IF NOT EXISTS dead (
  number  INTEGER PRIMARY KEY,  -- of the message
  t       INTEGER NOT NULL,     -- [ns] UTC when received
  items   INTEGER NOT NULL,     -- readings refused in it; 1 when it could not be parsed
  reason  TEXT NOT NULL,
  places  TEXT NOT NULL,        -- where in the payload
  topic   BLOB NOT NULL,
  payload BLOB NOT NULL,
  retried INTEGER               -- number of the message it was sent again as
)""",
)

# one message may be refused for one reason at first, and for another when its other readings are compared with what is stored
BURY = """
INSERT INTO dead VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (number) DO UPDATE SET
  items = items + excluded.items,
  reason = reason || '; ' || excluded.reason,
  places = places || iif(places = '' OR excluded.places = '', '', '; ') || excluded.places
WHERE instr('; ' || reason || '; ', '; ' || excluded.reason || '; ') = 0"""

FORGET = "DELETE FROM dead WHERE number IN (SELECT number FROM dead WHERE t < ? LIMIT ?)"
MANY: Final = 1000  # letters forgotten in one transaction


class DeadLetter(NamedTuple):
    """A message, or readings of one, that could not be used; kept whole with the reason."""

    number: int
    t: int  # [ns] UTC when received
    items: int
    reason: str
    places: str
    topic: bytes
    payload: bytes


@dataclass(frozen=True)
class Mark:
    """How far a consumer has come, and what it had counted by then."""

    next: int = 0
    t: int = 0  # [ns] UTC
    counts: dict[str, int] | None = None
    extra: bytes = b""


class Ledger:
    """The books of one city, written by the consumers of its journal."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        if not readonly:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = connect(path, readonly=readonly)
        if not readonly:
            for table in SCHEMA:
                self._db.execute(table)

    def mark(self, name: str) -> Mark:
        """Where a consumer goes on; the beginning for one never seen."""
        row = self._db.execute("SELECT next, t, counts, extra FROM consumer WHERE name = ?", (name,)).fetchone()
        return Mark(row[0], row[1], msgspec.json.decode(row[2]), row[3] or b"") if row else Mark(counts={})

    def consumed(self) -> int:
        """Below this number every consumer is done; 0 while there is none."""
        return int(self._db.execute("SELECT coalesce(min(next), 0) FROM consumer").fetchone()[0])

    def commit(self, name: str, mark: Mark, dead: Iterable[DeadLetter] = ()) -> None:
        """All at once, or nothing. A dead letter said twice is one; one said for two reasons bears both."""
        with transaction(self._db):
            self._db.executemany(BURY, dead)
            self._db.execute(
                "INSERT OR REPLACE INTO consumer VALUES (?, ?, ?, ?, ?)",
                (name, mark.next, mark.t, msgspec.json.encode(mark.counts or {}).decode(), mark.extra),
            )

    def dead(self, *, waiting: bool = True, like: str = "", most: int = 100, after: int = -(2**63)) -> list[DeadLetter]:
        """Dead letters beyond number `after`, oldest first; `waiting`: not yet sent again; `like`: a part of the reason."""
        rows = self._db.execute(
            "SELECT number, t, items, reason, places, topic, payload FROM dead "
            "WHERE number > ? AND reason LIKE ? AND (retried IS NULL OR NOT ?) ORDER BY number LIMIT ?",
            (after, f"%{like}%", waiting, most),
        )
        return [DeadLetter(*r) for r in rows]

    def reasons(self) -> list[tuple[str, int, int]]:
        """(reason, messages, items), most first."""
        return self._db.execute("SELECT reason, count(*), sum(items) FROM dead GROUP BY reason ORDER BY 2 DESC").fetchall()

    def retried(self, numbers: Iterable[tuple[int, int]]) -> None:
        """(number of the dead letter, number it was sent again as)."""
        with transaction(self._db):
            self._db.executemany("UPDATE dead SET retried = ? WHERE number = ?", [(new, old) for old, new in numbers])

    def begin_anew(self) -> None:
        """The journal counts from 0 again: so do the consumers; dead letters move below 0, out of the way of new numbers."""
        with transaction(self._db):
            above = self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM dead").fetchone()[0]
            for (number,) in self._db.execute("SELECT number FROM dead ORDER BY number").fetchall():  # in order: no collision
                self._db.execute("UPDATE dead SET number = ? WHERE number = ?", (number - max(above, 1), number))
            self._db.execute("UPDATE consumer SET next = 0, counts = '{}'")

    def forget(self, *, before: int) -> int:
        """Delete dead letters received before [ns]; returns how many. In parts: others may write in between."""
        gone = 0
        while part := self._db.execute(FORGET, (before, MANY)).rowcount:
            gone += part
        return gone

    def close(self) -> None:
        self._db.close()


def balance(head: int, counts: dict[str, int], next_: int) -> dict[str, Any]:
    """The equation of the first promise, in messages. head: of the journal, all acknowledged; next_: of the consumer."""
    fates = {k: counts.get(k, 0) for k in ("stored", "duplicate", "dead_lettered")}
    return {"acknowledged": head, **fates, "in_flight": head - next_}
