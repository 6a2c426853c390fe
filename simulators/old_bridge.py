"""The bridge world: modes of simple spans and their piers, stepped exactly, under vehicles, wind, impacts and vortices."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

import numpy as np
from scipy.linalg import expm, solve_discrete_lyapunov

from lifeline.model import NS, Block, Floats, Level, Quality, Rows
from lifeline.units import G
from simulators import rhythm
from simulators.dice import dice
from simulators.faults import Truth
from simulators.traffic import Vehicles, arrivals, nobody
from simulators.world import Part, batch, graded, turn

STREAM: Final = 3
RATE: Final = 50  # [Hz]
TICK: Final = 1 / RATE  # [s]
DECK: Final = 3  # bending modes of a span; the mode after them is its pier's
SHOCK: Final = (0.03 * G, 0.05 * G, 0.15 * G, np.inf)  # [m/s²] peak at a pier, BLUE to RED
LEAN: Final = tuple(np.deg2rad([0.02, 0.05, 0.10, 0.20]).tolist())  # [rad] tilt of a pier, BLUE to RED
SWAY: Final = (0.20, 0.315, 0.50, 0.80)  # [m/s²] RMS over 10 min, BLUE to RED
SENSOR: Final = 1.2e-3  # [m/s²] noise of an accelerometer at 50 Hz


@dataclass(frozen=True)
class Spans:
    """Simply supported spans, each with a pier."""

    asset: tuple[str, ...]  # [b]
    length: Floats  # [b] [m]
    mass: Floats  # [b] [kg/m]
    stiffness: Floats  # [b] [N·m²]
    damping: Floats  # [b] [1] of the critical
    pier: Floats  # [b] [Hz] of the pier's own mode
    daily: Floats  # [b] [1] vehicles a day
    heavy: Floats  # [b] [1] share of lorries
    ambient: Floats  # [b] [m/s²] RMS at mid-span without traffic


@dataclass(frozen=True)
class Channels:
    """Catalog rows of what is measured."""

    acceleration: Rows  # [b, 4] mid-span, three tenths of the span, two on the pier
    deflection: Rows  # [b] mid-span, downwards
    tilt: Rows  # [b, 2] two on the pier
    wind: Rows  # [b]


@dataclass(frozen=True)
class Impact:
    """A ship or lorry runs into the pier: a half-sine push, and a tilt that stays."""

    asset: str
    onset: int  # [ns]
    peak: float = 0.35 * G  # [m/s²] of the push on the pier's mode
    width: float = 0.08  # [s]
    residual: float = 0.0014  # [rad] tilt that remains
    end: int = 2**62  # [ns] repaired

    def push(self, t: Floats) -> Floats:
        """Load on the pier's mode. t [k] [s] after onset; [k] [m/s²]"""
        return np.where((t >= 0) & (t < self.width), self.peak * np.sin(np.pi * t / self.width), 0.0)


@dataclass(frozen=True)
class Vortices:
    """Vortices lock on to one bending mode while the wind is right."""

    asset: str
    onset: int  # [ns]
    end: int  # [ns]
    rms: float = 0.35  # [m/s²] of that mode's acceleration once grown
    mode: int = 1  # counted from 0
    wind: float = 9.0  # [m/s]


BridgeFault = Impact | Vortices


class BridgeState(NamedTuple):
    """Of each mode; the last are the piers'."""

    place: Floats  # [b, 4] [m]
    speed: Floats  # [b, 4] [m/s]
    force: Floats  # [b, 4] [m/s²] per modal mass, at the last sample
    on: Vehicles


class Transition(NamedTuple):
    """Exact step of damped oscillators under a load that is linear between samples."""

    own: Floats  # [b, 4, 2, 2] of (place, speed)
    before: Floats  # [b, 4, 2] per load at the last sample
    now: Floats  # [b, 4, 2] per load at this one


