"""False warnings of the impact detector under the traffic of the bridge world, and its picture.

Run: python docs/detectors/impact.py      (some minutes); with --picture only the picture
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

import detectors  # noqa: E402  after the path
from detectors.impact import EACH, default  # noqa: E402
from lifeline.model import NS  # noqa: E402
from lifeline.units import G  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators.bridge.faults import Impact  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402

HOURS: Final = 6
STAYS: Final = 120.0  # [s] in place of an hour, that each blow is told of by itself
EVERY: Final = 600.0  # [s]
FITTED: Final = ("deflection", "strain", "tilt", "roll")


def blows(peak: float, residual: float, seconds: float) -> list[Impact]:
    """One every ten minutes. peak [g], residual [°]"""
    return [
        Impact(at=float(at), peak=peak * G, residual=float(np.deg2rad(residual))) for at in np.arange(EVERY, seconds, EVERY)
    ]


def warnings(faults: Sequence[Impact], seconds: float, seed: int = 1) -> tuple[int, list[str]]:
    """Of B6's bridge under its traffic: how many of the blows raised a warning, and the worst levels."""
    s = load(find("B6"))
    bridge = replace(s.worlds["bridge"], fitted=FITTED)
    on = stage(
        replace(s, worlds={"bridge": bridge}, fault=tuple(("bridge", f) for f in faults), expect=(), duration=seconds), seed
    )
    rule = next(r for r in detectors.rules() if r.id == "bridge.impact.residual")
    replay = Replay(on.catalog, [replace(rule, detector=replace(rule.detector, stays=STAYS))])  # type: ignore[type-var]
    said = [c for run in stretches(on.turns(), replay.engine) for c in replay.step(*run) if c.new != "NORMAL"]
    return len({round((c.t - s.start) / NS / EVERY) for c in said}), sorted({c.new for c in said})


def picture() -> None:
    rng, blow = np.random.default_rng(2), 120
    k = 260 * EACH
    x = np.vstack([rng.normal(0, 1e-3, (2, k)), np.repeat(rng.normal(0, 0.001, (2, k // EACH)), EACH, axis=1)])
    since = 0.1 * np.arange(k - blow * EACH)
    x[:2, blow * EACH :] += 1.5 * np.exp(-since / 0.9) * np.cos(2 * np.pi * 3.1 * since)
    x[2:, blow * EACH :] += 0.02
    flat = np.zeros(2, np.int64)
    d = replace(
        default, piers=np.arange(2), pier_of=flat, rows=np.array([2, 3]), bridge=flat, device=np.arange(2),
        large=np.full(2, 0.05), floor=np.full(2, 1e-4),
    )  # fmt: skip
    score = d.step(d.init(4), x, round(0.1 * NS) * np.arange(1, k + 1))[1][2:]
    figure, axes = plt.subplots(3, 1, figsize=(8, 5), sharex=True)
    t = 0.1 * np.arange(k)
    axes[0].plot(t, x[0], lw=0.5)
    axes[0].set_ylabel("pier [m/s²]")
    axes[1].plot(t, x[2:].T, lw=0.5)
    axes[1].set_ylabel("tilt [°]")
    axes[2].plot(t, score.T)
    axes[2].set(ylabel="score [1]", xlabel="second: a blow at 120, after which the pier stands 0.02° out of plumb")
    figure.tight_layout()
    figure.savefig(HERE / "impact.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for residual in (0.0, 0.002, 0.005, 0.01, 0.05):
            seconds = HOURS * 3600.0 if residual == 0 else 3600.0
            some = blows(0.35, residual, seconds)
            print(f"{len(some)} blows after which {residual:g}° stay: {warnings(some, seconds)}", flush=True)
        print(f"{HOURS} hours of traffic, no blow: {warnings([], HOURS * 3600.0)}", flush=True)
