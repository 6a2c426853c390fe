"""Gross masses of the vehicles on a road."""

import numpy as np

from lifeline.model import Floats

CAR, LORRY, HEAVY, TAIL = (
    (1600.0, 400.0),
    (18e3, 5e3),
    (40e3, 8e3),
    (np.log(70e3), 0.25),
)  # [kg] mean, spread; the tail: of the logarithm


def masses(heavy: Floats, draw: np.random.Generator, overload: float = 0.01) -> Floats:
    """Gross masses: cars, lorries, heavy lorries, a share of them overloaded [1]. heavy [m] share of lorries [1]; [m] [kg]"""
    z, kind, over = draw.standard_normal(heavy.size), draw.uniform(0, 1, heavy.size) / heavy, draw.uniform(0, 1, heavy.size)
    laden = np.where(over < overload, np.exp(TAIL[0] + TAIL[1] * z), HEAVY[0] + HEAVY[1] * z)
    lorry = np.where(kind < 0.5, laden, LORRY[0] + LORRY[1] * z)
    return np.maximum(np.where(kind < 1, lorry, CAR[0] + CAR[1] * z), 600.0)
