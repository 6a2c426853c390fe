"""How often the concord detector is wrong: quiet areas counted, and the leaks and sensors that it finds.

Run: python docs/detectors/concord.py      (some minutes); with --picture only the picture
"""

import sys
from pathlib import Path
from typing import Final, Literal

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from lifeline.model import Floats  # noqa: E402  after the path
from tests.detectors.test_concord import GAUGES, METRE, TAU, area, held, leak, run  # noqa: E402

AREAS: Final = 40
DAYS: Final = 91
NODES: Final = 20
CASES: Final = ((0.03, 0.0), (0.03, 0.8), (0.1, 0.8), (0.03, 0.98))  # spread of a node's own demand, how it lasts


def raised(score: Floats, slots: int) -> int:
    """Warnings: times at which some series has stood over 1 for so many slots, a day apart at least."""
    when = held(score, slots)
    return int((np.diff(when, prepend=-(10**6)) > TAU).sum())


def quiet(local: float, lasting: float, asks: Literal["network", "sensor"], slots: int) -> int:
    return sum(raised(run(area(DAYS, k, local=local, lasting=lasting), asks), slots) for k in range(AREAS))


def found(flow: float, local: float, lasting: float) -> int:
    """Leaks that are YELLOW within a day, of so many areas."""
    at, hits = 7 * TAU + 30, 0
    for k in range(NODES):
        when = held(run(area(9, k, local=local, lasting=lasting, more=leak(9, at, k % GAUGES, flow))), 8, 1.2)
        hits += int(((when >= at) & (when < at + TAU)).any())
    return hits


def count() -> None:
    for local, lasting in CASES:
        leaks, sensors = (quiet(local, lasting, a, n) for a, n in (("network", 4), ("sensor", 12)))
        print(f"a node's own demand {local:.0%}, lasting {lasting:g}: {leaks} false leaks, {sensors} false sensors", end=" ")
        print(f"in {AREAS} areas of {DAYS} days; found:", end=" ", flush=True)
        print(", ".join(f"{flow:g} m³/h {found(flow, local, lasting)}/{NODES}" for flow in (3.0, 6.0, 12.0, 20.0)), flush=True)


def picture() -> None:
    x = area(9, 4, more=leak(9, 6 * TAU + 30, 2, 15.0))
    x[4, 4 * TAU : 5 * TAU] -= 1.5 * METRE
    day = np.arange(x.shape[1]) / TAU
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4.5), sharex=True)
    a.plot(day, x[:GAUGES].T / METRE, lw=0.6)
    a.set_ylabel("pressure [m]")
    for asks, name in (("network", "what several show"), ("sensor", "what one alone shows")):
        b.plot(day, np.nanmax(np.nan_to_num(run(x, asks)), axis=0), lw=0.9, label=name)  # type: ignore[arg-type]
    b.axhline(1, color="C3", lw=0.8)
    b.legend()
    b.set_ylabel("score [1]")
    b.set_xlabel("day: a gauge is 1.5 m low on the fifth; a leak of 15 m³/h in 100 begins on the seventh")
    figure.tight_layout()
    figure.savefig(HERE / "concord.png", dpi=100)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        count()
