"""Writes lines to whatever speaks InfluxDB's second interface: 1.8, 2.x, 3, VictoriaMetrics. docs/influx.md

Synchronous: when `write` returns, every line is stored by the server, or was refused by it and is a dead letter with the
server's own words. The client's retries are off: what is tried again, and when, is decided here. Lines may be written any
number of times: the same series and time overwrite themselves.
"""

import gzip
import logging
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from lifeline.clock import now
from lifeline.model import NS
from store.protocol import Lines

log = logging.getLogger("lifeline.influx")

BACKOFF: Final = (0.5, 60.0)  # [s] where the server names no time
SLOW: Final = (5.0, 60.0)  # [s] where somebody has to mend something first
LONGEST: Final = 3600.0  # [s] of a Retry-After that is obeyed
LEAST: Final = 100  # [1] lines of a request: time-outs make it no smaller
WORDS: Final = 500  # [1] characters kept of what a server says
LEVEL: Final = 1  # of gzip: 9 takes twelve times as long and saves a fifth (docs/benchmarks.md)
DROPPED: Final = re.compile(r"dropped=(\d+)")
INIT: Final = "is there such a bucket? `lifeline store init` makes it"
OLD: Final = (
    "it has no /api/v2/write, which InfluxDB has from 1.8 on: take a later one, or put a proxy before it (docs/influx.md)"
)
NO_PAGE: Final = "404 page not found"  # what a server of Go says of a path that it does not know


class Fate(StrEnum):
    """What became of a request."""

    WRITTEN = "written"
    REFUSED = "refused"  # 400, 422: some of its lines will never be taken
    LARGE = "large"  # 413
    LIMITED = "limited"  # 429
    AWAY = "away"  # 5xx, no connection, a connection lost
    SLOW = "slow"  # no answer in time; it may have been written
    BARRED = "barred"  # 401, 403 and whatever else is wrong with us, not with the lines
    MISSING = "missing"  # 404


class Answer(NamedTuple):
    """Of a server, or for want of one."""

    fate: Fate
    code: int  # HTTP status; 0: none
    words: str
    wait: float | None  # [s] that the server asks to wait; None: it names no time


class Dead(NamedTuple):
    """A line that the server will not have."""

    line: bytes
    code: int
    words: str


class Stopped(Exception):
    """Told to stop before everything was written."""


@dataclass(frozen=True)
class Target:
    """Where to write. token: for 1.8 `user:password`; bucket: for 1.8 the database."""

    url: str
    token: str = field(repr=False)
    org: str
    bucket: str
    timeout: float = 10.0  # [s]
    ca_file: str | None = None


