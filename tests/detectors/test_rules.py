"""Rules as data: what is shipped loads, and what is wrong is named, all of it at once."""

import re
from pathlib import Path

import numpy as np
import pytest

from detectors import BadRules, known, named, rules
from detectors.limit import Limit
from detectors.rise import Rise
from lifeline.model import Domain, Kind, Level, Mode, Rule
from lifeline.units import UNITS

PAGES = Path(__file__).parents[2] / "docs" / "detectors"
GOOD = """
domain = "water"
[[rule]]
id = "x.low"
quantity = "water_pressure"
hazard = "water_burst"
kind = "hazard"
mode = "active"
detector = "limit"
unit = "mH2O"
origin = 30.0
enter = { YELLOW = 20.0, RED = 14.0 }
leave = { RED = 16.0 }
hold = { RED = 2 }
hard = "RED"
source = "test"
confidence = "D"
"""


def read(folder: Path, text: str, name: str = "mine.toml") -> list[Rule]:
    (folder / name).write_text(text, encoding="utf-8")
    return rules(folder)


@pytest.fixture(params=rules(), ids=lambda r: str(r.id))
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_bounds_rise_with_the_level_and_are_left_below_where_they_are_entered(rule: Rule) -> None:
    used = np.isfinite(rule.limits.enter)
    assert used.any()
    assert (rule.limits.enter[used] > 0).all()
    assert (np.diff(rule.limits.enter[used]) > 0).all()
    assert (rule.limits.leave[used] < rule.limits.enter[used]).all()
    assert (rule.limits.leave[used] > 0).all()
    assert set(rule.bounds) == {Level(i + 1).name for i in np.flatnonzero(used).tolist()}


def test_the_mildest_bound_scores_one(rule: Rule) -> None:
    if hasattr(rule.detector, "scale"):
        assert rule.limits.enter[np.isfinite(rule.limits.enter)][0] == pytest.approx(1.0)


def test_every_rule_says_on_whose_authority(rule: Rule) -> None:
    assert rule.source.strip()
    assert rule.confidence.strip()
    assert rule.id.split(".")[0] == (rule.domain or "any")


def test_statistical_rules_about_people_are_active_only_where_their_false_alarms_are_counted(rule: Rule) -> None:
    if rule.kind is Kind.HAZARD and not hasattr(rule.detector, "scale") and rule.mode is Mode.ACTIVE:
        assert "false alarms" in rule.source
        name = next(n for n, d in named().items() if type(d) is type(rule.detector))
        assert "## How often it is wrong" in (PAGES / f"{name}.md").read_text("utf-8")


def test_a_reading_at_its_bound_scores_that_level_and_just_inside_it_does_not(rule: Rule) -> None:
    if not isinstance(rule.detector, Limit):
        return
    d, unit = rule.detector, UNITS[rule.unit]
    inward = -np.sign(d.scale) * abs(d.scale) * 1e-6
    for name, bound in rule.bounds.items():
        x = unit.to_si(bound)
        at, inside = d.step(d.init(1), np.array([[x, x + inward]]))[1][0]
        enter = rule.limits.enter[Level[name] - 1]
        assert at == pytest.approx(enter, rel=1e-12)
        assert inside < enter


def test_all_four_domains_and_the_devices_have_rules() -> None:
    assert {r.domain for r in rules()} == {None, *Domain} - {Domain.OTHER}  # it has the generic ones
    assert {type(r.detector) for r in rules()} == {type(d) for d in known()}


def test_the_page_of_lifts_names_every_rule_about_lifts_and_no_other() -> None:
    named_there = set(re.findall(r"`(elevator\.[a-z.]+)`", (PAGES / "lifts.md").read_text("utf-8")))
    assert named_there == {r.id for r in rules() if r.domain is Domain.ELEVATOR}


def test_the_hard_limits_are_those_where_one_sensor_suffices() -> None:
    hard = {r.id: r.hard for r in rules() if r.hard is not None}
    assert hard["gas.methane.limit"] is Level.ORANGE
    assert hard["elevator.door.moving"] is Level.RED
    assert not any("shift" in name for name in hard)


def test_a_users_own_folder_is_read_and_bounds_become_si(tmp_path: Path) -> None:
    (rule,) = read(tmp_path, GOOD)
    assert rule.domain is Domain.WATER
    assert isinstance(rule.detector, Limit)
    assert rule.detector.origin == pytest.approx(30 * 9806.65)
    np.testing.assert_allclose(rule.limits.enter, [np.inf, 1.0, np.inf, 1.6])
    np.testing.assert_allclose(rule.limits.leave, [np.inf, 0.8, np.inf, 1.4])
    assert rule.limits.hold.tolist() == [1, 1, 1, 2]
    assert rule.bounds == {"YELLOW": 20.0, "RED": 14.0}


