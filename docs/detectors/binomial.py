"""How often binomial is wrong at stations where nothing happens, and what it finds; and its picture.

Run: python docs/detectors/binomial.py      (a minute); with --picture only the picture
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

from detectors.binomial import default  # noqa: E402  after the path
from lifeline.model import Floats  # noqa: E402

DAY: Final = 288  # [slot] of five minutes
LEVEL: Final = np.array([[0.6], [0.15], [350.0], [7.6]])
SPREAD: Final = LEVEL * np.array([[0.05], [0.1], [0.01], [0.005]])
NAMES: Final = ("chlorine [mg/L]", "turbidity [NTU]", "conductivity [µS/cm]", "pH")


def station(seed: int, days: int, follows: float = 0.9, *, heavy: bool = False) -> Floats:
    """Four parameters with a day of their own and noise whose neighbours correlate. [4, k]"""
    rng, k = np.random.default_rng(seed), DAY * days
    e = rng.standard_t(5, (4, k)) / np.sqrt(5 / 3) if heavy else rng.standard_normal((4, k))
    x = np.zeros((4, k))
    for j in range(1, k):
        x[:, j] = follows * x[:, j - 1] + np.sqrt(1 - follows**2) * e[:, j]
    return LEVEL + SPREAD * (x + 2 * np.sin(2 * np.pi * np.arange(k) / DAY))


def said(x: Floats) -> Floats:
    """The greatest score of each slot. [k]"""
    return np.nan_to_num(default.step(default.init(4), x, np.arange(x.shape[1]))[1]).max(axis=0)


def table() -> None:
    for name, follows, heavy in (
        ("white", 0.0, False),
        ("correlated by 0.9", 0.9, False),
        ("by 0.98", 0.98, False),
        ("heavy tails, by 0.9", 0.9, True),
    ):
        over = [said(station(seed, 30, follows, heavy=heavy)) >= 1 for seed in range(20)]
        print(f"{name}: {sum(int((o[1:] & ~o[:-1]).sum()) for o in over)} begins in 600 station-days")
    for size in (2.0, 4.0, 8.0):
        late = []
        for seed in range(20):
            x = station(seed, 6)
            x[:2, 1400:1436] += size * SPREAD[:2] * np.array([[-1.0], [1.0]])
            hit = np.flatnonzero(said(x)[1400:1440] >= 1)
            late += [5 * int(hit[0])] if hit.size else []
        print(f"chlorine and turbidity off by {size:g} spreads for three hours: found {len(late)} of 20"
              + (f", after {np.median(late):g} min" if late else ""))  # fmt: skip


def picture() -> None:
    x = station(4, 6)
    x[2, 1100] += 8 * SPREAD[2, 0]
    x[:2, 1400:1436] += 4 * SPREAD[:2] * np.array([[-1.0], [1.0]])
    figure, axes = plt.subplots(4, 1, figsize=(7, 5), sharex=True, layout="constrained")
    shown = slice(900, 1700)
    for axis, row in zip(axes, (0, 1, 2), strict=False):
        axis.plot(np.arange(x.shape[1])[shown], x[row, shown], lw=0.8, color="#456")
        axis.set_ylabel(NAMES[row], fontsize=8)
    axes[3].plot(np.arange(x.shape[1])[shown], said(x)[shown], color="#b22", lw=1)
    axes[3].axhline(1.0, ls="--", lw=0.8, color="k")
    axes[3].set(ylabel="score [1]", xlabel="slot of five minutes: one wild sample at 1,100, foul water from 1,400 on")
    figure.savefig(HERE / "binomial.png", dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        table()
