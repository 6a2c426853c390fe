"""Parts of the console that need no browser."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.console.html import Html, el
from alerts.console.outline import outlines
from alerts.console.words import ACTS, LETTERS, NOTICES, ROLES, WORDS
from alerts.lifecycle import State
from alerts.texts import DOMAINS, STATES
from lifeline.model import Floats

CSS = (Path(__file__).parents[2] / "alerts/console/static/console.css").read_text("utf-8")
CONES = {  # linear RGB as seen without a kind of cone (Machado, Oliveira, Fernandes 2009, table 1, severity 1.0)
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
APART = 10.0  # [1] of CIE 1976 Lab: 2 is just seen side by side; colours here have a shape and a letter besides


def colours(theme: str) -> dict[str, str]:
    """The levels' colours of a theme, as the style has them."""
    block = re.search(r":root \{(.*?)\}" if theme == "light" else r'html\[data-dark="true"\] \{(.*?)\}', CSS, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--(RED|ORANGE|YELLOW|BLUE): (#\w{6})", block[1]))


def lab(linear: Floats) -> Floats:
    """CIE 1976 Lab (D65) of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x = to_xyz @ np.clip(linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def linear(colour: str) -> Floats:
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lacking", CONES)
def test_the_four_colours_stay_apart_for_the_colour_blind(theme: str, lacking: str) -> None:
    seen = {n: lab(np.array(CONES[lacking]) @ linear(c)) for n, c in colours(theme).items()}
    assert len(seen) == 4
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > APART, (a, b)


@given(st.text(), st.text())
def test_what_is_not_html_is_escaped(inner: str, value: str) -> None:
    made = el("p", inner, title=value)
    body = made.removeprefix("<p").removesuffix("</p>")
    assert body.count("<") == 0
    assert body.count(">") == 1


def test_html_within_html_stays_html() -> None:
    assert el("p", el("b", "<"), None, 1, class_="x", hidden=False, open=True) == '<p class="x" open><b>&lt;</b>1</p>'
    assert el("br") == Html("<br>")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 99), st.integers(1, 4))
def test_every_asset_lies_within_a_ring_of_its_district(n: int, seed: int, districts: int) -> None:
    rng = np.random.default_rng(seed)
    lat, lon = 24.6 + 0.05 * rng.random(n), 102.9 + 0.05 * rng.random(n)
    at = rng.integers(0, districts, n)
    rings = outlines(lat, lon, at, districts)
    assert len(rings) == districts
    inside = [any_within(rings[d], float(y), float(x)) for y, x, d in zip(lat, lon, at, strict=True)]
    assert np.mean(inside) > 0.9  # cells are drawn about a grid of assets: one at the very border may lie beyond it


def test_a_city_of_one_point_and_one_of_none_have_outlines() -> None:
    assert len(outlines(np.array([24.0]), np.array([102.0]), np.array([0]), 1)[0]) == 1
    assert outlines(np.empty(0), np.empty(0), np.empty(0, int), 2) == [[], []]


def any_within(rings: list[list[list[float]]], lat: float, lon: float) -> bool:
    """Whether a point lies within an odd number of rings."""
    odd = False
    for ring in rings:
        for (a_lat, a_lon), (b_lat, b_lon) in pairwise(ring):
            if (a_lat > lat) != (b_lat > lat) and lon < (b_lon - a_lon) * (lat - a_lat) / (b_lat - a_lat) + a_lon:
                odd = not odd
    return odd


def test_everything_is_said_in_both_languages() -> None:
    for table in (WORDS, LETTERS, DOMAINS, STATES, ROLES, ACTS, NOTICES):
        for key, (zh, en) in table.items():
            assert zh, key
            assert en, key
            assert re.findall(r"\{\w+\}", zh) == re.findall(r"\{\w+\}", en), key
    assert set(STATES) == set(State)
