"""The picture of docs/worlds/bridge.md, from the world itself. Run: python docs/worlds/bridge.py"""

import io
import sys
from pathlib import Path
from time import process_time
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from PIL import Image
from scipy.signal import welch

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from lifeline.model import NS, Batch, Block, Floats  # noqa: E402  after the path
from simulators.bridge.scene import maker  # noqa: E402
from simulators.plan import Plan  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402
from simulators.world import Run  # noqa: E402

START: Final = 1_795_420_800 * NS


def readings(name: str, most: float = np.inf) -> dict[str, tuple[Floats, Floats]]:
    """Series of a scenario -> seconds after its start, and values in the device's unit. most: so long at most [s]"""
    s = load(find(name))
    st, parts = stage(s), []
    for turn in st.turns():
        if turn.at > s.start + most * NS:
            break
        parts += [turn.batch, *(x.flat() for x in turn.blocks)]
    b, c = Batch.joined(parts), st.catalog
    out = {}
    for row, key in enumerate(c.key):
        mine = b.row == row
        out[str(key)] = (b.t[mine] - s.start) / NS, (b.value[mine] - c.offset[row]) / c.scale[row]
    return out


def spectrum(ax: Any) -> None:
    for name, key, label in (("B6", "accel-1-mid/z", "30 m: 4.0 Hz"), ("B12", "accel-1-mid/z", "60 m: 2.1 Hz")):
        x = readings(name, 590.0)[key][1]
        f, power = welch(x, 50.0, nperseg=2048)
        ax.semilogy(f, power, lw=0.9, label=label)
    for first in (4.0, 2.1):
        ax.axvline(first, color="grey", lw=0.7, ls=":")
    ax.set(xlim=(0, 20), xlabel="frequency [Hz]", ylabel="power [(m/s²)²/Hz]", title="mid-span (dotted: π/2L²·√(EI/m))")
    ax.legend(fontsize=7)


def blow(ax: Any) -> None:
    told = readings("B6", 660.0)
    t, x = told["accel-1-pier-a/z"]
    near = (t > 599.5) & (t < 602.5)
    ax.plot(t[near] - 600, x[near] / 9.80665, lw=0.8, label="pier [g]")
    ax.set(
        xlabel="seconds after the blow", ylabel="acceleration [g]", title="B6: a ship hits the pier, which stays out of plumb"
    )
    right = ax.twinx()
    t, tilt = told["tilt-1-a/pier"]
    near = (t > 597) & (t < 603)
    right.step(t[near] - 600, tilt[near], where="post", color="black", lw=0.8)
    right.set_ylabel("tilt [°]")


def pair(ax: Any) -> None:
    told = readings("B2", 640.0)
    for key in ("bearing-1/a-left", "bearing-1/a-right", "bearing-1/b-left", "bearing-1/b-right"):
        t, x = told[key]
        ax.plot(t - 600, x, lw=0.9, label=key.partition("/")[2])
    ax.set(
        xlim=(-15, 20),
        xlabel="seconds after the first lorry",
        ylabel="reaction [kN]",
        title="B2: two lorries of 158 t on one side",
    )
    ax.legend(fontsize=7)


def warmth(ax: Any) -> None:
    told = readings("B11", 47 * 86_400.0)
    (t, f), (u, warm) = told["modal-1/f1"], told["thermo-1/deck"]
    ax.plot(np.interp(t - 1800, u, warm), f, ".", ms=1.5)
    ax.set(xlabel="deck [°C]", ylabel="first frequency [Hz]", title="B11: a cold snap, frequency by temperature")


def cost(plan: Plan) -> float:
    """Of the bridge world of a city. [ms/s]"""
    run, hour = Run(maker.town(plan, (), START, 1).model, START), 600
    run.emit(START, START + 60 * NS)
    began, n = process_time(), 0
    for at in range(60, 60 + hour, 30):
        n += sum(p.value.size for p in run.emit(START + at * NS, START + (at + 30) * NS) if isinstance(p, Block))
    return (process_time() - began) / hour * 1e3


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(11, 7))
    for ax, draw in zip(axes.flat, (spectrum, blow, pair, warmth), strict=True):
        draw(ax)
        ax.grid(alpha=0.3)
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, dpi=85)
    Image.open(raw).convert("RGB").quantize(48).save(HERE / "bridge.png", optimize=True)
    print(f"{HERE / 'bridge.png'}: {(HERE / 'bridge.png').stat().st_size} bytes")
    large = {"districts": "large", "bridges": 137, "waves": 40}
    for name, plan in (
        ("6 bridges, 24 waveforms", Plan()),
        ("137 bridges, 5,480 waveforms", Plan(**large)),
        ("137 bridges, bursts of 10 s an hour", Plan(**large, packet=10.0, every=3600.0, bridge_step=60.0)),
    ):
        print(f"{name}: {cost(plan):.3f} ms a simulated second")


if __name__ == "__main__":
    main()
