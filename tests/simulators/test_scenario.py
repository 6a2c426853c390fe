"""Scenario files: what a user may write, and what he is told when he errs. The world here is a small one of the test's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import pytest

from lifeline.measures import Seconds, measure
from lifeline.model import NS, Domain, Level
from lifeline.words import Unusable
from simulators import scenario
from simulators.columns import columns, series
from simulators.faults import Truth
from simulators.plan import Plan, Site
from simulators.scenario import ScenarioRefused, find, load
from simulators.stage import stage
from simulators.world import Part, Scene, batch

GOOD = """\
id = "T1"
zh = "测试"
en = "a test"
start = "2026-07-15T08:00:00+08:00"
duration = "2h"

[world.pond]
level = "3 m"

[[fault]]
kind = "pond.drain"
at = "1h"
rate = "10 cm/h"

[[expect]]
asset = "pond-*"
hazard = ["water_overflow"]
level = "YELLOW"
within = "30m"
most = "ORANGE"
"""


@dataclass(frozen=True)
class PondWorld:
    level: Annotated[float, measure("m", 0, 10)] = 2.0  # [m]


@dataclass(frozen=True)
class Drain:
    at: Seconds
    rate: Annotated[float, measure("mm/h", 0, 1000)] = 0.0  # [m/s]


class PondState(NamedTuple):
    level: float  # [m]


@dataclass(frozen=True)
class Pond:
    level: float
    drains: tuple[Drain, ...]
    start: int
    span: ClassVar[int] = 60

    def init(self, second: int) -> PondState:  # noqa: ARG002
        return PondState(self.level)

    def step(self, s: PondState, second: int) -> tuple[PondState, list[Part]]:
        lost = sum(d.rate * 60 for d in self.drains if second * NS > self.start + d.at * NS)
        return PondState(s.level - lost), [batch([0], second * NS, [s.level - lost])]

    def truth(self) -> list[Truth]:
        return []


@dataclass(frozen=True)
class PondMaker:
    world: type = PondWorld
    faults: Any = None

    def scene(self, world: PondWorld, faults: Sequence[Drain], start: int, seed: int) -> Scene:  # noqa: ARG002
        if world.level == 0:
            raise ValueError("level: an empty pond is none")
        row = series(
            Domain.WATER, "pond-1", "float-1", "level", "water_level", "m", (0, 10), 60.0, Site("1", "here", 24.0, 102.0)
        )
        return Scene(columns([row]), Pond(world.level, tuple(faults), start))

    def town(self, plan: Plan, faults: Sequence[Drain], start: int, seed: int) -> Scene:  # noqa: ARG002
        return self.scene(PondWorld(), faults, start, seed)


@pytest.fixture(autouse=True)
def _pond(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"pond": PondMaker(faults={"drain": Drain})}
    monkeypatch.setattr(scenario, "makers", lambda: made)
    monkeypatch.setattr("simulators.stage.makers", lambda: made)


def written(folder: Path, text: str) -> Path:
    path = folder / "T1.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioRefused) as why:
        load(written(folder, text))
    return [p.partition("T1.toml")[2] for p in why.value.problems]


def test_a_good_file_is_read_with_its_units(tmp_path: Path) -> None:
    s = load(written(tmp_path, GOOD))
    assert (s.start, s.duration, s.end) == (1_784_073_600 * NS, 7200.0, 1_784_080_800 * NS)
    assert s.worlds == {"pond": PondWorld(3.0)}
    assert s.fault == (("pond", Drain(3600.0, 0.1 / 3600)),)
    assert s.expect[0].level is Level.YELLOW
    assert s.expect[0].within == 1800.0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("at =", "att =", ":10: fault[0].at: is missing"),
        ("at =", "att =", ":12: fault[0].att: no such key; did you mean 'at'?"),
        ("10 cm/h", "10 cm", "must be a number and its unit, such as \"1 mm/h\", not '10 cm'"),
        ("10 cm/h", "10 m/h", ":13: fault[0].rate: must be from 0 to 1000 mm/h"),
        ("pond.drain", "pond.dran", ":11: fault[0].kind: 'pond.dran' is unknown; did you mean 'pond.drain'?"),
        ("[world.pond]", "[world.pont]", ":7: world.pont: no such world; did you mean 'pond'?"),
        ("YELLOW", "AMBER", ":18: expect[0].level: must be one of 'NORMAL', 'BLUE'"),
        ("ORANGE", "BLUE", ":15: expect[0]: level: YELLOW is above most, which is BLUE"),
        ('"1h"', '"3h"', ":12: fault[0].at: 10800 s is not before the end"),
        ("+08:00", "", ":4: start: must be a time such as"),
        ("duration =", "length =", ":5: length: no such key"),
        ("duration =", "length =", ":1: duration: is missing"),
        ("[[expect]]", "[[expect]]\nfault = 2", ":16: expect[0].fault: there is no [[fault]] number 2"),
        ("[[fault]]", "[fault]", ":10: fault: must be a list of tables"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_what_is_allowed(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in p for p in refusal(tmp_path, GOOD.replace(old, new, 1)))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("3 m", "30 m").replace("10 cm/h", "much").replace("YELLOW", "AMBER")
    assert len(refusal(tmp_path, text)) == 3


def test_what_is_no_toml_is_said_so(tmp_path: Path) -> None:
    assert "is no TOML" in refusal(tmp_path, "id = ")[0]


def test_a_scenario_needs_a_world_and_not_two_ways_of_one(tmp_path: Path) -> None:
    nothing = GOOD.replace('[world.pond]\nlevel = "3 m"\n', "")
    assert any("write [city], or one or more of [world.pond]" in p for p in refusal(tmp_path, nothing))
    assert any("not both" in p for p in refusal(tmp_path, GOOD + "\n[city]\nwells = 3\n"))


def test_its_readings_come_turn_by_turn_until_its_end(tmp_path: Path) -> None:
    on = stage(load(written(tmp_path, GOOD)))
    told = list(on.turns())
    assert [t.at for t in told] == [on.scenario.start + i * 60 * NS for i in range(1, 121)]
    level = np.concatenate([t.batch.value for t in told])
    assert level[:60] == pytest.approx(3.0)
    assert level[-1] == pytest.approx(3.0 - 0.1, abs=0.002)


def test_tables_that_contradict_the_world_are_refused_by_file(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"T1\.toml:7: world\.pond: level: an empty pond is none"):
        stage(load(written(tmp_path, GOOD.replace("3 m", "0 m"))))


def test_a_name_that_is_none_gets_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, GOOD)
    monkeypatch.setattr(scenario, "files", lambda: [tmp_path / "T1.toml"])
    assert find("t1") == tmp_path / "T1.toml"
    with pytest.raises(Unusable, match="T11: no such scenario; did you mean T1"):
        find("T11")
