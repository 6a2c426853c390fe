"""Spectra of several sensors: their peaks, the shapes there, which mode each peak is, and where between the bins it lies."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter
from scipy.optimize import linear_sum_assignment

from lifeline.model import Bools, Floats, Ints

Complexes = NDArray[np.complex128]

SIDE: Final = 5  # [bin] on either side of a peak that are lower
AROUND: Final = 0.75  # [Hz] on either side
STANDS: Final = 5.0  # [1] times the median around it is a peak
TWIN: Final = 0.8  # [1] MAC of two modes that are hardly told apart
DOUBT: Final = 0.02  # [1] by which a peak must fit better than another
TOGETHER: Final = 0.03  # [1] by which two twins move apart at most
NEVER: Final = 1e6  # [1] in place of minus infinity
SKIRT: Final = 0.03  # [1] of its frequency on either side, by which a peak is placed


def twins(first: Floats, shape: Complexes, reach: float) -> Bools:
    """Which two modes the shapes hardly tell apart, each within reach of the other. first [q], shape [q, p]; [q, q]"""
    both = np.array([mac(shape, one) for one in shape]).reshape(first.size, first.size) >= TWIN
    both &= np.abs(first[:, None] / first - 1) <= 2 * reach
    np.fill_diagonal(both, val=False)
    return both


def paired(fit: Floats, twin: Bools, first: Floats, hertz: Floats) -> list[tuple[int, int]]:
    """Modes and their peaks, each peak for one mode, so that all fit best; without modes that are in doubt. fit [q, peaks]

    In doubt is a mode to which another peak that nobody else has fits as well within `DOUBT`; and one whose twin is not found,
    or not as far from it as in the beginning, since what is found may be the twin; twins are told apart by their order.
    first [q], hertz [peaks]: frequencies. [Hz]
    """
    may = np.isfinite(fit)
    if not may.any():
        return []
    row, column = linear_sum_assignment(np.where(may, fit, -NEVER), maximize=True)
    some = {int(i): int(q) for i, q in zip(row, column, strict=True) if may[i, q]}
    taken = set(some.values())
    clear = {
        i for i, q in some.items()
        if not any(may[i, r] and fit[i, r] > fit[i, q] - DOUBT for r in range(fit.shape[1]) if r not in taken)
    }  # fmt: skip

    def together(i: int, j: int) -> bool:
        """Whether a twin was found too, where it should be."""
        moved = np.log(hertz[some[i]] / first[i]) - np.log(hertz[some[j]] / first[j]) if j in clear else np.inf
        return bool(abs(moved) <= TOGETHER)

    return [(i, q) for i, q in some.items() if i in clear and all(together(i, j) for j in np.flatnonzero(twin[i]).tolist())]


def hann(k: int) -> Floats:
    """Periodic Hann window. [k] [1]"""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(k) / k))


def decomposed(cross: Complexes) -> tuple[Floats, Complexes]:
    """First singular values [f] and vectors [f, p] of cross-spectra [p, p, f], which are Hermitian."""
    vector, value, _ = np.linalg.svd(np.moveaxis(cross, 2, 0), hermitian=True)
    return value[:, 0], vector[:, :, 0]


def peaks(value: Floats, hertz: Floats) -> tuple[Ints, Floats]:
    """Where a spectrum stands out of what is around it, and how many times. value, hertz [f]; [peaks]"""
    wide = round(2 * AROUND / (hertz[1] - hertz[0])) | 1
    plain = value / np.maximum(median_filter(value, wide, mode="nearest"), np.finfo(float).tiny)
    top = (value == maximum_filter1d(value, 2 * SIDE + 1, mode="nearest")) & (plain >= STANDS)
    top[:2], top[-2:] = False, False  # a slope that the band cuts off is no peak
    at = np.flatnonzero(top)
    return at, plain[at]


def mac(a: Complexes, b: Complexes) -> Floats:
    """Modal assurance criterion of shapes a [q, p] with b [p]. [q] [1]"""
    size = (np.abs(a) ** 2).sum(axis=1) * float((np.abs(b) ** 2).sum())
    return np.asarray(np.abs(a @ np.conj(b)) ** 2 / np.maximum(size, np.finfo(float).tiny))


def through(cross: Complexes, shape: Complexes) -> Floats:
    """Spectrum of what a shape takes out of all. cross [p, p, f], shape [p]; [f] [1]"""
    return np.asarray(np.einsum("p,pqf,q->f", np.conj(shape), cross, shape).real)


def placed(h: Floats, hertz: Floats, at: int) -> float:
    """Frequency of the oscillator whose acceleration under white force has the spectrum h about a bin. [Hz]

    With u = f², u²/h is a parabola whose lowest point is f₀²(1 - 2ζ²). NaN where it has none nearby.
    """
    side = max(3, round(SKIRT * hertz[at] / (hertz[1] - hertz[0])))
    some = slice(max(at - side, 0), at + side + 1)
    u = hertz[some] ** 2 - hertz[at] ** 2
    y = hertz[some] ** 4 / np.maximum(h[some], np.finfo(float).tiny)
    a, b, _ = np.polyfit(u, y / y.min(), 2, w=y.min() / y)
    low = float(hertz[at] ** 2 - b / (2 * a)) if a > 0 else np.nan
    return float(np.sqrt(low)) if hertz[some][0] ** 2 <= low <= hertz[some][-1] ** 2 else np.nan
