"""What the desk knows, as lines: levels and warnings, and how every asset stands.

Levels and warnings are read from the desk by cursors, and kept on disk until they are written: an outage of InfluxDB, of the
desk or of the mirror loses none. How assets stand is worth something only now.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, Final

import httpx
import numpy as np

from alerts.colours import UNKNOWN
from lifeline.catalog import Catalog
from lifeline.clock import now
from lifeline.model import NS, Level
from pipeline.mirror.book import Book
from store.protocol import Lines, Unwritable, line

OVERLAP: Final = 60 * NS  # [ns] read again: what another desk, or a slow transaction, wrote a moment earlier
PAGE: Final = 5000  # [1] of one question
MINUTE: Final = 60 * NS
CASE: Final = ("city", "district", "domain", "asset", "hazard")


def rank(level: str) -> int:
    """For colours: 0 to 4; -1 where nothing is known."""
    return -1 if level == UNKNOWN else int(Level[level])


def level_line(step: dict[str, Any]) -> bytes:
    """A case's level from an instant of the sensor's clock on."""
    return line("level", {k: step[k] for k in CASE}, {"level": step["level"], "rank": rank(step["level"])}, step["t"])


def warning_line(w: dict[str, Any]) -> bytes:
    """A warning as it stood at an instant of the desk's clock. Its notes are its titles as links, in HTML."""
    fields = {
        k: w[name] for k, name in (("id", "id"), ("state", "state"), ("title_zh", "zh"), ("title_en", "en"), ("url", "url"))
    }
    fields |= {f"note_{k}": f'<a href="{escape(w["url"])}">{escape(w[k])}</a>' for k in ("zh", "en")}
    tags = {k: w[k] for k in (*CASE, "level")}
    answer = {} if w["acknowledged_at"] is None else {"answer": (w["acknowledged_at"] - w["raised"]) / NS}  # [s]
    return line("warning", tags, {**fields, "rank": rank(w["level"]), **answer}, w["updated"])


class Desk:
    """The desk, followed."""

    def __init__(self, url: str, headers: dict[str, str], book: Book, refused: Callable[[str], None]) -> None:
        self._http = httpx.Client(base_url=url, headers=headers, timeout=10.0, trust_env=False)
        self._book, self._refused = book, refused
        self._sent: dict[str, set[bytes]] = {"levels": set(), "warnings": set()}  # of the stretch that is read again
        self.why = ""  # it cannot be read, and why

    def follow(self) -> int:
        """Take over what is new -> lines that are kept until they are written."""
        try:
            n = self._take("levels", "at", level_line) + self._take("warnings", "updated", warning_line)
        except (httpx.HTTPError, ValueError) as why:
            self.why = f"desk: {type(why).__name__}: {why}"
            return 0
        self.why = ""
        return n

    def _take(self, what: str, clock: str, made: Callable[[dict[str, Any]], bytes]) -> int:
        far = min(self._book.cursor(what), now())  # a clock that was set back since counts again what is behind the cursor
        n, after, limit = 0, max(0, far - OVERLAP), PAGE
        seen: set[bytes] = set()
        while True:
            page = self._get(f"/api/v1/following/{what}", after=after, limit=limit)
            lines = list(self._lines(page, made))
            last = page[-1][clock] if page else after
            if new := [x for x in lines if x not in self._sent[what]]:
                self._book.spool(what, new, max(last, self._book.cursor(what)))
            self._sent[what].update(new)
            n, seen = n + len(new), seen.union(lines)
            if len(page) < limit:
                break
            again = last - 1  # a page may end between things of one instant
            limit, after = (limit, again) if again > after else (2 * limit, after)
        self._sent[what] = seen
        return n

    def _lines(self, page: Iterable[dict[str, Any]], made: Callable[[dict[str, Any]], bytes]) -> Iterable[bytes]:
        for item in page:
            try:
                yield made(item)
            except Unwritable as why:
                self._refused(f"{item['asset']}: {why}")

    def _get(self, path: str, **asked: int | bool) -> Any:
        got = self._http.get(path, params=asked)
        got.raise_for_status()
        return got.json()

    def assets(self) -> tuple[dict[str, str], Counter[str]]:
        """Level of every asset, and how many warnings of it are open; nothing is known of any while the desk is not heard."""
        try:
            levels = self._get("/api/v1/map")["assets"]
            live = self._get("/api/v1/warnings", live=True, limit=100_000)
        except (httpx.HTTPError, ValueError) as why:
            self.why = f"desk: {type(why).__name__}: {why}"
            return {}, Counter()
        return levels, Counter(w["asset"] for w in live)

    def close(self) -> None:
        self._http.close()


class Assets:
    """How every asset stands, as lines: all each minute, and those that have changed at once."""

    def __init__(self, catalog: Catalog, city: str) -> None:
        names, first = np.unique(catalog.asset.astype(str), return_index=True)
        self._facts = {
            name: ({"city": city, "district": catalog.district[i], "domain": catalog.domain[i], "asset": name}, i)
            for name, i in zip(names.tolist(), first.tolist(), strict=True)
        }
        self._lat, self._lon = catalog.lat, catalog.lon
        self._last: dict[str, tuple[str, int]] = {}
        self._whole = 0  # [ns] when all were last told

    def lines(self, levels: dict[str, str], opened: Counter[str], t: int) -> Lines:
        """t [ns]"""
        stands = {name: (levels.get(name, UNKNOWN), opened[name]) for name in self._facts}
        whole = t - self._whole >= MINUTE
        told = [self._line(name, *how, t) for name, how in stands.items() if whole or self._last.get(name) != how]
        return Lines.of(told)

    def written(self, levels: dict[str, str], opened: Counter[str], t: int) -> None:
        """What was told is known now."""
        self._last = {name: (levels.get(name, UNKNOWN), opened[name]) for name in self._facts}
        if t - self._whole >= MINUTE:
            self._whole = t

    def _line(self, name: str, level: str, opened: int, t: int) -> bytes:
        tags, i = self._facts[name]
        fields: dict[str, float | int | str] = {
            "lat": float(self._lat[i]), "lon": float(self._lon[i]), "level": level, "rank": rank(level), "open": opened,
        }  # fmt: skip
        try:
            return line("asset", tags, fields, t)
        except Unwritable:
            return b""  # its readings' series are named as such already
