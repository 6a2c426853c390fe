"""Filters of accelerations: the frequency weighting of ISO 2631-1 for vertical motion, and plain low passes.

Digital by the bilinear transform, which bends what is near half of the sampling rate: at 256 Hz the weights are those of the
standard's table within 4 % up to 25 Hz, at 64 Hz within 3 % up to 10 Hz, and what is above is weighted down too much.
"""

from functools import cache
from typing import Final

import numpy as np
from scipy import signal

from lifeline.model import Floats

HIGH: Final = 0.4  # [Hz] band of Wk, ISO 2631-1:1997, table A.1
LOW: Final = 100.0  # [Hz]
TRANSITION: Final = (12.5, 12.5, 0.63)  # [Hz], [Hz], [1]: from acceleration to velocity
STEP: Final = (2.37, 0.91, 3.35, 0.91)  # [Hz], [1], [Hz], [1]: upward


@cache
def vertical(every: float) -> Floats:
    """Second-order sections of the weighting Wk (ISO 2631-1:1997, annex A, eq. A.1 to A.4). every [s]; [sections, 6]

    The low pass at 100 Hz is left out where the rate cannot show it.
    """
    w1, w3, w4 = (2 * np.pi * f for f in (HIGH, *TRANSITION[:2]))
    w5, w6 = 2 * np.pi * STEP[0], 2 * np.pi * STEP[2]
    made = [
        ([1.0, 0.0, 0.0], [1.0, np.sqrt(2) * w1, w1**2]),
        ([w4**2 / w3, w4**2], [1.0, w4 / TRANSITION[2], w4**2]),
        ([1.0, w5 / STEP[1], w5**2], [1.0, w6 / STEP[3], w6**2]),
    ]
    if every * LOW < 0.4:
        w2 = 2 * np.pi * LOW
        made.append(([w2**2], [1.0, np.sqrt(2) * w2, w2**2]))
    return np.array([np.concatenate(signal.bilinear(b, a, 1 / every)) for b, a in made])


@cache
def low(every: float, corner: float) -> Floats:
    """Second-order section of a Butterworth low pass. every [s], corner [Hz]; [1, 6]"""
    return np.asarray(signal.butter(2, corner, fs=1 / every, output="sos"))


def begun(sos: Floats, x: Floats) -> Floats:
    """Memory of a filter that has seen x [m] since ever. [m, sections, 2]"""
    return np.asarray(signal.sosfilt_zi(sos)[None] * x[:, None, None])


def filtered(sos: Floats, x: Floats, memory: Floats) -> tuple[Floats, Floats]:
    """x [m, k], memory [m, sections, 2]; what comes out [m, k], and its memory. The same bits wherever it is cut."""
    y, after = signal.sosfilt(sos, x, axis=1, zi=memory.transpose(1, 0, 2))
    return y, np.ascontiguousarray(after.transpose(1, 0, 2))
