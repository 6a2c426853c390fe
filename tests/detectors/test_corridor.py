"""Neighbouring wells against a plain loop, and where gas comes from on streets with a known leak."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import corridor
from detectors.corridor import Corridor, likelihood
from lifeline.model import NS, Floats, Ints, Members
from lifeline.words import Unusable
from simulators.gas.faults import SEGMENT
from simulators.gas.scene import DEGREE, STREET

START = 1_795_420_800 * NS
LAT, LON = 31.82, 117.23
NORTH = 6_371_000 * math.pi / 180  # [m] of a degree


def members(at: Floats, kinds: list[str] | None = None, map_: Path | None = None) -> Members:
    """Wells at these places [n, 2] [m] east, north."""
    n = len(at)
    name, none = np.array([f"well-{i}" for i in range(n)], object), np.full(n, np.nan)
    east = at[:, 0] / NORTH / math.cos(math.radians(LAT))
    types = None if kinds is None else np.array(kinds, object)
    return Members(
        name, np.full(n, "methane", object), name, name, LAT + at[:, 1] / NORTH, LON + east, none, none, none, none,
        np.ones(n, np.bool_), 300.0, map_, types,
    )  # fmt: skip


def settled(at: Floats, kinds: list[str] | None = None, map_: Path | None = None) -> Corridor:
    made = Corridor(scale=0.005).settled(members(at, kinds, map_))
    assert made is not None
    return made


def plain(d: Corridor, at: Floats, x: Floats) -> list[list[float]]:
    """The oracle: well by well, slot by slot."""
    out = []
    for i in range(len(at)):
        near = [j for j in range(len(at)) if j != i and math.dist(at[i], at[j]) <= d.near]
        row = []
        for k in range(x.shape[1]):
            part = x[:, max(0, k - d.join + 1) : k + 1]
            most = [max((v for v in p if math.isfinite(v)), default=-math.inf) for p in part.tolist()]
            both = max((min(most[i], most[j]) for j in near), default=-math.inf)
            row.append(max((both - d.origin) / d.scale, 0.0) if math.isfinite(x[i, k]) else math.nan)
        out.append(row)
    return out


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_all_wells_at_once_score_as_one_by_one_in_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 200, (12, 2))
    x = np.abs(0.01 * rng.standard_normal((12, 40)))
    x[rng.random(x.shape) < 0.2] = np.nan
    d = settled(np.r_[at, [[500.0, 0.0], [510.0, 0.0]]])
    at, x = np.r_[at, [[500.0, 0.0], [510.0, 0.0]]], np.r_[x, x[:2]]
    score = d.step(d.init(14), x, START + np.arange(40) * 300 * NS)[1]
    np.testing.assert_allclose(score, plain(d, at, x), rtol=1e-12)


def test_wells_of_which_no_place_is_known_are_no_neighbours() -> None:
    at = np.array([[0.0, 0.0], [20.0, 0.0], [40.0, 0.0], [0.0, 0.0]])
    m = members(at)
    nowhere = np.zeros(4)
    assert Corridor().settled(replace(m, lat=nowhere, lon=nowhere)) is None
    some = np.array([False, True, False, True])
    d = Corridor(scale=0.005).settled(replace(m, lat=np.where(some, 0.0, m.lat), lon=np.where(some, 0.0, m.lon)))
    assert d is not None
    assert d.pair.tolist() == [[0, 2]]
    score = d.step(d.init(4), np.full((4, 1), 0.01), np.array([START]))[1][:, 0]
    np.testing.assert_allclose(score, [2.0, 0.0, 2.0, 0.0])


def test_two_drains_do_not_bear_each_other_out_and_a_drain_and_a_dry_well_do() -> None:
    at = np.array([[0.0, 0.0], [20.0, 0.0], [40.0, 0.0]])
    drains = ["sewage", "rain", "sewage"]
    assert Corridor().settled(members(at, drains)) is None
    d = settled(at, ["power", "rain", "sewage"])
    x = np.full((3, 1), 0.01)
    np.testing.assert_allclose(d.step(d.init(3), x, np.array([START]))[1][:, 0], [2.0, 2.0, 2.0])
    far = settled(np.array([[0.0, 0.0], [20.0, 0.0], [70.0, 0.0]]), ["power", "rain", "sewage"])
    np.testing.assert_allclose(far.step(far.init(3), x, np.array([START]))[1][:, 0], [2.0, 2.0, 0.0])


def test_wells_that_are_far_apart_are_no_panel() -> None:
    assert Corridor().settled(members(np.array([[0.0, 0.0], [80.0, 0.0]]))) is None


def test_wells_whose_place_nobody_has_told_are_no_neighbours() -> None:
    """A catalog without coordinates puts all of them at one point."""
    assert Corridor().settled(members(np.zeros((50, 2)))) is None
    unknown = members(np.array([[0.0, 0.0], [20.0, 0.0], [40.0, 0.0]]))
    unknown.lat[1] = np.nan
    made = Corridor().settled(unknown)
    assert made is not None
    assert made.pair.tolist() == [[0, 2]]


def test_neighbours_count_together_within_half_an_hour_and_not_beyond() -> None:
    d = settled(np.array([[0.0, 0.0], [20.0, 0.0]]))
    for apart, together in ((5, True), (6, False)):
        x = np.zeros((2, 20))
        x[0, 4], x[1, 4 + apart] = 0.01, 0.01
        assert bool(d.step(d.init(2), x, START + np.arange(20) * 300 * NS)[1].max() > 1) is together


def odds(d: Floats, most: Floats, since: Ints, least: float) -> float:
    """The oracle of one point."""
    total = 0.0
    gas = [w for w in range(d.size) if since[w] > 0]
    for reach in corridor.REACHES:
        mean = sum(math.log(max(most[w], least)) + d[w] / reach for w in gas) / len(gas)
        said = -min(d[w] for w in gas) / reach
        for w in range(d.size):
            off = (math.log(max(most[w], least)) + d[w] / reach - mean) / corridor.SPREAD
            said += -0.5 * off**2 if w in gas else math.log(0.5 * math.erfc(-off / math.sqrt(2)))
        total += math.exp(said)
    later = sum(-math.log1p(math.exp(-(d[a] - d[b]) / corridor.ORDER)) for a in gas for b in gas if since[a] > since[b])
    return math.log(total) + later


def test_the_odds_of_every_point_are_those_of_a_plain_sum() -> None:
    rng = np.random.default_rng(3)
    d, most = rng.uniform(1, 60, (7, 5)), rng.uniform(0.001, 0.1, 5)
    since = np.array([3, 0, 2, 2, 0]) * 300 * NS
    expected = [odds(row, most, since, 0.003) for row in d]
    np.testing.assert_allclose(likelihood(d, most, since, 0.003), expected, rtol=1e-9)


def test_the_pipe_between_wells_that_fill_in_order_is_named(tmp_path: Path) -> None:
    pipes = tmp_path / "pipes.csv"
    east = [f"{LON + 20 * k / NORTH / math.cos(math.radians(LAT)):.8f}" for k in range(11)]
    rows = [f"pipe-{k},{LAT},{a},{LAT},{b}" for k, (a, b) in enumerate(pairwise(east))]
    pipes.write_text("\n".join(["name,lat1,lon1,lat2,lon2", *rows]) + "\n")
    at = np.array([[x, 2.0] for x in (30.0, 70.0, 95.0, 140.0, 175.0)])
    d = settled(at, map_=pipes)
    for source in (50.0, 85.0, 115.0):
        away = np.hypot(at[:, 0] - source, at[:, 1])
        t = np.arange(1, 200) / 12
        x = 0.2 * np.exp(-away / 15)[:, None] * np.clip(t - away[:, None] / 3, 0, 1)
        x = np.where(x < 0.002, 0.0, x)
        s, score = d.step(d.init(5), x, START + np.arange(t.size) * 300 * NS)
        assert score.max() > 1
        places = d.locate(s, int(np.argmax(x[:, -1])))
        assert f"pipe-{int(source // 20)}" in [p.name for p in places[:2]]
        assert 0.9 < sum(p.share for p in places) <= 1 + 1e-9
        assert places == sorted(places, key=lambda p: -p.share)


def test_without_a_map_or_without_gas_nothing_is_named() -> None:
    at = np.array([[0.0, 0.0], [20.0, 0.0]])
    d = settled(at)
    s, _ = d.step(d.init(2), np.full((2, 1), 0.01), np.array([START]))
    assert d.locate(s, 0) == []
    mapped = settled(at, map_=STREET)
    s, _ = mapped.step(mapped.init(2), np.zeros((2, 1)), np.array([START]))
    assert mapped.locate(s, 0) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,lat1,lon1,lat2\n", "column lon2 is missing"),
        ("name,lat1,lon1,lat2,lon2\n", "holds no pipe"),
        ("name,lat1,lon1,lat2,lon2\na,1,2,3,east\n", ":2: lat1, lon1, lat2, lon2 must be numbers"),
    ],
)
def test_a_file_of_pipes_that_is_none_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "pipes.csv"
    file.write_text(text)
    with pytest.raises(Unusable, match=reason):
        settled(np.array([[0.0, 0.0], [20.0, 0.0]]), map_=file)


def test_the_street_of_the_gas_world_is_cut_as_its_leaks_are_named() -> None:
    p = corridor.laid(STREET, np.array([LAT, LON]))
    along = (p.middle[:, 1] - LON) * DEGREE
    np.testing.assert_allclose(along, SEGMENT * (np.arange(len(p.name)) + 0.5), atol=0.1)
    assert p.name == tuple(f"segment-{i + 1}" for i in range(len(p.name)))
