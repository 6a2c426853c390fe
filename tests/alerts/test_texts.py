"""What people read."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

import detectors
from alerts import texts
from alerts.case import moved, opened, story
from alerts.judge import Standing, judge
from alerts.notice import Grounds, Story
from lifeline.model import NS, Change, Evidence, Kind, Level, Place

Say = Callable[..., Change]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def told(c: Change, evidence: Evidence | None = None) -> Story:
    """The story of a case opened by one change."""
    verdict = judge([Standing(c.key, c.rule, c.device, c.quantity, Level[c.new], c.hard, c.kind, c.mode)])
    case, _ = moved(opened(c, c.t), verdict, c.t, c.t)
    grounds = [Grounds(c.key, c.device, c.quantity, c.rule, c.new, c.score, c.t, evidence or c.evidence)]
    return story(case, Level.NORMAL, case.kind, c.t, grounds)


def test_every_hazard_of_the_rules_has_a_name_in_both_languages() -> None:
    assert {rule.hazard for rule in detectors.rules()} <= set(texts.HAZARDS)


def test_a_hazard_nobody_named_keeps_its_own_name() -> None:
    assert texts.hazard("sink_hole") == ("sink_hole", "sink hole")


def test_level_hazard_and_asset_come_first(say: Say) -> None:
    said = texts.write(told(say(Level.RED)), SHANGHAI)
    assert said.zh_title == "【红色预警·发布】可燃气体聚集：W-1"
    assert said.en_title == "RED warning raised: accumulation of gas at W-1"
    assert said.zh.splitlines()[1] == "甲烷浓度 2.6 %VOL，红色界限 5 %VOL（d1）"
    assert said.en.splitlines()[1] == "Methane 2.6 %VOL, RED bound 5 %VOL (d1)"


def test_a_ticket_is_called_one(say: Say) -> None:
    said = texts.write(told(say(Level.YELLOW, kind=Kind.TICKET, hazard="stuck")), SHANGHAI)
    assert said.zh_title == "【黄色工单·发布】传感器数据卡滞：W-1"
    assert said.en_title == "YELLOW ticket raised: stuck sensor at W-1"


@pytest.mark.parametrize(
    ("evidence", "zh", "en"),
    [
        (([2.6], "%VOL", {"BLUE": 10.0}, "1"), "甲烷浓度 2.6 %VOL", "Methane 2.6 %VOL"),  # a bound of a score
        (([250.0], "kPa", {"BLUE": 0.4}, "MPa"), "甲烷浓度 250 kPa，蓝色界限 0.4 MPa", "Methane 250 kPa, BLUE bound 0.4 MPa"),
        (
            ([1.3], "1", {"BLUE": 60.0}, "s", "door 0"),
            "轿门：关，蓝色界限 60 s",
            "Car door: closed, BLUE bound 60 s",
        ),  # of several together
        (([2.0, None], "%VOL", {}, "%VOL"), "甲烷浓度 2 %VOL", "Methane 2 %VOL"),
        (([], "%VOL", {"BLUE": 0.5}, "%VOL"), "甲烷浓度，蓝色界限 0.5 %VOL", "Methane, BLUE bound 0.5 %VOL"),
    ],
)
def test_a_value_stands_beside_its_bound_only_where_they_compare(say: Say, evidence: tuple[Any, ...], zh: str, en: str) -> None:
    said = texts.write(told(say(Level.BLUE), Evidence([1], *evidence)), SHANGHAI)
    assert said.zh.splitlines()[1] == f"{zh}（d1）"
    assert said.en.splitlines()[1] == f"{en} (d1)"


def test_times_are_local_to_the_city(say: Say) -> None:
    now = told(say(Level.BLUE))
    assert "始于 2025-12-29 17:20:00 +08:00" in texts.write(now, SHANGHAI).zh
    assert "Since 2025-12-29 09:20:00 +00:00" in texts.write(now, ZoneInfo("UTC")).en
    over = msgspec.structs.replace(now, ended=now.t + 90 * NS)
    assert "止于 2025-12-29 17:21:30 +08:00" in texts.write(over, SHANGHAI).zh


def test_likely_causes_are_named_likeliest_first(say: Say) -> None:
    places = [Place(f"pipe {i}", (6 - i) / 21) for i in range(6)]
    said = texts.write(told(say(Level.RED), Evidence([0], [2.6], "%VOL", {"BLUE": 0.5}, "%VOL", places=places)), SHANGHAI)
    assert "可能起因：pipe 0 29 %、pipe 1 24 %、pipe 2 19 %、pipe 3 14 %、pipe 4 10 %" in said.zh.splitlines()
    assert "Likely cause at: pipe 0 29 %, pipe 1 24 %, pipe 2 19 %, pipe 3 14 %, pipe 4 10 %" in said.en.splitlines()
    assert "Likely" not in texts.write(told(say(Level.RED)), SHANGHAI).en


def test_gas_that_may_explode_says_how_far(say: Say) -> None:
    """Distances of a well of 3 m³ at its worst: 20 m to 7 kPa, 68 m to 2 kPa (domain table, all heat in the blast)."""
    worst = Evidence([0], [9.5], "%VOL", {"RED": 5.0}, "%VOL")
    said = texts.write(told(say(Level.RED), worst), SHANGHAI)
    assert "within 20 m" in said.en
    assert "within 68 m" in said.en
    assert "20 m 内可致人员受伤" in said.zh
    weaker = texts.write(told(say(Level.RED), Evidence([0], [5.0], "%VOL", {"RED": 5.0}, "%VOL")), SHANGHAI)
    assert "within 55 m" in weaker.en


def test_no_distance_is_said_of_little_gas_or_of_other_hazards(say: Say) -> None:
    for change in (say(Level.YELLOW), say(Level.RED, hazard="open_air_release"), say(Level.RED, quantity="gas_flow")):
        assert "lit" not in texts.write(told(change), SHANGHAI).en


def test_where_gas_comes_from_is_told_as_far_as_it_is_known_and_never_as_certain(say: Say) -> None:
    for leak, zh, en in (
        (0.92, "92 %，沼气 8 %", "leaks, 92 %; biogas, 8 %"),
        (0.9999, "99 %，沼气 1 %", "leaks, 99 %; biogas, 1 %"),
    ):
        seen = Evidence([0], [2.6], "%VOL", {"YELLOW": 1.0}, "%VOL", leak=leak)
        said = texts.write(told(say(Level.YELLOW), seen), SHANGHAI)
        assert f"来源研判：管道泄漏可能性 {zh}" in said.zh.splitlines()
        assert f"Where it comes from: a main that {en}" in said.en.splitlines()
    assert "biogas" not in texts.write(told(say(Level.YELLOW)), SHANGHAI).en
