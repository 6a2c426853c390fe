"""What a backtest says of itself: what was read and guessed, what was warned of."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.model import Level
from lifeline.words import nearest
from pipeline.docket import Docket
from pipeline.feed import Feed
from pipeline.foreign import Found

SHOWN: Final = 12  # names in a line of the account


def read(found: Found, asked: Sequence[str], catalog: Catalog, given: Sequence[Feed]) -> dict[str, Any]:
    """Of the data and the catalog. asked: keys of the catalog as it was written"""
    held = {k for t in found.tables for k in t.key}
    return {
        "layout": found.layout, "time": found.time, "from": iso(min(int(f.t[0]) for f in given)),
        "to": iso(max(int(f.t[-1]) for f in given)), "series": sum(f.row.size for f in given),
        "domains": dict(Counter(str(catalog.domain[i]) for f in given for i in f.row)),
        "ignored": found.ignored, "absent": [k for k in asked if k not in held],
        "unreadable": dict(found.unreadable), "duplicates": found.duplicates, "unsorted": found.unsorted,
    }  # fmt: skip


def warned(docket: Docket) -> dict[str, Any]:
    """Of the warnings: how many, by hazard and by their gravest level."""
    hazards = docket.hazards()
    return {
        "warnings": len(hazards),
        "hazards": dict(Counter(w.case.hazard for w in hazards)),
        "levels": {x.name: n for x in reversed(Level) if x and (n := sum(w.peak is x for w in hazards))},
        "tickets": dict(Counter(w.case.hazard for w in docket.tickets())),
    }


def spoken(s: dict[str, Any], out: Path) -> str:
    """The account for people."""
    lines = [
        f"{s['layout']} data, time {s['time']}",
        f"{s['series']} series of {_counted(s['domains'])}, {s['readings']:,} readings from {s['from']} to {s['to']}",
    ]
    if s["absent"]:
        lines.append(f"in the catalog and not in the data ({len(s['absent'])}): {_listed(s['absent'])}")
        lines += [f"  is {near!r} in the data meant for {k!r}?" for k in s["absent"][:3] if (near := nearest(k, s["ignored"]))]
    if s["ignored"]:
        lines.append(f"in the data and not in the catalog, ignored ({len(s['ignored'])}): {_listed(s['ignored'])}")
    if s["unreadable"]:
        lines.append(f"unreadable cells: {_counted(s['unreadable'])}")
    if s["unsorted"] or s["duplicates"]:
        lines.append(
            ("rows were not in order of time and have been sorted" if s["unsorted"] else "rows were in order of time")
            + f"; readings at an instant that their series had already, left out: {s['duplicates']}"
        )
    lines += s["notes"]
    if "scores" in s:
        lines.append(f"{s['scores']:,} scores")
    lines += [
        f"{s['changes']} changes of level; {s['warnings']} warnings"
        + (f" ({_counted(s['hazards'])}; {_counted(s['levels'])})" if s["warnings"] else "")
        + f"; tickets about devices: {_counted(s['tickets']) or 'none'}",
        f"judged in {s['seconds']:.1f} s; written to {out}/",
    ]
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
