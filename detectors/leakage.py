"""Leakage: how much more water an area loses than it used to, told apart from how much more it uses."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.usage import DAY, DAYS, WEEK, WEEKS, Look, drawn, looked, steady, stored, switching
from lifeline.model import NS, Bools, Floats, Ints, Members

HOUR: Final = 3600.0  # [s]
ZONES: Final = 2  # what flows in steadily, and what is pumped into storage
GUARD: Final = 2  # [d] the last days are not yet what is usual
MOST: Final = 2.0  # [σ] that one day adds to the CUSUM
DOUBT: Final = 2.0  # [1] a day whose fit is so much worse than usual teaches nothing
LOW: Final = 3.0  # [σ] below what is usual: a repair
FADES: Final = 0.95  # [1] a day, of a slope
STEADY: Final = 0.05  # [σ] a day: a slope below has ended


class LeakageState(NamedTuple):
    last: Ints  # [1] [ns] end of the last hour; 0: none yet
    past: Floats  # [n, WEEK * WEEKS + DAY] [SI] hours, oldest first; NaN: nothing was said
    seen: Ints  # [1] hours so far
    gain: Floats  # [2, DAYS] [1] use of each day against the pattern, oldest first; NaN: not judged
    lost: Floats  # [2, DAYS] [m³/s] loss of each day beyond that of the pattern
    clean: Bools  # [2, DAYS] days on which nothing was strange
    spread: Floats  # [2] [m³/s] of a day's loss; 0: not known
    base: Floats  # [2] [m³/s] what the loss usually is; NaN: not known
    slope: Floats  # [2] [m³/s] that a leak known to grow adds a day
    sum_: Floats  # [2] [1] one-sided CUSUM of the days
    run: Floats  # [2] [d] since it left zero
    stood: Floats  # [2] [d] that the loss has been strange
    low: Floats  # [2] [d] that it has been below what is usual
    floor: Floats  # [2] [m³/s] least that was ever usual; NaN: not known
    own: Floats  # [2] [m³/s] loss that is in the pattern itself, taken as half of its least hour
    now: Floats  # [2] [1] score of the last look
    due: Bools  # [n] members who have not been told it


class Memory(NamedTuple):
    """What is kept of one zone from day to day; the fields are those of the state."""

    base: float
    slope: float
    sum_: float
    run: float
    stood: float
    low: float
    floor: float


@dataclass(frozen=True)
class Leakage:
    """Loss and use of an area, hour by hour: flow = loss + gain * pattern of the week.

    A leak adds the same at every hour (nearly: pressure is higher at night), demand grows and shrinks with its pattern. Each
    day's hours are fitted by weighted least squares, an hour's spread being in proportion to its flow (C. F. Gauss 1823; the
    split of night flow into use and leakage: A. O. Lambert, Water Loss, 1994, with the whole day instead of the night). The
    pattern is the median of the same hour in the last four weeks, freed of the gain and the loss of its day. The excess of the
    day's loss over what is usual, in spreads of a day, goes into a one-sided CUSUM (Page 1954) and against `quick` spreads; a
    score of 1 is a false alarm once in decades for normal days (D. Siegmund, Sequential Analysis, 1985, eq. 2.56), and slow
    changes of the pattern's shape are what is left; docs/detectors/leakage.md counts them. Beyond 1 the score is the excess in
    tenths of the least hour's flow. What has stood for `accept` days becomes usual: the score then speaks of what comes on top,
    and a second rule that asks for what is "standing" goes on until the leak is repaired.
    A loss that falls (a repair) is followed within two days.
    Flows that are switched on and off (pumps into a tank) are taken out of the sum of the others, with the sign that leaves
    least; with a level, what they fill is a zone of its own: use = pumped - area of the tank * change of its level.
    """

    over: tuple[str, ...] = ("water_flow",)
    beside: tuple[str, ...] = ("water_level",)
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = HOUR  # [s]
    slack: float = 0.5  # [σ]
    limit: float = 8.0  # [σ] of the CUSUM
    quick: float = 4.0  # [σ] of a single day
    accept: int = 3  # [d]
    asks: Literal["new", "standing"] = "new"  # what comes on top of what is usual, or all above the least that ever was
    looks: int = 4  # a day
    flows: tuple[bool, ...] = ()  # [n] which members are flows; set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = WEEK + DAY  # [1]

    def settled(self, m: Members) -> Self | None:
        """For an area with a flow at least."""
        return replace(self, flows=tuple(m.judged.tolist()))

    def init(self, n: int) -> LeakageState:
        """An area of which nothing is known."""
        days, none = np.full((ZONES, DAYS), np.nan), np.full(ZONES, np.nan)
        past, no, zero = np.full((n, WEEK * WEEKS + DAY), np.nan), np.zeros(1, np.int64), np.zeros(ZONES)
        return LeakageState(
            no, past, no.copy(), days, days.copy(), np.zeros((ZONES, DAYS), np.bool_), zero, none, *np.zeros((5, ZONES)),
            none.copy(), zero.copy(), none.copy(), np.zeros(n, np.bool_),
        )  # type: ignore[call-arg]  # fmt: skip

    def step(self, s: LeakageState, x: Floats, t: Ints) -> tuple[LeakageState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1]."""
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            if s.last[0] and t[j] - s.last[0] != round(HOUR * NS):
                s = self.init(x.shape[0])  # weeks after: the hours no longer stand under one another
            s = s._replace(past=np.hstack([s.past[:, 1:], x[:, j : j + 1]]), seen=s.seen + 1, last=t[j : j + 1].copy())
            hour = int(t[j] // round(HOUR * NS))
            if s.seen[0] > self.warmup and hour % (DAY // self.looks) == 0:
                s = self._look(s, closes=hour % DAY == 0)
            told = s.due & np.isfinite(x[:, j])
            zone = self._zones(s)
            for z in range(ZONES):
                mine = told & zone[z]
                score[mine, j] = np.fmax(score[mine, j], s.now[z])
            s = s._replace(due=s.due & ~told)
        return s, score

    def total(self, s: LeakageState) -> float:
        """All that is lost, as of the last day: what is usual from the beginning, and what has come on top. [m³/s]"""
        return float((s.own + np.nan_to_num(s.lost[:, -1])).sum())

    def _zones(self, s: LeakageState) -> Bools:
        """Which flows make up each zone. [2, n]"""
        flow = np.array(self.flows, np.bool_)
        switched = flow & switching(s.past)
        if (flow & ~switched).any():
            return np.array([flow & ~switched, switched])
        return np.array([flow, np.zeros_like(flow)])

    def _look(self, s: LeakageState, *, closes: bool) -> LeakageState:
        """Judge the last 24 hours; `closes`: they are a day for the record."""
        zone = self._zones(s)
        level = ~np.array(self.flows, np.bool_)
        pumped = None if (zone[0] & ~switching(s.past)).any() else stored(s.past, zone[0], level)  # all there is comes by pumps
        total = steady(s.past, *zone) if pumped is None else pumped
        first = looked(total, s.gain[0], s.lost[0], int(s.seen[0]), float(s.base[0]))
        use = stored(s.past, zone[1], level)
        second = None if use is None or first is None else drawn(use, s.gain[0], s.lost[1], first.gain, int(s.seen[0]))
        parts = [self._zone(s, z, look, closes=closes) for z, look in enumerate((first, second))]
        gain, lost, clean, spread, memory, now = ([p[i] for p in parts] for i in range(6))
        own = np.array([x.own if x else s.own[z] for z, x in enumerate((first, second))])
        kept = {name: np.array([m[i] for m in memory]) for i, name in enumerate(Memory._fields)}
        return s._replace(
            gain=np.array(gain), lost=np.array(lost), clean=np.array(clean), spread=np.array(spread), now=np.array(now),
            due=np.array(self.flows, np.bool_), own=own, **kept,
        )  # fmt: skip

    def _zone(self, s: LeakageState, z: int, look: Look | None, *, closes: bool) -> tuple[Any, ...]:
        """One zone: gain, lost, clean, spread, memory, score."""
        gain, lost, clean = s.gain[z], s.lost[z], s.clean[z]
        m = Memory(*(float(a[z]) for a in (s.base, s.slope, s.sum_, s.run, s.stood, s.low, s.floor)))
        if look is None:
            kept = (
                (np.r_[gain[1:], np.nan], np.r_[lost[1:], np.nan], np.r_[clean[1:], False]) if closes else (gain, lost, clean)
            )
            return (*kept, float(s.spread[z]), m, np.nan)
        usual_ = usual_spread(lost)
        spread = max(usual_, look.sd)
        excess = look.lost - m.base
        doubtful = usual_ > 0 and look.sd > DOUBT * usual_
        more = 0.0 if doubtful or not np.isfinite(excess) else min(excess / spread, MOST) - self.slack
        grown = max(0.0, m.sum_ + more)
        score = self._score(excess, spread, grown, look.least, sudden=z == 0) if np.isfinite(excess) else np.nan
        says = self._standing(look, m.floor, spread) if self.asks == "standing" else score
        if not closes:
            return gain, lost, clean, spread, m, says
        strange = bool(score >= 1)
        gain, lost, clean = (
            np.r_[gain[1:], look.gain],
            np.r_[lost[1:], look.lost],
            np.r_[clean[1:], not strange and not doubtful],
        )
        m = Memory(
            m.base + m.slope, m.slope * FADES, min(grown, 2 * self.limit), m.run + 1 if grown > 0 else 0.0,
            m.stood + 1 if strange else 0.0, m.low + 1 if excess < -LOW * spread else 0.0, m.floor,
        )  # fmt: skip
        return (*self._settle(gain, lost, clean, m, excess, spread), says)

    def _settle(self, gain: Floats, lost: Floats, clean: Bools, m: "Memory", excess: float, spread: float) -> tuple[Any, ...]:
        """What is usual from now on, after a day for the record."""
        if m.low >= GUARD:
            clean = np.r_[np.zeros(DAYS - GUARD, np.bool_), np.ones(GUARD, np.bool_)]
            m = Memory(float(np.nanmean(lost[-GUARD:])), 0.0, 0.0, 0.0, 0.0, 0.0, m.floor)
        elif m.stood >= self.accept:
            clean = np.r_[np.zeros(DAYS - self.accept, np.bool_), np.ones(self.accept, np.bool_)]
            slope = max(excess, 0.0) / m.run if m.run > self.accept + GUARD else 0.0
            m = Memory(float(np.nanmean(lost[-self.accept :])), slope, 0.0, 0.0, 0.0, 0.0, m.floor)
        elif m.stood == 0 and m.slope < STEADY * spread:
            m = m._replace(base=usual(lost, clean, m.base))
        return gain, lost, clean, spread, m._replace(floor=float(np.fmin(m.floor, m.base)))

    def _standing(self, look: Look, floor: float, spread: float) -> float:
        """All that is lost above the least that ever was usual, in tenths of the least hour's flow; NaN: that is not known."""
        return max(0.0, look.lost - floor) / max(0.1 * look.least, self.quick * spread) if np.isfinite(floor) else float("nan")

    def _score(self, excess: float, spread: float, grown: float, least: float, *, sudden: bool) -> float:
        """Significance up to 1; beyond it the excess in tenths of the least flow. sudden: one day suffices"""
        sure = max(excess / spread / self.quick if sudden else 0.0, grown / self.limit, 0.0)
        return sure if sure < 1 else max(1.0, excess / max(0.1 * least, spread))


def usual_spread(lost: Floats) -> float:
    """Spread of a day's loss, from the differences of days: a step is one of many. [m³/s]"""
    d = np.abs(np.diff(lost))
    d = d[np.isfinite(d)]
    return float(1.4826 * np.median(d) / np.sqrt(2)) if d.size >= 3 else 0.0


def usual(lost: Floats, clean: Bools, before: float) -> float:
    """What the loss usually is: the median of the clean days but the last ones. [m³/s]"""
    good = lost[:-GUARD][clean[:-GUARD] & np.isfinite(lost[:-GUARD])]
    if good.size >= 3:
        return float(np.median(good))
    return before


default = Leakage()
