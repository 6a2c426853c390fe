"""Medium-pressure mains: each a string of pipes from the city gate past its regulators, which take what the houses burn.

Losses follow from the general flow equation of steady isothermal gas, p₁² - p₂² = K·Q·|Q|; what flows in a pipe is all that
is taken beyond it, so that sums along the string solve it. Only a hole needs an iteration: its flow answers to pressure.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifeline.model import Floats, Ints
from simulators.dice import dice
from simulators.orifice import AIR, GAS_CONSTANT, MOLAR, gas_flow
from simulators.rhythm import hour

STREAM: Final = 1100
STRING: Final = 4  # regulators along one main
LENGTH: Final = 500.0  # [m] from one to the next
SIZES: Final = np.array(
    [0.052, 0.074, 0.090, 0.102, 0.131, 0.147, 0.164, 0.184, 0.205, 0.258, 0.327]
)  # [m] bores of PE pipe, SDR 11
FRICTION: Final = 0.02  # [1] Darcy
WARMTH: Final = 288.15  # [K] of the ground around a main
SPARE: Final = 0.08  # [1] of the gauge pressure that a well-built main loses at full demand
ROUNDS: Final = 40  # of the iteration for a hole; each halves the error or better


@dataclass(frozen=True)
class Mains:
    """n regulators on strings of STRING; those that are missing from the last string take nothing."""

    asset: tuple[str, ...]  # [n] regulators, in the order of the gas
    source: float  # [Pa] gauge, at the gate
    peak: Floats  # [z, m] [m³/s] taken at full demand, free volume
    loss: Floats  # [z, m] [Pa²/(m³/s)²] of the pipe that leads to each
    volume: Floats  # [z] [m³] of the pipes of each string

    def where(self, asset: str) -> tuple[int, int]:
        """String, and place along it."""
        return divmod(self.asset.index(asset), STRING)

    def flows(self, taken: Floats) -> Floats:
        """In the pipe that leads to each. taken [z, m, k] [m³/s]; [z, m, k] [m³/s]"""
        return np.cumsum(taken[:, ::-1], axis=1)[:, ::-1]

    def pressures(self, taken: Floats) -> Floats:
        """At each regulator's inlet, gauge. taken [z, m, k] [m³/s]; [z, m, k] [Pa]"""
        q = self.flows(taken)
        square = (self.source + AIR) ** 2 - np.cumsum(self.loss[:, :, None] * q * np.abs(q), axis=1)
        return np.asarray(np.sqrt(np.maximum(square, AIR**2)) - AIR)

    def stored(self, inlet: Floats) -> Floats:
        """Gas in the pipes: line pack, as free volume. inlet [z, m, …] [Pa] gauge; [z, …] [m³]"""
        volume = self.volume.reshape(-1, *[1] * (inlet.ndim - 2))
        return np.asarray(volume * (inlet.mean(axis=1) / AIR + 1))

    def followed(self, now: Floats, final: Floats, taken: Floats, dt: float) -> Floats:
        """Inlet pressures dt [s] later, on their way to what they settle to.

        now, final [z, m] [Pa] gauge, taken [z] [m³/s]; [z, m] [Pa] gauge
        The line pack closes the gap between what is taken and what enters, which answers to the drop of squared pressure:
        entering = taken·√f, where f is the present drop over the settled one. Hence the time B·(1 + √f)/taken, where B is
        what the settled mains hold less than mains at rest.
        """
        less = self.volume * (self.source - final.mean(axis=1)) / AIR
        gate, f = (self.source + AIR) ** 2, (now[:, -1] + AIR) ** 2
        f = (gate - f) / np.maximum(gate - (final[:, -1] + AIR) ** 2, 1.0)
        rate = taken / np.maximum(less * (1 + np.sqrt(np.maximum(f, 0.0))), 1e-9)
        return np.asarray(final + (now - final) * np.exp(-rate * dt)[:, None])

    def holed(self, taken: Floats, holes: Floats) -> Floats:
        """What leaves holes beside the regulators: it lowers the very pressure that drives it.

        taken [z, m, k] [m³/s]; holes [z, m, k] [m] diameters; [z, m, k] [m³/s]
        Damped fixed point: outflow falls with pressure, hence with itself.
        """
        out = np.zeros_like(taken)
        for _ in range(ROUNDS):
            out = (out + gas_flow(holes, self.pressures(taken + out))) / 2
        return out


def demand(t: Floats) -> Floats:
    """Share of the peak: cooking at morning, noon and evening. t [k] [s]; [k] [1]"""
    middle, width = np.array([[7.0], [12.0], [18.5]]), np.array([[0.7], [0.7], [1.1]])
    away = (hour(t) - middle + 12) % 24 - 12  # type: ignore[arg-type]  # of arrays as of numbers
    return np.asarray(0.15 + 0.85 * np.minimum(1.0, np.exp(-0.5 * (away / width) ** 2).sum(axis=0)))


def laid(asset: tuple[str, ...], peak: Floats, source: float) -> Mains:
    """Mains as a designer sizes them: the thinnest pipe made that loses no more than SPARE at full demand. peak [n] [m³/s]"""
    z = -(-len(asset) // STRING)
    full = np.concatenate([peak, np.zeros(z * STRING - len(asset))]).reshape(z, STRING)
    flow = np.cumsum(full[:, ::-1], axis=1)[:, ::-1]
    bore = SIZES[_thinnest(flow, source)]
    volume = np.pi / 4 * bore**2 * LENGTH * STRING
    return Mains(asset, source, full, np.repeat(resistance(bore), STRING).reshape(z, STRING), volume)


def resistance(bore: Floats) -> Floats:
    """Loss of squared pressure per squared free flow of one pipe of LENGTH. bore [m]; [Pa²/(m³/s)²]

    K = 16·f·L·R·T/(π²·M·D⁵) per squared mass flow, times the squared density of free gas.
    """
    density = AIR * MOLAR / (GAS_CONSTANT * WARMTH)
    per_mass = 16 * FRICTION * LENGTH * GAS_CONSTANT * WARMTH / (np.pi**2 * MOLAR * bore**5)
    return np.asarray(per_mass * density**2)


def _thinnest(flow: Floats, source: float) -> Ints:
    """Which of SIZES each string needs. flow [z, m] [m³/s] at full demand; [z]"""
    spent = (flow**2).sum(axis=1)[:, None] * resistance(SIZES)
    allowed = (source + AIR) ** 2 - ((1 - SPARE) * source + AIR) ** 2
    return np.asarray(np.minimum((spent > allowed).sum(axis=1), SIZES.size - 1))


def peaks(n: int, seed: int) -> Floats:
    """Full demand of regulators drawn at random. [n] [m³/s]"""
    return np.asarray(dice(seed, STREAM).uniform(80, 300, n) / 3600)
