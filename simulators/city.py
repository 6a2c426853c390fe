"""Chengjiang: six streets and towns on Fuxian Lake, their assets as a catalog, and the worlds behind it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Domain, Rows
from lifeline.units import UNITS
from simulators.dice import dice
from simulators.faults import SensorFault
from simulators.old_bridge import Bridge, BridgeFault, Channels, Impact, Spans, Vortices
from simulators.old_elevator import CHANNELS, Elevator, Trouble, lifts
from simulators.old_gas import Gas, Leak, Misregulation, regulators, wells
from simulators.old_water import Burst, Water, grid
from simulators.world import City, Model, Run

Fault = Leak | Misregulation | Burst | Impact | Vortices | Trouble | SensorFault

DISTRICTS: Final = {  # id -> name, [°] WGS-84 latitude and longitude of the seat
    "fenglu": ("凤麓街道", 24.6745, 102.9085),
    "longjie": ("龙街街道", 24.6525, 102.8830),
    "youso": ("右所镇", 24.6620, 102.9420),
    "yangzong": ("阳宗镇", 24.8730, 102.9790),
    "haikou": ("海口镇", 24.5120, 102.9650),
    "jiucun": ("九村镇", 24.6950, 102.8060),
}
SHARE: Final = {
    "fenglu": 0.45,
    "longjie": 0.15,
    "youso": 0.15,
    "yangzong": 0.10,
    "haikou": 0.10,
    "jiucun": 0.05,
}  # of the assets
WELLS, REGULATORS, AREAS, GAUGES, BRIDGES, LIFTS = 260, 60, 20, 5, 6, 200
STEP: Final = 5  # [s] between reports of slow devices
BEAT: Final = 20  # [s] between heartbeats of lifts
OWNER: Final = {
    Domain.GAS: "Chengjiang Gas Company",
    Domain.WATER: "Chengjiang Water Company",
    Domain.BRIDGE: "Chengjiang Bureau of Transport",
    Domain.ELEVATOR: "Chengjiang Bureau of Market Regulation",
}
ELEVATOR_RANGE: Final = {
    "speed": ("m/s", 10.0),
    "passengers": ("count", 20.0),
    "mode": ("state", 2.0),
}  # unit, top; others: 0 or 1
NONE: Final = float("nan")

Row = dict[str, Any]


def spread(n: int) -> list[str]:
    """The district of each of n assets, district by district. [n]"""
    edge = np.round(np.cumsum(list(SHARE.values())) * n).astype(int)
    return [list(SHARE)[int(np.searchsorted(edge, i, side="right"))] for i in range(n)]


def names(kind: str, n: int) -> list[str]:
    """well-fenglu-001, well-fenglu-002, … [n]"""
    seen = dict.fromkeys(SHARE, 0)
    out = []
    for d in spread(n):
        seen[d] += 1
        out.append(f"{kind}-{d}-{seen[d]:03d}")
    return out


def chengjiang(seed: int = 1) -> Catalog:
    """Every series of the simulated city."""
    return _columns([*_gas(seed), *_water(seed), *_bridges(seed), *_elevators(seed)])


def world(catalog: Catalog, start: int, seed: int = 1, faults: Sequence[Fault] = ()) -> City:
    """The worlds behind the catalog of `chengjiang`, from `start` [ns] on, with what goes wrong in them."""
    sensors = [f for f in faults if isinstance(f, SensorFault)]
    models: list[tuple[Domain, Model]] = [
        (Domain.GAS, _gas_world(catalog, seed, tuple(f for f in faults if isinstance(f, Leak | Misregulation)))),
        (Domain.WATER, _water_world(catalog, seed, tuple(f for f in faults if isinstance(f, Burst)))),
        (Domain.BRIDGE, _bridge_world(catalog, seed, tuple(f for f in faults if isinstance(f, Impact | Vortices)))),
        (Domain.ELEVATOR, _elevator_world(catalog, seed, tuple(f for f in faults if isinstance(f, Trouble)))),
    ]
    return City(tuple(Run(m, start, [f for f in sensors if catalog.domain[f.row] == domain]) for domain, m in models))


def sensor_fault(catalog: Catalog, key: str, onset: int, end: int, effect: Any) -> SensorFault:
    """A fault of the series `key`. onset, end [ns]"""
    row = catalog.row[key]
    return SensorFault(row, str(catalog.asset[row]), onset, end, effect)


def _columns(rows: list[Row]) -> Catalog:
    """Rows in their devices' units -> catalog in SI."""
    text = ("key", "asset", "device", "domain", "district", "quantity", "unit", "owner")
    scale, offset = (np.array([getattr(UNITS[r["unit"]], f) for r in rows]) for f in ("scale", "offset"))
    known = {f: np.array([r[f] for r in rows], object) for f in text}
    number = {f: np.array([r[f] for r in rows], float) for f in ("step", "lat", "lon", "hold", "report")}
    si = {f: np.array([r[f] for r in rows], float) * scale + offset for f in ("low", "high", "rated")}
    return Catalog(**known, **number, **si, scale=scale, offset=offset)


