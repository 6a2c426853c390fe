"""The commands `lifeline scenario …`: which there are, whether a file is one, and what is in it."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lifeline.catalog import write
from lifeline.clock import iso
from lifeline.model import NS
from lifeline.words import Unusable
from simulators.faults import Truth
from simulators.scenario import FOLDER, Expect, Scenario, Ticket, files, find, load
from simulators.stage import Stage, stage


def spoken(seconds: float) -> str:
    """A duration as people say it: "90 d", "2.5 h"."""
    for name, length in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length or (seconds >= length and seconds % length == 0):
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:.3g} s"


def listed(folder: Path | None, *, as_json: bool) -> str:
    """All scenarios of a folder, a line each."""
    known = [load(path) for path in files(folder or FOLDER)]
    if as_json:
        return json.dumps([_line(s) for s in known], ensure_ascii=False)
    table = Table(box=None, pad_edge=False)
    for column in ("id", "world", "lasts", "must be warned of", "标题", "title"):
        table.add_column(column)
    for s in known:
        line = _line(s)
        table.add_row(line["id"], " ".join(line["worlds"]), spoken(s.duration), ", ".join(line["expected"]), s.zh, s.en)
    console = Console(width=None if Console().is_terminal else 200)
    with console.capture() as got:
        console.print(table)
    return got.get().rstrip()


def _line(s: Scenario) -> dict[str, Any]:
    expected = [f"{'/'.join(e.hazard)} {e.level.name}" for e in s.expect if e.level]
    return {
        "id": s.id, "worlds": list(s.worlds) or ["city"], "zh": s.zh, "en": s.en, "duration_s": s.duration,
        "expected": list(dict.fromkeys(expected)), "path": str(s.path),
    }  # fmt: skip


def checked(names: Sequence[str], *, as_json: bool) -> tuple[str, int]:
    """Read and set up each, or all of ours -> what to say, exit code."""
    said: list[dict[str, Any]] = []
    for path in [find(n) for n in names] or files():
        try:
            said.append({"path": str(path), "problems": [], "series": stage(load(path)).catalog.n})
        except Unusable as why:
            said.append({"path": str(path), "problems": getattr(why, "problems", [str(why)])})
    wrong = sum(bool(s["problems"]) for s in said)
    if as_json:
        return json.dumps(said, ensure_ascii=False), int(wrong > 0)
    out = [p for s in said for p in s["problems"]] or [f"{len(said)} scenarios, nothing wrong"]
    return "\n".join(out), int(wrong > 0)


def described(name: str, catalog: Path | None, *, as_json: bool) -> str:
    """What a scenario holds; its catalog is written to a file if one is named, for a live system to know its series."""
    on = stage(load(find(name)))
    if catalog is not None:
        write(on.catalog, catalog)
    return json.dumps(_described(on), ensure_ascii=False) if as_json else "\n".join(_lines(on))


def kinds(word: str) -> str:
    """What may be written, for tables whose head holds a word."""
    from simulators.manual import tables

    chosen = [t for t in tables() if word in t.head]
    if not chosen:
        heads = "\n  ".join(t.head for t in tables())
        raise Unusable(f"no table is headed with {word!r}; there are\n  {heads}")
    out = []
    for t in chosen:
        out += [t.head, *([f"  {t.about}"] if t.about else [])]
        out += [
            f"    {k.name:14} {k.allowed}; {k.default or 'must be given'}{f'; {k.about}' if k.about else ''}" for k in t.keys
        ]
    return "\n".join(out)


def _described(on: Stage) -> dict[str, Any]:
    s = on.scenario
    return {
        **_line(s), "start": iso(s.start), "seed": s.seed, "about": s.about, "series": on.catalog.n,
        "assets": len(set(on.catalog.asset)), "expect": [_plain(e) for e in s.expect], "ticket": [_plain(t) for t in s.ticket],
        "truth": [true(t, s.start) for t in on.truth],
    }  # fmt: skip


def _plain(x: Expect | Ticket) -> dict[str, Any]:
    """Levels by name."""
    return {k: getattr(v, "name", v) for k, v in dataclasses.asdict(x).items()}


def true(t: Truth, start: int) -> dict[str, Any]:
    """Times in seconds after the scenario's start."""
    times = {k: round((getattr(t, k) - start) / NS, 3) for k in ("onset", "detectable", "end")}
    return {**_plain_truth(t), **{f"{k}_s": v for k, v in times.items()}}


def _plain_truth(t: Truth) -> dict[str, Any]:
    return {
        "asset": t.asset, "hazard": t.hazard, "sensor_fault": t.sensor_fault,
        "min_level": t.min_level.name, "max_level": t.max_level.name, "place": t.place,
    }  # fmt: skip


def _lines(on: Stage) -> Iterator[str]:
    """For people."""
    s, c = on.scenario, on.catalog
    yield f"{s.id}  {s.zh}  {s.en}"
    yield f"  {s.path}"
    yield f"  from {iso(s.start)} for {spoken(s.duration)}, seed {s.seed}"
    yield from (f"  {line}" for line in s.about.strip().splitlines())
    yield f"  series: {c.n} of {len(set(c.asset))} assets"
    for (domain, quantity), n in sorted(Counter(zip(c.domain, c.quantity, strict=True)).items()):
        yield f"    {domain:9} {quantity:18} {n}"
    yield "  what happens (seconds after the start):" if on.truth else "  nothing happens"
    for t in sorted(on.truth, key=lambda t: t.onset):
        kind = t.hazard or f"sensor: {t.sensor_fault}"
        seen = f", can be known at {spoken((t.detectable - s.start) / NS)}" if t.hazard else ""
        yield f"    {spoken((t.onset - s.start) / NS):>8}  {t.asset}: {kind} {_between(t)}{seen}"
    for e in s.expect:
        yield f"  {'must' if e.level else 'may'} be warned of: {e.asset} {' or '.join(e.hazard)}{_wanted(e)}"
    for ticket in s.ticket:
        within = f" within {spoken(ticket.within)}" if ticket.within else ""
        yield f"  must give a ticket: {ticket.asset} {' or '.join(ticket.hazard)}{within}"
    yield "  and nothing else may be warned of"


def _between(t: Truth) -> str:
    if not t.hazard:
        return ""
    return t.min_level.name if t.min_level is t.max_level else f"{t.min_level.name} to {t.max_level.name}"


def _wanted(e: Expect) -> str:
    said = [f", {e.level.name} at least"] if e.level else []
    said += [f" within {spoken(e.within)} of fault {e.fault}"] if e.within else []
    said += [f" and for {spoken(e.stays)}"] if e.stays else []
    said += [f", {e.most.name} at most"] if e.most < 4 else []
    said += [f", to {e.route}"] if e.route else []
    said += [f", by {e.voices} sensors"] if e.voices > 1 else []
    return "".join([*said, *([f", its place among the first {e.top}"] if e.top else [])])
