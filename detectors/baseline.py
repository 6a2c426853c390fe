"""What a series usually does, learned from itself: an AR(1) model whose innovations have mean `level` and spread 1 / `pace`.

Shared by the control charts. Self-starting: the first `warmup` samples teach it with equal weights (running moments; B. P.
Welford, Technometrics 4, 1962, 419-420; lag-one autocorrelation as in Box, Jenkins, Reinsel, Time Series Analysis, 1994,
2.1.5). After that it forgets with a memory of `memory` samples, and learns nothing from samples that a chart calls strange.
The functions here write to the state they are given: a chart works on its own copy.
"""

from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Bools, Floats, Ints

CLOSE: Final = 0.999  # [1] greatest lag-one correlation believed; beyond it a series is a random walk to us
WARY: Final = (
    2.0  # [1] standard errors (Bartlett) added to it: too small a correlation lets false alarms through, see the pages
)
FAR: Final = -0.9  # [1] least


class Baseline(NamedTuple):
    seen: Ints  # [n] [1] finite samples so far, up to the warm-up
    mean: Floats  # [n] [SI] of the warm-up
    power: Floats  # [n] [SI²] variance in the warm-up
    lag: Floats  # [n] [SI²] lag-one covariance in the warm-up
    last: Floats  # [n] [SI] the sample before
    phi: Floats  # [n] [1] lag-one correlation
    level: Floats  # [n] [SI] mean of x - phi * last
    pace: Floats  # [n] [1/SI] one over the spread of x - phi * last


def fresh(n: int) -> Baseline:
    """Baseline of n series that have seen nothing."""
    return Baseline(np.zeros(n, np.int64), *np.zeros((7, n)))


def teach(b: Baseline, x: Floats, new: Bools, *, warmup: int, least: float) -> None:
    """One tick of warm-up for the series `new` [m]: x [m]. The last one fixes the model."""
    g = 1.0 / (b.seen + 1)
    mean = b.mean + g * (x - b.mean)
    power = b.power + g * ((x - b.mean) * (x - mean) - b.power)
    lag = b.lag + g * (np.where(b.seen > 0, (x - mean) * (b.last - mean), 0.0) - b.lag)
    for whole, now in ((b.mean, mean), (b.power, power), (b.lag, lag)):
        np.copyto(whole, now, where=new)
    done = new & (b.seen + 1 >= warmup)
    if done.any():
        done &= fix(b, done, least)
    np.copyto(b.seen, b.seen + 1, where=new & (done | (b.seen + 1 < warmup)))


def fix(b: Baseline, done: Bools, least: float) -> Bools:
    """Set the model of the series `done` from their moments -> those that have one: who never varied goes on learning.

    The correlation is freed of its bias (M. G. Kendall, Biometrika 41, 1954, 403-404) and then taken warily.
    """
    r = np.clip(b.lag / np.where(b.power > 0, b.power, 1.0), -1.0, 1.0)
    n = b.seen + 1
    phi = np.clip(r + (1 + 3 * r) / n + WARY * np.sqrt((1 - r * r) / n), FAR, CLOSE)
    spread = np.maximum(np.sqrt(b.power * (1 - 2 * phi * r + phi * phi)), least)
    ok = done & (spread > 0)
    np.copyto(b.phi, phi, where=ok)
    np.copyto(b.level, (1 - phi) * b.mean, where=ok)
    np.copyto(b.pace, 1 / np.where(spread > 0, spread, 1.0), where=ok)
    return ok


def innovations(b: Baseline, x: Floats) -> Floats:
    """x - phi * last for all ticks of series that are warm and complete, which moves `last` on: x [k, m] -> [k, m] [SI]."""
    u = np.empty(x.shape)
    np.multiply(b.phi, b.last, out=u[0])
    np.multiply(b.phi, x[:-1], out=u[1:])
    b.last[...] = x[-1]
    return np.subtract(x, u, out=u)


def learn(b: Baseline, e: Floats, z2: Floats, calm: Bools | None, gain: float, most: float) -> None:
    """One tick of slow learning: e [m] [SI] innovation less level, z2 [m] its square over the variance, both written to.

    calm: [m] who may learn; None: all. gain: one over the memory. most: one over the least spread. [1/SI]
    The spread follows by stochastic approximation: it rests where z2 is 1 on average.
    """
    where: Bools | bool = True if calm is None else calm
    e *= gain
    np.add(b.level, e, out=b.level, where=where)
    z2 *= -0.5 * gain
    z2 += 1 + 0.5 * gain
    np.multiply(b.pace, z2, out=b.pace, where=where)
    if most < np.inf:
        np.minimum(b.pace, most, out=b.pace, where=where)


def own(b: Baseline, *, still: bool) -> Baseline:
    """A copy to write to; of series that are warm only what still changes is copied."""
    if still:
        return b._replace(last=b.last.copy(), level=b.level.copy(), pace=b.pace.copy())
    return Baseline._make(a.copy() for a in b)


def flows(seen: Ints, warmup: int, x: Floats) -> bool:
    """Are all series warm, and all values finite? x [m, k]"""
    if x.size == 0 or seen.min() < warmup:
        return False
    with np.errstate(all="ignore"):
        return bool(np.isfinite(x.sum()))
