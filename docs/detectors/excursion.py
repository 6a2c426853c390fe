"""False alarms of the excursion detector: a gauge under lorries and the sun, counted for a year, by how far the sun moves it.

Run: python docs/detectors/excursion.py      (some minutes); with --picture only the picture
"""

import sys
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.excursion import default  # noqa: E402  after the path
from lifeline.model import NS, Floats, Ints  # noqa: E402

DAY: Final = 86_400
GAUGES: Final = 40
DAYS: Final = 5
HOLD: Final = 300  # [s] of the rule


def gauges(n: int, seed: int, sun: float) -> Floats:
    """Strain of so many gauges for a day, second by second: lorries up to 1, noise, the sun. [n, DAY]"""
    rng = np.random.default_rng(seed)
    x = 0.03 * rng.normal(size=(n, DAY))
    for i in range(n):
        at = np.cumsum(rng.integers(40, 240, DAY // 40))
        for a in at[at < DAY].tolist():
            x[i, a : a + int(rng.integers(5, 60))] += rng.uniform(0.2, 1.0)
    return x - 0.5 * sun * np.cos(2 * np.pi * np.arange(DAY) / DAY)


def count(sun: float) -> int:
    s, held, on, raised = default.init(GAUGES), np.zeros(GAUGES, np.int64), np.zeros(GAUGES, np.bool_), 0
    for day in range(DAYS):
        t: Ints = (day * DAY + np.arange(1, DAY + 1)) * NS
        s, score = default.step(s, gauges(GAUGES, day, sun), t)
        for j in range(DAY):
            held = np.where(score[:, j] >= 1, held + 1, 0)
            raised += int(((held >= HOLD) & ~on).sum())
            on = (held >= HOLD) | (on & (score[:, j] >= 0.8))
    return raised


def picture() -> None:
    x = gauges(1, 3, 2.0)[0][20_000:30_000] * 8
    x[6000:] += np.clip(np.arange(4000) * 0.03, 0, 40)
    score = default.step(default.init(1), x[None], np.arange(1, x.size + 1) * NS)[1][0]
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    a.plot(x, lw=0.5)
    a.set_ylabel("strain [µε]")
    b.plot(score)
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("second: a support settles from 6,000 on")
    figure.tight_layout()
    figure.savefig(HERE / "excursion.png", dpi=110)


if __name__ == "__main__":
    picture()
    for sun in () if "--picture" in sys.argv else (4.0, 8.0, 16.0):
        print(f"the sun moves it by {sun:g} widths a day: {count(sun)} warnings in {GAUGES * DAYS} gauge-days")
