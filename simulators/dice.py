"""Random numbers that depend on nothing but what they are for."""

from typing import Final

import numpy as np

from lifeline.model import Floats, Ints

FIXED: Final = 2**40  # slot of draws that belong to no second: the properties of assets


def dice(seed: int, stream: int, slot: int = FIXED) -> np.random.Generator:
    """The generator of one stream in one slot: always the same numbers, whoever asks and in whatever order.

    J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC'11.
    """
    key, counter = np.array([seed, stream], np.uint64), np.array([0, 0, 0, slot], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def chances(seed: int, stream: int, number: Ints) -> Floats:
    """A number in [0, 1) for each whole number: always the same for it, whatever it stands among. [k] [1]

    SplitMix64: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    begun = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = begun + number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((z ^ (z >> np.uint64(31))) >> np.uint64(11), float) * 2.0**-53
