"""False tickets of the jump detector: satellite receivers beside a hydrostatic level, for 30 days, by kind of noise.

Run: python docs/detectors/jumps.py      (some minutes); with --picture only the picture
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from scipy import signal

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.jumps import default  # noqa: E402  after the path
from lifeline.model import NS, Floats  # noqa: E402

DAY: Final = 1440  # [slot]
DAYS: Final = 30
RECEIVERS: Final = 5


def judged(x: Floats) -> Floats:
    """Scores of the receivers; the last row of x is the level. [n, k]"""
    n = len(x)
    d = replace(default, judged=(True,) * (n - 1) + (False,), floor=(0.0,) * n, device=tuple(f"device-{i}" for i in range(n)))
    return np.asarray(d.step(d.init(n), x, np.arange(1, x.shape[1] + 1) * 60 * NS)[1][:-1])


def noise(kind: str, rng: np.random.Generator, k: int) -> Floats:
    """Of the receivers, each on a bridge of its own. [RECEIVERS, k] [mm]"""
    shape = (RECEIVERS, k)
    if kind == "slow":  # neighbours in time correlate by 0.95: a minute each
        return np.asarray(5 * np.sqrt(1 - 0.95**2) * signal.lfilter([1], [1, -0.95], rng.normal(size=shape), axis=1))
    return 5 * (rng.standard_t(float(kind), shape) if kind != "normal" else rng.normal(size=shape))


def count(kind: str, rate: float = 0.0) -> int:
    """Tickets. rate: lorries a minute that stand for a moment and lower receiver and level by 40 mm [1/min]"""
    raised = 0
    for i in range(RECEIVERS):
        rng = np.random.default_rng(i)
        x = np.vstack([noise(kind, rng, DAYS * DAY)[:1], rng.normal(0, 0.1, (1, DAYS * DAY))])
        x += 3 * np.sin(2 * np.pi * np.arange(DAYS * DAY) / DAY) - 40.0 * (rng.random(DAYS * DAY) < rate)
        on = judged(x)[0] >= 1
        raised += int((on[1:] & ~on[:-1]).sum())
    return raised


def picture() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, [[5.0], [0.1]], (2, 600)) + 10
    for i, a in enumerate(range(300, 600, 20)):
        x[0, a : a + 3] += 30 * (-1) ** i
    score = judged(x)[0]
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    a.plot(x[0], lw=0.6)
    a.plot(x[1], lw=0.8)
    a.set_ylabel("displacement, deflection [mm]")
    b.plot(score)
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("minute: multipath from 300 on")
    figure.tight_layout()
    figure.savefig(HERE / "jumps.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for kind in ("normal", "slow", "5", "3"):
            print(f"noise {kind}: {count(kind)} tickets in {RECEIVERS * DAYS} receiver-days")
        for rate in (0.01, 0.1):
            print(f"a heavy load in {rate:g} of the minutes: {count('normal', rate)} tickets")
