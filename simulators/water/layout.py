"""What the sensors of the water world are called, and what they are."""

from dataclasses import dataclass
from typing import Final

from lifeline.model import Domain
from simulators.columns import NONE, Row, series
from simulators.plan import Site

HOURLY: Final = 3600.0  # [s] between reports of a customer's meter
TOP: Final = 100.0  # [m] range of a pressure gauge


@dataclass(frozen=True)
class Area:
    """A metered area."""

    id: str  # "fenglu-001"
    site: Site
    step: float  # [s] between reports

    @property
    def asset(self) -> str:
        return f"dma-{self.id}"

    def gauge(self, k: int, rated: float = NONE, top: float = TOP) -> Row:
        """rated: usual pressure [m]"""
        device = f"gauge-{self.id}-{k}"
        return series(
            Domain.WATER,
            self.asset,
            device,
            "pressure",
            "water_pressure",
            "mH2O",
            (0.0, top),
            self.step,
            self.site,
            rated=rated,
        )

    def meter(self, device: str, low: float = 0.0, top: float = 1500.0) -> Row:
        """low, top: its range [m³/h]"""
        return series(Domain.WATER, self.asset, device, "flow", "water_flow", "m³/h", (low, top), self.step, self.site)

    def customer(self, k: int, top: float, every: float) -> Row:
        """A meter that is read from afar. top [m³/h], every [s]"""
        device = f"amr-{self.id}-{k}"
        return series(Domain.WATER, self.asset, device, "flow", "water_flow", "m³/h", (0.0, top), every, self.site)

    def tank(self, k: int, overflow: float) -> Row:
        """overflow: level at which it runs over [m]"""
        asset, device = f"tank-{k}", f"level-{k}"
        span = (0.0, 1.2 * overflow)
        return series(Domain.WATER, asset, device, "level", "water_level", "m", span, self.step, self.site, rated=overflow)

    def probe(self, k: int) -> list[Row]:
        """A station that watches quality."""
        told = (
            ("chlorine", "chlorine", "mg/L", (0.0, 5.0)),
            ("turbidity", "turbidity", "NTU", (0.0, 100.0)),
            ("ph", "ph", "pH", (0.0, 14.0)),
            ("conductivity", "conductivity", "µS/cm", (0.0, 5000.0)),
        )
        asset, device = f"station-{k}", f"probe-{k}"
        return [series(Domain.WATER, asset, device, c, q, u, span, self.step, self.site) for c, q, u, span in told]

    def logger(self, line: int, k: int, top: float, step: float) -> Row:
        """Of pressure waves. top: of its range [m]; step: between samples [s]"""
        asset, device = f"line-{line}", f"logger-{line}-{k}"
        return series(Domain.WATER, asset, device, "wave", "water_transient", "mH2O", (-top, top), step, self.site)
