"""Flow through a hole: of gas, free into the air or choked; of water under its own head."""

from typing import Any, Final

import numpy as np

from lifeline.model import Floats
from lifeline.units import G

GAMMA: Final = 1.31  # [1] ratio of specific heats of natural gas
MOLAR: Final = 0.0168  # [kg/mol] natural gas
GAS_CONSTANT: Final = 8.314462618  # [J/(mol·K)]
AIR: Final = 101_325.0  # [Pa]
CHOKED: Final = (2 / (GAMMA + 1)) ** (GAMMA / (GAMMA - 1))  # [1] pressure ratio below which the flow is sonic
ROUND: Final = 0.85  # [1] discharge coefficient of a rounded hole
PIPE_BREAK: Final = 0.75  # [1] discharge coefficient of a hole in a water main


def gas_flow(hole: "Floats | float", gauge: "Floats | float", discharge: float = ROUND, temperature: float = 288.15) -> Floats:
    """Free volume of gas leaving a hole in a pipe. Isentropic nozzle flow: A. H. Shapiro, Compressible Fluid Flow, 1953, ch. 4.

    hole [k]: diameter. [m]
    gauge [k]: pressure in the pipe above the air's. [Pa]
    temperature: of the gas, and at which its free volume is counted. [K]
    returns [k] [m³/s]
    """
    p = AIR + np.asarray(gauge)
    return np.asarray(discharge * area(hole) * p * _mass_flux(AIR / p, temperature) / _density(temperature))


def _mass_flux(ratio: Floats, temperature: float) -> Floats:
    """Mass flow per area and upstream pressure at a pressure ratio, at most 1 [k] [1]. [k] [s/m]"""
    root = MOLAR / (GAS_CONSTANT * temperature)
    r = np.clip(ratio, CHOKED, 1.0)  # a choked hole knows nothing of what is beyond it
    return np.asarray(np.sqrt(2 * GAMMA / (GAMMA - 1) * root * (r ** (2 / GAMMA) - r ** ((GAMMA + 1) / GAMMA))))


def _density(temperature: float) -> float:
    """Natural gas at the air's pressure. [kg/m³]"""
    return AIR * MOLAR / (GAS_CONSTANT * temperature)


def area(hole: Any) -> Any:
    """[m²] of a round hole of a diameter [m]."""
    return np.pi * hole**2 / 4


def yielding_flow(hole: Any, head: Any, give: float, discharge: float = PIPE_BREAK) -> Floats:
    """Flow from a hole whose own head falls with the flow: q = c √(head - give·q), solved for q.

    hole [k] or one: diameter [m]; head [k] or one: before the hole [m]; give: drop of head per flow [m/(m³/s)]; [k] [m³/s]
    """
    c2 = (discharge * area(hole)) ** 2 * 2 * G
    return np.asarray((np.sqrt((c2 * give) ** 2 + 4 * c2 * np.maximum(head, 0.0)) - c2 * give) / 2)
