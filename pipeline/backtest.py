"""The command `lifeline backtest`: measurements of anybody's making through the very engine that runs live."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

import detectors
from ingest.admit import Terms
from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.config import Broker
from lifeline.kinds import SECONDS
from lifeline.model import Change, Rule
from lifeline.words import Unusable, suggestion
from pipeline import account, foreign, stranger, verdicts
from pipeline.docket import Docket
from pipeline.engine import Heed
from pipeline.feed import Feed, feeds, turns
from pipeline.instants import instants
from pipeline.panels import Maps
from pipeline.progress import Told, bar, waiting
from pipeline.replay import Replay

ANY: Final = Terms(0.0, 200 * 365 * SECONDS["d"], Broker.max_payload)  # a turn is as long as it likes


@dataclass
class Judged:
    """What came of a backtest."""

    changes: list[Change] = field(default_factory=list)
    docket: Docket = field(default_factory=Docket)
    readings: int = 0  # judged
    seconds: float = 0.0


def judged(
    given: Sequence[Feed],
    catalog: Catalog,
    rules: Sequence[Rule],
    *,
    until: int | None = None,
    heed: Heed | None = None,
    progress: Told | None = None,
    maps: Maps | None = None,
) -> Judged:
    """Judge a stream. until: readings before only teach; levels are NORMAL there. [ns]"""
    began, made = time.monotonic(), Judged()
    replay = Replay(catalog, rules, "backtest", ANY, heed, maps, dated=False)
    teaching = until is not None
    for turn in turns(given, replay.engine, until):
        if teaching and until is not None and turn.at >= until:
            teaching = False
            replay.engine.calm()
        told = replay.step(turn)
        if not teaching:
            made.changes += told
            made.docket.take(told)
        if progress is not None:
            progress(turn.batch.n)
    made.readings, made.seconds = sum(int(np.isfinite(f.value).sum()) for f in given), time.monotonic() - began
    return made


def run(
    data: Path,
    catalog: Path,
    rules: Path | None,
    until: str,
    out: Path,
    *,
    scores: bool,
    as_json: bool,
    maps: Sequence[str] = (),
) -> dict[str, Any]:
    """Read, judge, write, and say what was done. maps: each as NAME=FILE"""
    book = detectors.rules(rules)
    since = _instant(until) if until else None
    sheet = stranger.sheet(catalog)
    with waiting(f"reading {data}"):
        found = foreign.found(data, sheet.words)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise Unusable(f"--out {out}: cannot be made a folder: {why.strerror}") from why
    whole = stranger.completed(sheet, stranger.paces(found.tables, book, si=found.si), book, out / "catalog.csv")
    drawn = mapped(maps, whole)
    asked = [line["key"] for line in sheet.lines]
    given = feeds(found.tables, whole, si=found.si)
    if not given:
        raise Unusable(account.nothing(data, catalog, found, asked))
    for name in ("changes", "warnings", "tickets", "scores"):  # of an earlier run: nothing of it may stand beside this one's
        (out / f"{name}.parquet").unlink(missing_ok=True)
    kept = verdicts.Scores(out / "scores.parquet", whole, book, since or 0) if scores else None
    with bar(sum(f.value.size for f in given), "judging") as progress, kept or nullcontext():
        made = judged(given, whole, book, until=since, heed=kept, progress=progress, maps=drawn)
    verdicts.changes(made.changes, out / "changes.parquet")
    verdicts.warnings(made.docket.hazards(), out / "warnings.parquet")
    verdicts.warnings(made.docket.tickets(), out / "tickets.parquet")
    summary = account.read(found, asked, whole, given, book)
    summary |= {"readings": made.readings, "changes": len(made.changes), **account.warned(made.docket)}
    summary |= {"passive": sum(c.mode == "passive" for c in made.changes)}
    summary |= {"seconds": round(made.seconds, 3), "notes": [*sheet.notes, *found.notes, *_training(since, given)]}
    summary |= {} if kept is None else {"scores": kept.count}
    sys.stdout.write((json.dumps(summary, ensure_ascii=False) if as_json else account.spoken(summary, out)) + "\n")
    return summary


def mapped(given: Sequence[str], catalog: Catalog) -> dict[str, Path]:
    """Asset, district or domain -> file of its pipes or its network; Unusable where one cannot be that."""
    known = {*catalog.asset.tolist(), *catalog.district.tolist(), *catalog.domain.tolist()} - {""}
    found: dict[str, Path] = {}
    for text in given:
        name, equals, file = text.rpartition("=")
        if not equals or not name or not file:
            raise Unusable(f"--maps {text!r}: write NAME=FILE, NAME an asset, a district or a domain of the catalog")
        if name not in known:
            raise Unusable(f"--maps {text!r}: the catalog has no asset, district or domain {name!r}; {suggestion(name, known)}")
        if name in found:
            raise Unusable(f"--maps {text!r}: {name!r} has {found[name]} already")
        if not Path(file).is_file():
            raise Unusable(f"--maps {text!r}: {file} is no file")
        found[name] = Path(file)
    return found


def _training(since: int | None, given: Sequence[Feed]) -> Iterator[str]:
    """What must be said of an end of the teaching part that lies outside the data."""
    if since is None:
        return
    if since <= min(int(f.t[0]) for f in given):
        yield f"--train-until {iso(since)} is before the first reading: nothing was taught before it"
    if since > max(int(f.t[-1]) for f in given):
        yield f"--train-until {iso(since)} is after the last reading: all readings only taught, nothing was judged"


def _instant(text: str) -> int:
    """[ns] of the end of the teaching part; a time without offset is UTC, as in the data."""
    at = instants(pa.array([text]))
    if not at.good[0]:
        raise Unusable(f"--train-until: {text!r} is no time; write 2026-07-15T08:00:00Z")
    return int(at.t[0])
