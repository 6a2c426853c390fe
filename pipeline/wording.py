"""What failed, as sentences in both languages."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lifeline.model import NS
from pipeline.matching import allowed
from pipeline.said import Said, Stood, route
from pipeline.scenarios import spoken
from simulators.faults import Truth
from simulators.scenario import Expect, Scenario, Ticket


class Words(NamedTuple):
    """A sentence in both languages."""

    zh: str
    en: str


def shortfalls(
    e: Expect, reached: float | None, stood: float | None, rank: int | None, mine: Sequence[Said], steps: Sequence[Stood]
) -> Iterable[Words]:
    """What an expectation asks for and did not get.

    reached: [s] from its onset to the level demanded; stood: [s] that it then stood; rank: of the true place; mine: warnings
    that concern it; steps: theirs after the onset.
    """
    assert e.level is not None
    what = f"{'/'.join(e.hazard)} @ {e.asset}"
    if not steps:
        yield Words(f"未发现：{what}，应达 {e.level.name}", f"missed: {what}, expected {e.level.name}")
        return
    highest = max(x.level for x in steps)
    if reached is None:
        yield Words(
            f"{what} 只到 {highest.name}，应达 {e.level.name}", f"{what} reached {highest.name} only, expected {e.level.name}"
        )
    elif e.within is not None and reached > e.within:
        took, had = spoken(reached), spoken(e.within)
        yield Words(f"{what} {took} 后才到 {e.level.name}，应在 {had} 内", f"{what} took {took} to {e.level.name}, had {had}")
    elif (most := max(x.voices for x in steps if x.level >= e.level)) < e.voices:
        yield Words(f"{what} 只有 {most} 个测点，应有 {e.voices}", f"{what} rests on {most} sensors, expected {e.voices}")
    if e.stays is not None and stood is not None and stood < e.stays:
        had, kept = spoken(stood), spoken(e.stays)
        yield Words(
            f"{what} 的 {e.level.name} 只保持 {had}，应保持 {kept}", f"{what} stood at {e.level.name} for {had}, not {kept}"
        )
    if e.route and e.route not in (to := sorted(set[str]().union(*(route(w) for w in mine)))):
        yield Words(f"{what} 送达 {'、'.join(to)}，应送 {e.route}", f"{what} went to {', '.join(to)}, not to {e.route}")
    if e.top and not any(w.places for w in mine):
        yield Words(f"{what} 未定位：预警未指出位置", f"{what} is not located: the warning names no place")
    elif e.top and (rank is None or rank > e.top):
        yield Words(f"{what} 定位不在前 {e.top} 名", f"{what}: the true place is not among the first {e.top} named")


def overstated(w: Said, s: Scenario, truth: Sequence[Truth]) -> Iterable[Words]:
    most = max(e.most for e in s.expect if allowed(w, e, s, truth))
    if w.peak > most:
        yield Words(
            f"{w.asset} {w.hazard} 发到 {w.peak.name}，至多应为 {most.name}",
            f"{w.asset} {w.hazard} was called {w.peak.name}, {most.name} at most is right",
        )


def in_vain(wrong: Sequence[Said], ill: Sequence[Said], s: Scenario) -> Iterable[Words]:
    """False warnings, those of one asset and hazard together."""
    alike: dict[tuple[str, str, bool], list[Said]] = {}
    for w in wrong:
        alike.setdefault((w.asset, w.hazard, w in ill), []).append(w)
    for (asset, hazard, sick), some in alike.items():
        zh, en = (
            ("设备或网络故障误作险情", "a fault of sensor or network taken for a hazard") if sick else ("误报", "false warning")
        )
        what, after = f"{asset} {hazard} {max(w.peak for w in some).name}", spoken(max(0.0, (some[0].raised - s.start) / NS))
        times = (f"，{len(some)} 次", f", {len(some)} times, first") if len(some) > 1 else ("", ",")
        yield Words(f"{zh}：{what}{times[0]}（{after}）", f"{en}: {what}{times[1]} {after} after the start")


def no_ticket(t: Ticket) -> Words:
    within = f"，{spoken(t.within)} 内" if t.within else "", f" within {spoken(t.within)}" if t.within else ""
    what = f"{'/'.join(t.hazard)} @ {t.asset}"
    return Words(f"缺设备工单：{what}{within[0]}", f"no ticket: {what}{within[1]}")
