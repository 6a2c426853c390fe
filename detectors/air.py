"""What the sensors of one site share of the air around them, and the noise of each."""

from typing import Final

import numpy as np

from lifeline.model import Bools, Floats

FEW: Final = 3  # [1] sensors: of fewer nobody can say what they share
SHARE: Final = 0.25  # [1] of the sensors that stand lower: those upwind of a plume are more than so many
GAIN: Final = 0.02  # [1] of one reading in what is known of the noise
QUARTILE: Final = 0.25  # [1] of the steps that are smaller: those of a plume are among the others
OF_STEPS: Final = 0.4506  # [σ] lower quartile of the step between two readings of white noise
ALIKE: Final = 1e-9  # [1] of the reading: what differs by less is rounding


def shared(excess: Floats, most: float) -> Floats:
    """What all sensors of a site rise by at once: the lower quartile of their excesses, 0 to `most`. [m, k] [SI] -> [k]"""
    if not len(excess):
        return np.zeros(excess.shape[1])
    there = np.isfinite(excess).sum(axis=0)
    at = np.maximum(np.ceil(SHARE * there).astype(np.int64) - 1, 0)
    low = np.take_along_axis(np.sort(excess, axis=0), at[None], axis=0)[0]  # missing ones last
    return np.where(there >= FEW, np.clip(np.nan_to_num(low), 0.0, most), 0.0)


def noisier(noise: Floats, step: Floats) -> Floats:
    """The noise of each sensor after one more step between two of its readings; either NaN: not known. [m] [SI]

    The lower quartile of the steps is followed by stochastic approximation (H. Robbins, S. Monro, Ann. Math. Stat. 22, 1951,
    400-407) on a logarithmic scale, since it may be of any size.
    """
    size = np.abs(step) / OF_STEPS
    known = np.isfinite(noise) & np.isfinite(size)
    moved = noise * np.exp(GAIN * (QUARTILE - (size < noise)))
    return np.where(known, moved, noise)


def first_noise(step: Floats) -> Floats:
    """The same of some steps [m, k], NaN where there are fewer than two. [m] [SI]"""
    size = np.sort(np.abs(step), axis=1)  # missing ones last
    there = np.isfinite(size).sum(axis=1)
    at = np.maximum(np.ceil(QUARTILE * there).astype(np.int64) - 1, 0)
    low = np.take_along_axis(size, at[:, None], axis=1)[:, 0] / OF_STEPS
    return np.where(there > 1, low, np.nan)


def finer(grain: Floats, step: Floats, reading: Floats) -> Floats:
    """The least step that each sensor was seen to make; inf: none yet. [m] [SI]"""
    moved: Bools = np.abs(step) > ALIKE * np.abs(reading)
    return np.where(moved, np.fmin(grain, np.abs(step)), grain)
