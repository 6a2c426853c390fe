"""People and rosters of a configuration."""

from typing import Final
from zoneinfo import ZoneInfo

from alerts.duty import Duty, load
from lifeline.config import Config

ZONE: Final = ZoneInfo("Asia/Shanghai")  # of rosters that name none


def duty(config: Config) -> Duty | None:
    """What [desk] people names; None: nothing."""
    return load(config.desk.people, config.channels, ZONE) if config.desk.people else None
