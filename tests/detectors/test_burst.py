"""Bursts and where they are: the slope against a plain loop, and holes in a small network that is solved by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detectors import piping
from detectors.burst import Burst, default
from detectors.rise import Rise
from lifeline.model import NS, Floats, Members
from lifeline.words import Unusable
from tests.tree import BORE, FLOW, LENGTH, PIPES, ROUGH, written

STEP = 60  # [s]
WEIGHT = 9806.65
GAUGES = {"2": "gauge-2", "3": "gauge-3", "4": "gauge-4", "5": "gauge-5"}
TAGS = {n: f"{d},meter-{n}" for n, d in GAUGES.items()}


def heads(level: float, hole: str = "", size: float = 0.0) -> dict[str, float]:
    """Of the tree by hand: Hazen and Williams, pipe by pipe, a hole at the far end of a pipe's junction. [m]"""
    after = {"a": "12345", "b": "23", "c": "3", "d": "45", "e": "5"}
    out = {"R": 60.0}
    for name, i, j in PIPES:
        q = level * FLOW * len(after[name]) + (size if hole in after[name] and hole else 0.0)
        out[j] = out[i] - 10.667 * LENGTH * (q / ROUGH) ** 1.852 / BORE**4.871
    return out


def members(file: Path | None) -> Members:
    device = np.array(list(GAUGES.values()), object)
    flat, none = np.ones(4), np.full(4, np.nan)
    quantity, asset = np.array(["water_pressure"] * 4, object), np.array(["dma"] * 4, object)
    return Members(device, quantity, device, asset, flat, flat, none, none, none, STEP * flat, np.ones(4, np.bool_), STEP, file)


def pressures(seed: int, minutes: int, at: int, level: float, hole: str, size: float) -> Floats:
    rng = np.random.default_rng(seed)
    calm, torn = heads(level), heads(level, hole, size)
    x = np.array([[torn[n] if j >= at else calm[n] for j in range(minutes)] for n in GAUGES])
    return (x + 0.1 * rng.normal(size=x.shape)) * WEIGHT


def run(d: Burst, x: Floats) -> tuple[object, Floats]:
    return d.step(d.init(x.shape[0]), x, STEP * NS * np.arange(1, x.shape[1] + 1))


def test_each_gauge_is_judged_by_its_slope(tmp_path: Path) -> None:
    own = replace(default, scale=-100.0).settled(members(written(tmp_path, TAGS)))
    assert own is not None
    x = pressures(1, 120, 60, 1.0, "3", 0.03)
    x[1, 30:33] = np.nan
    score = run(own, x)[1]
    for row, said in zip(x, score, strict=True):
        alone = Rise(300.0, STEP, 0.0, -100.0)
        np.testing.assert_array_equal(alone.step(alone.init(1), row[None])[1][0], said)


def test_without_a_file_gauges_are_left_to_the_rule_of_single_series(tmp_path: Path) -> None:
    assert default.settled(members(None)) is None
    strangers = members(written(tmp_path, TAGS))
    strangers.device[:] = "nobody"
    assert default.settled(strangers) is None


def test_pressures_of_the_network_are_those_reckoned_by_hand(tmp_path: Path) -> None:
    file = written(tmp_path, TAGS)
    net = piping.network(file, tuple(GAUGES.values()))
    assert net is not None
    for k, level in enumerate(piping.LEVELS.tolist()):
        by_hand = [heads(level)[n] * WEIGHT for n in GAUGES]
        np.testing.assert_allclose(net.pressure[k], by_hand, rtol=1e-3)


@pytest.mark.parametrize("level", [0, 5, 9])
def test_what_a_hole_takes_is_what_is_reckoned_by_hand(tmp_path: Path, level: int) -> None:
    found = piping.falls(written(tmp_path, TAGS), tuple(GAUGES), level)
    m = float(piping.LEVELS[level])
    for j, hole in enumerate("12345"):
        for k, size in enumerate(piping.SIZES.tolist()):
            torn = heads(m, hole, size * 5 * FLOW)
            np.testing.assert_allclose(found[j, k], [(heads(m)[n] - torn[n]) * WEIGHT for n in GAUGES], rtol=2e-3, atol=20)


@pytest.mark.parametrize(("hole", "near"), [("3", {"c"}), ("2", {"b", "c"}), ("5", {"e"}), ("4", {"d", "e"})])
def test_a_burst_is_found_in_a_pipe_that_ends_where_it_is(tmp_path: Path, hole: str, near: set[str]) -> None:
    own = replace(default, scale=-100.0).settled(members(written(tmp_path, TAGS)))
    assert own is not None
    for seed in range(5):
        x = pressures(seed, 40, 36, (0.55, 1.0)[seed % 2], hole, 0.03)
        places = own.locate(run(own, x)[0], 0)  # type: ignore[arg-type]
        assert places[0].name in near
        assert sum(p.share for p in places) == pytest.approx(1.0)


def test_of_a_gauge_that_is_silent_nothing_is_needed(tmp_path: Path) -> None:
    own = replace(default, scale=-100.0).settled(members(written(tmp_path, TAGS)))
    assert own is not None
    x = pressures(3, 40, 36, 1.0, "3", 0.03)
    x[3] = np.nan
    assert own.locate(run(own, x)[0], 0)[0].name in {"b", "c"}  # type: ignore[arg-type]
    x[2] = np.nan
    assert own.locate(run(own, x)[0], 0) == ()  # type: ignore[arg-type]


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "no.inp"
    file.write_text("nothing of the kind")
    with pytest.raises(Unusable, match=r"no\.inp"):
        piping.network(file, tuple(GAUGES.values()))