def test_a_rate_is_spoken_in_a_unit_over_a_time(tmp_path: Path) -> None:
    text = GOOD.replace('"limit"', '"rise"').replace('"mH2O"', '"mH2O/h"').replace("origin = 30.0", "")
    text = text.replace("YELLOW = 20.0, RED = 14.0", "YELLOW = 2.0, RED = 14.0").replace("leave = { RED = 16.0 }", "")
    (rule,) = read(tmp_path, text)
    assert isinstance(rule.detector, Rise)
    assert rule.detector.scale == pytest.approx(2 * 9806.65 / 3600)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"limit"', '"limti"', "x.low: detector: limti: unknown; did you mean limit?"),
        ("water_pressure", "water_presure", "x.low: quantity: water_presure: unknown; did you mean water_pressure?"),
        ('hazard = "water_burst"', 'hazrad = "water_burst"', "x.low: hazrad: unknown; did you mean hazard?"),
        ('hazard = "water_burst"', 'hazrad = "water_burst"', "x.low: hazard: is missing"),
        ('"mH2O"', '"mH20"', "x.low: unit: mH20: unknown; did you mean mH2O?"),
        ('"mH2O"', '"mm"', "x.low: unit: mm is no unit of water_pressure here: it must be one of [Pa]"),
        ("YELLOW = 20.0", "YELOW = 20.0", "x.low: enter: YELOW: unknown; did you mean YELLOW?"),
        ("RED = 14.0", 'RED = "low"', "x.low: enter: Expected `float`, got `str`"),
        ("RED = 14.0", "RED = 25.0", "x.low: enter: bounds must rise with the level"),
        ("origin = 30.0", "", "x.low: enter: bounds must rise with the level; for a lower limit give an origin above them"),
        ("origin = 30.0", "origin = 20.0", "x.low: origin: is the bound of YELLOW"),
        ("leave = { RED = 16.0 }", "leave = { RED = 13.0 }", "x.low: leave: must lie between"),
        ("leave = { RED = 16.0 }", "leave = { BLUE = 13.0 }", "x.low: leave: BLUE has no bound in enter"),
        ("hold = { RED = 2 }", "hold = 0", "x.low: hold: from 1 to"),
        ('hard = "RED"', 'hard = "ORANGE"', "x.low: hard: ORANGE is none of YELLOW, RED"),
        ('kind = "hazard"', 'kind = "hasard"', "x.low: kind: Invalid enum value 'hasard'"),
        ('domain = "water"', 'domain = "wather"', "domain: 'wather' is none of any, gas"),
        ('source = "test"', "parameters = { widow = 3 }\nsource = 't'", "x.low: parameters: widow: unknown"),
        ('source = "test"', "parameters = { scale = 3.0 }\nsource = 't'", "x.low: parameters: scale: unknown"),
        ("[[rule]]", "[[rules]]", "rules: unknown; did you mean rule?"),
        ("enter = {", "enter = {{", "Invalid"),
    ],
)
def test_a_mistake_is_named_with_file_rule_key_and_the_nearest_right_name(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(BadRules) as why:
        read(tmp_path, GOOD.replace(old, new))
    lines = str(why.value).splitlines()
    assert all(line.startswith("mine.toml: ") for line in lines)
    assert any(said in line for line in lines), lines


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace('"limit"', '"limti"').replace("water_pressure", "waterpressure"), "utf-8")
    (tmp_path / "b.toml").write_text(
        GOOD.replace("x.low", "y.low").replace('unit = "mH2O"\n', "").replace("RED = 14.0", "RED = true"), "utf-8"
    )
    with pytest.raises(BadRules) as why:
        rules(tmp_path)
    said = str(why.value)
    assert said.count("\n") == 3
    assert said.count("a.toml: x.low") == 2
    assert said.count("b.toml: y.low") == 2


def test_an_id_stands_for_one_rule(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD, "utf-8")
    with pytest.raises(BadRules, match=r"mine\.toml: x\.low: id: stands twice"):
        read(tmp_path, GOOD)


def test_a_parameter_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    text = (
        GOOD.replace('"limit"', '"rise"')
        .replace('"mH2O"', '"mH2O/h"')
        .replace("origin", 'parameters = { window = "1h" }\norigin')
    )
    with pytest.raises(BadRules, match=r"parameters: window: Expected `float`, got `str`"):
        read(tmp_path, text)


def test_a_detector_is_found_by_its_file() -> None:
    assert set(named()) >= {"limit", "rise", "ewma", "cusum", "hampel", "stuck", "silence", "rms", "elevator"}
    assert "rulebook" not in named()
    assert "baseline" not in named()


def test_a_rule_may_be_meant_for_some_types_of_assets(tmp_path: Path) -> None:
    (only,) = read(tmp_path, GOOD + 'asset_types = ["sewage", "rain"]\n')
    assert (only.asset_types, only.except_asset_types) == (("sewage", "rain"), ())
    with pytest.raises(BadRules, match="except_asset_types: has no meaning beside asset_types"):
        read(tmp_path, GOOD + 'asset_types = ["sewage"]\nexcept_asset_types = ["rain"]\n')
    joint = GOOD.replace('detector = "limit"', 'detector = "leakage"').replace('"mH2O"\norigin = 30.0', '"1"')
    joint = joint.replace("YELLOW = 20.0, RED = 14.0", "YELLOW = 1.0, RED = 2.0").replace("RED = 16.0", "RED = 1.6")
    with pytest.raises(BadRules, match="asset_types: only rules of single series"):
        read(tmp_path, joint + 'asset_types = ["sewage"]\n')
