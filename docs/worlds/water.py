"""The picture and the figures of docs/worlds/water.md, from the world itself. Run: python docs/worlds/water.py"""

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
from simulators.plan import Plan  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402
from simulators.water.faults import Burst  # noqa: E402
from simulators.water.hydraulics import State  # noqa: E402
from simulators.water.model import WaterModel  # noqa: E402
from simulators.water.scene import WaterWorld, maker  # noqa: E402
from simulators.world import Run  # noqa: E402

START: Final = 1_795_420_800 * NS
STEP: Final = 600  # [s]
BURST: Final = Burst(at=6 * 3600.0, pipe="121", hole=0.05)


def readings(name: str) -> dict[str, tuple[Floats, Floats]]:
    """Series of a scenario -> hours after its start, and values in the device's unit."""
    s = load(find(name))
    st = stage(s)
    told = list(st.turns())
    b = Batch.joined([x for turn in told for x in [turn.batch, *(w.flat() for w in turn.blocks if isinstance(w, Block))]])
    out = {}
    for row, key in enumerate(st.catalog.key):
        mine = b.row == row
        out[str(key)] = (b.t[mine] - s.start) / NS / 3600, b.value[mine] / st.catalog.scale[row]
    return out


def hours(mode: Any, n: int, *, tanks: bool = False) -> tuple[State, float]:
    """What an engine says of the first n hours, and the processor time that it took. [s]"""
    model = maker.scene(WaterWorld(mode=mode, demand=150 / 3600, every=float(STEP), tanks=tanks), (BURST,), START, 1).model
    assert isinstance(model, WaterModel)
    tank, parts = model.init(START // NS).tank, []
    began = process_time()
    for k in range(n):
        tank, state = model.engine.states(START / NS + STEP * np.arange(6 * k + 1.0, 6 * k + 7), tank)
        parts.append(state)
    return State(*(np.concatenate(x, axis=1) for x in zip(*parts, strict=True))), process_time() - began


def compared(ax: Any) -> None:
    """Table against simulator, drawn and printed."""
    (fast, quick), (full, slow) = hours("fast", 12), hours("full", 12)
    off = fast.pressure - full.pressure
    print(
        f"pressure, inlets held: rms {np.sqrt((off**2).mean()):.2f} m, 95 of 100 within {np.percentile(np.abs(off), 95):.2f} m"
    )
    print(f"inflows: rms {np.sqrt(((fast.out - full.out) ** 2).mean()) * 3600:.1f} m³/h of 150")
    print(f"12 hours of {STEP} s: {quick:.2f} s by tables, {slow:.2f} s by WNTR")
    (a, _), (b, _) = hours("fast", 12, tanks=True), hours("full", 12, tanks=True)
    print(f"with tanks that move: pressure rms {np.sqrt(((a.pressure - b.pressure) ** 2).mean()):.2f} m, ", end="")
    print(f"levels rms {np.sqrt(((a.level - b.level) ** 2).mean()):.2f} m")
    t = np.arange(1, fast.pressure.shape[1] + 1) * STEP / 3600
    for i in np.argsort(-np.ptp(full.pressure, axis=1))[:3]:
        (line,) = ax.plot(t, fast.pressure[i], lw=1)
        ax.plot(t[::3], full.pressure[i, ::3], "o", ms=3, color=line.get_color())
    ax.set(xlabel="hours", ylabel="pressure [m]", title="a burst of 50 mm: tables (lines) and WNTR (dots)")


def growing(ax: Any) -> None:
    told = readings("W3")
    t, _ = told["meter-1-1/flow"]
    total = sum(told[k][1] for k in told if k.startswith("meter"))
    day = np.floor(t / 24)
    nights = [np.asarray(total)[(day == d) & (t % 24 > 2) & (t % 24 < 4)].mean() for d in np.unique(day)[:-1]]
    ax.plot(np.unique(day)[:-1], nights, lw=1)
    ax.axvline(15, color="grey", ls=":")
    ax.set(xlabel="days", ylabel="flow at night [m³/h]", title="W3: a leak grows to 12 mm within sixty days")


def surge(ax: Any) -> None:
    told = readings("W5")
    for k in (1, 2):
        t, x = told[f"logger-1-{k}/wave"]
        near = np.abs(t * 3600 - 3604) < 6
        ax.plot(t[near] * 3600 - 3600, x[near], lw=0.9, label=f"logger-1-{k}")
    ax.set(xlabel="seconds", ylabel="head above the steady one [m]", title="W5: a valve slams")
    ax.legend(fontsize=7)


def foul(ax: Any) -> None:
    told = readings("W7")
    right = ax.twinx()
    for k in (1, 2, 3):
        (line,) = ax.plot(*told[f"probe-{k}/turbidity"], lw=0.9, label=f"station-{k}")
        right.plot(*told[f"probe-{k}/chlorine"], lw=0.7, ls=":", color=line.get_color())
    ax.set(xlim=(2, 8), xlabel="hours", ylabel="turbidity [NTU]", title="W7: foul water passes (dotted: chlorine)")
    right.set_ylabel("chlorine [mg/L]")
    ax.legend(fontsize=7)


def cost(plan: Plan) -> float:
    """Of the water world of a city. [ms/s]"""
    run = Run(maker.town(plan, (), START, 1).model, START)
    began = process_time()
    run.emit(START, START + 3600 * NS)
    return (process_time() - began) / 3600 * 1e3


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(11, 7))
    for ax, draw in zip(axes.flat, (compared, growing, surge, foul), strict=True):
        draw(ax)
        ax.grid(alpha=0.3)
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, dpi=85)
    Image.open(raw).convert("RGB").quantize(48).save(HERE / "water.png", optimize=True)
    print(f"{HERE / 'water.png'}: {(HERE / 'water.png').stat().st_size} bytes")
    for plan in (Plan(), Plan(districts="large", areas=700, gauges=20, water_step=60.0)):
        print(f"{plan.areas * plan.gauges} gauges every {plan.water_step:g} s: {cost(plan):.4f} ms a simulated second")


if __name__ == "__main__":
    main()
