"""What is true of the water world, from its hydraulics without noise: with each fault and without it.

A leak is detectable from the first report at which some sensor's residual is three spreads of its noise, or what is lost is a
tenth of the night's flow. Levels follow from residuals of pressure and from the share of the night's flow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from lifeline.model import NS, Floats, Level
from simulators.faults import Truth
from simulators.water.faults import Acting, Burst, Leak, Reducer, Stop
from simulators.water.hydraulics import Hydraulics
from simulators.world import graded

SURE: Final = 3.0  # [1] spreads of noise
DROP: Final = (1.5, 3.0)  # [m] at one gauge, YELLOW; at two, ORANGE
PLUNGE: Final = 0.3  # [1] of the pressure within five minutes, RED
FLOOR: Final = 14.0  # [m] at two gauges, RED
NIGHT: Final = (0.1, 0.2, 0.3, 0.5)  # [1] of the least flow of a day, BLUE to RED
LARGE: Final = 10 / 3600  # [m³/s] lost all night, RED
GUSH: Final = 100 / 3600  # [m³/s] with a fall of pressure, RED
SPREADS: Final = (3.0, 4.0, 6.0)  # [1] of the inflow's own, BLUE and YELLOW; ORANGE with a fall of pressure
HIGH: Final = (1.3, 1.5, 2.0)  # [1] of the usual pressure, YELLOW to RED
LOW: Final = (20.0, 17.0, 14.0)  # [m] YELLOW to RED where it was more
SUDDEN: Final = 600.0  # [s] within which a burst opens
READS: Final = 0.95  # [1] what of a residual is surely read; its inverse is the most that may be
LONGEST: Final = 130 * 86_400.0  # [s] of a fault that is looked at
DAY: Final = 86_400.0  # [s]
BURST, LEAK, OVER, UNDER = "water_burst", "water_leak", "water_overpressure", "water_low_pressure"  # hazards


class Seen(NamedTuple):
    """What one fault does, noise-free."""

    t: Floats  # [t] [s of the epoch]
    usual: Floats  # [g, t] [m] pressure without it
    pressure: Floats  # [g, t] [m] what it adds
    out: Floats  # [z, t] [m³/s] what it adds to what enters
    entering: Floats  # [z, t] [m³/s] with it
    lost: Floats  # [t] [m³/s] out of its hole
    night: float  # [m³/s] least demand of a day


def truths(h: Hydraulics, pressure: float, flow: float, step: float) -> list[Truth]:
    """pressure: noise of a gauge [m]; flow: of a meter [1]; step: between reports [s]"""
    out: list[Truth] = []
    for a, _ in h.active:
        if a.end <= a.onset or not isinstance(a.fault, Burst | Leak | Reducer | Stop):
            continue
        s = seen(h, a, step)
        if isinstance(a.fault, Burst | Leak):
            spread = h.size * float(np.sqrt(((h.net.demand * h.spread) ** 2).sum()))
            out += leaking(a, s, "dma-1", a.fault.pipe, pressure, flow, step, spread)
        else:
            out += _misled(a, s, pressure, flow, step)
    return out


def grid(a: Acting, step: float) -> Floats:
    """Instants fine after the onset, and coarse beyond. [t] [s of the epoch]"""
    last = min(a.end, a.onset + LONGEST)
    fine, coarse = np.arange(a.onset, min(last, a.onset + 7200), min(step, 60.0)), np.arange(a.onset, last, 1800.0)
    return np.unique(np.concatenate([fine, coarse]))


def seen(h: Hydraulics, a: Acting, step: float) -> Seen:
    """What one fault does, all others being as they are."""
    t = grid(a, step)
    m, others = h.level(t), replace(h, acts=tuple(x for x in h.acts if x is not a))
    (with_it, lost), (without, _) = h.added(t, m), others.added(t, m)
    still = h.undisturbed(m)
    g, z = h.gauge.size, len(h.net.fixed)
    mine = [x for x, _ in h.active].index(a)
    more = with_it - without
    day = h.demand.level(a.onset + np.arange(0.0, DAY, 900.0)).min() * h.net.demand.sum() * h.size
    return Seen(
        t,
        (still + without)[:, :g].T,
        more[:, :g].T,
        h.size * more[:, g : g + z].T,
        h.size * (still + with_it)[:, g : g + z].T,
        h.size * lost[mine],
        float(day),
    )


def _known(s: Seen, pressure: float, flow: float) -> int | None:
    """The first instant at which a perfect observer knows."""
    far = (np.abs(s.pressure) >= SURE * pressure).any(axis=0)
    far |= (np.abs(s.out) >= SURE * flow * np.maximum(np.abs(s.entering), 1e-9)).any(axis=0) & (
        s.lost > NIGHT[0] / 10 * s.night
    )
    far |= s.lost >= NIGHT[0] * s.night
    return int(np.argmax(far)) if far.any() else None


def leaking(
    a: Acting, s: Seen, asset: str, place: str, pressure: float, flow: float, step: float, spread: float
) -> list[Truth]:
    """What is true of a burst or a leak; nothing where no reading could tell.

    pressure: noise of a gauge [m]; flow: of a meter [1]; step: between reports [s]; spread: of the inflow's own [m³/s]
    """
    known = _known(s, pressure, flow)
    if known is None:
        return []
    sudden = _opens(a) <= SUDDEN
    surely = by_pressure(s.usual, READS * s.pressure, pressure, sudden=sudden, alone=False)
    perhaps = by_pressure(s.usual, s.pressure / READS, pressure, sudden=sudden, alone=True)
    flowing = by_flow(float(s.lost.max()), spread, fallen=perhaps > Level.NORMAL)
    nightly = by_night(float(s.lost.max()), s.night) if s.t[-1] - a.onset > DAY / 2 else Level.NORMAL
    most = max(perhaps, flowing, nightly)
    least = max(surely, min(nightly, Level.YELLOW), min(flowing, Level.YELLOW))
    hazard = BURST if sudden and max(perhaps, flowing) >= Level.ORANGE else LEAK
    return [_truth(asset, hazard, a, -(-s.t[known] // step) * step, least, most, place)] if most else []


def _opens(a: Acting) -> float:
    """[s]"""
    return a.fault.opens if isinstance(a.fault, Burst) else a.fault.grows  # type: ignore[attr-defined]


def by_pressure(usual: Floats, more: Floats, noise: float, *, sudden: bool, alone: bool) -> Level:
    """usual, more [g, t] [m]; alone: one gauge that plunges by itself is enough for RED"""
    drop = np.sort(-more, axis=0)[::-1]  # the gauge that falls most comes first
    below = ((usual + more < FLOOR) & (usual >= FLOOR)).sum(axis=0)
    plunged = (-more / np.maximum(usual, 1.0) >= PLUNGE).sum(axis=0) * sudden
    if max(below.max(initial=0), plunged.max(initial=0) + alone) > 1:
        return Level.RED
    if len(drop) > 1 and (drop[1] >= DROP[1]).any():
        return Level.ORANGE
    most = float(drop.max(initial=0.0))
    return Level.YELLOW if most >= DROP[0] else Level.BLUE if most >= SURE * noise else Level.NORMAL


def by_night(lost: float, night: float) -> Level:
    """lost, night [m³/s]"""
    return Level.RED if lost > LARGE else graded(lost / night, NIGHT)


def by_flow(lost: float, spread: float, *, fallen: bool) -> Level:
    """lost, spread [m³/s]; fallen: pressures are lower, too"""
    if lost > GUSH and fallen:
        return Level.RED
    level = graded(lost / spread, SPREADS)
    return level if fallen else min(level, Level.YELLOW)


def _misled(a: Acting, s: Seen, pressure: float, flow: float, step: float) -> Iterator[Truth]:
    """A valve or a pump that does not do its work: pressures that are too high or too low, where they are most so."""
    known = _known(s, pressure, flow)
    if known is None:
        return
    now, at = s.usual + s.pressure, -(-s.t[known] // step) * step
    high = (now / np.maximum(s.usual, 1.0)).max(axis=1)
    low = np.where(s.usual > LOW[0], now, np.inf).min(axis=1)
    where = getattr(a.fault, "valve", "") or getattr(a.fault, "pump", "")
    for hazard, value, bounds in ((OVER, float(high.max()), HIGH), (UNDER, -float(low.min()), tuple(-x for x in LOW))):
        slack = 0.03 * abs(value)
        least, most = (_band(value + x, bounds) for x in (-slack, slack))
        if most:
            agreed = Level(min(most + 1, Level.RED))  # several gauges agree: that may be called one graver
            yield _truth("dma-1", hazard, a, at, least, agreed, where)


def _band(value: float, bounds: Sequence[float]) -> Level:
    """YELLOW to RED."""
    over = sum(value >= b for b in bounds)
    return Level(over + 1 if over else 0)


def _truth(asset: str, hazard: str, a: Acting, seen_at: float, low: Level, high: Level, place: str = "") -> Truth:
    """Instants [s]."""
    begin, known, over = (round(x * NS) for x in (a.onset, seen_at, a.end))
    return Truth(asset, hazard, None, begin, max(begin, known), max(over, known), low, max(low, high), place=place)
