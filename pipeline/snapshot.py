"""The engine's memory on disk, together with the journal offset it stands for.

Arrays are found again by the keys of their series, so that a catalog that has gained, lost or re-ordered rows takes over the
memory of those that stayed. A rule whose memory has another shape than before starts anew, and says so; its levels stand, as do
those of series that are judged in another group than before, until they are judged again.
"""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from alerts import grade
from lifeline.model import Codes, Ints, Rows
from pipeline.engine import Engine
from pipeline.evidence import Recent
from pipeline.groups import Joint, Line
from pipeline.panels import Panel
from pipeline.slots import Slots
from pipeline.stepping import arrays, standing

log = logging.getLogger("lifeline.snapshot")

Arrays = dict[str, np.ndarray[Any, Any]]


def gather(engine: Engine) -> Arrays:
    """A copy of everything the engine remembers, by name."""
    kept: Arrays = {
        "clock": np.array([engine.clock, engine.born, engine.alone]),
        "keys": np.frombuffer("\n".join(engine.catalog.key.tolist()).encode(), np.uint8),
        "last": engine.last.copy(),
        "heard": engine.heard.copy(),
        "ahead": engine.ahead.copy(),
        "told": engine.told.copy(),
        **{f"recent/{f}": getattr(engine.recent, f).copy() for f in Recent._fields},
        **{f"quality/{f}": getattr(engine.quality, f).copy() for f in engine.quality._fields},
    }
    for group in engine.groups:
        kept[f"rows/{group.name}"] = group.rows
        for line in (*group.values, *group.ages):
            kept |= _line(line)
    for joint in engine.joints:
        grid = joint.grid
        kept[f"assets/{joint.name}"] = np.array(grid.assets)
        kept |= {f"grid/{joint.name}/{k}": v for k, v in grid.memory().items()}
        for line in joint.lines:
            kept |= _line(line)
    for i, slots in enumerate(engine.slots):
        kept[f"slots/{i}/is"] = np.array([slots.slot, slots.wait])
        kept |= {f"slots/{i}/{k}": v for k, v in slots.memory().items()}
    for panel in engine.panels:
        kept |= {
            f"rows/{panel.name}": panel.rows,
            f"panel/{panel.name}/x": panel.x.copy(),
            f"panel/{panel.name}/t": panel.t.copy(),
        }
        for line in panel.lines:
            kept |= _line(line)
    return kept


def _line(line: Line) -> Arrays:
    return {f"line/{line.name}/{k}": v.copy() for k, v in arrays(line.standing).items()}


def scatter(engine: Engine, kept: Arrays) -> None:
    """Give the memory back to an engine, series by series."""
    engine.clock, engine.born, engine.alone = (*kept["clock"].tolist(), 0)[:3]  # an older one lacks the third
    old = {k: i for i, k in enumerate(kept["keys"].tobytes().decode().split("\n"))}
    was = np.array([old.get(k, -1) for k in engine.catalog.key.tolist()], np.int64)
    _copy(engine.last, kept["last"], was)
    _copy(engine.heard, kept["heard"], was)
    _copy(engine.ahead, kept["ahead"], was)
    _copy(engine.told, kept.get("told", kept["last"]), was)  # an older one lacks it
    for f in Recent._fields:
        _copy(getattr(engine.recent, f), kept[f"recent/{f}"], was)
    for f in engine.quality._fields:
        _copy(getattr(engine.quality, f), kept[f"quality/{f}"], was)
    for group in engine.groups:
        rows = kept.get(f"rows/{group.name}")
        moved = _positions(was[group.rows], rows)
        for line in (*group.values, *group.ages):
            _restore(line, kept, moved)
            _regrade(line, *_grades(kept, line.rule.id, "rows", len(old)), was[group.rows])
    for joint in engine.joints:
        _scatter_joint(joint, kept)
    now = np.array([engine.catalog.row.get(k, -1) for k in old], np.int64)
    for slots in engine.slots:
        _scatter_slots(slots, kept, now)
    for panel in engine.panels:
        _scatter_panel(panel, kept, was, len(old))


def _scatter_slots(slots: Slots, kept: Arrays, now: Ints) -> None:
    """The slots of the same length and wait; now [n of old]: where each row of old stands."""
    for name, v in kept.items():
        if name.startswith("slots/") and name.endswith("/is") and v.tolist() == [slots.slot, slots.wait]:
            prefix = name.removesuffix("is")
            slots.remember({k.removeprefix(prefix): a for k, a in kept.items() if k.startswith(prefix)}, now)


def _scatter_panel(panel: Panel, kept: Arrays, was: Ints, n: int) -> None:
    """A panel goes on only with the very members that it had; else it begins anew, and its levels stand."""
    rows = kept.get(f"rows/{panel.name}")
    same = rows is not None and np.array_equal(rows, was[panel.rows])
    if same:
        panel.x, panel.t = kept[f"panel/{panel.name}/x"].astype(np.float32), kept[f"panel/{panel.name}/t"].copy()
    for line in panel.lines:
        if same:
            _restore_whole(line, kept)
        elif rows is not None:
            log.warning("a rule starts anew: its panel has other members", extra={"rule": line.rule.id, "line": line.name})
        _regrade(line, *_grades(kept, line.rule.id, "rows", n), was[panel.rows])


