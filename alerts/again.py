"""What comes back soon after its end is the same warning, where the hazard by its nature comes and goes."""

from typing import Final

from lifeline.model import NS

DAY: Final = 86_400 * NS
APART: Final = {  # [ns]
    "open_air_release": 1800
    * NS,  # the wind turns a plume away for as long as it meanders: Anfossi et al. 2005, as in gas.toml
    "sensor_apart": 8 * DAY,  # water and structures go by the week: what shows on some of its days only is one condition
    "drift": 8 * DAY,  # likewise
}


def returns(hazard: str, cleared: int | None, t: int) -> bool:
    """Whether a warning that ended at `cleared` goes on at t. Both [ns] sensor clock"""
    return cleared is not None and 0 <= t - cleared <= APART.get(hazard, -1)
