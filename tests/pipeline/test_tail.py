"""The tail of a distribution, fitted by moments, against the plain formula and against distributions whose tails are known."""

import numpy as np
import pytest
from scipy.stats import genpareto

from lifeline.model import Floats
from pipeline.tail import LEAST, LIGHT, SHARE, fitted


def plain(values: list[float]) -> tuple[float, float]:
    """Scale and shape as Hosking and Wallis write them: k = a0 / (a0 - 2 a1) - 2, scale = 2 a0 a1 / (a0 - 2 a1)."""
    x = sorted(values)
    m = max(LEAST, round(SHARE * len(x)))
    threshold = x[-m - 1]
    y = [v - threshold for v in x[-m:]]
    a0 = sum(y) / m
    a1 = sum(y[i] * (m - 1 - i) / (m - 1) for i in range(m)) / m
    return 2 * a0 * a1 / (a0 - 2 * a1), 2 - a0 / (a0 - 2 * a1)


@pytest.mark.parametrize("shape", [0.05, 0.2, 0.4])
def test_it_is_the_formula_of_the_paper(shape: float) -> None:
    values = genpareto.rvs(shape, size=4000, random_state=3)
    found = fitted(values)
    assert found is not None
    scale, own = plain(values.tolist())
    assert found.shape == pytest.approx(own, rel=1e-9)
    assert found.scale == pytest.approx(scale, rel=1e-9)


def drawn(kind: str, n: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(
        {"normal": rng.normal(size=n), "exponential": rng.exponential(size=n), "student": rng.standard_t(4, n)}[kind]
    )


@pytest.mark.parametrize("kind", ["normal", "exponential", "student"])
@pytest.mark.parametrize("p", [1e-3, 1e-4])
def test_a_bound_beyond_what_was_seen_is_passed_about_as_often_as_it_says(kind: str, p: float) -> None:
    found = fitted(drawn(kind, 4000, 5))
    assert found is not None
    passed = float((drawn(kind, 4_000_000, 6) > found.bound(p)).mean())
    assert p / 3 < passed < 3 * p


def test_bound_and_probability_undo_each_other() -> None:
    found = fitted(drawn("exponential", 2000, 1))
    assert found is not None
    for p in (1e-2, 1e-4, 1e-7):
        assert found.beyond(found.bound(p)) == pytest.approx(p)


def test_few_values_and_equal_values_have_no_tail() -> None:
    assert fitted(drawn("normal", 2 * LEAST - 1, 1)) is None
    assert fitted(np.ones(1000)) is None


def test_a_tail_that_seems_to_end_is_taken_as_no_lighter_than_that_of_normal_values() -> None:
    found = fitted(np.random.default_rng(1).uniform(size=3000))
    assert found is not None
    assert found.shape == LIGHT
    assert found.bound(1e-6) > 1.0
