"""The command `lifeline replay`: a recording through the very engine that runs live, or to a broker as its devices sent it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import detectors
from lifeline.clock import FastClock, WallClock, iso, now
from lifeline.model import NS, Change, Level, Rule
from pipeline import verdicts
from pipeline.delivery import Line, broker, deliver
from pipeline.docket import Docket, Warned
from pipeline.marks import SHAPES
from pipeline.progress import ASAP, bar, paced, passing
from pipeline.recording import Recording
from pipeline.replay import Replay
from pipeline.simulate import later
from pipeline.stretch import stretches
from simulators.world import Turn

Say = Callable[[str], None]


@dataclass
class Retold:
    """What came of a replay."""

    replay: Replay
    changes: list[Change] = field(default_factory=list)
    docket: Docket = field(default_factory=Docket)
    steps: dict[str, int] = field(default_factory=dict)  # of each warning, how many have been said

    def take(self, found: Iterable[Change], say: Say) -> None:
        """Judge changes, and say what became of warnings."""
        found = list(found)
        self.changes += found
        self.docket.take(found)
        for w in self.docket.warnings.values():
            for step in w.steps[self.steps.get(w.case.id, 0) :]:
                say(line(w, step.t, step.level, step.voices))
            self.steps[w.case.id] = len(w.steps)


def line(w: Warned, t: int, level: Level, voices: int) -> str:
    """A step of a warning for people."""
    kind = "" if w.hazard else "  (ticket)"
    by = f"  {voices} voices" if voices > 1 else ""
    return f"{iso(t)}  {SHAPES[level.name]} {level.name:6}  {w.case.asset}  {w.case.hazard}{by}{kind}"


def judged(recording: Recording, rules: list[Rule], speed: float = ASAP, say: Say = lambda _: None) -> Retold:
    """The whole recording; the same changes whatever the speed."""
    made = Retold(Replay(recording.catalog, rules, recording.city, recording.terms))
    first, last = recording.span
    with bar((last - first) / NS, "replay") as told:
        passed = passing(told, first)
        for run in _runs(recording, made.replay, speed):
            made.take(made.replay.step(*run), say)
            passed(run[-1])
    return made


def _runs(recording: Recording, replay: Replay, speed: float) -> Iterator[list[Turn]]:
    """At once as many turns as may be judged together; at a pace each in its time."""
    if speed == ASAP:
        yield from stretches(recording.turns(), replay.engine)
    else:
        yield from ([turn] for turn in paced(recording.turns(), recording.span[0], speed))


def run(
    path: Path,
    *,
    speed: float | None,
    publish: str,
    rules: Path | None,
    out: Path | None,
    shift: bool,
    city: str,
    ca: Path | None,
    say: Say,
) -> dict[str, Any]:
    """What was done. speed: times real time; None: ASAP, but 1 when published."""
    recording = Recording(path)
    began = perf_counter()
    if publish:
        said = _published(recording, publish, speed or 1.0, shift=shift, city=city or recording.city, ca=ca)
    else:
        said = _judged(recording, rules, speed or ASAP, out, say)
    took, (first, last) = perf_counter() - began, recording.span
    return {
        "recording": str(path), "source": recording.info["source"], "from": iso(first), "to": iso(last), **said,
        "seconds": round(took, 3), "times_real_time": round((last - first) / NS / took, 1),
    }  # fmt: skip


def _judged(recording: Recording, rules: Path | None, speed: float, out: Path | None, say: Say) -> dict[str, Any]:
    made = judged(recording, detectors.rules(rules), speed, say)
    hazards, tickets = made.docket.hazards(), made.docket.tickets()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        verdicts.changes(made.changes, out / "changes.parquet")
        verdicts.warnings(hazards, out / "warnings.parquet")
        verdicts.warnings(tickets, out / "tickets.parquet")
    return {
        "readings": made.replay.readings, "refused": made.replay.refused, "changes": len(made.changes),
        "warnings": [told(w) for w in hazards], "tickets": [told(w) for w in tickets],
    }  # fmt: skip


def told(w: Warned) -> dict[str, Any]:
    """A warning in JSON."""
    return {
        "id": w.case.id, "asset": w.case.asset, "hazard": w.case.hazard, "level": w.peak.name, "onset": iso(w.case.onset),
        "steps": [{"t": iso(s.t), "level": s.level.name, "kind": s.kind.value, "voices": s.voices} for s in w.steps],
    }  # fmt: skip


def _published(recording: Recording, url: str, speed: float, *, shift: bool, city: str, ca: Path | None) -> dict[str, Any]:
    to, (first, last) = broker(url, ca), recording.span
    with Line(to, "lifeline-replay") as line, bar((last - first) / NS, "replay") as bar_told:
        moved = later(first, last, speed) if shift else 0
        clock = FastClock(now()) if speed == ASAP else WallClock(speed)
        sent = passing(bar_told, first)
        sending = deliver(recording.turns(), recording.catalog, city, line, clock, start=first, shift=moved, sent=sent)
        done = asyncio.run(sending)
    return {"broker": f"{to.host}:{to.port}", "city": city, **done._asdict(), "shift_s": moved / NS}
