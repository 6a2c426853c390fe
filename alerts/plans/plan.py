"""Which plan a hazard has. One Markdown file for each group of hazards: Chinese first, English after a line of hyphens."""

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from alerts.notice import EXERCISE

FOLDER: Final = Path(__file__).parent
GROUPS: Final[dict[str, tuple[str, ...]]] = {  # file -> hazards
    "gas_leak": ("gas_accumulation", "open_air_release"),
    "biogas": ("biogas",),
    "gas_pressure": ("gas_overpressure", "gas_underpressure", "gas_pressure_loss", "gas_imbalance"),
    "water_burst": ("water_burst",),
    "water_leak": ("water_leak", "water_loss"),
    "water_pressure": ("water_low_pressure", "water_overpressure", "water_transient", "water_overflow"),
    "water_quality": ("water_quality", "chlorine_probe"),
    "bridge_load": ("bridge_overload", "bridge_overturning", "bridge_vibration", "bridge_wind"),
    "bridge_impact": ("bridge_impact", "bridge_tilt"),
    "bridge_structure": (
        "bridge_bearing", "bridge_cable", "bridge_change", "bridge_deflection", "bridge_joint", "bridge_stiffness",
    ),
    "lift_entrapment": ("entrapment", "stop_outside_zone", "power_loss"),
    "lift_motion": (
        "brake_drag", "brake_wear", "door_open_moving", "overrun", "overspeed", "overtravel", "reversal", "rope_slip",
        "safety_circuit", "speed_abnormal",
    ),
    "lift_service": ("button_stuck", "door_fault", "levelling", "phantom_passenger", "ride_quality"),
    "monitoring": ("duty_gap", "pipeline_canary", "pipeline_failing", "pipeline_silent"),
    "unclear": ("anomaly",),
}  # fmt: skip
OF: Final = {hazard: group for group, hazards in GROUPS.items() for hazard in hazards}


class Plan(NamedTuple):
    """One plan, as Markdown."""

    group: str
    zh: str
    en: str


@cache
def read(group: str) -> Plan:
    """A group's plan."""
    zh, _, en = (FOLDER / f"{group}.md").read_text("utf-8").partition("\n---\n")
    return Plan(group, zh.strip(), en.strip())


def plan(hazard: str) -> Plan:
    """A hazard's plan, in an exercise too; of one that no group names, that for what is unclear."""
    return read(OF.get(hazard.removeprefix(EXERCISE), "unclear"))
