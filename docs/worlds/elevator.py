"""The picture of docs/worlds/elevator.md, from the world itself. Run: python docs/worlds/elevator.py"""

import io
import sys
from pathlib import Path
from time import process_time
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from PIL import Image

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from lifeline.model import NS, Batch, Block, Floats  # noqa: E402  after the path
from simulators.elevator.hazards import StopOutside  # noqa: E402
from simulators.elevator.scene import STATES, ElevatorWorld, maker  # noqa: E402
from simulators.plan import Plan  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.scurve import curve, travel  # noqa: E402
from simulators.stage import stage  # noqa: E402
from simulators.world import Run  # noqa: E402

START: Final = 1_795_420_800 * NS
WARM: Final = 600  # [s]
LONG: Final = 3600  # [s]


def told(name: str) -> dict[str, tuple[Floats, Floats]]:
    """Series of a scenario -> seconds after its start, and values in the device's unit."""
    s = load(find(name))
    st = stage(s)
    b, c = Batch.joined([turn.batch for turn in st.turns()]), st.catalog
    out = {}
    for row, key in enumerate(c.key):
        mine = b.row == row
        out[str(key)] = (b.t[mine] - s.start) / NS, b.value[mine] / c.scale[row]
    return out


def trips(ax: Any) -> None:
    for distance in (3.0, 9.0, 45.0):
        whole = float(curve(np.array([distance]), np.array([1.75])).duration[0])
        t = np.linspace(0.0, whole, 400)
        way = curve(np.full(t.size, distance), np.full(t.size, 1.75))
        ax.plot(t, travel(way, t)[1], lw=1.2, label=f"{distance:g} m: {whole:.1f} s")
    ax.set(xlabel="seconds", ylabel="speed [m/s]", title="trips at 1.75 m/s, 0.8 m/s², 1.0 m/s³")
    ax.legend(fontsize=7)


def roof(ax: Any) -> None:
    world = ElevatorWorld(accelerometer=True, trips=0)
    run = Run(maker.scene(world, [StopOutside(at=180, lasts=60)], START, 1).model, START)
    waves = [p for p in run.emit(START, START + 300 * NS) if isinstance(p, Block)]
    t = np.concatenate([(p.t[0] - START + p.step * np.arange(p.value.shape[1])) / NS for p in waves])
    ax.plot(t, np.concatenate([p.value[0] for p in waves]), lw=0.4)
    ax.set(
        xlim=(150, 285),
        xlabel="seconds",
        ylabel="acceleration [m/s²]",
        title="a roof: the brake falls in at 180 s, on it goes at 240 s",
    )


def entrapment(ax: Any) -> None:
    x = told("E1")
    for i, name in enumerate(("door", "motion", "passengers", "door_zone", "alarm_button", "power")):
        t, v = x[f"car-001/{name}"]
        ax.step(t, v / max(v.max(), 1) * 0.8 + i, where="post", lw=1, label=name)
        ax.text(564, i + 0.1, name, fontsize=7)
    ax.set(xlim=(560, 680), yticks=[], xlabel="seconds", title="E1: a power cut between landings at 600 s")


def wear(ax: Any) -> None:
    t, x = told("E7")["car-001/levelling"]
    ax.plot(t / 86_400, x, ".", ms=0.6)
    for bound in (10, 15, 20):
        ax.axhline(bound, lw=0.8, ls="--", color="grey")
    ax.set(xlabel="days", ylabel="levelling [mm]", title="E7: stops of a car that drifts off its landings")


def cost(plan: Plan) -> float:
    """Processor time of the lifts of a city. [ms/s]"""
    run = Run(maker.town(plan, (), START, 1).model, START)
    run.emit(START, START + WARM * NS)
    began = process_time()
    for at in range(WARM, WARM + LONG, 60):
        run.emit(START + at * NS, START + (at + 60) * NS)
    return (process_time() - began) / LONG * 1e3


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(11, 7))
    for ax, draw in zip(axes.flat, (trips, roof, entrapment, wear), strict=True):
        draw(ax)
        ax.grid(alpha=0.3)
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, dpi=85)
    Image.open(raw).convert("RGB").quantize(48).save(HERE / "elevator.png", optimize=True)
    print(f"{HERE / 'elevator.png'}: {(HERE / 'elevator.png').stat().st_size} bytes")
    for plan in (Plan(), Plan(districts="large", lifts=33_300, beat=60.0, riding=False)):
        print(f"{plan.lifts} lifts, heartbeat {plan.beat:g} s, {len(STATES)} channels: {cost(plan):.3f} ms a simulated second")


if __name__ == "__main__":
    main()
