"""What the gas in an underground space could do if it were lit: how far a blast reaches."""

from typing import Final, NamedTuple

LEAST: Final = 0.05  # [1] of methane: lower explosive limit
BEST: Final = 0.095  # [1] where it burns all the air; beyond, air is lacking
DENSITY: Final = 0.668  # [kg/m³] of methane at 20 °C
HEAT: Final = 50e6  # [J/kg] of methane
TNT: Final = 4.5e6  # [J/kg]
VOLUME: Final = 3.0  # [m³] of a space of unknown size: a usual well
HURT, GLASS = 7.0, 2.0  # [kPa] debris and partial damage of buildings; window panes


class Blast(NamedTuple):
    """Distances from the space. [m]"""

    hurt: float  # within which people are hurt and buildings damaged
    glass: float  # within which windows break


def pressure(z: float) -> float:
    """Side-on overpressure at a scaled distance z [m/kg^(1/3)] (C. A. Mills, 1st Int. Symp. Hazards II, 1987). [kPa]"""
    return 1772 / z**3 - 114 / z**2 + 108 / z


def scaled(kilopascal: float) -> float:
    """The scaled distance at which a blast has fallen to this. [m/kg^(1/3)]"""
    near, far = 1.0, 1000.0
    for _ in range(60):  # it falls with the distance; halving needs no library that a desk would load before it answers
        middle = (near + far) / 2
        near, far = (middle, far) if pressure(middle) > kilopascal else (near, middle)
    return near


def blast(methane: float, volume: float = VOLUME) -> Blast:
    """The worst that methane [1] in a space [m³] can do: all of its heat goes into the blast.

    Below the explosive limit: what it does when it gets there.
    """
    energy = min(max(methane, LEAST), BEST) * volume * DENSITY * HEAT
    root = (energy / TNT) ** (1 / 3)
    return Blast(scaled(HURT) * root, scaled(GLASS) * root)
