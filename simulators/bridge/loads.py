"""What shakes a bridge: loads on its modes, each for one unit of modal mass, m·L/2. t [k] is in seconds of the epoch."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from lifeline.model import Floats
from lifeline.units import G
from simulators.bridge.behaviour import of
from simulators.bridge.faults import Impact, Vortices
from simulators.bridge.happening import Acting
from simulators.bridge.passing import Crowd
from simulators.bridge.spans import Spans
from simulators.bridge.vehicles import Crossings, met
from simulators.dice import dice

STREAM: Final = 3030
STEP: Final = 280.0  # [N] of a walker: 0.4 of 700 N (SÉTRA, Assessment of vibrational behaviour of footbridges, 2006)
GROUPS: Final = 64  # of people who walk alike


def weighed(spans: Spans, t: Floats, on: Crossings) -> Floats:
    """Of vehicles: 2P/(mL)·sin(nπx/L). [b, modes, k] [m/s²]"""
    m = met(on, t, spans.length)
    b = on.bridge[m.who]
    push = 2 * G * on.mass[m.who] / (spans.mass * spans.length)[b]
    out = np.empty((spans.n, spans.modes, t.size))
    sine, twice = np.sin(np.pi * m.x), 2 * np.cos(np.pi * m.x)
    before, now = np.zeros_like(sine), sine
    for n in range(spans.modes):  # sin((n + 1)y) = 2 cos(y) sin(ny) - sin((n - 1)y)
        out[:, n] = np.bincount(b * t.size + m.when, push * now, spans.n * t.size).reshape(spans.n, -1)
        before, now = now, twice * now - before
    return out


def pushed(spans: Spans, t: Floats, acts: Sequence[Acting], omega: Floats) -> Floats:
    """Of faults, at even instants. omega [b, modes + 1] [rad/s], of modes that vortices lock on to; [b, modes + 1, k] [m/s²]"""
    out = np.zeros((*omega.shape, t.size))
    for a, i in of(acts, Impact):
        out[a.bridge, -1] += i.push(a.since(t))
    for a, c in of(acts, Crowd):
        if a.onset - t[-1] < 0 < a.end - t[0]:
            out[a.bridge, :-1] += trodden(spans, t, a, c)
    for a, v in of(acts, Vortices):
        since, n = a.since(t), v.mode - 1
        blows = (since >= 0) & (since < v.lasts)
        w = omega[a.bridge, n]
        smoothed = np.sinc(w / (2 * np.pi) * (t[1] - t[0])) ** 2  # by the straight lines between samples
        size = 2 * spans.zeta[a.bridge, n] * np.sqrt(2) * v.rms / smoothed
        out[a.bridge, n] += size * blows * np.sin(w * since)
    return out


def swinging(spans: Spans, second: float, acts: Sequence[Acting], omega: Floats) -> tuple[Floats, Floats]:
    """Where vortices have brought the modes by an instant: [b, modes + 1] [m], [b, modes + 1] [m/s].

    Resonance from rest, with little damping: -A/ω²·(1 - e^(-ζωt))·cos ωt, with A the amplitude of the acceleration.
    """
    place, speed = np.zeros((2, *omega.shape))
    for a, v in of(acts, Vortices):
        since, n = second - a.onset, v.mode - 1
        if 0 < since < v.lasts:
            w = omega[a.bridge, n]
            size = np.sqrt(2) * v.rms * -np.expm1(-spans.zeta[a.bridge, n] * w * since)
            place[a.bridge, n] = -size / w**2 * np.cos(w * since)
            speed[a.bridge, n] = size / w * np.sin(w * since)
    return place, speed


def trodden(spans: Spans, t: Floats, a: Acting, c: Crowd) -> Floats:
    """Of people, each at a pace, a phase and a place of his own; who comes, the hour decides. [modes, k] [m/s²]"""
    pace, phase, x = _walkers(round(a.onset))
    paces = np.outer(c.pace + c.spread * pace, a.since(t))
    force = STEP * np.sqrt(c.people / GROUPS) * np.sin(2 * np.pi * paces + phase)
    shape = np.sin(np.pi * np.outer(spans.order, x))
    i = a.bridge
    return np.asarray(2 / (spans.mass[i] * spans.length[i]) * c.present(a.since(t)) * (shape @ force))


@cache
def _walkers(seed: int) -> tuple[Floats, Floats, Floats]:
    """Paces [1] in spreads from the mean, phases [rad], places [1]. [GROUPS]"""
    draw = dice(seed, STREAM)
    phase = draw.uniform(0, 2 * np.pi, (GROUPS, 1))
    return draw.standard_normal(GROUPS), phase, draw.random(GROUPS)
