"""How often the witness detector is wrong: probes out of reagent called hazards, and foul water taken for a probe's fault.

Run: python docs/detectors/witness.py      (some minutes); with --picture only the picture
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

from detectors.witness import Witness, default  # noqa: E402  after the path
from lifeline.model import NS, Floats, Members  # noqa: E402

STEP: Final = 300.0  # [s]
SLOTS: Final = 3 * 288
FALL: Final = 500  # [slot] at which something begins
STATIONS: Final = 3
TOLD: Final = ("chlorine", "turbidity", "ph", "conductivity")
USUAL: Final = np.array([0.7e-3, 0.15, 7.6, 0.035])
NOISE: Final = np.array([0.02e-3, 0.023, 0.03, 0.4e-3])
RANGE: Final = np.array([5e-3, 100.0, 14.0, 0.5])
RUNS: Final = 200


def members() -> Members:
    """Three stations of one district, four quantities each."""
    n = 4 * STATIONS
    quantity = np.array(TOLD * STATIONS, object)
    station = np.array([f"station-{i // 4}" for i in range(n)], object)
    flat, none = np.ones(n), np.full(n, np.nan)
    key = station + "/" + quantity
    judged = quantity == "chlorine"
    return Members(
        key, quantity, station, station, flat, flat, none, 0 * flat, np.tile(RANGE, STATIONS), STEP * flat, judged, STEP
    )


def water(seed: int, day: float, lasting: float) -> Floats:
    """Three days at the stations. day: of a daily wave, in spreads of the noise; lasting: of the noise's own correlation [1]"""
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(4 * STATIONS, SLOTS))
    for j in range(1, SLOTS):
        e[:, j] = lasting * e[:, j - 1] + np.sqrt(1 - lasting**2) * e[:, j]
    wave = np.cos(2 * np.pi * np.arange(SLOTS) / 288 + rng.uniform(0, 6, (4 * STATIONS, 1)))
    return np.tile(USUAL, STATIONS)[:, None] + np.tile(NOISE, STATIONS)[:, None] * (e + day * wave)


def spent(x: Floats) -> Floats:
    """A probe out of reagent within two hours."""
    x[4, FALL:] *= np.clip(1 - np.arange(SLOTS - FALL) / 24, 0, 1)
    return np.maximum(x, 0)


def fouled(x: Floats, share: float) -> Floats:
    """Water with 80 NTU, pH 6.8 and 1.2 mS/cm that takes all chlorine, as such a share, for two hours at one station only."""
    some = slice(FALL, FALL + 24)
    x[4, some] *= 0.01
    x[5:8, some] += share * (np.array([80.0, 6.8, 0.12]) - USUAL[1:])[:, None]
    return np.maximum(x, 0)


def said(d: Witness, x: Floats) -> float:
    """The highest score of the second station's probe that stands three slots."""
    own = d.settled(members())
    assert own is not None
    _, score = own.step(own.init(x.shape[0]), x, (np.arange(1, SLOTS + 1) * STEP * NS).astype(np.int64))
    return float(np.lib.stride_tricks.sliding_window_view(score[4], 3).min(axis=1).max())


def count() -> None:
    for day, lasting in ((0.0, 0.0), (3.0, 0.0), (3.0, 0.9)):
        wrong = sum(said(default, spent(water(k, day, lasting))) >= 1 for k in range(RUNS))
        print(f"daily wave {day:g} spreads, correlation {lasting:g}: {wrong} of {RUNS} probes out of reagent called a hazard")
        for share in (0.001, 0.003, 0.01, 0.03):
            missed = sum(said(default, fouled(water(k, day, lasting), share)) < 1 for k in range(RUNS))
            print(f"  foul water, a share of {share:.1%}: {missed} of {RUNS} taken for a fault of the probe")


def picture() -> None:
    figure, axes = plt.subplots(3, 2, figsize=(9, 6), sharex=True)
    ticket = replace(default, asks="alone")
    for k, x in enumerate((spent(water(1, 3.0, 0.0)), fouled(water(1, 3.0, 0.0), 0.01))):
        t = np.arange(SLOTS) * STEP / 3600
        for a, row, scale, name in ((axes[0, k], 4, 1e3, "chlorine [mg/L]"), (axes[1, k], 5, 1, "turbidity [NTU]")):
            a.plot(t, scale * x[row], lw=0.7)
            a.set_ylabel(name)
        for d, name in ((default, "hazard"), (ticket, "ticket")):
            own = d.settled(members())
            assert own is not None
            score = own.step(own.init(x.shape[0]), x, (np.arange(1, SLOTS + 1) * STEP * NS).astype(np.int64))[1][4]
            axes[2, k].plot(t, score, lw=0.9, label=name)
        axes[2, k].axhline(1, color="C3", lw=0.8)
        axes[2, k].legend()
        axes[2, k].set_xlabel("hour: " + ("out of reagent" if k == 0 else "1 % of foul water"))
        axes[2, k].set_ylabel("score [1]")
    figure.tight_layout()
    figure.savefig(HERE / "witness.png", dpi=90)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        count()
