"""A well as a box of well-mixed air: what comes in, what goes out, and the exact step between two instants."""

import numpy as np

from lifeline.model import Floats


def mixed(before: "Floats | float", supply: "Floats | float", loss: "Floats | float", dt: "Floats | float") -> Floats:
    """Concentration dt [s] later, exactly: dC/dt = supply - loss·C.

    before [n] [1], supply [n] [1/s], loss [n] [1/s]; [n] [1]
    With gas Q and biogas S entering a volume V under λ air changes: supply = (Q + S)/V, loss = Q/V + λ, for what enters
    drives out what is inside (domain equation dC/dt = Q/V·(1 - C) - λ·C + S/V).
    """
    rest = np.asarray(supply) / loss
    return np.asarray(rest + (before - rest) * np.exp(-np.asarray(loss) * dt))


def chamber(
    seen: "Floats | float",
    before: "Floats | float",
    supply: "Floats | float",
    loss: "Floats | float",
    lag: float,
    dt: "Floats | float",
) -> Floats:
    """What the sensing chamber holds dt [s] later, exactly: dy/dt = (C - y)/lag while C goes as `mixed`.

    seen [n] [1] the chamber before; lag [s], never 1/loss; [n] [1]
    """
    rest = np.asarray(supply) / loss
    slow = (before - rest) / (1 - np.asarray(loss) * lag)
    return np.asarray(rest + slow * np.exp(-np.asarray(loss) * dt) + (seen - rest - slow) * np.exp(-np.asarray(dt) / lag))


def time_to(level: float, supply: float, loss: float) -> float:
    """Until a clean box reaches a level [1]; inf: never. [s]"""
    share = level * loss / supply
    return float(-np.log1p(-share) / loss) if share < 1 else float("inf")
