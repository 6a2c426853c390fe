"""What goes wrong in the demo: within a minute, in all four domains, and sensors that fail meanwhile."""

from typing import Final

from lifeline.catalog import Catalog
from lifeline.model import NS
from lifeline.units import WATER_HEAD
from simulators.city import Fault, sensor_fault
from simulators.effects import Dropout, Skew, Spike, Stuck
from simulators.old_bridge import Impact
from simulators.old_elevator import Kind, Trouble
from simulators.old_gas import VOL, Leak, Misregulation
from simulators.old_water import Burst

LAST: Final = 600  # [s] each hazard lasts, unless it is over at once


def demo_faults(catalog: Catalog, start: int) -> list[Fault]:
    """Faults of the city of `chengjiang`, counted from `start` [ns]."""
    return [*hazards(start), *failures(catalog, start)]


def hazards(start: int) -> list[Fault]:
    def at(second: float) -> int:
        return start + round(second * NS)

    return [
        # an excavator hits a medium-pressure main beside two wells
        Leak(
            ("well-fenglu-012", "well-fenglu-013"), (2.0, 14.0), at(6), at(LAST), hole=0.020, starved=("regulator-fenglu-004",)
        ),
        Misregulation("regulator-youso-002", at(8), at(LAST)),
        Burst(gauge=12, onset=at(10), end=at(LAST), hole=0.15),
        Impact("bridge-haikou-001", at(15)),
        Trouble("elevator-fenglu-007", Kind.BETWEEN, at(2), at(LAST), passengers=2),
        Trouble("elevator-longjie-004", Kind.LANDING, at(2), at(LAST), passengers=1),
        Trouble("elevator-youso-010", Kind.OUTSIDE, at(2), at(LAST)),
        Trouble("elevator-haikou-003", Kind.DOOR, at(12), at(24), passengers=1),
        Trouble("elevator-yangzong-006", Kind.OVERSPEED, at(18), at(24), passengers=1),
    ]


def failures(catalog: Catalog, start: int) -> list[Fault]:
    """Sensors at fault: tickets for their owners, never hazards."""

    def fault(key: str, onset: float, end: float, effect: object) -> Fault:
        return sensor_fault(catalog, key, start + round(onset * NS), start + round(end * NS), effect)

    return [
        fault("gauge-youso-001-2/pressure", 5, LAST, Stuck()),
        fault("laser-longjie-005/ch4", 10, 120, Dropout()),
        fault("laser-haikou-003/ch4", 20, 25, Spike(6 * VOL)),
        fault("gauge-yangzong-001-3/pressure", 30, 35, Spike(-25 * WATER_HEAD)),
        fault("accel-jiucun-001-mid/z", 25, LAST, Stuck()),  # after a thousand good samples
        fault("laser-youso-008/ch4", 15, 300, Skew(8 * 3600.0)),
    ]
