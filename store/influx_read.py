"""What an InfluxDB holds, by InfluxQL over `/query`, which 1.8, 2.x (with a DBRP mapping) and 3 share."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import urllib3

from lifeline.catalog import Catalog
from lifeline.model import Batch, Ints, Rows
from store.influx import Target

OLDEST: Final = -(2**63) + 2  # [ns] the instants that the server can name
NEWEST: Final = 2**63 - 2  # [ns]
KEYS: Final = 200  # [1] series in one question


class Unanswered(RuntimeError):
    """The server does not answer the question. Says how it said so."""


class Reader:
    """Questions to one server."""

    def __init__(self, target: Target) -> None:
        self.target = target
        kind = {"Authorization": f"Token {target.token}"} if target.token else {}
        self._http = urllib3.PoolManager(headers=kind, retries=False, timeout=target.timeout, ca_certs=target.ca_file)

    def ask(self, question: str, database: str = "", *, change: bool = False) -> list[dict[str, Any]]:
        """The answer's series: name, tags, columns, values. Times are [ns]."""
        fields = {"q": question, "db": database or self.target.bucket, "epoch": "ns"}
        got = self._http.request_encode_url("POST" if change else "GET", f"{self.target.url.rstrip('/')}/query", fields)
        if got.status != 200:
            raise Unanswered(f"{got.status} {got.data.decode('utf-8', 'replace')[:500]}")
        said = msgspec.json.decode(got.data)
        problems = [r["error"] for r in said.get("results", []) if "error" in r]
        if problems or "error" in said:
            raise Unanswered("; ".join(problems) or str(said["error"]))
        return [series for r in said["results"] for series in r.get("series", [])]

    def close(self) -> None:
        self._http.clear()


def named(text: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def quoted(text: str) -> str:
    """A text of InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def readings(reader: Reader, catalog: Catalog, rows: Rows, t0: int, t1: int) -> Batch:
    """The readings of (t0, t1] [ns], in the order of row and time."""
    parts = [_batch(s, row) for s, row in _answers(reader, catalog, rows, t0, t1)]
    b = Batch.joined(parts)
    return b.take(np.lexsort((b.t, b.row)))


def newest(reader: Reader, catalog: Catalog, rows: Rows, since: int) -> Batch:
    """The last reading of each series after `since` [ns], in the order of row."""
    parts = [_batch(s, row) for s, row in _answers(reader, catalog, rows, since, 2**63 - 2, " ORDER BY time DESC LIMIT 1")]
    b = Batch.joined(parts)
    return b.take(np.argsort(b.row, kind="stable"))


def _answers(
    reader: Reader, catalog: Catalog, rows: Rows, t0: int, t1: int, more: str = ""
) -> Iterator[tuple[dict[str, Any], int]]:
    t0, t1 = max(t0, OLDEST), min(t1, NEWEST)
    wanted = np.unique(rows)
    for quantity in sorted(set(catalog.quantity[wanted].tolist())):
        mine = wanted[catalog.quantity[wanted] == quantity]
        for part in np.array_split(mine, -(-mine.size // KEYS)):
            said = reader.ask(_question(quantity, catalog.key[part].tolist(), t0, t1) + more)
            yield from ((s, catalog.row[s["tags"]["key"]]) for s in said)


def _question(quantity: str, keys: Sequence[str], t0: int, t1: int) -> str:
    which = " OR ".join(f'"key" = {quoted(k)}' for k in keys)
    return f'SELECT "value", "quality" FROM {named(quantity)} WHERE time > {t0} AND time <= {t1} AND ({which}) GROUP BY "key"'  # noqa: S608


def _batch(series: dict[str, Any], row: int) -> Batch:
    t, value, quality = zip(*series["values"], strict=True)
    number: Ints = np.array(t, np.int64)
    filled = np.array([np.nan if v is None else v for v in value], np.float64)
    return Batch(np.full(number.size, row, np.int32), number, filled, np.array([q or 0 for q in quality], np.uint8))
