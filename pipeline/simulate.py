"""The command `lifeline simulate`: a scenario into a recording, or live over MQTT, paced by the clock."""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from lifeline.catalog import write
from lifeline.clock import FastClock, WallClock, iso, now
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.delivery import Line, broker, deliver
from pipeline.progress import ASAP, bar, paced, passing
from pipeline.recording import Info, Recorder
from pipeline.scenarios import true
from simulators.scenario import find, load
from simulators.stage import Stage, stage

CITY: Final = "chengjiang"
MILLI: Final = NS // 1000


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
    began = perf_counter()
    said = (
        _recorded(on, record, city, speed or ASAP)
        if record
        else _published(on, publish, city, speed or 1.0, shift=shift, ca=ca)
    )
    took = perf_counter() - began
    s = on.scenario
    return {
        "scenario": s.id, "seed": on.seed, "from": iso(s.start), "to": iso(s.end), "series": on.catalog.n, **said,
        "seconds": round(took, 3), "times_real_time": round(s.duration / took, 1),
    }  # fmt: skip


def _recorded(on: Stage, path: Path, city: str, speed: float) -> dict[str, Any]:
    s = on.scenario
    with Recorder(path, on.catalog, described(on, city)) as to, bar(s.duration, s.id) as told:
        passed = passing(told, s.start)
        for turn in paced(on.turns(), s.start, speed):
            to.add(turn)
            passed(turn)
    return {"recording": str(path), "readings": to.readings, "bytes": path.stat().st_size}


def described(on: Stage, city: str) -> Info:
    """What a recording says of its origin: the file of the scenario, and what is true in it."""
    s = on.scenario
    return {
        "source": "simulation", "city": city, "scenario": s.id, "seed": on.seed, "from": iso(s.start), "to": iso(s.end),
        "file": s.path.read_text("utf-8"), "truth": [true(t, s.start) for t in on.truth],
    }  # fmt: skip


def _published(on: Stage, url: str, city: str, speed: float, *, shift: bool, ca: Path | None) -> dict[str, Any]:
    s, to = on.scenario, broker(url, ca)
    with Line(to, "lifeline-simulate") as line, bar(s.duration, s.id) as told:
        moved = later(s.start, s.end, speed) if shift else 0
        clock = FastClock(now()) if speed == ASAP else WallClock(speed)
        passed = passing(told, s.start)
        done = asyncio.run(deliver(on.turns(), on.catalog, city, line, clock, start=s.start, shift=moved, sent=passed))
    return {"broker": f"{to.host}:{to.port}", "city": city, **done._asdict(), "shift_s": moved / NS}


def later(start: int, end: int, speed: float) -> int:
    """So much is added to the times of a stream [ns] that its last reading is dated when it is sent, and none is of the future.

    At its own speed, every reading is dated when it is sent. Whole milliseconds: not every message can say more.
    """
    return (now() + round((end - start) / speed) - end) // MILLI * MILLI
