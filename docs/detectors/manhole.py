"""How often manhole, still and climb are wrong, on wells of the gas world drawn at random; and their pictures.

Run: python docs/detectors/manhole.py      (two minutes); with --picture only the pictures
"""

import sys
from pathlib import Path
from typing import Final, Literal, NamedTuple

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.climb import Climb  # noqa: E402
from detectors.manhole import Manhole  # noqa: E402
from detectors.still import Still  # noqa: E402  after the path
from lifeline.model import NS, Bools, Floats, Ints  # noqa: E402
from simulators.gas.box import mixed  # noqa: E402
from simulators.gas.laser import NOISE, Cadence, laser  # noqa: E402
from simulators.gas.rates import puffs  # noqa: E402
from simulators.gas.wells import HOUR, LEAST, WARM, Wells  # noqa: E402
from simulators.weather import Weather  # noqa: E402

DAY: Final = 24 * HOUR  # [s]
TICK: Final = 60.0  # [s]
NEVER: Final = float("inf")
CADENCES: Final = ((300, 60), (600, 60), (1800, 300), (1800, 1800), (3600, 300), (3600, 3600))  # [s] slow, fast
What = Literal["leak", "biogas", "drift"]


class Told(NamedTuple):
    """Readings of wells, at common instants."""

    x: Floats  # [n, k] [1] NaN: none then
    t: Ints  # [k] [ns]
    onset: Floats  # [n] [ns]


def wells(n: int, seed: int) -> Wells:
    """As those of a city, half of them with a draught when the air outside is cold."""
    rng = np.random.default_rng(seed)
    air = np.maximum(np.exp(np.log(0.4) + 0.6 * rng.normal(size=n)) / HOUR, LEAST)
    none, far = np.zeros(n), np.full(n, NEVER)
    return Wells(
        tuple(map(str, range(n))), rng.uniform(1.5, 10.0, n), air, rng.choice([0.0, 0.4 / HOUR], n), none, none, far, far,
        np.ones(n), rng.uniform(0, 2 * np.pi, n),
    )  # fmt: skip


def told(what: What, n: int, days: int, seed: int, slow: int, fast: int) -> Told:
    """What lasers report of leaks, of biogas (half of it old, half growing within a day), or of zeros that drift."""
    rng, weather, w = np.random.default_rng(seed), Weather(seed), wells(n, seed)
    start = 1.7e9 // DAY * DAY + DAY * float(rng.integers(365))
    t = start + TICK * np.arange(1, round(days * DAY / TICK) + 1)
    level = rng.uniform(0.006, 0.03, n)
    old = rng.random(n) < 0.5 if what == "biogas" else np.zeros(n, np.bool_)
    onset = start + np.where(old, -10.0, rng.uniform(0.25, 0.75, n)) * DAY
    source = level * w.volume * w.changes(t[::60], weather).mean(axis=1)
    inside, hot, cadence = np.where(old, level, 0.0), np.zeros(n, np.bool_), Cadence(slow, fast)
    x = np.full((n, t.size), np.nan)
    for a in range(0, t.size, 1440):
        now = t[a : a + 1440]
        supply, loss = flows(what, w, weather, source, onset, now)
        noise = NOISE * rng.standard_normal(supply.shape)
        zero = 0.0015 * (now - start) / (30 * DAY) + 0.005 if what == "drift" else np.zeros(now.size)
        for j, second in enumerate(now.astype(np.int64).tolist()):
            inside = mixed(inside, supply[:, j], loss[:, j], TICK)
            due = cadence.due(second, hot)
            if due.any():
                seen = laser(inside + zero[j] + noise[:, j])
                x[due, a + j] = seen[due]
                hot = np.where(due, seen >= cadence.above, hot)
    return Told(x, (t * NS).astype(np.int64), onset * NS)


