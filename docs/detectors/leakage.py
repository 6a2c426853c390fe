"""False alarms of the leakage detector, counted in areas in which nothing happens, and its picture.

Run: python docs/detectors/leakage.py      (some minutes)
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

from detectors.leakage import Leakage  # noqa: E402  after the path
from lifeline.model import Floats  # noqa: E402
from tests.areas import area, hours  # noqa: E402

AREAS: Final = 10
DAYS: Final = 3 * 365
NOISES: Final = (0.02, 0.05, 0.1)  # [1] of an hour's use


def alarms(x: Floats) -> int:
    """Warnings that are raised: the score enters at 1 and leaves below 0.8."""
    d = Leakage(flows=(True,))
    _, score = d.step(d.init(1), x[None], hours(x.size))
    told = score[0][np.isfinite(score[0])]
    up, on = 0, False
    for v in np.minimum(told[1:], told[:-1]).tolist():  # the rule's hold
        up += v >= 1 and not on
        on = v >= 1 or (on and v >= 0.8)
    return up


def smallest(noise: float) -> float:
    """Leak [1] of the mean use that nine of ten areas know within two days."""
    for size in (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5):
        found = 0
        for seed in range(10):
            x = area(45, seed, noise=noise)
            x[24 * 40 :] += size * 100 / 3600
            d = Leakage(flows=(True,))
            _, score = d.step(d.init(1), x[None], hours(x.size))
            told = score[0][24 * 40 : 24 * 42 + 1]
            told = told[np.isfinite(told)]
            found += bool((np.minimum(told[1:], told[:-1]) >= 1).any())
        if found >= 9:
            return size
    return float("nan")


def picture() -> None:
    x = area(90, 2)
    x[24 * 40 : 24 * 55] += 12 / 3600
    x[24 * 65 :] += np.minimum(np.arange(24 * 25) / (24 * 25), 1) ** 2 * 12 / 3600
    d = Leakage(flows=(True,))
    s, score, lost = d.init(1), [], []
    for j, t in enumerate(hours(x.size)):
        s, said = d.step(s, x[None, j : j + 1], t[None])
        score.append(said[0, 0])
        lost.append(3600 * s.lost[0, -1])
    day = np.arange(x.size) / 24
    figure, (a, b, c) = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    a.plot(day, 3600 * x, lw=0.6)
    a.set_ylabel("flow [m³/h]")
    b.plot(day, lost)
    b.set_ylabel("loss beyond the pattern's [m³/h]")
    c.plot(day, score, ".", ms=3)
    c.axhline(1, color="C3", lw=0.8)
    c.set_ylabel("score [1]")
    c.set_xlabel("day: a leak of 12 m³/h from 40 to 55, one that grows from 65 on")
    figure.tight_layout()
    figure.savefig(HERE / "leakage.png", dpi=110)


if __name__ == "__main__":
    picture()
    for noise in NOISES:
        total = sum(alarms(area(DAYS, seed, noise=noise)) for seed in range(AREAS))
        years = AREAS * DAYS / 365
        print(
            f"noise {noise:.0%}: {total} alarms in {years:.0f} area-years; known in two days: {smallest(noise):.0%} of the mean"
        )
