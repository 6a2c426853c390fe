"""What was warned of against what is true, event by event: pure functions of a scenario, its truth and its warnings.

docs/evaluation.md says in words what is counted here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from math import exp
from typing import Final, NamedTuple

from lifeline.model import NS, Kind, Level
from pipeline.scenarios import spoken
from simulators.faults import Truth
from simulators.scenario import Expect, Scenario, Ticket

DEPARTMENT: Final = {"biogas": "drainage"}  # who deals with a hazard, where that is not the domain of its sensors
LEAKS: Final = ("water_leak", "water_burst")  # hazards that have a LeakDB score
LINGER: Final = 7200 * NS  # [ns] after a fault is over its readings are still in the windows of rules: the longest is 2 h
ALPHA: Final = 6.0  # [1] of the LeakDB score
PERSIST: Final = 0.75  # [1] of the window that an alarm must last for it


class Words(NamedTuple):
    """A sentence in both languages."""

    zh: str
    en: str


class Stood(NamedTuple):
    """A warning's level from an instant on."""

    t: int  # [ns] of the reading that made it
    told: int  # [ns] when that reading arrived: nobody could know before
    level: Level
    kind: Kind
    voices: int  # independent sensors or quantities


@dataclass(frozen=True)
class Said:
    """One warning as it went."""

    asset: str
    hazard: str
    domain: str
    steps: tuple[Stood, ...]
    places: tuple[str, ...] = ()  # where the trouble may be, likeliest first, in the words of its world

    @property
    def raised(self) -> int:
        """[ns] of the reading that raised it."""
        return self.steps[0].t

    @property
    def peak(self) -> Level:
        """The gravest it has been, as a hazard if it ever was one."""
        hazard = [s.level for s in self.steps if s.kind is Kind.HAZARD]
        return max(hazard or [s.level for s in self.steps], default=Level.NORMAL)


@dataclass(frozen=True)
class Met:
    """An expectation and what came of it."""

    expect: Expect
    level: Level  # the gravest warning after the onset that it allows
    delay: float | None  # [s] from when it could be known to the first warning; None: none came
    since: float | None  # [s] from its onset to the first warning
    reached: float | None  # [s] from its onset to the level demanded
    rank: int | None  # of the true place among those that the warnings name, from 1; None: not among them, or not asked
    early: float | None  # [1] LeakDB's score of early detection; None: no leak, or no time is set
    failures: tuple[Words, ...]

    @property
    def detected(self) -> bool:
        return self.delay is not None


class Graded(NamedTuple):
    """How grave an event was, and was called."""

    least: Level
    most: Level
    called: Level


@dataclass(frozen=True)
class Score:
    """One scenario."""

    met: tuple[Met, ...]  # expectations that demand a level
    unmet: tuple[Ticket, ...]  # tickets that did not come
    wrong: tuple[Said, ...]  # false warnings
    ill: tuple[Said, ...]  # of those, sensors or the network at fault taken for a hazard
    graded: tuple[Graded, ...]
    failures: tuple[Words, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


def score(s: Scenario, truth: Sequence[Truth], hazards: Sequence[Said], tickets: Sequence[Said]) -> Score:
    """hazards: warnings to people on call; tickets: those that only went to the owner of a device."""
    met = tuple(judged(e, s, truth, hazards) for e in s.expect if e.level)
    wrong = tuple(w for w in hazards if not any(allowed(w, e, s) for e in s.expect))
    ill = tuple(w for w in wrong if of_fault(w, truth))
    unmet = tuple(t for t in s.ticket if not raised(t, s, tickets))
    graded = tuple(Graded(t.min_level, t.max_level, called(t, s, hazards)) for t in truth if t.hazard)
    failures = [f for m in met for f in m.failures]
    failures += [f for w in hazards if w not in wrong for f in overstated(w, s)]
    failures += [no_ticket(t) for t in unmet]
    failures += in_vain(wrong, ill, s)
    return Score(met, unmet, wrong, ill, graded, tuple(dict.fromkeys(failures)))


def judged(e: Expect, s: Scenario, truth: Sequence[Truth], hazards: Sequence[Said]) -> Met:
    """What came of an expectation that demands a level."""
    assert e.level is not None
    onset = onset_of(e, s)
    mine = [w for w in hazards if concerns(w, e)]
    steps = sorted((x for w in mine for x in w.steps if x.t >= onset and grave(x, Level.BLUE)), key=lambda x: x.told)
    known = detectable(e, s, truth)
    first = steps[0].told if steps else None
    there = next((x.told for x in steps if x.level >= e.level), None)
    rank = located(e, truth, mine) if e.top else None
    met = Met(
        e,
        max((x.level for x in steps), default=Level.NORMAL),
        None if first is None else (first - known) / NS,
        None if first is None else (first - onset) / NS,
        None if there is None else (there - onset) / NS,
        rank,
        early_score(e, known, mine, s.end),
        (),
    )
    return Met(**{**vars(met), "failures": tuple(shortfalls(met, mine, steps))})


def shortfalls(m: Met, mine: Sequence[Said], steps: Sequence[Stood]) -> Iterable[Words]:
    """What an expectation asks for and did not get."""
    e = m.expect
    assert e.level is not None
    what = f"{'/'.join(e.hazard)} @ {e.asset}"
    if not steps:
        yield Words(f"未发现：{what}，应达 {e.level.name}", f"missed: {what}, expected {e.level.name}")
        return
    if m.reached is None:
        yield Words(
            f"{what} 只到 {m.level.name}，应达 {e.level.name}", f"{what} reached {m.level.name} only, expected {e.level.name}"
        )
    elif e.within is not None and m.reached > e.within:
        took, had = spoken(m.reached), spoken(e.within)
        yield Words(f"{what} {took} 后才到 {e.level.name}，应在 {had} 内", f"{what} took {took} to {e.level.name}, had {had}")
    elif (most := max(x.voices for x in steps if x.level >= e.level)) < e.voices:
        yield Words(f"{what} 只有 {most} 个测点，应有 {e.voices}", f"{what} rests on {most} sensors, expected {e.voices}")
    if e.route and e.route not in (to := sorted({route(w) for w in mine})):
        yield Words(f"{what} 送达 {'、'.join(to)}，应送 {e.route}", f"{what} went to {', '.join(to)}, not to {e.route}")
    if e.top and not any(w.places for w in mine):
        yield Words(f"{what} 未定位：预警未指出位置", f"{what} is not located: the warning names no place")
    elif e.top and (m.rank is None or m.rank > e.top):
        yield Words(f"{what} 定位不在前 {e.top} 名", f"{what}: the true place is not among the first {e.top} named")


def concerns(w: Said, e: Expect) -> bool:
    """Whether a warning is of the assets and hazards that an expectation speaks of."""
    return fnmatchcase(w.asset, e.asset) and w.hazard in e.hazard


def allowed(w: Said, e: Expect, s: Scenario) -> bool:
    """Whether it may be given; what must come of a fault may not come before it."""
    return concerns(w, e) and (e.level is None or w.raised >= onset_of(e, s))


def overstated(w: Said, s: Scenario) -> Iterable[Words]:
    most = max(e.most for e in s.expect if allowed(w, e, s))
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


def onset_of(e: Expect, s: Scenario) -> int:
    """When the fault that an expectation speaks of begins. [ns]"""
    at = s.fault[e.fault - 1][1].at if e.fault <= len(s.fault) else 0.0
    return s.start + round(at * NS)


def detectable(e: Expect, s: Scenario, truth: Sequence[Truth]) -> int:
    """From when a perfect observer could know of it; its onset where the world does not say. [ns]"""
    onset = onset_of(e, s)
    known = [t.detectable for t in truth if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset) and t.onset >= onset]
    return min(known, default=onset)


