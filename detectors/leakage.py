"""Leakage: how much more water an area loses than it used to, told apart from how much more it uses."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from detectors.usage import DAY, DAYS, WEEK, WEEKS, Look, drawn, looked, steady, stored, switching
from lifeline.model import NS, Bools, Floats, Ints, Members

HOUR: Final = 3600.0  # [s]
ZONES: Final = 2  # what flows in steadily, and what is pumped into storage; the second only where there are two flows
GUARD: Final = 2  # [d] the last days are not yet what is usual
MOST: Final = 2.0  # [σ] that one day adds to the CUSUM
DOUBT: Final = 2.0  # [1] a day whose fit is so much worse than usual teaches nothing
LOW: Final = 3.0  # [σ] below what is usual: a repair
FADES: Final = 0.95  # [1] a day, of a slope
ASKS: Final = ("new", "standing")
STEADY: Final = 0.05  # [σ] a day: a slope below has ended


class LeakageState(NamedTuple):
    """Few arrays, for a city may have many areas. z: zones, as many as may be told apart."""

    when: Ints  # [2] [ns] end of the last hour, 0: none yet; [1] hours so far
    past: NDArray[np.float32]  # [n, WEEK * WEEKS + DAY] [SI] hours, oldest first; NaN: nothing was said
    days: Floats  # [2, z, DAYS] `gain` and `lost`
    clean: Bools  # [z, DAYS] days on which nothing was strange
    zones: Floats  # [z, 9 + 2] what is kept of each zone from day to day: `Memory`; and `now`
    due: Bools  # [n] members who have not been told it

    @property
    def gain(self) -> Floats:
        """Use of each day against the pattern, oldest first; NaN: not judged. [z, DAYS] [1]"""
        return np.asarray(self.days[0])

    @property
    def lost(self) -> Floats:
        """Loss of each day beyond that of the pattern. [z, DAYS] [m³/s]"""
        return np.asarray(self.days[1])

    @property
    def now(self) -> Floats:
        """Score of the last look, of each zone, for what is new and for what is standing. [z, 2] [1]"""
        return np.asarray(self.zones[:, -len(ASKS) :])

    def memory(self, z: int) -> "Memory":
        """Of one zone."""
        return Memory(*self.zones[z, : -len(ASKS)].tolist())


class Memory(NamedTuple):
    """What is kept of one zone from day to day."""

    spread: float  # [m³/s] of a day's loss; 0: not known
    base: float  # [m³/s] what the loss usually is; NaN: not known
    slope: float  # [m³/s] that a leak known to grow adds a day
    sum_: float  # [1] one-sided CUSUM of the days
    run: float  # [d] since it left zero
    stood: float  # [d] that the loss has been strange
    low: float  # [d] that it has been below what is usual
    floor: float  # [m³/s] least that was ever usual; NaN: not known
    own: float  # [m³/s] loss that is in the pattern itself, taken as half of its least hour

    def anew(self, base: float, slope: float = 0.0) -> "Memory":
        """What is usual from now on; all counts begin anew."""
        return self._replace(base=base, slope=slope, sum_=0.0, run=0.0, stood=0.0, low=0.0)


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

    @property
    def kin(self) -> "Leakage":
        """Detectors with the same kin remember the same: both questions are answered out of one memory."""
        return replace(self, asks="new")

    @property
    def parts(self) -> int:
        """Zones that may be told apart: no flow alone is both."""
        return min(ZONES, max(sum(self.flows), 1))

    def settled(self, m: Members) -> Self | None:
        """For an area with a flow at least."""
        return replace(self, flows=tuple(m.judged.tolist()))

    def init(self, n: int) -> LeakageState:
        """An area of which nothing is known."""
        zone = (*Memory(0.0, np.nan, 0.0, 0.0, 0.0, 0.0, 0.0, np.nan, 0.0), *[np.nan] * len(ASKS))
        return LeakageState(
            np.zeros(2, np.int64), np.full((n, WEEK * WEEKS + DAY), np.nan, np.float32), np.full((2, self.parts, DAYS), np.nan),
            np.zeros((self.parts, DAYS), np.bool_), np.array([zone] * self.parts), np.zeros(n, np.bool_),
        )  # fmt: skip

    def recast(self, old: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A memory by names, of the version before, which kept two zones always and nine arrays, as it is kept now."""
        if "gain" not in old:
            return old
        z = self.parts
        return {
            "when": np.r_[old["last"], old["seen"]], "past": old["past"], "days": np.array([old["gain"][:z], old["lost"][:z]]),
            "clean": old["clean"][:z], "zones": np.hstack([old["zones"], old["now"]])[:z], "due": old["due"],
        }  # fmt: skip

    def step(self, s: LeakageState, x: Floats, t: Ints) -> tuple[LeakageState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1]."""
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            if s.when[0] and t[j] - s.when[0] != round(HOUR * NS):
                s = self.init(x.shape[0])  # weeks after: the hours no longer stand under one another
            past = np.concatenate([s.past[:, 1:], x[:, j : j + 1]], axis=1, dtype=np.float32)
            s = s._replace(past=past, when=np.array([t[j], s.when[1] + 1]))
            hour = int(t[j] // round(HOUR * NS))
            if s.when[1] > self.warmup and hour % (DAY // self.looks) == 0:
                s = self._look(s, closes=hour % DAY == 0)
            told = s.due & np.isfinite(x[:, j])
            if not told.any():
                continue
            zone = self._zones(s.past)
            for z in range(self.parts):
                mine = told & zone[z]
                score[mine, j] = np.fmax(score[mine, j], s.now[z, ASKS.index(self.asks)])
            s = s._replace(due=s.due & ~told)
        return s, score

    def total(self, s: LeakageState) -> float:
        """All that is lost, as of the last day: what is usual from the beginning, and what has come on top. [m³/s]"""
        own = s.zones[:, Memory._fields.index("own")]
        return float((own + np.nan_to_num(s.lost[:, -1])).sum())

    def _zones(self, past: NDArray[Any]) -> Bools:
        """Which flows make up each zone. [2, n]"""
        flow = np.array(self.flows, np.bool_)
        switched = flow & switching(past)
        if (flow & ~switched).any():
            return np.array([flow & ~switched, switched])
        return np.array([flow, np.zeros_like(flow)])

    def _look(self, s: LeakageState, *, closes: bool) -> LeakageState:
        """Judge the last 24 hours; `closes`: they are a day for the record."""
        past = s.past.astype(np.float64)
        zone = self._zones(past)
        level = ~np.array(self.flows, np.bool_)
        pumped = None if (zone[0] & ~switching(past)).any() else stored(past, zone[0], level)  # all there is comes by pumps
        total = steady(past, *zone) if pumped is None else pumped
        first = looked(total, s.gain[0], s.lost[0], int(s.when[1]), s.memory(0).base)
        use = stored(past, zone[1], level)
        second = None if use is None or first is None else drawn(use, s.gain[0], s.lost[1], first.gain, int(s.when[1]))
        parts = [self._zone(s, z, look, closes=closes) for z, look in enumerate((first, second)[: self.parts])]
        gain, lost, clean, zones, now = (np.array(p) for p in zip(*parts, strict=True))
        due = np.array(self.flows, np.bool_)
        return s._replace(days=np.array([gain, lost]), clean=clean, zones=np.hstack([zones, now]), due=due)

    def _zone(self, s: LeakageState, z: int, look: Look | None, *, closes: bool) -> tuple[Any, ...]:
        """One zone: gain, lost, clean, memory, scores for what is new and for what is standing."""
        gain, lost, clean = s.gain[z], s.lost[z], s.clean[z]
        m = s.memory(z)
        if look is None:
            days = (np.r_[gain[1:], np.nan], np.r_[lost[1:], np.nan], np.r_[clean[1:], False])
            return (*(days if closes else (gain, lost, clean)), m, (np.nan, np.nan))
        m = m._replace(own=look.own)
        usual_ = usual_spread(lost)
        spread = max(usual_, look.sd)
        excess = look.lost - m.base
        doubtful = usual_ > 0 and look.sd > DOUBT * usual_
        more = 0.0 if doubtful or not np.isfinite(excess) else min(excess / spread, MOST) - self.slack
        grown = max(0.0, m.sum_ + more)
        score = self._score(excess, spread, grown, look.least, sudden=z == 0) if np.isfinite(excess) else np.nan
        says = (score, self._standing(look, m.floor, spread))
        m = m._replace(spread=spread)
        if not closes:
            return gain, lost, clean, m, says
        strange = bool(score >= 1)
        gain, lost = np.r_[gain[1:], look.gain], np.r_[lost[1:], look.lost]
        clean = np.r_[clean[1:], not strange and not doubtful]
        m = m._replace(
            base=m.base + m.slope, slope=m.slope * FADES, sum_=min(grown, 2 * self.limit), run=m.run + 1 if grown > 0 else 0.0,
            stood=m.stood + 1 if strange else 0.0, low=m.low + 1 if excess < -LOW * spread else 0.0,
        )  # fmt: skip
        return (*self._settle(gain, lost, clean, m, excess), says)

    def _settle(self, gain: Floats, lost: Floats, clean: Bools, m: Memory, excess: float) -> tuple[Any, ...]:
        """What is usual from now on, after a day for the record."""
        if m.low >= GUARD:
            clean = np.r_[np.zeros(DAYS - GUARD, np.bool_), np.ones(GUARD, np.bool_)]
            m = m.anew(float(np.nanmean(lost[-GUARD:])))
        elif m.stood >= self.accept:
            clean = np.r_[np.zeros(DAYS - self.accept, np.bool_), np.ones(self.accept, np.bool_)]
            slope = max(excess, 0.0) / m.run if m.run > self.accept + GUARD else 0.0
            m = m.anew(float(np.nanmean(lost[-self.accept :])), slope)
        elif m.stood == 0 and m.slope < STEADY * m.spread:
            m = m._replace(base=usual(lost, clean, m.base))
        return gain, lost, clean, m._replace(floor=float(np.fmin(m.floor, m.base)))

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
