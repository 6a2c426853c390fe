"""False tickets of the swap detector, what it finds, and its picture: noise, and the water world.

Run: python docs/detectors/swap.py      (some minutes); with --picture only the picture
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE))
mpl.use("Agg")

from gain import DAYS, GROUPS, NOISES, SIX, STEP, body, tickets, world  # noqa: E402  after the path
from matplotlib import pyplot as plt  # noqa: E402

from detectors.daily import DAY  # noqa: E402
from detectors.swap import default  # noqa: E402
from lifeline.model import NS, Floats  # noqa: E402
from simulators import sensors  # noqa: E402

HOLD: Final = 2  # [d] of the rule
APART: Final = (0.2, 0.5, 1.0, 2.0)  # of the course's amplitude


def judged(x: Floats) -> Floats:
    """Score of each day, told with the next. [n, days]"""
    n = len(x)
    near = np.full((n, default.most), -1, np.int64)
    for i in range(n):
        near[i, : n - 1] = [j for j in range(n) if j != i]
    d = replace(default, near=near, floor=np.zeros(n), name=("",) * n)
    return d.step(d.init(n), x, np.arange(1, x.shape[1] + 1) * 3600 * NS)[1][:, ::DAY]


def alike(x: Floats, apart: float) -> Floats:
    """The same about levels that lie so far from one another. [n, k]"""
    return np.asarray(x - x.mean(axis=1, keepdims=True) + apart * np.arange(len(x))[:, None])


def picture() -> None:
    x = alike(body(3, 40, n=3), 1.5)
    x[:2, 25 * DAY :] = x[:2, 25 * DAY :][::-1].copy()
    score = judged(x)
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    a.plot(np.arange(x.shape[1]) / DAY, x.T, lw=0.5)
    a.set_ylabel("reading [1]")
    b.plot(np.arange(score.shape[1]), score.T)
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("day: the first two are exchanged on day 25")
    figure.tight_layout()
    figure.savefig(HERE / "swap.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for kind in NOISES:
            score = [judged(body(seed, DAYS, kind)) for seed in range(GROUPS)]
            most = max(np.nanmax(s) for s in score)
            n = sum(tickets(s, HOLD) for s in score)
            print(f"{kind}: {n} tickets in {GROUPS * SIX * DAYS / 365:g} sensor-years, largest score {most:.2f}", flush=True)
        for apart in APART:
            found, wrong = 0, 0
            for seed in range(GROUPS):
                x = alike(body(seed, 60), apart)
                x[:2, 30 * DAY :] = x[:2, 30 * DAY :][::-1].copy()
                s = judged(x)
                found += tickets(s[:1], HOLD) > 0 and tickets(s[1:2], HOLD) > 0
                wrong += tickets(s[2:], HOLD)
            print(f"levels {apart:g} apart: {found} of {GROUPS} found, {wrong} wrong tickets", flush=True)
        for seed in (1, 2, 3):
            print(f"water, quiet, seed {seed}: {world(seed, 'W11', rule='any.swap.pairs')}", flush=True)
        for one, two in ((1, 2), (3, 6)):
            swap = sensors.Swap(series=f"gauge-1-{one}/pressure", other=f"gauge-1-{two}/pressure", at=STEP + 40_000)
            print(f"water, {one} and {two} exchanged: {world(1, 'W11', [swap], 90, 'any.swap.pairs')}", flush=True)
