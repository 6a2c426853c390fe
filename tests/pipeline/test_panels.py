"""Panels in the engine: several series judged together, the same however the stream is cut and wherever it is stopped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import detectors
import pipeline.panels
from bench.town import Town
from detectors.leakage import Leakage
from ingest.journal import Entry
from lifeline.model import NS, Batch, Bools, Change, Domain, Rule
from pipeline.groups import Line
from pipeline.panels import panels
from pipeline.replay import Replay, changes
from pipeline.snapshot import gather, scatter
from pipeline.watch import Watch
from simulators.world import Turn, turns
from tests import town
from tests.city import START, demo
from tests.panel import Apart, Gap, rule

SECONDS = 45
BOOK = [
    rule(Apart(), "methane", Domain.GAS, 0.001, 0.004, 0.02, name="wells"),
    rule(
        Apart(within="asset", least=1, slot=5.0, beside=("door",)),
        "passengers",
        Domain.ELEVATOR,
        0.2,
        0.5,
        name="cars",
        held=True,
    ),
    rule(Gap(), "methane", Domain.GAS, 1.5, 4.5, name="gaps"),
]


@pytest.fixture(scope="module", autouse=True)
def rules() -> Iterator[None]:
    """The project's own rules, and those of this test."""
    with pytest.MonkeyPatch.context() as patch:
        own = detectors.rules
        patch.setattr(detectors, "rules", lambda folder=None: [*own(folder), *BOOK])
        yield


@pytest.fixture(scope="module")
def journal() -> list[Entry]:
    return town.entries(town.disturbed(town.life(3, SECONDS), 4), 5)


