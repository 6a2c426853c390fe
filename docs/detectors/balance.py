"""How often balance is wrong, and what it finds: mains of the gas world for weeks, judged by the engine; and its picture.

Run: python docs/detectors/balance.py      (some minutes); with --picture only the picture
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors import rules  # noqa: E402  after the path
from lifeline.model import NS, Change, Floats, Ints, Rows, Rule  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators.scenario import load  # noqa: E402
from simulators.stage import stage  # noqa: E402

DAY: Final = 86_400 * NS
DAYS: Final = 21
AT: Final = 14  # [d] when a hole is torn
START: Final = 1_772_380_800 * NS  # 2026-03-02 in China
TORN: Final = START + AT * DAY
ORDER: Final = ("NORMAL", "BLUE", "YELLOW", "ORANGE", "RED")
SCENARIO: Final = """
id = "balance"
zh = "燃气管网供销平衡"
en = "a network in balance"
start = "2026-03-02T00:00:00+08:00"
duration = "{days}d"

[world.gas]
regulators = {regulators}
gates = true
pressure = "0.3 MPa"
every = "5m"

[[world.gas.well]]
kind = "power"
"""
HOLE: Final = """
[[fault]]
kind = "gas.leak"
at = "{at}d"
lasts = "{lasts}d"
hole = "{hole} mm"
gauge = "0.3 MPa"
soil = "1.0"
regulator = "regulator-2"
along = "300 m"
"""


@dataclass
class Run:
    """What was said of one network."""

    changes: list[Change] = field(default_factory=list)
    score: list[Floats] = field(default_factory=list)
    t: list[Ints] = field(default_factory=list)

    def hear(self, rule: Rule, rows: Rows, t: Ints, score: Floats) -> None:  # noqa: ARG002  one rule, and the gates' rows
        said = np.isfinite(score).any(axis=1)
        if said.any():
            self.score.append(score[said][0])
            self.t.append(t[0])


def run(regulators: int, seed: int, hole: float = 0.0) -> Run:
    text = SCENARIO.format(days=DAYS, regulators=regulators) + (HOLE.format(at=AT, lasts=DAYS - AT, hole=hole) if hole else "")
    made = Run()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "balance.toml"
        path.write_text(text, "utf-8")
        on = stage(load(path), seed)
        replay = Replay(on.catalog, [r for r in rules() if r.id == "gas.flow.balance"], heed=made.hear)
        for turns in stretches(on.turns(), replay.engine):
            made.changes += replay.step(*turns)
    return made


def table() -> None:
    for regulators in (4, 12):
        quiet = [run(regulators, seed) for seed in range(1, 6)]
        false = sum(c.old == "NORMAL" for r in quiet for c in r.changes)
        print(f"{regulators} regulators, nothing wrong: {false} warnings in {5 * DAYS} network-days")
        for hole in (2.0, 5.0, 10.0):
            for seed in (1, 2, 3):
                found = [c for c in run(regulators, seed, hole).changes if c.t >= TORN]
                said = max((c.new for c in found), key=ORDER.index, default="NORMAL")
                when = f"after {(found[0].t - TORN) / 3600 / NS:.2f} h, {said}" if found else "not found"
                print(f"{regulators} regulators, {hole:g} mm, draw {seed}: {when}")


def picture() -> None:
    made = run(4, 1, 5.0)
    t, score = np.concatenate(made.t), np.concatenate(made.score)
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    axes.plot((t - t[0]) / DAY, score, lw=0.8, color="#b22")
    for bound in (1.0, 5 / 3, 10 / 3, 20 / 3):
        axes.axhline(bound, ls="--", lw=0.8, color="k")
    axes.axvline((TORN - t[0]) / DAY, color="#456", lw=1)
    axes.set(ylabel="score [1]", xlabel="day; a hole of 5 mm from the line on")
    figure.savefig(HERE / "balance.png", dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        table()
