"""The tail of what quiet time gives: peaks over a threshold, with a generalised Pareto distribution beyond what was seen.

J. Pickands III, Annals of Statistics 3, 1975, 119-131; its parameters by probability-weighted moments (J. R. M. Hosking and
J. R. Wallis, Technometrics 29, 1987, 339-349, eq. 5), which need no search and bear fifty excesses.
"""

from typing import Final, NamedTuple

import numpy as np

from lifeline.model import Floats

SHARE: Final = 0.1  # [1] of the values that lie above the threshold
LEAST: Final = 50  # [1] excesses that a fit needs
HEAVY: Final = 0.45  # [1] greatest shape believed: beyond 0.5 the moments are no longer any good
LIGHT: Final = -0.15  # [1] least, about that of normal values: a tail that ends soon would promise what no history has shown


class Tail(NamedTuple):
    """Of n values, those above the threshold."""

    n: int  # values
    excesses: int  # of them above the threshold
    threshold: float
    scale: float
    shape: float  # [1]

    def beyond(self, u: float) -> float:
        """Probability that a value is above u; u at or above the threshold. [1]"""
        z = max(u - self.threshold, 0.0) / self.scale
        left = max(1 + self.shape * z, 0.0)
        return self.excesses / self.n * float(np.exp(-z) if self.shape == 0 else left ** (-1 / self.shape))

    def bound(self, p: float) -> float:
        """The u that a value passes with probability p; p at most that of the threshold."""
        q = self.excesses / self.n / p
        grown = np.log(q) if self.shape == 0 else (q**self.shape - 1) / self.shape
        return float(self.threshold + self.scale * grown)


def fitted(values: Floats) -> Tail | None:
    """The tail of values [n]; None where they are too few, or do not vary."""
    x = np.sort(values[np.isfinite(values)])
    m = max(LEAST, round(SHARE * x.size))
    if x.size < 2 * LEAST:
        return None
    threshold = float(x[-m - 1])
    y = x[-m:] - threshold  # rising
    a0 = float(y.mean())
    a1 = float((y * np.arange(m - 1, -1, -1)).sum() / (m * (m - 1)))  # mean of Y (1 - F(Y))
    if a0 <= 0 or a0 <= 2 * a1:
        return None
    shape = float(np.clip(2 - a0 / (a0 - 2 * a1), LIGHT, HEAVY))
    return Tail(x.size, m, threshold, a0 * (1 - shape), shape)
