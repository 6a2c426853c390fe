"""Witness: a probe that reads nothing while all about it stays has failed; where anything bears it out, the water has."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.medians import NORMAL, mads, medians
from lifeline.model import NS, Bools, Floats, Ints, Members

SMOOTH: Final = 5  # [slot] whose median is looked at: a bubble is no witness
QUARTER: Final = 900 * NS  # [ns] from one value kept to the next
KEPT: Final = 96  # [1] values kept: a day
KNOWN: Final = 16  # [1] of them that tell what is usual
NEAR: Final = 8  # [1] of them that may have moved before the fall
PARAMETERS: Final = 2  # [1] that must stay for a probe to stand alone: one more may fail
FALL: Final = 48  # [1] of them in which a probe falls, if it fails
HALF: Final = 0.5  # [1] what it has at least lost by then
OVER: Final = 0.8  # [1] score of the median below which an episode has ended
GRAIN: Final = 1e-4  # [1] of its range, below which no parameter is known


class WitnessState(NamedTuple):
    last: Ints  # [1] [ns] end of the last slot; 0: none yet
    recent: Floats  # [n, SMOOTH] [SI] slots, oldest first; NaN: nothing was said
    past: Floats  # [n, KEPT] [SI] medians, one a quarter of an hour, oldest first
    since: Ints  # [n] [ns] beginning of the episode; 0: none
    bare: Ints  # [n] [ns] when it last read nothing, or the episode began
    borne: Bools  # [n] whether anything has borne it out


@dataclass(frozen=True)
class Witness:
    """Distance of the reading from `origin` in units of `scale`, if it is borne out; or, as a ticket, if it stands alone.

    An episode begins at a score of 1. It stands alone while all of these hold: the probe fell within half a day, to half or
    less; two other parameters at least are known there, and none has left its usual of the last day by `strange` spreads
    (median and median deviation; F. R. Hampel, J. Am. Stat. Assoc. 69, 1974, 383-393) from two hours before until `watch`
    after; another probe of the same kind is fit, and none has fallen within `together`; and it reads `nothing`, at least once
    in `patience`. Once borne out an episode stays so until it is over. What cannot be judged this way is taken for true: it is
    then the plain limit.
    asks: "borne" for the hazard, "alone" for the ticket.
    """

    over: tuple[str, ...] = ("chlorine",)
    beside: tuple[str, ...] = ("turbidity", "ph", "conductivity")
    within: Literal["asset", "district", "domain"] = "district"
    slot: float = 0.0  # [s] the usual step
    origin: float = 0.3e-3  # [SI] where the score begins
    scale: float = -0.2e-3  # [SI] from `origin` to the bound; negative for a lower limit
    nothing: float = 0.02e-3  # [SI] what a probe without reagent reads at most; for an upper limit, at least
    asks: Literal["borne", "alone"] = "borne"
    strange: float = 5.0  # [σ]
    watch: float = 6 * 3600.0  # [s]
    together: float = 86_400.0  # [s] on its way from one station to another
    patience: float = 2 * 3600.0  # [s]
    judged: tuple[bool, ...] = field(default=(), repr=False)  # [n] set by `settled`
    place: tuple[int, ...] = field(default=(), repr=False)  # [n] number of the member's asset; set by `settled`
    grain: tuple[float, ...] = field(default=(), repr=False)  # [n] [SI] set by `settled`

    dimension: ClassVar[str] = "value"  # what the bounds of its rules are
    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()
    warmup: ClassVar[int] = 0  # [1]

    def settled(self, m: Members) -> Self | None:
        """For any; a probe alone in its district is judged by the limit."""
        place = np.unique(m.asset.astype(str), return_inverse=True)[1]
        grain = np.where(np.isfinite(m.high - m.low), GRAIN * (m.high - m.low), 0.0)
        return replace(self, judged=tuple(m.judged.tolist()), place=tuple(place.tolist()), grain=tuple(grain.tolist()))

    def init(self, n: int) -> WitnessState:
        """A district of which nothing is known."""
        none = np.zeros(n, np.int64)
        return WitnessState(
            np.zeros(1, np.int64), np.full((n, SMOOTH), np.nan), np.full((n, KEPT), np.nan), none, none.copy(),
            np.zeros(n, np.bool_),
        )  # fmt: skip

    def step(self, s: WitnessState, x: Floats, t: Ints) -> tuple[WitnessState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1]."""
        s = WitnessState._make(a.copy() for a in s)
        judged = np.array(self.judged, np.bool_)
        score = np.where(judged[:, None], np.maximum((x - self.origin) / self.scale, 0.0), np.nan)
        for j in range(x.shape[1]):
            self._keep(s, x[:, j], t[j])
            self._episodes(s, x[:, j], score[:, j], t[j])
            alone = (s.since > 0) & ~s.borne
            mute = ~alone if self.asks == "alone" else alone
            score[mute & np.isfinite(score[:, j]), j] = 0.0
        return s, score

    def _keep(self, s: WitnessState, x: Floats, t: Any) -> None:
        """One slot for the medians; those of the quarters that are over. x [n]"""
        over = min(int(t // QUARTER - s.last[0] // QUARTER), KEPT) if s.last[0] else 0
        if over:
            s.past[:] = np.hstack([s.past[:, over:], np.full((x.size, over - 1), np.nan), medians(s.recent)[:, None]])
        s.recent[:] = np.column_stack([s.recent[:, 1:], x])
        s.last[0] = t

    def _episodes(self, s: WitnessState, x: Floats, score: Floats, t: Any) -> None:
        """Begin, end and judge the episodes of one slot. x, score [n]"""
        there = np.isfinite(score)
        usual = np.maximum((medians(s.recent) - self.origin) / self.scale, 0.0)
        over = there & (s.since > 0) & (score < OVER) & (usual < OVER)
        s.since[over], s.borne[over] = 0, False
        new = there & (s.since == 0) & (score >= 1)
        s.since[new], s.bare[new] = t, t
        s.bare[there & ((x - self.nothing) / self.scale >= 0)] = t
        for i in np.flatnonzero((s.since > 0) & ~s.borne & there).tolist():
            s.borne[i] = self._true(s, i, int(t), begins=bool(new[i]))

    def _true(self, s: WitnessState, i: int, t: int, *, begins: bool) -> bool:
        """Whether anything bears out the fall of probe i."""
        judged = np.array(self.judged, np.bool_)
        others = judged & (np.arange(judged.size) != i)
        same = (s.since > 0) & (np.abs(s.since - s.since[i]) <= self.together * NS)
        if (others & same).any() or t - s.bare[i] > self.patience * NS:
            return True
        if t - s.since[i] > self.watch * NS:
            return False
        mine = np.flatnonzero(~judged & (np.array(self.place) == self.place[i]))
        known, moved = self._moved(s, mine)
        if not begins:
            return bool(moved.any())
        fit = others & (s.since == 0) & np.isfinite(s.recent).any(axis=1)
        return bool(moved.any()) or known.sum() < PARAMETERS or not fit.any() or not self._fell(s, i)

    def _moved(self, s: WitnessState, mine: Ints) -> tuple[Bools, Bools]:
        """Which of some parameters are known and told now, and which of those have left their usual. [m], [m]"""
        past = s.past[mine]
        number = np.isfinite(past).sum(axis=1)
        known = (number >= KNOWN) & (np.isfinite(s.recent[mine]).sum(axis=1) > SMOOTH // 2)
        middle = medians(past)
        spread = np.maximum(NORMAL * mads(past), np.array(self.grain)[mine])
        now = np.column_stack([past[:, -NEAR:], medians(s.recent[mine])])
        doubt = np.sqrt(1 + KNOWN / np.maximum(number, 1))  # a spread of few values is not well known itself
        away = np.abs(now - middle[:, None]) > (self.strange * doubt * spread)[:, None]
        return known, known & away.any(axis=1)

    def _fell(self, s: WitnessState, i: int) -> bool:
        """Whether probe i read twice its bound within half a day; not known: no. Only what falls is judged so."""
        before = s.past[i, -FALL:]
        return self.scale < 0 and bool((HALF * before[np.isfinite(before)] >= self.origin + self.scale).any())


default = Witness()
