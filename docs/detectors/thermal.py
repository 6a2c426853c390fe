"""False alarms of the thermal rules on simulated bridges on which nothing happens, and their picture.

Run: python docs/detectors/thermal.py      (some minutes)
"""

import sys
from collections import Counter
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
from lifeline.model import NS  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402

SEEDS: Final = range(2, 6)
MONTHS: Final = (0, 3, 6, 9)
DAYS: Final = 150
KINDS: Final = ("B4", "B5", "B8", "B9")  # frequencies; cables; a joint; a deflection
RULES: Final = [r for r in detectors.rules() if r.id.endswith(".thermal")]


def count() -> None:
    raised: Counter[str] = Counter()
    series: Counter[str] = Counter()
    for name in KINDS:
        s = load(find(name))
        for seed in SEEDS:
            for month in MONTHS:
                quiet = replace(s, start=s.start + month * 30 * 86_400 * NS, fault=(), expect=(), duration=DAYS * 86_400.0)
                on = stage(quiet, seed)
                replay = Replay(on.catalog, RULES)
                series.update(x.rule.id for p in replay.engine.panels for x in p.lines for _ in range(int(np.sum(x.judged))))
                for run in stretches(on.turns(), replay.engine):
                    raised.update(c.rule for c in replay.step(*run) if c.old == "NORMAL")
    for rule in RULES:
        years = series[rule.id] * DAYS / 365
        print(f"{rule.id}: {raised[rule.id]} warnings in {years:.0f} series-years")


def picture() -> None:
    on = stage(load(find("B4")))
    row = on.catalog.quantity.tolist().index("frequency")
    warm = on.catalog.quantity.tolist().index("temperature")
    rules = [r for r in RULES if r.quantity == "frequency"]
    scores: list[tuple[float, float]] = []
    replay = Replay(
        on.catalog,
        rules,
        heed=lambda _, rows, t, score: scores.extend(
            (a / NS, b)
            for a, b in zip(t[rows == row].ravel().tolist(), score[rows == row].ravel().tolist(), strict=True)
            if np.isfinite(b)
        ),
    )
    seen: dict[int, list[tuple[float, float]]] = {row: [], warm: []}
    for turn in on.turns():
        replay.step(turn)
        for r, kept in seen.items():
            mine = turn.batch.row == r
            kept += list(zip((turn.batch.t[mine] / NS).tolist(), turn.batch.value[mine].tolist(), strict=True))
    figure, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    begin = on.scenario.start / NS
    for axis, points, label in zip(
        axes, (seen[warm], seen[row], scores), ("temperature [K]", "frequency [Hz]", "score [1]"), strict=True
    ):
        t, x = np.array(points).T
        axis.plot((t - begin) / 86_400, x, ".-" if label.startswith("score") else "-", lw=0.6, ms=4)
        axis.set_ylabel(label)
    axes[2].axhline(1, color="C3", lw=0.8)
    axes[2].set_xlabel("day: the span loses 8 % of its stiffness in day 35")
    figure.tight_layout()
    figure.savefig(HERE / "thermal.png", dpi=110)


if __name__ == "__main__":
    picture()
    count()
