"""How a car shakes: coloured noise and rail joints, as its roof feels it, and as the ride quality of trips."""

from typing import Final

import numpy as np
from scipy import signal

from lifeline.model import Floats

RATE: Final = 64  # [Hz]
LENGTH: Final = 1024  # samples of a trip's constant-speed part that are looked at: 16 s
JOINT: Final = 5.0  # [m] length of a rail
BAND: Final = (1.0, 10.0)  # [Hz] to which people in a lift are sensitive, roughly: ISO 18738-1 weights by ISO 2631-1
SHARE: Final = 0.5  # [1] of the noise's spread that the joints' has
SENSOR: Final = 100e-6 * 9.80665 * np.sqrt(RATE / 2)  # [m/s²] spread of a sensor's own noise, 100 µg/√Hz
LIMIT: Final = 2 * 9.80665  # [m/s²] of its range
SOS: Final = signal.butter(2, BAND, "bandpass", fs=RATE, output="sos")


def coloured(m: int, k: int, draw: np.random.Generator) -> Floats:
    """Noise of that band with a spread of one, each row by itself. [m, k] [1]"""
    noise = signal.sosfilt(SOS, draw.standard_normal((m, LENGTH + k)), axis=1)[:, LENGTH:]
    return np.asarray(noise / BAND_SPREAD)


def shaking(speed: Floats, draw: np.random.Generator) -> Floats:
    """Weighted vertical acceleration of trips at constant speed, with a spread of one. speed [m] [m/s]; [m, k] [1]"""
    noise, t = coloured(speed.size, LENGTH, draw), np.arange(LENGTH) / RATE
    joints = np.sqrt(2) * np.sin(2 * np.pi * speed[:, None] / JOINT * t + draw.uniform(0, 2 * np.pi, (speed.size, 1)))
    return np.asarray((noise + SHARE * joints) / np.sqrt(1 + SHARE**2))


def felt(height: Floats, rough: Floats, draw: np.random.Generator) -> Floats:
    """What a car's roof feels: how it speeds up and slows down, its shaking while it moves, and the sensor's noise.

    height [n, m + 2] [m] at RATE, rough [n, m] [m/s²] A95, as people feel it; [n, m] [m/s²]
    """
    speed = np.diff(height, axis=1) * RATE
    body = np.diff(speed, axis=1) * RATE
    shake = coloured(rough.shape[0], rough.shape[1], draw) + SHARE * np.sqrt(2) * np.sin(2 * np.pi * height[:, 2:] / JOINT)
    moving = np.abs(speed[:, 1:]) > 1e-6
    ride = rough / BARE * moving * shake / np.sqrt(1 + SHARE**2)
    told = body + ride + SENSOR * draw.standard_normal(rough.shape)
    return np.asarray(np.clip(told, -LIMIT, LIMIT))


def weighted(x: Floats) -> Floats:
    """As people feel it: by the size of the weighting Wk of ISO 2631-1:1997, annex A, without its phase. x [m, k] [m/s²]"""
    s = 2j * np.pi * np.fft.rfftfreq(x.shape[1], 1 / RATE)
    w1, w3, w5, w6 = (2 * np.pi * f for f in (0.4, 12.5, 2.37, 3.35))
    band = s**2 / (s**2 + np.sqrt(2) * w1 * s + w1**2)
    transition = (1 + s / w3) / (1 + s / (0.63 * w3) + (s / w3) ** 2)
    step = (1 + s / (0.91 * w5) + (s / w5) ** 2) / (1 + s / (0.91 * w6) + (s / w6) ** 2) * (w5 / w6) ** 2
    return np.asarray(np.fft.irfft(np.fft.rfft(x, axis=1) * np.abs(band * transition * step), x.shape[1], axis=1))


def a95(x: Floats) -> float:
    """95th percentile of the peak-to-peak values between zero crossings. ISO 18738-1:2012, 3.13. x [k] [m/s²]; [m/s²]"""
    halves = np.maximum.reduceat(np.abs(x), np.concatenate([[0], np.flatnonzero(np.diff(np.signbit(x))) + 1]))
    return float(np.percentile(halves[:-1] + halves[1:], 95))


def rides(rough: Floats, speed: Floats, draw: np.random.Generator) -> Floats:
    """A95 of trips. rough [m] [m/s²] the usual one of such a car, speed [m] [m/s]; [m] [m/s²]"""
    return np.asarray(rough / USUAL * np.array([a95(x) for x in shaking(speed, draw)]))


BAND_SPREAD: Final = float(
    np.sqrt((signal.sosfilt(SOS, np.eye(1, 8192)[0]) ** 2).sum())
)  # of white noise of spread one, filtered
SOUND: Final = shaking(np.full(200, 1.75), np.random.Generator(np.random.Philox(1)))  # [m, k] [1]
USUAL: Final = float(np.mean([a95(x) for x in SOUND]))
BARE: Final = float(np.mean([a95(x) for x in weighted(SOUND)]))  # of shaking that nobody has weighted yet
