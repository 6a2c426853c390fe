"""A long scenario judged piece by piece: what was reached is kept on disk, and the same command goes on from there.

Killed at any instant, at most what was judged since the last writing is lost; and the result is that of an undisturbed run: all
that a telling remembers is kept, the world, the engine and the warnings.
"""

import json
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from rich.console import Console

from lifeline.clock import iso
from lifeline.model import NS, Rule
from lifeline.words import Unusable
from pipeline.ahead import Lot, Way, ahead
from pipeline.docket import Docket
from pipeline.outcome import Result, outcome
from pipeline.progress import bar, stoppable
from pipeline.replay import Replay
from pipeline.scenarios import spoken
from pipeline.scoring import score
from pipeline.stamp import Stamp, stamp
from pipeline.stretch import stretches
from pipeline.trial import Job, Left, heard, single, told, tried
from pipeline.whatif import revised
from simulators.scenario import Scenario, load
from simulators.stage import Stage, stage
from simulators.world import City, Turn

PIECE: Final = 600  # [s] of the scenario, between two looks at the clock
EVERY: Final = 60.0  # [s] by the clock, between two writings


@dataclass
class Reached:
    """All that the rest of a telling needs."""

    at: int  # [ns] of the scenario: what arrived by then is judged
    world: bytes  # as it stands then
    replay: Replay
    docket: Docket = field(default_factory=Docket)
    arrived: dict[str, int] = field(default_factory=dict)  # [ns] by the change's id, of those that moved a warning
    seconds: float = 0.0  # by the clock so far, writing included

    seen: int = 0  # [ns] what has been asked of the world


class Sitting(NamedTuple):
    """Where the present process took up a scenario."""

    at: int  # [ns] of the scenario
    readings: int
    began: float  # [s] by the clock

    def line(self, s: Scenario, reached: Reached, now: float) -> str:
        """How far it is, how fast it goes, and how long it will take at that pace. now: [s] by the clock"""
        spent, whole = max(now - self.began, 1e-9), (s.end - reached.at) / NS
        pace = (reached.at - self.at) / NS / spent
        rate = (reached.replay.readings - self.readings) / spent
        hazards = len(reached.docket.hazards())
        return (
            f"{s.id}: {spoken((reached.at - s.start) / NS)} of {spoken(s.duration)}, {reached.replay.readings:,} readings, "
            f"warnings: {hazards}, tickets: {len(reached.docket.warnings) - hazards}; {rate:,.0f} readings/s, "
            f"{spoken(whole / pace) if pace else '?'} left"
        )


@dataclass(frozen=True)
class Keeping:
    """Where a scenario's state is kept, and whose it is."""

    path: Path
    stamp: Stamp


def keeping(job: Job, folder: Path, *, force: bool) -> Keeping:
    """The place of a scenario in a folder. Unusable where it cannot be told in pieces, or was begun by others.

    force: go on all the same, by the rules that it was begun with
    """
    s = load(job.path)
    if s.transport:
        raise Unusable(f"{job.path}: --keep: a network that is at fault cannot be kept; leave out [[transport]], or --keep")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise Unusable(f"{folder}: cannot be written: {why.strerror}") from why
    mark = stamp(s, job.seed, job.rules)
    path = folder / f"{s.id}-{mark.scenario[:12]}.kept"
    was = header(path) if path.exists() else {}
    other = [k for k, v in mark._asdict().items() if was.get(k, v) != v]
    if other and not force:
        raise Unusable(
            f"{path}: was begun by {' and '.join(f'another {x}' if x == 'program' else f'other {x}' for x in other)}; "
            "delete it to begin anew, or --force to go on by the rules that it was begun with"
        )
    return Keeping(path, mark)


def kept(job: Job, to: Keeping) -> Result:
    """The result of one scenario, from wherever it was left."""
    return tried(job, lambda j, s: _kept(j, s, to))


def _kept(job: Job, s: Scenario, to: Keeping) -> Result:
    on, book = stage(s, job.seed), revised(job.rules, [])
    with _alone(to.path):
        reached = read(to.path) if to.path.exists() else begun(on, book)
        played(on, book, reached, to, apart=job.apart)
    said = told(reached.docket, reached.arrived, [], reached.replay)
    sc = score(s, on.truth, said.hazards, said.tickets)
    one = outcome(on, said.hazards, said.tickets, sc, reached.replay.readings, reached.replay.refused)
    return {**one, "plot": "", "spent_s": round(reached.seconds, 1)}


