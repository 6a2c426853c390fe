"""The picture of dispersion: a release among three sources, while the wind turns. Run: python docs/detectors/dispersion.py"""

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

from detectors.dispersion import default, plumes  # noqa: E402  after the path
from lifeline.model import NS  # noqa: E402

RING: Final = np.array([[60 * np.cos(a), 60 * np.sin(a)] for a in np.arange(8) * np.pi / 4])
SOURCES: Final = np.array([[0.0, 5.0, 4.5], [30.0, -10.0, 2.0], [-25.0, -20.0, 2.0]])
RATE: Final = 2.0  # [kg/h]
BEGIN, K = 150, 330

if __name__ == "__main__":
    rng = np.random.default_rng(6)
    at = np.r_[RING, np.zeros((2, 2))]
    d = replace(
        default, scale=1 / 3600, sensor=at, source=SOURCES, names=("tank", "well", "valve"), where=np.zeros((3, 2)),
        rows=(np.arange(8), 8, 9),
    )  # fmt: skip
    speed, way = np.abs(2.5 + 0.6 * rng.standard_normal(K)), np.mod(np.cumsum(0.1 * rng.standard_normal(K)), 2 * np.pi)
    x = 2e-6 + 2e-8 * rng.standard_normal((8, K))
    for j in range(BEGIN, K):
        wind = way[j] + 0.3 * rng.standard_normal()  # what the mast sees is not quite what carries the plume
        x[:, j] += RATE / 3600 * plumes(SOURCES[[1]], RING, float(speed[j]), float(wind))[0]
    s, shares, rates = d.init(10), [], []
    for j in range(K):
        s, score = d.step(s, np.r_[x[:, j], speed[j], way[j]][:, None], np.array([(j + 1) * 60 * NS]))
        named = {p.name: p.share for p in d.locate(s, 0)} if np.nanmax(score[:8, 0], initial=0) > 0 else {}
        shares.append([named.get(n, np.nan) for n in d.names])
        rates.append(np.nanmax(score[:8, 0], initial=0) or np.nan)
    figure, (above, middle, below) = plt.subplots(3, 1, figsize=(7, 5), sharex=True, layout="constrained")
    above.plot(1e6 * x.T, lw=0.7)
    above.set_ylabel("methane [ppm]")
    middle.plot(shares, label=d.names)
    middle.set_ylabel("share of belief")
    middle.legend(fontsize=7)
    below.plot(rates, color="#b22")
    below.axhline(RATE, ls="--", lw=0.8, color="k")
    below.set(ylabel="rate [kg/h]", xlabel=f"minute; the well releases {RATE:g} kg/h from {BEGIN} on")
    figure.savefig(HERE / "dispersion.png", dpi=80, metadata={"Software": None})
