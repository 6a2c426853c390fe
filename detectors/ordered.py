"""Windows of the last samples that are kept in order, so that a quantile of each costs no sorting at every tick."""

import numpy as np

from lifeline.model import Floats


def slide(a: Floats, old: Floats, new: Floats, left: Floats | None = None) -> None:
    """Let one value of each window go and another come, in place. a [w, m] ascending along w, old, new [m]; none is NaN

    left: [w - 1, m] to be written to, for callers that slide often

    Without `old`, every value from it on stands one place lower; `new` then pushes all that are greater one place up. The sign
    of the distance from `old` picks between neighbours as an infinity of that sign would: a choice by condition is slower by
    half, for no processor can guess it.
    """
    if len(a) == 1:
        a[0] = new
        return
    with np.errstate(invalid="ignore"):
        left = np.subtract(a[:-1], old, out=left)
    left += 0.0  # no zero is below another
    if np.isinf(old).any():
        np.fmin(left, np.inf, out=left)  # nor an infinity
    np.copysign(np.inf, left, out=left)
    np.minimum(left, a[1:], out=left)
    np.maximum(left, a[:-1], out=left)
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

    The distances below the middle and those above it are in order already; of two such lists the k-th smallest is the least
    over all ways of taking k from both, of the greater of the last taken.
    """
    w = len(a)
    half = w // 2
    below, above = list(middle - a[:half][::-1]), list(a[half:] - middle)  # [half, m], [w - half, m], ascending
    high = _nth(below, above, half + 1)
    if w % 2:
        return high
    out: Floats = (_nth(below, above, half) + high) / 2
    return out


def _nth(a: list[Floats], b: list[Floats], k: int) -> Floats:
    """The k-th smallest of two ascending lists: the least, over all ways of taking k, of the greater of the last taken."""
    found: Floats | None = None
    for i in range(max(0, k - len(b)), min(k, len(a)) + 1):
        last = a[i - 1] if i == k else b[k - 1] if i == 0 else np.maximum(a[i - 1], b[k - i - 1])
        found = last if found is None else np.minimum(found, last)
    assert found is not None
    return found
