"""Lag: a station whose clock is not that of the others, found in the vibration that all of them feel."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Members

FULL: Final = 0.5  # [1] of a window that must be there


class LagState(NamedTuple):
    at: Ints  # [1] number of the window being filled; -1: none yet
    held: Floats  # [n, window] [SI] its slots; NaN: nothing was said
    like: Floats  # [n, n, 2 reach + 1] [1] mean correlation of the last windows by lag, of the second behind the first
    seen: Ints  # [n, n] [1] windows in it, up to `mean`
    now: Floats  # [n] [1] score of the last window
    due: Bools  # [n] members who have not been told it


@dataclass(frozen=True)
class Lag:
    """Least lag of a sensor behind or before any other that feels the same vibration, over `limit`.

    The lag of two is where the mean of their correlations over the last `mean` windows is greatest (C. H. Knapp and G. C.
    Carter, IEEE Trans. Acoust. Speech Signal Process. 24, 1976, 320-327, with no weighting). A mode moves all of a span at one
    instant, and waves cross a bridge in less than a slot. Two feel the same where that greatest value is `alike` or more; they
    are apart in time where it is also `plain` times the greatest at lags within the limit, for a mode's own ringing is like
    itself a period later. Who agrees with any other is well; of two alone both are told. Where nothing is alike nothing is
    judged. False alarms: docs/detectors/lag.md.
    """

    over: tuple[str, ...] = ("acceleration",)
    beside: tuple[str, ...] = ()
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.1  # [s]
    window: int = 200  # [slot]
    reach: int = 100  # [slot] largest lag that is looked for; at most half a window
    mean: int = 8  # [1] windows
    limit: float = 0.5  # [s]
    alike: float = 0.5  # [1]
    plain: float = 1.2  # [1]
    device: tuple[str, ...] = ()  # [n] set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots before any score: all but the first of the windows that are needed are whole. [1]"""
        return (self.mean - 1) * self.window

    @property
    def far(self) -> int:
        """Largest lag. [slot]"""
        return min(self.reach, self.window // 2)

    def settled(self, m: Members) -> Self | None:
        """None without two waveforms of different devices."""
        fast = m.judged & (m.step <= self.slot)
        if len(set(m.device[fast].tolist())) <= 1:
            return None
        return replace(self, device=tuple(m.device.tolist()))

    def init(self, n: int) -> LagState:
        """State of n series that have said nothing."""
        return LagState(
            np.full(1, -1, np.int64), np.full((n, self.window), np.nan), np.zeros((n, n, 2 * self.far + 1)),
            np.zeros((n, n), np.int64), np.full(n, np.nan), np.zeros(n, np.bool_),
        )  # fmt: skip

    def step(self, s: LagState, x: Floats, t: Ints) -> tuple[LagState, Floats]:
        """x [n, k] slots [SI], t [k] -> new state, score [n, k] [1], told with the first slot after each window."""
        s = LagState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        slot = (t - 1) // round(self.slot * NS)
        number = slot // self.window
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), t.size] if t.size else []
        for a, b in pairwise(edges):
            if number[a] != s.at[0]:
                s = self._closed(s)
                s.at[0] = number[a]
            s.held[:, slot[a:b] % self.window] = x[:, a:b]
            there = np.isfinite(x[:, a:b])
            told = np.flatnonzero(s.due & there.any(axis=1))
            score[told, a + there[told].argmax(axis=1)] = s.now[told]
            s.due[told] = False
        return s, score

    def _closed(self, s: LagState) -> LagState:
        """The window is over: take it into the means, and judge."""
        there = np.isfinite(s.held).mean(axis=1) >= FULL
        device = np.array(self.device)
        both = there[:, None] & there[None, :] & (device[:, None] != device[None, :])
        if not both.any():
            return s._replace(held=np.full_like(s.held, np.nan))
        seen = s.seen + (both & (s.seen < self.mean))
        share = np.where(both, 1 / np.maximum(seen, 1), 0.0)[:, :, None]
        like = s.like + share * (correlations(s.held, self.far) - s.like)
        lag = np.where(both & (seen >= self.mean), self._lags(like), np.nan)
        known = np.isfinite(lag).any(axis=1)
        least = np.where(np.isfinite(lag), lag, np.inf).min(axis=1)
        return s._replace(
            held=np.full_like(s.held, np.nan), like=like, seen=seen, due=s.due | known,
            now=np.where(known, least / self.limit, s.now),
        )  # fmt: skip

    def _lags(self, like: Floats) -> Floats:
        """Of each two [n, n] [s], 0 where they are not plainly apart; NaN where nothing is alike."""
        size = np.abs(like)
        lag = np.abs(size.argmax(axis=2) - self.far) * self.slot
        near = round(self.limit / self.slot)
        middle = size[:, :, self.far - near + 1 : self.far + near].max(axis=2)
        apart = size.max(axis=2) >= self.plain * middle
        return np.where(size.max(axis=2) >= self.alike, np.where(apart, lag, 0.0), np.nan)


def correlations(x: Floats, reach: int) -> Floats:
    """Of each two windows [n, k] by lag, of the second behind the first. [n, n, 2 reach + 1] [1]"""
    there = np.isfinite(x)
    mean = np.where(there, x, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    y = np.where(there, x - mean[:, None], 0.0)
    power = np.sqrt((y * y).sum(axis=1))
    y /= np.where(power > 0, power, 1.0)[:, None]
    size = 2 * x.shape[1]
    f = np.fft.rfft(y, size, axis=1)
    r = np.fft.irfft(np.conj(f)[:, None] * f[None, :], size, axis=2)
    return np.concatenate([r[:, :, -reach:], r[:, :, : reach + 1]], axis=2)


default = Lag()
