"""Waveforms as features of seconds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeline.model import JUDGED, NS, Batch, Quality
from store.features import Sums, carried, merged, summed

T = 1_790_000_000 * NS
STEP = NS // 50


def wave(seed: int, series: int = 3, seconds: float = 4.3) -> Batch:
    """Fifty samples a second of each series, from the middle of a second on; some not fit to be judged."""
    rng = np.random.default_rng(seed)
    k = int(seconds * 50)
    t = T + 3 * NS // 10 + STEP * np.arange(k)
    quality = np.where(rng.random(series * k) < 0.1, Quality.BAD_SPIKE, Quality.GOOD).astype(np.uint8)
    value = rng.normal(size=series * k)
    value[rng.random(series * k) < 0.05] = np.nan
    return Batch(np.repeat(np.arange(series, dtype=np.int32), k), np.tile(t, series), value, quality)


def plain(b: Batch) -> dict[tuple[int, int], list[float]]:
    """Samples of each series and second, by a loop."""
    found: dict[tuple[int, int], list[float]] = {}
    for row, t, x, q in zip(b.row.tolist(), b.t.tolist(), b.value.tolist(), b.quality.tolist(), strict=True):
        if q in JUDGED and np.isfinite(x):
            found.setdefault((row, t // NS * NS), []).append(x)
    return found


def check(s: Sums, wanted: dict[tuple[int, int], list[float]]) -> None:
    assert list(zip(s.row.tolist(), s.t.tolist(), strict=True)) == sorted(wanted)
    f = s.features
    for i, at in enumerate(sorted(wanted)):
        x = np.array(wanted[at])
        rms = np.sqrt((x**2).mean())
        told = [f[name][i] for name in ("min", "max", "mean", "rms", "crest")]
        np.testing.assert_allclose(told, [x.min(), x.max(), x.mean(), rms, np.abs(x).max() / rms], rtol=1e-12)


def test_features_are_those_of_a_plain_loop() -> None:
    b = wave(1)
    check(summed(b), plain(b))


@settings(deadline=None)
@given(st.lists(st.integers(1, 214), max_size=4), st.integers(0, 99))
def test_a_second_cut_by_checkpoints_is_written_whole_in_the_end(cuts: list[int], seed: int) -> None:
    b = wave(seed)
    edges = [0, *sorted(set(cuts)), 215]
    nth = np.tile(np.arange(215), 3)
    held, written = Sums.empty(), Sums.empty()
    for a, z in itertools.pairwise(edges):
        whole, held = carried(held, summed(b.take((nth >= a) & (nth < z))), np.full(3, 51))
        written = newest(written, whole)
    check(written, plain(b))


def newest(old: Sums, new: Sums) -> Sums:
    """As a database keeps them: what is written last of a series and time stands."""
    kept = {(r, t): i for i, (r, t) in enumerate(zip(new.row.tolist(), new.t.tolist(), strict=True))}
    stays = np.array([(r, t) not in kept for r, t in zip(old.row.tolist(), old.t.tolist(), strict=True)], bool)
    return merged(old.take(stays), new)


def test_what_is_read_twice_counts_once() -> None:
    b = wave(5)
    first, held = carried(Sums.empty(), summed(b), np.full(3, 51))
    again, _ = carried(held, summed(b), np.full(3, 51))
    full = first.n > 25
    np.testing.assert_allclose(again.take(full).total, first.take(full).total)
    np.testing.assert_array_equal(again.take(full).n, first.take(full).n)


def test_silence_has_no_features_and_stillness_no_crest() -> None:
    assert summed(Batch.empty()).row.size == 0
    still = Batch(np.zeros(50, np.int32), T + STEP * np.arange(50), np.zeros(50), np.zeros(50, np.uint8))
    assert summed(still).features["crest"].tolist() == [0.0]
    assert summed(still).features["rms"].tolist() == pytest.approx([0.0])
