"""Spectra and natural frequencies that the mirror tells of bridges: right ones, or none, whatever fails in between."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from ingest.ledger import Ledger, Mark
from lifeline.config import Influx
from lifeline.kinds import Secret
from lifeline.model import NS, Batch, Floats, Quality
from pipeline.mirror import naturals
from pipeline.mirror.book import Book, Reference
from pipeline.mirror.patient import target
from pipeline.mirror.prepare import prepared
from pipeline.mirror.process import Mirror
from pipeline.mirror.spectra import BANDS, CENTRES, EDGES, NAMES, Windows, spectrum, windows
from store.influx import Answer, Fate
from store.influx_read import Reader
from store.lake import Lake
from tests import town
from tests.influxes import Given, server
from tests.influxes import Influx as Server

RATE = 20  # [Hz]
STRETCH = 600  # [s]
N = STRETCH * RATE
HERTZ = (0.7, 1.3, 2.4)
START = 1_795_420_800 * NS // (3600 * NS) * 3600 * NS
KEYS = tuple(f"acc-{i}/z" for i in range(4))


def shaken(hertz: Sequence[float], seed: int, n: int, sensors: int = 4, rate: int = RATE) -> Floats:
    """A beam under white force, damped by a hundredth, with noise; 0 Hz: that mode stands still. [sensors, n] [m/s²]"""
    rng, out = np.random.default_rng(seed), np.zeros((sensors, n))
    for m, f in ((m, f) for m, f in enumerate(hertz, 1) if f):
        w = 2 * np.pi * f / rate
        r = np.exp(-0.01 * w)
        y = lfilter([1.0], [1.0, -2 * r * np.cos(w * np.sqrt(1 - 1e-4)), r * r], rng.normal(size=n))
        out += 0.02 * np.sin(m * np.pi * np.arange(1, sensors + 1) / (sensors + 1))[:, None] * y / y.std()
    return np.asarray(out + 0.002 * rng.normal(size=out.shape))


def batch(x: Floats, start: int = START, rate: int = RATE, shift: float = 0.3, row: int = 0) -> Batch:
    """One series' samples, so many steps behind the beginning of the stretch."""
    t = start + np.round((np.arange(x.size) + shift) * NS / rate).astype(np.int64)
    return Batch(np.full(x.size, row, np.int32), t, x, np.zeros(x.size, np.uint8))


def cut(b: Batch, rate: int = RATE, start: int = START) -> Windows:
    return windows(b, start, STRETCH * NS, 1 / rate)


def test_bands_are_few_fixed_and_in_order_as_texts_too() -> None:
    assert len(NAMES) == BANDS <= 64
    assert list(NAMES) == sorted(NAMES)
    np.testing.assert_allclose([float(n) for n in NAMES], CENTRES, atol=5e-4)


@pytest.mark.parametrize("rate", [20, 50, 100])
def test_a_tone_is_in_its_band_with_its_power(rate: int) -> None:
    t = np.arange(STRETCH * rate) / rate
    density = spectrum(cut(batch(0.4 * np.sin(2 * np.pi * 3.1 * t), rate=rate), rate))
    band = int(np.searchsorted(EDGES, 3.1)) - 1
    assert int(np.nanargmax(density)) == band
    lines = np.arange(0, rate * 30 + 1) / 60
    inside = int(((lines >= EDGES[band]) & (lines < EDGES[band + 1])).sum())
    assert density[band] * inside / 60 == pytest.approx(0.4**2 / 2, rel=0.01)
    assert np.isfinite(density).sum() == (EDGES[1:] <= rate / 2).sum()


