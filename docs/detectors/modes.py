"""False alarms of the modes detector on bridges on which nothing happens, what it finds of a loss, and its picture.

Run: python docs/detectors/modes.py      (some minutes); with --picture only the picture
"""

import sys
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
from detectors.modes import default  # noqa: E402
from detectors.spectra import decomposed, hann, peaks  # noqa: E402
from lifeline.model import NS, Floats, Ints  # noqa: E402
from pipeline.replay import Replay  # noqa: E402
from pipeline.stretch import stretches  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402

WINDOW: Final = default.window
SLOT: Final = round(default.slot * NS)
DAYS: Final = 80
BRIDGES: Final = 8
LOSSES: Final = (0.02, 0.04)  # [1] of the frequencies
NEAR: Final = (0.5, 0.8, 0.95)  # [1] MAC of modes that lie near one another
CALM_DAYS: Final = 0.25  # [1] on which such a mode hardly swings
FAINT: Final = 0.03  # [1] and how much
AT: Final = 60  # [d] of the loss, over one day
BURST: Final = 6  # in an hour, of a minute each
MILD: Final = 288.15
FROST: Final = 273.15


def shaken(hertz: Floats, shape: Floats, damping: float, rng: np.random.Generator, strong: Floats | float = 1.0) -> Floats:
    """A minute of some sensors of a bridge under white force, noise of a third of the vibration. [sensors, window]

    strong: how strongly each mode swings. [modes] [1]
    """
    w = 2 * np.pi * hertz
    pole = np.exp(default.slot * (-damping * w + 1j * w * np.sqrt(1 - damping**2)))
    force = rng.normal(size=(hertz.size, WINDOW + 400))
    q = [signal.lfilter([1.0, -2.0, 1.0], [1.0, -2 * p.real, abs(p) ** 2], f)[400:] for p, f in zip(pole, force, strict=True)]
    x = shape @ (np.stack([a / a.std() for a in q]) * np.reshape(strong, (-1, 1)))
    return np.asarray(5e-3 * (x + x.std() / 3 * rng.normal(size=x.shape)))


def weather(days: int, rng: np.random.Generator) -> Floats:
    """Hours of a year's part: the season, fronts, days. [hours] [K]"""
    h, phase = np.arange(24.0 * days), rng.uniform(0, 2 * np.pi, 4)
    fronts = [1.5 * np.sin(2 * np.pi * h / 24 / d + p) for d, p in zip((3.1, 5.7, 11.0), phase, strict=False)]
    return np.asarray(MILD + 13 * np.sin(2 * np.pi * h / 24 / 365 + phase[3]) + 4 * np.sin(2 * np.pi * h / 24) + sum(fronts))


def stiff(kelvin: Floats, rng: np.random.Generator, wander: float) -> Floats:
    """Frequencies over those where it is mild: temperature and frost, and what no thermometer tells. [hours] [1]"""
    law = 1 - 0.0015 * (kelvin - MILD) + 0.005 * np.clip(FROST - kelvin, 0, 10)
    memory = np.exp(-1 / 120)  # of five days
    drift = signal.lfilter([np.sqrt(1 - memory**2)], [1, -memory], rng.normal(size=kelvin.size + 1000))[1000:]
    busy = -0.001 * np.clip(np.sin(2 * np.pi * (np.arange(kelvin.size) - 8) / 24), 0, 1)  # the mass of traffic
    return np.asarray(law + wander * drift + busy)


