"""False warnings of the eccentric detector under the traffic of the bridge world, what a convoy does, and its picture.

Run: python docs/detectors/eccentric.py      (some minutes); with --picture only the picture
"""

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

import detectors  # noqa: E402  after the path
from detectors.eccentric import default  # noqa: E402
from lifeline.model import NS, Batch, Change, Floats, Level  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators.bridge.passing import Convoy  # noqa: E402
from simulators.scenario import Scenario, find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402

DAYS: Final = 2
LORRY: Final = 40e3  # [kg]


def bridge(seconds: float, faults: tuple[Any, ...] = (), **world: Any) -> Scenario:
    """The bridge of B2, fitted with nothing but bearings."""
    s = load(find("B2"))
    w = replace(s.worlds["bridge"], fitted=("bearing",), **world)
    return replace(s, worlds={"bridge": w}, fault=tuple(("bridge", f) for f in faults), expect=(), duration=seconds)


def said(s: Scenario, seed: int) -> list[Change]:
    """What the rule says of it."""
    on = stage(s, seed)
    replay = Replay(on.catalog, [r for r in detectors.rules() if r.id == "bridge.bearing.eccentric"])
    return [c for run in stretches(on.turns(), replay.engine) for c in replay.step(*run)]


def false_warnings() -> None:
    for base, overload in ((6.0, 0.01), (4.0, 0.01), (2.0, 0.0), (2.0, 0.01)):
        changes = said(bridge(DAYS * 86_400.0, base=base, overload=overload), 1)
        raised = [sum(Level[c.new] >= x > Level[c.old] for c in changes) for x in (Level.YELLOW, Level.ORANGE, Level.RED)]
        print(f"bearings {base:g} m apart, {overload:.0%} of the laden overloaded: {raised} in {DAYS} days", flush=True)


def convoys() -> None:
    for side in (1.0, 1.875, 2.5, 3.5):
        for base in (6.0, 2.0):
            convoy = Convoy(mass=LORRY, count=3, side=side, lasts=300.0)
            changes = said(bridge(1200.0, (convoy,), base=base, daily=0.0), 1)
            worst = max((Level[c.new] for c in changes), default=Level.NORMAL)
            print(f"three lorries of 40 t, {side:g} m off the axis, bearings {base:g} m apart: {worst.name}", flush=True)


def played(s: Scenario) -> Floats:
    """Reactions, second by second. [4, k] [N]"""
    on = stage(s, 1)
    x = np.full((on.catalog.n, round(s.duration)), np.nan)
    for part in on.world.emit(s.start, s.end):
        assert isinstance(part, Batch)
        x[part.row, (part.t - s.start - 1) // NS] = part.value
    return x


def picture() -> None:
    x = played(bridge(1200.0, (Convoy(mass=LORRY, count=3, side=2.5, lasts=300.0, at=700.0),), base=2.0))
    d = replace(default, asset=np.zeros(4, np.int64))
    score = d.step(d.init(4), x, NS * np.arange(1, x.shape[1] + 1))[1]
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    a.plot(x.T / 1e3, lw=0.6)
    a.set_ylabel("reactions [kN]")
    b.plot(score.T, lw=0.6)
    for bound, colour in ((0.3, "y"), (0.4, "C1"), (0.67, "C3")):
        b.axhline(bound, color=colour, lw=0.8)
    b.set_ylabel("share lost [1]")
    b.set_xlabel("second: three lorries of 40 t come to stand 2.5 m off the axis at 700; bearings 2 m apart")
    figure.tight_layout()
    figure.savefig(HERE / "eccentric.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        convoys()
        false_warnings()