@dataclass(frozen=True)
class Bridge:
    """All bridges of a city, sampled together."""

    span: ClassVar[int] = 1  # [s]
    spans: Spans
    channels: Channels
    seed: int
    step_s: int  # [s] between reports of the slow channels
    faults: tuple[BridgeFault, ...] = ()

    @cached_property
    def omega(self) -> Floats:
        """[b, 4] [rad/s]"""
        s, n = self.spans, np.arange(1, DECK + 1)
        deck = (n * np.pi / s.length[:, None]) ** 2 * np.sqrt(s.stiffness / s.mass)[:, None]
        return np.concatenate([deck, 2 * np.pi * s.pier[:, None]], axis=1)

    @cached_property
    def zeta(self) -> Floats:
        """[b, 4] [1]"""
        return np.outer(self.spans.damping, [1.0, 1.0, 1.0, 2.0])

    @cached_property
    def move(self) -> Transition:
        return transition(self.omega, self.zeta, TICK)

    @cached_property
    def gust(self) -> Floats:
        """Spread of the white force on each mode. [b, 4] [m/s²]"""
        unit = response(self.omega, self.zeta, self.move)
        share = np.sqrt((SHAPE[0] ** 2)[:DECK].sum())
        return self.spans.ambient[:, None] / unit / np.where(np.arange(DECK + 1) < DECK, share, 2.0)

    def init(self, second: int) -> BridgeState:  # noqa: ARG002  at rest, without traffic
        rest = np.zeros_like(self.omega)
        return BridgeState(rest, rest, rest, nobody())

    def step(self, s: BridgeState, second: int) -> tuple[BridgeState, list[Part]]:
        draw = dice(self.seed, STREAM, second)
        on = s.on.join(arrivals(second, self.spans.daily, self.spans.heavy, draw))
        load = self.gust[:, :, None] * draw.standard_normal((*self.gust.shape, RATE)) + self._push(second)
        load[:, :DECK] += self._weigh(on)
        place, speed, felt = ride(self.move, self.omega, self.zeta, s.place, s.speed, s.force, load)
        told = np.einsum("sm,bmk->bsk", SHAPE, felt) + SENSOR * draw.standard_normal((len(self.spans.asset), len(SHAPE), RATE))
        slow = self._report(second, place, draw)
        return BridgeState(place, speed, load[:, :, -1], self._leave(on)), [self._waves(second, told), *slow]

    def _weigh(self, on: Vehicles) -> Floats:
        """Modal loads of vehicles over the second that begins. [b, DECK, RATE] [m/s²]"""
        t, n, length = TICK * np.arange(1, RATE + 1), np.arange(1, DECK + 1), self.spans.length[on.bridge]
        x = on.speed[:, None] * (t - on.enter[:, None]) / length[:, None]  # [m, RATE] [1] share of the span passed
        push = (2 * G * on.mass / (self.spans.mass[on.bridge] * length))[:, None] * ((x >= 0) & (x <= 1))
        out = np.zeros((len(self.spans.asset), DECK, RATE))
        np.add.at(out, on.bridge, push[:, None] * np.sin(np.pi * n[:, None] * x[:, None]))
        return out

    def _leave(self, on: Vehicles) -> Vehicles:
        """Those still on the bridge when the second ends, seen from there."""
        later = on._replace(enter=on.enter - 1)
        return later.take(-later.enter * later.speed <= self.spans.length[on.bridge])

    def _push(self, second: int) -> Floats:
        """Modal loads of the faults. [b, 4, RATE] [m/s²]"""
        out = np.zeros((*self.omega.shape, RATE))
        for f in self.faults:
            b = self.spans.asset.index(f.asset)
            t: Floats = ((second - 1) * NS - f.onset) / NS + TICK * np.arange(1.0, RATE + 1)
            if isinstance(f, Impact):
                out[b, DECK] += f.push(t)
            else:
                grown = (t >= 0) & (t < (f.end - f.onset) / NS)
                out[b, f.mode] += grown * 2 * self.zeta[b, f.mode] * np.sqrt(2) * f.rms * np.sin(self.omega[b, f.mode] * t)
        return out

    def _waves(self, second: int, told: Floats) -> Block:
        row = self.channels.acceleration.ravel()
        value = told.reshape(row.size, RATE)
        t = np.full(row.size, (second - 1) * NS + NS // RATE)
        return Block(row, t, NS // RATE, value, np.full(value.shape, Quality.GOOD, np.uint8))

    def _report(self, second: int, place: Floats, draw: np.random.Generator) -> list[Part]:
        """Deflection and tilt every second, wind in turn."""
        b, c = len(self.spans.asset), self.channels
        noise, due = draw.standard_normal((4, b)), turn(second, b, self.step_s)
        sag = place @ SHAPE[0] + 1e-4 * noise[0]
        lean = self._tilt(second) + 1.7e-5 * noise[1:3]
        wind = self._wind(second) * (1 + 0.05 * noise[3])
        row = np.concatenate([c.deflection, c.tilt[:, 0], c.tilt[:, 1], c.wind[due]])
        return [batch(row, second * NS, np.concatenate([sag, *lean, wind[due]]))]

    def _tilt(self, second: int) -> Floats:
        """Of the piers: a little with the sun, and what an impact left. [b] [rad]"""
        tilt = np.full(len(self.spans.asset), 5e-5 * np.sin(2 * np.pi * (rhythm.hour(second) - 9) / 24))
        for f in self.faults:
            if isinstance(f, Impact) and f.onset <= second * NS < f.end:
                tilt[self.spans.asset.index(f.asset)] += f.residual
        return tilt

    def _wind(self, second: int) -> Floats:
        """[b] [m/s]"""
        wind = rhythm.wind(second, np.linspace(0, 4, len(self.spans.asset)))
        for f in self.faults:
            if isinstance(f, Vortices) and f.onset <= second * NS < f.end:
                wind[self.spans.asset.index(f.asset)] = f.wind
        return wind

    def truth(self) -> list[Truth]:
        return [
            true for f in self.faults for true in (self._truth_impact(f) if isinstance(f, Impact) else [_truth_vortices(f)])
        ]

    def _truth_impact(self, f: Impact) -> list[Truth]:
        """From the pier's own answer to the push, and from what remains."""
        b = np.array([self.spans.asset.index(f.asset)])
        load = np.zeros((1, DECK + 1, RATE))
        load[0, DECK] = f.push(np.linspace(0, 1, RATE, endpoint=False))
        rest = np.zeros((1, DECK + 1))
        move = Transition(*(x[b] for x in self.move))
        _, _, felt = ride(move, self.omega[b], self.zeta[b], rest, rest, rest, load)
        both = float(np.abs(felt[0, DECK]).max() * SHAPE[2:, DECK].min())
        over = f.onset + round(f.width * NS)
        shock = Truth(f.asset, "bridge_impact", None, f.onset, over, f.end, graded(0.9 * both, SHOCK), Level.RED)
        lean = graded(f.residual, LEAN)
        tilt = Truth(f.asset, "bridge_tilt", None, f.onset, over, f.end, lean, Level(min(lean + 1, Level.RED)))
        return [shock, tilt] if lean else [shock]


SHAPE: Final = np.array(  # [4, 4] [1] sensors by modes: mid-span, three tenths, two on the pier
    [
        [1.0, 0.0, -1.0, 0.0],
        [np.sin(0.3 * np.pi), np.sin(0.6 * np.pi), np.sin(0.9 * np.pi), 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.85],
    ],
)


def _truth_vortices(f: Vortices) -> Truth:
    """What is true of vortices; detectable after one whole window of ten minutes."""
    level = graded(0.9 * f.rms, SWAY)
    return Truth(f.asset, "bridge_vibration", None, f.onset, f.onset + 600 * NS, f.end, level, graded(1.2 * f.rms, SWAY))


def transition(omega: Floats, zeta: Floats, dt: float) -> Transition:
    """Exact over dt [s] for q" + 2ζω q' + ω² q = f, with f linear between samples.

    C. F. Van Loan, Computing integrals involving the matrix exponential, IEEE Trans. Autom. Control 23, 1978, 395-404.
    omega [b, n] [rad/s], zeta [b, n] [1]
    """
    m = np.zeros((*omega.shape, 4, 4))  # (place, speed, load, growth of load over the step)
    m[..., 0, 1] = dt
    m[..., 1, 0], m[..., 1, 1], m[..., 1, 2] = -(omega**2) * dt, -2 * zeta * omega * dt, dt
    m[..., 2, 3] = 1.0
    e = expm(m)
    return Transition(e[..., :2, :2], e[..., :2, 2] - e[..., :2, 3], e[..., :2, 3])


def ride(
    m: Transition, omega: Floats, zeta: Floats, place: Floats, speed: Floats, force: Floats, load: Floats
) -> tuple[Floats, Floats, Floats]:
    """Modes under a load [b, n, k] [m/s²] that was `force` [b, n] before: place, speed at the end, acceleration [b, n, k]."""
    felt = np.empty_like(load)
    for k in range(load.shape[2]):
        now = load[:, :, k]
        kick = m.before * force[..., None] + m.now * now[..., None]
        place, speed = (
            m.own[..., 0, 0] * place + m.own[..., 0, 1] * speed + kick[..., 0],
            m.own[..., 1, 0] * place + m.own[..., 1, 1] * speed + kick[..., 1],
        )
        felt[:, :, k] = now - 2 * zeta * omega * speed - omega**2 * place
        force = now
    return place, speed, felt


def response(omega: Floats, zeta: Floats, m: Transition) -> Floats:
    """RMS acceleration of each mode under white force of unit spread, from the stationary covariance. [b, n] [1]"""
    out = np.empty_like(omega)
    for i in np.ndindex(*omega.shape):
        own = np.zeros((3, 3))  # (place, speed, load at this sample)
        own[:2, :2], own[:2, 2] = m.own[i], m.before[i]
        new = np.array([*m.now[i], 1.0])
        look = np.array([-(omega[i] ** 2), -2 * zeta[i] * omega[i], 1.0])
        out[i] = np.sqrt(look @ solve_discrete_lyapunov(own, np.outer(new, new)) @ look)
    return out
