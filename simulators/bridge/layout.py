"""How bridges are fitted with sensors, what they are called, how wide and how fine they measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from lifeline.model import Domain, Floats, Rows
from lifeline.units import UNITS
from simulators.bridge.behaviour import Cables
from simulators.bridge.spans import SIDES, Spans
from simulators.columns import NONE, Row, series
from simulators.plan import Site

Kind = Literal[
    "deflection", "strain", "tilt", "roll", "bearing", "gnss", "joint", "temperature", "wind", "frequency", "cable", "wim"
]
Pace = Literal["step", "slow", "modal", "event"]

RANGE: Final = 19.6  # [m/s²] of an accelerometer, ±2 g
TONES: Final = (0.0, 50.0)  # [Hz] among which an analysis looks
SCARCE: Final = 900.0  # [s] after which a scale in the road says that it lives, even when nobody passes


class Sensor(NamedTuple):
    """What one kind of sensor tells."""

    pace: Pace
    device: str
    channel: tuple[str, ...]  # of each device; {} stands for what the bridge is called
    quantity: str
    unit: str
    span: tuple[float, float]  # [unit]
    noise: float  # [unit] standard deviation
    fine: float  # [unit] resolution


SENSORS: Final[Mapping[str, Sensor]] = {
    "deflection": Sensor("step", "level-{}", ("mid",), "deflection", "mm", (-200.0, 200.0), 0.1, 0.01),
    "strain": Sensor("step", "gauge-{}", ("mid",), "strain", "µε", (-1500.0, 1500.0), 1.0, 0.1),
    "tilt": Sensor("step", "tilt-{}-{s}", ("pier",), "tilt", "°", (-5.0, 5.0), 0.001, 0.0001),
    "roll": Sensor("step", "roll-{}", ("deck",), "tilt", "°", (-5.0, 5.0), 0.001, 0.0001),
    "bearing": Sensor("step", "bearing-{}", SIDES, "bearing_force", "kN", (0.0, 20_000.0), 4.0, 1.0),
    "gnss": Sensor("step", "gnss-{}", ("up",), "displacement", "mm", (-500.0, 500.0), 5.0, 0.1),
    "joint": Sensor("slow", "joint-{}", ("opening",), "joint", "mm", (0.0, 500.0), 0.2, 0.01),
    "temperature": Sensor("slow", "thermo-{}", ("deck", "air"), "temperature", "°C", (-40.0, 85.0), 0.1, 0.01),
    "wind": Sensor("slow", "wind-{}", ("mean",), "wind_speed", "m/s", (0.0, 60.0), 0.2, 0.01),
}
STAYS: Final = ("tilt",)  # kinds with two devices at a bridge, a and b


@dataclass(frozen=True)
class Fitted:
    """What is measured, and how often."""

    kinds: Sequence[Kind]
    waves: int  # accelerometers of a bridge
    rate: int  # [Hz]
    packet: int  # [s] of samples in a message
    every: int  # [s] from one message to the next
    step: int  # [s] between readings of what traffic moves
    slow: int  # [s] of what the weather moves
    modal: int  # [s] of samples in each analysis of frequencies

    @property
    def whole(self) -> bool:
        """Whether waveforms are told without a gap."""
        return self.every <= self.packet

    def cadence(self, pace: str) -> int:
        """[s]"""
        return {"step": self.step, "slow": self.slow, "modal": self.modal}[pace]

    def places(self) -> list[tuple[str, float]]:
        """Accelerometers at mid-span and three tenths, two on the pier, the others along the deck. [1] of the span"""
        more = max(self.waves - 4, 0)
        deck = [(f"deck-{i + 1}", (i + 0.5) / more) for i in range(more)]
        return [("mid", 0.5), ("third", 0.3), ("pier-a", np.nan), ("pier-b", np.nan), *deck][: self.waves]

    def shape(self, modes: int) -> Floats:
        """Of each mode at each accelerometer; the last is the pier's. [c, modes + 1] [1]"""
        out = np.zeros((self.waves, modes + 1))
        for i, (name, x) in enumerate(self.places()):
            if name.startswith("pier"):
                out[i, -1] = 1.0 if name == "pier-a" else 0.85
            else:
                out[i, :-1] = np.sin(np.pi * x * np.arange(1, modes + 1))
        return out


@dataclass(frozen=True)
class Channels:
    """Catalog rows of what is measured; [b, m] for m series of a kind at each bridge."""

    waves: Rows  # [b, c]
    slow: Mapping[str, Rows]  # kind -> [b, m]
    pitch: Rows  # [b, heard + 1] deck modes, then the pier's; or [b, 0]
    cable: Rows  # [c, 2] force, frequency; or [0, 2]
    wim: Rows  # [b, 2] gross mass, heaviest group of axles; or [b, 0]


