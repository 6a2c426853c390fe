"""Concord: whether the gauges and meters of an area still agree with one another as they used to."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from scipy.special import chdtri

from detectors.piping import likely
from lifeline.model import NS, Floats, Ints, Members, Place

SLOT: Final = 900.0  # [s]
DAY: Final = 96  # [slot]
BLEND: Final = 0.5  # [1] of a new slot in what is looked at
APART: Final = 3.0  # [slot] that count as one where slots are so blended: 2 / BLEND - 1
EACH: Final = 4  # [1] slots that teach, for each series
RARE: Final = 1e-7  # [1] chance of a score of 1 in a slot of a normal day
FINE: Final = 1e-5  # [1] of a series' own variance, below which nothing is known
FREE: Final = 100.0  # [1] by which the first direction, that of demand, is freer than it was seen to be
OVER: Final = 0.8  # [1] score below which who speaks may change
MARGIN: Final = 0.05  # [1] of the range of demand that has been seen, by which it may be left
GAP: Final = 4  # [slot] after which the blend begins anew
KNOWN: Final = 4  # [1] strange directions that are remembered
LEAST: Final = 3  # [1] gauges of an area
FEW: Final = 4  # [1] series there at once


class ConcordState(NamedTuple):
    last: Ints  # [1] [ns] end of the last slot; 0: none yet
    blend: Floats  # [n] [SI] of the last slots; NaN: nothing was said
    fresh: Ints  # [n] slots in that blend
    origin: Floats  # [n] [SI] first blend, from which all are reckoned
    number: Floats  # [n, n] [1] slots in which both taught
    sum_: Floats  # [n] [SI] of those of its own
    product: Floats  # [n, n] [SI²] sum of products
    low: Floats  # [n] [SI] least and greatest blend that taught; both slowly follow what is
    high: Floats  # [n] [SI]
    known: Floats  # [KNOWN, n] [SI] directions that have stood, oldest first; 0: none
    since: Ints  # [1] [ns] since when something has been strange; 0: it is not
    stood: Ints  # [1] [slot] in which it was seen to be
    path: Floats  # [n] [SI] sum of the deviations meanwhile
    lead: Ints  # [1] who speaks for it; -1: nobody
    away: Floats  # [n] [SI] deviation of the last slot, demand taken out; NaN: not there


class Verdict(NamedTuple):
    """What one slot says."""

    here: Ints  # [p] members
    all_: float  # [1] score of all together
    rest: float  # [1] score without the one that explains most
    one: int  # that member
    seen: bool  # whether such a demand has been seen before
    deviation: Floats  # [p] [SI]
    away: Floats  # [p] [SI] with demand taken out
    sure: Floats  # [p] [σ] the same, in spreads of what is left
    share: Floats  # [p] [1] of the squared distance that each alone explains
    spread: Floats  # [p, p] [SI²] what a deviation may be, demand being free


@dataclass(frozen=True)
class Concord:
    """Distance of Mahalanobis of all series of an area from their common past, and without the one that explains most of it.

    Pressures and flows of an area follow one demand and move together (H. Hotelling, Ann. Math. Stat. 2, 1931, 360-378). Slots
    are blended with the one before (C. A. Lowry et al., Technometrics 34, 1992, 46-53), and the covariance is that of blended
    slots. Along its first direction, that of demand, anything is allowed, as far as such a demand has been seen before. What
    one series alone explains is what the distance loses without it, which the inverse of the covariance tells (R. Dunia and
    S. J. Qin, AIChE J. 44, 1998, 1813-1831): one alone is a sensor, several are the network. The score is the root of the
    squared distance over its bound, which a normal slot of normal noise passes once in 10^7; few slots widen the bound by
    Hotelling's factor.
    asks "network": what several show, told by the gauge that shows it most until it is over. What has stood for `accept` is a
    direction that is known, and what comes on top is heard. asks "sensor": what one series alone shows, against the first
    `teaches` days.
    """

    over: tuple[str, ...] = ("water_pressure", "water_flow")
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = SLOT  # [s]
    asks: Literal["network", "sensor"] = "network"
    learn: float = 1.0  # [d] that only teach
    teaches: float = 28.0  # [d] of memory; for "sensor": after which nothing is learned any more
    accept: float = 0.75  # [d]
    used: tuple[bool, ...] = field(default=(), repr=False)  # [n] set by `settled`
    gauge: tuple[bool, ...] = field(default=(), repr=False)  # [n] pressures; set by `settled`
    device: tuple[str, ...] = field(default=(), repr=False)  # [n] of the gauges, others ""; set by `settled`
    map: Path | None = None  # set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return max(round(self.learn * DAY), EACH * sum(self.used))

    def settled(self, m: Members) -> Self | None:
        """None with fewer than three gauges that are as fast as the slots."""
        used = m.judged & (m.step <= SLOT)
        gauge = used & (m.quantity == self.over[0])
        if gauge.sum() < LEAST:
            return None
        device = tuple(np.where(gauge, m.device, "").tolist())
        return replace(self, used=tuple(used.tolist()), gauge=tuple(gauge.tolist()), device=device, map=m.map)

    def init(self, n: int) -> ConcordState:
        """An area of which nothing is known."""
        none, zero, square, count = np.full(n, np.nan), np.zeros(n), np.zeros((n, n)), np.zeros(1, np.int64)
        return ConcordState(
            count, none, np.zeros(n, np.int64), none.copy(), square, zero, square.copy(), np.full(n, np.inf),
            np.full(n, -np.inf), np.zeros((KNOWN, n)), count.copy(), count.copy(), zero.copy(), np.full(1, -1), none.copy(),
        )  # fmt: skip

    def step(self, s: ConcordState, x: Floats, t: Ints) -> tuple[ConcordState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = ConcordState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        used = np.array(self.used, np.bool_)
        for j in range(x.shape[1]):
            self._blend(s, np.where(used, x[:, j], np.nan), t[j])
            v = self._verdict(s)
            if v is None or not v.seen:
                s.away[:] = np.nan
                if v is None:
                    self._teach(s)
                continue
            there = v.here[np.isfinite(x[v.here, j])]
            score[there, j] = 0.0
            who, said = self._said(s, v, there)
            if who >= 0:
                score[who, j] = said
            self._remember(s, v)
            if max(v.all_, v.rest) < 1:
                self._teach(s)
        return s, score

    def locate(self, s: ConcordState, i: int) -> tuple[Place, ...]:  # noqa: ARG002  whoever speaks, the cause is one
        """Pipes in which a hole explains best what the gauges show, likeliest first."""
        v = self._verdict(s)
        if v is None or self.map is None or self.asks == "sensor":
            return ()
        n = s.blend.size
        before, fall, spread = np.full(n, np.nan), np.full(n, np.nan), np.zeros((n, n))
        before[v.here], fall[v.here] = s.blend[v.here] - v.away, -v.deviation
        spread[np.ix_(v.here, v.here)] = v.spread
        return likely(self.map, self.device, before, fall, spread)

    def _blend(self, s: ConcordState, x: Floats, t: Any) -> None:
        """One slot. x [n]"""
        late = s.last[0] > 0 and t - s.last[0] > GAP * SLOT * NS
        new = np.isfinite(x) & (np.isnan(s.blend) | late)
        s.fresh[:] = np.where(np.isnan(x), 0, np.where(new, 1, s.fresh + 1))
        s.blend[:] = np.where(new, x, s.blend + BLEND * (x - s.blend))
        s.origin[:] = np.where(np.isnan(s.origin), x, s.origin)
        s.last[0] = t

    def _teach(self, s: ConcordState) -> None:
        """The last slot is as it should be."""
        taught = float(s.number.max(initial=0.0))
        if self.asks == "sensor" and taught >= self.teaches * DAY:
            return
        there = s.fresh >= 1 / BLEND
        w = there.astype(np.float64)
        d = np.where(there, s.blend - s.origin, 0.0)
        keep = min(1.0, 1 - 1 / (self.teaches * DAY)) if taught >= self.teaches * DAY else 1.0
        s.number[:], s.sum_[:], s.product[:] = (
            keep * s.number + np.outer(w, w),
            keep * s.sum_ + d,
            keep * s.product + np.outer(d, d),
        )
        slow = there & np.isfinite(s.low)
        s.low[slow] += (s.blend - s.low)[slow] / (self.teaches * DAY)
        s.high[slow] += (s.blend - s.high)[slow] / (self.teaches * DAY)
        s.low[there], s.high[there] = np.minimum(s.low, s.blend)[there], np.maximum(s.high, s.blend)[there]

    def _verdict(self, s: ConcordState) -> Verdict | None:
        """Judge the last slot; None: it cannot be."""
        own = np.diag(s.number)
        here = np.flatnonzero((own >= self.warmup) & (s.fresh >= 1 / BLEND))
        if here.size < FEW:
            return None
        number = float(s.number[np.ix_(here, here)].min()) / APART
        doubt = (number**2 - 1) / (number * (number - here.size)) if number > here.size + 1 else np.inf
        mean = s.sum_[here] / own[here]
        cov = s.product[np.ix_(here, here)] / np.maximum(s.number[np.ix_(here, here)], 1.0) - np.outer(mean, mean)
        size = np.sqrt(np.maximum(np.diag(cov), 1e-30))
        value, vector = np.linalg.eigh(cov / np.outer(size, size))
        z = (s.blend[here] - s.origin[here] - mean) / size
        demand, known = vector[:, -1], s.known[:, here] / size
        plain = (vector * np.maximum(value, FINE)) @ vector.T + known.T @ known
        free = plain + FREE * value[-1] * np.outer(demand, demand)
        k = np.linalg.inv(free)
        g = k @ z
        share = g**2 / np.diag(k)
        one, all_ = int(np.argmax(share)), float(z @ g)
        others = np.arange(z.size) != one  # by themselves: what is a million spreads away would drown them in its rounding
        cleared = np.where(others, z, -(k[one, others] @ z[others]) / k[one, one])
        without = float(z[others] @ np.linalg.inv(free[np.ix_(others, others)]) @ z[others])
        away = plain @ g
        spread = np.sqrt(np.maximum(np.diag(plain) - demand**2 * value[-1], FINE))
        return Verdict(
            here, float(np.sqrt(all_ / (doubt * chdtri(here.size, RARE)))),
            float(np.sqrt(max(without, 0.0) / (doubt * chdtri(here.size - 1, RARE)))), int(here[one]),
            self._seen(s, here, s.origin[here] + mean + size * demand * (demand @ cleared), demand), z * size, away * size,
            away / spread, share, free * np.outer(size, size),
        )  # fmt: skip

    def _seen(self, s: ConcordState, here: Ints, expected: Floats, demand: Floats) -> bool:
        """Whether such a demand has taught, as the series shows it that follows it best. expected, demand [p]"""
        i = int(np.argmax(np.abs(demand)))
        slack = MARGIN * (s.high - s.low)[here[i]]
        return bool(s.low[here[i]] - slack <= expected[i] <= s.high[here[i]] + slack)

    def _said(self, s: ConcordState, v: Verdict, there: Ints) -> tuple[int, float]:
        """Who speaks, and the score; -1: nobody. there: members that have a reading in this slot"""
        s.away[:] = np.nan
        s.away[v.here] = v.away
        said = v.rest if self.asks == "network" else v.all_ if v.rest < 1 else 0.0
        if said < OVER or not (s.lead[0] in there and self._leads(s, v)):
            s.lead[0] = self._leader(v, there)
        return int(s.lead[0]), said

    def _leads(self, s: ConcordState, v: Verdict) -> bool:
        """Whether who led goes on: of a sensor, while it explains half as much at least as any other."""
        return self.asks == "network" or bool(2 * v.share[v.here == s.lead[0]].max(initial=0.0) >= v.share.max())

    def _leader(self, v: Verdict, there: Ints) -> int:
        """Who shows most; -1: nobody."""
        mine = np.isin(v.here, there) & (np.array(self.gauge)[v.here] | (self.asks == "sensor"))
        most = np.where(mine, v.share if self.asks == "sensor" else np.abs(v.sure), -1.0)
        return int(v.here[np.argmax(most)]) if mine.any() else -1

    def _remember(self, s: ConcordState, v: Verdict) -> None:
        """What has been strange for long, and was seen to be for a good part of it, is a direction that is known."""
        if max(v.all_, v.rest) < 1:
            s.since[0], s.stood[0], s.path[:] = 0, 0, 0.0
            return
        s.since[0] = s.since[0] or s.last[0]
        s.stood[0] += 1
        s.path[v.here] += v.deviation
        long = s.last[0] - s.since[0] >= self.accept * 86_400 * NS and 2 * s.stood[0] >= self.accept * DAY
        if self.asks == "network" and long:
            s.known[:] = np.vstack([s.known[1:], s.path / s.stood[0]])
            s.since[0], s.stood[0], s.path[:] = 0, 0, 0.0


default = Concord()
