"""How many readings a second one core judges: limit, EWMA and CUSUM, each graded, over 100,000 series past their warm-up.

Then each detector by itself (bench/each.py).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from bench import each
from detectors import rules
from detectors.cusum import Cusum
from detectors.ewma import Ewma
from detectors.limit import Limit
from lifeline.model import Detector, Floats, Rule
from pipeline import stepping
from pipeline.stepping import Standing

SERIES: Final = 100_000
TICKS: Final = 60  # [1] samples of each series in a block: an hour of a reading a minute
BLOCKS: Final = 4  # [1] different blocks, taken in turn, so that none stays in the cache
KIN: Final = 500  # [1] series that live through the warm-up; the others start as their copies


def run(seconds: float = 3.0) -> dict[str, Any]:
    """Readings per second through all three rules, beside a plain copy of the same arrays, and with one new reading of each."""
    rng = np.random.default_rng(1)
    watch = [(rule, lived(rule, rng)) for rule in three()]
    blocks = [pressure(rng, SERIES, TICKS) for _ in range(BLOCKS)]
    out = np.empty((TICKS, SERIES)).T
    judged, alone = rate(lambda x: judge(watch, x, out), blocks, seconds)
    copied, _ = rate(lambda x: np.copyto(out, x), blocks, min(seconds, 1.0))
    single, _ = rate(lambda x: judge(watch, x[:, :1], out[:, :1]), blocks, min(seconds, 1.0), ticks=1)
    return {
        "readings_per_s": judged,
        "copy_readings_per_s": copied,
        "ratio": judged / copied,
        "readings_per_cpu_s": alone,
        "one_tick_readings_per_s": single,
        "each": each.figures(),
    }


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """The table of all detectors in Markdown."""
    yield from each.lines(figures["each"])


def three() -> list[Rule]:
    """The rules: a hard limit and two charts, with the bounds of shipped rules."""
    by_id = {r.id: r for r in rules()}
    low: Rule = by_id["water.pressure.low"]
    charts: list[Detector] = [Ewma(), Cusum()]
    assert isinstance(low.detector, Limit)
    return [low, *(replace(by_id["water.pressure.shift"], detector=d) for d in charts)]


def pressure(rng: np.random.Generator, n: int, k: int) -> Floats:
    """Quiet mains, in column order as the watch lays them out. [n, k] [Pa]"""
    return rng.normal(3.5e5, 2e3, (k, n)).T


def lived(rule: Rule, rng: np.random.Generator) -> Standing:
    """The memory of series that are past their warm-up and have learned on."""
    kin = stepping.standing(rule, KIN)
    stepping.advance(rule, kin, slice(0, KIN), pressure(rng, KIN, rule.detector.warmup + 2000))
    stored = {name: np.tile(a, (SERIES // KIN,) + (1,) * (a.ndim - 1)) for name, a in stepping.arrays(kin).items()}
    return stepping.restore(rule, stored)


def judge(watch: list[tuple[Rule, Standing]], x: Floats, out: Floats) -> None:
    """All rules over one block."""
    for rule, standing in watch:
        stepping.advance(rule, standing, slice(0, SERIES), x, out)


def rate(work: Callable[[Floats], None], blocks: list[Floats], seconds: float, ticks: int = TICKS) -> tuple[float, float]:
    """Readings per second, and per second of processor time (what is left when others use the machine too): best of five."""
    wall, processor = [], []
    for _ in range(5):
        n, start, busy = 0, time.perf_counter(), time.process_time()
        while (spent := time.perf_counter() - start) < seconds / 5 or n == 0:
            work(blocks[n % len(blocks)])
            n += 1
        wall.append(n * SERIES * ticks / spent)
        processor.append(n * SERIES * ticks / (time.process_time() - busy))
    return max(wall), max(processor)
