"""Tables [[sensor]]: amounts in the units of the series, effects on readings, and refusals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Domain, Floats, Ints, Quality
from simulators import sensors
from simulators.columns import columns, series
from simulators.faults import Crossed, spoil
from simulators.placing import placed
from simulators.plan import Site
from simulators.world import Part, batch

START = 1_795_420_800 * NS
N = 100
T = START + NS * np.arange(N)
LIKE: Floats = 0.01 * (1 + 0.1 * np.sin(np.arange(N)))  # [1] methane
WARM: Floats = 293.15 + np.arange(N) / 10  # [K]


def plant() -> Catalog:
    site = Site("a-001", "A", 0.0, 0.0)
    kinds = (
        ("well-a", "laser-a", "ch4", "methane", "%VOL", 20.0),
        ("well-a", "laser-a", "temp", "temperature", "°C", 60.0),
        ("well-b", "laser-b", "ch4", "methane", "%VOL", 20.0),
    )
    return columns([series(Domain.GAS, a, d, c, q, u, (0.0, top), 1.0, site) for a, d, c, q, u, top in kinds])


CATALOG = plant()


def seen(*said: Any) -> Batch:
    """A hundred seconds of all three series as the faulty sensors tell them, in ten parts."""
    parts: Sequence[Part] = [
        batch(np.tile([0, 1, 2], 10), np.repeat(T[i : i + 10], 3), np.stack([LIKE, WARM, 2 * LIKE])[:, i : i + 10].T.ravel())
        for i in range(0, N, 10)
    ]
    for fault in [f for s in said for f in placed(s, CATALOG, START)]:
        _, parts = spoil(fault, None, parts)
    return Batch.joined([p for p in parts if isinstance(p, Batch)])


def of(b: Batch, row: int) -> Floats:
    return np.asarray(b.value[b.row == row])


SINCE = np.arange(N) - 50.0  # [s] after the onset of the faults below
AFTER = SINCE >= 0
JUMP = AFTER * (SINCE % 20 < 5) * (1 - 2 * (SINCE // 20 % 2))  # up, down, up, …
CASES: dict[str, tuple[Any, Floats]] = {
    "drift": (sensors.Drift("laser-a/ch4", "0.5 %VOL/h", at=50), np.where(AFTER, LIKE + 0.005 * SINCE / 3600, LIKE)),
    "stuck": (sensors.Stuck("laser-a/ch4", "0.48 %VOL", at=50), np.where(AFTER, 0.0048, LIKE)),
    "spike": (sensors.Spike("laser-a/ch4", "6 %VOL", at=50, every=20), LIKE + 0.06 * (AFTER & (SINCE % 20 == 0))),
    "jumps": (sensors.Jumps("laser-a/ch4", "1 %VOL", 20, 5, at=50), LIKE + 0.01 * JUMP),
    "step": (sensors.Step("laser-a/ch4", 1.5, "-20 %LEL", at=50), np.where(AFTER, 1.5 * LIKE - 0.01, LIKE)),
    "flip": (sensors.Flip("laser-a/ch4", at=50), np.where(AFTER, -LIKE, LIKE)),
    "saturation": (sensors.Saturation("laser-a/ch4", at=50), np.where(AFTER, 0.2, LIKE)),
    "clip": (sensors.Clip("laser-a/ch4", "0.95 %VOL", "1.05 %VOL"), np.clip(LIKE, 0.0095, 0.0105)),
    "decay": (sensors.Decay("laser-a/ch4", "0 %VOL", 20, at=50), np.where(AFTER, LIKE * (1 - np.minimum(SINCE / 20, 1)), LIKE)),
    "cross": (sensors.Cross("laser-a/ch4", "laser-a/temp", 0.1, at=50), LIKE + np.where(AFTER, 0.001 * (WARM - WARM[50]), 0)),
    "swap": (sensors.Swap("laser-a/ch4", "laser-b/ch4", at=50), np.where(AFTER, 2 * LIKE, LIKE)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_faulty_sensor_tells_what_its_table_says_and_no_other_series_changes(name: str) -> None:
    said, expected = CASES[name]
    told = seen(said)
    np.testing.assert_allclose(of(told, 0), expected, rtol=1e-12)
    np.testing.assert_array_equal(of(told, 1), WARM)
    if name != "swap":
        np.testing.assert_array_equal(of(told, 2), 2 * LIKE)
    true = placed(said, CATALOG, START)[0].truth()
    assert {t.sensor_fault for t in true} == {name}
    assert {t.onset for t in true} == {START + round(said.at) * NS}
    assert {t.hazard for t in true} == {None}


def test_a_calibration_is_said_by_the_device_itself() -> None:
    told = seen(sensors.Flag("laser-a/*", "CAL", at=50, lasts=10), sensors.Flag("laser-b/ch4", "MAINT", "2.5 %VOL", at=90))
    quality = told.quality.reshape(N, 3)
    assert (quality[50:60, :2] == Quality.CAL).all()
    assert (quality[:, 0] == Quality.CAL).sum() == 10
    assert (quality[90:, 2] == Quality.MAINT).all()
    np.testing.assert_allclose(of(told, 2)[90:], 0.025)


@pytest.mark.parametrize("size", ["5 °C", "5°C", "5 K", "0.5e1 Cel"])
def test_a_difference_of_temperature_has_no_zero_point(size: str) -> None:
    told = seen(sensors.Spike("laser-a/temp", size, at=50))
    np.testing.assert_allclose(of(told, 1) - WARM, 5.0 * AFTER)


def test_a_spike_of_two_seconds_touches_two_readings_of_a_second_each() -> None:
    told = seen(sensors.Spike("laser-a/ch4", "6 %VOL", at=50, lasts=45, every=20, width=2))
    np.testing.assert_array_equal(np.flatnonzero(of(told, 0) > 0.05), [50, 51, 70, 71, 90, 91])


def test_noise_is_as_loud_as_it_says_and_not_the_same_in_two_series() -> None:
    told = seen(sensors.Noise("laser-*/ch4", "1 %VOL"))
    extra = of(told, 0) - LIKE, of(told, 2) - 2 * LIKE
    assert np.std(extra) == pytest.approx(0.01, rel=0.2)
    assert abs(np.corrcoef(*extra)[0, 1]) < 0.4


def test_a_zero_that_wanders_is_as_far_off_as_said_and_smooth_between() -> None:
    t = START + NS * 60 * np.arange(60 * 24 * 10)
    off = []
    for seed in range(200):
        (fault,) = placed(sensors.Wander("laser-a/ch4", "1 %VOL", over=10 * 86_400.0), CATALOG, START, seed)
        (told,) = spoil(fault, None, [batch(np.zeros(t.size), t, np.zeros(t.size))])[1]
        x = told.value
        assert x[0] == 0
        assert np.abs(np.diff(x)).max() < 0.01 * 6 / np.sqrt(240) / 60
        off.append([x[x.size // 4], x[-1]])
    assert np.std(off, axis=0) == pytest.approx([0.005, 0.01], rel=0.2)  # grows as the root of time


def test_readings_are_lost_one_by_one_or_for_a_while_or_more_and_more() -> None:
    t = START + NS * np.arange(20_000)

    def kept(said: Any) -> Ints:
        (fault,) = placed(said, CATALOG, START, 1)
        cut = [batch(np.zeros(5000), x, np.zeros(5000)) for x in np.split(t, 4)]
        return np.isin(t, Batch.joined([p for p in spoil(fault, None, cut)[1] if isinstance(p, Batch)]).t).astype(int)

    single = kept(sensors.Dropout("laser-a/ch4", share=0.3))
    assert single.mean() == pytest.approx(0.7, abs=0.015)
    assert np.corrcoef(single[1:], single[:-1])[0, 1] == pytest.approx(0, abs=0.03)
    bursts = kept(sensors.Dropout("laser-a/ch4", share=0.3, burst=100))
    assert bursts.mean() == pytest.approx(0.7, abs=0.1)
    assert set(np.flatnonzero(np.diff(bursts)) % 100) == {99}
    dying = kept(sensors.Dropout("laser-a/ch4", fade=20_000))
    assert dying[:5000].mean() == pytest.approx(7 / 8, abs=0.02)
    assert dying[15_000:].mean() == pytest.approx(1 / 8, abs=0.02)
    assert kept(sensors.Dropout("laser-a/ch4")).sum() == 0


def test_spikes_can_come_by_chance() -> None:
    t = START + NS * np.arange(10_000)
    (fault,) = placed(sensors.Spike("laser-a/ch4", "6 %VOL", share=0.02), CATALOG, START, 1)
    (told,) = spoil(fault, None, [batch(np.zeros(t.size), t, np.zeros(t.size))])[1]
    assert set(np.unique(told.value)) == {0.0, 0.06}
    assert (told.value > 0).mean() == pytest.approx(0.02, abs=0.005)


def test_noise_can_be_so_many_times_what_it_was_while_what_is_slow_stays() -> None:
    t, slow = START + NS * np.arange(20_000), 0.01 * np.sin(np.arange(20_000) / 3000)
    own = 1e-4 * np.random.default_rng(1).standard_normal(t.size)
    (fault,) = placed(sensors.Noise("laser-a/ch4", factor=5), CATALOG, START)
    cut = [batch(np.zeros(x.size), x, v) for x, v in zip(np.split(t, 4), np.split(slow + own, 4), strict=True)]
    told = Batch.joined([p for p in spoil(fault, None, cut)[1] if isinstance(p, Batch)])
    (whole,) = spoil(fault, None, [batch(np.zeros(t.size), t, slow + own)])[1]
    np.testing.assert_allclose(told.value, whole.value, rtol=1e-12)
    assert np.std(told.value - slow) / np.std(own) == pytest.approx(5.1, rel=0.03)  # the level itself is a little uncertain
    assert np.abs(np.convolve(told.value - slow, np.ones(500) / 500, "valid")).max() < 3e-4


def test_a_wet_sensor_is_erratic_then_flat_and_then_says_so() -> None:
    said = sensors.Condensation("laser-a/ch4", "0.5 %VOL", settles=20, fails=35, at=50)
    told = seen(said)
    x, quality = of(told, 0), told.quality[told.row == 0]
    np.testing.assert_array_equal(x[:50], LIKE[:50])
    assert np.std(x[50:70] - LIKE[50:70]) == pytest.approx(0.005, rel=0.4)
    assert (x[70:] == LIKE[50]).all()
    assert (quality == Quality.SUSPECT).tolist() == [False] * 85 + [True] * 15
    assert placed(said, CATALOG, START)[0].truth()[0].sensor_fault == "condensation"


def test_each_seed_draws_its_own_faults() -> None:
    for said in (sensors.Noise("laser-a/ch4", "1 %VOL"), sensors.Dropout("laser-a/ch4", share=0.5)):
        told = []
        for seed in (1, 1, 2):
            (fault,) = placed(said, CATALOG, START, seed)
            (part,) = spoil(fault, None, [batch(np.zeros(N), T, LIKE)])[1]
            told.append((part.t.tobytes(), part.value.tobytes()))
        assert told[0] == told[1] != told[2]


def test_a_waveform_can_answer_to_a_slow_quantity() -> None:
    fault = Crossed(0, 1, "bridge", START, START + 1000 * NS, 2.0)
    wave = Block(np.array([0], np.int32), np.array([START + 20 * NS]), NS // 10, np.ones((1, 10)), np.zeros((1, 10), np.uint8))
    parts: list[Part] = [batch([1], START + NS, [5.0]), batch([1], START + 10 * NS, [6.5]), wave]
    *_, told = spoil(fault, None, parts)[1]
    np.testing.assert_allclose(told.value, 1 + 2.0 * 1.5)


REFUSED = {
    "series: no series fits 'lazer-\\*'": sensors.Stuck("lazer-*"),
    "laser-a/ch4: must be a number and its unit": sensors.Spike("laser-a/ch4", "3 kPa"),
    "laser-a/temp: must be": sensors.Drift("laser-a/temp", "3 %VOL/month"),
    "a key, not a pattern": sensors.Swap("laser-*/ch4", "laser-b/ch4"),
}


@pytest.mark.parametrize("said", REFUSED)
def test_a_table_that_does_not_fit_the_catalog_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=said):
        placed(REFUSED[said], CATALOG, START)
