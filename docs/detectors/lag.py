"""False tickets of the lag detector: accelerometers of one span under ambient vibration, by how much of it they share.

Run: python docs/detectors/lag.py      (a minute); with --picture only the picture
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

from detectors.lag import correlations, default  # noqa: E402  after the path
from lifeline.model import NS, Floats  # noqa: E402

WINDOW: Final = default.window
WINDOWS: Final = 4320  # a day of 20 s each
PAIRS: Final = 20


def mode(hertz: float, damping: float, k: int, rng: np.random.Generator) -> Floats:
    """A mode under ambient force, at slots of 0.1 s, of spread 1. [k]"""
    w = 2 * np.pi * hertz
    pole = np.exp(0.1 * (-damping * w + 1j * w * np.sqrt(1 - damping**2)))
    x = signal.lfilter([1.0], np.poly([pole, pole.conjugate()]).real, rng.normal(size=k + 1000))[1000:]
    return np.asarray(x / x.std())


def pair(seed: int, k: int, noise: float, damping: float, late: int = 0) -> Floats:
    """Two accelerometers that share a mode of 1 to 4.5 Hz, and have noise of their own. [2, k]"""
    rng = np.random.default_rng(seed)
    q = mode(rng.uniform(1.0, 4.5), damping, k + late, rng)
    return np.stack([q[late:], 0.8 * q[:k]]) + noise * rng.normal(size=(2, k))


def judged(x: Floats) -> Floats:
    """Score of the first, window by window; NaN: nothing was alike. [windows]"""
    d = replace(default, device=("a", "b"))
    t = (np.arange(1, x.shape[1] + 1) * round(0.1 * NS)).astype(np.int64)
    return np.asarray(d.step(d.init(2), x, t)[1][0, ::WINDOW])


def count(noise: float, damping: float, late: int = 0) -> tuple[float, float]:
    """Share of windows that are judged, and of those with a score of 1 or more. [1]"""
    score = np.concatenate([judged(pair(i, WINDOWS * WINDOW, noise, damping, late)) for i in range(PAIRS)])
    known = np.isfinite(score)
    return float(known.mean()), float((score[known] >= 1).mean()) if known.any() else 0.0


def picture() -> None:
    figure, axes = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    for a, late in zip(axes, (0, 20), strict=True):
        x = pair(3, 8 * WINDOW, 0.3, 0.015, late)
        r = np.mean([correlations(w, default.far)[0, 1] for w in np.split(x, 8, axis=1)], axis=0)
        a.plot(0.1 * np.arange(-default.far, default.far + 1), r, lw=0.8)
        a.axvspan(-default.limit, default.limit, color="C2", alpha=0.2)
        a.set_ylabel("correlation [1]")
    axes[1].set_xlabel("lag [s]: above, one clock; below, one station two seconds ahead")
    figure.tight_layout()
    figure.savefig(HERE / "lag.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for noise, damping in ((0.2, 0.015), (0.8, 0.015), (0.2, 0.005), (1.5, 0.005)):
            for late in (0, 20):
                known, told = count(noise, damping, late)
                print(f"noise {noise:g}, damping {damping:g}, {late / 10:g} s: {known:.1%} judged, {told:.3%} of these told")
