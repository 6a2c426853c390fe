"""Random numbers that depend on nothing but what they are for."""

from typing import Final

import numpy as np

FIXED: Final = 2**40  # slot of draws that belong to no second: the properties of assets


def dice(seed: int, stream: int, slot: int = FIXED) -> np.random.Generator:
    """The generator of one stream in one slot: always the same numbers, whoever asks and in whatever order.

    J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC'11.
    """
    key, counter = np.array([seed, stream], np.uint64), np.array([0, 0, 0, slot], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
