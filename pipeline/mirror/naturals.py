"""Natural frequencies of a bridge, stretch by stretch, as detectors/modes.py finds them hour by hour.

Modes are numbered once, by the first hour that tells enough (`begun`), and found again by their shapes (`followed`): which mode
a peak is does not depend on what was found in the stretch before, so that a stretch may be looked at again at any time.
Damping is not told: a window of a minute widens a peak by more than a bridge's damping does.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from detectors.modes import MOST, Modes
from detectors.spectra import Complexes, decomposed, hann, mac, paired, peaks, placed, through, twins
from lifeline.model import Floats, Ints
from pipeline.mirror.book import Reference
from pipeline.mirror.spectra import WINDOW, Windows

MODES: Final = 6  # [1] that are followed, the plainest
LEARN: Final = 60  # [1] windows that number the modes: half an hour of an hour
FEW: Final = 10  # [1] windows in which they are found again
HALF: Final = 0.5  # [1] of a shape's square by which it is known
FAINT: Final = 0.1  # [1] of the highest peak that may be the mode
BAND: Final = (0.2, 10.0)  # [Hz] short spans and piers stand above what the detector looks at
SLOWEST: Final = 0.5 / BAND[1]  # [s] step of a series in which the whole band can be seen
LIKE: Final = Modes()  # whose reach and likeness are taken
BINS: Final = slice(*(round(f * WINDOW) + i for i, f in enumerate(BAND)))  # of a window's spectrum, those in the band
HERTZ: Final[Floats] = np.arange(BINS.start, BINS.stop) / WINDOW


class Cross(NamedTuple):
    """Cross-spectra of sensors, summed over windows, each over its own power: no lorry outweighs the rest."""

    total: Complexes  # [p, p, f] [1]
    windows: Ints  # [p, p] [1]

    def __add__(self, other: Any) -> "Cross":
        return Cross(self.total + other.total, self.windows + other.windows)


def looked(keys: Sequence[object]) -> list[int]:
    """Which of a bridge's series are looked at: all, or so many spread over them."""
    spread = np.linspace(0, len(keys) - 1, min(len(keys), MOST)).round().tolist()
    return sorted({int(i) for i in spread})


def crossed(some: Sequence[Windows]) -> Cross:
    """Of sensors that may differ in how often they sample, window by window. some [p]"""
    whole = np.array([w.whole for w in some])  # [p, w]
    f = np.zeros((*whole.shape, HERTZ.size), np.complex128)
    for i, w in enumerate(some):
        x = w.x[whole[i]]
        f[i, whole[i]] = np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * hann(x.shape[1]), axis=1)[:, BINS] * w.step
    power = (np.abs(f) ** 2).sum(axis=(0, 2)) / np.maximum(whole.sum(axis=0), 1) / HERTZ.size
    live = power > 0
    f = f[:, live] / np.sqrt(power[live])[None, :, None]
    there = whole[:, live].astype(np.int64)
    return Cross(np.einsum("pwf,qwf->pqf", f, np.conj(f)), there @ there.T)


def enough(c: Cross) -> bool:
    """Whether modes can be found again in it."""
    return bool(_used(c, FEW).size)


def begun(keys: Sequence[str], c: Cross) -> Reference | None:
    """The plainest peaks, in the order of their frequencies; None while there is too little, or no peak."""
    use = _used(c, LEARN)
    if not use.size:
        return None
    value, vector = decomposed(_mean(c, use))
    at, plain = peaks(value, HERTZ)
    at = np.sort(at[np.argsort(-plain, kind="stable")[:MODES]])
    if not at.size:
        return None
    shape = np.zeros((at.size, len(keys)), np.complex128)
    shape[:, use] = vector[at]
    return Reference(tuple(keys), HERTZ[at], shape)


def followed(r: Reference, c: Cross) -> Floats:
    """Where the modes are now. [modes] [Hz]; NaN: not found, or in doubt"""
    out, use = np.full(r.first.size, np.nan), _used(c, FEW)
    size = np.abs(r.shape) ** 2
    mine = np.flatnonzero(size[:, use].sum(axis=1) >= HALF * size.sum(axis=1))
    if not use.size or not mine.size:
        return out
    cross = _mean(c, use)
    value, vector = decomposed(cross)
    at, shape = peaks(value, HERTZ)[0], r.shape[np.ix_(mine, use)]
    fit = np.array([_fits(one, first, at, value, vector) for one, first in zip(shape, r.first[mine], strict=True)])
    twin = twins(r.first[mine], shape, LIKE.reach)
    for i, q in paired(fit.reshape(mine.size, at.size), twin, r.first[mine], HERTZ[at]):
        out[mine[i]] = placed(through(cross, shape[i]), HERTZ, int(at[q]))
    return out


def _used(c: Cross, least: int) -> Ints:
    """Sensors of which, each and together, there are windows enough."""
    use = np.flatnonzero(np.diag(c.windows) >= least)
    together = use.size and c.windows[np.ix_(use, use)].min() >= least
    return use if together else use[:0]


def _mean(c: Cross, use: Ints) -> Complexes:
    both = np.ix_(use, use)
    return np.asarray(c.total[both] / c.windows[both][:, :, None])


def _fits(shape: Complexes, first: float, at: Ints, value: Floats, vector: Complexes) -> Floats:
    """How well each peak is the mode: its likeness, less how far it lies from where it was first; -inf: it is not. [peaks]"""
    like, far = mac(vector[at], shape), np.abs(np.log(HERTZ[at] / first))
    may = (np.abs(HERTZ[at] / first - 1) <= LIKE.reach) & (like >= LIKE.alike)
    may &= value[at] >= FAINT * value[at][may].max(initial=0.0)
    return np.where(may, like - far * (1 + far), -np.inf)
