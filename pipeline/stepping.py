"""Stepping one rule over the series that have new samples: detector, then grade, in place.

Rows are worked in tiles that stay in the cache. Scores are graded only where something can change; that leaves out no change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts import grade
from alerts.grade import GradeState
from lifeline.model import Bools, Codes, Detector, Floats, Ints, Level, Limits, Rule, is_panel, is_timed
from pipeline.stopwatch import timed

ROWS: Final = 8192  # [1] series in a tile: measured; fewer pay numpy's calls, more no longer fit a second-level cache of 1 MB
TICKS: Final = 16  # [1] samples of them worked on at once, where a detector does not ask for more; measured like the tiles


class BadSnapshot(ValueError):
    """Stored memory that does not belong to this rule."""


class Steps(NamedTuple):
    """What a rule said to new samples: all scores, and every change of level, by tick and then by row."""

    score: Floats  # [m, k] [1]
    which: Ints  # [c] row of x that changed
    tick: Ints  # [c] column of x that changed it
    old: Codes  # [c] Level
    new: Codes  # [c] Level


@dataclass(slots=True)
class Standing:
    """The memory of one rule over its n series. `advance` writes to it."""

    memory: Any  # the detector's state: a NamedTuple of arrays, series first
    grade: GradeState

    @property
    def n(self) -> int:
        return int(self.grade.level.shape[0])


def fitted(rule: Rule, step: float) -> Rule:
    """The rule for series of one step [s]: detectors with a field `every` are told it."""
    if not hasattr(rule.detector, "every"):
        return rule
    return replace(rule, detector=replace(rule.detector, every=step))  # type: ignore[type-var]  # detectors are dataclasses


def standing(rule: Rule, n: int) -> Standing:
    """The memory of n series that have seen nothing."""
    return Standing(rule.detector.init(n), grade.init(n))


@timed
def advance(
    rule: Rule,
    standing: Standing,
    index: slice | Ints,
    x: Floats,
    out: Floats | None = None,
    t: Ints | None = None,
    old: Bools | None = None,
) -> Steps:
    """Judge x [m, k] (joint: [m, c, k]) of the series at `index`, unique positions in the rule's list; a slice costs no gather.

    t: [m, k] [ns] of the samples; needed by detectors that are timed
    old: [m, k] samples that came so late that they raise nothing beyond ORANGE
    out: array [m, k] for the scores, to be used again by callers who keep none; best in column order, as x.
    """
    m, k = x.shape[0], x.shape[-1]
    score = np.empty((k, m)).T if out is None else out
    active = np.zeros(m, np.bool_)
    lowest = used(rule.limits).min(initial=np.inf)
    for part, rows in tiles(index, m):
        s = taken = type(standing.memory)(*(a[rows] for a in standing.memory))
        stirs = awake(standing.grade, rows)
        for span in spans(k, part.stop - part.start, ROWS * getattr(rule.detector, "ticks", TICKS)):
            s, said = stepped(rule.detector, s, columns(x[part, ..., span]), None if t is None else t[part, span])
            score[part, span] = said if old is None else tempered(rule.limits, said, old[part, span])
            hot = said >= lowest
            if hot.any():
                stirs |= hot.any(axis=1)
        for whole, was, new in zip(standing.memory, taken, s, strict=True):
            if new is not was:
                whole[rows] = new
        active[part] = stirs
    return Steps(score, *regrade(rule.limits, standing.grade, index, score, np.flatnonzero(active)))


def stepped(detector: Detector, s: Any, x: Floats, t: Ints | None) -> tuple[Any, Floats]:
    """One step, with the time where it is wanted."""
    if is_timed(detector):
        assert t is not None, f"{detector!r} wants to know the time"
        return detector.step(s, x, t)
    return detector.step(s, x)


def tempered(limits: Limits, score: Floats, old: Bools) -> Floats:
    """Scores of which those that are `old` stay below RED, where the rule has a lower level for them. [m, k]"""
    if not np.isfinite(limits.enter[: Level.ORANGE]).any():
        return score
    return np.where(old, np.minimum(score, np.nextafter(limits.enter[Level.RED - 1], 0.0)), score)


@timed
def together(rule: Rule, standing: Standing, x: Floats, t: Ints, judged: Bools) -> Steps:
    """Judge slots x [n, k], t [k] of all series of a panel; the others than those `judged` [n] are given no score."""
    assert is_panel(rule.detector)
    memory, said = rule.detector.step(standing.memory, x, t)
    score = np.where(judged[:, None], said, np.nan)
    standing.memory = memory
    lowest = used(rule.limits).min(initial=np.inf)
    active = awake(standing.grade, slice(None)) | (score >= lowest).any(axis=1)
    return Steps(score, *regrade(rule.limits, standing.grade, slice(None), score, np.flatnonzero(active)))


def alike(a: Any, b: Any) -> bool:
    """Whether two memories of a detector are the same."""
    return a is b or all(x is y or np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(a, b, strict=True))


def tiles(index: slice | Ints, m: int) -> Iterator[tuple[slice, slice | Ints]]:
    """Rows of x, and the series they belong to, a tile at a time."""
    start = index.start or 0 if isinstance(index, slice) else 0
    for a in range(0, m, ROWS):
        part = slice(a, min(a + ROWS, m))
        yield part, slice(start + part.start, start + part.stop) if isinstance(index, slice) else index[part]


def spans(k: int, rows: int, most: int) -> Iterator[slice]:
    """The ticks of a tile, about so many at a time that there are `most` readings: as many as stay in the cache."""
    parts = min(max(round(k * rows / most), 1), max(k, 1))
    for i in range(parts):
        yield slice(i * k // parts, (i + 1) * k // parts)


def columns(x: Floats) -> Floats:
    """The same values, those of one tick side by side in memory."""
    return x if x.strides[0] == x.itemsize else np.asfortranarray(x)


def used(limits: Limits) -> Floats:
    """The bounds of the levels that are used. [1]"""
    return limits.enter[np.isfinite(limits.enter)]


def awake(s: GradeState, rows: slice | Ints) -> Bools:
    """The series that have a level or are waiting for one, whose grade any score may change. [m]"""
    stirs: Bools = (s.level[rows] > 0) | (s.wait[rows].view(np.int64)[:, 0] != 0)  # its four int16 read as one number
    return stirs


def regrade(limits: Limits, s: GradeState, index: slice | Ints, score: Floats, rows: Ints) -> tuple[Ints, Ints, Codes, Codes]:
    """Step the grade of these rows of score [m, k] over all ticks, in place -> which, tick, old, new of every change."""
    at = rows + (index.start or 0) if isinstance(index, slice) else index[rows]
    now = GradeState(s.level[at], s.wait[at])
    found: list[tuple[Ints, Ints, Codes, Codes]] = []
    for j in range(score.shape[1] if rows.size else 0):
        was = now.level
        now = grade.step(limits, now, score[rows, j])
        c = np.flatnonzero(now.level != was)
        if c.size:
            found.append((rows[c], np.full(c.size, j), was[c], now.level[c]))
    s.level[at], s.wait[at] = now
    none, same = np.empty(0, np.int64), np.empty(0, np.uint8)
    which, tick, old, new = zip((none, none, same, same), *found, strict=True)
    return np.concatenate(which), np.concatenate(tick), np.concatenate(old), np.concatenate(new)


def copy(standing: Standing) -> Standing:
    """A snapshot that later steps leave alone."""
    memory = type(standing.memory)(*(a.copy() for a in standing.memory))
    return Standing(memory, GradeState(standing.grade.level.copy(), standing.grade.wait.copy()))


def arrays(standing: Standing) -> dict[str, NDArray[Any]]:
    """The memory by name, as np.savez takes it."""
    return {
        **{f"memory.{k}": v for k, v in standing.memory._asdict().items()},
        **{f"grade.{k}": v for k, v in standing.grade._asdict().items()},
    }


def restore(rule: Rule, stored: dict[str, NDArray[Any]]) -> Standing:
    """The memory as it was stored; refused when it is not this rule's."""
    if "grade.level" not in stored:
        raise BadSnapshot(f"{rule.id}: no grade.level among {sorted(stored)}")
    fresh = standing(rule, stored["grade.level"].shape[0])
    wanted = arrays(fresh)
    if faults := list(misfits(wanted, stored)):
        raise BadSnapshot(f"{rule.id}: " + "; ".join(faults))
    for name, a in wanted.items():
        a[...] = stored[name]
    return fresh


def misfits(wanted: dict[str, NDArray[Any]], stored: dict[str, NDArray[Any]]) -> Iterator[str]:
    """What keeps stored arrays from being these."""
    for name in sorted(wanted.keys() | stored.keys()):
        if name not in stored:
            yield f"{name} is missing"
        elif name not in wanted:
            yield f"{name} is unknown"
        elif (a := wanted[name]).shape != (b := stored[name]).shape or a.dtype != b.dtype:
            yield f"{name} is {b.dtype}{list(b.shape)}, wanted {a.dtype}{list(a.shape)}"
