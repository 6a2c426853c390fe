"""False tickets of the noise detector: gauges of a minute under traffic and storms, for a year, alone and among neighbours.

Run: python docs/detectors/noise.py      (a minute or two); with --picture only the picture
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.noise import Noise, default  # noqa: E402  after the path
from lifeline.model import NS, Floats, Ints  # noqa: E402

DAY: Final = 1440  # [slot]
DAYS: Final = 365
GAUGES: Final = 20
HOLD: Final = 2  # windows of the rule


def judge(n: int, *, alone: bool) -> Noise:
    """For so many gauges, each without neighbours or each with all the others."""
    device = np.zeros(n, np.int64) if alone else np.arange(n)
    return replace(default, rows=np.arange(n), floor=np.zeros(n), device=device, asset=np.zeros(device.max() + 1, np.int64))


def busy(day: int, rush: float) -> Floats:
    """Spread of the noise on a day: at its least by night, `rush` times as much at eight and at eighteen. [DAY]"""
    hour = np.arange(DAY) / 60
    peaks = np.exp(-(((hour - 8) / 1.5) ** 2)) + np.exp(-(((hour - 18) / 2) ** 2))
    share = 0.4 if day % 7 in (5, 6) else 1.0
    return 1 + (rush - 1) * share * peaks


def count(rush: float, storm: float, *, alone: bool, heavy: bool = False, seed: int = 1) -> int:
    """Tickets in a year of `GAUGES` gauges. storm: so much louder, at once, for six hours, once in five days"""
    rng = np.random.default_rng(seed)
    d = judge(GAUGES, alone=alone)
    s, held, on, raised = d.init(GAUGES), np.zeros(GAUGES, np.int64), np.zeros(GAUGES, np.bool_), 0
    for day in range(DAYS):
        t: Ints = (day * DAY + np.arange(1, DAY + 1)) * 60 * NS
        x = rng.standard_t(3, (GAUGES, DAY)) if heavy else rng.normal(size=(GAUGES, DAY))
        x *= busy(day, rush)
        if day % 5 == 4:
            x[:, 600:960] *= storm
        s, score = d.step(s, x, t)
        for j in np.flatnonzero(np.isfinite(score).any(axis=0)).tolist():
            held = np.where(score[:, j] >= 1, held + 1, 0)
            raised += int(((held >= HOLD) & ~on).sum())
            on = (held >= HOLD) | (on & (score[:, j] >= 0.8))
    return raised


def found(times: float, runs: int = 200) -> tuple[int, float]:
    """Gauges of which a ticket comes within a day after they grow so many times as loud; after how long, in the median. [h]"""
    rng = np.random.default_rng(7)
    d = judge(runs, alone=True)
    x = rng.normal(size=(runs, 3 * DAY))
    x[:, 2 * DAY :] *= times
    _, score = d.step(d.init(runs), x, np.arange(1, 3 * DAY + 1) * 60 * NS)
    judged = score[:, 2 * DAY :][:, np.isfinite(score[:, 2 * DAY :]).any(axis=0)] >= 1
    both = judged[:, 1:] & judged[:, :-1]
    first = np.where(both.any(axis=1), both.argmax(axis=1) + 1, np.inf)
    return int(np.isfinite(first).sum()), float(np.median(first) * d.window / 60)


def picture() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 3 * DAY)) * np.tile(np.concatenate([busy(i, 2.5) for i in range(3)]), (2, 1))
    x[0, 3000:] += 8 * rng.normal(size=3 * DAY - 3000)
    d = judge(2, alone=False)
    score = d.step(d.init(2), x, np.arange(1, 3 * DAY + 1) * 60 * NS)[1]
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    a.plot(x[0] + 40, lw=0.4)
    a.plot(x[1], lw=0.4)
    a.set_ylabel("strain [µε]")
    for i in (0, 1):
        at = np.flatnonzero(np.isfinite(score[i]))
        b.step(at, score[i, at], where="post")
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("minute: the upper gauge comes off from 3,000 on")
    figure.tight_layout()
    figure.savefig(HERE / "noise.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for heavy in (False, True):
            kind = "heavy-tailed (Student, 3)" if heavy else "normal"
            print(f"constant {kind} noise: {count(1.0, 1.0, alone=True, heavy=heavy)} tickets in {GAUGES} gauge-years")
        for rush in (3.0, 5.0, 8.0):
            print(f"rush hours {rush:g} times as loud as the night, alone: {count(rush, 1.0, alone=True)} tickets")
        for storm in (3.0, 10.0):
            told = [count(2.0, storm, alone=alone) for alone in (True, False)]
            print(f"storms {storm:g} times as loud as usual: alone {told[0]}, among neighbours {told[1]} tickets")
        for times in (3.0, 5.0, 10.0):
            print(f"{times:g} times the noise: {found(times)[0]} of 200 within a day, after {found(times)[1]:g} h")