def begun(on: Stage, rules: list[Rule]) -> Reached:
    """Where nothing has been told."""
    return Reached(on.scenario.start, pickle.dumps(on.world, 5), Replay(on.catalog, rules, maps=on.maps))


def played(on: Stage, rules: list[Rule], reached: Reached, to: Keeping, *, apart: bool) -> None:
    """Judge what is left of a scenario; the first SIGINT or SIGTERM ends it after the piece at hand, which is kept."""
    s, console, read_by_row = on.scenario, Console(stderr=True, highlight=False), single(rules)
    sitting = Sitting(reached.at, reached.replay.readings, monotonic())
    way = Way(reached.at, s.end, min(on.chunk, PIECE), PIECE)
    world: City = pickle.loads(reached.world)  # noqa: S301  written by ourselves: `read` looks
    wrote = sitting.began
    with stoppable() as stop, ahead(world, way, apart=apart) as lots, bar(s.duration, s.id, console) as shown:
        shown((reached.at - s.start) / NS)
        while reached.at < s.end:
            for run in stretches(_piece(lots, reached, shown), reached.replay.engine):
                reached.arrived |= heard(reached.replay, reached.docket, run, on.catalog, read_by_row)[1]
            _forget(reached)
            now, done = monotonic(), reached.at >= s.end
            if done or stop.is_set() or now - wrote >= EVERY:
                reached.seconds, wrote = reached.seconds + now - wrote, now
                write(to, reached)
                console.print(sitting.line(s, reached, now), markup=False, soft_wrap=True)
            if stop.is_set() and not done:
                raise Left(f"{s.id}: left after {spoken((reached.at - s.start) / NS)}; the same command goes on from there")


def _piece(lots: Iterator[Lot], reached: Reached, shown: Callable[[float], None]) -> Iterator[Turn]:
    """What arrives until the world is next shown as it stands."""
    for lot in lots:
        yield from lot.turns
        shown((lot.until - max(reached.at, reached.seen)) / NS)
        reached.seen = lot.until
        if lot.world:
            reached.at, reached.world = lot.until, lot.world
            return


def _forget(reached: Reached) -> None:
    """Times of arrival of changes that moved no warning."""
    moved = {c.id for w in reached.docket.warnings.values() for c in w.changes}
    reached.arrived = {k: t for k, t in reached.arrived.items() if k in moved}


def write(to: Keeping, reached: Reached) -> None:
    """On the disk, whole, when this returns."""
    temp = to.path.with_suffix(".tmp")
    temp.unlink(missing_ok=True)
    temp.touch(0o600)
    with temp.open("wb") as f:
        f.write(json.dumps({**to.stamp._asdict(), "at": iso(reached.at)}).encode() + b"\n")
        pickle.dump(reached, f, 5)
        f.flush()
        os.fsync(f.fileno())
    temp.rename(to.path)
    folder = os.open(to.path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def header(path: Path) -> dict[str, str]:
    """What a kept state belongs to. Unusable where somebody else wrote it: reading it runs what it says."""
    with path.open("rb") as f:
        if os.fstat(f.fileno()).st_uid != os.getuid() or os.fstat(f.fileno()).st_mode & 0o022:
            raise Unusable(f"{path}: is or may have been written by somebody else; delete it")
        try:
            return dict(json.loads(f.readline()))
        except ValueError as why:
            raise Unusable(f"{path}: is no kept state; delete it to begin anew") from why


def read(path: Path) -> Reached:
    """A kept state."""
    header(path)
    with path.open("rb") as f:
        f.readline()
        try:
            reached = pickle.load(f)  # noqa: S301  ours alone: `header`
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError) as why:
            raise Unusable(f"{path}: cannot be read by this program: {why}; delete it to begin anew") from why
    assert isinstance(reached, Reached)
    return reached


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else goes on from the same state meanwhile."""
    with path.with_suffix(".lock").open("w") as f:
        try:
            flock(f, LOCK_EX | LOCK_NB)
        except OSError as why:
            raise Left(f"{path}: somebody goes on from it already") from why
        yield
