"""Memory given back: after any stop the watch goes on as if nothing had been, and knows its series by their keys."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ingest.journal import Entry
from lifeline.model import NS
from pipeline.snapshot import gather, load, save, scatter
from pipeline.watch import Watch
from tests import town
from tests.town import START

SECONDS = 30


@pytest.fixture(scope="module")
def journal() -> list[Entry]:
    return town.entries(town.disturbed(town.life(9, SECONDS), 1), 2)


@pytest.fixture(scope="module")
def undisturbed(journal: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Watch:
    watch = town.watched(tmp_path_factory.mktemp("undisturbed"))
    watch.judge(journal)
    watch.flush(wait=True)
    return watch


def same(a: Watch, b: Watch) -> None:
    """Bit for bit, all that they remember."""
    one, other = gather(a.engine), gather(b.engine)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
        assert array.dtype == other[name].dtype, name


def stopped(folder: Path, journal: list[Entry], cuts: list[float], beyond: int) -> Watch:
    """A watch that is killed at these parts of the journal, each time with some entries judged and not yet on the disk."""
    for cut in cuts:
        at, watch = round(cut * len(journal)), town.watched(folder)
        start = next(i for i, e in enumerate(journal) if e.first == watch.at) if watch.at else 0
        watch.judge(journal[start:at])
        watch.flush(wait=True)
        watch.judge(journal[at : at + beyond])
    watch = town.watched(folder)
    watch.judge([e for e in journal if e.first >= watch.at])
    watch.flush(wait=True)
    return watch


@pytest.mark.parametrize("cuts", [[0.02], [0.5], [0.97], [0.1, 0.3, 0.31, 0.6]], ids=str)
@pytest.mark.parametrize("beyond", [0, 9])
def test_a_stop_at_any_point_changes_nothing(
    tmp_path: Path, journal: list[Entry], undisturbed: Watch, cuts: list[float], beyond: int
) -> None:
    watch = stopped(tmp_path, journal, cuts, beyond)
    same(watch, undisturbed)
    assert set(town.said(watch)) == set(town.said(undisturbed))
    assert town.stored(watch) == town.stored(undisturbed)
    assert watch.checkpoints.mark.counts == undisturbed.checkpoints.mark.counts


def test_memory_on_the_disk_is_the_memory(tmp_path: Path, undisturbed: Watch) -> None:
    save(tmp_path / "state.npz", gather(undisturbed.engine))
    other = town.watched(tmp_path / "other")
    scatter(other.engine, load(tmp_path / "state.npz"))
    same(other, undisturbed)
    assert [p.name for p in tmp_path.glob("state*")] == ["state.npz"]


def moved(lines: list[str]) -> list[str]:
    """The same catalog in another order."""
    return [lines[i] for i in np.random.default_rng(2).permutation(len(lines)).tolist()]


def without(*wells: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: [x for x in lines if not any(x.startswith(f"laser-{w}/") for w in wells)]


def more(lines: list[str]) -> list[str]:
    return [town.lines(40)[30], *lines[:5], town.lines(40)[20], *lines[5:]]


@pytest.mark.parametrize(
    "change", [moved, without(3, 7), more, lambda x: moved(more(without(3, 7)(x)))], ids=["moved", "without", "more", "all"]
)
def test_a_changed_catalog_takes_over_the_memory_of_the_series_that_stay(
    tmp_path: Path, journal: list[Entry], undisturbed: Watch, change: Callable[[list[str]], list[str]]
) -> None:
    half = len(journal) // 2
    watch = town.watched(tmp_path)
    watch.judge(journal[:half])
    watch.flush(wait=True)
    town.catalog(tmp_path, change(town.lines()))
    watch = town.watched(tmp_path)
    watch.judge(journal[half:])
    watch.flush(wait=True)
    stay = set(watch.catalog.key) & set(undisturbed.catalog.key)
    found, wanted_ = ({c.id for c in w.courier.unsent() if c.key in stay} for w in (watch, undisturbed))
    assert found == wanted_
    assert wanted_
    kept, wanted = town.stored(watch), town.stored(undisturbed)
    assert {k: kept[k] for k in stay if k in kept} == {k: wanted[k] for k in stay if k in wanted}


def test_a_lift_that_loses_a_sensor_does_not_stand_on_its_last_word(tmp_path: Path, journal: list[Entry]) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    watch.flush(wait=True)
    town.catalog(tmp_path, [x for x in town.lines() if not x.startswith("car-0/passengers")])
    grid = town.watched(tmp_path).engine.joints[0].grid
    asset, channel = grid.assets.index("lift-0"), grid.channels.index("passengers")
    assert grid.rows[asset, channel] == -1
    assert np.isnan(grid.value[asset, channel])
    _, x = grid.close(START + (SECONDS + 5) * NS)
    assert np.isnan(x[asset, channel]).all()


def test_a_rule_whose_memory_no_longer_fits_starts_anew_and_says_so(
    tmp_path: Path, journal: list[Entry], caplog: pytest.LogCaptureFixture
) -> None:
    watch = town.watched(tmp_path)
    watch.judge(journal)
    kept = gather(watch.engine)
    name = next(k for k in kept if k.startswith("line/gas.methane.rise|") and "memory" in k)
    kept[name] = kept[name][:, :1]
    other = town.watched(tmp_path / "other")
    scatter(other.engine, kept)
    assert [r.__dict__["rule"] for r in caplog.records if "starts anew" in r.message] == ["gas.methane.rise"]
    np.testing.assert_array_equal(other.engine.last, watch.engine.last)
