"""What is explained by something else, and by whom nobody is ever hidden."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.queries import listed
from alerts.routing.topology import Topology
from alerts.routing.topology import load as load_topology
from lifeline.config import ConfigRefused
from lifeline.model import Change, Kind, Level

N, B, Y, O, R = Level
Say = Callable[..., Change]
Made = Callable[..., Any]

FILE = """
route: {receiver: phone, group_wait: 0s}
receivers: [{name: phone, webhook_configs: [{url: "http://127.0.0.1:1/"}]}]
inhibit_rules:
"""
GRAVER = '  - {source_matchers: [severity="ORANGE"], target_matchers: [severity=~"YELLOW|BLUE"], equal: [district]}'


def asset(s: Any, name: str) -> str:
    return next(c.id for c in listed(s.database, live=True) if c.asset == name)


def test_a_target_is_quiet_while_its_source_stands_and_told_when_it_ends(scene: Made, say: Say) -> None:
    s = scene(FILE + GRAVER)
    s.take(say(O), say(Y, 1, "d2", "W-2"), say(Y, 1, "d3", "W-3", district="Longjie"), at=1)
    assert {w for _, w in s.told("phone")} == {"raised ORANGE W-1", "raised YELLOW W-3"}
    assert s.quiet(1)["W-2"].inhibitors == [asset(s, "W-1")]
    assert len(listed(s.database, live=True)) == 3  # inhibited is not deleted
    assert "suppressed" in s.acts()
    s.take(say(N, 60), at=60)
    assert s.look(60)
    assert (60, "raised YELLOW W-2 again") in s.told("phone")
    assert not s.look(61)


def test_a_target_that_ends_first_is_told_to_nobody(scene: Made, say: Say) -> None:
    s = scene(FILE + GRAVER)
    s.take(say(O), say(Y, 1, "d2", "W-2"), say(N, 5, "d2", "W-2"), say(N, 9), at=9)
    assert not s.look(10)
    assert [w for _, w in s.told("phone")] == ["raised ORANGE W-1", "resolved NORMAL W-1"]


def test_who_heard_of_a_target_before_hears_of_its_end_too(scene: Made, say: Say) -> None:
    s = scene(FILE + GRAVER)
    s.take(say(B, 0, "d2", "W-2"), at=0)
    s.take(say(O, 1), at=1)
    s.take(say(Y, 2, "d2", "W-2"), at=2)
    s.take(say(N, 3, "d2", "W-2"), at=3)
    assert [w for _, w in s.told("phone")] == ["raised BLUE W-2", "raised ORANGE W-1", "resolved NORMAL W-2"]


def test_what_is_held_is_taken_back_when_its_cause_appears(scene: Made, say: Say) -> None:
    s = scene(FILE.replace("0s", "30s") + GRAVER)
    s.take(say(Y, 0, "d2", "W-2"), at=0)
    s.take(say(O, 5), at=5)
    s.look(6)
    assert [w for _, w in s.told("phone")] == ["raised ORANGE W-1"]
    assert "withheld" in s.acts()
    s.take(say(N, 60), at=60)
    s.look(60)
    assert (60, "raised YELLOW W-2 again") in s.told("phone")


@pytest.mark.parametrize(("source", "quiet"), [(O, False), (R, True)])
def test_a_red_hazard_is_inhibited_by_a_red_hazard_only(scene: Made, say: Say, source: Level, quiet: bool) -> None:  # noqa: FBT001
    s = scene(FILE + '  - {source_matchers: [asset="W-1"], target_matchers: [asset="W-2"]}')
    s.take(say(source), say(R, 1, "d2", "W-2"), at=1)
    assert bool(s.quiet(1)["W-2"]) is quiet


def test_an_alert_on_both_sides_of_a_rule_inhibits_nothing_on_both_sides(scene: Made, say: Say) -> None:
    s = scene(FILE + '  - {source_matchers: [domain="gas"], target_matchers: [kind="hazard"]}')
    s.take(say(Y), say(Y, 1, "d2", "W-2"), at=1)
    assert len(s.told("phone")) == 2


RING = (
    '  - {source_matchers: [asset="W-1"], target_matchers: [asset="W-2"]}\n'
    '  - {source_matchers: [asset="W-2"], target_matchers: [asset="W-3"]}\n'
    '  - {source_matchers: [asset="W-3"], target_matchers: [asset="W-1"]}\n'
)


@pytest.mark.parametrize("levels", [(Y, Y, Y), (B, O, Y), (O, Y, B)])
def test_of_those_that_explain_each_other_the_first_is_told(scene: Made, say: Say, levels: tuple[Level, ...]) -> None:
    s = scene(FILE + RING)
    s.take(*(say(level, i, f"d{i}", f"W-{i}") for i, level in enumerate(levels, 1)), at=5)
    s.look(5)
    heard = {name for name, why in s.quiet(5).items() if not why}
    assert heard == {f"W-{1 + max(range(3), key=lambda i: (levels[i], -i))}"}


def test_what_nobody_hears_of_explains_nothing(scene: Made, say: Say) -> None:
    s = scene(FILE + GRAVER)
    s.take(say(O), say(Y, 1, "d2", "W-2"), at=1)
    s.silence('asset="W-1"', end=600, at=2)
    assert s.look(2)
    assert s.quiet(2)["W-1"].silences
    assert not s.quiet(2)["W-2"]
    assert s.told("phone")[-1] == (2, "raised YELLOW W-2 again")


TOPOLOGY = """asset,upstream,well,hazards,because
W-2,V-1,,water_low.*,water_burst|water_low_pressure
V-1,P-1,,water_low.*,water_burst|water_low_pressure
W-5,,well-7,silence,
W-6,,well-7,silence,
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Topology:
    file = tmp_path / "topology.csv"
    file.write_text(TOPOLOGY, "utf-8")
    return load_topology(file)


