"""Limits: above, below, and what is missing."""

import numpy as np
import pytest

from detectors.limit import Limit


@pytest.mark.parametrize(
    ("limit", "x", "score"),
    [
        (Limit(scale=0.005), 0.0025, 0.5),
        (Limit(scale=0.005), 0.005, 1.0),
        (Limit(scale=0.005), -3.0, 0.0),
        (Limit(origin=30.0, scale=-10.0), 14.0, 1.6),  # a lower limit: 30 m is nothing, 20 m is one
        (Limit(origin=30.0, scale=-10.0), 31.0, 0.0),
        (Limit(), np.inf, np.inf),
        (Limit(), np.nan, np.nan),
    ],
)
def test_the_score_is_the_way_from_origin_to_bound(limit: Limit, x: float, score: float) -> None:
    np.testing.assert_allclose(limit.step(limit.init(1), np.array([[x]]))[1], [[score]], rtol=1e-12)
