"""The picture of ride.md, and what it makes of sound cars. Run: python docs/detectors/ride.py [--trips 30]"""

import argparse
import sys
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors import rules  # noqa: E402  after the path
from detectors.ride import Ride  # noqa: E402
from lifeline.model import NS, Floats  # noqa: E402
from simulators.elevator.ride import RATE, felt  # noqa: E402
from simulators.scurve import curve, travel  # noqa: E402

SERIES: Final = 200  # [1] lifts
REST: Final = 9.0  # [s] between trips, doors and people
STEP: Final = 0.5e-3  # [m]
G: Final = 9.80665  # [m/s²]
Draw = np.random.Generator


def trips(n: int, many: int, rated: float, rough: float, rng: Draw) -> Floats:
    """Waveforms of n lifts that make so many trips each, with people who walk in and out. rough [m/s²] A95; [n, k] [m/s²]"""
    made = []
    for _ in range(many):
        way = curve(3.0 * rng.integers(1, 20, n), np.full(n, rated))
        k = int((float(way.duration.max()) + REST) * RATE) + 2
        t = np.arange(k) / RATE - REST
        sign = np.where(rng.random(n) < 0.5, -1.0, 1.0)
        gone = travel(type(way)(*(np.repeat(a, k) for a in way)), np.tile(t, n))[0].reshape(n, k)
        swing = np.zeros_like(gone)
        for at in rng.uniform(1 - REST, -2, (2, n)):  # steps: the car swings on its springs by half a millimetre
            since = t - at[:, None]
            swing += STEP * np.exp(-((since / 0.3) ** 2)) * np.sin(2 * np.pi * 4 * since)
        blows = np.diff(swing, 2, axis=1) * RATE**2
        made.append(felt(sign[:, None] * gone, np.full((n, k - 2), rough), rng) + blows)
    return G + rng.normal(0, 0.05, (n, 1)) + np.hstack(made)


def told(d: Ride, x: Floats) -> tuple[Floats, Floats, int]:
    """Scores [n, k], values of the last trips [n, window], trips found."""
    t = np.broadcast_to(NS + np.arange(x.shape[1]) * (NS // RATE), x.shape)
    s, score = d.step(d.init(len(x)), x, t)
    return score, s.rides, int(s.seen.sum())


def count(many: int) -> None:
    """Lifts that are ever called rough, of sound ones."""
    book = {r.id: r for r in rules()}
    for rated, rough in ((1.75, 0.10), (1.75, 0.15), (1.75, 0.17), (1.75, 0.18), (1.0, 0.15), (2.5, 0.15)):
        x = trips(SERIES, many, rated, rough, np.random.default_rng(1))
        for name in ("elevator.acceleration.ride", "elevator.acceleration.jerk"):
            d = book[name].detector
            assert isinstance(d, Ride)
            score, rides, found = told(d, x)
            over = int((np.nan_to_num(score).max(axis=1) >= 1).sum())
            middle = float(np.median(rides))
            print(
                f"{name:27} {rated} m/s, A95 {rough:.2f}: {found} of {SERIES * many} trips, median {middle:.3f}, {over} alarms",
                flush=True,
            )


def picture() -> None:
    """A car whose ride gets rougher trip by trip."""
    rng, d = np.random.default_rng(2), Ride(window=10, times=5)
    x = np.hstack([trips(1, 1, 1.75, rough, rng) for rough in np.linspace(0.12, 0.36, 24)])
    x += G - np.median(x)
    score = told(d, x)[0]
    t = np.arange(x.shape[1]) / RATE
    figure, axes = plt.subplots(3, 1, figsize=(7.5, 5.5), layout="constrained")
    last = t > t[-1] - 60
    axes[0].plot(t[last], x[0, last] - G, lw=0.5)
    axes[0].set_ylabel("the last trips [m/s²]")
    axes[1].plot(t, x[0] - G, lw=0.3)
    axes[1].set_ylabel("all [m/s²]")
    axes[2].plot(t, 0.2 * score[0], lw=1)
    for bound, color in ((0.2, "royalblue"), (0.3, "gold"), (0.45, "orange")):
        axes[2].axhline(bound, color=color, lw=0.8)
    axes[2].set_ylabel("A95 of five in ten [m/s²]")
    axes[2].set_xlabel("seconds")
    figure.savefig(HERE / "ride.png", dpi=80)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trips", type=int, default=30, help="of each lift")
    picture()
    count(parser.parse_args().trips)
