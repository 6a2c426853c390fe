"""Turns that may be judged in one step: as many as give the very changes that they would give one by one.

Series are judged by themselves, so that a cut of the stream changes nothing for them (the contract of detectors). What looks at
the clock does care: silence is sought, and the one-second slots of joint detectors are closed, once a second of the data's
clock, with the first turn that moves it there. A stretch therefore ends with the first turn that could let a series fall
silent; a turn in which a silent one speaks is judged by itself, and so is all that comes until the clock has been looked at
again, what comes late to a slot, and what comes from a clock that is ahead. Where a stretch ends otherwise, what came after the
last look at the clock is a stretch of its own.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from ingest.quality import Gate
from lifeline.model import NS, Bools, Floats, Ints, Level, Quality, Rows, Rule
from pipeline.engine import REPORT, TICK, Engine
from pipeline.grid import ALLOWANCE, LONGEST
from pipeline.slots import LONGEST as MANY
from pipeline.slots import Slots
from simulators.world import Turn, ends, readings

MOST: Final = 2_000_000  # readings in a stretch
CELLS: Final = 1_000_000  # slots of channels closed together: more do not fit a cache
FEW: Final = 60  # slots closed together, however many channels there are
SOON: Final = NS // 1000  # [ns] by which a stretch ends before a crossing, for rounding
NEVER: Final = 2**61  # [ns] later than any instant, and their sum is still a number
FAR: Final = 2**60  # [ns] likewise of a time


class Quiet(NamedTuple):
    """What the engine's memory, and what came since, say of silence. `hear` writes to it."""

    until: Ints  # [n] [ns] before which a series cannot fall silent, or further silent
    silent: Bools  # [n] series that stand above NORMAL for it
    grace: Ints  # [n] [ns] from a reading that is fit to be judged until then
    last: Floats  # [n] [SI] last reading that may have been taken as true; NaN: none yet; infinite: not known
    t: Ints  # [n] [ns] its time


