"""Network models in EPANET's format, and WNTR's steady solutions of them."""

import gzip
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from lifeline.model import Floats
from lifeline.words import suggestion

REQUIRED: Final = 15.0  # [m] pressure at which taps give all that is asked
LEAST: Final = 0.0  # [m] at which they give nothing
LEVELS: Final = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.45, 1.75, 2.1, 2.6])  # [1] of the mean demand
HOUR: Final = 3600
DIGITS: Final = 9
DISCHARGE: Final = 0.75  # [1] of a hole in a main
WIDE: Final = 1e5  # [m] diameter of a tank whose level stands still


class Solved(NamedTuple):
    """Steady states, one for each level of demand."""

    head: Floats  # [k, n] [m]
    flow: Floats  # [k, l] [m³/s]
    out: Floats  # [k, z] [m³/s] of reservoirs, then tanks
    lost: Floats  # [k] [m³/s] out of holes


@cache
def _library() -> Path:
    spec = find_spec("wntr")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "library" / "networks"


@contextmanager
def quiet() -> Iterator[None]:
    """WNTR and the libraries beneath it warn of one another's habits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def wntr() -> Any:
    """The library; loading it takes seconds, which only those who need it should wait."""
    with quiet():
        return import_module("wntr")


def found(name: str) -> Path:
    """One of WNTR's own networks by its name, or a file .inp or .inp.gz; ValueError where there is none."""
    path = Path(name).expanduser()
    if path.suffix in {".inp", ".gz"}:
        if path.is_file():
            return path
        raise ValueError(f"network: there is no file {name}")
    known = sorted(p.stem for p in _library().glob("*.inp"))
    if name not in known:
        raise ValueError(f"network: there is no network {name!r}; {suggestion(name, known)}; or name a file .inp or .inp.gz")
    return _library() / f"{name}.inp"


def tagged(name: str, tags: Mapping[str, str]) -> Path:
    """The file of a network with the devices at its nodes in [TAGS], kept beside other passing files. tags: by node"""
    path = found(name)
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("utf-8", "replace")
    told = "".join(f" NODE {node} {device}\n" for node, device in tags.items())
    whole = text.replace("[END]", f"[TAGS]\n{told}\n[END]") if "[END]" in text else f"{text}\n[TAGS]\n{told}"
    folder = Path(tempfile.gettempdir()) / f"lifeline-networks-{os.getuid()}"
    file = folder / f"{sha256(whole.encode()).hexdigest()[:16]}.inp"
    if not file.exists():
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as part_:
            part_.write(whole)
        Path(part_.name).replace(file)
    return file


def read(name: str) -> Any:
    """WNTR's model of a network, as its file has it; ValueError where it cannot be read."""
    path = found(name)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".gz":
            plain = Path(folder) / "network.inp"
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            path = plain
        try:
            return wntr().network.WaterNetworkModel(str(path))
        except Exception as why:
            raise ValueError(f"network: {name} is no network in EPANET's format: {why}") from why


def prepared(name: str, required: float = REQUIRED, least: float = LEAST, factor: float = 1.0) -> Any:
    """The model with pressure-driven demand, each junction at its mean, and no controls.

    required, least: pressures of full and of no supply [m]; factor: on the file's demands [1]
    """
    wn = read(name)
    mean = {n: _mean(j, wn) for n, j in wn.junctions()}
    for control in list(wn.control_name_list):
        wn.remove_control(control)
    wn.add_pattern("level", [1.0])
    wn.add_pattern("steady", [1.0])
    for n, j in wn.junctions():
        j.demand_timeseries_list.clear()
        if mean[n]:
            j.add_demand(factor * mean[n], "level")
    h, time = wn.options.hydraulic, wn.options.time
    h.demand_model, h.required_pressure, h.minimum_pressure, h.pressure_exponent = "PDD", required, least, 0.5
    h.demand_multiplier = 1.0
    time.hydraulic_timestep = time.pattern_timestep = time.report_timestep = HOUR
    time.pattern_start = time.start_clocktime = 0
    return wn