def _series(
    domain: Domain, asset: str, device: str, channel: str, quantity: str, unit: str, span: tuple[float, float], **other: float
) -> Row:
    """One row of the catalog but for its place. span, rated [unit]; step, hold [s]"""
    out: Row = {
        "key": f"{device}/{channel}",
        "asset": asset,
        "device": device,
        "domain": domain.value,
        "quantity": quantity,
        "unit": unit,
    }
    out |= {"district": DISTRICTS[asset.split("-")[1]][0], "owner": OWNER[domain], "low": span[0], "high": span[1]}
    return out | {"step": float(STEP), "hold": NONE, "rated": NONE, "report": NONE} | other


def _placed(rows: Iterable[list[Row]], seed: int, stream: int) -> list[Row]:
    """Rows, one list an asset, set down around the seats of their districts."""
    draw = dice(seed, 50 + stream)
    out = []
    for asset in rows:
        _, lat, lon = DISTRICTS[asset[0]["asset"].split("-")[1]]
        here = {"lat": lat + 0.004 * draw.standard_normal(), "lon": lon + 0.004 * draw.standard_normal()}
        out += [row | here for row in asset]
    return out


def _gas(seed: int) -> list[Row]:
    def well(a: str) -> list[Row]:
        return [_series(Domain.GAS, a, f"laser-{a[5:]}", "ch4", "methane", "%VOL", (0.0, 20.0))]

    def regulator(a: str) -> list[Row]:
        rtu, log = f"rtu-{a[10:]}", f"logger-{a[10:]}"
        return [
            _series(Domain.GAS, a, rtu, "inlet", "gas_pressure", "MPa", (0.0, 0.6), rated=0.3),
            _series(Domain.GAS, a, rtu, "outlet", "gas_pressure", "kPa", (0.0, 10.0), rated=2.0),
            _series(Domain.GAS, a, rtu, "flow", "gas_flow", "m³/h", (0.0, 600.0)),
            _series(Domain.GAS, a, log, "outlet", "gas_pressure", "kPa", (0.0, 10.0), rated=2.0),
        ]

    return _placed([*map(well, names("well", WELLS)), *map(regulator, names("regulator", REGULATORS))], seed, 1)


def _water(seed: int) -> list[Row]:
    def area(a: str) -> list[Row]:
        gauges = [
            _series(Domain.WATER, a, f"gauge-{a[4:]}-{i}", "pressure", "water_pressure", "mH2O", (0.0, 100.0))
            for i in range(1, GAUGES + 1)
        ]
        return [*gauges, _series(Domain.WATER, a, f"meter-{a[4:]}", "flow", "water_flow", "m³/h", (0.0, 1500.0))]

    return _placed(map(area, names("dma", AREAS)), seed, 2)


def _bridges(seed: int) -> list[Row]:
    def bridge(a: str) -> list[Row]:
        where = a[7:]
        wave = [
            _series(Domain.BRIDGE, a, f"accel-{where}-{s}", "z", quantity, "m/s²", (-19.6, 19.6), step=0.02)
            for quantity, places in (("acceleration", ("mid", "third")), ("pier_acceleration", ("pier-a", "pier-b")))
            for s in places
        ]
        return [
            *wave,
            _series(Domain.BRIDGE, a, f"level-{where}", "mid", "deflection", "mm", (-200.0, 200.0), step=1.0, rated=30.0),
            *(_series(Domain.BRIDGE, a, f"tilt-{where}-{s}", "pier", "tilt", "°", (-5.0, 5.0), step=1.0) for s in ("a", "b")),
            _series(Domain.BRIDGE, a, f"wind-{where}", "mean", "wind_speed", "m/s", (0.0, 60.0)),
        ]

    return _placed([bridge(f"bridge-{d}-001") for d in DISTRICTS], seed, 3)


