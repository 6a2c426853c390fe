"""What a backtest says of itself: what was read and guessed, what was warned of."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.model import Kind, Level, Rule
from lifeline.words import nearest
from pipeline.docket import Docket
from pipeline.feed import Feed
from pipeline.groups import likes, meant
from pipeline.panels import panels
from pipeline.tables import Found

SHOWN: Final = 12  # names in a line of the account


def read(found: Found, asked: Sequence[str], catalog: Catalog, given: Sequence[Feed], rules: Sequence[Rule]) -> dict[str, Any]:
    """Of the data and the catalog. asked: keys of the catalog as it was written"""
    held = {k for t in found.tables for k in t.key}
    said = {catalog.key[i] for f in given for i, x in zip(f.row.tolist(), f.value, strict=True) if np.isfinite(x).any()}
    return {
        "layout": found.layout, "time": found.time, "from": iso(min(int(f.t[0]) for f in given)),
        "to": iso(max(int(f.t[-1]) for f in given)), "series": len(said),
        "domains": dict(Counter(str(catalog.domain[catalog.row[k]]) for k in said)),
        "steps": dict(Counter(f"{catalog.step[catalog.row[k]]:g} s" for k in sorted(said))),
        "rules": judges(catalog, said, rules),
        "ignored": found.ignored, "absent": [k for k in asked if k not in held],
        "silent": [k for k in asked if k in held and k not in said],
        "unreadable": dict(found.unreadable), "duplicates": found.duplicates, "unsorted": found.unsorted,
    }  # fmt: skip


def judges(catalog: Catalog, keys: Collection[str], rules: Sequence[Rule]) -> dict[str, list[str]]:
    """Of each domain and quantity, the hazard rules that judge readings of it; a passive one in brackets."""
    alike = likes(catalog)
    told: dict[str, list[str]] = {}
    lines = [(p.rows[x.judged], x.rule) for p in panels(catalog, rules, {})[1] for x in p.lines]
    for like in sorted({alike[catalog.row[k]] for k in keys}):
        single = meant(rules, like)
        joint = [r for r in rules if like.quantity in r.detector.channels and r.domain in (None, like.domain)]
        mine = (catalog.domain == like.domain) & (catalog.quantity == like.quantity)
        several = {r.id: r for rows, r in lines if mine[rows].any()}.values()
        hazards = [r.id if r.mode == "active" else f"({r.id})" for r in (*single, *joint, *several) if r.kind is Kind.HAZARD]
        name = f"{like.domain}/{like.quantity}"
        told[name] = list(dict.fromkeys([*told.get(name, []), *hazards]))
    return told


def nothing(data: Path, catalog: Path, found: Found, asked: Sequence[str]) -> str:
    """Why there is nothing to judge."""
    lines = [f"{data}: holds no reading of a series of {catalog}", f"read as {found.layout}, time {found.time}"]
    lines += [f"the data hold {_listed(found.ignored) or 'no series'}; the catalog names {_listed(asked)}"]
    lines += [f"is {near!r} in the data meant for {k!r}?" for k in asked[:3] if (near := nearest(k, found.ignored))]
    if found.unreadable:
        lines.append(f"unreadable cells: {_counted(found.unreadable)}")
    return "\n".join([*lines, *found.notes])


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
    lines.append(f"steps: {', '.join(f'{n} of {step}' for step, n in s['steps'].items())}")
    lines += [f"  {what}: {', '.join(ids) or 'no hazard rule judges it'}" for what, ids in s["rules"].items()]
    if s["silent"]:
        lines.append(f"without any reading ({len(s['silent'])}): {_listed(s['silent'])}")
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
        f"{s['changes']} changes of level, {s['passive']} of them of passive rules, which warn nobody; {s['warnings']} warnings"
        + (f" ({_counted(s['hazards'])}; {_counted(s['levels'])})" if s["warnings"] else "")
        + f"; tickets about devices: {_counted(s['tickets']) or 'none'}",
        f"judged in {s['seconds']:.1f} s; written to {out}/",
    ]
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
