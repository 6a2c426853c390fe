"""How the gas world is fitted with sensors, and what they are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lifeline.model import Domain, Ints
from simulators.columns import Row, series
from simulators.gas.laser import Cadence
from simulators.plan import Site

OWNER: Final = {"power": "Power Company", "telecom": "Telecom Company", "rain": "Drainage Office", "sewage": "Drainage Office"}
COMPANIONS: Final[Mapping[str, tuple[str, tuple[float, float]]]] = {
    "temperature": ("°C", (-40.0, 85.0)),
    "humidity": ("%RH", (0.0, 100.0)),
    "immersion": ("state", (0.0, 1.0)),
}  # unit, range


@dataclass(frozen=True)
class Fitted:
    """What is measured, and how often."""

    pressure: float  # [Pa] gauge, of the mains at the gate
    cadence: Cadence  # of the lasers
    every: int  # [s] between reports of a regulator
    companions: Sequence[str] = ()  # what lasers also tell
    gates: bool = False  # the mains are metered where they begin
    spread: bool = False  # devices report in turn, not all at once

    def late(self, n: int, tick: int) -> Ints:
        """By how much each of n devices reports before the end of a tick [s]. [n] [s]"""
        return np.arange(n) % tick if self.spread else np.zeros(n, np.int64)


def numbered(first: int, n: int, each: int) -> Any:
    """Rows of n devices with so many series each, from the first on. [n, each]"""
    return first + np.arange(n * each, dtype=np.int32).reshape(n, each)


def of_well(asset: str, place: Site, kind: str, fitted: Fitted) -> list[Row]:
    device, step = f"laser-{asset.removeprefix('well-')}", float(fitted.cadence.slow)
    told = [("ch4", "methane", "%VOL", (0.0, 20.0)), *((c, c, *COMPANIONS[c]) for c in fitted.companions)]
    return [
        series(Domain.GAS, asset, device, c, q, u, span, step, place, owner=OWNER.get(kind, ""), asset_type=kind)
        for c, q, u, span in told
    ]


def of_regulator(asset: str, place: Site, fitted: Fitted) -> list[Row]:
    rtu, log = (f"{d}-{asset.removeprefix('regulator-')}" for d in ("rtu", "logger"))
    rated, step = fitted.pressure / 1e6, float(fitted.every)
    high = max(0.6, 2 * rated)  # [MPa]
    return [
        series(Domain.GAS, asset, rtu, "inlet", "gas_pressure", "MPa", (0.0, high), step, place, rated=rated),
        series(Domain.GAS, asset, rtu, "outlet", "gas_pressure", "kPa", (0.0, 10.0), step, place, rated=2.0),
        series(Domain.GAS, asset, log, "outlet", "gas_pressure", "kPa", (0.0, 10.0), step, place, rated=2.0),
        series(Domain.GAS, asset, rtu, "flow", "gas_flow", "m³/h", (0.0, 600.0), step, place),
    ]


def of_gate(number: int, place: Site, fitted: Fitted) -> Row:
    name, step, span = f"gate-{number}", float(fitted.every), (0.0, 10_000.0)
    return series(Domain.GAS, name, f"meter-{name}", "flow", "gas_flow", "m³/h", span, step, place, asset_type="gate")
