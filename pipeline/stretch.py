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

from lifeline.model import NS, Bools, Floats, Ints, Level, Quality, Rule
from pipeline.engine import REPORT, TICK, Engine
from pipeline.grid import ALLOWANCE, LONGEST
from pipeline.slots import LONGEST as MANY
from pipeline.slots import Slots
from simulators.world import Turn, ends, readings

MOST: Final = 2_000_000  # readings in a stretch
SOON: Final = NS // 1000  # [ns] by which a stretch ends before a crossing, for rounding
NEVER: Final = 2**63 - 1


class Quiet(NamedTuple):
    """What the engine's memory says of silence."""

    until: int  # [ns] before which no series can fall silent, or further silent
    silent: Bools  # [n] series that stand above NORMAL for it


def stretches(turns: Iterable[Turn], engine: Engine) -> Iterator[list[Turn]]:
    """Turns in runs. Whoever asks for the next run has stepped the engine through the last."""
    joint = grids(engine)
    longest = min([(LONGEST - 2) * NS] * bool(joint.any()) + [(MANY - 2) * s.slot for s in engine.slots], default=NEVER // 2)
    held, looked = list[Turn](), 0  # turns, and how many there are up to the last that made the engine look at the clock
    size, clock, quiet = 0, engine.clock, outlook(engine)
    for turn in turns:
        alone = speaks(turn, quiet.silent) or not timely(turn, clock, joint, engine.slots)
        if held and alone:
            yield from filter(None, (held[:looked], held[looked:]))
            held, looked, size, clock, quiet = [], 0, 0, engine.clock, outlook(engine)
        held.append(turn)
        size += readings(turn)
        before, clock = clock, max(clock, min(newest(turn), turn.at))
        looks = clock // TICK > before // TICK
        looked = len(held) if looks else looked
        due = looks and clock >= min(quiet.until, engine.clock + longest)
        if alone or due or size > MOST:
            yield from filter(None, (held[:looked], held[looked:]))
            held, looked, size, clock, quiet = [], 0, 0, engine.clock, outlook(engine)
    yield from filter(None, (held[:looked], held[looked:]))


def outlook(engine: Engine) -> Quiet:
    """As the engine stands."""
    until, silent = NEVER, np.zeros(engine.catalog.n, np.bool_)
    for group in engine.groups:
        since = np.maximum(engine.heard[group.rows], engine.born)
        pause = np.maximum(engine.pause[group.rows], REPORT)
        for line in group.ages:
            level, enters = line.standing.grade.level, ages(line.rule)
            silent[group.rows[level > Level.NORMAL]] = True
            entered = np.concatenate([[0.0], enters[:-1]])
            if (since + entered[level] * pause > engine.clock + SOON).any():
                return Quiet(0, silent)  # a series has spoken, and the next look at the clock clears it
            until = min(until, int((since + enters[level] * pause).min(initial=NEVER) if since.size else NEVER))
    return Quiet(until - SOON if engine.born else 0, silent)


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
    return max((int(t.max(initial=0)) for t in times), default=0)
