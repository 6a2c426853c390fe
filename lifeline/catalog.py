"""The catalog: one row per series, checked whole before anything starts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Floats

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Catalog:
    """Every series the city knows; row i of each column is the same series."""

    key: Texts  # [n] "device/channel", unique
    asset: Texts  # [n]
    device: Texts  # [n]
    domain: Texts  # [n] Domain
    district: Texts  # [n]
    quantity: Texts  # [n]
    unit: Texts  # [n] the unit the device speaks
    owner: Texts  # [n]
    step: Floats  # [n] [s] between readings as configured at the device; event-like series: between heartbeats
    low: Floats  # [n] [SI] bottom of the sensor's range
    high: Floats  # [n] [SI] top of the sensor's range
    lat: Floats  # [n] [°] WGS-84
    lon: Floats  # [n] [°] WGS-84
    hold: Floats  # [n] [s] event-like series: how long the last state stands; NaN: a sampled series
    rated: Floats  # [n] [SI] rated or design value; NaN: none
    scale: Floats  # [n] [SI / unit]
    offset: Floats  # [n] [SI]

    @cached_property
    def row(self) -> dict[str, int]:
        """key -> row."""
        return {k: i for i, k in enumerate(self.key.tolist())}

    @property
    def n(self) -> int:
        return self.key.shape[0]