def test_white_noise_is_level_and_has_its_density() -> None:
    density = spectrum(cut(batch(np.random.default_rng(3).normal(0, 0.1, N))))
    seen = density[np.isfinite(density)]
    assert seen.mean() == pytest.approx(0.01 / (RATE / 2), rel=0.1)
    assert 0.4 < seen.min() / seen.mean() <= seen.max() / seen.mean() < 1.9


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5, 0.99])
def test_where_a_device_samples_between_two_places_makes_no_hole(shift: float) -> None:
    rng = np.random.default_rng(4)
    b = batch(rng.normal(size=N + 2), START - 2 * NS // RATE, shift=shift)
    trembling = b.t + rng.integers(-2_000_000, 2_000_000, b.n)  # a twenty-fifth of a step
    mine = (trembling >= START) & (trembling < START + STRETCH * NS)
    w = cut(replace_t(b, trembling).take(mine))
    assert w.whole.sum() >= len(w.x) - 1


def replace_t(b: Batch, t: Any) -> Batch:
    return Batch(b.row, t, b.value, b.quality)


def test_a_window_with_a_hole_says_nothing_and_too_few_of_them_are_no_spectrum() -> None:
    x = np.random.default_rng(5).normal(size=N)
    whole, b = spectrum(cut(batch(x))), batch(x)
    holed = cut(b.take(np.delete(np.arange(N), 100)))
    assert (holed.whole.sum(), len(holed.x)) == (18, 19)
    np.testing.assert_allclose(spectrum(holed), whole, rtol=0.5)
    bad = Batch(b.row, b.t, b.value, np.where(np.arange(N) < 0.6 * N, Quality.SATURATED, Quality.GOOD).astype(np.uint8))
    assert np.isnan(spectrum(cut(bad))).all()
    assert np.isnan(spectrum(cut(b.take(slice(0, N // 2))))).all()
    assert np.isnan(spectrum(cut(b.take(slice(0, 0))))).all()
    twice = Batch.joined([b, batch(x, shift=0.4)])
    assert np.isnan(spectrum(cut(twice))).all()  # two that speak as one are none


def crossed(x: Floats) -> naturals.Cross:
    return naturals.crossed([cut(batch(one)) for one in x])


@pytest.fixture(scope="module")
def reference() -> Reference:
    x = shaken(HERTZ, 1, 6 * N)
    parts = [crossed(x[:, i * N : (i + 1) * N]) for i in range(6)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    made = naturals.begun(KEYS, total)
    assert made is not None
    return made


def test_natural_frequencies_are_found_and_a_loss_of_three_in_a_hundred_is_seen(reference: Reference) -> None:
    np.testing.assert_allclose(reference.first, HERTZ, rtol=0.03)
    for loss, seed in ((0.0, 11), (0.03, 12), (0.03, 13)):
        found = naturals.followed(reference, crossed(shaken([f * (1 - loss) for f in HERTZ], seed, N)))
        np.testing.assert_allclose(found, np.array(HERTZ) * (1 - loss), rtol=0.012)


def test_a_mode_that_is_not_excited_is_not_found_and_the_others_keep_their_numbers(reference: Reference) -> None:
    found = naturals.followed(reference, crossed(shaken((HERTZ[0], 0.0, HERTZ[2]), 21, N)))
    assert np.isnan(found[1])
    np.testing.assert_allclose(found[[0, 2]], (HERTZ[0], HERTZ[2]), rtol=0.012)


def test_a_sensor_that_fell_silent_is_done_without_and_with_most_of_them_gone_nothing_is_said(reference: Reference) -> None:
    x = shaken(HERTZ, 31, N)
    some = [cut(batch(one)) for one in x]
    none = cut(batch(x[0, :0]))
    found = naturals.followed(reference, naturals.crossed([none, *some[1:]]))
    np.testing.assert_allclose(found[:2], HERTZ[:2], rtol=0.012)
    assert np.isnan(naturals.followed(reference, naturals.crossed([none, none, none, none]))).all()


def test_noise_has_no_modes_and_half_an_hour_is_needed_to_number_them(reference: Reference) -> None:
    rng = np.random.default_rng(41)
    assert np.isnan(naturals.followed(reference, crossed(rng.normal(size=(4, N))))).all()
    assert naturals.begun(KEYS, crossed(shaken(HERTZ, 42, N))) is None


# the process, with a real InfluxDB


@pytest.fixture(scope="module")
def influx() -> Iterator[Server | Given]:
    with server() as made:
        yield made


class Bridge:
    """A bridge whose watch has committed so much, and the mirror of it."""

    def __init__(self, folder: Path, server: Server | Given) -> None:
        database = f"bridge{folder.name}".replace("-", "_")
        self.config = replace(
            town.configured(folder),
            influx=Influx(url=server.url, token=Secret(server.token), database=database, retention=0.0, minutes=0.0, hours=0.0),
        )
        self.catalog = town.catalog(folder, [
            f"{k},bridge-0,{k.split('/')[0]},bridge,Fenglu,acceleration,m/s²,{1 / RATE},-20,20,{town.PLACE},," for k in KEYS
        ])  # fmt: skip
        list(prepared(self.config.influx, dry_run=False))
        data = self.config.city.data
        self.lake, self.ledger, self.next = Lake(data / "lake", self.catalog), Ledger(data / "ledger.db"), 0
        self.reader, self.database = Reader(target(self.config.influx)), database

    def commit(self, b: Batch) -> None:
        b = b.take(np.lexsort((b.t, b.row)))
        self.lake.write(b, self.next, self.next + 10)
        self.next += 10
        self.ledger.commit("watch", Mark(self.next, START, {}))

    def mirror(self) -> Mirror:
        return Mirror(self.config, self.catalog)

    def followed(self, mirror: Mirror) -> Mirror:
        while mirror.turn() or mirror.spectra():
            pass
        assert mirror.book.stale(tier="spectra") == []
        return mirror

    def asked(self, measurement: str, tag: str, suffix: str = "") -> dict[str, list[Any]]:
        found = self.reader.ask(f'SELECT "value" FROM "{measurement}" GROUP BY "{tag}"', self.database + suffix)  # noqa: S608
        return {s["tags"][tag]: [(t, round(v, 12)) for t, v in s["values"]] for s in found}

    def close(self) -> None:
        for suffix in ("", "_1m", "_1h"):
            self.reader.ask(f'DROP DATABASE "{self.database}{suffix}"', change=True)
        self.reader.close()
        self.ledger.close()


@pytest.fixture
def bridge(tmp_path: Path, influx: Server | Given) -> Iterator[Bridge]:
    made = Bridge(tmp_path, influx)
    yield made
    made.close()


def hour(x: Floats, seconds: range) -> Batch:
    cut = slice(seconds.start * RATE, seconds.stop * RATE)
    return Batch.joined([batch(one[cut], START + seconds.start * NS, row=i) for i, one in enumerate(x)])


@pytest.mark.network
def test_each_stretch_has_its_spectra_and_frequencies_once_whatever_fails_in_between(bridge: Bridge) -> None:
    x = shaken(HERTZ, 51, 6 * N)
    bridge.commit(hour(x, range(2500)))
    bridge.followed(bridge.mirror())
    bands = int((EDGES[1:] <= RATE / 2).sum())
    first = bridge.asked("spectrum", "frequency")
    assert len(first) == bands
    assert {len(v) for v in first.values()} == {4 * 4}  # four series, four stretches; the fifth is begun and has gaps
    assert bridge.asked("spectrum", "key").keys() == set(KEYS)
    bridge.commit(hour(x, range(2500, 2900)))
    stopped = bridge.mirror()

    class Killed(Exception):
        pass

    def killed(*_: Any) -> bool:
        raise Killed

    stopped._means_sink.write = killed  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        bridge.followed(stopped)
    stopped.book.close()
    bridge.commit(hour(x, range(2900, 3600)))
    done = bridge.followed(bridge.mirror())
    found = bridge.asked("spectrum", "key")
    assert {len(v) for v in found.values()} == {6 * bands}
    modes = bridge.asked("natural_frequency", "mode")
    assert modes == bridge.asked("natural_frequency", "mode", "_1h")
    assert modes.keys() == {"1", "2", "3"}
    for number, hertz in enumerate(HERTZ, 1):
        told = modes[str(number)]
        assert {t for t, _ in told} <= {START + i * STRETCH * NS for i in range(6)}
        assert len(told) >= 2
        np.testing.assert_allclose([v for _, v in told], hertz, rtol=0.02)
    done.book.refill()
    done.book.close()
    bridge.followed(bridge.mirror())  # all is written again, and is the same
    assert bridge.asked("spectrum", "key") == found
    again = bridge.asked("natural_frequency", "mode")
    assert all(set(modes[m]) <= set(again[m]) for m in modes)


@pytest.mark.network
def test_what_influxdb_no_longer_keeps_of_readings_has_natural_frequencies_all_the_same(bridge: Bridge) -> None:
    bridge.config = replace(bridge.config, influx=replace(bridge.config.influx, retention=3600.0))
    bridge.commit(hour(shaken(HERTZ, 61, 6 * N), range(3600)))
    bridge.followed(bridge.mirror())
    assert bridge.asked("spectrum", "key") == {}
    assert bridge.asked("natural_frequency", "mode") == {}
    assert bridge.asked("natural_frequency", "mode", "_1h").keys() == {"1", "2", "3"}


@pytest.mark.network
def test_where_spectra_are_not_wanted_nothing_is_made_and_nothing_waits(bridge: Bridge) -> None:
    bridge.config = replace(bridge.config, influx=replace(bridge.config.influx, spectra=0.0))
    bridge.commit(hour(shaken(HERTZ, 62, N), range(600)))
    bridge.followed(bridge.mirror())
    assert bridge.asked("spectrum", "key") == {}


@pytest.mark.network
def test_while_influxdb_is_away_stretches_wait_and_are_not_reckoned_again_and_again(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.commit(hour(shaken(HERTZ, 63, N), range(600)))
    mirror = bridge.mirror()
    while mirror.turn():
        pass
    made: list[int] = []
    told = mirror._vibration.told

    def counted(*given: Any) -> Any:
        made.append(1)
        return told(*given)

    monkeypatch.setattr(mirror._vibration, "told", counted)
    writer: Any = mirror._means_sink.sink._writer
    monkeypatch.setattr(writer, "post", lambda *_: Answer(Fate.AWAY, 0, "away", 60.0))
    assert not mirror.spectra()
    assert not mirror.spectra()
    assert (len(made), len(mirror.book.stale(tier="spectra"))) == (1, 1)
    monkeypatch.undo()
    mirror._means_sink._again = 0.0
    bridge.followed(mirror)
    assert bridge.asked("spectrum", "key").keys() == set(KEYS)


def test_modes_keep_their_numbers_in_the_book(tmp_path: Path, reference: Reference) -> None:
    book = Book(tmp_path / "mirror.db")
    assert book.modes("bridge-0") is None
    book.number("bridge-0", reference)
    book.close()
    again = Book(tmp_path / "mirror.db").modes("bridge-0")
    assert again is not None
    assert again.keys == KEYS
    np.testing.assert_array_equal(again.first, reference.first)
    np.testing.assert_array_equal(again.shape, reference.shape)