def _elevators(seed: int) -> list[Row]:
    asset = names("elevator", LIFTS)
    rated = lifts(asset, np.zeros((len(CHANNELS), LIFTS), np.int32), seed).rated

    def car(a: str, v: float) -> list[Row]:
        out = []
        for channel in CHANNELS:
            unit, top = ELEVATOR_RANGE.get(channel, ("state", 1.0))
            own = {"rated": v} if channel == "speed" else {}
            out.append(
                _series(
                    Domain.ELEVATOR,
                    a,
                    f"car-{a[9:]}",
                    channel,
                    channel,
                    unit,
                    (0.0, top),
                    step=float(BEAT),
                    hold=4.0 * BEAT,
                    **own,
                )
            )
        return out

    return _placed([car(a, float(v)) for a, v in zip(asset, rated, strict=True)], seed, 4)


def rows(catalog: Catalog, keys: Iterable[str]) -> Rows:
    """[n]"""
    return np.array([catalog.row[k] for k in keys], np.int32)


def _gas_world(c: Catalog, seed: int, faults: tuple[Leak | Misregulation, ...]) -> Gas:
    well, regulator = names("well", WELLS), names("regulator", REGULATORS)
    at = [a[10:] for a in regulator]
    outlet = np.stack([rows(c, (f"{d}-{a}/outlet" for a in at)) for d in ("rtu", "logger")], axis=1)
    inlet, flow = (rows(c, (f"rtu-{a}/{channel}" for a in at)) for channel in ("inlet", "flow"))
    lasers = rows(c, (f"laser-{a[5:]}/ch4" for a in well))
    return Gas(wells(well, lasers, seed), regulators(regulator, inlet, outlet, flow, seed), seed, STEP, faults)


def _water_world(c: Catalog, seed: int, faults: tuple[Burst, ...]) -> Water:
    area = names("dma", AREAS)
    pressure = rows(c, (f"gauge-{a[4:]}-{i}/pressure" for a in area for i in range(1, GAUGES + 1)))
    flow = rows(c, (f"meter-{a[4:]}/flow" for a in area))
    return Water(grid(AREAS, GAUGES, seed), tuple(np.repeat(area, GAUGES).tolist()), pressure, flow, seed, STEP, faults)


def _bridge_world(c: Catalog, seed: int, faults: tuple[BridgeFault, ...]) -> Bridge:
    where = [f"{d}-001" for d in DISTRICTS]
    wave = rows(c, (f"accel-{w}-{s}/z" for w in where for s in ("mid", "third", "pier-a", "pier-b"))).reshape(BRIDGES, 4)
    tilt = rows(c, (f"tilt-{w}-{s}/pier" for w in where for s in ("a", "b"))).reshape(BRIDGES, 2)
    deflection, wind = rows(c, (f"level-{w}/mid" for w in where)), rows(c, (f"wind-{w}/mean" for w in where))
    channels = Channels(wave, deflection, tilt, wind)
    return Bridge(spans(tuple(f"bridge-{w}" for w in where), seed), channels, seed, STEP, faults)


def spans(asset: tuple[str, ...], seed: int) -> Spans:
    """Concrete girders of 50 to 70 m with the first frequency near 95.4·L^-0.933 (R. Cantieni, EMPA report 211, 1983)."""
    draw, n = dice(seed, 60), len(asset)
    length, mass = draw.uniform(50.0, 70.0, n), draw.uniform(17e3, 21e3, n)
    first = 95.4 * length**-0.933 * draw.uniform(0.95, 1.05, n)
    stiffness = mass * (2 * first * length**2 / np.pi) ** 2
    daily, heavy = draw.uniform(5e3, 15e3, n), draw.uniform(0.08, 0.15, n)
    return Spans(
        asset,
        length,
        mass,
        stiffness,
        draw.uniform(0.01, 0.02, n),
        draw.uniform(5.0, 8.0, n),
        daily,
        heavy,
        draw.uniform(2e-3, 6e-3, n),
    )


def _elevator_world(c: Catalog, seed: int, faults: tuple[Trouble, ...]) -> Elevator:
    asset = names("elevator", LIFTS)
    row = np.stack([rows(c, (f"car-{a[9:]}/{channel}" for a in asset)) for channel in CHANNELS])
    return Elevator(lifts(asset, row, seed), seed, BEAT, faults)
