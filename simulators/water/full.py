"""The same world stepped by WNTR itself: every instant a pressure-driven solution of the whole network."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifeline.model import Floats
from simulators.water import network
from simulators.water.hydraulics import Hydraulics, State
from simulators.water.network import WIDE
from simulators.water.tables import Change, apply, prepared

HALF: Final = 0.5  # [1] from which a thing that is there or not is there


@dataclass(frozen=True)
class Full:
    """Each slot is a run of WNTRSimulator from the levels of the tanks. Holes and valves are as they are in its middle while
    they act; a hydrant is what it is at each instant.
    """

    hydraulics: Hydraulics

    def states(self, t: Floats, tank: Floats) -> tuple[Floats, State]:
        h = self.hydraulics
        m = h.level(t)
        asked = h.net.demand[:, None] * m * (1 + h.scatter(t))  # [n, t] [m³/s]
        wn = prepared(h.net.base)
        self._asking(wn, asked)
        for (a, change), name in zip(h.active, map(str, range(len(h.active))), strict=True):
            share = np.where(a.lives(t) > 0, a.fault.share(a.since(t)), 0.0)  # type: ignore[attr-defined]
            if share.any():
                self._happening(wn, change, share, name)
        for z, level in zip(h.net.tanks, tank, strict=True):
            wn.get_node(z).init_level = float(level)
            wn.get_node(z).overflow = True
            if not h.moving:
                wn.get_node(z).diameter = WIDE
        wn.options.time.duration = int(h.step) * t.size
        for step in ("hydraulic_timestep", "pattern_timestep", "report_timestep"):
            setattr(wn.options.time, step, int(h.step))
        with network.quiet():
            told = network.wntr().sim.WNTRSimulator(wn).run_sim()
        return self._seen(wn, told, asked)

    def _asking(self, wn: Any, asked: Floats) -> None:
        """Every junction by its own pattern; the first instant of a run is the last of the one before."""
        h = self.hydraulics
        for i in np.flatnonzero(h.net.demand):
            node = wn.get_node(h.net.node[i])
            wn.add_pattern(f"at-{i}", [float(asked[i, 0]), *asked[i].tolist()])
            node.demand_timeseries_list.clear()
            node.add_demand(1.0, f"at-{i}")

    def _happening(self, wn: Any, change: Change, share: Floats, name: str) -> None:
        if change.kind == "flow":
            wn.add_pattern(f"taken-{name}", [float(share[0]), *share.tolist()])
            wn.get_node(change.target).add_demand(change.size, f"taken-{name}")
        elif change.kind == "hole":
            alive = np.flatnonzero(share > 0)
            node = wn.get_node(network.split(wn, change.target))
            first, last = int((alive[0] + 1) * self.hydraulics.step), int((alive[-1] + 2) * self.hydraulics.step)
            with network.quiet():
                node.add_leak(
                    wn, area=change.size * float(share[alive].mean()), discharge_coeff=network.DISCHARGE,
                    start_time=first if alive[0] else 0, end_time=last,
                )  # fmt: skip
        elif change.kind == "setting":
            apply(wn, change._replace(size=change.size * float(share.mean())))
        elif share.mean() > HALF:
            apply(wn, change)

    def _seen(self, wn: Any, told: Any, asked: Floats) -> tuple[Floats, State]:
        h = self.hydraulics
        head = network.exact(told.node["head"][list(h.net.node)]).T[:, 1:]
        flow = network.exact(told.link["flowrate"][list(h.net.link)]).T[:, 1:]
        out = -network.exact(told.node["demand"][list(h.net.fixed)]).T[:, 1:]
        at = [h.net.node.index(z) for z in h.net.tanks]
        floor = np.array([wn.get_node(z).elevation for z in h.net.tanks])
        level = head[at] - floor[:, None]
        lost = np.zeros((len(h.active), head.shape[1]))
        for f, (_, change) in enumerate(h.active):
            if change.kind == "hole" and (hole := network.part(change.target, "hole")) in wn.node_name_list:
                lost[f] = network.exact(told.node["leak_demand"][hole])[1:]
        pressure = head[h.gauge] - h.net.elevation[h.gauge, None]
        taken = np.maximum(asked[h.customer], 0.0)
        return level[:, -1], State(pressure, h.size * out, level, h.size * taken, h.size * flow[h.pipe], h.size * lost)
