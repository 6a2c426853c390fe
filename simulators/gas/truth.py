"""What is true of the gas world, from its physics without noise: what a perfect observer could know, and from when.

A hazard of a well begins when the first gas comes in. It is detectable from the first report after the concentration stands
above the laser's limit of detection, and three spreads of its noise above what it would be without the fault. It ends when the
concentration is below the lowest bound again.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from lifeline.model import NS, Floats, Level
from simulators.faults import Truth, ill
from simulators.gas.box import mixed
from simulators.gas.faults import Acting, Biogas, Freeze, Holed, Leaking, LockUp, Rain
from simulators.gas.laser import FLOOR, NOISE, VOL
from simulators.gas.rates import drowned, entering, rates
from simulators.gas.stations import NOMINAL, Stations, starved
from simulators.gas.wells import HOUR, Wells, settled
from simulators.weather import Weather
from simulators.world import graded

ALARM: Final = (0.5 * VOL, 1.0 * VOL, 2.5 * VOL, 5.0 * VOL)  # [1] methane, BLUE to RED
RISE: Final = (0.1 * VOL / HOUR, 0.5 * VOL / HOUR)  # [1/s] over two hours, BLUE and YELLOW
SURGE: Final = (1.0 * VOL / 600, 2.0 * VOL / 600)  # [1/s] over ten minutes, ORANGE and RED
NEAR: Final = 50.0  # [m] between wells that speak for one another
JOINT: Final = (0.5 * VOL, 1.0 * VOL, 2.5 * VOL)  # [1] in two wells at once, YELLOW to RED
HIGH: Final = (1.2, 1.35, 1.5)  # [1] of nominal, YELLOW to RED
LOW: Final = (0.15, 0.2, 0.4)  # [1] of nominal lost, YELLOW to RED
READS: Final = 0.95  # [1] what of a concentration is surely read; its inverse is the most that may be
LONGEST: Final = 130 * 86_400.0  # [s] of a fault that is looked at
TAIL: Final = 3 * 86_400.0  # [s] for a well to clear afterwards
INSTANTS: Final = 20_000  # at most, at which wells are looked at for water
BIOGAS, METHANE = "biogas", "gas_accumulation"  # hazards
OVER, UNDER = "gas_overpressure", "gas_underpressure"


def truths(wells: Wells, stations: Stations, acts: Sequence[Acting], weather: Weather, step: float) -> list[Truth]:
    """step: between reports of a well. [s]"""
    out = list(_wells(wells, acts, weather, step)) if wells.n else []
    rains: list[Acting] = []
    for a in acts:
        if a.end <= a.onset:
            continue
        if isinstance(a.fault, LockUp | Freeze):
            out += _misregulated(stations, a, acts)
        elif isinstance(a.fault, Holed) and a.fault.regulator:
            out += _starved(stations, a, acts)
        elif isinstance(a.fault, Rain):
            rains.append(a)
    return out + list(_flooded(wells, rains))


def grid(acts: Sequence[Acting]) -> Floats:
    """Instants fine enough around every onset and end, and coarse between. [k] [s of the epoch]"""
    first, last = min(a.onset for a in acts), max(min(a.end, a.onset + LONGEST) for a in acts) + TAIL
    parts = [np.arange(first, last, 600.0)]
    for edge in [a.onset for a in acts] + [a.end for a in acts if a.end < last]:
        parts += [np.arange(edge, edge + 7200, 5.0), np.arange(edge, edge + 2 * 86_400, 60.0)]
    return np.unique(np.concatenate(parts))


def history(wells: Wells, t: Floats, acts: Sequence[Acting], weather: Weather) -> Floats:
    """Concentrations at instants that need not be even. t [k] [s]; [n, k] [1]"""
    past = t[0] - HOUR * np.arange(48.0, 0.0, -1.0) + HOUR / 2
    inside = settled(*rates(wells, past, acts, weather), HOUR)
    step = np.diff(t)
    supply, loss = rates(wells, t[:-1] + step / 2, acts, weather)
    out = np.empty((wells.n, t.size))
    out[:, 0] = inside
    for j in range(step.size):
        out[:, j + 1] = inside = mixed(inside, supply[:, j], loss[:, j], step[j])
    return out


def _wells(wells: Wells, acts: Sequence[Acting], weather: Weather, step: float) -> Iterator[Truth]:
    sources = [a for a in acts if isinstance(a.fault, Leaking | Biogas)]
    if not sources:
        return
    t = grid(sources)
    came = [_came(a, wells, t) for a in sources]
    touched = np.any([c.any(axis=1) for c in came], axis=0)
    mine, others = wells.take(touched), [a for a in acts if a not in sources]
    with_all, without = (history(mine, t, some, weather) for some in (acts, others))
    reached = np.array([c[touched].any(axis=1) for c in came])  # [sources, n]
    for a, c, together in zip(sources, came, reached, strict=True):
        shared = (reached.sum(axis=0) > 1)[together].any()
        usual = history(mine, t, [b for b in acts if b is not a], weather) if shared else without
        for i in np.flatnonzero(together).tolist():
            near = together & (np.abs(mine.along - mine.along[i]) <= NEAR)
            joint = band(second(with_all[near]) / READS, JOINT, 0.0)[1]
            yield from _one(a, mine.asset[i], t, c[touched][i], with_all[i], usual[i], step, joint)


def _came(a: Acting, wells: Wells, t: Floats) -> Floats:
    """Whether anything of a fault enters each well. [n, k]"""
    if isinstance(a.fault, Biogas):
        return np.asarray(a.fault.sediment(a.since(t), wells) > 0)
    return np.asarray(entering(wells, t, [a]) > 1e-9)  # [m³/s] a hundredth of what the least hazard needs


def second(x: Floats) -> float:
    """The highest concentration that two wells have at once. x [n, k] [1]"""
    return float(np.sort(x, axis=0)[-2].max()) if len(x) > 1 else 0.0


def _one(
    a: Acting, asset: str, t: Floats, came: Floats, x: Floats, usual: Floats, step: float, joint: Level
) -> Iterator[Truth]:
    """What one source does to one well. came, x, usual [k]; joint: what may be said for its neighbours' sake"""
    stands = x >= ALARM[0] * READS
    first, last = np.flatnonzero(came)[[0, -1]].tolist()
    clear = last + np.flatnonzero(~stands[last:])[:1]  # when the well has aired after the last gas of this source
    span = slice(first, int(clear[0]) if clear.size else t.size)
    t, x, usual, stands = t[span], x[span], usual[span], stands[span]
    high, known = (np.flatnonzero(some) for some in (stands, x >= np.maximum(FLOOR, usual + 3 * NOISE)))
    if not high.size or not known.size:
        return
    onset, seen, end = t[0], -(-t[known[0]] // step) * step, t[high[-1]]
    if not clear.size:
        end = max(end, a.end)
    hazard, place = (BIOGAS, "") if isinstance(a.fault, Biogas) else (METHANE, a.fault.place())  # type: ignore[attr-defined]
    least, most = levels(t, x)
    yield _truth(asset, hazard, onset, seen, max(end, seen), least, max(most, joint), place)


def levels(t: Floats, x: Floats) -> tuple[Level, Level]:
    """What must and what may be said of a concentration: by itself, and by how fast it rises. t [k] [s], x [k] [1]"""
    least, most = graded(float(READS * x.max()), ALARM), graded(float(x.max() / READS), ALARM)
    quick, slow = steepest(t, x, 600.0), steepest(t, x, 7200.0)
    by_rise = Level(sum(slow >= 0.8 * r for r in RISE))
    by_surge = Level.RED if quick >= 0.8 * SURGE[1] else Level.ORANGE if quick >= 0.8 * SURGE[0] else Level.NORMAL
    return least, max(most, by_rise, by_surge)


def steepest(t: Floats, x: Floats, window: float) -> float:
    """The greatest mean slope over a window. [1/s]"""
    before = np.interp(t - window, t, x)
    return float(((x - before) / window).max())


def _misregulated(stations: Stations, a: Acting, acts: Sequence[Acting]) -> Iterator[Truth]:
    i = stations.mains.asset.index(a.fault.regulator)  # type: ignore[attr-defined]
    t = a.onset + np.arange(0.0, min(a.end - a.onset, 2 * 86_400.0), 5.0)
    share = stations.seen(t, acts, stations.supply(t, acts)).outlet[i] / NOMINAL
    usual = stations.seen(t, [], stations.supply(t, [])).outlet[i] / NOMINAL
    seen = np.flatnonzero(np.abs(share - usual) >= 3 * 10.0 / NOMINAL)
    for hazard, gone, bounds in ((OVER, share, HIGH), (UNDER, 1 - share, LOW)):
        low, high = band(float(gone.max()), bounds, 0.01)
        if seen.size and high:
            two = Level(min(high + 1, Level.RED))  # both transmitters agree: that may be called one graver
            yield _truth(a.fault.regulator, hazard, a.onset, t[seen[0]], a.end, low, two)  # type: ignore[attr-defined]


def _starved(stations: Stations, a: Acting, acts: Sequence[Acting]) -> Iterator[Truth]:
    """Regulators whose inlet loses too much of the gate's pressure; a lone transmitter warns no higher than YELLOW."""
    mains = stations.mains
    t = a.onset + np.arange(0.0, min(a.end - a.onset, 86_400.0), 60.0)
    inlet = stations.supply(t, acts).reshape(-1, t.size)
    for i in starved(mains, a.fault.regulator):  # type: ignore[attr-defined]
        low, high = band(float(1 - inlet[i].min() / mains.source), LOW, 0.01)
        if high:
            yield _truth(mains.asset[i], UNDER, a.onset, a.onset, a.end, min(low, Level.YELLOW), high)


def band(value: float, bounds: Sequence[float], slack: float) -> tuple[Level, Level]:
    """Levels, YELLOW to RED, of a value read within a slack."""
    least, most = (sum(value + s >= b for b in bounds) for s in (-slack, slack))
    return Level(least + 1 if least else 0), Level(most + 1 if most else 0)


def _flooded(wells: Wells, rains: Sequence[Acting]) -> Iterator[Truth]:
    """Lasers under water, a time for each shower or for those that follow one another closely."""
    if not rains:
        return
    first, last = min(a.onset for a in rains), max(min(a.end, a.onset + LONGEST) + 10 * _drains(a) for a in rains)
    t = np.arange(first, last + 60, max(60.0, (last - first) / INSTANTS // 60 * 60))
    for i, wet in enumerate(drowned(wells, t, rains)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], wet, [False]])))
        for under, dry in edges.reshape(-1, 2).tolist():
            over = t[dry] if dry < t.size else max(a.end for a in rains)
            yield ill(wells.asset[i], "flooding", round(t[under] * NS), round(over * NS))


def _drains(a: Acting) -> float:
    """[s]"""
    assert isinstance(a.fault, Rain)
    return a.fault.drains


def _truth(asset: str, hazard: str, onset: float, seen: float, end: float, low: Level, high: Level, place: str = "") -> Truth:
    """Instants [s], of which a double holds the microseconds."""
    begin, known, over = (round(x * 1e6) * 1000 for x in (onset, seen, end))
    return Truth(asset, hazard, None, begin, max(begin, known), max(over, known), low, max(low, high), place=place)
