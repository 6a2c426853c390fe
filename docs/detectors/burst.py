"""Where bursts and leaks are said to be: holes in pipes of Net3 drawn at random, through the simulator and the shipped rules.

Run: python docs/detectors/burst.py      (a quarter of an hour); with --picture only the picture
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

import detectors  # noqa: E402  after the path
from pipeline.trial import listen  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402
from simulators.water.tables import Network, loaded  # noqa: E402

PIPES: Final = 20
CASES: Final = (("W1", 0.050), ("W1", 0.030), ("W4", 0.025), ("W4", 0.015))  # scenario, hole [m]
RULES: Final = [r for r in detectors.rules() if r.id.startswith("water.")]


def places(name: str, pipe: str, hole: float, seed: int) -> list[str]:
    """The pipes that the last warning of one hole names; none: no warning named any."""
    s = load(find(name))
    kind, fault = s.fault[0]
    on = stage(replace(s, fault=((kind, replace(fault, pipe=pipe, hole=hole)),), seed=seed))
    told = listen(on, RULES)
    return [n for w in told.hazards for n in w.places]


def pipes(net: Network) -> list[str]:
    """Some pipes that are open and carry water."""
    flow = np.abs(net.solved.flow).min(axis=0)
    there = [n for n, q, length in zip(net.link, flow, net.length, strict=True) if length > 0 and q > 1e-4]
    return [there[i] for i in np.random.default_rng(1).choice(len(there), PIPES, replace=False)]


def middle(net: Network, pipe: str) -> np.ndarray:
    return net.place[net.ends[net.link.index(pipe)]].mean(axis=0)


def count() -> None:
    net = loaded(load(find("W1")).worlds["water"].base)
    size = float(np.ptp(net.place, axis=0).max())
    for name, hole in CASES:
        ranks, away = [], []
        for k, pipe in enumerate(pipes(net)):
            named = places(name, pipe, hole, 10 + k)
            if named:
                ranks.append(named.index(pipe) + 1 if pipe in named else 99)
                away.append(float(np.hypot(*(middle(net, named[0]) - middle(net, pipe)))) / size)
        r = np.array(ranks)
        print(
            f"{name}, {1000 * hole:g} mm: {r.size} of {PIPES} located; first {(r == 1).sum()}, in five {(r <= 5).sum()}, "
            f"in ten {(r <= 10).sum()}; the first lies {np.median(away):.1%} of the network's width away (median)",
            flush=True,
        )


def picture() -> None:
    net = loaded(load(find("W1")).worlds["water"].base)
    named = places("W1", "121", 0.050, 1)
    figure, a = plt.subplots(figsize=(7, 5))
    for n, ends, length in zip(net.link, net.ends, net.length, strict=True):
        if length > 0:
            rank = named.index(n) + 1 if n in named else 0
            a.plot(*net.place[ends].T, color="C3" if 0 < rank <= 5 else "C1" if rank else "0.7", lw=3 if rank else 1)
    a.plot(*middle(net, "121"), "kx", ms=10, label="the burst")
    a.legend()
    a.axis("off")
    figure.tight_layout()
    figure.savefig(HERE / "burst.png", dpi=90)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        count()
