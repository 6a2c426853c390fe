"""The command `lifeline simulate`: a scenario into a recording, or live over MQTT, paced by the clock."""

import sys
import threading
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from lifeline.catalog import write
from lifeline.clock import iso, now
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.delivery import Line, broker, deliver, later
from pipeline.progress import ASAP, bar, paced, passing, stoppable
from pipeline.recording import Info, Recorder
from pipeline.scenarios import true
from simulators.scenario import find, load
from simulators.stage import Stage, stage

CITY: Final = "chengjiang"


def run(
    name: str,
    *,
    seed: int | None = None,
    speed: float | None = None,
    publish: str = "",
    record: Path | None = None,
    catalog: Path | None = None,
    city: str = CITY,
    shift: bool = True,
    ca: Path | None = None,
) -> dict[str, Any]:
    """What was done. speed: times real time; None: 1 when published, ASAP when recorded. shift: dates as if it happened now."""
    if bool(publish) == (record is not None):
        raise Unusable("say where to: --record FILE, or --publish mqtt://HOST")
    on = stage(load(find(name)), seed)
    if catalog is not None:
        write(on.catalog, catalog)
        sys.stderr.write(f"{catalog}: the catalog of its {on.catalog.n} series\n")
    if publish and sys.stderr.isatty():
        known = catalog or "what --catalog FILE writes"
        sys.stderr.write(f'a system that listens: [city] name = "{city}", catalog = {known}\n')
    began = perf_counter()
    with stoppable() as stop:
        if record:
            said = _recorded(on, record, city, speed or ASAP, stop)
        else:
            said = _published(on, publish, city, speed or 1.0, shift=shift, ca=ca, stop=stop)
    took = perf_counter() - began
    s = on.scenario
    return {
        "scenario": s.id, "seed": on.seed, "from": iso(s.start), "to": iso(s.end), "series": on.catalog.n, **said,
        "seconds": round(took, 3), **({"times_real_time": round(s.duration / took, 1)} if said["whole"] else {}),
    }  # fmt: skip


def _recorded(on: Stage, path: Path, city: str, speed: float, stop: threading.Event) -> dict[str, Any]:
    s = on.scenario
    with Recorder(path, on.catalog, described(on, city)) as to, bar(s.duration, s.id) as told:
        passed = passing(told, s.start)
        for turn in paced(on.turns(), s.start, speed, stop):
            to.add(turn)
            passed(turn)
    return {"recording": str(path), "readings": to.readings, "bytes": path.stat().st_size, "whole": not stop.is_set()}


def described(on: Stage, city: str) -> Info:
    """What a recording says of its origin: the file of the scenario, and what is true in it."""
    s = on.scenario
    return {
        "source": "simulation", "city": city, "scenario": s.id, "seed": on.seed, "from": iso(s.start), "to": iso(s.end),
        "file": s.path.read_text("utf-8"), "truth": [true(t, s.start) for t in on.truth],
    }  # fmt: skip


def _published(
    on: Stage, url: str, city: str, speed: float, *, shift: bool, ca: Path | None, stop: threading.Event
) -> dict[str, Any]:
    s, to = on.scenario, broker(url, ca)
    with Line(to, "lifeline-simulate") as line, bar(s.duration, s.id) as told:
        moved = later(s.start, s.end, speed, now()) if shift else 0
        passed = passing(told, s.start)
        done = deliver(
            on.turns(), on.catalog, city, line, speed=speed, start=s.start, shift=moved, sent=passed, stop=stop
        )  # fmt: skip
    return {"broker": f"{to.host}:{to.port}", "city": city, **done._asdict(), "shift_s": moved / NS}
