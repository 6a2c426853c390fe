"""False alarms of mspc on series that move together, and what it makes of one sensor and of a plant; and its picture.

Run: python docs/detectors/mspc.py      (a minute or two); with --picture only the picture
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.mspc import Mspc  # noqa: E402  after the path
from lifeline.model import NS, Floats  # noqa: E402

N: Final = 12  # series
SLOTS: Final = 6_000
STEP: Final = 300 * NS
HOLD: Final = 3  # of the rule
ONE: Final = Mspc(of="lone")
MANY: Final = Mspc(of="several")

Noise = Callable[[np.random.Generator, int], Floats]


def white(rng: np.random.Generator, k: int) -> Floats:
    return rng.standard_normal((N, k))


def slow(rng: np.random.Generator, k: int) -> Floats:
    """Neighbours in time correlate by 0.8."""
    e, x = rng.standard_normal((N, k)), np.zeros((N, k))
    for j in range(1, k):
        x[:, j] = 0.8 * x[:, j - 1] + 0.6 * e[:, j]
    return x


def heavy(rng: np.random.Generator, k: int) -> Floats:
    """Student's t with 5 degrees of freedom."""
    return rng.standard_t(5, (N, k)) / np.sqrt(5 / 3)


def plant(seed: int, k: int, noise: Noise) -> Floats:
    """Two causes with a day of their own move all series; each has noise beside. [N, k]"""
    rng = np.random.default_rng(seed)
    ways = rng.normal(0, 1, (N, 2))
    day = 2 * np.pi * np.arange(k) * STEP / (86_400 * NS)
    causes = np.vstack([np.sin(day) + 0.3 * slow(rng, k)[0], np.cos(2 * day) + 0.3 * slow(rng, k)[1]])
    return 50 + 3 * ways @ causes + noise(rng, k)


def begins(score: Floats) -> int:
    """How often the panel is called: HOLD slots in a row. score [N, k]"""
    over = np.nan_to_num(score).max(axis=0) >= 1
    held = np.array([over[j - HOLD + 1 : j + 1].all() for j in range(HOLD - 1, over.size)])
    return int((held[1:] & ~held[:-1]).sum())


def said(d: Mspc, x: Floats) -> Floats:
    return d.step(d.init(N), x, STEP * np.arange(1, x.shape[1] + 1))[1]


def table() -> None:
    for name, noise in (("white", white), ("correlated by 0.8", slow), ("heavy tails", heavy)):
        counts = [[begins(said(d, plant(seed, SLOTS, noise))) for d in (ONE, MANY)] for seed in range(4)]
        one, many = np.sum(counts, axis=0)
        print(f"{name}: lone {one}, several {many} in {4 * SLOTS} slots of 12 series")
    for size in (3.0, 6.0):
        found = {"one": [0, 0], "four": [0, 0]}
        for seed in range(20):
            for what, rows in (("one", [3]), ("four", [1, 3, 6, 8])):
                x = plant(seed, 1200, white)
                x[rows, 1000:] += size * np.random.default_rng(seed).choice([-1, 1], len(rows))[:, None]
                for i, d in enumerate((ONE, MANY)):
                    score = said(d, x)[:, 1000:]
                    found[what][i] += begins(np.c_[np.zeros((N, 1)), score]) > 0
        for what, (one, many) in found.items():
            print(f"{what} of twelve off by {size:g} spreads: called lone in {one}, several in {many} of 20")


def picture() -> None:
    x = plant(3, 2000, white)
    x[3, 1200:1350] += 6
    x[[1, 3, 6, 8], 1600:1750] += np.array([[5.0], [-5.0], [5.0], [5.0]])
    figure, axes = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
    axes[0].plot(x[[1, 3, 6]].T, lw=0.6)
    axes[0].set_ylabel("three of twelve")
    for axis, d in zip(axes[1:], (ONE, MANY), strict=True):
        axis.plot(np.nan_to_num(said(d, x)).max(axis=0), lw=0.8, color="#b22")
        axis.axhline(1.0, ls="--", lw=0.8, color="k")
        axis.set_ylabel(f"score, {d.of}")
    axes[2].set_xlabel("slot: one series is off from 1,200 on, four from 1,600 on")
    figure.savefig(HERE / "mspc.png", dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        table()
