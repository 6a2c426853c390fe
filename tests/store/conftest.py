"""A small city of all four domains, and readings in it."""

from collections.abc import Callable

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Domain

N = 24  # series
START = 1_790_000_000 * NS


def catalog(order: list[int] | None = None, n: int = N) -> Catalog:
    """order: of the rows, for the same series in another catalog."""
    i = np.arange(n) if order is None else np.array(order)
    key = np.array([f"D{k:06d}/甲" for k in i], object)
    domain = np.array([list(Domain)[k % 4].value for k in i], object)
    text, zero, no = np.full(i.size, "x", object), np.zeros(i.size), np.full(i.size, np.nan)
    quantity, unit = np.full(i.size, "methane", object), np.full(i.size, "ppm", object)
    one = np.ones(i.size)
    return Catalog(key, text, key, domain, text, quantity, unit, text, one, zero, one, zero, zero, no, no, one, zero, no)


def readings(seed: int, n: int = 300, span: int = 3 * 3600, series: int = N) -> Batch:
    """No two of one series and instant; in no order, with NaN and every quality among them. span [s]"""
    rng = np.random.default_rng(seed)
    t = START + rng.permutation(span * 10)[:n] * (NS // 10) + seed
    value = rng.normal(size=n)
    value[rng.random(n) < 0.05] = np.nan
    return Batch(rng.integers(0, series, n).astype(np.int32), t, value, rng.integers(0, 10, n).astype(np.uint8))


@pytest.fixture(scope="session")
def city() -> Callable[..., Catalog]:
    return catalog


@pytest.fixture(scope="session")
def measured() -> Callable[..., Batch]:
    return readings
