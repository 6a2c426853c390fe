"""An explanation for people, in Chinese and English."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts import states, texts
from alerts.past import Moved, standing
from lifeline.model import NS, Change, Kind, Mode, Quality
from lifeline.units import QUANTITIES, UNITS, shown
from pipeline.compare import Remark, limits
from pipeline.explained import Explanation, leads, score
from pipeline.marks import SHAPES
from pipeline.relive import Relived, spoken

ZONE: Final = ZoneInfo("Asia/Shanghai")
ROWS: Final = 10  # readings up to the onset
NAMED: Final = 4  # series of a step
SERIES: Final = 3  # whose readings are shown
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("编号", "Id"),
    "since": ("始于", "Since"),
    "ended": ("止于", "Ended"),
    "steps": ("等级变化与依据", "Steps of its level, and their grounds"),
    "readings": ("起始时刻之前的读数", "Readings that led to it"),
    "evidence": ("预警自身所载读数（库中已无）", "Readings that the warning itself carries (the stored ones are gone)"),
    "limits": ("限值", "Limits"),
    "scores": ("各规则评分（1 为限值）", "Scores of the rules (1 at the limit)"),
    "replay": ("回放", "Told again"),
    "header": ("规则 / 测点 / 方式 / 起始时 / 最大 / 等级", "rule / series / mode / at onset / greatest / level"),
    "passive": ("仅观察", "passive"),
    "active": ("启用", "active"),
    "same": ("同样的读数给出同样的等级、同样的时刻", "the same readings give the same levels at the same instants"),
    "differs": ("与当时不同", "it differs from what was said then"),
    "none": ("没有可回放的读数", "there are no readings to be told again"),
    "notes": ("说明", "Notes"),
    "why": ("可能的原因", "What may be behind it"),
    "quality": ("质量码", "quality"),
}


def dumped(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False)


def text(e: Explanation, lang: str) -> str:
    """lang: zh, en or both."""
    chosen = (0, 1) if lang == "both" else (("zh", "en").index(lang),)
    return "\n\n".join("\n".join(_lines(e, i)) for i in chosen)


def _lines(e: Explanation, i: int) -> Iterator[str]:
    case = e.past.case
    yield f"{SHAPES[case.peak.name]} {(case.zh, case.en)[i]}"
    yield f"  {WORDS['id'][i]} {case.id}   {WORDS['since'][i]} {_time(case.onset)}" + (
        f"   {WORDS['ended'][i]} {_time(case.cleared)}" if case.cleared else ""
    )
    yield f"\n{WORDS['steps'][i]}"
    for step in e.past.steps:
        yield from _step(e, step, i)
    yield from _readings(e, i)
    yield f"\n{WORDS['limits'][i]}"
    yield from _limits(e)
    if e.made is not None and e.made.scores:
        yield f"\n{WORDS['scores'][i]}"
        yield from _scores(e, e.made, i)
    yield f"\n{WORDS['replay'][i]}"
    yield from _replay(e, i)


def _time(t: int, fine: bool = False) -> str:  # noqa: FBT001, FBT002  a flag
    """fine: with milliseconds"""
    said = texts.local(t, ZONE)
    return f"{said[:19]}.{t // 1_000_000 % 1000:03d}{said[19:]}" if fine else said


def _step(e: Explanation, s: Moved, i: int) -> Iterator[str]:
    stands = standing(e.past.spoken, s)
    active = [c for c in stands if c.mode is Mode.ACTIVE]
    voices = len({(c.device, c.quantity) for c in active if c.kind is Kind.HAZARD} or {(c.device, c.quantity) for c in active})
    grounds = texts.REASONS[s.why][i].format(n=voices)
    yield f"  {s.version}. {_time(s.t)}  {SHAPES[s.level.name]} {texts.LEVELS[s.level.name][i]}  {grounds}"
    for c in stands[:NAMED]:
        note = f"  {states.said(c.evidence.note)[i]}" if c.evidence.note else ""
        yield f"       {c.key}  {c.rule}  {texts.LEVELS[c.new][i]}{_score(c)}{_mode(c.mode, i)}{note}"
    if len(stands) > NAMED:
        yield f"       + {len(stands) - NAMED}"


def _score(c: Change) -> str:
    return "" if c.score is None else f"  {c.score:.3g}"


def _mode(mode: str, i: int) -> str:
    return f"  ({WORDS['passive'][i]})" if mode == Mode.PASSIVE else ""


def _readings(e: Explanation, i: int) -> Iterator[str]:
    """The last readings of the series that spoke first, each with the score that its rule then gave."""
    for key, c in leads(e, SERIES).items():
        kept = e.made is not None and key in e.made.heard
        quantity = e.made.catalog.quantity[e.made.catalog.row[key]] if kept and e.made else c.quantity
        q = QUANTITIES.get(quantity)
        name = (q.zh, q.en)[i] if q else quantity
        yield f"\n{WORDS['readings' if kept else 'evidence'][i]}: {key}, {name}"
        yield from _stored(e.made, key, c, i) if kept and e.made is not None else _carried(c)


def _stored(made: Relived, key: str, c: Change, i: int) -> Iterator[str]:
    b, row = made.heard[key], made.catalog.row[key]
    unit = shown(made.catalog.quantity[row], made.catalog.unit[row])
    t, score = made.scores.get((c.rule, key), (np.empty(0, np.int64), np.empty(0)))
    fine = bool(made.catalog.step[row] < 1.0)
    near = b.take(b.t <= c.t).take(slice(-ROWS, None))
    for at, x, quality in zip(near.t.tolist(), near.value.tolist(), near.quality.tolist(), strict=True):
        said = score[np.searchsorted(t, at, side="right") - 1] if t.size and at >= t[0] else np.nan
        doubt = "" if quality == Quality.GOOD else f"  {WORDS['quality'][i]} {Quality(quality).name}"
        scored = f"  {c.rule} {said:.3g}" if np.isfinite(said) else ""
        yield f"  {_time(at, fine)}  {UNITS[unit].from_si(x):.6g} {unit}{scored}{doubt}"


def _carried(c: Change) -> Iterator[str]:
    some = list(zip(c.evidence.t, c.evidence.value, strict=True))[-ROWS:]
    for at, x in some:
        yield f"  {_time(at)}  {'–' if x is None else f'{x:.6g}'} {c.evidence.unit}"
    if c.evidence.note:
        yield f"  {c.evidence.note}"


def _limits(e: Explanation) -> Iterator[str]:
    by_id = {r.id: r for r in e.rules}
    for c in {s.change.rule: s.change for s in e.past.spoken}.values():
        rule = by_id.get(c.rule)
        bounds, unit = (rule.bounds, rule.unit) if rule else (c.evidence.bounds, c.evidence.bounds_unit)
        yield f"  {c.rule}: {limits(bounds, unit)}" + (f"  [{rule.confidence}] {rule.source}" if rule else "")


def _scores(e: Explanation, made: Relived, i: int) -> Iterator[str]:
    yield f"  {WORDS['header'][i]}"
    rows = [score(made, rule, key, e.past) for rule, key in spoken(e.rules, made)]
    rows = [r for r in rows if r["peak"] is not None]
    for r in sorted(rows, key=lambda r: (r["hazard"] != e.past.case.hazard, -r["peak"])):
        at = "–" if r["at_onset"] is None else f"{r['at_onset']:.3g}"
        yield f"  {r['rule']}  {r['key']}  {WORDS[r['mode']][i]}  {at}  {r['peak']:.3g}  {texts.LEVELS[r['level']][i]}"


def _replay(e: Explanation, i: int) -> Iterator[str]:
    c, made = e.compared, e.made
    if made is None or not made.heard:
        yield f"  {WORDS['none'][i]}"
    else:
        seconds = (made.window.end - made.window.start) / NS
        source = {"journal": ("日志", "the journal"), "lake": ("数据湖", "the lake")}[made.source][i]
        yield f"  {source}: {_time(made.window.start)} + {seconds:.0f} s"
        yield f"  {WORDS['differs' if c.differences else 'same'][i]}"
        yield from _remarks(c.differences, i)
    if c.reasons:
        yield f"  {WORDS['why' if c.differences else 'notes'][i]}"
        yield from _remarks(c.reasons, i)


def _remarks(some: list[Remark], i: int) -> Iterator[str]:
    for r in some:
        yield f"  - {(r.zh, r.en)[i]}"
