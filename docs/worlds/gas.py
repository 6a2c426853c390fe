"""The picture of docs/worlds/gas.md, from the world itself. Run: python docs/worlds/gas.py"""

import io
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from PIL import Image

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  after the choice of backend

from lifeline.model import NS, Batch, Floats  # noqa: E402  after the path
from simulators.gas.box import mixed  # noqa: E402
from simulators.gas.scene import maker  # noqa: E402
from simulators.plan import Plan  # noqa: E402
from simulators.scenario import find, load  # noqa: E402
from simulators.stage import stage  # noqa: E402
from simulators.world import Run  # noqa: E402

START: Final = 1_795_420_800 * NS

TABLE: Final = {  # [m³/h] into 3 m³ at 0.2 air changes an hour -> [min] until 1, 2.5 and 5 %VOL
    0.05: (38.4, 108, 294),
    0.2: (9, 24, 50),
    1.0: (1.8, 4.8, 9.6),
}


def readings(name: str) -> dict[str, tuple[Floats, Floats]]:
    """Series of a scenario -> hours after its start, and values in the device's unit."""
    s = load(find(name))
    st = stage(s)
    b, c = Batch.joined([turn.batch for turn in st.turns()]), st.catalog
    out = {}
    for row, key in enumerate(c.key):
        mine = b.row == row
        out[str(key)] = (b.t[mine] - s.start) / NS / 3600, b.value[mine] / c.scale[row]
    return out


def filling(ax: Any) -> None:
    t = np.geomspace(1, 400, 200)
    for q, minutes in TABLE.items():
        supply, loss = q / 3 / 3600, (q / 3 + 0.2) / 3600
        (line,) = ax.plot(t, 100 * mixed(0.0, supply, loss, 60 * t), lw=1.2, label=f"{q:g} m³/h")
        ax.plot(minutes, (1, 2.5, 5), "o", ms=4, color=line.get_color())
    ax.set(xscale="log", ylim=(0, 8), xlabel="minutes", ylabel="methane [%VOL]", title="a well of 3 m³ fills (dots: the table)")
    ax.legend(fontsize=7)


def strike(ax: Any) -> None:
    told = readings("G3")
    for i in (1, 2, 3, 4):
        t, p = told[f"rtu-{i}/inlet"]
        ax.plot(60 * t, p, lw=0.8, label=f"rtu-{i}/inlet")
    ax.set(xlim=(50, 110), xlabel="minutes", ylabel="inlet [MPa]", title="G3: a main is torn, and shut after half an hour")
    right = ax.twinx()
    t, q = told["meter-gate-1/flow"]
    right.plot(60 * t, q, lw=0.8, color="black", label="gate")
    right.set_ylabel("flow at the gate [m³/h]")
    ax.legend(fontsize=7)


def duct(ax: Any) -> None:
    told = readings("G4")
    for i in (1, 2, 3):
        ax.plot(*told[f"laser-{i}/ch4"], lw=1, label=f"{20 * i} m away")
    ax.set(xlim=(8, 22), xlabel="hours", ylabel="methane [%VOL]", title="G4: gas along a duct reaches three wells in order")
    ax.legend(fontsize=7)


def biogas(ax: Any) -> None:
    for name, label in (("G7", "G7: summer, day and night"), ("G8", "G8: drought, then a shower")):
        t, x = readings(name)["laser-1/ch4"]
        ax.plot(t / 24, x, lw=0.8, label=label)
    ax.set(xlabel="days", ylabel="methane [%VOL]", title="biogas in a sewer")
    ax.legend(fontsize=7)


def cost(plan: Plan) -> float:
    """Of the gas world of a city. [ms/s]"""
    run = Run(maker.town(plan, (), START, 1).model, START)
    began = perf_counter()
    run.emit(START, START + 3600 * NS)
    return (perf_counter() - began) / 3600 * 1e3


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(11, 7))
    for ax, draw in zip(axes.flat, (filling, strike, duct, biogas), strict=True):
        draw(ax)
        ax.grid(alpha=0.3)
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, dpi=85)
    Image.open(raw).convert("RGB").quantize(48).save(HERE / "gas.png", optimize=True)
    print(f"{HERE / 'gas.png'}: {(HERE / 'gas.png').stat().st_size} bytes")
    for plan in (Plan(), Plan(districts="large", wells=60_000, regulators=2_500, gas_step=300.0)):
        print(f"{plan.wells} wells every {plan.gas_step:g} s: {cost(plan):.3f} ms a simulated second")


if __name__ == "__main__":
    main()