def low(say: Say, at: float, asset: str, level: Level = Y) -> Change:
    return say(level, at, f"at-{asset}", asset, hazard="water_low_pressure", rule="water.low")


def test_upstream_of_upstream_explains_what_is_below(scene: Made, say: Say, upstream: Topology) -> None:
    s = scene(topology=upstream)
    s.take(say(O, 0, "p", "P-1", hazard="water_burst"), low(say, 1, "W-2"), low(say, 1, "W-3"), at=1)
    assert {name for name, why in s.quiet(1).items() if why} == {"W-2"}
    s.take(low(say, 2, "W-2", R), at=2)
    assert not s.quiet(2)["W-2"]  # RED is never hidden by a place
    assert [w for _, w in s.told("phone")][-1] == "worse RED W-2"


def test_what_is_milder_upstream_or_of_another_kind_explains_nothing(scene: Made, say: Say, upstream: Topology) -> None:
    s = scene(topology=upstream)
    s.take(low(say, 0, "V-1", B), low(say, 1, "W-2"), say(O, 1, "p", "P-1"), at=1)
    assert not any(s.quiet(1).values())


def test_in_one_well_the_older_of_two_tickets_is_told(scene: Made, say: Say, upstream: Topology) -> None:
    s = scene(topology=upstream)
    s.take(*(say(Y, i, f"d{i}", f"W-{i}", hazard="silence", kind=Kind.TICKET) for i in (5, 6)), at=9)
    s.look(9)
    assert {name: bool(why) for name, why in s.quiet(9).items()} == {"W-5": False, "W-6": True}


@pytest.mark.parametrize(
    "text",
    [
        "asset\nW-1\n", "asset,hazards,upstrem\nW,x,y\n", "asset,hazards,upstream\nW,(,V\n", "asset,hazards\nW,x\n",
        "asset,hazards,well\n,x,y\n",
    ],
)  # fmt: skip
def test_a_topology_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigRefused):
        load_topology(file)
