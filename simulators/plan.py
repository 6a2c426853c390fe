"""The plan of a city: its districts, how many assets of each kind it has, where they lie, how often their devices report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, NamedTuple

from lifeline.kinds import Between
from lifeline.measures import time
from simulators.dice import dice

Count = Annotated[int, Between(0, 1_000_000)]
Cadence = Annotated[float, time("1s", "24h")]  # [s]

STREAM: Final = 50  # of the places


class District(NamedTuple):
    id: str  # in the names of assets
    name: str
    lat: float  # [°] WGS-84 of its seat
    lon: float  # [°]
    share: float  # [1] of the city's assets


class Site(NamedTuple):
    """Where one asset lies."""

    id: str  # "fenglu-001": district and number within it
    district: str  # its name
    lat: float  # [°] WGS-84
    lon: float  # [°]


CHENGJIANG: Final = (
    District("fenglu", "凤麓街道", 24.6745, 102.9085, 0.45),
    District("longjie", "龙街街道", 24.6525, 102.8830, 0.15),
    District("youso", "右所镇", 24.6620, 102.9420, 0.15),
    District("yangzong", "阳宗镇", 24.8730, 102.9790, 0.10),
    District("haikou", "海口镇", 24.5120, 102.9650, 0.10),
    District("jiucun", "九村镇", 24.6950, 102.8060, 0.05),
)
LARGE: Final = tuple(
    District(f"d{i + 1:02d}", f"第{i + 1}片区", 31.82 + 0.035 * (i // 4 - 1.5), 117.25 + 0.042 * (i % 4 - 1.5), 1 / 16)
    for i in range(16)
)  # invented, around a place of that size
DISTRICTS: Final[Mapping[str, tuple[District, ...]]] = {"chengjiang": CHENGJIANG, "large": LARGE}


@dataclass(frozen=True)
class Plan:
    """A city as its table `[city]` says it."""

    districts: Literal["chengjiang", "large"] = "chengjiang"
    wells: Count = 260
    regulators: Count = 60
    areas: Count = 20  # metered areas of the water network
    gauges: Count = 5  # of pressure in each area
    bridges: Count = 6
    waves: Annotated[int, Between(1, 60)] = 4  # waveform channels of a bridge
    lifts: Count = 200
    gas_step: Cadence = 5.0  # [s] between reports of wells and regulators
    water_step: Cadence = 5.0  # [s]
    bridge_step: Cadence = 1.0  # [s] of deflection and tilt
    packet: Annotated[float, time("1s", "60s")] = 1.0  # [s] of samples in a waveform message
    every: Annotated[float, time("1s", "24h")] = 1.0  # [s] from one waveform message to the next
    beat: Cadence = 20.0  # [s] between heartbeats of lifts
    riding: bool = True  # lifts tell their speed each second while moving


def sites(plan: Plan, n: int, seed: int, stream: int) -> list[Site]:
    """Where n assets of one kind lie: district by district, set down around their seats. stream: another for each kind."""
    draw = dice(seed, STREAM + stream)
    districts = DISTRICTS[plan.districts]
    out: list[Site] = []
    upto, share = 0, 0.0
    for d in districts:
        share += d.share
        size = round(share * n) - upto
        upto += size
        lat, lon = d.lat + 0.004 * draw.standard_normal(size), d.lon + 0.004 * draw.standard_normal(size)
        out += [Site(f"{d.id}-{i + 1:03d}", d.name, float(lat[i]), float(lon[i])) for i in range(size)]
    return out
