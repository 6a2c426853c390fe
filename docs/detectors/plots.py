"""The pictures of these pages, from the detectors themselves. Run: python docs/detectors/plots.py"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from detectors.contact import Contact  # noqa: E402
from detectors.cusum import Cusum  # noqa: E402  after the path
from detectors.elevator import Elevator  # noqa: E402
from detectors.ewma import Ewma  # noqa: E402
from detectors.hampel import Hampel  # noqa: E402
from detectors.history import History  # noqa: E402
from detectors.limit import Limit  # noqa: E402
from detectors.local_level import LocalLevel  # noqa: E402
from detectors.often import Often  # noqa: E402
from detectors.peak import Peak  # noqa: E402
from detectors.rise import Rise  # noqa: E402
from detectors.rms import Rms  # noqa: E402
from detectors.silence import Silence  # noqa: E402
from detectors.stuck import Stuck  # noqa: E402
from detectors.tail import Tail  # noqa: E402
from detectors.travel import Travel  # noqa: E402
from lifeline.model import Floats, is_timed  # noqa: E402

Picture = tuple[Any, Floats, str, slice]  # detector, x of one series, what x is, the part shown


def noise(n: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=n)


def limit() -> Picture:
    t = np.arange(300.0)
    methane = 0.6 * np.clip(t - 120, 0, None) / 60 - 0.02 * np.clip(t - 200, 0, None)
    return Limit(scale=0.5), np.clip(methane + 0.03 * noise(300), 0, None), "methane [%VOL]", slice(0, 300)


def rise() -> Picture:
    t = np.arange(400.0)
    return (
        Rise(window=3600.0, scale=0.5 / 3600),
        0.03 * noise(400) + 0.01 * np.clip(t - 200, 0, 80),
        "methane [%VOL]",
        slice(0, 400),
    )


def shift(start: int, size: float) -> Floats:
    x = noise(1600)
    x[start:] += size
    return x


def cusum() -> Picture:
    return Cusum(), shift(1300, 1.0), "reading [σ]", slice(900, 1600)


def ewma() -> Picture:
    return Ewma(), shift(1300, 2.0), "reading [σ]", slice(900, 1600)


def hampel() -> Picture:
    x = noise(300)
    x[120] += 25
    x[220:] += 10
    return Hampel(), x, "reading [σ]", slice(0, 300)


def stuck() -> Picture:
    x = np.round(0.5 + 0.03 * noise(1400), 2)
    x[1250:] = x[1250]
    return Stuck(), x, "methane [%VOL]", slice(950, 1400)


def silence() -> Picture:
    spoken = np.random.default_rng(2).random(200) > 0.1
    spoken[120:] = False
    age, out = 0.0, []
    for there in spoken:
        age = 0.0 if there else age + 1
        out.append(age)
    return Silence(), np.array(out), "age [steps]", slice(0, 200)


def rms() -> Picture:
    t = 0.02 * np.arange(6000)
    shaking = np.where((t > 60) & (t < 90), 0.6, 0.05)
    return Rms(window=20.0, scale=0.315), shaking * noise(6000), "acceleration [m/s²]", slice(0, 6000)


def peak() -> Picture:
    t = 0.02 * np.arange(4000)
    ring = 0.3 * 9.81 * np.exp(-(t - 40) / 2) * np.sin(2 * np.pi * 2 * (t - 40)) * (t >= 40)
    return Peak(scale=0.15 * 9.81), 0.02 * noise(4000) + ring, "acceleration [m/s²]", slice(0, 4000)


def local_level() -> Picture:
    wander = np.cumsum(0.05 * noise(1100, 4))
    return (
        LocalLevel(),
        noise(1100, 3) + wander + np.r_[np.zeros(800), np.full(120, 5.0), np.zeros(180)],
        "reading [σ]",
        slice(400, 1100),
    )


def tail() -> Picture:
    x = noise(1600, 6)
    x[1100] += 9.0
    x[1350:] += 2.5
    return Tail(), x, "reading [σ]", slice(900, 1600)


def elevator() -> Picture:
    x = np.zeros((7, 160))
    x[1] = 1.0
    x[0, :10], x[3, 5:] = 1.0, 2.0
    x[2, 13:30], x[1, 13:] = 1.0, 0.0
    return Elevator(hazard="entrapment_between"), x, "car moving", slice(0, 160)


def contact() -> Picture:
    x = np.zeros((4, 160))
    x[0, 20:50] = x[0, 100:130] = 1.0
    x[2, 110:] = 1.0
    return Contact(channel="limit_switch", scale=1.0, apart=20.0), x, "somebody inside", slice(0, 160)


def travel() -> Picture:
    x = np.zeros((8, 80))
    way = np.r_[np.zeros(10), np.linspace(0, 1, 4), np.ones(16), np.linspace(1, -1, 8), -np.ones(20), np.zeros(22)]
    x[0], x[5], x[3] = np.sign(way), np.abs(way), way != 0
    x[1] = x[2] = way == 0
    return Travel(), x, "door zone", slice(0, 80)


def often() -> Picture:
    return (
        Often(scale=10.0, either=True),
        3 * noise(600) + np.clip(np.arange(600) - 200, 0, None) / 25,
        "levelling [mm]",
        slice(0, 600),
    )


def history() -> Picture:
    worn = 0.77 * (1 + np.clip(np.arange(1200) - 400, 0, None) / 4000)
    return History(origin=1.0, scale=0.1), worn * (1 + 0.02 * noise(1200)), "stopping [m]", slice(0, 1200)


PICTURES: Final[tuple[Callable[[], Picture], ...]] = (
    limit,
    rise,
    cusum,
    ewma,
    local_level,
    tail,
    hampel,
    stuck,
    silence,
    rms,
    peak,
    elevator,
    contact,
    travel,
    often,
    history,
)


def draw(make: Callable[[], Picture]) -> None:
    """Readings above, score below, its limit dashed."""
    detector, x, what, part = make()
    times = (np.arange(x.shape[-1])[None],) if is_timed(detector) else ()
    _, score = detector.step(detector.init(1), x[None], *times)
    seen = x[2] if x.ndim == 2 else x
    figure, (above, below) = plt.subplots(2, 1, figsize=(6, 3), sharex=True, layout="constrained")
    at = np.arange(seen.size)[part]
    above.plot(at, seen[part], lw=0.8, color="#456")
    above.set_ylabel(what)
    below.plot(at, score[0, part], lw=1.0, color="#b22")
    below.axhline(1.0, ls="--", lw=0.8, color="k")
    below.set(ylabel="score [1]", xlabel="sample" if x.ndim == 1 else "second")
    figure.savefig(HERE / f"{make.__name__}.png", dpi=80, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    for picture in PICTURES:
        draw(picture)