@pytest.fixture(scope="module")
def one_by_one(journal: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Watch:
    watch = town.watched(tmp_path_factory.mktemp("one"))
    for entry in journal:
        watch.judge([entry])
    watch.flush(wait=True)
    return watch


def mine(watch: Watch, name: str) -> list[Change]:
    return [c for c in watch.courier.unsent() if c.rule == f"test.{name}"]


def test_a_member_that_parts_from_the_others_is_told_with_its_slots_and_its_place(one_by_one: Watch) -> None:
    found = mine(one_by_one, "wells")
    assert len({c.asset for c in found}) >= 2
    first = next(c for c in found if c.new != "NORMAL")
    assert first.evidence.t[-1] == first.t
    assert first.evidence.unit == "%VOL"
    assert first.evidence.places[0].name == f"{first.asset} at {first.t // NS}"
    assert not any(c.evidence.places for c in found if c.new == "NORMAL")


def test_the_scores_of_members_that_only_help_are_left_out(one_by_one: Watch) -> None:
    found = mine(one_by_one, "cars")
    assert found
    assert {c.quantity for c in found} == {"passengers"}


def test_a_timed_detector_is_told_when(one_by_one: Watch) -> None:
    found = mine(one_by_one, "gaps")
    assert {c.new for c in found} >= {"NORMAL", "BLUE"}
    steady = [c for c in found if c.score is not None and len(c.evidence.t) > 1]
    assert steady
    assert any(c.score == (c.evidence.t[-1] - c.evidence.t[-2]) / NS for c in steady)


@pytest.mark.parametrize("size", [7, 64, 10_000])
def test_any_cut_of_the_journal_gives_the_same_changes(
    tmp_path: Path, journal: list[Entry], one_by_one: Watch, size: int
) -> None:
    watch = town.watched(tmp_path)
    for at in range(0, len(journal), size):
        watch.judge(journal[at : at + size])
    assert town.said(watch) == town.said(one_by_one)


@pytest.mark.parametrize("cut", [0.05, 0.5, 0.9])
def test_a_stop_at_any_point_changes_nothing(tmp_path: Path, journal: list[Entry], one_by_one: Watch, cut: float) -> None:
    at = round(cut * len(journal))
    watch = town.watched(tmp_path)
    watch.judge(journal[:at])
    watch.flush(wait=True)
    watch.judge(journal[at : at + 5])
    again = town.watched(tmp_path)
    again.judge([e for e in journal if e.first >= again.at])
    again.flush(wait=True)
    one, other = gather(one_by_one.engine), gather(again.engine)
    assert one.keys() == other.keys()
    for name, a in one.items():
        np.testing.assert_array_equal(a, other[name], err_msg=name)


def test_a_panel_with_other_members_begins_anew_and_its_levels_stand(tmp_path: Path, journal: list[Entry]) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    watch.flush(wait=True)
    risen = [c.key for c in mine(watch, "wells") if watch.engine.level(c.key, "test.wells") > 0]
    assert risen
    watch.checkpoints.close()
    town.catalog(tmp_path, [x for x in town.lines() if not x.startswith("laser-0/")])
    other = town.watched(tmp_path)
    stayed = [k for k in risen if k in other.catalog.row]
    assert stayed
    assert all(other.engine.level(k, "test.wells") == watch.engine.level(k, "test.wells") for k in stayed)
    [line] = [x for p in other.engine.panels for x in p.lines if x.rule.id == "test.wells"]
    assert line.standing.memory.seen.tolist() == [0] * (town.WELLS - 1)


def test_a_memory_of_another_size_begins_anew_and_its_levels_stand(tmp_path: Path, journal: list[Entry]) -> None:
    """As when a rule is given another window, or a site another file of sources."""
    watch = town.watched(tmp_path / "one")
    watch.judge(journal)
    kept = gather(watch.engine)
    lines = [x for p in watch.engine.panels for x in p.lines]
    names = [f"line/{line.name}" for line in lines if isinstance(line.rule.detector, Apart)]
    assert names
    other = town.watched(tmp_path / "other")
    scatter(other.engine, kept | {f"{name}/memory.usual": np.tile(kept[f"{name}/memory.usual"], 2) for name in names})
    for panel in other.engine.panels:
        for line in panel.lines:
            assert {a.shape for a in line.standing.memory} == {a.shape for a in line.rule.detector.init(panel.rows.size)}
            np.testing.assert_array_equal(line.standing.grade.level, kept[f"line/{line.name}/grade.level"])
    assert any(line.standing.grade.level.any() for panel in other.engine.panels for line in panel.lines)


def test_many_turns_in_one_step_give_the_very_changes_of_one_step_a_turn() -> None:
    scene = demo()
    made = list(turns(scene.world.emit(START, START + 120 * NS)))
    book: list[Rule] = detectors.rules()
    one = Replay(scene.catalog, book)
    single = [c for turn in made for c in one.step(turn)]
    many = list(changes(scene.catalog, book, made))
    assert any(c.rule == "test.wells" for c in single)
    assert sorted(map(msgspec.json.encode, many)) == sorted(map(msgspec.json.encode, single))


def test_a_panel_that_cannot_be_judged_is_none(tmp_path: Path) -> None:
    few = town.catalog(tmp_path, town.lines(wells=2))
    assert [p.name for p in panels(few, [BOOK[0]], {})[1]] == []
    (_, (panel,)) = panels(town.catalog(tmp_path), [BOOK[0]], {})
    assert panel.rows.size == town.WELLS


def test_a_panel_knows_the_map_of_its_asset_its_district_or_its_domain(tmp_path: Path) -> None:
    catalog = town.catalog(tmp_path)
    for name in ("gas", "water"):
        detector = panels(catalog, [BOOK[0]], {name: tmp_path / "pipes.csv"})[1][0].lines[0].rule.detector
        assert isinstance(detector, Apart)
        assert detector.members is not None
        assert detector.members.map == (tmp_path / "pipes.csv" if name == "gas" else None)


class Prompt(Apart):
    """Leaves those out who keep what they measured."""

    @property
    def awaited(self) -> Bools:
        assert self.members is not None
        return self.members.prompt(60.0)


def test_a_panel_waits_for_those_it_judges_and_not_for_one_that_it_leaves_out(tmp_path: Path) -> None:
    catalog = town.catalog(tmp_path)
    report = catalog.report.copy()
    report[np.flatnonzero(catalog.quantity == "methane")[0]] = 1800.0
    slow = replace(catalog, report=report)
    for detector, wait in ((Apart(), 1800.0), (Prompt(), 0.0)):
        (slots,), _ = panels(slow, [rule(detector, "methane", Domain.GAS, 1.0, name="wells")], {})
        assert (slots.wait / NS >= 1800.0) is bool(wait)


def flows(monkeypatch: pytest.MonkeyPatch, *, apart: bool) -> tuple[Replay, list[Change]]:
    """Twelve areas of one flow for eighteen days, of which one springs a leak; `apart`: no memory is shared."""
    if apart:
        monkeypatch.setattr(pipeline.panels, "akin", lambda a, b: False)  # noqa: ARG005
    catalog = Town(60, 0).catalog()
    rows = np.flatnonzero(catalog.quantity == "water_flow").astype(np.int32)
    mine = [r for r in detectors.rules() if isinstance(r.detector, Leakage)]
    replay, rng = Replay(catalog, mine), np.random.default_rng(1)
    told, begin = list[Change](), START // (3600 * NS) * 3600 * NS
    for hour in range(24 * 18):
        value = 0.04 * (1 + 0.3 * np.sin(hour * np.pi / 12)) * (1 + 0.01 * rng.normal(size=rows.size))
        value[3] += 0.02 if hour > 24 * 13 else 0.0
        at = begin + hour * 3600 * NS + np.arange(rows.size) * NS
        for part in (0, 1):  # and once more when all have taken their turns
            batch = Batch(rows, at + part * 1800 * NS, value, np.zeros(rows.size, np.uint8))
            told += replay.step(Turn(int(batch.t.max()) + NS, batch, []))
    return replay, told


def standings(replay: Replay) -> list[Line]:
    return [line for p in replay.engine.panels for line in p.lines]


def test_two_questions_about_leaks_are_answered_out_of_one_memory_as_out_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    one, told = flows(monkeypatch, apart=False)
    two, again = flows(monkeypatch, apart=True)
    assert told == again
    assert {c.rule for c in told} == {"water.leak.loss", "water.leak.standing"}
    for p in one.engine.panels:
        assert p.lines[0].standing.memory is p.lines[1].standing.memory
    for a, b in zip(standings(one), standings(two), strict=True):
        for x, y in zip(a.standing.memory, b.standing.memory, strict=True):
            np.testing.assert_array_equal(x, y)


def test_panels_of_hours_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    replay, _ = flows(monkeypatch, apart=False)
    waits = sorted(s.wait / NS for s in replay.engine.slots)
    assert len(waits) > 4
    assert waits[0] >= 60
    assert waits[-1] <= 60 + 15 * 30
