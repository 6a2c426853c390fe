"""Tables of readings as turns for the engine: as many in one as give the very changes that they would give one by one.

Series are judged by themselves, so that a cut of the stream changes nothing for them. Silence is sought once a second of the
data's clock, at the first reading of each second: here all readings are known, hence also where a series falls silent, and
where it speaks again. The stream is cut after those readings, and else where enough has gathered. docs/backtest.md has the
reasoning.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from ingest.quality import QualityState
from lifeline.catalog import Catalog
from lifeline.model import JUDGED, NS, Batch, Bools, Floats, Ints, Quality, Rows
from pipeline.engine import GAP, REPORT, Engine
from pipeline.grid import LONGEST
from pipeline.slots import LONGEST as MANY
from pipeline.stretch import ages, grids
from pipeline.tables import Table
from simulators.world import Turn

MOST: Final = 1_000_000  # readings in a turn
TICKS: Final = 20_000  # [1] readings of one series in a turn: about a second's work, so that a bar moves
SLACK: Final = NS // 1000  # [ns] by which an age may be rounded
BOUNDLESS: Final = 1e20  # [SI] from here on a range is none
PIECE: Final = 1 << 16  # [1] readings of each series that the quality gate sees at once


class Feed(NamedTuple):
    """Readings of the series of a catalog, read at the same instants."""

    row: Rows  # [m] catalog rows
    t: Ints  # [k] [ns] rising
    value: Floats  # [m, k] [SI]; NaN: nothing came


def feeds(tables: Sequence[Table], catalog: Catalog, *, si: bool = False) -> list[Feed]:
    """Tables with their rows, in SI; instants without any reading are left out."""
    made = []
    for table in tables:
        row = np.array([catalog.row[k] for k in table.key], np.int32)
        value = table.value if si else table.value * catalog.scale[row, None] + catalog.offset[row, None]
        some = np.isfinite(value).any(axis=0) & (table.t >= 0)
        t = np.maximum(table.t[some], 1)  # 0 would mean: never
        made.append(Feed(row, t, value[:, some]))
    return [f for f in made if f.t.size]


def turns(given: Sequence[Feed], engine: Engine, cut: int | None = None) -> Iterator[Turn]:
    """The stream from its beginning. cut: an instant [ns] that no turn holds readings from both sides of"""
    if not given:
        return
    bridged = engine.pause <= engine.pace
    bridged &= ~np.isfinite(engine.catalog.hold) & ~grids(engine)
    ends = cuts(given, engine)
    if cut is not None:
        again = ticks(given, np.array([cut]))  # whoever is silent then is told again
        ends = np.unique(np.r_[ends, cut - 1, again[again <= ends[-1]]])
    last = np.zeros(engine.catalog.n, np.int64)
    place = np.zeros(len(given), np.int64)
    for end in ends.tolist():
        stop = np.array([np.searchsorted(f.t, end, side="right") for f in given])
        parts = [
            part
            for f, a, b in zip(given, place.tolist(), stop.tolist(), strict=True)
            if b > a
            for part in batches(f, a, b, last, engine.pace, bridged)
        ]
        place = stop
        if parts:
            batch = Batch.joined(parts)
            yield Turn(int(batch.t.max()), batch, [])


def batches(f: Feed, a: int, b: int, last: Ints, step: Ints, bridged: Bools) -> Iterator[Batch]:
    """Readings a to b of a feed, series by series, with NaN where up to GAP readings are missing. last [n] [ns] is moved on."""
    t, value = f.t[a:b], f.value[:, a:b]
    there = np.isfinite(value)
    for i, row in enumerate(f.row.tolist()):
        at, x = (t, value[i]) if there[i].all() else (t[there[i]], value[i, there[i]])
        if not at.size:
            continue
        before, last[row] = int(last[row]) or int(at[0]) - int(step[row]), at[-1]
        if bridged[row]:
            at, x = filled(np.r_[before, at], x, int(step[row]))
        yield Batch(np.full(at.size, row, np.int32), at, x, np.full(at.size, Quality.GOOD, np.uint8))


def filled(t: Ints, x: Floats, step: int) -> tuple[Ints, Floats]:
    """Readings x [k] at t[1:] with as many NaN between them as the engine would put there. t [1 + k] [ns]"""
    gap = np.diff(t)
    missing = (gap + step // 2) // step - 1
    missing[(missing > GAP) | (missing < 0)] = 0
    if not missing.any():
        return t[1:], x
    place = np.cumsum(missing + 1) - 1  # of each reading
    which = np.repeat(np.arange(x.size), missing + 1)
    nth = np.arange(which.size) - (place - missing)[which] + 1
    made = np.full(which.size, np.nan)
    made[place] = x
    return t[which] + gap[which] * nth // (missing[which] + 1), made


def cuts(given: Sequence[Feed], engine: Engine) -> Ints:
    """Instants after which a turn ends. [ns] rising; the last is that of the last reading"""
    first, final = min(int(f.t[0]) for f in given), max(int(f.t[-1]) for f in given)
    found = [np.array([first, final]), ticks(given, sized(given))]
    if grids(engine).any():
        found.append(ticks(given, np.arange(first, final, (LONGEST - 2) * NS)))
    if engine.slots:
        found.append(ticks(given, np.arange(first, final, (MANY - 2) * min(s.slot for s in engine.slots))))
    found.append(ticks(given, silences(given, engine, first, final)))
    every = np.unique(np.concatenate(found))
    return every[every <= final]


def sized(given: Sequence[Feed]) -> Ints:
    """Instants that have about MOST readings between them, and at most TICKS of any series. [ns]"""
    strides = [max(1, MOST // (64 * f.row.size)) for f in given]
    t = np.concatenate([f.t[::s] for f, s in zip(given, strides, strict=True)])
    weight = np.concatenate([np.full(f.t[::s].size, s * f.row.size) for f, s in zip(given, strides, strict=True)])
    order = np.argsort(t, kind="stable")
    number = np.cumsum(weight[order]) // MOST
    return np.concatenate([t[order][np.flatnonzero(np.diff(number, prepend=0))], *(f.t[TICKS::TICKS] for f in given)])


def ticks(given: Sequence[Feed], at: Ints) -> Ints:
    """The first readings at or after these instants [c] [ns] that are the first of all in their second. [c] [ns]"""
    after = following(given, at)
    second = at // NS * NS
    begun = np.zeros(at.size, np.bool_)
    for f in given:
        before = np.searchsorted(f.t, at) - 1
        begun |= (before >= 0) & (f.t[before] >= second)
    return np.where(begun, following(given, second + NS), after)


def following(given: Sequence[Feed], at: Ints) -> Ints:
    """The first readings at or after. [c] [ns]; beyond all: the greatest number"""
    first = np.full(at.size, np.iinfo(np.int64).max)
    for f in given:
        place = np.searchsorted(f.t, at)
        there = place < f.t.size
        first[there] = np.minimum(first[there], f.t[place[there]])
    return first


def silences(given: Sequence[Feed], engine: Engine, first: int, final: int) -> Ints:
    """Instants at which a series may fall silent, or further silent, or speak again. first, final [ns] of the stream"""
    limit = thresholds(engine)
    if 0.0 in limit:  # with a hold every tick counts
        return np.unique(np.concatenate([f.t // NS * NS for f in given]))
    fit = heard(given, engine)
    found = [np.empty(0, np.int64)]
    for row in range(engine.catalog.n):
        said = fit.get(row, np.empty(0, np.int64))
        t = np.unique(np.r_[first, said, final])
        patience = max(int(engine.pause[row]), REPORT)
        long = np.flatnonzero(np.diff(t) > min(limit, default=np.inf) * patience - SLACK)
        found.append(t[long + 1])
        for age in limit:
            cross = t[long] + round(age * patience)
            found += [x[x <= t[long + 1]] for x in (cross - SLACK, cross + SLACK)]
    return np.concatenate(found)


def thresholds(engine: Engine) -> list[float]:
    """Ages at which silence rises to a level, of all rules. [step]"""
    found = {a for g in engine.groups for line in g.ages for a in ages(line.rule).tolist()}
    return sorted(a for a in found if a < 1e9)


def heard(given: Sequence[Feed], engine: Engine) -> dict[int, Ints]:
    """Instants of the readings of each row that are fit to be judged: what is unfit is silence too. [ns]"""
    fit: dict[int, Ints] = {}
    for f in given:
        there = np.isfinite(f.value)
        doubted = doubtful(engine, f.row)
        if doubted.any():
            there[doubted] &= passed(Feed(f.row[doubted], f.t, f.value[doubted]), engine)
        for i, row in enumerate(f.row.tolist()):
            fit[row] = f.t if there[i].all() else f.t[there[i]]
    return fit


def doubtful(engine: Engine, row: Rows) -> Bools:
    """Series of which the quality gate might find a reading unfit. [m]"""
    g = engine.gate
    finite = [np.isfinite(a[row]) for a in (g.noise, g.stuck)]
    bounded = (np.abs(g.low[row]) < BOUNDLESS) | (np.abs(g.high[row]) < BOUNDLESS)
    return np.asarray(bounded | finite[0] | finite[1])


def passed(f: Feed, engine: Engine) -> Bools:
    """Which readings the quality gate lets pass, by a gate of its own. [m, k]"""
    state = QualityState._make(a[f.row] for a in engine.gate.init(engine.catalog.n))
    fit = np.empty(f.value.shape, np.bool_)
    for a in range(0, f.t.size, PIECE):
        part = slice(a, a + PIECE)
        t = np.broadcast_to(f.t[part], f.value[:, part].shape)
        state, codes = engine.gate.step(state, f.row, t, f.value[:, part])
        fit[:, part] = np.isin(codes, JUDGED) & np.isfinite(f.value[:, part])
    return fit
