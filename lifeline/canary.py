"""The canary: a reading that no device sent, to see whether readings still get from the broker to a push."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Domain

NAME: Final = (
    "canary"  # of its asset and its device; a device of this name at such an asset in the domain `other` is nothing else
)
KEY: Final = "canary/pulse"
RULE: Final = "pipeline.canary"
QUANTITY: Final = "state"
STEP: Final = 1_000_000  # [ns] between the reading that rises and the one that falls


def topic(city: str) -> str:
    """Where it is published."""
    return f"lifeline/v1/{city}/{Domain.OTHER}/{NAME}/{NAME}/telemetry"


def named(domain: str, asset: str, device: str) -> bool:
    """Whether that is the canary. A city may have an asset of its name: only both names together are kept for it."""
    return domain == Domain.OTHER and asset == device == NAME


def taken(filters: Iterable[str], name: str) -> bool:
    """Whether one of the topic filters takes in a topic (MQTT 3.1.1, section 4.7)."""
    return any(_takes(f.split("/"), name.split("/")) for f in filters)


def _takes(levels: list[str], parts: list[str]) -> bool:
    if levels[-1] == "#":
        levels, parts = levels[:-1], parts[: len(levels) - 1]
    return len(levels) == len(parts) and all(level in ("+", part) for level, part in zip(levels, parts, strict=True))


def payload(t: int) -> bytes:
    """Flat JSON as devices send it: the state rises at t and falls a millisecond later. t [ns]"""
    ms = t // STEP
    return f'[{{"ts": {ms}, "values": {{"pulse": 1}}}}, {{"ts": {ms + 1}, "values": {{"pulse": 0}}}}]'.encode()


def catalog(lat: float, lon: float) -> Catalog:
    """Its one series. [°]"""
    texts = {
        "key": KEY, "asset": NAME, "device": NAME, "domain": Domain.OTHER, "district": "", "quantity": QUANTITY,
        "unit": "state", "owner": "",
    }  # fmt: skip
    numbers = {
        "step": 60.0, "low": 0.0, "high": 1.0, "lat": lat, "lon": lon, "hold": np.nan, "rated": np.nan, "report": np.nan,
        "scale": 1.0, "offset": 0.0,
    }  # fmt: skip
    made = {k: np.array([v], object) for k, v in texts.items()}
    return Catalog(**made, **{k: np.array([v]) for k, v in numbers.items()})


def sent(t: int) -> int:
    """The instant as it comes back: devices say milliseconds. t [ns]"""
    return t // STEP * STEP
