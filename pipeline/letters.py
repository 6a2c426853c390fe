"""The commands `lifeline journal …`: the books, the dead letters, and sending them again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ingest.journal import Bounds, Reader, Writer, prepare
from ingest.ledger import DeadLetter, Ledger, Mark, balance
from lifeline.catalog import load
from lifeline.clock import iso, now, since
from lifeline.config import Config
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.checkpoint import NAME
from store.lake import Lake

LOWEST: Final = -(2**63)  # below every number of a letter
MANY: Final = 1000  # letters sent again in one commit, at most
LARGE: Final = 16_000_000  # [byte] likewise, unless one letter alone is larger


def books(data: Path) -> dict[str, Any]:
    """Journal, ledger and balance of a city's data directory, as they are on the disk."""
    journal, ledger = opened(data)
    mark = ledger.mark(NAME)  # before the head: what comes in between counts as in flight
    head = journal.head()
    return {
        "journal": journal.stat(),
        "consumers": {NAME: {"next": mark.next, "at": mark.t}},
        "ledger": balance(head, mark.counts or {}, mark.next),
        "readings": readings(mark),
        "dead": [{"reason": r, "messages": m, "readings": i} for r, m, i in ledger.reasons()],
    }


def readings(mark: Mark) -> dict[str, int]:
    """Counts of single readings at the last checkpoint."""
    return {k.removeprefix("readings_"): v for k, v in (mark.counts or {}).items() if k.startswith("readings_")}


def opened(data: Path) -> tuple[Reader, Ledger]:
    """The journal and the ledger, made if they are not there yet."""
    prepare(data / "journal.db")
    return Reader(data / "journal.db"), Ledger(data / "ledger.db")


def stat(data: Path, *, as_json: bool) -> str:
    found = books(data)
    if as_json:
        return json.dumps(found)
    j, ledger = found["journal"], found["ledger"]
    kept = f"{j['messages']} messages in {j['batches']} batches, {j['bytes'] / 1e6:.1f} MB"
    since_ = f", from {iso(j['oldest'])} to {iso(j['newest'])}" if j["oldest"] else ""
    balanced = ledger["acknowledged"] == sum(v for k, v in ledger.items() if k != "acknowledged")
    lines = [
        f"journal   {kept}{since_}",
        "messages  "
        + ", ".join(f"{k} {v}" for k, v in ledger.items())
        + (" (balanced)" if balanced else " (DOES NOT BALANCE)"),
        "readings  " + ", ".join(f"{k} {v}" for k, v in found["readings"].items()),
        *(f"dead      {d['messages']} messages: {d['reason']}" for d in found["dead"]),
    ]
    return "\n".join(lines)


def dead(data: Path, reason: str, most: int, *, as_json: bool) -> str:
    _, ledger = opened(data)
    letters = ledger.dead(waiting=False, like=reason, most=most)
    if as_json:
        return json.dumps([{**x._asdict(), "topic": shown(x.topic), "payload": shown(x.payload)} for x in letters])
    if not letters:
        return "no dead letters"
    return "\n".join(line for x in letters for line in told(x))


def told(x: DeadLetter) -> tuple[str, str, str]:
    """A dead letter in three lines."""
    return (
        f"{x.number}  {iso(x.t)}  {shown(x.topic)}",
        f"    {x.items} refused: {x.reason} at {x.places or 'the whole message'}",
        f"    {shown(x.payload)[:200]}",
    )


def shown(raw: bytes) -> str:
    """Bytes as people can read them."""
    return raw.decode("utf-8", "backslashreplace")


def retry(data: Path, reason: str) -> int:
    """Append the waiting dead letters to the journal as new messages -> how many.

    Each keeps the time of its first receipt, by which readings without a time of their own are dated. A second writer beside
    receive is safe: the number of a message is decided inside the transaction that appends it.
    """
    _, ledger = opened(data)
    writer = Writer(data / "journal.db", Bounds(retention=0.0, max_size=2**62, min_free=0))
    sent, after = 0, LOWEST
    while letters := ledger.dead(like=reason, most=MANY, after=after):
        for part in parts(letters):
            first = writer.append([x for letter in part for x in (letter.topic, letter.payload)], part[0].t)
            ledger.retried((letter.number, first + i) for i, letter in enumerate(part))
        sent, after = sent + len(letters), letters[-1].number
    writer.close()
    return sent


def parts(letters: list[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Letters that go into one commit: neighbours received at one time, within bounds."""
    part: list[DeadLetter] = []
    size = 0
    for letter in letters:
        if part and (letter.t != part[0].t or size + len(letter.payload) > LARGE):
            yield part
            part, size = [], 0
        part.append(letter)
        size += len(letter.payload) + len(letter.topic)
    if part:
        yield part


def seal(config: Config) -> str:
    """The journal was lost and begins anew: readings, memory and dead letters are kept, and numbers begin at 0."""
    data = config.city.data
    sealed = Lake(data / "lake", load(config.city.catalog)).seal()
    _, ledger = opened(data)
    ledger.begin_anew()
    return f"{len(sealed)} files of the lake sealed; watch will judge the new journal from its first message"


def purge(config: Config, dead_before: str) -> str:
    """Apply the retention now."""
    before = instant(dead_before) if dead_before else LOWEST
    data, j = config.city.data, config.journal
    _, ledger = opened(data)
    writer = Writer(data / "journal.db", Bounds(j.retention, j.max_size, j.min_free))
    gone = 0
    while part := writer.purge(ledger.consumed(), now()):
        gone += part
    forgotten = ledger.forget(before=before)
    return f"{gone} batches deleted from the journal, {forgotten} dead letters forgotten"


def forget(data: Path, kept: float, t: int) -> None:
    """Forget the dead letters received longer ago than `kept` [s] at t [ns]."""
    ledger = Ledger(data / "ledger.db")
    ledger.forget(before=t - round(kept * NS))
    ledger.close()


def instant(text: str) -> int:
    """[ns] from what somebody wrote."""
    try:
        return since(text)
    except (ValueError, OverflowError) as why:
        raise Unusable(f'{text!r} is no time: {why}; write "-30d" (so long ago) or 2026-11-23T15:00:00Z') from why
