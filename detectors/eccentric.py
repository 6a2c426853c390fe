"""Eccentric: a load so far to one side that the bearings of the other side lose what holds the deck down."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.medians import medians
from lifeline.model import NS, Bools, Floats, Ints, Members

SLOT: Final = 1.0  # [s]
EACH: Final = 10  # [slot] of which one teaches


class EccentricState(NamedTuple):
    past: Floats  # [n, learn / EACH] [N] reactions that teach; NaN: nothing was said
    seen: Ints  # [n] [1] slots in which it was there, while it learns
    dead: Floats  # [n] [N] reaction without traffic; NaN: not known yet
    last: Ints  # [1] [ns] end of the last slot; 0: none yet


@dataclass(frozen=True)
class Eccentric:
    """Share of its dead load that a bearing has lost while a load stands on the bridge.

    A load P at e beyond the line of bearings on one side takes P (e/b - 1/2) from those of the other side, b apart. The deck
    turns over when they bear nothing: dead reaction over what is lost is the factor of safety against overturning of JTG
    3362-2018, 4.1.8, so that its 2.5 is a loss of 0.4. Gravity tells a load from a fault: all reactions of a bridge together
    are its weight, and under a load they have grown, by `grown` of all that is lost at least. A bearing that fails, or a sensor
    that does, makes them less, and says nothing here. What bears without traffic is the median of the first `learn` seconds and
    follows by `follow` an hour, for the sun moves it. docs/detectors/eccentric.md counts its false alarms.
    """

    over: tuple[str, ...] = ("bearing_force",)
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = SLOT  # [s]
    learn: int = 600  # [s]
    follow: float = 0.02  # [1/h] of the dead load
    grown: float = 0.1  # [1]
    keeps: float = 10.0  # [s] for which a device may keep what it measured: all bridges would wait for it
    fastest: float = 5.0  # [s] longest step: a lorry is over a span within seconds
    asset: Ints = field(
        default_factory=lambda: np.empty(0, np.int64)
    )  # [n] number of its bridge, -1: not judged; set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn

    @property
    def awaited(self) -> Bools:
        """For whom slots wait. [n]"""
        return np.asarray(self.asset >= 0)

    def settled(self, m: Members) -> Self | None:
        """None without a bridge that has two bearings."""
        number = np.unique(m.asset.astype(str), return_inverse=True)[1].ravel()
        used = m.judged & (m.step <= self.fastest) & m.prompt(self.keeps)
        used &= np.bincount(number, used, number.max() + 1)[number] >= 2
        return replace(self, asset=np.where(used, number, -1)) if used.any() else None

    def init(self, n: int) -> EccentricState:
        """State of n bearings of which nothing is known."""
        return EccentricState(
            np.full((n, self.learn // EACH), np.nan), np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(1, np.int64)
        )

    def step(self, s: EccentricState, x: Floats, t: Ints) -> tuple[EccentricState, Floats]:
        """x [n, k] seconds [N], t [k] -> new state, score [n, k] [1]."""
        s = EccentricState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            there = np.isfinite(x[:, j]) & (self.asset >= 0)
            known = there & (s.dead > 0)
            score[known, j] = self._judged(s, x[:, j], known)
            self._follow(s, x[:, j], known, float(t[j] - s.last[0]) / NS if s.last[0] else SLOT)
            self._teach(s, x[:, j], there & np.isnan(s.dead))
            s.last[0] = t[j]
        return s, score

    def _judged(self, s: EccentricState, x: Floats, known: Bools) -> Floats:
        """Of the bearings that are known. x, known [n]; [known] [1]"""
        change, bridge = (x - s.dead)[known], self.asset[known]
        number = int(self.asset.max()) + 1
        lost = np.bincount(bridge, np.maximum(-change, 0.0), number)
        loaded = np.bincount(bridge, change, number) > self.grown * lost
        return np.where(loaded[bridge], np.maximum(-change / s.dead[known], 0.0), 0.0)

    def _follow(self, s: EccentricState, x: Floats, known: Bools, passed: float) -> None:
        """The dead load is where it was, or a little nearer to the reading. passed [s]"""
        most = self.follow * passed / 3600 * s.dead[known]
        s.dead[known] += np.clip(x[known] - s.dead[known], -most, most)

    def _teach(self, s: EccentricState, x: Floats, new: Bools) -> None:
        """One second of those of whom nothing is known."""
        mine = np.flatnonzero(new)
        each = mine[s.seen[mine] % EACH == 0]
        s.past[each, s.seen[each] // EACH] = x[each]
        s.seen[mine] += 1
        ripe = mine[s.seen[mine] >= self.learn]
        s.dead[ripe] = np.maximum(medians(s.past[ripe]), 0.0)


default = Eccentric()
