"""Samples between false alarms of the control charts and the spike detector, counted in quiet noise past their warm-up.

Run: python docs/detectors/false_alarms.py cusum --phi 0.9 --samples 5e7      (a minute or so)
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from detectors import named
from lifeline.model import NS, Bools, Floats, is_timed

LIMITS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "cusum": ("limit", (8, 10, 12, 14, 16, 18)),
    "ewma": ("width", (3.5, 4, 4.5, 5, 5.5, 6, 6.5)),
    "tail": ("limit", (8, 10, 12, 14, 16)),
    "local_level": ("limit", (4, 4.5, 5, 5.5, 6)),
    "hampel": ("width", (6, 8, 10, 12)),
}
SERIES: Final = 4096  # [1] each learns its own baseline: unlucky ones are among them
TICKS: Final = 250  # [1] at a time
FAR: Final = 1000.0  # a limit that is never reached, so that nothing is left unlearned


def count(name: str, phi: float, tails: float | None, samples: float, seed: int) -> tuple[int, list[int]]:
    """Samples judged, and alarms at each limit: a new one only after the score has fallen below a third of the limit."""
    field, limits = LIMITS[name]
    detector: Any = replace(named()[name], **{field: FAR})  # type: ignore[type-var]  # detectors are dataclasses
    rng, s, last, t, judged = np.random.default_rng(seed), detector.init(SERIES), np.zeros(SERIES), 0, 0
    armed: Bools = np.ones((len(limits), SERIES), np.bool_)
    alarms = np.zeros(len(limits), np.int64)
    while judged < samples:
        x = rng.standard_normal((TICKS, SERIES)) if tails is None else rng.standard_t(tails, (TICKS, SERIES))
        last = correlate(x, phi, last)
        at = (np.broadcast_to((t + np.arange(TICKS)) * NS, x.T.shape),) if is_timed(detector) else ()
        s, score = detector.step(s, x.T, *at)
        t += TICKS
        if t > detector.warmup:
            judged += int(np.isfinite(score).sum())
            for i, limit in enumerate(limits):
                alarms[i] += crossings(np.nan_to_num(score) * (FAR / limit), armed[i])
    return judged, alarms.tolist()


def correlate(x: Floats, phi: float, last: Floats) -> Floats:
    """White noise x [k, n] made AR(1) in place -> its last sample [n]."""
    for j in range(x.shape[0]):
        x[j] += phi * last
        last = x[j]
    return last.copy()


def crossings(score: Floats, armed: Bools) -> int:
    """Alarms in score [n, k]; `armed` [n] goes on to the next block."""
    found = 0
    for j in np.flatnonzero((score >= 1).any(axis=0) | ~armed.all()):
        fire = armed & (score[:, j] >= 1)
        found += int(fire.sum())
        armed &= ~fire
        armed |= score[:, j] < 1 / 3
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detector", choices=LIMITS)
    parser.add_argument("--phi", type=float, default=0.0, help="correlation of neighbouring samples")
    parser.add_argument("--tails", type=float, help="degrees of freedom of Student noise instead of normal noise")
    parser.add_argument("--samples", type=float, default=2e7)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    judged, alarms = count(given.detector, given.phi, given.tails, given.samples, given.seed)
    for limit, n in zip(LIMITS[given.detector][1], alarms, strict=True):
        print(
            f"{LIMITS[given.detector][0]} {limit:5.1f}   {n:8d} alarms   one in {judged / n if n else float('inf'):.3g} samples"
        )
