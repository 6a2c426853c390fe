"""Readings of the slow sensors: what traffic, weather and time have moved, told at their cadences; weighings as they happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from lifeline.model import NS, Batch, Floats, Ints, Rows
from simulators.bridge import behaviour as of
from simulators.bridge.behaviour import Cables
from simulators.bridge.climate import Climate
from simulators.bridge.happening import Acting
from simulators.bridge.layout import SENSORS, TONES, Channels, Fitted, read
from simulators.bridge.passing import Convoy, Overload
from simulators.bridge.spans import Spans
from simulators.bridge.vehicles import BLOCK, Crossings, blocks, joined, traffic
from simulators.dice import dice
from simulators.weather import Weather
from simulators.world import batch

READ: Final = {"step": 3040, "slow": 3041, "modal": 3042, "event": 3043}  # streams
CABLE: Final = (0.003, 0.005)  # [1] damping of a cable, spread of its force from one analysis to the next for all else
WEIGHING: Final = 0.03  # [1] spread of a weighing in motion
GRAIN: Final = 10.0  # [kg] its resolution


@dataclass(frozen=True)
class Station:
    """What is told of the bridges, but for their waveforms."""

    spans: Spans
    cables: Cables
    channels: Channels
    fitted: Fitted
    climate: Climate
    weather: Weather
    acts: tuple[Acting, ...]
    seed: int

    @cached_property
    def own(self) -> Crossings:
        """The vehicles of the faults."""
        some = [
            a.fault.vehicles(a, float(self.spans.length[a.bridge])) for a in self.acts if isinstance(a.fault, Overload | Convoy)
        ]
        return joined(some)

    def on(self, t: Floats) -> Crossings:
        """All who may be on the spans at some instants. t [k] [s of the epoch]"""
        return joined([traffic(self.spans, self.seed, blocks(t)), self.own])

    def report(self, begin: int, end: int) -> list[Batch]:
        """All that is told in (begin, end]. [s of the epoch]"""
        out = [self._read(pace, begin, end) for pace in ("step", "slow")]
        return [b for b in [*out, self._analysed(begin, end), self._weighed(begin, end)] if b.n]

    def _read(self, pace: str, begin: int, end: int) -> Batch:
        kinds = [k for k in self.channels.slow if SENSORS[k].pace == pace]
        t = due(begin, end, self.fitted.cadence(pace))
        if not kinds or not t.size:
            return Batch.empty()
        true = self._moved(t, kinds) if pace == "step" else self._weathered(t, kinds)
        draw = dice(self.seed, READ[pace], end)
        return stacked(
            [self.channels.slow[k] for k in kinds],
            t,
            [read(k, true[k], draw.standard_normal(true[k].shape)) for k in kinds],
        )

    def _moved(self, t: Floats, kinds: Sequence[str]) -> dict[str, Floats]:
        """What traffic moves. kind -> [b, m, k] [SI]"""
        s, a = self.spans, self.acts
        live = of.carried(s, t, self.on(t), a)
        sag = live.sag + of.sunk(s, t, a) - of.hogged(s, t, self.climate)
        true = {"deflection": sag[:, None], "gnss": -sag[:, None], "strain": live.strain[:, None], "roll": live.roll[:, None]}
        if "tilt" in kinds:
            true["tilt"] = np.repeat(of.leaning(s, t, a)[:, None], 2, axis=1)
        if "bearing" in kinds:
            true["bearing"] = of.reactions(s, t, live.bearing, a)
        return true

    def _weathered(self, t: Floats, kinds: Sequence[str]) -> dict[str, Floats]:
        """What the weather moves. kind -> [b, m, k] [SI]"""
        true, n = {}, self.spans.n
        if "temperature" in kinds:
            both = np.stack([self.climate.structure(t), self.climate.air(t)])
            true["temperature"] = np.repeat(both[None], n, axis=0)
        if "joint" in kinds:
            true["joint"] = of.opened(self.spans, t, self.acts, self.climate)[:, None]
        if "wind" in kinds:
            true["wind"] = of.blown(self.spans, t, self.acts, self.weather)[:, None]
        return true

    def _analysed(self, begin: int, end: int) -> Batch:
        """Frequencies and forces, as an analysis of the waveforms up to each instant finds them."""
        pitch, cable = self.channels.pitch, self.channels.cable
        t = due(begin, end, self.fitted.modal)
        if not t.size or not pitch.size + cable.size:
            return Batch.empty()
        draw, middle = dice(self.seed, READ["modal"], end), t - self.fitted.modal / 2
        rows, values = [], []
        if pitch.size:
            true = self.pitches(middle)
            rows.append(pitch)
            values.append(np.clip(true * (1 + self.spread[:, :, None] * draw.standard_normal(true.shape)), *TONES))
        if cable.size:
            force = of.strung(self.cables, middle, self.acts, self.climate)
            hertz = self.cables.pitch(force)
            noise = np.hypot(uncertain(CABLE[0], hertz, self.fitted.modal), CABLE[1] / 2)
            found = hertz * (1 + noise * draw.standard_normal(hertz.shape))
            rows.append(cable)
            values.append(np.stack([self.cables.weighed(found), np.minimum(found, TONES[1])], axis=1))
        return stacked(rows, t, values)

    def pitches(self, t: Floats) -> Floats:
        """Frequencies that the analysis looks for. [b, heard + 1, k] [Hz]"""
        heard = [*range(self.channels.pitch.shape[1] - 1), -1]
        share = of.pitched(self.spans, t, self.acts, self.climate)[:, heard]
        return np.asarray(self.spans.omega[:, heard, None] / (2 * np.pi) * share)

    @property
    def spread(self) -> Floats:
        """Of an analysis, relative to each frequency. [b, heard + 1] [1]"""
        heard = [*range(self.channels.pitch.shape[1] - 1), -1]
        return uncertain(self.spans.zeta[:, heard], self.spans.omega[:, heard] / (2 * np.pi), self.fitted.modal)

    def _weighed(self, begin: int, end: int) -> Batch:
        """Vehicles as they come upon the bridge."""
        if not self.channels.wim.size:
            return Batch.empty()
        on = joined([traffic(self.spans, self.seed, range(begin // BLOCK, -(-end // BLOCK))), self.own])
        on = on.take((on.enter > begin) & (on.enter <= end) & (on.place == 0) & (on.speed > 0))
        noise = 1 + WEIGHING * dice(self.seed, READ["event"], end).standard_normal((2, on.mass.size))
        mass = np.round(noise * (on.mass, on.axle) / GRAIN) * GRAIN
        t = np.round(on.enter * NS).astype(np.int64)
        row = self.channels.wim[on.bridge]
        return batch(row.T.ravel(), np.tile(t, 2), mass.ravel())


def uncertain(zeta: Floats | float, hertz: Floats, length: float) -> Floats:
    """Least relative spread of a frequency found in so long [s] a record of ambient vibration, √(ζ/(2π·f·T)).

    S.-K. Au, Uncertainty law in ambient modal identification - Part I: Theory, Mech. Syst. Signal Process. 48, 2014, 15-33.
    """
    return np.asarray(np.sqrt(zeta / (2 * np.pi * hertz * length)))


def due(begin: int, end: int, step: int) -> Floats:
    """Multiples of a step in (begin, end]. [k] [s]"""
    return np.arange(begin // step + 1, end // step + 1, dtype=float) * step


def stacked(rows: Sequence[Rows], t: Floats, values: Sequence[Floats]) -> Batch:
    """Readings of several kinds at the same instants, instant by instant. rows [b, m] each, values [b, m, k] each"""
    row = np.concatenate([r.ravel() for r in rows])
    value = np.concatenate([v.reshape(-1, t.size) for v in values])
    at: Ints = np.repeat(t.astype(np.int64) * NS, row.size)
    return batch(np.tile(row, t.size), at, value.T.ravel())
