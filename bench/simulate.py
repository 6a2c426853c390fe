"""How much faster than real time cities are simulated, on one core: a small one of some 2,000 series, and a large one.

Measured are the readings as arrays, with the sensors' own errors, as every consumer gets them; not their encoding or storage.
"""

import time
from typing import Any, Final

from lifeline.model import NS, Batch
from simulators.kinds import makers
from simulators.scenario import Scenario, find, load
from simulators.world import Part, Run

WARM: Final = 60.0  # [s] of simulated time before the clock runs: caches, first slots
MOST: Final = 6.0  # [s] of processor time for each world of a city, or so
LONGEST: Final = 86_400.0  # [s] of simulated time


def run() -> dict[str, Any]:
    """Seconds of simulated time per second of processor time, for the cities that come with the program."""
    return {name: measured(load(find(name))) for name in ("small", "large")}


def measured(s: Scenario) -> dict[str, Any]:
    """Each world by itself, one after the other: together they take the sum of their times."""
    assert s.city is not None
    worlds, series = {}, 0
    for name, maker in makers().items():
        scene = maker.town(s.city, [], s.start, s.seed)
        series += scene.catalog.n
        worlds[name] = pace(Run(scene.model, s.start), s.start, scene.model.span)
    cost = sum(w["cpu_ms"] for w in worlds.values())  # [ms] for each second of simulated time
    return {
        "times_real_time": round(1e3 / cost, 1),
        "series": series,
        "readings_per_simulated_s": round(sum(w["readings_per_s"] for w in worlds.values()), 1),
        "worlds": worlds,
    }


def pace(world: Run, start: int, span: int) -> dict[str, float]:
    """Processor time [ms] and readings for each second of simulated time."""
    step = max(span, 10)  # [s]
    at = start + (round(WARM) // step + 1) * step * NS
    world.emit(start, at)
    n, begin, begun = 0, at, time.process_time()
    while (spent := time.process_time() - begun) < MOST and at - begin < LONGEST * NS:
        n += sum(map(size, world.emit(at, at + step * NS)))
        at += step * NS
    simulated = (at - begin) / NS
    return {"cpu_ms": round(spent / simulated * 1e3, 4), "readings_per_s": round(n / simulated, 1), "simulated_s": simulated}


def size(part: Part) -> int:
    """Readings in a part. [1]"""
    return part.n if isinstance(part, Batch) else part.value.size
