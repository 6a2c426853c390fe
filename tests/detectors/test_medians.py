"""Medians of rows in which values are missing, against numpy's."""

import numpy as np
import pytest

from detectors.medians import mads, medians


@pytest.mark.parametrize("k", [1, 2, 7, 8])
def test_they_are_those_of_what_is_there(k: int) -> None:
    rng = np.random.default_rng(k)
    x = rng.normal(size=(200, k))
    x[rng.random(x.shape) < 0.4] = np.nan
    some = np.isfinite(x).any(axis=1)
    assert np.isnan(medians(x)[~some]).all()
    np.testing.assert_array_equal(medians(x)[some], np.nanmedian(x[some], axis=1))
    away = np.abs(x[some] - np.nanmedian(x[some], axis=1)[:, None])
    np.testing.assert_array_equal(mads(x)[some], np.nanmedian(away, axis=1))