def route(w: Said) -> str:
    """Whom a warning goes to: the department that deals with its hazard."""
    return DEPARTMENT.get(w.hazard, w.domain)


def grave(x: Stood, level: Level) -> bool:
    return x.kind is Kind.HAZARD and x.level >= level


def of_fault(w: Said, truth: Sequence[Truth]) -> bool:
    """Whether a false warning was raised where a sensor or the network was at fault, and nothing else."""
    here = [t for t in truth if t.asset == w.asset and t.onset <= w.raised <= t.end + LINGER]
    return any(t.sensor_fault for t in here) and not any(t.hazard for t in here)


def raised(ticket: Ticket, s: Scenario, tickets: Sequence[Said]) -> bool:
    """Whether a ticket came, in time."""
    at = s.sensor[ticket.sensor - 1].at if ticket.sensor <= len(s.sensor) else 0.0
    onset = s.start + round(at * NS)
    last = s.end if ticket.within is None else onset + round(ticket.within * NS)
    return any(
        fnmatchcase(w.asset, ticket.asset)
        and ("*" in ticket.hazard or w.hazard in ticket.hazard)
        and onset <= w.raised
        and w.steps[0].told <= last
        for w in tickets
    )


def called(t: Truth, s: Scenario, hazards: Sequence[Said]) -> Level:
    """The gravest warning of an event while it lasts, under any of the names that an expectation allows for it."""
    names = {t.hazard, *(h for e in s.expect if t.hazard in e.hazard and fnmatchcase(t.asset, e.asset) for h in e.hazard)}
    steps = [x for w in hazards if w.asset == t.asset and w.hazard in names for x in w.steps if x.kind is Kind.HAZARD]
    return max((x.level for x in steps if t.onset <= x.t <= t.end + LINGER), default=Level.NORMAL)


def located(e: Expect, truth: Sequence[Truth], mine: Sequence[Said]) -> int | None:
    """The best rank of a true place in any of the warnings."""
    places = {t.place for t in truth if t.hazard in e.hazard and t.place}
    return min((i + 1 for w in mine for i, place in enumerate(w.places) if place in places), default=None)


def early_score(e: Expect, known: int, mine: Sequence[Said], end: int) -> float | None:
    """2 / (1 + exp(α x / τ)) of the delay x in a window τ, if the alarm then stands for three quarters of what is left of it.

    S. G. Vrachimis, M. S. Kyriakou et al., LeakDB, WDSA / CCWI 2018: α = 6. Here τ is the time allowed, from when the leak
    could be known. known, end [ns]
    """
    if e.within is None or not set(LEAKS) & set(e.hazard):
        return None
    close = min(known + round(e.within * NS), end)
    spans = [(max(a, known), min(b, close)) for w in mine for a, b in standing(w, end) if a < close and b > known]
    first = min((a for a, _ in spans), default=close)
    if first >= close or covered(spans) < PERSIST * (close - first):
        return 0.0
    return 2.0 / (1.0 + exp(ALPHA * (first - known) / NS / e.within))


def standing(w: Said, end: int) -> list[tuple[int, int]]:
    """When a hazard stood. [ns]"""
    after = [*(x.told for x in w.steps), end]
    return [(a, b) for x, (a, b) in zip(w.steps, pairwise(after), strict=True) if grave(x, Level.BLUE)]


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of a union of spans. [ns]"""
    total, upto = 0, 0
    for a, b in sorted(spans):
        total += max(0, b - max(a, upto))
        upto = max(upto, b)
    return total
