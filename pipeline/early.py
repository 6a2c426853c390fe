"""How early a leak was found: LeakDB's score."""

from collections.abc import Sequence
from math import exp
from typing import Final

from lifeline.model import NS
from pipeline.said import Said, covered, standing
from simulators.scenario import Expect

LEAKS: Final = ("water_leak", "water_burst")  # hazards that have it
ALPHA: Final = 6.0  # [1]
PERSIST: Final = 0.75  # [1] of what is left of the window that an alarm must last


def early_score(e: Expect, known: int, mine: Sequence[Said], end: int) -> float | None:
    """2 / (1 + exp(α x / τ)) of the delay x in a window τ, if the alarm then stands for three quarters of what is left of it.

    S. G. Vrachimis, M. S. Kyriakou et al., LeakDB, WDSA / CCWI 2018: α = 6. Here τ is the time allowed, from when the leak
    could be known. known, end [ns]
    """
    if e.within is None or not set(LEAKS) & set(e.hazard):
        return None
    close = min(known + round(e.within * NS), end)
    spans = [(max(a, known), min(b, close)) for w in mine for a, b in standing(w, end) if a < close and b > known]
    first = min((a for a, _ in spans), default=close)
    if first >= close or covered(spans) < PERSIST * (close - first):
        return 0.0
    return 2.0 / (1.0 + exp(ALPHA * (first - known) / NS / e.within))