def stretches(turns: Iterable[Turn], engine: Engine) -> Iterator[list[Turn]]:
    """Turns in runs. Whoever asks for the next run has stepped the engine through the last."""
    joint = grids(engine)
    cells = max((j.grid.rows.size for j in engine.joints), default=0)
    slots = min(LONGEST - 2, max(CELLS // max(cells, 1), FEW))
    longest = min([slots * NS] * (cells > 0) + [(MANY - 2) * s.slot for s in engine.slots], default=FAR)
    held, looked = list[Turn](), 0  # turns, and how many there are up to the last that made the engine look at the clock
    size, clock, quiet = 0, engine.clock, outlook(engine)
    for turn in turns:
        alone = speaks(turn, quiet.silent) or not timely(turn, clock, joint, engine.slots)
        if held and alone:
            yield from filter(None, (held[:looked], held[looked:]))
            held, looked, size, clock, quiet = [], 0, 0, engine.clock, outlook(engine)
        held.append(turn)
        hear(quiet, turn, engine.gate)
        size += readings(turn)
        before, clock = clock, max(clock, min(newest(turn), turn.at))
        looks = clock // TICK > before // TICK
        looked = len(held) if looks else looked
        due = looks and (clock >= engine.clock + longest or bool((quiet.until <= clock).any()))
        if alone or due or size > MOST:
            yield from filter(None, (held[:looked], held[looked:]))
            held, looked, size, clock, quiet = [], 0, 0, engine.clock, outlook(engine)
    yield from filter(None, (held[:looked], held[looked:]))


def outlook(engine: Engine) -> Quiet:
    """As the engine stands."""
    n = engine.catalog.n
    until, silent, grace = np.full(n, NEVER), np.zeros(n, np.bool_), np.full(n, NEVER)
    for group in engine.groups:
        since = np.maximum(engine.heard[group.rows], engine.born)
        pause = np.maximum(engine.pause[group.rows], REPORT)
        for line in group.ages:
            level, enters = line.standing.grade.level, ages(line.rule)
            silent[group.rows[level > Level.NORMAL]] = True
            entered = np.concatenate([[0.0], enters[:-1]])
            if (since + entered[level] * pause > engine.clock + SOON).any():
                return watchful(engine, silent)  # one has spoken: the next look at the clock clears it
            more = np.minimum(enters[level] * pause, float(FAR)).astype(np.int64)
            grace[group.rows] = np.minimum(grace[group.rows], more)
            until[group.rows] = np.minimum(until[group.rows], since + more)
    if not engine.born:
        return watchful(engine, silent)
    return Quiet(until - SOON, silent, grace, engine.quality.value.copy(), engine.last.copy())


def watchful(engine: Engine, silent: Bools) -> Quiet:
    """The next look at the clock matters, whatever is heard."""
    n = engine.catalog.n
    return Quiet(np.zeros(n, np.int64), silent, np.full(n, -NEVER), np.full(n, np.inf), engine.last.copy())


def hear(quiet: Quiet, turn: Turn, gate: Gate) -> None:
    """Readings that are surely fit put silence off; of the others that is not known before they are judged."""
    b = turn.batch
    if b.n:
        new = (np.bincount(b.row)[b.row] == 1) & (b.t > quiet.t[b.row])
        before = np.where(new, quiet.last[b.row], np.inf)
        sure = new & (b.t <= turn.at) & (b.quality == Quality.GOOD) & fit(gate, b.row, before, b.value)
        _put_off(quiet, b.row[sure], b.t[sure])
        quiet.last[b.row] = np.where(new & inside(gate, b.row, b.value), b.value, np.inf)
        quiet.t[b.row] = np.maximum(quiet.t[b.row], b.t)
    for w in turn.blocks:
        x, until = w.value, ends(w)
        before = np.where(inside(gate, w.row, x[:, -2:-1].sum(axis=1)), x[:, -2:-1].sum(axis=1), np.inf)
        whole = (x.shape[1] > 1) & (w.t > quiet.t[w.row]) & (until <= turn.at)
        sure = whole & (w.quality[:, -2:] == Quality.GOOD).all(axis=1) & fit(gate, w.row, before, x[:, -1])
        _put_off(quiet, w.row[sure], until[sure])
        quiet.last[w.row] = np.inf
        quiet.t[w.row] = np.maximum(quiet.t[w.row], until)


def inside(gate: Gate, row: Rows, x: Floats) -> Bools:
    """Within the range of its sensor. [m]"""
    return np.asarray((x >= gate.low[row]) & (x <= gate.high[row]))


def fit(gate: Gate, row: Rows, before: Floats, x: Floats) -> Bools:
    """Whether no memory of the gate can find fault with x [m]: no jump since the reading before it, and no repetition."""
    near = np.isnan(before) | np.isinf(gate.noise[row]) | (np.abs(x - before) <= gate.noise[row])
    fresh = np.isinf(gate.stuck[row]) | (x != before) | ((x >= gate.rest[row]) & (x <= gate.rise[row]))
    return np.asarray(inside(gate, row, x) & near & fresh)


def _put_off(quiet: Quiet, row: Rows, t: Ints) -> None:
    quiet.until[row] = np.maximum(quiet.until[row], t + quiet.grace[row] - SOON)


def ages(rule: Rule) -> Floats:
    """Age at which the level above each is entered. [5] [step]; inf: there is none; 0 where a hold makes every tick count"""
    limits = rule.limits
    if (limits.hold[np.isfinite(limits.enter)] > 1).any():
        return np.zeros(len(Level))
    score = rule.detector.step(rule.detector.init(1), np.ones((1, 1)))[1][0, 0]  # of an age of one: it grows in proportion
    above = [limits.enter[level:].min(initial=np.inf) for level in range(len(Level))]
    return np.asarray(np.minimum(np.array(above) / score, 1e9))


def grids(engine: Engine) -> Bools:
    """Series that joint detectors judge in slots. [n]"""
    found = np.zeros(engine.catalog.n, np.bool_)
    for joint in engine.joints:
        found |= joint.grid.place >= 0
    return found


def timely(turn: Turn, clock: int, joint: Bools, slots: Iterable[Slots]) -> bool:
    """Whether no clock in it is ahead, and nothing comes to a slot that may be closed. clock [ns] of the data before it"""
    closed = (clock - ALLOWANCE) // TICK * TICK
    b = turn.batch
    late = joint[b.row] & (b.t <= closed)
    for s in slots:
        late |= (s.place[b.row] >= 0) & (b.t <= s.ending(clock))
        if any(((s.place[w.row] >= 0) & (w.t <= s.ending(clock))).any() for w in turn.blocks):
            return False
    codes = [b.quality, *(block.quality for block in turn.blocks)]
    return not (late.any() or any((code == Quality.CLOCK).any() for code in codes))


def speaks(turn: Turn, silent: Bools) -> bool:
    """Whether a series that was silent is heard."""
    if not silent.any():
        return False
    return bool(silent[turn.batch.row].any() or any(silent[b.row].any() for b in turn.blocks))


def newest(turn: Turn) -> int:
    """[ns] latest instant in a turn; 0: none."""
    times: list[Ints] = [turn.batch.t, *map(ends, turn.blocks)]
    return max(turn.clock, *(int(t.max(initial=0)) for t in times))
