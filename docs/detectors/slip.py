"""The picture of slip.md, and its false alarms on quiet trips. Run: python docs/detectors/slip.py [--trips 4000]"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors import rules  # noqa: E402  after the path
from lifeline.model import Floats  # noqa: E402
from simulators.scurve import curve, travel  # noqa: E402

SERIES: Final = 250  # [1] lifts
REST: Final = 4  # [s] between trips
CREEP: Final = 0.001  # [1]
Draw = np.random.Generator


def trip(height: Floats, rated: float, noise: float, tails: bool, rng: Draw) -> Floats:  # noqa: FBT001
    """A trip of every lift, second by second. height [n] [m], noise [1] of a speed; [n, 3, k]"""
    way = curve(height, np.full(height.size, rated))
    k = int(way.duration.max()) + 2 + REST
    t = np.arange(k) + rng.uniform(0, 1, (height.size, 1))
    each = type(way)(*(np.repeat(a, k) for a in way))
    v = travel(each, t.ravel())[1].reshape(t.shape)
    shape = (2, *v.shape)
    told = rng.standard_t(5, shape) * np.sqrt(3 / 5) if tails else rng.standard_normal(shape)
    both = np.round(np.stack([v * (1 + CREEP), v]) * (1 + noise * told), 3)
    return np.stack([both[0], both[1], np.zeros_like(v)], axis=1)


def count(rule: Any, trips: int, rated: float, noise: float, tails: bool) -> list[int]:  # noqa: FBT001
    """Trips in which a level is entered, for each of the rule's levels."""
    enter = rule.limits.enter[np.isfinite(rule.limits.enter)]
    rng, d, alarms = np.random.default_rng(1), rule.detector, np.zeros(enter.size, np.int64)
    s, before = d.init(SERIES), np.zeros((SERIES, enter.size), np.bool_)
    for _ in range(trips):
        x = trip(3.0 * rng.integers(1, 20, SERIES), rated, noise, tails, rng)
        s, score = d.step(s, x)
        over = score.max(axis=1)[:, None] >= enter
        alarms += (over & ~before).sum(axis=0)
        before = over
    return [int(a) for a in alarms]


def found(rule: Any, rated: float, noise: float, slide: float) -> list[int]:
    """Lifts whose levels are entered in a trip that ends with a slide of two seconds. slide [m]"""
    enter = rule.limits.enter[np.isfinite(rule.limits.enter)]
    rng, d = np.random.default_rng(2), rule.detector
    s = d.init(SERIES)
    for _ in range(60):
        s, _ = d.step(s, trip(3.0 * rng.integers(1, 20, SERIES), rated, noise, False, rng))
    x = trip(np.full(SERIES, 30.0), rated, noise, False, rng)
    last = x.shape[2] - 1 - np.argmax(x[:, 0, ::-1] > 0, axis=1)
    for back in (1, 2):
        x[np.arange(SERIES), 0, last - back] += slide / 2
    score = d.step(s, x)[1].max(axis=1)
    return [int((score >= bound).sum()) for bound in enter]


def picture() -> None:
    """A sound lift, and a trip that ends with a slide of 60 mm."""
    rng, d = np.random.default_rng(5), next(r for r in rules() if r.id == "elevator.rope.slide").detector
    trips = [trip(np.full(1, 3.0 * rng.integers(4, 20)), 1.75, 0.002, False, rng) for _ in range(64)]
    end = int(np.flatnonzero(trips[-2][0, 0])[-1])
    trips[-2][0, 0, end - 2 : end] += 0.030
    x = np.concatenate(trips, axis=2)
    score = d.step(d.init(1), x)[1][0]  # type: ignore[attr-defined]
    shown = slice(-sum(one.shape[2] for one in trips[-6:]), None)
    figure, axes = plt.subplots(3, 1, figsize=(7.5, 5), sharex=True, layout="constrained")
    axes[0].plot(x[0, 0, shown], lw=0.8)
    axes[0].set_ylabel("sheave [m/s]")
    axes[1].plot(1000 * (x[0, 0] - x[0, 1])[shown], lw=0.8)
    axes[1].set_ylabel("sheave less ropes [mm/s]")
    axes[2].plot(25 * score[shown], lw=0.8)
    for bound, color in ((25, "gold"), (50, "red")):
        axes[2].axhline(bound, color=color, lw=0.8)
    axes[2].set_ylabel("slide [mm]")
    axes[2].set_xlabel("seconds")
    figure.savefig(HERE / "slip.png", dpi=80)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trips", type=int, default=400, help="of each lift")
    parser.add_argument("--times", type=float, help="the usual slide, instead of the rule's")
    given = parser.parse_args()
    picture()
    slides = next(r for r in rules() if r.id == "elevator.rope.slide")
    for rated, noise in ((1.0, 0.002), (1.75, 0.002), (2.5, 0.002), (1.75, 0.001)):
        told = [(f"{1000 * far:.0f} mm", found(slides, rated, noise, far)) for far in (0.06, 0.08, 0.1)]
        print(f"{rated:4} m/s {noise:6.3f}  {SERIES} slides  " + "  ".join(f"{a}: {b}" for a, b in told), flush=True)
    for name in ("elevator.rope.slide", "elevator.rope.creep"):
        rule = next(r for r in rules() if r.id == name)
        if given.times:
            rule = replace(rule, detector=replace(rule.detector, times=given.times))  # type: ignore[type-var]
        for rated, noise in ((1.0, 0.002), (1.75, 0.002), (2.5, 0.002), (2.5, 0.005)):
            for tails in (False, True):
                alarms = count(rule, given.trips, rated, noise, tails)
                what = "Student, 5" if tails else "normal"
                print(
                    f"{name:20} {rated:4} m/s {noise:6.3f} {what:11} {SERIES * given.trips:9,} trips  {alarms} alarms",
                    flush=True,
                )
