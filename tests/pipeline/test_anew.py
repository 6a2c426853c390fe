"""What must not happen silently: a journal that was replaced, a series or a rule that was taken away."""

from pathlib import Path

import msgspec
import pytest

from ingest.journal import Bounds, JournalBroken, Writer
from ingest.ledger import Ledger
from lifeline.model import NS
from pipeline.letters import books, seal
from pipeline.snapshot import gather, scatter
from pipeline.watch import Watch
from tests import town
from tests.town import START

ROOM = Bounds(retention=1e9, max_size=2**40, min_free=0)


def journaled(folder: Path, first: int, n: int, value: float) -> None:
    """n seconds of one well, a commit each, and one message that nobody understands."""
    writer = Writer(folder / "data" / "journal.db", ROOM)
    for i in range(first, first + n):
        writer.append(list(town.methane(0, START + i * NS, value)), START + i * NS + NS // 2)
    writer.append([b"lifeline/v1/town/gas/well-0/laser-0/telemetry", b"{"], START + (first + n) * NS)
    writer.close()


def judged(folder: Path) -> Watch:
    """A watch that has judged all there is, and stopped."""
    watch = town.watched(folder)
    while watch.turn():
        pass
    watch.flush(wait=True)
    watch.checkpoints.close()
    return watch


def replaced(folder: Path) -> None:
    for file in (folder / "data").glob("journal.db*"):
        file.unlink()


def test_a_journal_that_was_replaced_is_refused_until_somebody_says_so(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 0.1)
    judged(tmp_path)
    replaced(tmp_path)
    journaled(tmp_path, 40, 5, 0.1)
    watch = town.watched(tmp_path)
    with pytest.raises(JournalBroken, match="lifeline seal"):
        watch.turn()


def test_after_the_seal_the_new_journal_is_judged_from_its_start_and_nothing_of_the_old_is_lost(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 0.1)
    config = town.configured(tmp_path)
    judged(tmp_path)
    replaced(tmp_path)
    journaled(tmp_path, 40, 5, 0.1)
    seal(config)
    watch = judged(tmp_path)
    assert [t for t, _, _ in town.stored(watch)["laser-0/ch4"]] == [START + i * NS for i in (*range(30), *range(40, 45))]
    assert books(tmp_path / "data")["ledger"] == {
        "acknowledged": 6, "stored": 5, "duplicate": 0, "dead_lettered": 1, "in_flight": 0,
    }  # fmt: skip
    assert [x.number for x in Ledger(tmp_path / "data" / "ledger.db").dead()] == [-1, 5]


def told(watch: Watch) -> list[tuple[str, str, str]]:
    return [(c.key, c.hazard, c.new) for c in watch.courier.unsent()]


def test_a_series_that_leaves_the_catalog_does_not_stand_at_the_desk_for_ever(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    before = judged(tmp_path)
    assert ("laser-0/ch4", "gas_accumulation", "RED") in told(before)
    raised = len(told(before))
    town.catalog(tmp_path, [x for x in town.lines() if "laser-0/" not in x])
    after = town.watched(tmp_path)
    assert set(told(after)[raised:]) >= {("laser-0/ch4", "gas_accumulation", "NORMAL")}
    assert all(new == "NORMAL" for _, _, new in told(after)[raised:])
    again = town.watched(tmp_path)  # killed before a checkpoint: the same is said again, by the same names
    assert [c.id for c in again.courier.unsent()] == [c.id for c in after.courier.unsent()]


def test_what_stands_is_kept_without_its_evidence(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    watch = judged(tmp_path)
    assert {c.new for c in watch.raised.values()} >= {"RED"}
    assert len(msgspec.json.encode(list(watch.raised.values()))) < 1000 * len(watch.raised)


def slower(folder: Path) -> None:
    """The step of the first well's sensor in the catalog: 5 s instead of 1 s."""
    town.catalog(folder, [x.replace("%VOL,1,", "%VOL,5,") if x.startswith("laser-0/") else x for x in town.lines()])


def test_a_level_that_stands_when_its_series_gets_another_step_is_cleared_by_clean_air(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    raised = len(told(judged(tmp_path)))
    slower(tmp_path)
    assert len(told(town.watched(tmp_path))) == raised  # it still stands, here as at the desk
    journaled(tmp_path, 31, 60, 0.1)
    new = [c for c in judged(tmp_path).courier.unsent()[raised:] if c.rule == "gas.methane.limit"]
    assert [(c.key, c.old, c.new) for c in new] == [("laser-0/ch4", "RED", "NORMAL")]


def test_the_levels_of_a_rule_that_starts_anew_stand_until_they_are_judged(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    watch = judged(tmp_path)
    kept = {k: v[:, :0] if "memory" in k and v.ndim > 1 else v for k, v in gather(watch.engine).items()}
    other = town.watched(tmp_path / "other")
    scatter(other.engine, kept)
    assert {at: other.engine.level(*at).name for at in watch.raised} == {at: c.new for at, c in watch.raised.items()}


def test_what_stands_at_the_desk_and_not_here_is_withdrawn_as_of_then_at_the_earliest(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    watch = judged(tmp_path)
    at = ("laser-0/ch4", "gas.methane.limit")
    stood = watch.raised[at]
    for group in watch.engine.groups:
        for line in group.values:
            line.standing.grade.level[:] = 0
    watch.engine.clock = stood.t - NS
    [gone] = [c for c in watch._withdrawn() if (c.key, c.rule) == at]
    assert (gone.old, gone.new, gone.t) == ("RED", "NORMAL", stood.t)
    assert at not in watch.raised


def test_a_lost_memory_clears_nothing_at_the_desk(tmp_path: Path) -> None:
    journaled(tmp_path, 0, 30, 15.0)
    before = judged(tmp_path)
    (state,) = (tmp_path / "data").glob("state-*.npz")
    state.unlink()
    after = town.watched(tmp_path)
    assert told(after) == told(before)
    assert after.engine.level("laser-0/ch4", "gas.methane.limit").name == "RED"
