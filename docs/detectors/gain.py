"""False tickets of the gain detector, what it finds, and its picture: noise, and the water world.

Run: python docs/detectors/gain.py      (some minutes); with --picture only the picture
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from scipy import signal

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

import detectors  # noqa: E402  after the path
from detectors.daily import DAY  # noqa: E402
from detectors.gain import default  # noqa: E402
from lifeline.model import NS, Floats  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators import sensors  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402

GROUPS: Final = 20
SIX: Final = 6
HOLD: Final = 4  # [d] of the rule
DAYS: Final = 365
STEP: Final = 60 * 86_400.0  # [s]
NOISES: Final = ("plain", "dull", "season", "tails", "slow")


def body(seed: int, days: int, kind: str = "plain", n: int = SIX) -> Floats:
    """Sensors of one structure: a daily course that differs from day to day, each its own factor and zero. [n, days * DAY]

    kind: "dull": a third of the days has a tenth of the course; "season": factors that change by 20 % over the year, each in
    its own phase; "tails": noise of Student's distribution with three degrees of freedom; "slow": noise that remembers five
    hours.
    """
    rng = np.random.default_rng(seed)
    hour = np.arange(days * DAY)
    size = rng.uniform(0.3, 1.7, days) * (np.where(rng.random(days) < 1 / 3, 0.1, 1.0) if kind == "dull" else 1.0)
    course = np.repeat(size, DAY) * np.sin(2 * np.pi * (hour - 9) / DAY)
    factor = rng.uniform(0.5, 2.0, (n, 1)) * np.ones(hour.size)
    if kind == "season":
        factor *= 1 + 0.2 * np.sin(2 * np.pi * (hour / DAY / 365 + rng.random((n, 1))))
    noise = rng.standard_t(3, (n, hour.size)) if kind == "tails" else rng.normal(size=(n, hour.size))
    if kind == "slow":
        noise = np.sqrt(1 - 0.8**2) * signal.lfilter([1], [1, -0.8], noise, axis=1)
    return np.asarray(rng.uniform(-30, 30, (n, 1)) + factor * (course + 0.15 * noise))


def judged(x: Floats) -> Floats:
    """Score of each day, told with the next. [n, days]"""
    n = len(x)
    near = np.full((n, default.most), -1, np.int64)
    for i in range(n):
        near[i, : n - 1] = [j for j in range(n) if j != i]
    d = replace(default, near=near)
    return d.step(d.init(n), x, np.arange(1, x.shape[1] + 1) * 3600 * NS)[1][:, ::DAY]


def raised(score: Floats, hold: int) -> list[int]:
    """Days on which the rule opens a ticket: the last of so many in a row. score [days]"""
    high = np.nan_to_num(score) >= 1
    on = np.convolve(high, np.ones(hold), "valid") == hold
    return [int(i) + hold - 1 for i in np.flatnonzero(on & ~np.r_[False, on[:-1]])]


def tickets(score: Floats, hold: int = HOLD) -> int:
    """Of all. score [n, days]"""
    return sum(len(raised(s, hold)) for s in score)


def world(seed: int, name: str, fault: Sequence[object] = (), days: int = 120, rule: str = "any.gain.peers") -> list[str]:
    """What the rule says of a scenario of the water world with eight gauges and these faults of sensors, nothing else."""
    s = load(find(name))
    water = replace(s.worlds["water"], gauges=8, every=900.0)
    on = stage(replace(s, worlds={"water": water}, sensor=tuple(fault), expect=(), ticket=(), duration=days * 86_400.0), seed)
    replay = Replay(on.catalog, [r for r in detectors.rules() if r.id == rule])
    return [
        f"day {(c.t - s.start) / NS / 86_400:.1f} {c.key} {c.new}"
        + "".join(f" ({p.name})" for p in c.evidence.places)
        for run in stretches(on.turns(), replay.engine)
        for c in replay.step(*run)
    ]  # fmt: skip


def picture() -> None:
    x = body(3, 50)
    x[1, 30 * DAY :] *= 1.5
    score = judged(x)
    figure, (a, b) = plt.subplots(2, 1, figsize=(8, 4), sharex=True)
    days = np.arange(x.shape[1]) / DAY
    a.plot(days, (x - np.median(x, axis=1, keepdims=True)).T, lw=0.5)
    a.set_ylabel("from the median [1]")
    b.plot(np.arange(score.shape[1]), score.T)
    b.axhline(1, color="C3", lw=0.8)
    b.set_ylabel("score [1]")
    b.set_xlabel("day: the scale of the second grows by half on day 30")
    figure.tight_layout()
    figure.savefig(HERE / "gain.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for kind in NOISES:
            n = sum(tickets(judged(body(seed, DAYS, kind))) for seed in range(GROUPS))
            print(f"{kind}: {n} tickets in {GROUPS * SIX * DAYS / 365:g} sensor-years", flush=True)
        for factor in (1.2, 1.35, 1.5, 2.0, 0.5, -1.0):
            late = []
            for seed in range(GROUPS):
                x = body(seed, 60)
                x[1, 30 * DAY :] *= factor
                score = judged(x)
                late += [day - 30 for day in raised(score[1], HOLD)[:1]]
                assert not tickets(np.delete(score, 1, axis=0))
            after = np.median(late or [np.nan])
            print(f"scale of one times {factor:g}: {len(late)} of {GROUPS} found, after {after:g} days", flush=True)
        for seed in (1, 2, 3):
            print(f"water, quiet, seed {seed}: {world(seed, 'W11')}", flush=True)
        for gain in (1.5, 0.7):
            step = sensors.Step(series="gauge-1-2/pressure", gain=gain, at=STEP)
            print(f"water, gain {gain:g} of gauge-1-2: {world(1, 'W11', [step], 90)}", flush=True)
