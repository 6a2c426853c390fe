"""Windows of the last samples that are kept in order, so that a quantile of each costs no sorting at every tick."""

import numpy as np

from lifeline.model import Floats


def slide(a: Floats, old: Floats, new: Floats, left: Floats | None = None) -> None:
    """Let one value of each window go and another come, in place. a [w, m] ascending along w, old, new [m]; none is NaN

    left: [w - 1, m] to be written to, for callers that slide often. `old` is one of its window, to the bit: windows whose
    values may be -0.0 are given 0.0 instead by their callers.

    Without `old`, of two neighbours the one stays that is not `old` or on its side: the bits of both, less those of `old` held
    between them. `new` then pushes all that are greater one place up. A choice by condition is slower, for no processor can
    guess it.
    """
    if len(a) == 1:
        a[0] = new
        return
    left = np.maximum(a[:-1], old, out=left)
    np.minimum(left, a[1:], out=left)
    bits, all_ = left.view(np.int64), a.view(np.int64)
    np.bitwise_xor(bits, all_[:-1], out=bits)
    np.bitwise_xor(bits, all_[1:], out=bits)
    np.minimum(left[0], new, out=a[0])
    np.maximum(left[-1], new, out=a[-1])
    np.minimum(left[1:], new, out=a[1:-1])
    np.maximum(left[:-1], a[1:-1], out=a[1:-1])


def median(a: Floats) -> Floats:
    """Of each window. a [w, m] ascending along w -> [m]"""
    out: Floats = (a[(len(a) - 1) // 2] + a[len(a) // 2]) / 2
    return out


def spread(a: Floats, middle: Floats) -> Floats:
    """Median of the distances from the middle of each window: a [w, m] ascending along w, middle [m] its median -> [m]

    The distances below the middle and those above it are in order already. That which half of the window is within is the least
    over all stretches of half the window of the farther of their two ends.
    """
    half = len(a) // 2
    if not half:
        return np.zeros(middle.shape)
    below, above = middle - a[:half], a[half:] - middle  # [half, m] descending, [w - half, m] ascending
    high: Floats = np.minimum.reduce(np.maximum(below, above[:half]), axis=0)
    if len(a) % 2:
        np.minimum(high, above[half], out=high)
        return high
    low: Floats = np.minimum(below[0], above[-1])
    for here, there in zip(below[1:], above[:-1], strict=True):
        np.minimum(low, np.maximum(here, there), out=low)
    low += high
    low /= 2
    return low