def lifted(wn: Any, lift: float) -> None:
    """Reservoirs and tanks higher by so much. [m]"""
    for _, r in wn.reservoirs():
        r.base_head += lift
    for _, t in wn.tanks():
        level, t.elevation = t.init_level, t.elevation + lift
        t.init_level = level  # which sets its head anew


def _mean(junction: Any, wn: Any) -> float:
    """Demand of a junction in the mean of its pattern. [m³/s]"""
    total = 0.0
    for d in junction.demand_timeseries_list:
        multipliers = np.asarray(d.pattern.multipliers, float) if d.pattern is not None else np.ones(1)
        total += d.base_value * float(multipliers.mean() if multipliers.size else 1.0)
    return total * float(wn.options.hydraulic.demand_multiplier)


def part(name: str, what: str) -> str:
    """What a new part of a pipe is called: names have at most 31 letters."""
    return f"{name[:23]}-{what}"


def reduced(wn: Any, pipe: str, *, backward: bool = False) -> str:
    """A pressure-reducing valve in the middle of a pipe, in its direction or against it; its name. It is set later."""
    near, far, valve = (part(pipe, x) for x in ("near", "far", "valve"))
    with quiet():
        wntr().morph.split_pipe(wn, pipe, part(pipe, "after"), far, return_copy=False)
        first, node = wn.get_link(pipe), wn.get_node(far)
        wn.add_junction(near, 0.0, elevation=node.elevation, coordinates=node.coordinates)
        first.end_node = wn.get_node(near)
        ends = (far, near) if backward else (near, far)
        wn.add_valve(valve, *ends, diameter=first.diameter, valve_type="PRV", initial_setting=1e3)
    return valve


def split(wn: Any, pipe: str) -> str:
    """A node in the middle of a pipe, where it may leak; its name."""
    node = part(pipe, "hole")
    if node not in wn.node_name_list:
        with quiet():
            wntr().morph.split_pipe(wn, pipe, part(pipe, "beyond"), node, return_copy=False)
    return node


def holed(wn: Any, pipe: str, area: float) -> None:
    """A hole of an area [m²] in the middle of a pipe."""
    node = wn.get_node(split(wn, pipe))
    with quiet():
        node.add_leak(wn, area=area, discharge_coeff=DISCHARGE, start_time=0)


def solved(
    wn: Any, levels: Floats = LEVELS, node: Sequence[str] = (), link: Sequence[str] = (), fixed: Sequence[str] = ()
) -> Solved:
    """Steady states at levels of demand, tanks held at their levels. Changes the model.

    levels [k] [1] of the mean; node, link, fixed: which are wanted, or all
    """
    _paced(wn, levels)
    for _, tank in wn.tanks():
        tank.diameter, tank.vol_curve_name = WIDE, None
    with quiet():
        results = wntr().sim.WNTRSimulator(wn).run_sim()
    sources = list(fixed or (*wn.reservoir_name_list, *wn.tank_name_list))
    head = exact(results.node["head"][list(node or wn.node_name_list)])
    flow = exact(results.link["flowrate"][list(link or wn.link_name_list)])
    out = -exact(results.node["demand"][sources])
    return Solved(head, flow, out, exact(results.node["leak_demand"]).sum(axis=1))


def exact(table: Any) -> Floats:
    """A table of WNTR's results; its last digits change from run to run, which the same seed must not. [t, n] [m] or [m³/s]"""
    return np.asarray(np.round(table.to_numpy(float), DIGITS))


def _paced(wn: Any, levels: Floats) -> None:
    pattern = np.asarray(levels, float).tolist()
    wn.get_pattern("level").multipliers = pattern
    wn.options.time.duration = HOUR * (len(pattern) - 1)
