"""The simulated city under the shipped rules, without the pipeline around them: what was meant to happen, and nothing else."""

import pytest

import detectors
from lifeline.model import NS, Kind, Level, Mode
from pipeline.replay import changes
from simulators.stage import Stage
from simulators.world import turns
from tests.city import START, demo, quiet

SECONDS = 90
Case = tuple[str, str]  # asset, hazard


def reached(on: Stage) -> dict[Case, Level]:
    """The highest level that any series of an asset came to, before the desk judges it."""
    out = dict[Case, Level]()
    for c in changes(on.catalog, detectors.rules(), turns(on.world.emit(START, START + SECONDS * NS))):
        if c.kind is Kind.HAZARD and c.mode is Mode.ACTIVE:
            out[c.asset, c.hazard] = max(out.get((c.asset, c.hazard), Level.NORMAL), Level[c.new])
    return out


@pytest.fixture(scope="module")
def played() -> dict[Case, Level]:
    return reached(demo())


def test_a_healthy_city_is_quiet() -> None:
    assert reached(quiet()) == {}


def test_what_the_demo_does_to_the_city_is_seen(played: dict[Case, Level]) -> None:
    for t in demo().truth:
        if t.hazard and (t.min_level >= Level.ORANGE or t.hazard == "stop_outside_zone"):
            assert played.get((t.asset, t.hazard), Level.NORMAL) >= min(t.min_level, Level.ORANGE), t


def test_and_nothing_else(played: dict[Case, Level]) -> None:
    true = {(t.asset, t.hazard): t for t in demo().truth}
    for case, level in played.items():
        assert level <= true[case].max_level


def test_a_struck_pier_is_felt_by_each_of_its_sensors(played: dict[Case, Level]) -> None:
    assert played["bridge-haikou-001", "bridge_impact"] == Level.ORANGE  # the desk makes RED of two that agree
