"""Power spectra of accelerometers, in bands of an eighth of an octave: how many there are is known, however fast a device is.

P. D. Welch, IEEE Trans. Audio Electroacoust. 15, 1967, 70-73: Hann windows of a minute that overlap by half. Only windows
without a hole are looked at, and nothing is said of a stretch of which half of them are missing: a gap that was filled would
be a spectrum of the filling.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import periodogram

from lifeline.model import NS, Batch, Bools, Floats, Ints, Quality

WINDOW: Final = 60.0  # [s]
LOWEST: Final = 0.2  # [Hz] where the first band begins; its width is more than one line of a window's spectrum
OCTAVE: Final = 8  # [1] bands in it
BANDS: Final = 64
WHOLE: Final = 0.5  # [1] of a stretch's windows that must be without a hole
ASTRAY: Final = 0.25  # [step] by which a sample may miss its place in time
EDGES: Final[Floats] = LOWEST * 2.0 ** (np.arange(BANDS + 1) / OCTAVE)  # [Hz]
CENTRES: Final[Floats] = np.sqrt(EDGES[1:] * EDGES[:-1])  # [Hz]
NAMES: Final = tuple(f"{f:06.3f}" for f in CENTRES.tolist())  # of the tag; in their order as texts too


class Windows(NamedTuple):
    """The windows of one series in a stretch."""

    x: Floats  # [w, k] [m/s²] NaN: a hole
    step: float  # [s]

    @property
    def whole(self) -> Bools:
        """[w] which have no hole."""
        return np.asarray(np.isfinite(self.x).all(axis=1))

    @property
    def enough(self) -> bool:
        """Whether so many are whole that something can be said of the stretch."""
        return int(self.whole.sum()) >= WHOLE * len(self.x)


def windows(b: Batch, start: int, stretch: int, step: float) -> Windows:
    """Of one series' readings from start [ns] on for a stretch [ns]. step [s]"""
    good = (b.quality == Quality.GOOD) & np.isfinite(b.value)  # what is cut off at the end of the range has another spectrum
    x = placed(b.t[good] - start, b.value[good], round(stretch / NS / step), step)
    size = round(WINDOW / step)
    return Windows(sliding_window_view(x, size)[:: size // 2], step)


def placed(t: Ints, x: Floats, n: int, step: float) -> Floats:
    """Samples in the places of their own rhythm [n]; NaN where there is none, or more than one. t [ns] since the first place"""
    out, count = np.full(n, np.nan), np.zeros(n, np.int64)
    if not t.size:
        return out
    place = t / (step * NS)
    turn = np.angle(np.exp(2j * np.pi * place).mean()) / (2 * np.pi)  # where between two places the device samples
    place = place - ((turn + ASTRAY) % 1 - ASTRAY)
    at = np.round(place).astype(np.int64)
    fit = (np.abs(place - at) <= ASTRAY) & (at >= 0) & (at < n)
    out[at[fit]] = x[fit]
    np.add.at(count, at[fit], 1)
    out[count > 1] = np.nan
    return out


def spectrum(w: Windows) -> Floats:
    """Mean power spectral density in each band. [BANDS] [(m/s²)²/Hz]; NaN: too fast for the series, or unknown"""
    if not w.enough:
        return np.full(BANDS, np.nan)
    hertz, power = periodogram(w.x[w.whole], 1 / w.step, "hann", detrend="constant", axis=1)
    return banded(hertz, power.mean(axis=0), 0.5 / w.step)


def banded(hertz: Floats, power: Floats, nyquist: float) -> Floats:
    """Means over bands; NaN for those that reach beyond what can be seen. hertz, power [f]; nyquist [Hz]"""
    band = np.searchsorted(EDGES, hertz, "right") - 1
    inside = (band >= 0) & (band < BANDS)
    total = np.bincount(band[inside], power[inside], BANDS)
    lines = np.bincount(band[inside], minlength=BANDS)
    some = (lines > 0) & (EDGES[1:] <= nyquist)
    return np.asarray(np.divide(total, lines, out=np.full(BANDS, np.nan), where=some))