def fitting(spans: Spans, cables: Cables, sites: Sequence[Site], fitted: Fitted, heard: int) -> tuple[list[Row], Channels]:
    """Rows of the catalog, bridge by bridge. heard: deck modes that the analysis finds [1]"""
    rows: list[Row] = []
    waves, pitch, wim, cable = (list[list[int]]() for _ in range(4))
    slow: dict[str, list[list[int]]] = {k: [] for k in fitted.kinds if k in SENSORS}

    def add(some: Sequence[Row]) -> list[int]:
        rows.extend(some)
        return list(range(len(rows) - len(some), len(rows)))

    for b, site in enumerate(sites):
        waves.append(add(_waves(spans.asset[b], site, fitted)))
        for kind, found in slow.items():
            found.append(add(_slow(spans, b, kind, site, fitted)))
        pitch.append(add(_modes(spans, b, site, fitted, heard) if "frequency" in fitted.kinds else []))
        wim.append(add(_scales(spans.asset[b], site) if "wim" in fitted.kinds else []))
        cable += [add(_cable(spans, cables, i, site, fitted)) for i in np.flatnonzero(cables.bridge == b).tolist()]
    w, p, m = (np.array(x, np.int32).reshape(len(sites), -1) for x in (waves, pitch, wim))
    told = {k: np.array(v, np.int32) for k, v in slow.items()}
    return rows, Channels(w, told, p, np.array(cable, np.int32).reshape(-1, 2), m)


def _waves(asset: str, site: Site, fitted: Fitted) -> list[Row]:
    step, span = 1 / fitted.rate, (-RANGE, RANGE)
    report = NONE if fitted.whole else float(fitted.every)
    return [
        series(
            Domain.BRIDGE,
            asset,
            f"accel-{site.id}-{name}",
            "z",
            _shake(name),
            "m/s²",
            span,
            step,
            site,
            report=report,
        )
        for name, _ in fitted.places()
    ]


def _shake(name: str) -> str:
    return "pier_acceleration" if name.startswith("pier") else "acceleration"


def _slow(spans: Spans, b: int, kind: str, site: Site, fitted: Fitted) -> list[Row]:
    s = SENSORS[kind]
    usual = {"deflection": spans.design[0][b] * 1e3, "strain": spans.design[1][b] * 1e6, "bearing": spans.dead[b] / 1e3}
    rated, asset = round(float(usual.get(kind, NONE)), 3), spans.asset[b]
    devices = [s.device.format(site.id, s=x) for x in (("a", "b") if kind in STAYS else ("",))]
    step = float(fitted.cadence(s.pace))
    return [
        series(Domain.BRIDGE, asset, d, c, s.quantity, s.unit, s.span, step, site, rated=rated)
        for d in devices
        for c in s.channel
    ]


def _modes(spans: Spans, b: int, site: Site, fitted: Fitted, heard: int) -> list[Row]:
    names = [*(f"f{n + 1}" for n in range(heard)), "pier"]
    hertz = spans.omega[b, [*range(heard), -1]] / (2 * np.pi)
    return [
        series(
            Domain.BRIDGE, spans.asset[b], f"modal-{site.id}", name, "frequency", "Hz", TONES,
            float(fitted.modal), site, rated=round(float(f), 4),
        )
        for name, f in zip(names, hertz, strict=True)
    ]  # fmt: skip


def _cable(spans: Spans, cables: Cables, i: int, site: Site, fitted: Fitted) -> list[Row]:
    asset, device, step = spans.asset[cables.bridge[i]], f"cable-{site.id}-{cables.number[i]}", float(fitted.modal)
    force = float(cables.force[i])
    pitch = round(float(cables.pitch(cables.force[:, None])[i, 0]), 4)
    return [
        series(Domain.BRIDGE, asset, device, "force", "cable_force", "kN", (0.0, 3e-3 * force), step, site, rated=force / 1e3),
        series(Domain.BRIDGE, asset, device, "f1", "frequency", "Hz", TONES, step, site, rated=round(pitch, 4)),
    ]


def _scales(asset: str, site: Site) -> list[Row]:
    """A scale in the road before the bridge: what it says is an event."""
    device = f"wim-{site.id}"
    return [
        series(Domain.BRIDGE, asset, device, "gross", "vehicle_mass", "t", (0.0, 300.0), SCARCE, site, rated=55.0),
        series(Domain.BRIDGE, asset, device, "axle", "axle_mass", "t", (0.0, 150.0), SCARCE, site),
    ]


def read(kind: str, x: Floats, noise: Floats) -> Floats:
    """What a sensor makes of its quantity [SI]: noise of unit spread scaled, rounded, held within its range. [SI]"""
    s = SENSORS[kind]
    unit = UNITS[s.unit]
    y = (x - unit.offset) / unit.scale + s.noise * noise
    return np.asarray(np.clip(np.round(y / s.fine) * s.fine, *s.span) * unit.scale + unit.offset)
