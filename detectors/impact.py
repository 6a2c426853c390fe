"""Impact: a blow to a pier after which something no longer stands where it stood."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.medians import NORMAL, mads, medians
from lifeline.model import NS, Bools, Floats, Ints, Members

SLOT: Final = 0.1  # [s]
EACH: Final = 10  # [slot] of a second
FEW: Final = 0.5  # [1] of a minute's seconds that make a median
LARGE: Final = {"tilt": float(np.deg2rad(0.05)), "deflection": 0.010, "displacement": 0.010}  # [SI] a step that scores 2


class ImpactState(NamedTuple):
    mean: Floats  # [p] [m/s²] of the accelerometers
    short: Floats  # [p] [m/s²] mean distance from it, of half a second
    long: Floats  # [p] [m/s²] of half a minute
    heard: Ints  # [p] [slot] in which each was there, up to `warmup`
    blow: Ints  # [p] [ns] when each was last struck; 0: never
    held: Floats  # [m, window] [SI] seconds of what stands, oldest first; NaN: nothing was said
    struck: Ints  # [b] [ns] when each bridge was struck, until it has been looked at; 0: it was not
    before: Floats  # [m] [SI] where each stood
    spread: Floats  # [m] [SI] and its spread there
    score: Floats  # [m] [1] of the last blow
    until: Ints  # [m] [ns] until when it is told


@dataclass(frozen=True)
class Impact:
    """Step that stays after a blow, at two devices of a bridge at least; 0 where there was a blow, and nothing stays.

    A blow is where the mean of half a second at a pier is `ratio` times that of half a minute (STA/LTA: R. Allen, Bull.
    Seismol. Soc. Am. 68, 1978, 1521-1532; of distances from the mean, both recursive) and passes `least`, at two accelerometers
    within a second, or at the only one. The step is the median of the minute after the blow, `ring` seconds left out, less that
    of the minute before, and counts beyond `sure` spreads of the readings in either, and beyond `fine` of the range. The score
    is 1 or more: twice the step over 0.05° or 10 mm. It is told for `stays`. docs/detectors/impact.md counts its false alarms.
    """

    over: tuple[str, ...] = ("tilt", "strain", "deflection", "displacement")
    beside: tuple[str, ...] = ("pier_acceleration",)
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = SLOT  # [s]
    ratio: float = 8.0  # [1]
    least: float = 0.1  # [m/s²] mean of half a second
    window: int = 60  # [s]
    ring: float = 5.0  # [s]
    sure: float = 4.0  # [σ]
    fine: float = 1e-5  # [1]
    stays: float = 3600.0  # [s]
    keeps: float = 60.0  # [s] for which a device may keep what it measured: all bridges would wait for it
    fastest: float = 2.0  # [s] longest step of what stands
    awaited: Bools = field(
        default_factory=lambda: np.empty(0, np.bool_)
    )  # [n] for whom slots wait; set by `settled`, as all below
    piers: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [p] members
    pier_of: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [p] number of the bridge
    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [m] members that stand
    bridge: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [m]
    device: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [m] number of its device
    large: Floats = field(default_factory=lambda: np.empty(0))  # [m] [SI]
    floor: Floats = field(default_factory=lambda: np.empty(0))  # [m] [SI]

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.window * EACH

    def settled(self, m: Members) -> Self | None:
        """None without a bridge that has an accelerometer at a pier and two devices that stand."""
        prompt = m.prompt(self.keeps)
        pier, stand = prompt & ~m.judged & (m.step <= self.slot), prompt & m.judged & (m.step <= self.fastest)
        good = [
            a for a in np.unique(m.asset[pier].astype(str)).tolist() if len(set(m.device[stand & (m.asset == a)].tolist())) > 1
        ]
        if not good:
            return None
        place = {a: i for i, a in enumerate(good)}
        mine = np.isin(m.asset.astype(str), good)
        piers, rows = np.flatnonzero(pier & mine), np.flatnonzero(stand & mine)
        span = self.fine * (m.high - m.low)[rows]
        return replace(
            self, piers=piers, rows=rows, awaited=mine & (pier | stand), floor=np.where(np.isfinite(span), span, 0.0),
            pier_of=np.array([place[a] for a in m.asset[piers]], np.int64),
            bridge=np.array([place[a] for a in m.asset[rows]], np.int64),
            device=np.unique(m.device[rows].astype(str), return_inverse=True)[1].ravel(),
            large=np.array([LARGE.get(q, np.inf) for q in m.quantity[rows]]),
        )  # fmt: skip

    def init(self, n: int) -> ImpactState:  # noqa: ARG002  those that are judged are known
        """Bridges of which nothing is known."""
        p, m, b = self.piers.size, self.rows.size, int(self.bridge.max()) + 1
        count = np.zeros(p, np.int64)
        return ImpactState(
            np.zeros(p), np.zeros(p), np.zeros(p), count, count.copy(), np.full((m, self.window), np.nan),
            np.zeros(b, np.int64), np.full(m, np.nan), np.zeros(m), np.full(m, np.nan), np.zeros(m, np.int64),
        )  # fmt: skip

    def step(self, s: ImpactState, x: Floats, t: Ints) -> tuple[ImpactState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = ImpactState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            if self._shaken(s, x[self.piers, j], t[j]):
                self._struck(s, t[j])
            if (int(t[j]) // round(SLOT * NS)) % EACH == 0:
                s.held[:, :-1], s.held[:, -1] = s.held[:, 1:].copy(), x[self.rows, j]
                if s.struck.any():
                    self._looked(s, t[j])
            there = np.isfinite(x[self.rows, j]) & np.isfinite(s.score)
            score[self.rows[there], j] = np.where(s.until > t[j], s.score, 0.0)[there]
        return s, score

    def _shaken(self, s: ImpactState, x: Floats, t: Any) -> bool:
        """Take a slot of the accelerometers; whether any was struck. x [p]"""
        there = np.isfinite(x)
        away = np.where(there, np.abs(x - s.mean), 0.0)
        half, minute = round(0.5 / SLOT), round(30 / SLOT)
        quick, slow = (1 / np.minimum(s.heard + 1, k) for k in (half, minute))
        s.short[:] = np.where(there, s.short + quick * (away - s.short), s.short)
        new = there & (s.heard >= minute) & (s.short >= np.maximum(self.ratio * s.long, self.least))
        s.long[:] = np.where(there, s.long + slow * (away - s.long), s.long)
        s.mean[:] = np.where(there, s.mean + slow * (np.where(there, x, 0.0) - s.mean), s.mean)
        s.heard[there] = np.minimum(s.heard[there] + 1, self.warmup)
        s.blow[new] = t
        return bool(new.any())

    def _struck(self, s: ImpactState, t: Any) -> None:
        """Bridges that were struck, and where they stood before."""
        number = s.struck.size
        now = np.bincount(self.pier_of, (s.blow > 0) & (t - s.blow <= NS), number)
        new = (s.struck == 0) & (now >= np.minimum(np.bincount(self.pier_of, s.heard > 0, number), 2)) & (now > 0)
        s.struck[new] = t
        mine = np.flatnonzero(new[self.bridge])
        s.before[mine], s.spread[mine] = self._standing(s.held[mine])

    def _standing(self, held: Floats) -> tuple[Floats, Floats]:
        """Where they stand, NaN where too little is known; and the spread of their readings. held [q, window]; [q] [SI]"""
        enough = np.isfinite(held).sum(axis=1) >= FEW * self.window
        return np.where(enough, medians(held), np.nan), NORMAL * mads(held)

    def _looked(self, s: ImpactState, t: Any) -> None:
        """Bridges whose minute is over: what stays."""
        over = (s.struck > 0) & (t - s.struck >= round((self.ring + self.window) * NS))
        mine = np.flatnonzero(over[self.bridge])
        s.struck[over] = 0
        if not mine.size:
            return
        after, spread = self._standing(s.held[mine])
        step = np.abs(after - s.before[mine])
        sure = step >= self.sure * np.fmax(np.fmax(spread, s.spread[mine]), self.floor[mine] / self.sure)
        s.score[mine] = np.where(np.isnan(step), np.nan, np.where(self._borne(mine, sure), self._size(mine, step), 0.0))
        s.until[mine] = t + round(self.stays * NS)

    def _borne(self, mine: Ints, sure: Bools) -> Bools:
        """Which of those that are sure have another device of their bridge that is. mine, sure [q]"""
        pairs = np.unique(np.c_[self.bridge[mine][sure], self.device[mine][sure]], axis=0)
        number = np.bincount(pairs[:, 0], minlength=int(self.bridge.max()) + 1)
        return np.asarray(sure & (number[self.bridge[mine]] >= 2))

    def _size(self, mine: Ints, step: Floats) -> Floats:
        return np.maximum(2 * step / self.large[mine], 1.0)


default = Impact()
