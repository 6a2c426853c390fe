"""Drift: a sensor that leaves those that used to move with it, while they still agree with their past."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.daily import DAY, HOUR, through
from detectors.medians import NORMAL, mads, medians
from lifeline.model import Bools, Floats, Ints, Members

FULL: Final = 12  # [1] hours that make a day
SHARED: Final = 0.5  # [1] of its departure: another that departs so far to the same side makes it no fault of a sensor


class DriftState(NamedTuple):
    day: Ints  # [1] number of the day being filled; -1: none yet
    past: Floats  # [n, learn * DAY] [SI] hours that teach, oldest first; NaN: nothing was said
    taught: Ints  # [1] hours that taught
    base: Floats  # [n] [SI] median of these; NaN: still learning, or never there
    limit: Floats  # [n] [SI] departure at a score of 1
    peers: Bools  # [n, n] who moved with whom
    hours: Floats  # [n, DAY] [SI] of the day being filled; NaN: nothing was said
    now: Floats  # [n] [1] score of the last day
    due: Bools  # [n] members who have not been told it


@dataclass(frozen=True)
class Drift:
    """Departure of a day's mean from the median of its peers, against how far the sensor itself used to move.

    Peers are those of its quantity whose hours correlated by `alike` or more in the first `learn` days (redundancy by a median
    of like sensors: P. M. Frank, Automatica 26, 1990, 459-474); who has fewer than `least` is not judged. All are reckoned from
    their own medians of that time. The limit is `own` spreads of the sensor's hours then, or `sure` spreads of its days about
    its peers, whichever is more. Of two that part the one is to blame that has gone farther from its own past; no one is where
    another with a peer in common departs to the same side by half as much: what moves two is the structure.
    docs/detectors/drift.md counts its false alarms.
    """

    over: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = HOUR  # [s]
    learn: int = 14  # [d] that only teach
    alike: float = 0.7  # [1] least correlation of a peer
    own: float = 3.0  # [1] spreads of its own hours
    sure: float = 10.0  # [1] spreads of its days about its peers
    least: int = 1  # [1] peers
    judged: tuple[bool, ...] = ()  # [n] set by `settled`
    kind: tuple[str, ...] = ()  # [n] quantity; set by `settled`; empty: all of one

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn * DAY

    def settled(self, m: Members) -> Self | None:
        """None where no quantity has devices enough."""
        pairs = set(zip(m.quantity[m.judged].tolist(), m.device[m.judged].tolist(), strict=True))
        devices = Counter(quantity for quantity, _ in pairs)
        judged = m.judged & np.array([devices[q] > self.least for q in m.quantity.tolist()], np.bool_)
        return replace(self, judged=tuple(judged.tolist()), kind=tuple(m.quantity.tolist())) if judged.any() else None

    def init(self, n: int) -> DriftState:
        """State of n series that have said nothing."""
        nan = np.full(n, np.nan)
        return DriftState(
            np.full(1, -1, np.int64), np.full((n, self.warmup), np.nan), np.zeros(1, np.int64), nan, nan.copy(),
            np.zeros((n, n), np.bool_), np.full((n, DAY), np.nan), nan.copy(), np.zeros(n, np.bool_),
        )  # fmt: skip

    def step(self, s: DriftState, x: Floats, t: Ints) -> tuple[DriftState, Floats]:
        """x [n, k] hours [SI], t [k] -> new state, score [n, k] [1], told with the first hour after each day."""
        return through(s, x, t, self._closed, self._take)

    def _take(self, s: DriftState, x: Floats, hour: int) -> DriftState:
        """One hour. x [n] [SI]"""
        if s.taught[0] < self.warmup:
            s.past[:, s.taught[0]] = x
            s.taught[0] += 1
            return self._learned(s) if s.taught[0] == self.warmup else s
        s.hours[:, hour] = x
        return s

    def _learned(self, s: DriftState) -> DriftState:
        """Who the peers are, and how far each moves."""
        there = np.isfinite(s.past).sum(axis=1) >= s.past.shape[1] // 2
        there &= np.array(self.judged)
        base, spread = np.where(there, medians(s.past), np.nan), np.where(there, NORMAL * mads(s.past), np.nan)
        away = s.past - base[:, None]
        peers = self._peers(away)
        days = np.array([departures(means(h), peers) for h in np.split(away, self.learn, axis=1)]).T
        return s._replace(
            base=base, limit=np.maximum(self.own * spread, self.sure * NORMAL * mads(days)), peers=peers,
            past=np.full_like(s.past, np.nan),
        )  # fmt: skip

    def _peers(self, away: Floats) -> Bools:
        """Who moves with whom; nobody for who has too few. away [n, m] [SI]; [n, n]"""
        peers = correlated(away) >= self.alike
        if self.kind:
            kind = np.array(self.kind, object)
            peers &= kind[:, None] == kind
        return np.asarray(peers & (peers.sum(axis=1) >= self.least)[:, None])

    def _closed(self, s: DriftState) -> DriftState:
        """The day is over: judge it."""
        own = means(s.hours - s.base[:, None])
        left = departures(own, s.peers)
        known = np.isfinite(left) & (s.limit > 0)
        blamed = known & (np.abs(own) >= np.abs(own - left)) & ~shared(left, s.peers)
        score = np.where(blamed, np.abs(left) / np.where(known, s.limit, 1.0), 0.0)
        return s._replace(hours=np.full_like(s.hours, np.nan), now=np.where(known, score, np.nan), due=known)


def means(hours: Floats) -> Floats:
    """Mean of each day [n, DAY] that has enough hours. [n] [SI]"""
    there = np.isfinite(hours)
    number = there.sum(axis=1)
    return np.where(number >= FULL, np.where(there, hours, 0.0).sum(axis=1) / np.maximum(number, 1), np.nan)


def departures(own: Floats, peers: Bools) -> Floats:
    """How far each is from the median of its peers that are there; NaN without any. own [n], peers [n, n]; [n] [SI]"""
    return np.asarray(own - medians(np.where(peers, own[None, :], np.nan)))


def shared(left: Floats, peers: Bools) -> Bools:
    """Whether another, of those with peers in common, departs to the same side by half as much. left [n], peers [n, n]"""
    both = np.where(np.isfinite(left), left, 0.0)
    alike = both[None, :] * np.sign(both)[:, None] >= SHARED * np.abs(both)[:, None]
    alike &= peers | (peers.astype(np.int64) @ peers.T.astype(np.int64) > 0)
    np.fill_diagonal(alike, val=False)
    return np.asarray((alike & (both != 0)[:, None]).any(axis=1))


def correlated(x: Floats) -> Floats:
    """Correlation of each two over what both have said; 0 with itself and where there is too little. [n, m] -> [n, n] [1]"""
    there = np.isfinite(x)
    w, y = there.astype(np.float64), np.where(there, x, 0.0)
    number = np.maximum(w @ w.T, 1.0)
    mean, square = y @ w.T / number, (y * y) @ w.T / number  # [i, j]: of i where j is there too
    cov = y @ y.T / number - mean * mean.T
    var = np.maximum(square - mean**2, 0.0)
    scale = np.sqrt(var * var.T)
    out = np.where(scale > 0, cov / np.where(scale > 0, scale, 1.0), 0.0)
    np.fill_diagonal(out, 0.0)
    return np.asarray(np.where(number >= x.shape[1] // 2, out, 0.0))


default = Drift()
