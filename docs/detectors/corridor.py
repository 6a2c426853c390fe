"""How often corridor is wrong, and how often the pipe is among the first named, over streets drawn at random; and its picture.

Run: python docs/detectors/corridor.py      (a minute); with --picture only the picture
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

from detectors.corridor import APART, Corridor, Pipes, default  # noqa: E402  after the path
from lifeline.model import NS, Floats, Members  # noqa: E402

HOUR: Final = 3600 * NS
PIPE: Final = 20.0  # [m]
LENGTH: Final = 400.0  # [m] of the street
BOUND: Final = 0.005  # [1] of the mildest level


def street(rng: np.random.Generator, wells: int) -> tuple[Corridor, Floats]:
    """A main along a street and wells beside it; the detector settled for them, and where they are [n, 2] [m]."""
    at = np.c_[np.sort(rng.uniform(0, LENGTH, wells)), rng.uniform(0.0, 6.0, wells)]
    none, name = np.full(wells, np.nan), np.array([f"well-{i}" for i in range(wells)], object)
    methane, told = np.full(wells, "methane", object), np.ones(wells, np.bool_)
    lat, lon = at[:, 1] / 111_195.0, at[:, 0] / 111_195.0
    m = Members(name, methane, name, name, lat, lon, none, none, none, none, told, 300.0)
    made = replace(default, scale=BOUND).settled(m)
    assert made is not None
    points = np.arange(APART / 2, LENGTH, APART)
    east, north = made.place[0] - at[0]
    pipes = Pipes(
        tuple(f"pipe-{i}" for i in range(round(LENGTH / PIPE))), (points // PIPE).astype(np.int64),
        np.c_[points + east, np.full(points.size, north)], np.zeros((round(LENGTH / PIPE), 2)),
    )  # fmt: skip
    return replace(made, pipes=pipes), at


def leak(rng: np.random.Generator, at: Floats, source: float, hours: int) -> Floats:
    """Methane in wells, slot by slot, of a leak at `source` [m] along: delay, loss and air changes drawn. [n, k]"""
    d = np.hypot(at[:, 0] - source, at[:, 1])
    speed, reach, free = rng.uniform(1.0, 5.0), rng.uniform(8.0, 25.0), rng.uniform(0.05, 0.4)
    final = free * np.exp(-d / reach + 0.6 * rng.standard_normal(d.size))
    delay = d / speed * np.exp(0.3 * rng.standard_normal(d.size)) + 1.0
    change = np.exp(np.log(0.4) + 0.6 * rng.standard_normal(d.size))
    t = np.arange(1, 12 * hours + 1) / 12
    inside = final[:, None] * -np.expm1(-change[:, None] * np.maximum(t - delay[:, None], 0.0))
    seen = inside * (1 + 0.03 * rng.standard_normal((d.size, 1))) + 3e-4 * rng.standard_normal(inside.shape)
    return np.where(seen < 0.002, 0.0, np.minimum(seen, 0.2))


def named(streets: int, spacing: float) -> None:
    """How often the pipe that leaks is the first named, or among three or five, when two wells have told of it."""
    rng, first, told = np.random.default_rng(round(spacing)), np.zeros(3, np.int64), 0
    for _ in range(streets):
        d, at = street(rng, round(LENGTH / spacing))
        source = rng.uniform(60.0, LENGTH - 60.0)
        x = leak(rng, at, source, 48)
        t = np.arange(1, x.shape[1] + 1) * 300 * NS
        s, score = d.step(d.init(len(at)), x, t)
        over = (score >= 1).any(axis=0)
        if not over.any():
            continue
        j = int(np.argmax(over))
        s, score = d.step(d.init(len(at)), x[:, : j + 1], t[: j + 1])
        places = [p.name for p in d.locate(s, int(np.argmax(score[:, -1])))]
        told += 1
        true = f"pipe-{int(source // PIPE)}"
        first += np.array([true in places[:n] for n in (1, 3, 5)])
    shares = ", ".join(f"{n} of the first {k}" for k, n in zip((1, 3, 5), first.tolist(), strict=True))
    print(f"wells every {spacing:g} m: told of {told} leaks of {streets}; the pipe is {shares}")


def quiet(streets: int) -> None:
    """One well in twenty holds what its laser sees, for its own reasons: how often neighbours are taken for a corridor."""
    rng, raised, wells = np.random.default_rng(7), 0, 0
    for _ in range(streets):
        d, at = street(rng, 16)
        own = np.where(rng.random(len(at)) < 0.05, rng.uniform(0.003, 0.02, len(at)), 0.0)
        day = 1 + 0.3 * np.sin(np.arange(288 * 7) / 288 * 2 * np.pi)
        x = own[:, None] * day + 3e-4 * rng.standard_normal((len(at), day.size))
        score = d.step(d.init(len(at)), np.where(x < 0.002, 0.0, x), np.arange(1, day.size + 1) * 300 * NS)[1]
        raised += int((score >= 1).any(axis=1).sum())
        wells += len(at)
    print(f"{raised} wells called in {wells} well-weeks with a well in twenty that holds 0.3 to 2 %VOL of its own")


def picture() -> None:
    rng = np.random.default_rng(21)
    d, at = street(rng, 14)
    x = leak(rng, at, 205.0, 24)
    t = np.arange(1, x.shape[1] + 1) * 300 * NS
    s, _ = d.step(d.init(len(at)), x, t)
    places = {p.name: p.share for p in d.locate(s, int(np.argmax(x[:, -1])))}
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 4), layout="constrained")
    for i in np.flatnonzero(x.max(axis=1) > 0.003):
        above.plot(t / HOUR, 100 * x[i], lw=1, label=f"at {at[i, 0]:.0f} m")
    above.axhline(100 * BOUND, ls="--", lw=0.8, color="k")
    above.set(ylabel="methane [%VOL]", xlabel="hour", yscale="log", ylim=(0.2, 25))
    above.legend(fontsize=7)
    below.bar(PIPE * np.arange(LENGTH / PIPE) + PIPE / 2, [places.get(f"pipe-{i}", 0) for i in range(round(LENGTH / PIPE))], 18)
    below.plot(at[:, 0], np.zeros(len(at)), "v", color="k", ms=4)
    below.axvline(205.0, color="#b22", lw=1)
    below.set(ylabel="share of belief", xlabel="along the street [m]: wells, and the leak")
    figure.savefig(HERE / "corridor.png", dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        for spacing in (15.0, 25.0, 40.0):
            named(200, spacing)
        quiet(300)
