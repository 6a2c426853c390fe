"""Sources in the open by the wind: against plain sums, and where the source is known."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import dispersion
from detectors.dispersion import Dispersion, above, plumes
from detectors.plane import degrees
from lifeline.model import NS, Floats, Ints, Members
from lifeline.words import Unusable

START = 1_795_420_800 * NS
ORIGIN = np.array([40.5957, -105.1399])
RING = np.array([[60 * math.cos(a), 60 * math.sin(a)] for a in np.arange(8) * math.pi / 4])
SOURCES = {"tank": (0.0, 5.0), "well": (30.0, -10.0), "valve": (-25.0, -20.0)}
PPM = 1e-6
HOURLY = 1 / 3600  # [kg/s] of a kilogram an hour


def site(folder: Path) -> Path:
    """A file of sources."""
    at = degrees(np.array(list(SOURCES.values())), ORIGIN)
    rows = [f"{name},{lat:.7f},{lon:.7f},2.0" for name, (lat, lon) in zip(SOURCES, at.tolist(), strict=True)]
    file = folder / "sources.csv"
    file.write_text("\n".join(["name,lat,lon,height", *rows]) + "\n")
    return file


def members(map_: Path | None = None, *, winds: int = 2, every: float = 60.0) -> Members:
    """Eight sensors in a ring and a mast."""
    where = np.r_[degrees(RING, ORIGIN), np.tile(ORIGIN, (winds, 1))]
    quantity = np.array(["methane_air"] * 8 + ["wind_speed", "wind_direction"][:winds], object)
    n = len(quantity)
    name, none = np.array([f"d-{i}" for i in range(n)], object), np.full(n, np.nan)
    step, judged = np.full(n, every), quantity == "methane_air"
    return Members(name, quantity, name, name, where[:, 0], where[:, 1], none, none, none, step, judged, 60.0, map_)


def settled(map_: Path | None = None) -> Dispersion:
    made = Dispersion(scale=0.5 * HOURLY).settled(members(map_))
    assert made is not None
    return made


def weather(rng: np.random.Generator, k: int) -> tuple[Floats, Floats]:
    """Wind that turns slowly and flutters. [k] [m/s], [k] [rad]"""
    way = np.cumsum(0.1 * rng.standard_normal(k)) + rng.uniform(0, 2 * np.pi)
    return np.abs(2.5 + 0.6 * rng.standard_normal(k)), np.mod(way, 2 * np.pi)


def life(d: Dispersion, seed: int, source: int, rate: float, k: int = 240, begin: int = 130) -> tuple[Floats, Ints]:
    """What the sensors read of a release [kg/s] from `begin` on, over an uneven background. [10, k]"""
    rng = np.random.default_rng(seed)
    speed, way = weather(rng, k)
    x = 2 * PPM + 0.02 * PPM * rng.standard_normal((8, k)) + 0.2 * PPM * np.arange(8)[:, None]
    for j in range(begin, k):
        x[:, j] += rate * plumes(d.source[[source]], d.sensor[:8], float(speed[j]), float(way[j]))[0]
    return np.vstack([x, speed, way]), START + np.arange(1, k + 1) * 60 * NS


def plain_plume(source: Floats, sensor: Floats, speed: float, way: float) -> float:
    """The oracle of one source and one sensor."""
    along = (-math.sin(way), -math.cos(way))
    east, north = sensor[0] - source[0], sensor[1] - source[1]
    down, cross = east * along[0] + north * along[1], east * along[1] - north * along[0]
    if down <= 0:
        return 0.0
    sy, sz = max(0.16 * down / math.sqrt(1 + 4e-4 * down), 0.5), max(0.14 * down / math.sqrt(1 + 3e-4 * down), 0.5)
    up = sum(math.exp(-0.5 * ((dispersion.MAST + sign * source[2]) / sz) ** 2) for sign in (-1, 1))
    kilograms = up * math.exp(-0.5 * (cross / sy) ** 2) / (2 * math.pi * max(speed, 0.5) * sy * sz)
    return float(kilograms / dispersion.DENSITY)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999))
def test_plumes_are_those_of_the_formula_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, sensor = np.c_[rng.uniform(-50, 50, (3, 2)), rng.uniform(0, 6, 3)], rng.uniform(-80, 80, (5, 2))
    speed, way = rng.uniform(0, 8), rng.uniform(0, 2 * np.pi)
    expected = [[plain_plume(a, b, speed, way) for b in sensor] for a in source]
    np.testing.assert_allclose(plumes(source, sensor, speed, way), expected, rtol=1e-12)


def test_the_wind_carries_gas_to_where_it_blows() -> None:
    """From the north: to the south."""
    north_south = plumes(np.array([[0.0, 0.0, 2.0]]), np.array([[0.0, 50.0], [0.0, -50.0], [50.0, 0.0]]), 2.0, 0.0)[0]
    assert north_south[1] > 0 == north_south[0] == north_south[2]
    from_west = plumes(np.array([[0.0, 0.0, 2.0]]), np.array([[50.0, 0.0], [-50.0, 0.0]]), 2.0, 1.5 * np.pi)[0]
    assert from_west[0] > 0 == from_west[1]


def fitted(d: Dispersion, x: Floats) -> tuple[Floats, Floats]:
    """The oracle: cosine and rate of each source over the last hour, all sums made anew. -> [sources], [sources] [kg/s]"""
    k = x.shape[1]
    p, y = [], []
    for j in range(k - d.recent, k):
        if not np.isfinite(x[8:, j]).all():
            continue
        foretold, left = [], []
        for i in range(8):
            past = x[i, max(0, j - d.ground + 1) : j + 1]
            past = np.sort(past[np.isfinite(past)])
            if np.isfinite(x[i, j]):
                low = past[max(math.ceil(dispersion.SHARE * past.size) - 1, 0)]
                left.append(max(x[i, j] - low, 0.0))
                foretold.append([plain_plume(s, d.sensor[i], x[8, j], x[9, j]) for s in d.source])
        y += (np.array(left) - np.mean(left)).tolist()
        p += (np.array(foretold) - np.mean(foretold, axis=0)).tolist()
    told, found = np.array(p), np.array(y)
    both = told.T @ found
    return both / np.sqrt((told**2).sum(axis=0) * (found @ found)), both / (told**2).sum(axis=0)


def test_the_fit_is_that_of_an_hour_of_readings_at_once(tmp_path: Path) -> None:
    d = settled(site(tmp_path))
    x, t = life(d, 1, 1, 2 * HOURLY)
    rng = np.random.default_rng(2)
    x[:8][rng.random((8, x.shape[1])) < 0.1] = np.nan
    x[8, 200:204] = np.nan
    s, _ = d.step(d.init(10), x, t)
    cosine, rate = fitted(d, x)
    np.testing.assert_allclose(d._fit(s)[0], cosine, rtol=1e-9)
    np.testing.assert_allclose(d._fit(s)[1], rate, rtol=1e-9)
    slots = int(np.isfinite(x[8:, -d.recent :]).all(axis=0).sum())
    share = (1 - cosine**2) ** (-0.5 * slots / dispersion.SLOTS)
    order = np.argsort(-share)
    places = d.locate(s, 0)
    assert [p.name for p in places] == [d.names[b] for b in order]
    np.testing.assert_allclose([p.share for p in places], (share / share.sum())[order], rtol=1e-9)


def test_the_source_is_named_and_its_rate_told_after_half_an_hour(tmp_path: Path) -> None:
    d = settled(site(tmp_path))
    right = 0
    for seed in range(12):
        x, t = life(d, seed, seed % 3, 3 * HOURLY)
        s, score = d.step(d.init(10), x, t)
        assert np.nan_to_num(score[:, :150]).max() == 0
        right += d.locate(s, 0)[0].name == list(SOURCES)[seed % 3]
        if np.nanmax(score[:, -1]) > 0:
            assert np.nanmax(score[:, -1]) * 0.5 == pytest.approx(3.0, rel=0.15)
    assert right == 12


def test_gas_that_does_not_come_with_the_wind_from_any_source_is_not_told_of(tmp_path: Path) -> None:
    d = settled(site(tmp_path))
    x, t = life(d, 4, 0, 0.0)
    x[:8, 140:] += np.abs(5 * PPM * np.sin(np.arange(100) / 7))  # at all sensors alike, as it drifts in from afar
    assert np.nanmax(d.step(d.init(10), x, t)[1]) == 0


def test_without_a_file_the_ground_between_the_sensors_is_searched() -> None:
    d = settled()
    assert len(d.names) == dispersion.GRID**2
    true = np.array([20.0, 10.0])
    made = Dispersion(scale=d.scale, sensor=d.sensor, source=np.array([[*true, 2.4]]), names=("x",), rows=d.rows)
    off = []
    for seed in range(6):
        x, t = life(made, seed, 0, 3 * HOURLY)
        s, _ = d.step(d.init(10), x, t)
        place = d.locate(s, 0)[0]
        assert place.lat is not None
        assert place.lon is not None
        east = (place.lon - ORIGIN[1]) * 111_195 * math.cos(math.radians(ORIGIN[0]))
        off.append(math.hypot(east - true[0], (place.lat - ORIGIN[0]) * 111_195 - true[1]))
    assert np.median(off) < 15


def test_a_site_without_a_wind_is_not_judged(tmp_path: Path) -> None:
    assert Dispersion().settled(members(site(tmp_path), winds=1)) is None
    assert Dispersion().settled(members(winds=0)) is None


def test_a_file_of_sources_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sources.csv"
    file.write_text("name,lat,lon\ntank,1,2\n")
    with pytest.raises(Unusable, match="column height is missing; a file of sources has name, lat, lon, height"):
        settled(file)


def test_the_background_is_a_quantile_of_what_is_there() -> None:
    past = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [np.nan, 2.0, np.nan, 4.0, 3.0], [1.0, 1.0, 1.0, 1.0, np.nan]])
    np.testing.assert_array_equal(above(past, 0.4), [3.0, 0.0, np.nan])


def test_sensors_of_which_no_place_is_known_are_left_to_the_plume() -> None:
    m = members()
    assert Dispersion().settled(replace(m, lat=np.zeros(10), lon=np.zeros(10))) is None
    some = np.arange(10) != 3
    d = Dispersion().settled(replace(m, lat=np.where(some, m.lat, 0.0), lon=np.where(some, m.lon, 0.0)))
    assert d is not None
    assert d.rows[0].tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert np.abs(d.source[:, :2]).max() < 1000
