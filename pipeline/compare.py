"""What was said then beside what the same readings give now, and why the two may differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from alerts.past import Past
from lifeline.catalog import Catalog
from lifeline.clock import iso
from lifeline.model import NS, Change, Level, Rule, is_panel
from pipeline.docket import Step
from pipeline.relive import Relived, lead

NEAR = 1e-6  # [1] scores closer than this are one


class Remark(NamedTuple):
    """One line of it, in both languages."""

    what: str
    zh: str
    en: str


class Compared(NamedTuple):
    """All of it."""

    steps: list[Step]  # as the readings give them now
    differences: list[Remark]  # empty: the same steps at the same instants
    reasons: list[Remark]  # what may be behind them


def compared(past: Past, made: Relived, catalog: Catalog) -> Compared:
    """catalog: the whole one, as it stands now"""
    if not made.heard:
        return Compared([], [], list(dict.fromkeys([*changed(past, made.rules, catalog), *_readings(past, made)])))
    now = steps(past, made)
    differences = [*_levels(past, now), *_changes(past, made)]
    reasons = [*changed(past, made.rules, catalog), *_readings(past, made)]
    if differences and not reasons:
        reasons = [UNKNOWN if made.source == "journal" else ORDER]
    return Compared(now, differences, list(dict.fromkeys(reasons)))


ORDER = Remark(
    "order",
    "回放取自数据湖：到达顺序已不可知，晚到的读数按测量时间参与判别",
    "told again from the lake: the order of arrival is not known any more, and what came late is judged in its place",
)
UNKNOWN = Remark(
    "unknown",
    "读数齐全、预热充分、限值未变：当时的检测器参数、目录中的上报间隔或量程、或更早的学习内容可能不同",
    "readings, warm-up and limits are the same: parameters of the detector, a step or range in the catalog, or what was "
    "learned before may have been others",
)


def steps(past: Past, made: Relived) -> list[Step]:
    """Steps of the same case in the same time, as the readings give them now."""
    case = past.case
    mine = [w for w in made.docket.warnings.values() if (w.case.asset, w.case.hazard) == (case.asset, case.hazard)]
    mine = [w for w in mine if w.case.cleared is None or w.case.cleared >= case.onset]
    return sorted((s for w in mine for s in w.steps if s.t <= past.until), key=lambda s: s.t)


def peak(levels: Iterable[Level]) -> Level:
    return max(levels, default=Level.NORMAL)


def _levels(past: Past, now: Sequence[Step]) -> Iterator[Remark]:
    """Where the steps differ."""
    then = [(s.t, s.level, s.why) for s in past.steps]
    again = [(s.t, s.level, str(s.why)) for s in now]
    if then == again:
        return
    was, became = peak(x[1] for x in then), peak(x[1] for x in again)
    if was is not became:
        zh, en = f"当时最高 {was.name}，回放为 {became.name}", f"{was.name} at its gravest then, {became.name} now"
        yield Remark("level", zh, en)
    for t, level, why in then:
        if (t, level, why) not in again:
            other = next((x for x in again if x[:2] == (t, level)), None)
            zh, en = ("依据不同", f"on other grounds ({why}, not {other[2]})") if other else ("回放中没有", "is not given now")
            yield Remark("step", f"{iso(t)} {level.name}：{zh}", f"{iso(t)} {level.name}: {en}")
    for t, level, _ in again:
        if (t, level) not in [x[:2] for x in then]:
            yield Remark("step", f"{iso(t)} {level.name}：仅回放中有", f"{iso(t)} {level.name}: is given only now")


def _changes(past: Past, made: Relived) -> Iterator[Remark]:
    """Where what single series said differs. Late changes moved nothing and are not compared."""
    case = past.case
    now = {c.id: c for c in made.changes if (c.asset, c.hazard) == (case.asset, case.hazard)}
    now = {i: c for i, c in now.items() if case.onset <= c.t <= past.until}
    then = {s.change.id: s.change for s in past.spoken if s.fate == "accepted"}
    for one, others, zh, en in ((then, now, "仅当时有", "said only then"), (now, then, "仅回放中有", "said only now")):
        for c in one.values():
            if c.id not in others:
                what = f"{iso(c.t)} {c.rule} {c.key} {c.old} → {c.new}"
                yield Remark("change", f"{what}：{zh}", f"{what}: {en}")
    for i in then.keys() & now.keys():
        a, b = then[i].score, now[i].score
        if a is not None and b is not None and abs(a - b) > NEAR * max(abs(a), 1.0):
            what = f"{iso(then[i].t)} {then[i].rule} {then[i].key}"
            yield Remark("score", f"{what}：评分当时 {a:.4g}，现为 {b:.4g}", f"{what}: score {a:.4g} then, {b:.4g} now")


def changed(past: Past, rules: Sequence[Rule], catalog: Catalog) -> Iterator[Remark]:
    """What is not any more as the changes say that it was: their rules, their series in the catalog."""
    by_id = {r.id: r for r in rules}
    for c in {(s.change.rule, s.change.key): s.change for s in past.spoken}.values():
        yield from _rule(c, by_id.get(c.rule))
        row = catalog.row.get(c.key)
        if row is None:
            yield Remark("series", f"{c.key}：目录中已无此测点", f"{c.key}: is no longer in the catalog")
            continue
        for name in ("asset", "device", "quantity"):
            then, now = getattr(c, name), getattr(catalog, name)[row]
            if then != now:
                yield Remark("series", f"{c.key}：{name} 由 {then} 改为 {now}", f"{c.key}: {name} was {then}, is {now}")


def _rule(c: Change, rule: Rule | None) -> Iterator[Remark]:
    if rule is None:
        yield Remark("rule", f"{c.rule}：现行规则中已无此条", f"{c.rule}: is no longer among the rules")
        return
    said = c.evidence
    if said.bounds and (said.bounds, said.bounds_unit) != (rule.bounds, rule.unit):
        then, now = limits(said.bounds, said.bounds_unit), limits(rule.bounds, rule.unit)
        yield Remark("rule", f"{c.rule}：限值由 {then} 改为 {now}", f"{c.rule}: limits were {then}, are {now}")
    for name in ("hazard", "kind") if rule.known or is_panel(rule.detector) else ("hazard", "kind", "mode"):
        was, now = str(getattr(c, name)), str(getattr(rule, name))
        if was != now:
            yield Remark("rule", f"{c.rule}：{name} 由 {was} 改为 {now}", f"{c.rule}: {name} was {was}, is {now}")


def limits(bounds: dict[str, float], unit: str) -> str:
    """BLUE 0.5, RED 2 %VOL"""
    return f"{', '.join(f'{level} {x:.6g}' for level, x in bounds.items())} {'' if unit == '1' else unit}".rstrip()


def _readings(past: Past, made: Relived) -> Iterator[Remark]:
    """What of the readings is missing, was late, or is too little to learn from."""
    by_id = {r.id: r for r in made.rules}
    for c in {(s.change.rule, s.change.key): s.change for s in reversed(past.spoken)}.values():  # the first of each
        if c.key in made.left_out:
            yield Remark("left_out", f"{c.key}：读数过多，未回放", f"{c.key}: too many readings; left out")
        elif rule := by_id.get(c.rule):
            yield from _learned(c, rule, made)
    for key in sorted({s.change.key for s in past.spoken} - set(made.left_out)):
        yield from _kept(key, [s.change for s in past.spoken if s.change.key == key], made)
    for s in past.spoken:
        if s.fate == "late":
            c = s.change
            what = f"{iso(c.t)} {c.rule} {c.key} → {c.new}"
            zh, en = f"{what}：送达预警台过晚，未起作用", f"{what}: reached the desk late, and moved nothing"
            yield Remark("late_change", zh, en)


def _kept(key: str, changes: Sequence[Change], made: Relived) -> Iterator[Remark]:
    """The readings that changes of a series showed beside those that are stored."""
    t = np.unique(np.concatenate(made.count.get(key, [np.empty(0, np.int64)])))
    if not t.size:
        place = "日志" if made.source == "journal" else "数据湖"
        yield Remark(
            "gone",
            f"{key}：{place}中没有这段时间的读数（保存期见 [lake] retention、[journal] retention）",
            f"{key}: the {made.source} holds none of its readings of that time; see retention in [lake] and [journal]",
        )
        return
    shown = [np.array(c.evidence.t, np.int64) for c in changes if _single(c, made.rules)]
    every = np.unique(np.concatenate([np.empty(0, np.int64), *shown]))
    within = [t[(t >= x[0]) & (t <= x[-1])] for x in shown if x.size > 1]
    near = np.unique(np.concatenate([np.empty(0, np.int64), *within]))
    gone, more = np.setdiff1d(every, t).size, np.setdiff1d(near, every).size
    if gone:
        zh, en = f"预警所示读数中有 {gone} 条已不在库中", f"{gone} readings that it showed are not stored"
        yield Remark("gone", f"{key}：{zh}", f"{key}: {en}")
    if more and made.source == "lake":
        yield Remark(
            "late",
            f"{key}：库中有 {more} 条读数当时晚到，未参与判别；回放按测量时间判别",
            f"{key}: {more} stored readings came late then and were not judged; told again they are judged in their place",
        )


def _single(c: Change, rules: Sequence[Rule]) -> bool:
    """Whether the change shows single readings, not slots or states."""
    rule = next((r for r in rules if r.id == c.rule), None)
    return not (c.evidence.note or rule is None or rule.detector.channels or is_panel(rule.detector))


def _learned(c: Change, rule: Rule, made: Relived) -> Iterator[Remark]:
    """Whether the rule's detector had enough to learn from."""
    step = float(made.catalog.step[made.catalog.row[c.key]])
    wanted, had = lead(rule, step), max(c.t - made.first(c.key), 0) / NS
    if made.first(c.key) and had < wanted:
        yield Remark(
            "warmup",
            f"{c.rule}：预热需 {_long(wanted, 'zh')}，回放在此前只有 {_long(had, 'zh')}（可用 --before 往前取）",
            f"{c.rule}: learns for {_long(wanted, 'en')}; told again it had {_long(had, 'en')} (--before begins earlier)",
        )


def _long(seconds: float, lang: str) -> str:
    for unit, size, zh in (("d", 86400.0, "天"), ("h", 3600.0, "小时"), ("min", 60.0, "分钟")):
        if seconds >= size:
            return f"{seconds / size:.3g} {zh if lang == 'zh' else unit}"
    return f"{seconds:.3g} {'秒' if lang == 'zh' else 's'}"
