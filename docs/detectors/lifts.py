"""False alarms of what is judged stop by stop, counted in quiet noise. Run: python docs/detectors/lifts.py"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from detectors import rules
from lifeline.model import Floats

SERIES: Final = 500  # [1]
STOPS: Final = 4000  # [1] of each
USUAL: Final = {
    "elevator.brake.history": ("ratio", 0.77, (0.02, 0.05, 0.10, 0.15)),
    "elevator.door.history": ("ratio", 2.5, (0.02, 0.05, 0.10, 0.20)),
    "elevator.motor.history": ("ratio", 10.0, (0.10, 0.20, 0.30)),
    "elevator.levelling.stops": ("offset", 0.0, (0.003, 0.004, 0.005, 0.006)),
    "elevator.door.obstructed": ("count", 0.0, (0.01, 0.02, 0.04)),
}  # rule -> kind of noise, level, spread: share of the level, [m], or mean count


def drawn(kind: str, level: float, spread: float, tails: bool, rng: np.random.Generator) -> Floats:  # noqa: FBT001
    """[SERIES, STOPS] [SI]"""
    shape = (SERIES, STOPS)
    if kind == "count":
        return rng.poisson(spread, shape).astype(float)
    noise = rng.standard_t(5, shape) * np.sqrt(3 / 5) if tails else rng.standard_normal(shape)
    return level * (1 + spread * noise) if kind == "ratio" else spread * noise


def count(rule: Any, x: Floats) -> tuple[int, int]:
    """Stops judged, and alarms that held as long as the rule wants, at its mildest level."""
    enter = rule.limits.enter[np.isfinite(rule.limits.enter)][0]
    hold = int(rule.limits.hold[np.isfinite(rule.limits.enter)][0])
    score = rule.detector.step(rule.detector.init(SERIES), x, np.zeros(x.shape, np.int64))[1]
    over = np.nan_to_num(score) >= enter
    held = np.lib.stride_tricks.sliding_window_view(over, hold, axis=1).all(axis=2)
    return int(np.isfinite(score).sum()), int((held & ~np.pad(held, ((0, 0), (1, 0)))[:, :-1]).sum())


if __name__ == "__main__":
    book = {r.id: r for r in rules()}
    for name, (kind, level, spreads) in USUAL.items():
        for spread in spreads:
            for tails in (False, True) if kind != "count" else (False,):
                judged, alarms = count(book[name], drawn(kind, level, spread, tails, np.random.default_rng(1)))
                print(f"{name:26} {spread:6.3f} {'Student, 5' if tails else 'normal':11} {judged:9,} stops  {alarms} alarms")
