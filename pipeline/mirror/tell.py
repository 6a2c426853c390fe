"""The commands `lifeline store stat`, `dead` and `refill`."""

import json
from typing import Any

from ingest.ledger import Ledger
from lifeline.clock import iso
from lifeline.config import Config
from lifeline.words import Unusable
from pipeline.mirror.book import Book, opened


def _book(config: Config) -> Book:
    book = opened(config.city.data)
    if book is None:
        raise Unusable(f"{config.city.data}: no mirror has run here yet; `lifeline mirror` runs one")
    return book


def stat(config: Config, *, as_json: bool) -> str:
    """How far the mirror is, and what became of the readings."""
    book = _book(config)
    s, path = book.state(), config.city.data / "ledger.db"
    said: dict[str, Any] = {
        "journal": s.place.era, "offset": s.place.next, "committed": _committed(path) if path.exists() else 0, **s.counts,
        "lines_waiting": book.waiting(), "means_waiting": len(book.stale()),
    }  # fmt: skip
    book.close()
    return json.dumps(said) if as_json else "\n".join(f"{k:16} {v:,}" for k, v in said.items())


def _committed(path: Any) -> int:
    ledger = Ledger(path, readonly=True)
    try:
        return ledger.mark("watch").next
    finally:
        ledger.close()


def dead(config: Config, most: int, *, as_json: bool) -> str:
    """Lines that were refused."""
    book = _book(config)
    found, reasons = book.dead(most), book.reasons()
    book.close()
    if as_json:
        shown = [{"at": iso(t), "code": d.code, "words": d.words, "line": d.line.decode(errors="replace")} for t, d in found]
        return json.dumps({"reasons": reasons, "dead": shown}, ensure_ascii=False)
    if not found:
        return "no line was refused"
    lines = [f"{n:8}  {code}  {words}" for code, words, n in reasons]
    return "\n".join([*lines, *(f"{iso(t)}  {d.code}  {d.line.decode(errors='replace').rstrip()}" for t, d in found)])


def refill(config: Config) -> str:
    """Begin again with the oldest reading."""
    _book(config).close()
    book = Book(config.city.data / "mirror.db")
    book.refill()
    book.close()
    return "the mirror begins again with the oldest reading in the lake"
