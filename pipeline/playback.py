"""The command `lifeline replay`: a recording through the very engine that runs live, or to a broker as its devices sent it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

import detectors
from alerts.case import Case
from lifeline.catalog import write
from lifeline.clock import iso, now
from lifeline.model import NS, Change, Kind, Rule
from lifeline.words import Unusable
from pipeline import verdicts
from pipeline.delivery import Line, broker, deliver, later
from pipeline.docket import Docket, Step, Warned
from pipeline.marks import SHAPES
from pipeline.progress import ASAP, bar, paced, passing, stoppable
from pipeline.recording import Recording
from pipeline.replay import Replay
from pipeline.stretch import stretches
from simulators.world import Turn

Say = Callable[[str], None]


@dataclass
class Retold:
    """What came of a replay."""

    replay: Replay
    changes: list[Change] = field(default_factory=list)
    docket: Docket = field(default_factory=Docket)

    def take(self, found: Iterable[Change], say: Say) -> None:
        """Judge changes; say them, and what became of warnings."""
        for c in found:
            self.changes.append(c)
            say(f"{iso(c.t)}             {c.asset}  {c.hazard}  {c.key}  {c.rule}  {c.old} → {c.new}")
            for case, step in self.docket.take([c]):
                say(line(case, step))


def line(case: Case, step: Step) -> str:
    """A step of a warning for people."""
    kind = "" if step.kind is Kind.HAZARD else "  (ticket)"
    by = f"  {step.voices} voices" if step.voices > 1 else ""
    return f"{iso(step.t)}  {SHAPES[step.level.name]} {step.level.name:6}  {case.asset}  {case.hazard}{by}{kind}"


def judged(
    recording: Recording,
    rules: list[Rule],
    speed: float = ASAP,
    console: Console | None = None,
    stop: threading.Event | None = None,
) -> Retold:
    """The whole recording, until told to stop; the same changes whatever the speed. console: where they are said"""
    made, stop = Retold(Replay(recording.catalog, rules, recording.city, recording.terms)), stop or threading.Event()

    def say(text: str) -> None:
        if console is not None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    first, last = recording.span
    with bar((last - first) / NS, "replay", console) as told:
        passed = passing(told, first)
        for run in _runs(recording, made.replay, speed, stop):
            made.take(made.replay.step(*run), say)
            passed(run[-1])
    return made


def _runs(recording: Recording, replay: Replay, speed: float, stop: threading.Event) -> Iterator[list[Turn]]:
    """At once as many turns as may be judged together; at a pace each in its time."""
    turns = paced(recording.turns(), recording.span[0], speed, stop)
    yield from stretches(turns, replay.engine) if speed == ASAP else ([turn] for turn in turns)


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
    catalog: Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """What was done. speed: times real time; None: ASAP, but 1 when published."""
    if publish and (rules or out):
        raise Unusable("--rules, --out: what is published is judged by those who listen; leave them out, or --publish")
    recording = Recording(path)
    if catalog is not None:
        write(recording.catalog, catalog)
    began = perf_counter()
    with stoppable() as stop:
        if publish:
            said = _published(recording, publish, speed or 1.0, shift=shift, city=city or recording.city, ca=ca, stop=stop)
        else:
            said = _judged(recording, rules, speed or ASAP, out, console, stop)
    took, (first, last) = perf_counter() - began, recording.span
    return {
        "recording": str(path), "source": recording.info["source"], "from": iso(first), "to": iso(last), **said,
        "seconds": round(took, 3), **({"times_real_time": round((last - first) / NS / took, 1)} if said["whole"] else {}),
    }  # fmt: skip


def _judged(
    recording: Recording, rules: Path | None, speed: float, out: Path | None, console: Console | None, stop: threading.Event
) -> dict[str, Any]:
    made = judged(recording, detectors.rules(rules), speed, console, stop)
    hazards, tickets = made.docket.hazards(), made.docket.tickets()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        verdicts.changes(made.changes, out / "changes.parquet")
        verdicts.warnings(hazards, out / "warnings.parquet")
        verdicts.warnings(tickets, out / "tickets.parquet")
    return {
        "readings": made.replay.readings, "refused": made.replay.refused, "whole": not stop.is_set(),
        "changes": [{**verdicts.change(c), "t": iso(c.t)} for c in made.changes],
        "warnings": [told(w) for w in hazards], "tickets": [told(w) for w in tickets],
    }  # fmt: skip


def told(w: Warned) -> dict[str, Any]:
    """A warning in JSON."""
    return {
        "id": w.case.id, "asset": w.case.asset, "hazard": w.case.hazard, "level": w.peak.name, "onset": iso(w.case.onset),
        "steps": [{"t": iso(s.t), "level": s.level.name, "kind": s.kind.value, "voices": s.voices} for s in w.steps],
    }  # fmt: skip


def _published(
    recording: Recording, url: str, speed: float, *, shift: bool, city: str, ca: Path | None, stop: threading.Event
) -> dict[str, Any]:
    to, (first, last) = broker(url, ca), recording.span
    with Line(to, "lifeline-replay") as line, bar((last - first) / NS, "replay") as bar_told:
        moved = later(first, last, speed, now()) if shift else 0
        done = deliver(
            recording.turns(), recording.catalog, city, line, speed=speed, start=first, shift=moved,
            sent=passing(bar_told, first), stop=stop,
        )  # fmt: skip
    return {"broker": f"{to.host}:{to.port}", "city": city, **done._asdict(), "shift_s": moved / NS}