def _restore_whole(line: Line, kept: Arrays) -> None:
    """Memory of any shape, series first or not, where it is the one that the detector gives it now."""
    prefix = f"line/{line.name}/memory."
    old = {k.removeprefix(prefix): v for k, v in kept.items() if k.startswith(prefix)}
    if old and (recast := getattr(line.rule.detector, "recast", None)) is not None:
        old = recast(old)  # what an older version kept in another form
    new = line.standing.memory._asdict()
    if old.keys() == new.keys() and all(old[k].dtype == a.dtype and old[k].shape == a.shape for k, a in new.items()):
        line.standing.memory = type(line.standing.memory)(**{k: v.copy() for k, v in old.items()})
    else:
        log.warning("a rule starts anew: no memory that fits", extra={"rule": line.rule.id, "line": line.name})


def _scatter_joint(joint: Joint, kept: Arrays) -> None:
    names = sorted({a for k, v in kept.items() if k.startswith("assets/") for a in v.tolist()})
    place = {a: i for i, a in enumerate(names)}
    was = np.array([place.get(a, -1) for a in joint.grid.assets], np.int64)
    numbered = kept | {
        k: np.array([place[a] for a in v.tolist()], np.int64) for k, v in kept.items() if k.startswith("assets/")
    }
    moved = _positions(was, numbered.get(f"assets/{joint.name}"))
    if f"assets/{joint.name}" in kept:
        prefix = f"grid/{joint.name}/"
        joint.grid.remember({k.removeprefix(prefix): v for k, v in kept.items() if k.startswith(prefix)}, moved)
    for line in joint.lines:
        if f"assets/{joint.name}" in kept:
            _restore(line, kept, moved)
        _regrade(line, *_grades(numbered, line.rule.id, "assets", len(names)), was)


def _grades(kept: Arrays, rule: str, member: str, n: int) -> tuple[Codes, np.ndarray[Any, Any]]:
    """Level [n] and waits [n, 4] under a rule of all the series or assets of old, whatever their groups."""
    level, wait = grade.init(n)
    prefix = f"line/{rule}|"
    for group in [
        k.removeprefix(prefix).removesuffix("/grade.level") for k in kept if k.startswith(prefix) and k.endswith("/grade.level")
    ]:
        rows, was = kept.get(f"{member}/{group}"), kept[f"{prefix}{group}/grade.wait"]
        if rows is not None:
            level[rows] = kept[f"{prefix}{group}/grade.level"]
            if was.shape[1:] == wait.shape[1:]:
                wait[rows] = was
    return level, wait


def _regrade(line: Line, level: Codes, wait: np.ndarray[Any, Any], was: Ints) -> None:
    """What stands goes on standing until it is judged again, though the detector may have to begin anew."""
    stayed = was >= 0
    line.standing.grade.level[stayed] = level[was[stayed]]
    line.standing.grade.wait[stayed] = wait[was[stayed]]


def _positions(was: Ints, rows: Rows | None) -> Ints:
    """Positions in the group of old of the series that stand in this one now; -1: not there."""
    if rows is None:
        return np.full(was.size, -1, np.int64)
    place = {r: i for i, r in enumerate(rows.tolist())}
    return np.array([place.get(r, -1) for r in was.tolist()], np.int64)


def _copy(new: np.ndarray[Any, Any], old: np.ndarray[Any, Any], was: Ints) -> None:
    if old.shape[1:] == new.shape[1:]:  # another version may have kept more or less of it
        stayed = was >= 0
        new[stayed] = old[was[stayed]]


def _restore(line: Line, kept: Arrays, moved: Ints) -> None:
    prefix = f"line/{line.name}/"
    old = {k.removeprefix(prefix): v for k, v in kept.items() if k.startswith(prefix)}
    fresh = standing(line.rule, moved.size)
    new = arrays(fresh)
    fits = old.keys() == new.keys() and all(old[k].shape[1:] == new[k].shape[1:] and old[k].dtype == new[k].dtype for k in new)
    if not fits:
        log.warning("a rule starts anew: no memory that fits", extra={"rule": line.rule.id, "line": line.name})
        return
    for k, v in new.items():
        _copy(v, old[k], moved)
    line.standing = fresh


def save(path: Path, kept: Arrays) -> None:
    """On the disk, whole, when this returns."""
    temp = path.with_suffix(".tmp")
    with temp.open("wb") as f:
        np.savez(f, allow_pickle=False, **kept)
        f.flush()
        os.fsync(f.fileno())
    temp.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as z:
        return {k: z[k] for k in z.files}