class Writer:
    """One request at a time."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client = InfluxDBClient(
            target.url.rstrip("/"), target.token or "none", org=target.org, timeout=round(target.timeout * 1000), retries=False,
            ssl_ca_cert=target.ca_file,
        )  # fmt: skip
        self._service: Any = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]

    def post(self, text: bytes, bucket: str = "") -> Answer:
        """One attempt."""
        body = gzip.compress(text, LEVEL, mtime=0)
        try:
            self._service.post_write(
                self.target.org, bucket or self.target.bucket, body, precision="ns", content_encoding="gzip"
            )
        except ApiException as why:
            return answer(int(why.status or 0), said(why), why.headers or {})
        except urllib3.exceptions.ReadTimeoutError as why:
            return Answer(Fate.SLOW, 0, f"{type(why).__name__}: {why}"[:WORDS], None)
        except (urllib3.exceptions.HTTPError, OSError) as why:
            return Answer(Fate.AWAY, 0, f"{type(why).__name__}: {why}"[:WORDS], None)
        return Answer(Fate.WRITTEN, 204, "", None)

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]


def said(why: ApiException) -> str:
    body = why.body.decode("utf-8", "replace") if isinstance(why.body, bytes) else str(why.body or "")
    return (body.strip() or str(why.reason or ""))[:WORDS]


def answer(code: int, words: str, headers: Mapping[str, str]) -> Answer:
    """What a status means."""
    known = {400: Fate.REFUSED, 422: Fate.REFUSED, 413: Fate.LARGE, 429: Fate.LIMITED, 404: Fate.MISSING, 408: Fate.SLOW}
    fate = known.get(code, Fate.AWAY if code == 0 or code >= 500 else Fate.BARRED)
    fate = Fate.BARRED if fate is Fate.REFUSED and elsewhere(words, headers) else fate
    return Answer(fate, code, words, patience(headers.get("Retry-After"), now()))


def elsewhere(words: str, headers: Mapping[str, str]) -> bool:
    """Whether it was no InfluxDB that refused, but what stands before it: a proxy's page, TLS that is not spoken to as such.

    That says nothing of the lines, and none of them may be lost for it.
    """
    return "text/html" in headers.get("Content-Type", "") or "to an HTTPS server" in words


def patience(said: str | None, at: int) -> float | None:
    """[s] to wait, of a Retry-After: seconds or a date. None: nothing that can be understood. at [ns]"""
    if said is None:
        return None
    try:
        wait = float(said) if said.strip().isdigit() else _until(said, at)
    except (ValueError, TypeError):
        return None
    return min(max(0.0, wait), LONGEST)


def _until(date: str, at: int) -> float:
    when = parsedate_to_datetime(date)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - datetime.fromtimestamp(at / NS, UTC)).total_seconds()


@dataclass
class Tally:
    """What a sink has done."""

    lines: int = 0  # written
    bytes: int = 0  # of line protocol, before it was packed
    dead: int = 0
    requests: dict[tuple[Fate, int], int] = field(default_factory=dict)


class Sink:
    """Writes lines, whatever happens: goes on until each is stored or dead.

    most: lines in a request. [1]
    bury: where dead letters go; they must be kept when it returns.
    rest: waits so many seconds, or less when told to stop; says whether to stop.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        most: int,
        bury: Callable[[list[Dead]], None],
        rest: Callable[[float], bool],
        beat: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._writer, self._bury, self._rest, self._beat = writer, bury, rest, beat
        self._rng = rng or random.Random()  # noqa: S311  spreads retries, keeps no secret
        self._room = most  # lines that the server has room for; what 413 says is remembered
        self._most = most  # lines in the next request: time-outs halve it, answers double it again
        self._first: Dead | None = None  # of the lines refused in this call
        self.tally = Tally()
        self.why = ""  # nothing can be written, and why; empty while it can

    @property
    def most(self) -> int:
        """Lines in the next request. [1]"""
        return min(self._most, self._room)

    def write(self, lines: Lines, bucket: str = "") -> None:
        """All of them. Stopped: told to stop first; what was written stays written."""
        before, self._first = self.tally.dead, None
        try:
            self._all(lines, bucket)
        finally:
            if self._first is not None:
                line, code, words = self._first
                told = {"lines": self.tally.dead - before, "code": code, "said": words, "first": line}
                log.error("InfluxDB refuses lines", extra=told)

    def _all(self, lines: Lines, bucket: str) -> None:
        at = 0
        while at < lines.n:
            n = min(self.most, lines.n - at)
            if self._settle(lines.part(at, at + n), bucket):
                at += n

    def _settle(self, lines: Lines, bucket: str) -> bool:
        """Until this request is written or its lines are dead: true; false: cut it smaller."""
        tries = 0
        while True:
            got = self._post(lines, bucket)
            if got.fate is Fate.WRITTEN:
                return True
            if got.fate is Fate.REFUSED:
                self._divide(lines, got, bucket)
                return True
            if got.fate is Fate.LARGE:
                self._room = max(1, lines.n // 2)
                if lines.n == 1:
                    self._bury_all(lines, got)
                return lines.n == 1
            self._fail(got, tries)
            tries += 1
            if got.fate is Fate.SLOW and lines.n > LEAST:
                self._most = max(LEAST, lines.n // 2)
                return False

    def _post(self, lines: Lines, bucket: str) -> Answer:
        self._beat()
        got = self._writer.post(lines.text, bucket)
        self._beat()
        key = (got.fate, got.code)
        self.tally.requests[key] = self.tally.requests.get(key, 0) + 1
        if got.fate is Fate.WRITTEN:
            self.tally.lines += lines.n
            self.tally.bytes += len(lines.text)
            self._most = min(2 * self._most, self._room) if self._most < self._room else self._most
        if got.fate in {Fate.WRITTEN, Fate.REFUSED, Fate.LARGE} and self.why:
            log.info("writing again")
            self.why = ""
        return got

    def _divide(self, lines: Lines, got: Answer, bucket: str) -> None:
        """Find the lines that are refused, and write the others: halves, and halves of those that are refused again."""
        dropped = DROPPED.findall(got.words)
        if lines.n == 1 or (dropped and sum(map(int, dropped)) == lines.n):
            self._bury_all(lines, got)
            return
        half = lines.n // 2
        for part in (lines.part(0, half), lines.part(half, lines.n)):
            self._settle_whole(part, bucket)

    def _settle_whole(self, lines: Lines, bucket: str) -> None:
        if not self._settle(lines, bucket):
            self._all(lines, bucket)

    def _bury_all(self, lines: Lines, got: Answer) -> None:
        letters = [Dead(lines.part(i, i + 1).text, got.code, got.words) for i in range(lines.n)]
        self._bury(letters)
        self.tally.dead += lines.n
        self._first = self._first or letters[0]

    def _fail(self, got: Answer, tries: int) -> None:
        """Say what is wrong, and wait."""
        advice = OLD if NO_PAGE in got.words else INIT
        mend = f"; {advice}" if got.fate is Fate.MISSING else ""
        why = f"{self._writer.target.url}: {got.fate} {got.code or ''} {got.words}{mend}".replace("  ", " ")
        if not self.why:
            log.error("InfluxDB takes nothing; trying again", extra={"why": why})
        self.why = why
        if self._rest(self._wait(got, tries)):
            raise Stopped

    def _wait(self, got: Answer, tries: int) -> float:
        """[s]"""
        if got.wait is not None and got.fate in {Fate.LIMITED, Fate.AWAY}:
            return got.wait
        least, most = SLOW if got.fate in {Fate.BARRED, Fate.MISSING} else BACKOFF
        return min(most, least * 2.0 ** min(tries, 10)) * self._rng.uniform(0.5, 1.0)


def tallied(sinks: Any) -> Tally:
    """The sum of what several have done."""
    whole = Tally()
    for sink in sinks:
        whole.lines, whole.bytes, whole.dead = (
            whole.lines + sink.tally.lines, whole.bytes + sink.tally.bytes, whole.dead + sink.tally.dead,
        )  # fmt: skip
        for key, n in sink.tally.requests.copy().items():
            whole.requests[key] = whole.requests.get(key, 0) + n
    return whole
