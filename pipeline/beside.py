"""The command `lifeline rules report`: what passive rules would have raised over a period, beside what active ones did.

An episode is a rule standing above NORMAL at an asset, on any of its series; its level is what the desk would have made of it
alone. It is confirmed where another, active rule of the same hazard stood at the same asset meanwhile, or soon after.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from statistics import median
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

import detectors
from alerts import past
from alerts.case import Case
from alerts.judge import Standing, judge
from alerts.past import Said
from alerts.tables import Database
from lifeline.clock import iso
from lifeline.config import Config
from lifeline.model import NS, Kind, Level, Mode, Rule
from lifeline.words import Unusable
from pipeline.explain import reachable

ZONE: Final = ZoneInfo("Asia/Shanghai")  # whose days are counted
WIDE: Final = 160  # [character]
DAYS: Final = 14  # columns of days that a terminal has room for
SHOWN: Final = 20  # episodes named in text


class Episode(NamedTuple):
    """A rule standing at an asset."""

    rule: str
    mode: Mode
    kind: Kind
    hazard: str
    asset: str
    begin: int  # [ns] sensor clock
    end: int  # [ns] sensor clock; of the period, where it still stands
    level: Level  # the gravest, judged alone
    stood: bool  # already before the period


class Weighed(NamedTuple):
    """An episode and who else spoke."""

    episode: Episode
    by: tuple[str, ...]  # other, active rules of the same hazard at the same asset
    lead: float | None  # [s] by which it began earlier than the first of them; None: there is none
    answered: bool  # a person acknowledged a warning of that case then

    @property
    def first(self) -> bool:
        return self.lead is not None and self.lead > 0


def episodes(said: Iterable[Said], t0: int, t1: int) -> list[Episode]:
    """said: in order of time; t0, t1: the period [ns]."""
    mine: dict[tuple[str, str, str, str], list[Said]] = {}
    for s in said:
        mine.setdefault((s.rule, s.mode.value, s.asset, s.hazard), []).append(s)
    return sorted((e for some in mine.values() for e in _episodes(some, t0, t1)), key=lambda e: (e.begin, e.rule, e.asset))


def _episodes(said: Sequence[Said], t0: int, t1: int) -> Iterator[Episode]:
    """Those of one rule at one asset."""
    stands: dict[str, Said] = {}
    begin, peak, stood = 0, Level.NORMAL, False
    for s in [*_before(said, t0), *said]:
        stands[s.key] = s
        level = _level(stands.values())
        if level and not peak:
            begin, stood = s.t, s.t <= t0
        peak = max(peak, level)
        if peak and not level:
            yield Episode(s.rule, s.mode, s.kind, s.hazard, s.asset, begin, s.t, peak, stood)
            peak = Level.NORMAL
    if peak:
        s = said[-1]
        yield Episode(s.rule, s.mode, s.kind, s.hazard, s.asset, begin, t1, peak, stood)


def _before(said: Sequence[Said], t0: int) -> Iterator[Said]:
    """What stood before the period, as its first changes tell."""
    first: dict[str, Said] = {}
    for s in said:
        first.setdefault(s.key, s)
    for s in first.values():
        if s.old != Level.NORMAL.name:
            yield Said(t0, s.asset, s.device, s.key, s.quantity, s.rule, s.hazard, s.kind, s.mode, s.hard, s.old, s.old)


def _level(stands: Iterable[Said]) -> Level:
    """As the desk would judge the rule alone, were it active."""
    return judge(
        Standing(s.key, s.rule, s.device, s.quantity, Level[s.new], s.hard, s.kind, Mode.ACTIVE) for s in stands
    ).level  # fmt: skip


def weighed(found: Sequence[Episode], answered: Sequence[Case], within: float) -> list[Weighed]:
    """Each with who else spoke of the same. within: after its end, too [s]"""
    active: dict[tuple[str, str], list[Episode]] = {}
    for e in found:
        if e.mode is Mode.ACTIVE:
            active.setdefault((e.asset, e.hazard), []).append(e)
    told: dict[tuple[str, str], list[Case]] = {}
    for case in answered:
        told.setdefault((case.asset, case.hazard), []).append(case)
    return [_weighed(e, active.get((e.asset, e.hazard), []), told.get((e.asset, e.hazard), []), within) for e in found]


def _weighed(e: Episode, active: Sequence[Episode], answered: Sequence[Case], within: float) -> Weighed:
    until = e.end + round(within * NS)
    others = [o for o in active if o.rule != e.rule and o.begin <= until and o.end >= e.begin]
    lead = (min(o.begin for o in others) - e.begin) / NS if others else None
    seen = any(c.onset <= until and (c.cleared is None or c.cleared >= e.begin) for c in answered)
    return Weighed(e, tuple(sorted({o.rule for o in others})), lead, seen)


def run(config: Config, t0: int, t1: int, patterns: Sequence[str], within: float, *, as_json: bool) -> str:
    """The report over (t0, t1] [ns]; patterns: of rules that are reported, none: all that are passive or spoke."""
    if t0 >= t1:
        raise Unusable(f"nothing lies between {iso(t0)} and {iso(t1)}; --from must be before --to")
    book = {r.id: r for r in detectors.rules(config.watch.rules)}
    desk = Database(reachable(config))
    try:
        said, answered = past.said(desk, t0, t1), past.answered(desk, t0, t1)
    finally:
        desk.close()
    found = weighed(episodes(said, t0, t1), answered, within)
    whole = report(found, book, t0, t1, _fitting({w.episode.rule for w in found} | book.keys(), patterns))
    return json.dumps(whole, ensure_ascii=False) if as_json else text(whole)


def _fitting(rules: Iterable[str], patterns: Sequence[str]) -> set[str]:
    known = set(rules)
    for p in patterns:
        if not any(fnmatchcase(r, p) for r in known):
            raise Unusable(f"--rule {p!r}: no rule is called so; they stand in detectors/rules, or in [watch] rules")
    return {r for r in known if not patterns or any(fnmatchcase(r, p) for p in patterns)}


def report(found: Sequence[Weighed], book: Mapping[str, Rule], t0: int, t1: int, chosen: set[str]) -> dict[str, Any]:
    """All of it, instants as text. Episodes that stood before the period are no new ones, but may confirm others."""
    new = [w for w in found if not w.episode.stood and w.episode.rule in chosen]
    mine: dict[tuple[str, Mode], list[Weighed]] = {
        (r.id, r.mode): [] for r in book.values() if r.mode is Mode.PASSIVE and r.id in chosen
    }
    for w in new:
        mine.setdefault((w.episode.rule, w.episode.mode), []).append(w)
    rows = [_row(rule, mode, some, book.get(rule)) for (rule, mode), some in mine.items()]
    passive = [w for w in new if w.episode.mode is Mode.PASSIVE]
    return {
        "from": iso(t0), "to": iso(t1), "days": sorted({day(w.episode.begin) for w in new}),
        "rules": sorted(rows, key=lambda r: (r["mode"] != Mode.PASSIVE, -r["episodes"], r["rule"])),
        "by_day": {m.value: _by_day(w for w in new if w.episode.mode is m) for m in Mode},
        "first": [_told(w) for w in sorted(passive, key=lambda w: -(w.lead or 0.0)) if w.first],
        "unconfirmed": [_told(w) for w in passive if w.lead is None and not w.answered],
    }  # fmt: skip


def _row(rule: str, mode: Mode, some: Sequence[Weighed], known: Rule | None) -> dict[str, Any]:
    leads = [w.lead for w in some if w.first and w.lead is not None]
    spoke = some[0].episode if some else None
    hazard, kind = (spoke.hazard, spoke.kind) if spoke else (known.hazard, known.kind) if known else ("", "")
    return {
        "rule": rule, "mode": mode.value, "hazard": hazard, "kind": str(kind), "episodes": len(some),
        "assets": len({w.episode.asset for w in some}), "by_day": _by_day(some),
        "levels": dict(Counter(w.episode.level.name for w in some)),
        "first": len(leads), "lead_s": median(leads) if leads else None,
        "later": sum(w.lead is not None and not w.first for w in some),
        "answered": sum(w.answered for w in some),
        "unconfirmed": sum(w.lead is None and not w.answered for w in some),
    }  # fmt: skip


def _by_day(some: Iterable[Weighed]) -> dict[str, int]:
    return dict(sorted(Counter(day(w.episode.begin) for w in some).items()))


def day(t: int) -> str:
    """2026-07-15, of the zone. t [ns]"""
    return datetime.fromtimestamp(t // NS, UTC).astimezone(ZONE).date().isoformat()


def _told(w: Weighed) -> dict[str, Any]:
    e = w.episode
    return {
        "rule": e.rule, "asset": e.asset, "hazard": e.hazard, "level": e.level.name, "begin": iso(e.begin), "end": iso(e.end),
        "by": list(w.by), "lead_s": w.lead,
    }  # fmt: skip


def text(whole: Mapping[str, Any]) -> str:
    """For a terminal."""
    console = Console(width=WIDE)
    with console.capture() as got:
        console.print(f"rules from {whole['from']} to {whole['to']}, days of {ZONE.key}", highlight=False)
        console.print(_table(whole))
        for title, some in (("passive, and first", whole["first"]), ("passive, and nobody confirmed", whole["unconfirmed"])):
            for line in _named(title, some):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
    return got.get().rstrip()


def _table(whole: Mapping[str, Any]) -> Table:
    days = whole["days"][-DAYS:]
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "mode", "hazard", "episodes", "first", "lead", "later", "answered", "unconfirmed"):
        table.add_column(name, justify="left" if name in {"rule", "mode", "hazard"} else "right", no_wrap=True)
    for d in days:
        table.add_column(d[5:], justify="right", no_wrap=True)
    for r in whole["rules"]:
        lead = "" if r["lead_s"] is None else f"{r['lead_s']:.0f} s"
        counts = [str(r[k]) for k in ("later", "answered", "unconfirmed")]
        each = [str(r["by_day"].get(d, "")) for d in days]
        table.add_row(r["rule"], r["mode"], r["hazard"], str(r["episodes"]), str(r["first"]), lead, *counts, *each)
    for mode, by_day in whole["by_day"].items():
        blank = [""] * 5
        table.add_row(f"all {mode}", "", "", str(sum(by_day.values())), *blank, *(str(by_day.get(d, "")) for d in days))
    return table


def _named(title: str, some: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if some:
        yield f"{title}:"
    for e in some[:SHOWN]:
        by = f", {e['lead_s']:.0f} s before {', '.join(e['by'])}" if e["by"] else ""
        yield f"  {e['begin']}  {e['rule']}  {e['asset']}  {e['hazard']}  {e['level']}{by}"
    if len(some) > SHOWN:
        yield f"  and {len(some) - SHOWN} more; --json names all"
