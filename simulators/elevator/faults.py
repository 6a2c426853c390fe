"""What happens to lifts, by the name of its table: kind = "elevator.NAME"."""

from collections.abc import Mapping
from typing import Final

from simulators.elevator import harmless, hazards, machine, wear

KINDS: Final[Mapping[str, type]] = {
    "entrapment": hazards.Entrapment,
    "stop_outside": hazards.StopOutside,
    "power_loss": hazards.PowerLoss,
    "door_moving": hazards.DoorMoving,
    "drifting": hazards.Drifting,
    "overspeed": machine.Overspeed,
    "reversal": machine.Reversal,
    "overrun": machine.Overrun,
    "overtravel": machine.Overtravel,
    "brake_drag": machine.BrakeDrag,
    "blocked_door": hazards.BlockedDoor,
    "rope_slip": machine.RopeSlip,
    "brake_wear": wear.BrakeWear,
    "levelling_drift": wear.LevellingDrift,
    "rail_defect": wear.RailDefect,
    "hold_door": harmless.HoldDoor,
    "maintenance": harmless.Maintenance,
    "phantom_motion": harmless.PhantomMotion,
    "poster": harmless.Poster,
    "button_stuck": harmless.ButtonStuck,
    "weather_front": harmless.WeatherFront,
}
