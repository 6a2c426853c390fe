"""Sums that do not depend on how many series there are."""

import numpy as np

from detectors.sums import added


def test_a_sum_is_the_same_to_the_bit_for_one_series_as_for_many() -> None:
    x = np.random.default_rng(1).normal(3.5e5, 2e3, (20, 50))
    whole = added(x)
    for i in range(50):
        by_hand = 0.0
        for v in x[:, i].tolist():
            by_hand += v
        assert whole[i] == by_hand == added(x[:, i : i + 1])[0]
