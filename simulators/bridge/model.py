"""The bridge world as it goes on: its modes slot by slot, or in bursts; its accelerometers; what its station reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Block, Bools, Floats, Quality
from simulators.bridge import behaviour, loads
from simulators.bridge.faults import Vortices
from simulators.bridge.layout import RANGE
from simulators.bridge.modes import Step, Swing, ended, felt, ride, shaken, stationary, step_of
from simulators.bridge.station import Station
from simulators.bridge.truth import truths
from simulators.dice import dice
from simulators.faults import Truth
from simulators.world import Part

GUST, HEAR, STILL = 3050, 3051, 3052  # streams
NOISE: Final = 1.2e-3  # [m/s²] of an accelerometer of 25 µg/√Hz, over 25 Hz
GRAIN: Final = 2 * RANGE / 2**16  # [m/s²] its resolution
FILTER: Final = 0.4  # [1] of the sampling rate: what is faster, the logger's filter keeps out
LEAD: Final = 20  # [s] before a burst, from which on vehicles are felt


class BridgeState(NamedTuple):
    """What waveforms without a gap need to know; the rest is a function of time."""

    swing: Swing  # [b * (modes + 1)]


@dataclass(frozen=True)
class BridgeModel:
    """Bridges side by side."""

    station: Station
    slot: int  # [s]

    @property
    def span(self) -> int:
        return self.slot

    @cached_property
    def omega(self) -> Floats:
        """Where it is mild and nothing is wrong. [b, modes + 1] [rad/s]"""
        return self.station.spans.omega

    @cached_property
    def heard(self) -> Bools:
        """Modes that accelerometers feel. [b, modes + 1]"""
        return np.asarray(self.omega < 2 * np.pi * FILTER * self.station.fitted.rate)

    @cached_property
    def gust(self) -> Floats:
        """Spread of the white load on each mode: those that are heard shake alike. [b * (modes + 1)] [m/s²]"""
        s = self.station.spans
        mid = np.sin(np.pi / 2 * s.order) * self.heard[:, :-1]
        share = np.concatenate([np.tile(np.linalg.norm(mid, axis=1)[:, None], s.modes), np.full((s.n, 1), 2.0)], axis=1)
        unit = shaken(step_of(self.omega.ravel(), s.zeta.ravel(), 1 / self.station.fitted.rate))
        return np.asarray(np.repeat(s.ambient, s.modes + 1) * self.heard.ravel() / unit / np.maximum(share, 1e-9).ravel())

    @cached_property
    def shape(self) -> Floats:
        """Of the modes at the accelerometers. [b, c, modes + 1] [1]"""
        return np.asarray(self.station.fitted.shape(self.station.spans.modes) * self.heard[:, None])

    def init(self, second: int) -> BridgeState:
        return BridgeState(self.still(second))

    def step(self, s: BridgeState, second: int) -> tuple[BridgeState, list[Part]]:
        begin, parts = second - self.slot, list[Part]()
        fitted = self.station.fitted
        if fitted.waves and fitted.whole:
            swing, moved = self.swung(s.swing, second, self.slot)
            s, parts = BridgeState(swing), list(self._waves(moved, second))
        elif fitted.waves:
            ends = range((begin // fitted.every + 1) * fitted.every, second + 1, fitted.every)
            parts = [wave for end in ends for wave in self._burst(end)]
        return s, [*parts, *self.station.report(begin, second)]

    def truth(self) -> list[Truth]:
        return truths(self.station)

    def still(self, second: int) -> Swing:
        """Modes at an instant, after all that went before: shaken for ever, bent by those who are there, swung by vortices."""
        t, s = np.array([float(second)]), self.station.spans
        step = self._step(float(second))
        rest = stationary(step, self.gust, dice(self.station.seed, STILL, second))
        on = np.zeros(self.omega.shape)
        on[:, :-1] = loads.weighed(s, t, self.station.on(t))[:, :, 0]
        place, speed = loads.swinging(s, float(second), self.station.acts, self._locked())
        bent = on.ravel() / step.omega**2
        return Swing(rest.place + bent + place.ravel(), rest.speed + speed.ravel(), rest.force + on.ravel())

    def swung(self, at: Swing, second: int, seconds: int) -> tuple[Swing, Floats]:
        """Modes over the seconds that end at `second`: where they stand then, their accelerations. [b, modes + 1, k] [m/s²]"""
        rate, s = self.station.fitted.rate, self.station.spans
        t = second - seconds + np.arange(1, seconds * rate + 1) / rate
        draw = dice(self.station.seed, GUST, second)
        load = self.gust[:, None] * draw.standard_normal((self.gust.size, t.size), np.float32)
        cut = load.reshape(*self.omega.shape, t.size)
        cut[:, :-1] += loads.weighed(s, t, self.station.on(t))
        if self.station.acts:
            cut += loads.pushed(s, t, self.station.acts, self._locked())
        step = self._step(second - seconds / 2)
        states = ride(step, at, load)
        return ended(step, states, load), felt(step, states, load).reshape(cut.shape)

    def _step(self, t: float) -> Step:
        """As warm and as sound as the spans are at an instant. [s of the epoch]"""
        st = self.station
        share = behaviour.pitched(st.spans, np.array([t]), st.acts, st.climate)[:, :, 0]
        return step_of((self.omega * share).ravel(), st.spans.zeta.ravel(), 1 / st.fitted.rate)

    def _locked(self) -> Floats:
        """Frequencies that vortices keep, those of their onset. [b, modes + 1] [rad/s]"""
        st, out = self.station, self.omega.copy()
        for a, v in behaviour.of(st.acts, Vortices):
            share = behaviour.pitched(st.spans, np.array([a.onset]), st.acts, st.climate)
            out[a.bridge, v.mode - 1] *= share[a.bridge, v.mode - 1, 0]
        return out

    def _burst(self, end: int) -> list[Part]:
        fitted = self.station.fitted
        begin = end - fitted.packet - LEAD
        _, moved = self.swung(self.still(begin), end, fitted.packet + LEAD)
        return list(self._waves(moved[:, :, LEAD * fitted.rate :], end))

    def _waves(self, moved: Floats, end: int) -> Iterator[Part]:
        """As the accelerometers tell it, packet by packet; the last sample is of `end`."""
        fitted, row = self.station.fitted, self.station.channels.waves.ravel()
        x = np.matmul(self.shape, moved).reshape(row.size, -1)
        x += NOISE * dice(self.station.seed, HEAR, end).standard_normal(x.shape, np.float32)
        x /= GRAIN
        np.rint(x, out=x)
        np.clip(x, -(2**15), 2**15 - 1, out=x)
        x *= GRAIN
        k = fitted.packet * fitted.rate
        good = np.full((row.size, k), Quality.GOOD, np.uint8)
        step, before = NS // fitted.rate, end * NS - (x.shape[1] - 1) * (NS // fitted.rate)
        for j in range(0, x.shape[1], k):
            yield Block(row, np.full(row.size, before + j * step), step, x[:, j : j + k], good)