def bridge(seed: int, wander: float, loss: float, alike: float = 0.0) -> tuple[Floats, Floats]:
    """Scores by day [DAYS], NaN: none; frequencies of the first mode as found by hour [hours] [Hz].

    alike: MAC of two modes 12 % apart, each of which hardly swings on one of four days; 0: they lie well apart.
    """
    rng, d = np.random.default_rng(seed), replace(default, looked=(0, 1, 2, 3), warm=(4,))
    hertz = rng.uniform(0.5, 1.8) * np.array([1.0, 1.9])
    shape = np.column_stack([rng.uniform(0.4, 1.0, 4), rng.uniform(-1.0, 1.0, 4)])
    silent = np.random.default_rng(seed + 100).random((DAYS, 2)) < CALM_DAYS
    if alike:
        hertz, shape = hertz[0] * np.array([1.0, 1.12]), resembling(shape, alike)
    damping, kelvin = rng.uniform(0.005, 0.02), weather(DAYS, rng)
    factor = stiff(kelvin, rng, wander) - loss * np.clip(np.arange(kelvin.size) / 24 - AT, 0, 1)
    s, score, found = d.init(5), np.full(DAYS, np.nan), np.full(kelvin.size, np.nan)
    for h in range(kelvin.size):
        strong = np.where(silent[h // 24], FAINT, 1.0) if alike else 1.0
        x = np.hstack([shaken(factor[h] * hertz, shape, damping, rng, strong) for _ in range(BURST)])
        s, told = d.step(s, np.vstack([x, np.full(x.shape[1], kelvin[h] + 0.1 * rng.normal())]), minutes(h))
        found[h] = s.found[0]
        if np.isfinite(told).any():
            score[h // 24] = np.nanmax(told)
    return score, found


def resembling(shape: Floats, alike: float) -> Floats:
    """Shapes of which the second has that MAC with the first. [sensors, 2]"""
    one = shape[:, 0] / np.linalg.norm(shape[:, 0])
    other = shape[:, 1] - one * (one @ shape[:, 1])
    return np.column_stack([one, np.sqrt(alike) * one + np.sqrt(1 - alike) * other / np.linalg.norm(other)])


def minutes(h: int) -> Ints:
    """The first minute of each ten of an hour. [BURST · WINDOW] [ns]"""
    first = h * 36_000 + np.arange(BURST) * 6_000
    return np.asarray(SLOT * (first[:, None] + np.arange(1, WINDOW + 1)).ravel(), np.int64)


def raised(score: Floats) -> Floats:
    """Days on which the rule would begin to warn: the second of two of 1 or more. [days]"""
    said = np.flatnonzero(np.isfinite(score))
    high = score[said] >= 1
    both = high & np.r_[False, high[:-1]]
    return np.asarray(said[both & ~np.r_[False, both[:-1]]], float)


def false_alarms() -> None:
    for wander in (0.0, 0.001, 0.002):
        scores = [bridge(seed, wander, 0.0)[0] for seed in range(BRIDGES)]
        days = sum(int(np.isfinite(s).sum()) for s in scores)
        false = sum(raised(s).size for s in scores)
        print(f"wander {wander:.1%}: {false} warnings in {days} judged days; largest score {np.nanmax(scores):.2f}", flush=True)


def near() -> None:
    for alike in NEAR:
        scores = [bridge(seed, 0.001, 0.0, alike)[0] for seed in range(BRIDGES)]
        days = sum(int(np.isfinite(s).sum()) for s in scores)
        false = sum(raised(s).size for s in scores)
        worst = max((float(np.nanmax(s)) for s in scores if np.isfinite(s).any()), default=np.nan)
        print(f"modes 12 % apart, MAC {alike:g}: {false} warnings in {days} judged days; largest {worst:.2f}", flush=True)


def losses() -> None:
    for loss in LOSSES:
        late = [raised(bridge(seed, 0.001, loss)[0]) for seed in range(BRIDGES)]
        delay = [float(a[a >= AT][0] - AT) for a in late if (a >= AT).any()]
        print(f"loss {loss:.0%}: {len(delay)} of {BRIDGES} found, after days {sorted(delay)}", flush=True)


def world(seed: int, *, quiet: bool = False) -> None:
    """B4 in autumn with a minute of waveforms in every ten, 22 days before the loss and 6 after; or 24 days without it."""
    s = load(find("B4"))
    waves = {"bridge": replace(s.worlds["bridge"], waves=4, packet=60.0, every=600.0)}
    fault = () if quiet else tuple((w, replace(f, at=22 * 86_400.0)) for w, f in s.fault)
    start = s.start + 218 * 86_400 * NS
    on = stage(replace(s, worlds=waves, fault=fault, expect=(), start=start, duration=(24 if quiet else 28) * 86_400.0), seed)
    replay = Replay(on.catalog, [r for r in detectors.rules() if r.id == "bridge.acceleration.modes"])
    for run in stretches(on.turns(), replay.engine):
        for c in replay.step(*run):
            day = (c.t - start) / NS / 86_400
            print(f"B4 with waveforms, seed {seed}, day {day:.2f}: {c.key} {c.old} -> {c.new}, score {c.score:.2f}", flush=True)


def picture() -> None:
    rng = np.random.default_rng(5)
    shape = np.array([[1.0, 0.8, 0.5, 0.3], [0.9, 0.1, -0.7, -0.8]]).T
    f = [
        np.fft.rfft(x * hann(WINDOW), axis=1)[:, default.bins]
        for x in (shaken(np.array([1.2, 2.8]), shape, 0.012, rng) for _ in range(60))
    ]
    cross = np.mean([a[:, None] * np.conj(a)[None] / np.mean(np.abs(a) ** 2) for a in f], axis=0)
    value = decomposed(cross)[0]
    at = peaks(value, default.hertz)[0]
    score, found = bridge(1, 0.001, 0.04)
    figure, axes = plt.subplots(3, 1, figsize=(8, 7))
    axes[0].semilogy(default.hertz, value, lw=0.8)
    axes[0].plot(default.hertz[at], value[at], "o", ms=4)
    axes[0].set(xlabel="[Hz]", ylabel="first singular value [1]")
    days = np.arange(found.size) / 24
    axes[1].plot(days, found, lw=0.6)
    axes[1].axvline(AT, color="C3", lw=0.8)
    axes[1].set(ylabel="first mode [Hz]", xlim=(0, DAYS))
    axes[2].plot(np.arange(DAYS), score, ".-", lw=0.6)
    axes[2].axhline(1.0, color="k", lw=0.6)
    axes[2].axvline(AT, color="C3", lw=0.8)
    axes[2].set(xlabel="day; a loss of 4 % of the frequencies at the red line", ylabel="score [1]", xlim=(0, DAYS))
    figure.tight_layout()
    figure.savefig(HERE / "modes.png", dpi=110)


if __name__ == "__main__":
    picture()
    if "--picture" not in sys.argv:
        false_alarms()
        near()
        losses()
        for seed in (1, 5):
            world(seed)
        for seed in (1, 2):
            world(seed, quiet=True)
