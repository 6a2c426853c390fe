"""Windows kept in order, beside sorting them anew."""

import numpy as np
import pytest

from detectors import ordered
from lifeline.model import Floats


def values(rng: np.random.Generator, w: int, n: int) -> Floats:
    """Rounded, so that many are alike. [w, n]"""
    return np.round(rng.normal(0.0, 1.0, (w, n)), 1) + 0.0  # one zero only, as for all who slide


@pytest.mark.parametrize("w", [1, 2, 3, 4, 7, 10, 25])
def test_a_window_that_slides_stays_in_order(w: int) -> None:
    rng = np.random.default_rng(w)
    x = values(rng, w + 60, 40)
    a = np.sort(x[:w], axis=0)
    for j in range(w, len(x)):
        ordered.slide(a, x[j - w], x[j])
        np.testing.assert_array_equal(a, np.sort(x[j - w + 1 : j + 1], axis=0))


@pytest.mark.parametrize("w", [1, 2, 3, 4, 7, 10, 25])
def test_median_and_spread_are_those_of_numpy(w: int) -> None:
    x = values(np.random.default_rng(w), w, 500)
    a = np.sort(x, axis=0)
    middle = np.median(x, axis=0)
    np.testing.assert_array_equal(ordered.median(a), middle)
    np.testing.assert_array_equal(ordered.spread(a, middle), np.median(np.abs(x - middle), axis=0))


def test_room_may_be_made_by_a_value_that_is_not_there() -> None:
    a = np.array([[-np.inf], [1.0], [2.0]])
    ordered.slide(a, np.array([-np.inf]), np.array([1.5]))
    assert a[:, 0].tolist() == [1.0, 1.5, 2.0]
