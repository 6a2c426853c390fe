"""Modes stepped exactly: damped oscillators under loads that are linear between samples, many at once.

q" + 2ζω q' + ω² q = f becomes one complex equation of first order with s = q' + ζω q + iω_d q:  s' = μ s + f,  μ = -ζω + iω_d.
Over a step dt, with f linear (S. M. Cox, P. C. Matthews, Exponential time differencing for stiff systems, J. Comput. Phys. 176,
2002, 430-455, eq. 4): s₁ = e^z s₀ + dt·(φ₁ - φ₂)(z)·f₀ + dt·φ₂(z)·f₁, z = μ dt, φ₁ = (e^z - 1)/z, φ₂ = (φ₁ - 1)/z.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifeline.model import Floats

Complexes = NDArray[np.complex128]

TINY: Final = 1e-30  # a variance that rounding may have taken all of


class Swing(NamedTuple):
    """Where modes stand. All [m]."""

    place: Floats  # [m]
    speed: Floats  # [m/s]
    force: Floats  # [m/s²] load for each unit of modal mass


class Step(NamedTuple):
    """One step of oscillators. All [m]."""

    omega: Floats  # [rad/s]
    zeta: Floats  # [1]
    turn: Complexes  # [1] e^z
    before: Complexes  # [s] of the load at the last sample
    now: Complexes  # [s] of the load at this one

    @property
    def decay(self) -> Floats:
        """[1/s]"""
        return self.zeta * self.omega

    @property
    def damped(self) -> Floats:
        """[rad/s]"""
        return self.omega * np.sqrt(1 - self.zeta**2)

    @property
    def look(self) -> Complexes:
        """κ, of which the acceleration is f + Re(κ s). [1/s]"""
        return -2 * self.decay + 1j * (1 - 2 * self.zeta**2) * self.omega**2 / self.damped


def step_of(omega: Floats, zeta: Floats, dt: float) -> Step:
    """omega, zeta [m], dt [s]"""
    z = (-zeta + 1j * np.sqrt(1 - zeta**2)) * omega * dt
    one = np.expm1(z) / z
    two = (one - 1) / z
    return Step(omega, zeta, np.exp(z), dt * (one - two), dt * two)


def ride(step: Step, at: Swing, load: Floats) -> Complexes:
    """s of every mode after each sample, from where it stood one step before the first. load [m, k] [m/s²]; [m, k] [m/s]

    Pieces of √k samples run side by side from rest; what each inherits is added afterwards.
    """
    m, k = load.shape
    size = max(1, round(np.sqrt(k)))
    kick = np.zeros((m, -(-k // size) * size), complex)
    kick[:, :k] = step.now[:, None] * load
    kick[:, 1:k] += step.before[:, None] * load[:, :-1]
    kick[:, 0] += step.before * at.force + step.turn * s_of(step, at)
    s = kick.reshape(m, -1, size)
    for j in range(1, size):
        s[:, :, j] += step.turn[:, None] * s[:, :, j - 1]
    power = step.turn[:, None] ** np.arange(1, size + 1)
    last = s[:, :, -1].copy()
    for c in range(1, s.shape[1]):
        last[:, c] += power[:, -1] * last[:, c - 1]
    s[:, 1:] += last[:, :-1, None] * power[:, None]
    return kick[:, :k]


def s_of(step: Step, at: Swing) -> Complexes:
    return np.asarray(at.speed + (step.decay + 1j * step.damped) * at.place, complex)


def ended(step: Step, s: Complexes, load: Floats) -> Swing:
    """After the last sample. s, load [m, k]"""
    place = s[:, -1].imag / step.damped
    return Swing(place, s[:, -1].real - step.decay * place, load[:, -1].copy())


def placed(step: Step, s: Complexes) -> Floats:
    """[m, k] [m]"""
    return np.asarray(s.imag / step.damped[:, None])


def felt(step: Step, s: Complexes, load: Floats) -> Floats:
    """Acceleration. [m, k] [m/s²]"""
    look = step.look[:, None]
    return np.asarray(load + look.real * s.real - look.imag * s.imag)


def shaken(step: Step) -> Floats:
    """RMS acceleration under white loads of unit spread, drawn anew at each sample; closed form. [m] [1]

    With s = r + now·f, r is an autoregression that knows nothing of f.
    """
    own, mixed = _moments(step)
    spread = 0.5 * (np.abs(step.look) ** 2 * own + (step.look**2 * mixed).real)
    return np.asarray(np.sqrt(np.maximum(spread + (1 + (step.look * step.now).real) ** 2, TINY)))


def stationary(step: Step, gust: Floats, draw: np.random.Generator) -> Swing:
    """Where modes stand that white loads have shaken for ever, drawn exactly. gust [m] [m/s²] spread of the load"""
    own, mixed = _moments(step)
    real, imag, both = (own + mixed.real) / 2, (own - mixed.real) / 2, mixed.imag / 2
    z = draw.standard_normal((3, gust.size))
    a = np.sqrt(np.maximum(real, TINY))
    r = a * z[0] + 1j * (both / a * z[0] + np.sqrt(np.maximum(imag - (both / a) ** 2, 0.0)) * z[1])
    s = gust * (r + step.now * z[2])
    place = s.imag / step.damped
    return Swing(place, s.real - step.decay * place, gust * z[2])


def _moments(step: Step) -> tuple[Floats, Complexes]:
    """E|r|² and E r² under white loads of unit spread. [m] [s²]"""
    gain = step.turn * step.now + step.before
    return np.abs(gain) ** 2 / (1 - np.abs(step.turn) ** 2), gain**2 / (1 - step.turn**2)