def flows(what: What, w: Wells, weather: Weather, source: Floats, onset: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Supply and loss. [n, k] [1/s]"""
    air = w.changes(t, weather)
    if what == "drift":
        return np.zeros_like(air), air
    since = t - onset[:, None]
    warmth = WARM ** (weather.ground(t) - weather.ground(t[:1]).mean())
    gas = source[:, None] * (puffs(w, t) * (since > 0) if what == "leak" else warmth * np.clip(since / DAY, 0, 1))
    return gas / w.volume[:, None], air + (gas / w.volume[:, None] if what == "leak" else 0.0)


def opinions(d: Manhole, given: Told) -> tuple[Bools, Bools]:
    """Whether each well is taken for a leak, and whether it had gas to be judged, every ten minutes. [n, k / 10]"""
    s, leak, high = d.init(len(given.x)), [], []
    t = np.broadcast_to(given.t, given.x.shape)
    for j in range(0, given.t.size, 10):
        x = given.x[:, j : j + 10]
        s, _ = d.step(s, x, t[:, j : j + 10])
        leak.append(s.leak)
        high.append((np.nan_to_num(x) > 0.005).any(axis=1))
    return np.array(leak).T, np.array(high).T


def origins() -> None:
    print(f"{'report':>14} {'truth':>7} {'wrong after':>12} 1 h {'6 h':>6} {'24 h':>6} {'4 d':>6} {'share of the time':>18}")
    for slow, fast in CADENCES:
        for what in ("leak", "biogas"):
            given = told(what, 120, 6, 3, slow, fast)  # type: ignore[arg-type]  # a literal each
            leak, high = opinions(Manhole(of="leak", prior=-2.0, every=slow), given)
            wrong = leak != (what == "leak")
            since = (given.t[::10] - np.maximum(given.onset, float(given.t[0]))[:, None]) / NS / HOUR
            at = [wrong[np.arange(len(wrong)), np.argmax(since >= h, axis=1)].mean() for h in (1, 6, 24, 96)]
            told_of = " ".join(f"{share:6.1%}" for share in at)
            print(f"{slow // 60:3d} min, {fast // 60:2d} min {what:>7} {'':>9}{told_of} {wrong[high].mean():12.1%}")


def stills() -> None:
    """Wells that breathe, and zeros that drift, for four weeks."""
    for what in ("leak", "biogas", "drift"):
        for slow, fast in ((1800, 300), (3600, 3600)):
            given = told(what, 120, 28, 5, slow, fast)  # type: ignore[arg-type]  # a literal each
            d = Still(every=slow)
            score = d.step(d.init(120), given.x, np.broadcast_to(given.t, given.x.shape))[1]
            called = (np.nan_to_num(score) >= 1).reshape(120, 28, -1).any(axis=2)
            print(f"{what:>7}, {slow // 60} min: called still on {called.sum()} of {called.size} days, "
                  f"{called.any(axis=1).sum()} of 120 sensors")  # fmt: skip


def climbs() -> None:
    """Noise about a level that stays, for sensor-days; vapour that a sensor answers to, twice at a time."""
    rng, n, days = np.random.default_rng(8), 200, 20
    for every in (60, 300, 1800):
        k = round(days * DAY / every)
        x = 0.003 + NOISE * rng.standard_normal((n, k))
        t = np.broadcast_to((np.arange(1, k + 1) * every * NS).astype(np.int64), x.shape)
        spikes = x.copy()
        for a in range(100, k - 2, 180):
            spikes[:, a : a + 2] = 0.03
        for name, y in (("noise", x), ("vapour", spikes)):
            rise, surge = Climb(7200.0, scale=1e-3 / 3600), Climb(600.0, scale=1e-3 / 60)
            counts = [begins(d.step(d.init(n), y, t)[1]) for d in (rise, surge)]
            print(f"{name:>7}, every {every} s: rise {counts[0]}, surge {counts[1]} in {n * days} sensor-days")


def begins(score: Floats) -> int:
    """How often the level of a rule with hold 2 is entered. score [n, k]"""
    over = np.nan_to_num(score) >= 1
    held = over[:, 1:] & over[:, :-1]
    return int((held[:, 1:] & ~held[:, :-1]).sum())


def one(given: Told, i: int) -> tuple[Floats, Floats, Ints]:
    """Readings that there are: hours since the first instant, values, instants."""
    there = np.isfinite(given.x[i])
    return (given.t[there] - given.t[0]) / NS / HOUR, given.x[i, there], given.t[there]


def pictures() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(8, 4), sharex=True, sharey="row", layout="constrained")
    for (above, below), what in zip(axes.T, ("leak", "biogas"), strict=True):
        hours, x, t = one(told(what, 6, 4, 11, 1800, 300), 2)  # type: ignore[arg-type]  # a literal each
        d = Manhole(of="leak", prior=-2.0, every=1800.0)
        s, odds = d.init(1), []
        for now, at in zip(x, t, strict=True):
            s, _ = d.step(s, np.array([[now]]), np.array([[at]]))
            odds.append(s.belief[0] + d.prior)
        above.plot(hours, 100 * x, lw=0.8, color="#456")
        above.set_title(what)
        below.plot(hours, odds, color="#b22")
        below.axhspan(-1, 1, color="#ddd")
        below.set_xlabel("hour")
    axes[0, 0].set_ylabel("methane [%VOL]")
    axes[1, 0].set_ylabel("log odds of a leak")
    figure.savefig(HERE / "manhole.png", dpi=80, metadata={"Software": None})
    figure, axes = plt.subplots(2, 2, figsize=(8, 4), sharex=True, layout="constrained")
    for (above, below), what in zip(axes.T, ("biogas", "drift"), strict=True):
        hours, x, t = one(told(what, 6, 16, 12, 3600, 3600), 1)  # type: ignore[arg-type]  # a literal each
        still = Still(every=3600.0)
        score = still.step(still.init(1), x[None], t[None])[1][0]
        above.plot(hours / 24, 100 * x, lw=0.8, color="#456")
        above.set_title({"biogas": "a well that breathes", "drift": "a zero that drifts"}[what])
        below.plot(hours / 24, score, color="#b22")
        below.set(ylim=(-0.05, 1.1), xlabel="day")
    axes[0, 0].set_ylabel("methane [%VOL]")
    axes[1, 0].set_ylabel("score [1]")
    figure.savefig(HERE / "still.png", dpi=80, metadata={"Software": None})
    rng = np.random.default_rng(9)
    t = np.r_[np.arange(0, 8, 0.5), np.arange(8, 12, 1 / 12)]
    x = 0.2 + 0.03 * rng.standard_normal(t.size) + 1.2 * np.clip(t - 7.5, 0, None) / 3
    x[[5, 6, 22, 23]] += 3.0
    climb = Climb(7200.0, scale=1e-3 / 3600)
    score = climb.step(climb.init(1), x[None] / 100, (t[None] * 3600 * NS).astype(np.int64))[1][0]
    figure, (above, below) = plt.subplots(2, 1, figsize=(6, 3), sharex=True, layout="constrained")
    above.plot(t, x, ".-", lw=0.8, ms=3, color="#456")
    above.set_ylabel("methane [%VOL]")
    below.plot(t, score, ".-", lw=1, ms=3, color="#b22")
    below.axhline(1.0, ls="--", lw=0.8, color="k")
    below.set(ylabel="score [1]", xlabel="hour")
    figure.savefig(HERE / "climb.png", dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    pictures()
    if "--picture" not in sys.argv:
        origins()
        stills()
        climbs()
