"""False tickets of the drift detector: pairs of tiltmeters for three years, by how differently the seasons move the two.

And gauges of the water world for 120 days. Run: python docs/detectors/drift.py      (some minutes); with --picture no figures
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

from gain import world  # noqa: E402  after the path
from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.daily import DAY  # noqa: E402  after the path
from detectors.drift import default  # noqa: E402  after the path
from lifeline.model import NS, Floats  # noqa: E402
from simulators import sensors  # noqa: E402

PAIRS: Final = 20
DAYS: Final = 3 * 365
HOLD: Final = 2  # days of the rule


def pair(seed: int, days: int, apart: float = 0.0, rate: float = 0.0, onset: int = 20) -> Floats:
    """Two tiltmeters on a pier: the sun leans it by 3 about its mean, the year by 10. [2, days * DAY] [1e-3 °]

    apart: amplitude of the year in their difference; rate: drift of the second from day `onset` on. [1e-3 °/d]
    """
    rng = np.random.default_rng(seed)
    day = np.arange(days * DAY) / DAY
    sun = np.repeat(rng.uniform(0.2, 1.8, days), DAY) * 3 * np.sin(2 * np.pi * day)
    year = np.sin(2 * np.pi * (day / 365 + rng.random()))
    x = sun + 10 * year + rng.normal(0, 0.7, (2, day.size))
    x[1] += apart * year + rate * np.maximum(day - onset, 0)
    return np.asarray(x)


def judged(x: Floats) -> Floats:
    """Score of each day. [2, days]"""
    d = replace(default, judged=(True, True))
    return d.step(d.init(2), x, np.arange(1, x.shape[1] + 1) * 3600 * NS)[1][:, ::DAY]


def tickets(score: Floats) -> list[int]:
    """Days on which the rule opens a ticket for either."""
    found = []
    for one in score:
        held, on = 0, False
        for day, v in enumerate(one.tolist()):
            held = held + 1 if v >= 1 else 0
            now = held >= HOLD or (on and v >= 0.8)
            found += [day] * (now and not on)
            on = now
    return sorted(found)


def picture() -> None:
    x = pair(3, 90, rate=0.4)
    score = judged(x)
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    days = np.arange(x.shape[1]) / DAY
    a.plot(days, x.T, lw=0.5)
    a.set_ylabel("tilt [0.001°]")
    b.plot(score.T)
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("day: the second drifts by 0.012° a month from day 20 on")
    figure.tight_layout()
    figure.savefig(HERE / "drift.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for apart in (0.0, 3.0, 6.0, 12.0):
            n = sum(len(tickets(judged(pair(seed, DAYS, apart)))) for seed in range(PAIRS))
            print(f"the year moves the two by {1e-3 * apart:g}° more or less than each other: {n} tickets")
        for rate in (5.0, 10.0, 20.0):
            told = [tickets(judged(pair(seed, 200, rate=rate / 30))) for seed in range(PAIRS)]
            first = [t[0] - 20 for t in told if t]
            print(f"drift of {1e-3 * rate:g}° a month: {len(first)} of {PAIRS} found, after {np.median(first):g} days (median)")
        for seed in (1, 2, 3):
            print(f"water, quiet, seed {seed}: {world(seed, 'W11', rule='any.drift.peers')}", flush=True)
        for drift in ("-0.5", "2"):
            fault = sensors.Drift(series="gauge-1-2/pressure", rate=f"{drift} mH2O/month", at=20 * 86_400.0)
            print(f"water, {drift} m a month: {world(1, 'W11', [fault], rule='any.drift.peers')}", flush=True)
